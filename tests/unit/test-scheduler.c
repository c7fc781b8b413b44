/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/policy/scheduler.h"
#include "protocol/control/batch.h"

#define MEID_A "00112233445566778899aabbccddeeff"
#define MEID_B "ffeeddccbbaa99887766554433221100"

#define MOST_JOBS  4
#define MOST_PORTS 3

struct job_case {
	int64_t id; /* 0: no more jobs */
	enum job_state state;
	const char *slot, *chip, *meid; /* that it asks for */
	int64_t priority;
	uint64_t created;
	const char *batch, *ticket;
	const char *at_slot, *at_chip, *at_meid; /* where its last attempt was */
};

struct port_case {
	const char *slot; /* NULL: no more ports */
	bool identified;
	const char *chip, *meid;
	bool has_worker, restarting, automatic_ok, sees_served;
	enum decision_type type; /* expected */
	int64_t job;             /* expected with DECIDE_RUN */
};

struct schedule_case {
	const char *what;
	struct job_case jobs[MOST_JOBS];
	struct port_case ports[MOST_PORTS];
	size_t workers_free;
};

/* What jobs had lately; seen by the ports that say so. */
static const struct served_watch served[] = {
	{ .job = 5, .meid = (char *)MEID_A, .created = 77 },
	{ .meid = (char *)MEID_B,
	  .created = 88,
	  .batch = (char *)"monday",
	  .ticket = (char *)"4711" },
};

#define KNOWN(c, m) .identified = true, .chip = (c), .meid = (m)
#define RUNS(id)    .type = DECIDE_RUN, .job = (id)

