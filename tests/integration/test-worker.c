/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The real worker against the virtual watch: whole backups, faults, resumption, refusals. */

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/worker-rig.h"

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

#define MEID       "00112233445566778899aabbccddeeff"
#define MEID_OTHER "ffeeddccbbaa99887766554433221100"

static void test_whole_flash(void **state)
{
	struct worker_rig *rig = *state;
	struct outcome outcome;

	worker_rig_start_watch(rig, "--meid=" MEID, NULL);
	outcome = worker_rig_run(rig, worker_rig_new_read());
	worker_rig_assert_done(&outcome);
	assert_string_equal(outcome.chip, "MT6261");
	worker_rig_assert_image(rig, "ROM_0", 0, FLASH_BYTES);
	assert_true(worker_rig_sums_agree(rig));
	/* The image, four papers and firmware/. */
	assert_int_equal(worker_rig_count_files(rig->staging), 6);
	assert_string_equal(outcome.manifest.id, "20261123T143110Z-MT6261-" MEID "-7");
	assert_string_equal(outcome.manifest.watch.meid, MEID);
	assert_int_equal(outcome.manifest.watch.flash_size, FLASH_BYTES);
	assert_int_equal(outcome.manifest.watch.hw_code, 0x6261);
	assert_true(outcome.manifest.watch.n_evidence >= 3);
	assert_string_equal(outcome.manifest.read.verify_mode, "full");
	assert_int_equal(outcome.manifest.read.verify_bytes, FLASH_BYTES);
	assert_true(outcome.manifest.read.verify_ok);
	assert_false(outcome.manifest.read.resumed);
	assert_int_equal(outcome.manifest.read.retries, 0);
	assert_true(outcome.n_progress >= 3);
	worker_rig_clear(&outcome);
}

static void test_several_ranges(void **state)
{
	struct worker_rig *rig = *state;
	struct worker_read read = worker_rig_new_explicit(0x801, 0x2345);
	struct outcome outcome;

	read.request.ranges = reallocarray(read.request.ranges, 2, sizeof(struct range));
	assert_non_null(read.request.ranges);
	read.request.ranges[1] = (struct range){ strdup("end"), FLASH_BYTES - 5000, RANGE_AUTO };
	read.request.n_ranges = 2;
	read.request.verify = VERIFY_SAMPLE;
	worker_rig_start_watch(rig, NULL);
	outcome = worker_rig_run(rig, read);
	worker_rig_assert_done(&outcome);
	worker_rig_assert_image(rig, "ROM_0", 0x801, 0x2345);
	worker_rig_assert_image(rig, "end", FLASH_BYTES - 5000, 5000);
	assert_int_equal(outcome.manifest.read.n_ranges, 2);
	assert_string_equal(outcome.manifest.read.verify_mode, "sample");
	assert_true(worker_rig_sums_agree(rig));
	worker_rig_clear(&outcome);
}

/* Reads one flash with one fault and expects a perfect image. */
static struct outcome survive(struct worker_rig *rig, const char *fault, enum verify_mode verify)
{
	struct worker_read read = worker_rig_new_read();
	struct outcome outcome;

	read.request.verify = verify;
	worker_rig_start_watch(rig, fault, NULL);
	outcome = worker_rig_run(rig, read);
	worker_rig_assert_done(&outcome);
	worker_rig_assert_image(rig, "ROM_0", 0, FLASH_BYTES);
	return outcome;
}

static void test_flip(void **state)
{
	struct outcome outcome = survive(*state, "--fault=flip@0x90001", VERIFY_FULL);

	assert_true(outcome.manifest.read.retries > 0);
	assert_true(outcome.manifest.read.verify_ok);
	worker_rig_clear(&outcome);
}

static void test_short(void **state)
{
	struct outcome outcome = survive(*state, "--fault=short@0x60002", VERIFY_FULL);

	assert_true(outcome.manifest.read.retries > 0);
	worker_rig_clear(&outcome);
}

static void test_stall(void **state)
{
	struct outcome outcome = survive(*state, "--fault=stall@0xa0000:4000", VERIFY_NONE);

	assert_string_equal(outcome.manifest.read.verify_mode, "none");
	worker_rig_clear(&outcome);
}

static void test_nack(void **state)
{
	struct outcome outcome = survive(*state, "--fault=nack@40", VERIFY_FULL);

	assert_true(outcome.manifest.read.retries > 0);
	worker_rig_clear(&outcome);
}

