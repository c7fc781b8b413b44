/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The line lies: each fault ends in a backup without a wrong byte or in a failure with a name. */

#include "tests/integration/faults/faults.h"

#include <inttypes.h>
#include <stdio.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"

#define FLASH_BYTES (1U << 20)
#define BATCH       8U
#define SECONDS_MAX 120.0

static const char config[] = "[automatic]\nenabled=no\n[daemon]\nworkers=16\n"
			     "[read]\nhandshake-timeout-usb=1s\nhandshake-timeout-uart=1s\n";

#define WORD ":4" /* a tail: the gap is a whole word of the flash */

/* A spec that ends in '@' gets random offsets. */
struct line_fault {
	const char *spec;
	const char *tail; /* behind the offset */
	unsigned int times;
	enum { EITHER, GOOD, FAILS } expected;
};

struct attempt {
	struct watch watch;
	char fault[64];
	char slot[16];
	int64_t id;
	bool done;
};

struct line_run {
	struct faults *faults;
	char image[128];
	bool agent;
};

static void begin(struct line_run *run, const struct line_fault *fault, struct attempt *attempt)
{
	_cleanup_free_ char *request = NULL;
	uint64_t at = faults_random(run->faults, FLASH_BYTES);
	size_t n = strlen(fault->spec);

	if (fault->tail && streq(fault->tail, WORD))
		at -= at % 4;
	if (n > 0 && fault->spec[n - 1] == '@' && fault->tail)
		(void)snprintf(attempt->fault, sizeof(attempt->fault), "%s%" PRIu64 "%s",
			       fault->spec, at, fault->tail);
	else
		(void)snprintf(attempt->fault, sizeof(attempt->fault), "%s", fault->spec);
	/* One that was read just now would wait for its watch to leave. */
	(void)snprintf(attempt->slot, sizeof(attempt->slot), "L%u", run->faults->number);
	request = str_format("{\"method\":\"%s\",\"verify\":\"full\",\"rebuild\":false,"
			     "\"slot\":\"%s\"}",
			     run->agent ? "da" : "brom", attempt->slot);
	faults_plug(run->faults, &attempt->watch, run->image, attempt->fault, NULL);
	attempt->id = rig_submit(&run->faults->rig, request);
	rig_attach(&run->faults->rig, attempt->watch.link, attempt->slot);
}

/* A job that went back into the queue has met a watch that does not say who it is. */
static struct job settle(struct line_run *run, const struct attempt *attempt)
{
	struct job job = faults_settle(&run->faults->rig, attempt->id, SECONDS_MAX);

	if (job.state != JOB_DONE && (job.failure.code == FAILURE_NONE || !job.failure.message))
		fail_msg("%s: %s without a reason", attempt->fault, job_state_to_string(job.state));
	return job;
}

/* The watch did what its fault says: else the row would show nothing. */
static void expect_fault(const struct attempt *attempt)
{
	_cleanup_free_ char *line =
		str_format("fault %.*s\n", (int)strcspn(attempt->fault, "@="), attempt->fault);

	if (!watch_log_has(&attempt->watch, line))
		fail_msg("%s did not happen", attempt->fault);
}

static void end(struct line_run *run, struct attempt *attempt, struct row *row,
		const struct line_fault *fault, char failure[40])
{
	_cleanup_free_ char *detach = str_format("{\"device\":\"%s\"}", attempt->watch.link);
	struct job job = settle(run, attempt);

	attempt->done = job.state == JOB_DONE;
	row->tried++;
	if (attempt->done) {
		uint64_t lost = faults_lost(&run->faults->rig, attempt->id, run->image);

		if (lost > 0)
			print_message("%s: %" PRIu64 " wrong bytes\n", attempt->fault, lost);
		row->lost += lost;
	} else {
		(void)snprintf(failure, 40, "%s", failure_code_to_string(job.failure.code));
	}
	if (fault->expected != EITHER && attempt->done != (fault->expected == GOOD))
		fail_msg("%s: %s: %s", attempt->fault, job_state_to_string(job.state),
			 job.failure.message ?: "");
	job_clear(&job);
	expect_fault(attempt);
	message_unref(faults_call(&run->faults->rig, "Detach", detach));
	faults_unplug(run->faults, &attempt->watch, run->agent);
}