static const struct schedule_case cases[] = {
	{ "no job, no rule", .ports = { { "a", .type = DECIDE_NOTHING } }, .workers_free = 1 },
	{ "no port", .jobs = { { 1 } }, .workers_free = 1 },
	{ "a job for any watch runs unidentified", .jobs = { { 1 } }, .ports = { { "a", RUNS(1) } },
	  .workers_free = 1 },
	{ "one job goes to one port only", .jobs = { { 1 } },
	  .ports = { { "a", RUNS(1) }, { "b", .type = DECIDE_NOTHING } }, .workers_free = 2 },
	{ "two jobs go to two ports, in order of id", .jobs = { { 8 }, { 7 } },
	  .ports = { { "a", RUNS(7) }, { "b", RUNS(8) } }, .workers_free = 2 },
	{ "higher priority first", .jobs = { { 1, .priority = -1 }, { 2, .priority = 5 }, { 3 } },
	  .ports = { { "a", RUNS(2) }, { "b", RUNS(3) }, { "c", RUNS(1) } }, .workers_free = 3 },
	{ "waiting before higher priority",
	  .jobs = { { 1, .priority = 1000 },
		    { 2, JOB_WAITING, .priority = -1000, .at_slot = "a" } },
	  .ports = { { "a", RUNS(2) } }, .workers_free = 1 },
	{ "a job that is tried again goes on with its own watch only",
	  .jobs = { { 1, .at_slot = "a", .at_chip = "MT6261", .at_meid = MEID_A } },
	  .ports = { { "b", KNOWN("MT6261", MEID_B), .type = DECIDE_NOTHING },
		     { "c", KNOWN("MT6261", MEID_A), RUNS(1) } },
	  .workers_free = 2 },
	{ "two waiting: higher priority first",
	  .jobs = { { 1, JOB_WAITING, .at_slot = "a" },
		    { 2, JOB_WAITING, .at_slot = "a", .priority = 1 } },
	  .ports = { { "a", RUNS(2) } }, .workers_free = 1 },
	{ "running and finished jobs are ignored",
	  .jobs = { { 1, JOB_RUNNING }, { 2, JOB_DONE }, { 3, JOB_FAILED }, { 4, JOB_CANCELLED } },
	  .ports = { { "a", .type = DECIDE_NOTHING } }, .workers_free = 1 },
	{ "a slot that fits", .jobs = { { 1, .slot = "b" } },
	  .ports = { { "a", .type = DECIDE_NOTHING }, { "b", RUNS(1) } }, .workers_free = 2 },
	{ "a slot is compared exactly", .jobs = { { 1, .slot = "A" } },
	  .ports = { { "a", .type = DECIDE_NOTHING } }, .workers_free = 1 },
	{ "a job for another slot does not hold up the next",
	  .jobs = { { 1, .slot = "b", .priority = 9 }, { 2 } }, .ports = { { "a", RUNS(2) } },
	  .workers_free = 1 },
	{ "a watch that starts again is not the next one",
	  .jobs = { { 1 },
		    { 2, .slot = "a" },
		    { 3, .chip = "MT6261" },
		    { 4, JOB_WAITING, .at_slot = "a" } },
	  .ports = { { "a", .restarting = true, .type = DECIDE_NOTHING }, { "b", RUNS(1) } },
	  .workers_free = 2 },
	{ "a watch that starts again is for those who ask for it",
	  .jobs = { { 1 }, { 2, .meid = MEID_A } },
	  .ports = { { "a", KNOWN("MT6261", MEID_A), .restarting = true, RUNS(2) } },
	  .workers_free = 1 },
	{ "a watch that starts again may be one that is waited for",
	  .jobs = { { 1, JOB_WAITING, .at_slot = "b", .at_chip = "MT6261", .at_meid = MEID_A } },
	  .ports = { { "a", .restarting = true, .type = DECIDE_IDENTIFY } }, .workers_free = 1 },
	{ "a watch that its submission had may be back: identify first",
	  .jobs = { { 1, .created = 77 } },
	  .ports = { { "a", .sees_served = true, .type = DECIDE_IDENTIFY } }, .workers_free = 1 },
	{ "a watch that its submission had is not the next one", .jobs = { { 1, .created = 77 } },
	  .ports = { { "a", KNOWN("MT6261", MEID_A), .sees_served = true, .type = DECIDE_NOTHING },
		     { "b", KNOWN("MT6261", MEID_B), .sees_served = true, RUNS(1) } },
	  .workers_free = 2 },
	{ "a watch that its batch had is not the next one, but one for all others",
	  .jobs = { { 1, .created = 99, .batch = "monday" }, { 2, .created = 99 } },
	  .ports = { { "a", KNOWN("MT6261", MEID_B), .sees_served = true, RUNS(2) } },
	  .workers_free = 1 },
	{ "a job that was cancelled and is tried again: its own watch too",
	  .jobs = { { 5, .created = 77 } },
	  .ports = { { "a", KNOWN("MT6261", MEID_A), .sees_served = true, RUNS(5) } },
	  .workers_free = 1 },
	{ "the same ticket once more",
	  .jobs = { { 1, .created = 99, .batch = "monday", .ticket = "4711" } },
	  .ports = { { "a", KNOWN("MT6261", MEID_B), .sees_served = true, RUNS(1) } },
	  .workers_free = 1 },
	{ "another ticket of the batch",
	  .jobs = { { 1, .created = 99, .batch = "monday", .ticket = "4712" } },
	  .ports = { { "a", KNOWN("MT6261", MEID_B), .sees_served = true,
		       .type = DECIDE_NOTHING } },
	  .workers_free = 1 },
	{ "another submission and batch: at once",
	  .jobs = { { 1, .created = 99, .batch = "tuesday" } },
	  .ports = { { "a", .sees_served = true, RUNS(1) } }, .workers_free = 1 },
	{ "a job that says which watch it wants gets it again",
	  .jobs = { { 1, .created = 77, .meid = MEID_A } },
	  .ports = { { "a", KNOWN("MT6261", MEID_A), .sees_served = true, RUNS(1) } },
	  .workers_free = 1 },
	{ "a watch without ME ID was none of those", .jobs = { { 1, .created = 77 } },
	  .ports = { { "a", KNOWN("MT6261", NULL), .sees_served = true, RUNS(1) } },
	  .workers_free = 1 },
	{ "a chip is asked for: identify first", .jobs = { { 1, .chip = "MT6261" } },
	  .ports = { { "a", .type = DECIDE_IDENTIFY } }, .workers_free = 1 },
	{ "an ME ID is asked for: every unidentified port is identified",
	  .jobs = { { 1, .meid = MEID_A } },
	  .ports = { { "a", .type = DECIDE_IDENTIFY }, { "b", .type = DECIDE_IDENTIFY } },
	  .workers_free = 2 },
	{ "identify first also when a lesser job takes any watch",
	  .jobs = { { 1 }, { 2, .chip = "MT6261", .priority = 1 } },
	  .ports = { { "a", .type = DECIDE_IDENTIFY } }, .workers_free = 1 },
	{ "a better job for any watch spares the identification",
	  .jobs = { { 1, .chip = "MT6261" }, { 2, .priority = 1 } }, .ports = { { "a", RUNS(2) } },
	  .workers_free = 1 },
	{ "no identification for a job of another slot",
	  .jobs = { { 1, .slot = "b", .chip = "MT6261" } },
	  .ports = { { "a", .type = DECIDE_NOTHING } }, .workers_free = 1 },
	{ "the chip fits, whatever its case", .jobs = { { 1, .chip = "mt6261" } },
	  .ports = { { "a", KNOWN("MT6261", MEID_A), RUNS(1) } }, .workers_free = 1 },
	{ "the chip does not fit", .jobs = { { 1, .chip = "MT6260" } },
	  .ports = { { "a", KNOWN("MT6261", MEID_A), .type = DECIDE_NOTHING } },
	  .workers_free = 1 },
	{ "the ME ID picks its port", .jobs = { { 1, .meid = MEID_B } },
	  .ports = { { "a", KNOWN("MT6261", MEID_A), .type = DECIDE_NOTHING },
		     { "b", KNOWN("MT6261", MEID_B), RUNS(1) } },
	  .workers_free = 2 },
	{ "a watch without ME ID is no wanted one", .jobs = { { 1, .meid = MEID_A } },
	  .ports = { { "a", KNOWN("MT6261", NULL), .type = DECIDE_NOTHING } }, .workers_free = 1 },
	{ "the chip fits and the ME ID does not",
	  .jobs = { { 1, .chip = "MT6261", .meid = MEID_B } },
	  .ports = { { "a", KNOWN("MT6261", MEID_A), .type = DECIDE_NOTHING } },
	  .workers_free = 1 },
	{ "a job that does not fit lets the next one run",
	  .jobs = { { 1, .meid = MEID_B, .priority = 1 }, { 2 } },
	  .ports = { { "a", KNOWN("MT6261", MEID_A), RUNS(2) } }, .workers_free = 1 },
	{ "waiting, never identified: not in another slot",
	  .jobs = { { 1, JOB_WAITING, .at_slot = "a" } },
	  .ports = { { "b", .type = DECIDE_NOTHING } }, .workers_free = 1 },
	{ "waiting, never identified: the next watch in its slot, known or not",
	  .jobs = { { 1, JOB_WAITING, .at_slot = "a" } },
	  .ports = { { "a", KNOWN("MT6260", MEID_B), RUNS(1) } }, .workers_free = 1 },
	{ "waiting, never identified, asks for an ME ID: identify in its slot",
	  .jobs = { { 1, JOB_WAITING, .meid = MEID_A, .at_slot = "a" } },
	  .ports = { { "b", .type = DECIDE_NOTHING }, { "a", .type = DECIDE_IDENTIFY } },
	  .workers_free = 2 },
	{ "waiting for a known watch: identify wherever something is plugged in",
	  .jobs = { { 1, JOB_WAITING, .at_slot = "a", .at_chip = "MT6261", .at_meid = MEID_A } },
	  .ports = { { "b", .type = DECIDE_IDENTIFY } }, .workers_free = 1 },
	{ "waiting: the watch is back in another slot",
	  .jobs = { { 1, JOB_WAITING, .at_slot = "a", .at_chip = "MT6261", .at_meid = MEID_A } },
	  .ports = { { "b", KNOWN("MT6261", MEID_A), RUNS(1) } }, .workers_free = 1 },
	{ "waiting: another watch in the slot it left",
	  .jobs = { { 1, JOB_WAITING, .at_slot = "a", .at_chip = "MT6261", .at_meid = MEID_A } },
	  .ports = { { "a", KNOWN("MT6261", MEID_B), .type = DECIDE_NOTHING } },
	  .workers_free = 1 },
	{ "waiting: another watch takes a queued job meanwhile",
	  .jobs = { { 1, JOB_WAITING, .at_slot = "a", .at_chip = "MT6261", .at_meid = MEID_A },
		    { 2 } },
	  .ports = { { "a", KNOWN("MT6261", MEID_B), RUNS(2) } }, .workers_free = 1 },
	{ "waiting: back in a slot that the job excludes",
	  .jobs = { { 1, JOB_WAITING, .slot = "a", .at_slot = "a", .at_chip = "MT6261",
		      .at_meid = MEID_A } },
	  .ports = { { "b", KNOWN("MT6261", MEID_A), .type = DECIDE_NOTHING } },
	  .workers_free = 1 },
	{ "waiting without ME ID: the same chip in the same slot",
	  .jobs = { { 1, JOB_WAITING, .at_slot = "a", .at_chip = "MT6261" } },
	  .ports = { { "a", KNOWN("MT6261", NULL), RUNS(1) },
		     { "b", KNOWN("MT6261", NULL), .type = DECIDE_NOTHING } },
	  .workers_free = 2 },
	{ "waiting without ME ID: another chip in the same slot",
	  .jobs = { { 1, JOB_WAITING, .at_slot = "a", .at_chip = "MT6261" } },
	  .ports = { { "a", KNOWN("MT6260", NULL), .type = DECIDE_NOTHING } }, .workers_free = 1 },
	{ "a queued job that met no watch may have been anywhere before",
	  .jobs = { { 1, JOB_QUEUED, .at_slot = "a" } },
	  .ports = { { "b", KNOWN("MT6261", MEID_B), RUNS(1) } }, .workers_free = 1 },
	{ "the rule takes an identified watch that nobody wants",
	  .jobs = { { 1, .chip = "MT6260" } },
	  .ports = { { "a", KNOWN("MT6261", MEID_A), .automatic_ok = true,
		       .type = DECIDE_AUTOMATIC } },
	  .workers_free = 1 },
	{ "the rule identifies before it takes",
	  .ports = { { "a", .automatic_ok = true, .type = DECIDE_IDENTIFY } }, .workers_free = 1 },
	{ "the rule yields to a job", .jobs = { { 1 } },
	  .ports = { { "a", KNOWN("MT6261", MEID_A), .automatic_ok = true, RUNS(1) } },
	  .workers_free = 1 },
	{ "the rule leaves a watch that was backed up just now",
	  .ports = { { "a", KNOWN("MT6261", MEID_A), .type = DECIDE_NOTHING } },
	  .workers_free = 1 },
	{ "no more workers than may be started", .jobs = { { 1 }, { 2 } },
	  .ports = { { "a", RUNS(1) }, { "b", .type = DECIDE_NOTHING } }, .workers_free = 1 },
	{ "a port for which nobody asks takes no worker", .jobs = { { 1, .slot = "b" } },
	  .ports = { { "a", .type = DECIDE_NOTHING }, { "b", RUNS(1) } }, .workers_free = 1 },
	{ "no worker at all", .jobs = { { 1 } }, .ports = { { "a", .type = DECIDE_NOTHING } } },
	{ "a port that has its worker needs no other", .jobs = { { 1 }, { 2 } },
	  .ports = { { "a", .type = DECIDE_NOTHING },
		     { "b", KNOWN("MT6261", MEID_A), .has_worker = true, RUNS(1) } } },
	{ "a port that has its worker leaves the free one to the next", .jobs = { { 1 }, { 2 } },
	  .ports = { { "a", KNOWN("MT6261", MEID_A), .has_worker = true, RUNS(1) },
		     { "b", RUNS(2) } },
	  .workers_free = 1 },
};

