/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/board/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/board/model-internal.h"
#include "protocol/base/strings.h"

static void place_free(struct board_place *place)
{
	free(place->name);
	port_clear(&place->port);
	free(place);
}

static void board_job_clear(struct board_job *job)
{
	free(job->slot);
	free(job->ticket);
	free(job->chip);
	free(job->meid);
	free(job->backup);
	failure_clear(&job->failure);
	*job = (struct board_job){ 0 };
}

int board_model_new(uint64_t day, enum board_bell bell, struct board_model **ret)
{
	struct board_model *model = calloc(1, sizeof(*model));

	if (!model)
		return -ENOMEM;
	*model = (struct board_model){ .day = day, .bell = bell };
	*ret = model;
	return 0;
}

void board_model_free(struct board_model *model)
{
	if (!model)
		return;
	for (size_t i = 0; i < model->n_places; i++)
		place_free(model->places[i]);
	for (size_t i = 0; i < model->n_jobs; i++)
		board_job_clear(&model->jobs[i]);
	free(model->places);
	free(model->jobs);
	free(model);
}

/* ---- slots ---- */

static struct board_place *model_find_place(const struct board_model *model, const char *name)
{
	for (size_t i = 0; i < model->n_places; i++)
		if (streq(model->places[i]->name, name))
			return model->places[i];
	return NULL;
}

/* The place of that name, put at index of the order; a new one where there is none. */
static int model_place_at(struct board_model *model, const char *name, size_t index,
			  struct board_place **ret)
{
	struct board_place *place = model_find_place(model, name), **places;
	size_t from;

	if (!place) {
		places = reallocarray(model->places, model->n_places + 1, sizeof(*places));
		if (!places)
			return -ENOMEM;
		model->places = places;
		place = calloc(1, sizeof(*place));
		if (!place || !(place->name = strdup(name))) {
			free(place);
			return -ENOMEM;
		}
		places[model->n_places++] = place;
	}
	for (from = 0; model->places[from] != place; from++)
		;
	index = MIN_OF(index, from);
	memmove(&model->places[index + 1], &model->places[index],
		(from - index) * sizeof(struct board_place *));
	model->places[index] = place;
	*ret = place;
	return 0;
}

static int place_set_port(struct board_place *place, const struct port *port)
{
	struct port copy = { 0 };
	int r = port ? port_copy(port, &copy) : 0;

	if (r < 0)
		return r;
	port_clear(&place->port);
	place->port = copy;
	place->has_port = port;
	return 0;
}

void board_model_begin_slots(struct board_model *model)
{
	for (size_t i = 0; i < model->n_places; i++) {
		port_clear(&model->places[i]->port);
		model->places[i]->listed = model->places[i]->has_port = false;
	}
	model->n_listed = 0;
}

int board_model_add_slot(struct board_model *model, const char *name, bool excluded,
			 const struct port *port)
{
	struct board_place *place = model_find_place(model, name);
	int r;

	/* One that is named twice stays where it was named first. */
	r = place && place->listed ? 0 : model_place_at(model, name, model->n_listed, &place);
	if (r < 0)
		return r;
	model->n_listed += !place->listed;
	place->listed = true;
	place->excluded = excluded;
	return place_set_port(place, port);
}

int board_model_set_port(struct board_model *model, const struct port *port)
{
	struct board_place *place = model_find_place(model, port->slot);

	if (!place)
		return board_model_add_slot(model, port->slot, false, port);
	return place_set_port(place, port);
}

/* ---- jobs ---- */

