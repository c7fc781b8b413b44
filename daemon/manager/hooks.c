/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Programs that run after a job. That they shall is stored with the job's end and stands until their
 * results are stored too: each runs at least once for each end, and again from its beginning when
 * the daemon was ended in the middle of it.
 */

#include "daemon/manager/internal.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "protocol/base/strings.h"
#include "protocol/control/message.h"

#define HOOKS_AT_ONCE 4U /* jobs whose programs run; more wait in the store */

/* Results that the store would not take yet: to run the programs again would print a label twice. */
struct unsaved_hooks {
	struct unsaved_hooks *next;
	struct hooks_wanted wanted;
	struct hook_result *results;
	size_t n;
};

static void schedule_in(struct manager *manager, uint64_t usec)
{
	(void)sd_event_source_set_time_relative(manager->hooks_step, usec);
	(void)sd_event_source_set_enabled(manager->hooks_step, SD_EVENT_ONESHOT);
}

void hooks_schedule(struct manager *manager)
{
	schedule_in(manager, 0);
}

/* ---- whether any are to run ---- */

static bool directory_has_any(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	bool any = false;

	if (!directory)
		return false;
	while (!any && (entry = readdir(directory)))
		any = entry->d_name[0] != '.';
	(void)closedir(directory);
	return any;
}

static bool is_hooked(_unused_ const struct job *job, void *userdata)
{
	const struct manager *manager = userdata;

	return manager->config.hooks.enabled && directory_has_any(manager->config.hooks.directory);
}

/* ---- results ---- */

static void log_results(int64_t job, const struct hook_result *results, size_t n)
{
	struct log_context context = { .job = job };

	for (size_t i = 0; i < n; i++)
		log_event(results[i].outcome == HOOK_OK ? LOG_INFO : LOG_WARNING, &context,
			  "hook %s: %s%s%s", results[i].name,
			  hook_outcome_to_string(results[i].outcome),
			  results[i].message ? ": " : "", results[i].message ?: "");
}

/* Takes the results. */
static void save(struct manager *manager, const struct hooks_wanted *wanted,
		 struct hook_result *results, size_t n)
{
	struct unsaved_hooks *unsaved;

	log_results(wanted->job, results, n);
	if (store_set_hooks(manager->store, wanted, results, n) >= 0) {
		hook_results_free(results, n);
		return;
	}
	unsaved = malloc(sizeof(*unsaved));
	if (!unsaved) {
		hook_results_free(results, n);
		return;
	}
	*unsaved = (struct unsaved_hooks){ manager->unsaved_hooks, *wanted, results, n };
	manager->unsaved_hooks = unsaved;
}

static void save_again(struct manager *manager)
{
	struct unsaved_hooks *unsaved;

	while ((unsaved = manager->unsaved_hooks)) {
		if (store_set_hooks(manager->store, &unsaved->wanted, unsaved->results,
				    unsaved->n) < 0)
			return;
		manager->unsaved_hooks = unsaved->next;
		hook_results_free(unsaved->results, unsaved->n);
		free(unsaved);
	}
}

static void on_ended(const struct hooks_wanted *wanted, struct hook_result *results, size_t n,
		     void *userdata)
{
	struct manager *manager = userdata;

	save(manager, wanted, results, n);
	hooks_schedule(manager);
}

/* ---- what they are told ---- */

static const char *label_of(const struct job *job, const char *key)
{
	for (size_t i = 0; i < job->request.n_labels; i++)
		if (streq(job->request.labels[i].key, key))
			return job->request.labels[i].value;
	return NULL;
}

static int make_environment(const struct job *job, const struct backup *backup,
			    struct json_object **ret)
{
	char id[24];

	(void)snprintf(id, sizeof(id), "%" PRId64, job->id);
	return message_build(ret, MEMBERS(M_STRING("MTKRB_EVENT", job_state_to_string(job->state)),
					  M_STRING("MTKRB_JOB", id),
					  M_STRING("MTKRB_STATE", job_state_to_string(job->state)),
					  M_STRING_OPT("MTKRB_SLOT", job->port.slot),
					  M_STRING_OPT("MTKRB_CHIP", job->port.chip),
					  M_STRING_OPT("MTKRB_MEID", job->port.meid),
					  M_STRING_OPT("MTKRB_TICKET", label_of(job, "ticket")),
					  M_STRING_OPT("MTKRB_FAILURE",
						       failure_code_to_string(job->failure.code)),
					  M_STRING_OPT("MTKRB_BACKUP", backup->id),
					  M_STRING_OPT("MTKRB_BACKUP_PATH", backup->path)));
}

/* NULL where there is none, or none that can be read: the programs run all the same. */
static struct json_object *read_manifest(const struct manager *manager, const char *backup)
{
	_cleanup_free_ char *text = NULL, *why = NULL;
	struct json_object *object = NULL;