static struct job make_job(const struct job_case *from, struct label labels[2])
{
	size_t n = 0;

	if (from->batch)
		labels[n++] = (struct label){ (char *)LABEL_BATCH, (char *)from->batch };
	if (from->ticket)
		labels[n++] = (struct label){ (char *)LABEL_TICKET, (char *)from->ticket };
	return (struct job){
		.id = from->id,
		.state = from->state,
		/* One without is no other's. */
		.created = from->created ?: (uint64_t)from->id,
		.request = { .slot = (char *)from->slot,
			     .chip = (char *)from->chip,
			     .meid = (char *)from->meid,
			     .priority = from->priority,
			     .labels = labels,
			     .n_labels = n },
		.port = { .slot = (char *)from->at_slot,
			  .chip = (char *)from->at_chip,
			  .meid = (char *)from->at_meid },
	};
}

static void run_case(const struct schedule_case *c)
{
	struct job jobs[MOST_JOBS];
	struct label labels[MOST_JOBS][2];
	const struct job *pointers[MOST_JOBS];
	struct port ports[MOST_PORTS];
	struct schedule_port schedule[MOST_PORTS] = { 0 };
	struct decision decisions[MOST_PORTS];
	size_t n_jobs = 0, n_ports = 0;

	for (; n_jobs < MOST_JOBS && c->jobs[n_jobs].id; n_jobs++) {
		jobs[n_jobs] = make_job(&c->jobs[n_jobs], labels[n_jobs]);
		pointers[n_jobs] = &jobs[n_jobs];
	}
	for (; n_ports < MOST_PORTS && c->ports[n_ports].slot; n_ports++) {
		const struct port_case *from = &c->ports[n_ports];

		ports[n_ports] = (struct port){ .slot = (char *)from->slot,
						.chip = (char *)from->chip,
						.meid = (char *)from->meid };
		schedule[n_ports] = (struct schedule_port){ .port = &ports[n_ports],
							    .identified = from->identified,
							    .has_worker = from->has_worker,
							    .restarting = from->restarting,
							    .automatic_ok = from->automatic_ok };
		if (from->sees_served) {
			schedule[n_ports].served = served;
			schedule[n_ports].n_served = ARRAY_SIZE(served);
		}
	}
	assert_int_equal(
		scheduler_decide(pointers, n_jobs, schedule, n_ports, c->workers_free, decisions),
		0);
	for (size_t i = 0; i < n_ports; i++) {
		int64_t job = decisions[i].job ? decisions[i].job->id : 0;

		if (decisions[i].type != c->ports[i].type || job != c->ports[i].job)
			fail_msg("%s: port %s got decision %d job %d", c->what, c->ports[i].slot,
				 (int)decisions[i].type, (int)job);
	}
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		run_case(&cases[i]);
}

