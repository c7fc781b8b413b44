/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rules at work: two virtual watches, and what each gets by its slot, its chip and a reload. */

#include "tests/integration/rig.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

static void configure(struct rig *rig, const char *text)
{
	assert_int_equal(fd_replace_file(AT_FDCWD, rig->config, text, strlen(text), 0600), 0);
}

static void reload(struct rig *rig, const char *text)
{
	configure(rig, text);
	assert_int_equal(kill(rig->daemon, SIGHUP), 0);
}

static const char *label_of(const struct job *job, const char *key)
{
	for (size_t i = 0; i < job->request.n_labels; i++)
		if (streq(job->request.labels[i].key, key))
			return job->request.labels[i].value;
	return NULL;
}

static void expect_label(const struct job *job, const char *key, const char *value)
{
	if (!streq_ptr(label_of(job, key), value))
		fail_msg("job %" PRId64 ": %s=%s instead of %s", job->id, key,
			 label_of(job, key) ?: "nothing", value ?: "nothing");
}

/* Waits for a job on this slot; the caller clears it. */
static struct job wait_for_job_in(const struct rig *rig, const char *slot)
{
	for (int i = 0; i < 1000; i++) {
		for (int64_t id = rig_newest_job(rig); id > 0; id--) {
			struct job job = rig_job(rig, id);

			if (streq_ptr(job.request.slot, slot))
				return job;
			job_clear(&job);
		}
		sleep_ms(10);
	}
	fail_msg("no job came for slot %s (log: %s)", slot, rig->log);
	return (struct job){ 0 };
}

/* The rule of the only verdict about slot. */
static void expect_verdict(const struct rig *rig, const char *parameters, const char *rule,
			   const char *action)
{
	_cleanup_message_ struct json_object *reply =
		rig_call(rig, "ExplainRules", parameters, NULL);
	struct json_object *verdict = message_at(message_member(reply, "verdicts"), 0);

	if (!streq_ptr(message_string(message_member(verdict, "rule")), rule))
		fail_msg("%s: rule %s", parameters,
			 message_string(message_member(verdict, "rule")) ?: "none");
	assert_string_equal(message_string(message_member(verdict, "action")), action);
}

static void test_by_slot_and_chip(void **state)
{
	struct rig *rig = *state;
	struct watch left, right;
	struct job a, b;
	int64_t id;

	configure(rig, "[rule left]\nslot=left\nverify=none\nafter=stay\npriority=7\n"
		       "add-label=customer=rule\n"
		       "[rule other]\nchip=MT6260\naction=ignore\n"
		       "[rule chip]\nchip=MT626?\nverify=sample\nrebuild=no\n"
		       "[slot left]\nlabel=customer=slot\nlabel=shelf=3\n");
	rig_start(rig);
	watch_plug(rig, &left, "left", "--flash", "new:1M", "--meid",
		   "00112233445566778899aabbccddeeff", NULL);
	watch_plug(rig, &right, "right", "--flash", "new:1M", "--meid",
		   "ffeeddccbbaa99887766554433221100", NULL);
	rig_attach(rig, left.link, "left");
	rig_attach(rig, right.link, "right");
	a = wait_for_job_in(rig, "left");
	b = wait_for_job_in(rig, "right");
	expect_label(&a, "origin", "automatic");
	expect_label(&a, "rule", "left");
	expect_label(&a, "customer", "rule");
	expect_label(&a, "shelf", "3");
	assert_int_equal(a.request.verify, VERIFY_NONE);
	assert_int_equal(a.request.after, AFTER_STAY);
	assert_int_equal(a.request.priority, 7);
	assert_true(a.request.rebuild);
	expect_label(&b, "rule", "chip");
	expect_label(&b, "customer", NULL);
	assert_int_equal(b.request.verify, VERIFY_SAMPLE);
	assert_false(b.request.rebuild);
	job_clear(&b);
	id = a.id;
	job_clear(&a);
	a = rig_wait(rig, id, JOB_DONE, 60);
	job_clear(&a);
	expect_verdict(rig, "{\"slot\":\"left\"}", "left", "backup");
	expect_verdict(rig, "{\"slot\":\"right\",\"chip\":\"mt6260\"}", "other", "ignore");
	expect_verdict(rig, "{\"slot\":\"right\",\"mode\":\"brom\"}", NULL, "identify");
	watch_unplug(&left);
	watch_unplug(&right);
}

/* A watch that a rule ignores is not even asked what it is; a slot that is bound has its own way. */
static void test_ignored_and_bound(void **state)
{
	struct rig *rig = *state;
	struct watch left, right;
	struct job job;
	int64_t id;

	configure(rig, "[rule none]\nslot=*\naction=ignore\n"
		       "[rule quick]\nslot=nowhere\nverify=none\n");
	rig_start(rig);
	message_unref(rig_call(rig, "SetSlot", "{\"slot\":\"usb-0:1\",\"name\":\"right\"}", NULL));
	message_unref(rig_call(rig, "SetSlot", "{\"slot\":\"right\",\"rule\":\"quick\"}", NULL));
	message_unref(rig_call(rig, "SetSlot", "{\"slot\":\"right\",\"rule\":\"quack\"}",
			       "io.mtkrbd.Control.InvalidRequest"));
	watch_plug(rig, &left, "left", "--flash", "new:1M", NULL);
	watch_plug(rig, &right, "right", "--flash", "new:1M", NULL);
	rig_attach(rig, left.link, "left");
	rig_attach(rig, right.link, "right");
	job = wait_for_job_in(rig, "right");
	expect_label(&job, "rule", "quick");
	id = job.id;
	job_clear(&job);
	job = rig_wait(rig, id, JOB_DONE, 60);
	job_clear(&job);
	assert_int_equal(rig_newest_job(rig), id);
	assert_false(watch_log_has(&left, "handshake"));
	assert_true(watch_log_has(&right, "handshake"));
	watch_unplug(&left);
	watch_unplug(&right);
}