static void test_max_block(void **state)
{
	struct outcome outcome = survive(*state, "--fault=max-block=4096", VERIFY_FULL);

	assert_true(outcome.manifest.read.retries > 0);
	assert_true(outcome.manifest.read.retries < 5);
	worker_rig_clear(&outcome);
}

static void test_noise_before_handshake(void **state)
{
	struct outcome outcome = survive(*state, "--fault=garbage", VERIFY_FULL);

	worker_rig_clear(&outcome);
}

/* A watch that wants every field on its own, a line that echoes. */
static void test_odd_watches(void **state)
{
	static const char *const faults[] = { "--fault=no-combine", "--fault=echo" };
	struct worker_rig *rig = *state;

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct outcome outcome = survive(rig, faults[i], VERIFY_SAMPLE);

		worker_rig_clear(&outcome);
		worker_rig_stop_watch(rig);
		worker_rig_empty(rig->staging);
	}
}

static void test_endless_stream(void **state)
{
	struct worker_rig *rig = *state;
	struct outcome outcome;

	worker_rig_start_watch(rig, "--fault=stream", NULL);
	outcome = worker_rig_run(rig, worker_rig_new_read());
	worker_rig_assert_failed(&outcome, FAILURE_PROTOCOL_ERROR);
	assert_non_null(strstr(outcome.failure.message, "without end"));
	worker_rig_clear(&outcome);
}

/* The cable comes off in the middle; another worker goes on where the first stopped. */
static void test_resume(void **state)
{
	struct worker_rig *rig = *state;
	struct outcome outcome;

	worker_rig_start_watch(rig, "--meid=" MEID, "--fault=unplug@0xc0000", NULL);
	outcome = worker_rig_run(rig, worker_rig_new_read());
	worker_rig_assert_failed(&outcome, FAILURE_DEVICE_LOST);
	worker_rig_clear(&outcome);
	worker_rig_stop_watch(rig);

	worker_rig_start_watch(rig, "--meid=" MEID_OTHER, NULL);
	outcome = worker_rig_run(rig, worker_rig_new_read());
	worker_rig_assert_failed(&outcome, FAILURE_WRONG_WATCH);
	assert_non_null(strstr(outcome.failure.message, "001122334455"));
	assert_non_null(strstr(outcome.failure.message, "ffeeddccbbaa"));
	worker_rig_clear(&outcome);
	worker_rig_stop_watch(rig);

	worker_rig_start_watch(rig, "--meid=" MEID, NULL);
	outcome = worker_rig_run(rig, worker_rig_new_read());
	worker_rig_assert_done(&outcome);
	assert_true(outcome.manifest.read.resumed);
	worker_rig_assert_image(rig, "ROM_0", 0, FLASH_BYTES);
	worker_rig_clear(&outcome);
}

/* What lies in the staging belongs to another request: it is not used. */
static void test_other_request(void **state)
{
	struct worker_rig *rig = *state;
	struct outcome outcome;

	worker_rig_start_watch(rig, "--fault=unplug@0xc0000", NULL);
	outcome = worker_rig_run(rig, worker_rig_new_read());
	worker_rig_assert_failed(&outcome, FAILURE_DEVICE_LOST);
	worker_rig_clear(&outcome);
	worker_rig_stop_watch(rig);

	worker_rig_start_watch(rig, NULL);
	outcome = worker_rig_run(rig, worker_rig_new_explicit(0x1000, 0x3000));
	worker_rig_assert_done(&outcome);
	assert_false(outcome.manifest.read.resumed);
	worker_rig_assert_image(rig, "ROM_0", 0x1000, 0x3000);
	worker_rig_clear(&outcome);
}

static void test_past_end(void **state)
{
	static const char *const modes[] = { "ff", "error" };
	struct worker_rig *rig = *state;

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		_cleanup_free_ char *option = str_format("--past-end=%s", modes[i]);
		struct outcome outcome;

		worker_rig_start_watch(rig, option, NULL);
		outcome = worker_rig_run(rig, worker_rig_new_read());
		worker_rig_assert_done(&outcome);
		worker_rig_assert_image(rig, "ROM_0", 0, FLASH_BYTES);
		worker_rig_clear(&outcome);
		worker_rig_stop_watch(rig);
		worker_rig_empty(rig->staging);
	}
}

