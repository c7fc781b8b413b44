/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the clients of one user can do to the daemon at their worst: it answers everybody else, and
 * its memory stays small. Prints how long another client waited, and the most that the daemon used.
 */

#include "tests/integration/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/error.h"
#include "protocol/control/limits.h"
#include "tests/integration/attackers.h"
#include "tests/integration/witness.h"

#define MIB            (1U << 20)
#define HALF_OPEN      100U
#define FOLLOWERS      20U
#define SAMPLES_MIN    50U
#define INVALID        "org.varlink.service.InvalidParameter"
#define PROCESS_STATUS 8192U

/* AddressSanitizer keeps freed memory back and adds its own. */
#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_PEAK  (1024U * MIB)
#define MEMORY_AFTER (768U * MIB)
#else
#define MEMORY_PEAK  (64U * MIB)
#define MEMORY_AFTER (32U * MIB)
#endif

/* ---- The daemon, seen from outside ---- */

/* VmHWM or VmRSS, bytes. */
static uint64_t memory_of(pid_t pid, const char *key)
{
	_cleanup_free_ char *path = str_format("/proc/%d/status", (int)pid), *text = NULL;
	unsigned long long kib;
	const char *line;

	assert_int_equal(fd_read_file(AT_FDCWD, path, PROCESS_STATUS, &text, NULL), 0);
	line = strstr(text, key);
	assert_non_null(line);
	assert_int_equal(sscanf(line + strlen(key), ": %llu kB", &kib), 1);
	return kib * 1024;
}

/* Its report; it was served all the time. */
static void report(struct witness *witness, const struct rig *rig, const char *what)
{
	struct witness_report seen = witness_end(witness);

	print_message("%-34s others wait %.2f ms (median), %.2f ms (99 %%), %.2f ms (longest of "
		      "%u); memory %.1f MiB, peak %.1f MiB\n",
		      what, seen.median, seen.p99, seen.longest, seen.n,
		      (double)memory_of(rig->daemon, "VmRSS") / MIB,
		      (double)memory_of(rig->daemon, "VmHWM") / MIB);
	assert_true(memory_of(rig->daemon, "VmHWM") < MEMORY_PEAK);
}