/* A reload says at once what becomes of watches that are here; a bound slot loses its rule. */
static void test_reload(void **state)
{
	struct rig *rig = *state;
	struct watch left;
	struct job job;
	int64_t id;

	configure(rig, "[automatic]\nenabled=no\n[rule quick]\nslot=nowhere\n");
	rig_start(rig);
	message_unref(rig_call(rig, "SetSlot", "{\"slot\":\"usb-0:1\",\"name\":\"far\"}", NULL));
	message_unref(rig_call(rig, "SetSlot", "{\"slot\":\"far\",\"rule\":\"quick\"}", NULL));
	watch_plug(rig, &left, "left", "--flash", "new:1M", NULL);
	rig_attach(rig, left.link, "left");
	expect_verdict(rig, "{}", "automatic", "ignore");
	sleep_ms(300);
	assert_int_equal(rig_newest_job(rig), 0);
	assert_false(watch_log_has(&left, "handshake"));
	reload(rig, "[automatic]\nenabled=no\n[rule fast]\nslot=l*\nverify=none\n");
	job = wait_for_job_in(rig, "left");
	expect_label(&job, "rule", "fast");
	id = job.id;
	job_clear(&job);
	job = rig_wait(rig, id, JOB_DONE, 60);
	job_clear(&job);
	expect_verdict(rig, "{\"slot\":\"far\"}", NULL, "ignore");
	assert_true(rig_log_has(rig, "it is bound to rule quick, which there is not"));
	watch_unplug(&left);
}

static void detach(const struct rig *rig, const struct watch *watch)
{
	_cleanup_free_ char *parameters = str_format("{\"device\":\"%s\"}", watch->link);

	message_unref(rig_call(rig, "Detach", parameters, NULL));
}

/* The rule of the slot says when the same watch is backed up again. */
static void test_repeat_after(void **state)
{
	struct rig *rig = *state;
	struct watch watch;
	struct job job;
	int64_t first;

	configure(rig, "[automatic]\nverify=none\nafter=stay\n"
		       "[rule again]\nslot=left\nrepeat-after=0\n");
	rig_start(rig);
	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	rig_attach(rig, watch.link, "left");
	job = wait_for_job_in(rig, "left");
	first = job.id;
	job_clear(&job);
	job = rig_wait(rig, first, JOB_DONE, 60);
	job_clear(&job);
	detach(rig, &watch);
	watch_unplug(&watch);

	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	rig_attach(rig, watch.link, "other");
	for (int i = 0; i < 500 && !watch_log_has(&watch, "handshake"); i++)
		sleep_ms(10);
	sleep_ms(300);
	assert_int_equal(rig_newest_job(rig), first);
	detach(rig, &watch);
	watch_unplug(&watch);

	sleep_ms(3200); /* a slot rests for as long as a restart after the reset takes */
	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	rig_attach(rig, watch.link, "left");
	for (int i = 0; i < 1000 && rig_newest_job(rig) == first; i++)
		sleep_ms(10);
	assert_true(rig_newest_job(rig) > first);
	watch_unplug(&watch);
}

/* The agent that a rule names goes with its job; one that is not there is said, once. */
static void test_agent(void **state)
{
	struct rig *rig = *state;
	struct watch left;
	struct job job;

	configure(rig, "[rule agent]\nslot=left\nda=all.bin\n");
	rig_start(rig);
	watch_plug(rig, &left, "left", "--flash", "new:1M", NULL);
	rig_attach(rig, left.link, "left");
	job = wait_for_job_in(rig, "left");
	for (int i = 0; i < 500 && job.state != JOB_FAILED; i++) {
		int64_t id = job.id;

		job_clear(&job);
		sleep_ms(10);
		job = rig_job(rig, id);
	}
	assert_int_equal(job.state, JOB_FAILED);
	assert_int_equal(job.failure.code, FAILURE_DA_MISSING);
	assert_string_equal(job.failure.message, "rule agent names the download agent all.bin: "
						 "the daemon keeps none of that name");
	sleep_ms(500);
	assert_int_equal(rig_newest_job(rig), job.id);
	job_clear(&job);
	watch_unplug(&left);
}

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	if (!rig)
		return -1;
	rig_set_up(rig, NULL);
	*state = rig;
	return 0;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, rig_test_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_by_slot_and_chip),
		TEST(test_ignored_and_bound),
		TEST(test_reload),
		TEST(test_repeat_after),
		TEST(test_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
