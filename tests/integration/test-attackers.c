/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the clients of one user can do to the daemon at their worst: it answers everybody else, and
 * its memory stays small. Prints how long another client waited, and the most that the daemon used.
 */

#include "tests/integration/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/error.h"
#include "protocol/control/limits.h"
#include "protocol/control/varlink.h"

#define MIB            (1U << 20)
#define CROWD          1000U
#define HALF_OPEN      100U
#define DEAF           200U
#define DYING          200U
#define FOLLOWERS      20U
#define SAMPLES_MIN    50U
#define SAMPLES_MAX    100000U
#define LATENCY_MAX    (2 * USEC_PER_SEC)
#define ANSWER_MSEC    20000
#define GET_STATUS     "{\"method\":\"io.mtkrbd.Control.GetStatus\"}"
#define LIST_JOBS      "{\"method\":\"io.mtkrbd.Control.ListJobs\"}"
#define FOLLOW         "{\"method\":\"io.mtkrbd.Control.Follow\",\"more\":true}"
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

/* ---- Connections ---- */

static int dial(const struct rig *rig)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", rig->socket);
	assert_return_code(connect(fd, (const struct sockaddr *)&address, sizeof(address)), errno);
	return fd;
}

static ssize_t say(int fd, const char *text, size_t size)
{
	return send(fd, text, size, MSG_NOSIGNAL);
}

/* With the NUL that ends it; whether the daemon still takes it. */
static bool call(int fd, const char *text)
{
	return say(fd, text, strlen(text) + 1) == (ssize_t)strlen(text) + 1;
}

/* One reply into text; false when the connection ended before. */
static bool hear(int fd, char *text, size_t size)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	size_t n = 0;

	while (n < size) {
		ssize_t r;

		if (poll(&pfd, 1, ANSWER_MSEC) != 1)
			fail_msg("neither an answer nor an end in %d ms", ANSWER_MSEC);
		r = recv(fd, text + n, 1, 0);
		if (r <= 0)
			return false;
		if (text[n++] == '\0')
			return true;
	}
	fail_msg("the answer does not end");
	return false;
}

/* The connection ends without another word. */
static bool is_over(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&pfd, 1, ANSWER_MSEC) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

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

/* Another client, which asks for the status over and over in a process of its own. */
struct witness {
	pid_t pid;
	struct samples {
		volatile bool stop, failed;
		volatile uint32_t n;
		uint32_t usec[SAMPLES_MAX];
	} * samples; /* shared */
};

static bool ask(int fd)
{
	char text[1024];

	if (!call(fd, GET_STATUS))
		return false;
	for (size_t n = 0; n < sizeof(text); n++) {
		if (recv(fd, text + n, 1, 0) != 1)
			return false;
		if (text[n] == '\0')
			return strstr(text, "\"uptime\"") != NULL;
	}
	return false;
}

static void watch_on(int fd, struct samples *samples)
{
	while (!samples->stop && samples->n < SAMPLES_MAX) {
		uint64_t begin = time_now();

		if (!ask(fd)) {
			samples->failed = true;
			_exit(1);
		}
		samples->usec[samples->n] = (uint32_t)(time_now() - begin);
		samples->n++;
		sleep_ms(2);
	}
	_exit(0);
}