/* A watch that hangs past the end is asked there once; after a replug the job goes on without. */
static void test_past_end_silence(void **state)
{
	struct worker_rig *rig = *state;
	struct outcome outcome;

	worker_rig_start_watch(rig, "--past-end=stall", NULL);
	outcome = worker_rig_run(rig, worker_rig_new_read());
	if (outcome.type == WORKER_FAILED) {
		worker_rig_assert_failed(&outcome, FAILURE_DEVICE_LOST);
		worker_rig_clear(&outcome);
		worker_rig_stop_watch(rig);
		worker_rig_start_watch(rig, "--past-end=stall", NULL);
		outcome = worker_rig_run(rig, worker_rig_new_read());
	}
	worker_rig_assert_done(&outcome);
	worker_rig_assert_image(rig, "ROM_0", 0, FLASH_BYTES);
	worker_rig_clear(&outcome);
}

static void test_length_beyond_alias(void **state)
{
	struct worker_rig *rig = *state;
	struct outcome outcome;

	worker_rig_start_watch(rig, NULL);
	outcome = worker_rig_run(rig, worker_rig_new_explicit(0, 4 * FLASH_BYTES));
	worker_rig_assert_failed(&outcome, FAILURE_SIZE_MISMATCH);
	assert_non_null(strstr(outcome.failure.message, "0x400000"));
	assert_non_null(strstr(outcome.failure.message, "0x100000"));
	assert_non_null(strstr(outcome.failure.hint, "--length=auto"));
	worker_rig_clear(&outcome);
}

/* The tables speak of 1 MiB, the addresses wrap at half of it. */
static void test_alias_against_tables(void **state)
{
	struct worker_rig *rig = *state;
	struct outcome outcome;

	worker_rig_start_watch(rig, "--fault=alias=512K", NULL);
	outcome = worker_rig_run(rig, worker_rig_new_read());
	worker_rig_assert_failed(&outcome, FAILURE_SIZE_MISMATCH);
	assert_non_null(strstr(outcome.failure.message, "0x80000"));
	assert_non_null(strstr(outcome.failure.hint, "--length"));
	worker_rig_clear(&outcome);
}

static void test_mute(void **state)
{
	struct worker_rig *rig = *state;
	struct outcome outcome;
	char chip[32];

	worker_rig_start_watch(rig, "--fault=mute", NULL);
	assert_false(worker_rig_identify(rig, chip, &outcome));
	worker_rig_assert_failed(&outcome, FAILURE_HANDSHAKE_TIMEOUT);
	assert_non_null(outcome.failure.hint);
	worker_rig_clear(&outcome);
}

static void test_no_device(void **state)
{
	struct worker_rig *rig = *state;
	struct outcome outcome;
	char chip[32];

	assert_false(worker_rig_identify(rig, chip, &outcome));
	worker_rig_assert_failed(&outcome, FAILURE_DEVICE_LOST);
	worker_rig_clear(&outcome);
}

static void test_wrong_watch(void **state)
{
	struct worker_rig *rig = *state;
	struct worker_read read = worker_rig_new_read();
	struct outcome outcome;

	worker_rig_start_watch(rig, NULL);
	read.request.chip = strdup("MT2503");
	outcome = worker_rig_run(rig, read);
	worker_rig_assert_failed(&outcome, FAILURE_WRONG_WATCH);
	worker_rig_clear(&outcome);
}

static void test_download_agent(void **state)
{
	struct worker_rig *rig = *state;
	struct worker_read read = worker_rig_new_read();
	struct outcome outcome;

	worker_rig_start_watch(rig, NULL);
	read.request.method = METHOD_DA;
	outcome = worker_rig_run(rig, read);
	worker_rig_assert_failed(&outcome, FAILURE_DA_MISSING);
	worker_rig_clear(&outcome);
}

static void test_unknown_chip(void **state)
{
	struct worker_rig *rig = *state;
	struct outcome outcome;

	worker_rig_start_watch(rig, "--chip=0x1234", NULL);
	outcome = worker_rig_run(rig, worker_rig_new_read());
	worker_rig_assert_failed(&outcome, FAILURE_UNSUPPORTED_CHIP);
	assert_non_null(strstr(outcome.failure.message, "1234"));
	worker_rig_clear(&outcome);
}

/* Secure boot alone does not keep anyone from reading. */
static void test_secure(void **state)
{
	struct outcome outcome = survive(*state, "--fault=secure", VERIFY_FULL);

	worker_rig_clear(&outcome);
}

static void test_reserved_name(void **state)
{
	struct worker_rig *rig = *state;
	struct worker_read read = worker_rig_new_read();
	struct outcome outcome;

	worker_rig_start_watch(rig, NULL);
	assert_int_equal(str_replace(&read.request.ranges[0].name, "state.json"), 0);
	outcome = worker_rig_run(rig, read);
	worker_rig_assert_failed(&outcome, FAILURE_ARCHIVE_ERROR);
	worker_rig_clear(&outcome);
}