static void run_fault(struct line_run *run, const struct line_fault *fault)
{
	const size_t n = strlen(fault->spec);
	struct row *row = table_add(
		&run->faults->table, "line, %s: %.*s%s", run->agent ? "agent" : "boot ROM",
		(int)(n - (fault->spec[n - 1] == '@')), fault->spec, fault->tail ?: "");
	unsigned int good = 0;
	char failure[40] = "";

	for (unsigned int done = 0; done < fault->times; done += BATCH) {
		struct attempt attempts[BATCH];
		unsigned int m = MIN_OF(BATCH, fault->times - done);

		for (unsigned int i = 0; i < m; i++)
			begin(run, fault, &attempts[i]);
		for (unsigned int i = 0; i < m; i++) {
			end(run, &attempts[i], row, fault, failure);
			good += attempts[i].done;
		}
	}
	if (good == fault->times)
		row_end(row, "identical");
	else if (good == 0)
		row_end(row, "%s", failure);
	else
		row_end(row, "%u identical, else %s", good, failure);
}

static void run_faults(struct faults *faults, bool agent, const struct line_fault *list, size_t n)
{
	struct line_run run = { .faults = faults, .agent = agent };

	faults_open(faults, config);
	rig_start(&faults->rig);
	faults_add_agent(faults);
	rig_make_image(&faults->rig, "image", "1M", run.image);
	for (size_t i = 0; i < n; i++)
		run_fault(&run, &list[i]);
}

void test_line(void **state)
{
	static const struct line_fault list[] = {
		{ "flip@", "", 16, GOOD },           { "short@", "", 16, GOOD },
		{ "short@", WORD, 16, GOOD },        { "insert@", "", 16, GOOD },
		{ "stall@", ":300", 8, GOOD },       { "stall@", ":6000", 4, GOOD },
		{ "nack@30", NULL, 1, EITHER },      { "nack@50", NULL, 1, GOOD },
		{ "max-block=4096", NULL, 1, GOOD }, { "max-block=4", NULL, 1, FAILS },
		{ "garbage", NULL, 1, GOOD },        { "echo", NULL, 1, EITHER },
		{ "no-combine", NULL, 1, EITHER },   { "ff", NULL, 1, FAILS },
		{ "mute", NULL, 1, FAILS },          { "stream", NULL, 1, FAILS },
		{ "alias=256K", NULL, 1, EITHER },   { "secure", NULL, 1, EITHER },
	};

	run_faults(*state, false, list, ARRAY_SIZE(list));
}

void test_line_agent(void **state)
{
	static const struct line_fault list[] = {
		{ "flip@", "", 16, GOOD },
		{ "short@", "", 16, GOOD },
		{ "short@", WORD, 16, GOOD },
		{ "insert@", "", 16, GOOD },
		{ "stall@", ":300", 8, GOOD },
		{ "stall@", ":6000", 4, GOOD },
		{ "da-sum@20", NULL, 1, GOOD },
		{ "da-nack@5", NULL, 1, GOOD },
		{ "garbage", NULL, 1, GOOD },
		{ "ff", NULL, 1, FAILS },
		{ "mute", NULL, 1, FAILS },
		{ "secure", NULL, 1, FAILS },
		{ "da-refuse", NULL, 1, FAILS },
		{ "da-stage", NULL, 1, FAILS },
		{ "da-range", NULL, 1, FAILS },
		{ "da-security", NULL, 1, FAILS },
		{ "da-unknown-flash", NULL, 1, FAILS },
	};

	run_faults(*state, true, list, ARRAY_SIZE(list));
}