static void witness_start(struct witness *witness, const struct rig *rig)
{
	int fd = dial(rig);

	witness->samples = mmap(NULL, sizeof(*witness->samples), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(witness->samples != MAP_FAILED);
	assert_true(ask(fd));
	witness->pid = fork();
	assert_true(witness->pid >= 0);
	if (witness->pid == 0)
		watch_on(fd, witness->samples);
	fd_close(fd);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Its report; it was served all the time. */
static void witness_end(struct witness *witness, const struct rig *rig, const char *what)
{
	struct samples *samples = witness->samples;
	uint32_t n;

	samples->stop = true;
	assert_int_equal(waitpid(witness->pid, NULL, 0), witness->pid);
	assert_false(samples->failed);
	n = samples->n;
	assert_true(n > 0);
	qsort(samples->usec, n, sizeof(samples->usec[0]), compare);
	print_message("%-34s others wait %.2f ms (median), %.2f ms (longest of %u); "
		      "memory %.1f MiB, peak %.1f MiB\n",
		      what, samples->usec[n / 2] / 1e3, samples->usec[n - 1] / 1e3, n,
		      (double)memory_of(rig->daemon, "VmRSS") / MIB,
		      (double)memory_of(rig->daemon, "VmHWM") / MIB);
	assert_true(samples->usec[n - 1] < LATENCY_MAX);
	assert_true(memory_of(rig->daemon, "VmHWM") < MEMORY_PEAK);
	(void)munmap(samples, sizeof(*samples));
}

/* ---- Each kind of attacker ---- */

/* Those within the limit are served, the others are told and sent away. */
static void a_crowd(const struct rig *rig)
{
	static int fds[CROWD];
	size_t served = 0, refused = 0;
	char text[1024];

	for (size_t i = 0; i < CROWD; i++)
		fds[i] = dial(rig);
	for (size_t i = 0; i < CROWD; i++) {
		struct varlink_reply reply = { 0 };

		(void)call(fds[i], GET_STATUS);
		assert_true(hear(fds[i], text, sizeof(text)));
		assert_int_equal(varlink_reply_from_text(text, strlen(text), &reply), 0);
		if (reply.error) {
			assert_string_equal(reply.error, ERROR_LIMIT_REACHED);
			assert_true(is_over(fds[i]));
			refused++;
		} else {
			served++;
		}
		varlink_reply_clear(&reply);
	}
	/* One place is the witness's. */
	assert_int_equal(served, LIMIT_CONNECTIONS_PER_UID - 1);
	assert_int_equal(refused, CROWD - served);
	for (size_t i = 0; i < CROWD; i++)
		fd_close(fds[i]);
}

static void endless_message(const struct rig *rig)
{
	_cleanup_close_ int fd = dial(rig);
	_cleanup_free_ char *noise = malloc(MIB);
	uint64_t sent = 0;
	ssize_t n = 0;

	assert_non_null(noise);
	memset(noise, 'x', MIB);
	while (sent < 100ULL * MIB) {
		n = say(fd, noise, MIB);
		if (n < 0)
			break;
		sent += (uint64_t)n;
	}
	/* It was not read to the end, nor kept. */
	assert_true(n < 0);
	assert_true(sent < 4 * MIB);
}

static void assert_hangs_up_on(const struct rig *rig, const char *text, size_t size)
{
	_cleanup_close_ int fd = dial(rig);

	assert_int_equal(say(fd, text, size), size);
	assert_true(is_over(fd));
}

static void malformed_messages(const struct rig *rig)
{
	static const char *const texts[] = {
		"",
		"[]",
		"null",
		"{",
		"{}",
		"{\"method\":7}",
		"{\"method\":\"a\xff.b\"}",
		"{\"method\":\"a.b\",\"parameters\":{\"x\":\"\xed\xa0\x80\"}}",
		"{\"method\":\"a.b\",\"parameters\":{\"x\":\"\\ud800\"}}",
		"{\"method\":\"a.b\",\"parameters\":{\"x\":1e999}}",
		"{\"method\":\"a.b\",\"parameters\":{\"x\":99999999999999999999}}",
		"{\"method\":\"a.b\",\"parameters\":{\"x\":NaN}}",
		"{\"method\":\"a.b\",\"parameters\":{\"x\":1,\"x\":2}}",
		"{\"method\":\"a.b\"}trailing",
	};
	size_t depth = LIMIT_REQUEST_BYTES / 8;
	_cleanup_free_ char *deep = malloc(depth * 5 + 1);
	char *end = deep;

	assert_non_null(deep);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_hangs_up_on(rig, texts[i], strlen(texts[i]) + 1);
	for (size_t i = 0; i < depth; i++)
		end = stpcpy(end, "{\"a\":");
	assert_hangs_up_on(rig, deep, strlen(deep) + 1);
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

/* They ask for a long answer, hear its beginning, and are gone. */
static void dying_clients(const struct rig *rig)
{
	for (size_t i = 0; i < DYING; i++) {
		_cleanup_close_ int fd = dial(rig);
		char begin[16];

		assert_true(call(fd, LIST_JOBS));
		if (i % 2 == 0)
			assert_true(recv(fd, begin, sizeof(begin), 0) > 0);
	}
}

/* They send calls for as long as these are taken, and read nothing. */
static void deaf_clients(const struct rig *rig)
{
	static int fds[DEAF];
	size_t n_calls = 0, n_dropped = 0;

	for (size_t i = 0; i < DEAF; i++)
		fds[i] = dial(rig);
	for (size_t round = 0; round < 20; round++)
		for (size_t i = 0; i < DEAF; i++)
			n_calls += send(fds[i], LIST_JOBS, sizeof(LIST_JOBS),
					MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
	assert_true(n_calls >= DEAF);
	/* Lists are made in turn: when ours comes, theirs were made. */
	message_unref(rig_call(rig, "ListJobs", "{}", NULL));
	for (size_t i = 0; i < DEAF; i++) {
		struct pollfd pfd = { .fd = fds[i] };

		n_dropped += poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLHUP);
		fd_close(fds[i]);
	}
	/* Not all of them could be kept, but more than none. */
	assert_true(n_dropped > 0 && n_dropped < DEAF);
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

/* Jobs whose list is as long as a reply may be. */
static void fill_queue(const struct rig *rig)
{
	char note[400];
	_cleanup_free_ char *request = NULL;

	memset(note, 'n', sizeof(note) - 1);
	note[sizeof(note) - 1] = '\0';
	request = str_format("{\"slot\":\"nowhere\",\"count\":%u,\"labels\":{\"note\":\"%s\"}}",
			     LIMIT_COUNT, note);
	(void)rig_submit(rig, request);
}

static void attack(const struct rig *rig, void (*how)(const struct rig *rig), const char *what)
{
	struct witness witness;

	witness_start(&witness, rig);
	do
		how(rig);
	while (witness.samples->n < SAMPLES_MIN && !witness.samples->failed);
	witness_end(&witness, rig, what);
}

static void test_attackers(void **state)
{
	struct rig *rig = *state;

	fill_queue(rig);
	attack(rig, a_crowd, "1,000 connections");
	attack(rig, endless_message, "100 MiB without an end");
	attack(rig, malformed_messages, "malformed and deeply nested");
	attack(rig, numbers_out_of_range, "numbers out of range");
	attack(rig, dying_clients, "clients that die in mid-reply");
	attack(rig, deaf_clients, "clients that never read");
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

	witness_start(&witness, rig);
	for (size_t i = 0; i < HALF_OPEN; i++) {
		fds[i] = dial(rig);
		assert_int_equal(say(fds[i], "{\"method\":", 10), 10);
	}
	for (size_t i = 0; i < HALF_OPEN; i++) {
		assert_true(is_over(fds[i]));
		fd_close(fds[i]);
	}
	assert_true(time_now() - begin >= (LIMIT_REQUEST_SECONDS - 1) * USEC_PER_SEC);
	witness_end(&witness, rig, "half-open messages");
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

	fill_queue(rig);
	watch_plug(rig, &watch, "watch", "--flash", "new:1M", "--rate", "700000", NULL);
	for (size_t i = 0; i < FOLLOWERS; i++) {
		fds[i] = dial(rig);
		assert_true(call(fds[i], FOLLOW));
	}
	witness_start(&witness, rig);
	id = rig_submit(rig, "{\"slot\":\"A1\",\"verify\":\"none\"}");
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_DONE, 60);
	witness_end(&witness, rig, "followers that never read");
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
