/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rules at work: what becomes of a watch on the bench that no queued job wants. */

#include "daemon/manager/internal.h"

#include <errno.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

struct rule_subject manager_subject(const struct manager *manager, const struct bench_port *port)
{
	const struct slot *slot = slots_of(&manager->slots, port->place);

	return (struct rule_subject){
		.slot = port->port.slot,
		.bound = slot ? slot->rule : NULL,
		.labels = slot ? slot->labels : NULL,
		.n_labels = slot ? slot->n_labels : 0,
		.mode = port->port.mode,
		.chip = port->port.chip,
		.meid = port->port.meid,
		.chip_known = port->identified,
		.meid_known = port->identified,
	};
}

static struct rule_verdict decide(const struct manager *manager, const struct bench_port *port)
{
	struct rule_subject subject = manager_subject(manager, port);

	return rules_decide(&manager->config.rules, &subject, NULL);
}

uint64_t automatic_repeat_after(const struct manager *manager, const struct bench_port *port)
{
	const struct rule *rule = decide(manager, port).rule ?: &manager->config.rules.automatic;

	return rule->repeat_after_usec;
}

static bool was_backed_up(struct manager *manager, const char *meid, uint64_t within)
{
	uint64_t last = 0, now = time_real();

	/* A backup of the future was made before the clock was set right. */
	return meid && store_last_backup_of(manager->store, meid, &last) >= 0 && last <= now &&
	       last + within > now;
}

bool automatic_ok(struct manager *manager, const struct bench_port *port)
{
	const char *meid = port->port.meid;
	struct rule_verdict verdict;

	if (port->left_alone || port->starting_until > time_now())
		return false;
	/* Who is not identified yet may be another watch than the last one here. */
	if (port->identified && quiet_has(&manager->quiet, meid ?: port->port.slot))
		return false;
	verdict = decide(manager, port);
	if (verdict.identify)
		return !port->identified;
	return verdict.rule && verdict.rule->action == RULE_BACKUP &&
	       !was_backed_up(manager, meid, verdict.rule->repeat_after_usec);
}

/* ---- its job ---- */

static int make_request(const struct manager *manager, const struct bench_port *port,
			const struct rule *rule, struct job_request *ret)
{
	struct rule_subject subject = manager_subject(manager, port);
	int r = rule_request(rule, &subject, ret);

	if (r < 0)
		return r;
	r = str_replace(&ret->slot, port->port.slot);
	if (r >= 0)
		r = str_replace(&ret->meid, port->port.meid);
	if (r < 0)
		job_request_clear(ret);
	return r;
}

/* The agent that a rule names goes with its job, as one does that a user names. */
static int stage_agent(struct manager *manager, const struct rule *rule)
{
	_cleanup_close_ int fd = -1;

	if (!rule->da)
		return 0;
	fd = agents_open_file(manager->agents, rule->da);
	return fd < 0 ? fd : job_files_stage(manager->job_files, JOB_FILE_DA, fd);
}

/* Somebody has to know of it: it is shown as a job that failed. */
static void end_without_agent(struct manager *manager, const struct rule *rule, int64_t id,
			      int error)
{
	struct failure failure = { 0 };

	(void)failure_set(&failure, error == -ENOENT ? FAILURE_DA_MISSING : FAILURE_ARCHIVE_ERROR,
			  "mtkrbctl da add brings it; or change da= of the rule in mtkrbd.conf",
			  "rule %s names the download agent %s: %s", rule->name, rule->da,
			  error == -ENOENT ? "the daemon keeps none of that name"
					   : strerrordesc_np(-error));
	(void)queue_end(manager->queue, id, JOB_FAILED, &failure);
	failure_clear(&failure);
}

static int submit(struct manager *manager, const struct bench_port *port, const struct rule *rule,
		  int64_t *ret_id)
{
	struct job_request request = { 0 };
	int staged, r = make_request(manager, port, rule, &request);

	if (r < 0)
		return r;
	staged = stage_agent(manager, rule);
	r = queue_submit(manager->queue, &request, getuid(), ret_id);
	job_request_clear(&request);
	if (r < 0) {
		job_files_discard(manager->job_files);
		return r;
	}
	if (staged >= 0)
		staged = job_files_commit(manager->job_files, ret_id, 1);
	if (staged < 0)
		end_without_agent(manager, rule, *ret_id, staged);
	return 0;
}

bool automatic_run(struct manager *manager, struct bench_port *port)
{
	const struct rule *rule = decide(manager, port).rule;
	const struct job *job;
	int64_t id;
	int r;

	if (!rule || rule->action != RULE_BACKUP)
		return false;
	/* Another may be on a line that stays: a job is made for one that is there. */
	if (!port->worker && !port->syspath) {
		bench_port_forget(port);
		run_identify(manager, port);
		return false;
	}
	r = submit(manager, port, rule, &id);
	if (r < 0) {
		log_error("no automatic job can be made: %s", strerrordesc_np(-r));
		/* A full queue is no trouble of the store, which would hold up all other jobs. */
		if (r == -EDQUOT)
			quiet_keep(&manager->quiet, port->port.meid ?: port->port.slot,
				   FAILURE_PAUSE_USEC);
		else
			manager_store_failed(manager);
		return true;
	}
	job = queue_find(manager->queue, id);
	quiet_keep(&manager->quiet, port->port.meid ?: port->port.slot,
		   job ? rule->repeat_after_usec : FAILURE_PAUSE_USEC);
	if (job)
		return run_job(manager, port, job);
	manager_schedule(manager);
	return true;
}

/* ---- looking ---- */

const struct rules *manager_rules(const struct manager *manager)
{
	return &manager->config.rules;
}