/* Well formed, but no sense for the method: told by the field's name. */
static void numbers_out_of_range(const struct rig *rig)
{
	static const struct {
		const char *method, *parameters, *field;
	} cases[] = {
		{ "GetJob", "{\"id\":1.5}", "id" },
		{ "GetJob", "{\"id\":1e300}", "id" },
		{ "GetJob", "{\"id\":\"1\"}", "id" },
		{ "GetJob", "{}", "id" },
		{ "Cancel", "{\"id\":true}", "id" },
		{ "ListJobs", "{\"limit\":-1}", "limit" },
		{ "ListJobs", "{\"limit\":9223372036854775807}", "limit" },
		{ "ListJobs", "{\"states\":[7]}", "states[0]" },
		{ "ListJobs", "{\"labels\":{\"n\":7}}", "labels.n" },
		{ "ListJobs", "{\"labels\":{\"a b\":\"\"}}", "labels.a b" },
		{ "ListJobs", "{\"labels\":[]}", "labels" },
		{ "ListJobs", "{\"since\":\"soon\"}", "since" },
		{ "ListBackups", "{\"since\":\"soon\"}", "since" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_message_ struct json_object *error =
			rig_call(rig, cases[i].method, cases[i].parameters, INVALID);

		assert_string_equal(message_string(message_member(error, "parameter")),
				    cases[i].field);
	}
}

/* ---- Tests ---- */

static int set_up(void **state)
{
	struct rlimit limit;
	struct rig *rig = calloc(1, sizeof(*rig));

	rig_set_up(rig, NULL);
	rig_start(rig);
	/* After the daemon has got what is usual: only this side needs more. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = MIN_OF(limit.rlim_max, 4096);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	*state = rig;
	return 0;
}

static void attack(const struct rig *rig, void (*how)(const struct rig *rig), const char *what)
{
	struct witness witness;

	witness_start(&witness, rig->socket);
	do
		how(rig);
	while (!witness_has_seen(&witness, SAMPLES_MIN));
	report(&witness, rig, what);
}

static void test_attackers(void **state)
{
	struct rig *rig = *state;

	attacker_fill_queue(rig);
	attack(rig, attack_crowd, "1,000 connections");
	attack(rig, attack_endless, "100 MiB without an end");
	attack(rig, attack_malformed, "malformed and deeply nested");
	attack(rig, numbers_out_of_range, "numbers out of range");
	attack(rig, attack_dying, "clients that die in mid-reply");
	attack(rig, attack_deaf, "clients that never read");
	message_unref(rig_call(rig, "GetStatus", "{}", NULL));
	assert_true(memory_of(rig->daemon, "VmRSS") < MEMORY_AFTER);
}

/* A call that was begun and is not ended costs its place for some seconds, not for ever. */
static void test_half_open(void **state)
{
	struct rig *rig = *state;
	struct witness witness;
	int fds[HALF_OPEN];
	uint64_t begin = time_now();

	witness_start(&witness, rig->socket);
	for (size_t i = 0; i < HALF_OPEN; i++) {
		fds[i] = attacker_dial(rig->socket);
		assert_int_equal(attacker_say(fds[i], "{\"method\":", 10), 10);
	}
	for (size_t i = 0; i < HALF_OPEN; i++) {
		assert_true(attacker_is_over(fds[i]));
		fd_close(fds[i]);
	}
	assert_true(time_now() - begin >= (LIMIT_REQUEST_SECONDS - 1) * USEC_PER_SEC);
	report(&witness, rig, "half-open messages");
}

/* Nobody reads the news of a job: it runs and ends all the same. */
static void test_followers_that_never_read(void **state)
{
	struct rig *rig = *state;
	struct witness witness;
	struct watch watch;
	struct job job;
	int fds[FOLLOWERS];
	int64_t id;

	attacker_fill_queue(rig);
	watch_plug(rig, &watch, "watch", "--flash", "new:1M", "--rate", "700000", NULL);
	for (size_t i = 0; i < FOLLOWERS; i++) {
		fds[i] = attacker_dial(rig->socket);
		assert_true(attacker_call(fds[i], ATTACKER_FOLLOW));
	}
	witness_start(&witness, rig->socket);
	id = rig_submit(rig, "{\"slot\":\"A1\",\"verify\":\"none\"}");
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_DONE, 60);
	report(&witness, rig, "followers that never read");
	job_clear(&job);
	for (size_t i = 0; i < FOLLOWERS; i++)
		fd_close(fds[i]);
	watch_unplug(&watch);
}

/* ---- Requests ---- */

static const struct {
	const char *request, *field;
} requests[] = {
	{ "{\"ranges\":7}", "ranges" },
	{ "{\"ranges\":[]}", "ranges" },
	{ "{\"ranges\":[7]}", "ranges[0]" },
	{ "{\"ranges\":[{}]}", "ranges[0].start" },
	{ "{\"ranges\":[{\"start\":-1}]}", "ranges[0].start" },
	{ "{\"ranges\":[{\"start\":268435456}]}", "ranges[0].start" },
	{ "{\"ranges\":[{\"start\":9223372036854775807}]}", "ranges[0].start" },
	{ "{\"ranges\":[{\"start\":0,\"length\":0}]}", "ranges[0].length" },
	{ "{\"ranges\":[{\"start\":4,\"length\":268435456}]}", "ranges[0].length" },
	{ "{\"ranges\":[{\"start\":0,\"name\":\"../x\"}]}", "ranges[0].name" },
	{ "{\"ranges\":[{\"start\":0,\"name\":\"manifest.json\"}]}", "ranges[0].name" },
	{ "{\"ranges\":[{\"start\":0,\"name\":\"a\"},{\"start\":4,\"name\":\"a\"}]}",
	  "ranges[1].name" },
	{ "{\"ranges\":[{\"start\":0,\"end\":4}]}", "ranges[0].end" },
	{ "{\"scatter\":\"/etc/passwd\"}", "scatter" },
	{ "{\"scatter\":\"fd:0\"}", "scatter" },
	{ "{\"da\":\"../../etc/passwd\"}", "da" },
	{ "{\"da\":\"fd:3\"}", "da" },
	{ "{\"da\":7}", "da" },
	{ "{\"da_layout\":\"da1=0:1:2\"}", "da_layout" },
	{ "{\"da_layout\":\"\\u001b\"}", "da_layout" },
	{ "{\"method\":\"adb\"}", "method" },
	{ "{\"verify\":\"twice\"}", "verify" },
	{ "{\"verify\":true}", "verify" },
	{ "{\"rebuild\":1}", "rebuild" },
	{ "{\"identify_flash\":\"yes\"}", "identify_flash" },
	{ "{\"slot\":\"\"}", "slot" },
	{ "{\"slot\":\"a/b\"}", "slot" },
	{ "{\"chip\":\"MT 6261\"}", "chip" },
	{ "{\"chip\":\"MT9999\"}", "chip" },
	{ "{\"chip\":\"0x6261\"}", "chip" },
	{ "{\"chip\":\"0x626\"}", "chip" },
	{ "{\"meid\":\"xyz\"}", "meid" },
	{ "{\"meid\":\"00\"}", "meid" },
	{ "{\"count\":0}", "count" },
	{ "{\"count\":1001}", "count" },
	{ "{\"count\":\"3\"}", "count" },
	{ "{\"count\":1.5}", "count" },
	{ "{\"priority\":1001}", "priority" },
	{ "{\"priority\":-9223372036854775808}", "priority" },
	{ "{\"labels\":[]}", "labels" },
	{ "{\"labels\":{\"a/b\":\"c\"}}", "labels.a/b" },
	{ "{\"labels\":{\"a\":7}}", "labels.a" },
	{ "{\"labels\":{\"a\":\"\\n\"}}", "labels.a" },
	{ "{\"timeout\":-1}", "timeout" },
	{ "{\"timeout\":1e300}", "timeout" },
	{ "{\"after\":\"explode\"}", "after" },
	{ "{\"colour\":\"red\"}", "colour" },
};

static void test_requests(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		_cleanup_free_ char *text = str_format("{\"request\":%s}", requests[i].request);
		_cleanup_message_ struct json_object *error =
			rig_call(rig, "Submit", text, ERROR_INVALID_REQUEST);
		const char *field = message_string(message_member(error, "field"));

		if (!streq(field, requests[i].field))
			fail_msg("%s: blames %s", requests[i].request, field);
		assert_true(strlen(message_string(message_member(error, "message"))) > 0);
	}
	assert_int_equal(rig_newest_job(rig), 0);
	print_message("%zu bad requests, each refused by the name of its field\n",
		      ARRAY_SIZE(requests));
}

static bool is_tried(const char *name, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		if (strncmp(requests[i].field, name, size) == 0 &&
		    strchr(".[", requests[i].field[size]))
			return true;
	return false;
}

/* Who adds a field to the interface adds a row above. */
static void test_every_field_is_tried(void **state _unused_)
{
	const char *p = strstr(control_interface_description, "type JobRequest");
	const char *end = strstr(p, "\n)");
	size_t n = 0;

	assert_non_null(end);
	for (p = strchr(p, '(') + 1; p < end; p = strchr(p, '\n') + 1) {
		const char *name = p + strspn(p, " \t\n");
		size_t size = strcspn(name, " :\n");

		if (name[0] == '#' || name[size] != ':')
			continue;
		if (!is_tried(name, size))
			fail_msg("no bad %.*s is tried", (int)size, name);
		n++;
	}
	assert_true(n >= 14);
}

#define ATTACK(test) cmocka_unit_test_setup_teardown(test, set_up, rig_test_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ATTACK(test_attackers),
		ATTACK(test_half_open),
		ATTACK(test_followers_that_never_read),
		ATTACK(test_requests),
		cmocka_unit_test(test_every_field_is_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