/* Waits until the worker has read something, so that a stop comes in the middle. */
static void wait_for_bytes(struct worker_rig *rig, uint64_t at_least)
{
	struct worker_message message;
	uint64_t done = 0;

	while (done < at_least) {
		worker_rig_receive(rig, &message);
		assert_int_equal(message.type, WORKER_PROGRESS);
		if (message.progress.phase == PHASE_READ)
			done = message.progress.done;
		worker_message_clear(&message);
	}
}

static void begin_slow_read(struct worker_rig *rig)
{
	struct worker_message message = { .type = WORKER_READ, .read = worker_rig_new_read() };
	struct outcome outcome;
	char chip[32];

	worker_rig_start_watch(rig, "--rate=400000", NULL);
	assert_true(worker_rig_identify(rig, chip, &outcome));
	worker_rig_send_read(rig, &message.read);
	worker_message_clear(&message);
	wait_for_bytes(rig, 100000);
}

static void test_stop(void **state)
{
	struct worker_rig *rig = *state;
	struct worker_message stop = { .type = WORKER_STOP };
	struct outcome outcome;
	uint64_t begun;

	begin_slow_read(rig);
	begun = time_now();
	assert_int_equal(worker_message_send(rig->socket, &stop, -1), 0);
	outcome = worker_rig_finish(rig);
	worker_rig_assert_failed(&outcome, FAILURE_CANCELLED);
	assert_true(time_now() - begun < 2 * USEC_PER_SEC);
	worker_rig_clear(&outcome);
	worker_rig_stop_watch(rig);

	worker_rig_start_watch(rig, NULL);
	outcome = worker_rig_run(rig, worker_rig_new_read());
	worker_rig_assert_done(&outcome);
	assert_true(outcome.manifest.read.resumed);
	worker_rig_assert_image(rig, "ROM_0", 0, FLASH_BYTES);
	worker_rig_clear(&outcome);
}

/* A worker that is killed in the middle leaves a staging that the next one can use. */
static void test_kill(void **state)
{
	struct worker_rig *rig = *state;
	struct outcome outcome;

	begin_slow_read(rig);
	wait_for_bytes(rig, 700000);
	worker_rig_stop_process(&rig->worker);
	rig->socket = fd_close(rig->socket);
	worker_rig_stop_watch(rig);

	worker_rig_start_watch(rig, NULL);
	outcome = worker_rig_run(rig, worker_rig_new_read());
	worker_rig_assert_done(&outcome);
	assert_true(outcome.manifest.read.resumed);
	worker_rig_assert_image(rig, "ROM_0", 0, FLASH_BYTES);
	worker_rig_clear(&outcome);
}

static void test_nothing_wanted(void **state)
{
	struct worker_rig *rig = *state;
	struct outcome outcome;
	char chip[32];
	int status;

	worker_rig_start_watch(rig, NULL);
	assert_true(worker_rig_identify(rig, chip, &outcome));
	rig->socket = fd_close(rig->socket);
	assert_int_equal(waitpid(rig->worker, &status, 0), rig->worker);
	rig->worker = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* A watch that leaves before anything was asked of it is missed, too. */
static void test_leaves_while_waiting(void **state)
{
	struct worker_rig *rig = *state;
	struct outcome outcome;
	char chip[32];

	worker_rig_start_watch(rig, NULL);
	assert_true(worker_rig_identify(rig, chip, &outcome));
	worker_rig_stop_watch(rig);
	outcome = worker_rig_finish(rig);
	worker_rig_assert_failed(&outcome, FAILURE_DEVICE_LOST);
	worker_rig_clear(&outcome);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, worker_rig_set_up, worker_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_whole_flash),
		TEST(test_several_ranges),
		TEST(test_flip),
		TEST(test_short),
		TEST(test_stall),
		TEST(test_nack),
		TEST(test_max_block),
		TEST(test_noise_before_handshake),
		TEST(test_odd_watches),
		TEST(test_endless_stream),
		TEST(test_resume),
		TEST(test_other_request),
		TEST(test_past_end),
		TEST(test_past_end_silence),
		TEST(test_length_beyond_alias),
		TEST(test_alias_against_tables),
		TEST(test_mute),
		TEST(test_no_device),
		TEST(test_wrong_watch),
		TEST(test_download_agent),
		TEST(test_unknown_chip),
		TEST(test_secure),
		TEST(test_reserved_name),
		TEST(test_stop),
		TEST(test_kill),
		TEST(test_nothing_wanted),
		TEST(test_leaves_while_waiting),
	};

	return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