	if (!backup || archive_read_manifest(manager->archive, backup, &text, &why) < 0 ||
	    message_parse(text, strlen(text), &object) < 0)
		return NULL;
	return object;
}

static int make_input(const struct manager *manager, const struct job *job,
		      const struct backup *backup, struct json_object **ret)
{
	_cleanup_message_ struct json_object *job_object = NULL, *backup_object = NULL;
	int r = job_to_json(job, &job_object);

	if (r >= 0 && backup->id)
		r = backup_to_json(backup, &backup_object);
	if (r < 0)
		return r;
	return message_build(ret,
			     MEMBERS(M_STRING("event", job_state_to_string(job->state)),
				     M_OBJECT("job", TAKE_PTR(job_object)),
				     M_OBJECT("backup", TAKE_PTR(backup_object)),
				     M_OBJECT("manifest", read_manifest(manager, backup->id))));
}

static int make_call(const struct manager *manager, const struct job *job, struct hook_call *ret)
{
	_cleanup_(hook_call_clear) struct hook_call call = {
		.timeout = manager->config.hooks.timeout
	};
	struct backup backup = { 0 };
	int r = 0;

	if (job->backup)
		r = store_get_backup(manager->store, job->backup, &backup);
	if (r == -ENOENT) /* it was removed since */
		r = 0;
	if (r >= 0)
		r = make_environment(job, &backup, &call.environment);
	if (r >= 0)
		r = make_input(manager, job, &backup, &call.input);
	backup_clear(&backup);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(call);
	return 0;
}

/* ---- running ---- */

static void give_up(struct manager *manager, const struct hooks_wanted *wanted, int error)
{
	struct hook_result result = { .name = strdup("mtkrbd-hook"), .outcome = HOOK_BROKEN };
	struct hook_result *results = NULL;
	size_t n = 0;

	result.message = str_format("it cannot be started: %s", strerrordesc_np(-error));
	if (!result.name || !result.message || hook_results_add(&results, &n, &result) < 0)
		log_error("out of memory");
	hook_result_clear(&result);
	save(manager, wanted, results, n);
}

static void run(struct manager *manager, const struct hooks_wanted *wanted)
{
	_cleanup_(hook_call_clear) struct hook_call call = { 0 };
	_cleanup_(job_clear) struct job job = { 0 };
	int r = store_get_job(manager->store, wanted->job, &job);

	/* It was retried before they ran: its next end will want them. */
	if (r >= 0 && !job_state_is_final(job.state)) {
		save(manager, wanted, NULL, 0);
		return;
	}
	if (r >= 0)
		r = make_call(manager, &job, &call);
	if (r >= 0)
		r = hook_runner_start(manager->hook_runner, wanted, &call,
				      manager->config.hooks.directory);
	if (r < 0)
		give_up(manager, wanted, r);
}

static int on_step(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;
	struct hooks_wanted wanted[HOOKS_AT_ONCE];
	size_t n = 0;

	save_again(manager);
	if (manager->unsaved_hooks) {
		schedule_in(manager, STORE_PAUSE_USEC);
		return 0;
	}
	if (manager->stopping || !manager->config.hooks.enabled ||
	    store_wanted_hooks(manager->store, wanted, ARRAY_SIZE(wanted), &n) < 0)
		return 0;
	for (size_t i = 0; i < n && hook_runner_count(manager->hook_runner) < HOOKS_AT_ONCE; i++)
		if (!hook_runner_has(manager->hook_runner, wanted[i].job))
			run(manager, &wanted[i]);
	return 0;
}

/* ---- life ---- */

int hooks_open(struct manager *manager, const struct manager_options *options)
{
	struct hook_runner_options runner = { .program = options->hook,
					      .socket = options->hooks_socket };
	int r = hook_runner_new(manager->event, &runner, on_ended, manager, &manager->hook_runner);

	if (r >= 0)
		r = sd_event_add_time(manager->event, &manager->hooks_step, CLOCK_MONOTONIC,
				      USEC_NEVER, 0, on_step, manager);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(manager->hooks_step, "hooks-step");
	(void)sd_event_source_set_enabled(manager->hooks_step, SD_EVENT_OFF);
	queue_set_hooked(manager->queue, is_hooked);
	return 0;
}

void hooks_close(struct manager *manager)
{
	struct unsaved_hooks *unsaved;

	hook_runner_free(manager->hook_runner);
	sd_event_source_disable_unref(manager->hooks_step);
	while ((unsaved = manager->unsaved_hooks)) {
		manager->unsaved_hooks = unsaved->next;
		hook_results_free(unsaved->results, unsaved->n);
		free(unsaved);
	}
}