/* Where the job is, or would be, in the order of ids. */
static size_t model_job_index(const struct board_model *model, int64_t id)
{
	size_t low = 0, high = model->n_jobs;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (model->jobs[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool model_has_job(const struct board_model *model, size_t index, int64_t id)
{
	return index < model->n_jobs && model->jobs[index].id == id;
}

static int model_insert_job(struct board_model *model, size_t index, const struct board_job *job)
{
	if (model->n_jobs == model->room_jobs) {
		size_t room = MAX_OF(model->room_jobs * 2, (size_t)64);
		struct board_job *jobs = reallocarray(model->jobs, room, sizeof(*jobs));

		if (!jobs)
			return -ENOMEM;
		model->jobs = jobs;
		model->room_jobs = room;
	}
	memmove(&model->jobs[index + 1], &model->jobs[index],
		(model->n_jobs++ - index) * sizeof(*job));
	model->jobs[index] = *job;
	return 0;
}

/* Forgets the jobs for which forget is true. */
static void model_sweep(struct board_model *model, bool (*forget)(const struct board_model *model,
								  const struct board_job *job))
{
	size_t kept = 0;

	for (size_t i = 0; i < model->n_jobs; i++) {
		if (forget(model, &model->jobs[i]))
			board_job_clear(&model->jobs[i]);
		else
			model->jobs[kept++] = model->jobs[i];
	}
	model->n_jobs = kept;
}

static const char *job_label(const struct job *job, const char *key)
{
	for (size_t i = 0; i < job->request.n_labels; i++)
		if (streq(job->request.labels[i].key, key))
			return job->request.labels[i].value;
	return NULL;
}

/* Copies what the board shows; *ret is the caller's to clear. */
static int board_job_copy(const struct job *job, struct board_job *ret)
{
	const char *ticket = job_label(job, "ticket");
	struct board_job copy = {
		.id = job->id,
		.state = job->state,
		.priority = job->request.priority,
		.met = job->port.chip || job->port.meid,
		.started = job->started,
		.finished = job->finished,
		.progress = job->progress,
	};
	int r = str_replace(&copy.slot, job->port.slot ?: job->request.slot);

	if (r >= 0)
		r = str_replace(&copy.ticket, ticket ?: job_label(job, "customer"));
	if (r >= 0)
		r = str_replace(&copy.chip, job->port.chip ?: job->request.chip);
	if (r >= 0)
		r = str_replace(&copy.meid, job->port.meid ?: job->request.meid);
	if (r >= 0)
		r = str_replace(&copy.backup, job->backup);
	if (r >= 0)
		r = failure_copy(&job->failure, &copy.failure);
	if (r < 0) {
		board_job_clear(&copy);
		return r;
	}
	*ret = copy;
	return 0;
}

/* old: as it was known before, NULL: not at all. */
static bool model_rings(const struct board_model *model, const struct board_job *old,
			enum job_state state, bool live)
{
	if (old ? job_state_is_final(old->state) : !live)
		return false;
	return (state == JOB_FAILED && model->bell != BOARD_BELL_NEVER) ||
	       (state == JOB_DONE && model->bell == BOARD_BELL_ENDED);
}

/* What a new state does not tell but the old one knew. */
static void board_job_inherit(struct board_job *job, const struct board_job *old)
{
	if (job->state == JOB_WAITING && job->progress.phase == PHASE_NONE)
		job->progress = old->progress;
	job->measured = old->measured;
	job->bytes = old->bytes;
}

int board_model_set_job(struct board_model *model, const struct job *job, bool live)
{
	size_t index = model_job_index(model, job->id);
	struct board_job *old = model_has_job(model, index, job->id) ? &model->jobs[index] : NULL;
	struct board_job copy;
	bool rings;
	int r;

	if (old && !live && !old->stale)
		return 0;
	rings = model_rings(model, old, job->state, live);
	r = board_job_copy(job, &copy);
	if (r < 0)
		return r;
	if (old) {
		board_job_inherit(&copy, old);
		board_job_clear(old);
		*old = copy;
	} else {
		r = model_insert_job(model, index, &copy);
		if (r < 0) {
			board_job_clear(&copy);
			return r;
		}
	}
	model->rings |= rings;
	return 0;
}

void board_model_lost(struct board_model *model)
{
	for (size_t i = 0; i < model->n_jobs; i++)
		model->jobs[i].stale = !job_state_is_final(model->jobs[i].state);
}

static bool job_is_stale(const struct board_model *model _unused_, const struct board_job *job)
{
	return job->stale;
}

void board_model_settle(struct board_model *model)
{
	model_sweep(model, job_is_stale);
}

static bool job_is_of_yesterday(const struct board_model *model, const struct board_job *job)
{
	return job_state_is_final(job->state) && job->finished < model->day;
}

void board_model_set_day(struct board_model *model, uint64_t day)
{
	model->day = day;
	model_sweep(model, job_is_of_yesterday);
}

/* ---- totals ---- */

const char *board_model_unmeasured(const struct board_model *model)
{
	for (size_t i = model->n_jobs; i > 0; i--) {
		const struct board_job *job = &model->jobs[i - 1];

		if (job->state == JOB_DONE && job->backup && !job->measured)
			return job->backup;
	}
	return NULL;
}

void board_model_measure(struct board_model *model, const char *backup, uint64_t bytes)
{
	for (size_t i = 0; i < model->n_jobs; i++)
		if (streq_ptr(model->jobs[i].backup, backup)) {
			model->jobs[i].bytes = bytes;
			model->jobs[i].measured = true;
		}
}

bool board_job_goes_before(const struct board_job *job, const struct board_job *other)
{
	if (!other || job->priority != other->priority)
		return !other || job->priority > other->priority;
	return job->id < other->id;
}

static void totals_add(struct board_totals *totals, const struct board_job *job)
{
	switch (job->state) {
	case JOB_QUEUED:
		totals->queued++;
		if (!job->slot && board_job_goes_before(job, totals->next))
			totals->next = job;
		break;
	case JOB_RUNNING:
		totals->running++;
		break;
	case JOB_WAITING:
		totals->waiting++;
		break;
	case JOB_DONE:
		totals->done++;
		totals->bytes += job->bytes;
		break;
	case JOB_FAILED:
		totals->failed++;
		if (!totals->last_failed || job->finished >= totals->last_failed->finished)
			totals->last_failed = job;
		break;
	default:
		break;
	}
}

struct board_totals board_model_totals(const struct board_model *model)
{
	struct board_totals totals = { 0 };

	for (size_t i = 0; i < model->n_jobs; i++)
		if (!job_is_of_yesterday(model, &model->jobs[i]))
			totals_add(&totals, &model->jobs[i]);
	return totals;
}

bool board_model_take_bell(struct board_model *model)
{
	bool rings = model->rings;

	model->rings = false;
	return rings;
}