static void test_fits(void **state)
{
	const struct port port = { .slot = (char *)"a", .chip = (char *)"MT6261" };
	const struct job any = { .id = 1 };
	const struct job chip = { .id = 2, .request.chip = (char *)"MT6260" };
	const struct job slot = { .id = 3, .request.slot = (char *)"b" };
	struct schedule_port place = { .port = &port };

	(void)state;
	assert_true(scheduler_job_fits(&any, &place));
	assert_true(scheduler_job_fits(&chip, &place)); /* as far as is known */
	assert_false(scheduler_job_fits(&slot, &place));
	place.identified = true;
	assert_true(scheduler_job_fits(&any, &place));
	assert_false(scheduler_job_fits(&chip, &place));
}

/* All ports at once and a queue as long as it may get: each port gets the oldest job left. */
static void test_long_queue(void **state)
{
	enum { JOBS = 100000, PORTS = 64 };
	struct job *jobs = calloc(JOBS, sizeof(*jobs));
	const struct job **pointers = calloc(JOBS, sizeof(*pointers));
	struct schedule_port schedule[PORTS];
	struct decision decisions[PORTS];
	const struct port port = { .slot = (char *)"a" };

	(void)state;
	assert_non_null(jobs);
	assert_non_null(pointers);
	for (size_t i = 0; i < JOBS; i++) {
		jobs[i].id = (int64_t)(JOBS - i); /* youngest first: has to be sorted */
		pointers[i] = &jobs[i];
	}
	for (size_t i = 0; i < PORTS; i++)
		schedule[i] = (struct schedule_port){ .port = &port };
	assert_int_equal(scheduler_decide(pointers, JOBS, schedule, PORTS, PORTS, decisions), 0);
	for (size_t i = 0; i < PORTS; i++) {
		assert_int_equal(decisions[i].type, DECIDE_RUN);
		assert_int_equal(decisions[i].job->id, i + 1);
	}
	free(pointers);
	free(jobs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_long_queue),
	};

	return cmocka_run_group_tests_name("scheduler", tests, NULL, NULL);
}
