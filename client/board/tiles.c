/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From slots and jobs to tiles. */

#include "client/board/model-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"

/* A tile while its jobs are being found. */
struct draft {
	struct board_tile tile;
	const struct board_job *current; /* running or waiting */
	const struct board_job *last;    /* the one that ended last */
};

struct drafts {
	struct draft *drafts;
	size_t n;
	struct draft **by_name; /* of the listed ones */
	size_t n_by_name;
};

static void drafts_clear(struct drafts *drafts)
{
	free(drafts->drafts);
	free(drafts->by_name);
}

static int compare_name(const void *a, const void *b)
{
	const struct draft *x = *(struct draft *const *)a, *y = *(struct draft *const *)b;

	return strcmp(x->tile.slot, y->tile.slot);
}

/*
 * A watch is there unless its slot is empty. A port that was attached by hand stays when its watch
 * has left, and then it waits.
 */
static bool place_has_watch(const struct board_place *place)
{
	return place->has_port && place->port.state != PORT_WAITING;
}

static bool place_is_excluded(const struct board_place *place)
{
	return place->excluded || (place->has_port && place->port.state == PORT_EXCLUDED);
}

/* A draft for each listed place, with room for as many more as there are jobs. */
static int drafts_init(const struct board_model *model, struct drafts *ret)
{
	size_t n = model->n_listed;

	*ret = (struct drafts){
		.drafts = calloc(n + model->n_jobs + 1, sizeof(*ret->drafts)),
		.by_name = calloc(n + 1, sizeof(*ret->by_name)),
	};
	if (!ret->drafts || !ret->by_name)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct board_place *place = model->places[i];

		ret->drafts[i].tile = (struct board_tile){
			.slot = place->name,
			.face = place_is_excluded(place) ? FACE_EXCLUDED : FACE_EMPTY,
			.listed = true,
			.present = place_has_watch(place),
			.port = place->has_port ? &place->port : NULL,
		};
		ret->by_name[i] = &ret->drafts[i];
	}
	ret->n = ret->n_by_name = n;
	qsort(ret->by_name, n, sizeof(struct draft *), compare_name);
	return 0;
}

static struct draft *drafts_find(const struct drafts *drafts, const char *slot)
{
	struct draft key = { .tile.slot = slot }, *wanted = &key;
	struct draft **found = bsearch(&wanted, drafts->by_name, drafts->n_by_name,
				       sizeof(struct draft *), compare_name);

	if (found)
		return *found;
	for (size_t i = drafts->n_by_name; i < drafts->n; i++)
		if (streq(drafts->drafts[i].tile.slot, slot))
			return &drafts->drafts[i];
	return NULL;
}

static bool job_lingers(const struct board_job *job, uint64_t now)
{
	return job->finished + BOARD_LINGER_SECONDS * USEC_PER_SEC > now;
}

/* A slot that is not listed is shown as long as somebody may look there for a watch. */
static bool job_needs_tile(const struct board_job *job, uint64_t now)
{
	if (job->state == JOB_RUNNING || job->state == JOB_WAITING)
		return true;
	return (job->state == JOB_DONE || job->state == JOB_FAILED) && job_lingers(job, now);
}

static void draft_add_job(struct draft *draft, const struct board_job *job)
{
	const struct board_job *other = draft->current;

	if (job->state == JOB_QUEUED) {
		if (board_job_goes_before(job, draft->tile.next))
			draft->tile.next = job;
	} else if (job_state_is_final(job->state)) {
		if (!draft->last || job->finished >= draft->last->finished)
			draft->last = job;
	} else if (!other || job->state == JOB_RUNNING || other->state == JOB_WAITING) {
		draft->current = job;
	}
}

static void drafts_add_jobs(struct drafts *drafts, const struct board_model *model, uint64_t now)
{
	for (size_t i = 0; i < model->n_jobs; i++) {
		const struct board_job *job = &model->jobs[i];
		struct draft *draft = job->slot ? drafts_find(drafts, job->slot) : NULL;

		if (!draft && job->slot && job_needs_tile(job, now)) {
			draft = &drafts->drafts[drafts->n++];
			draft->tile.slot = job->slot;
		}
		if (draft)
			draft_add_job(draft, job);
	}
}

/* ---- what a slot looks like ---- */

/* What ended last is of no interest any more once another watch is there, or nobody for long. */
static bool draft_is_past(const struct draft *draft, uint64_t now)
{
	const struct board_job *last = draft->last;
	const struct port *port = draft->tile.port;

	if (draft->tile.present && port)
		return port->meid && last->meid && !streq(port->meid, last->meid);
	return last->state == JOB_CANCELLED || (last->state == JOB_DONE && !job_lingers(last, now));
}

static enum board_face face_of_end(enum job_state state)
{
	switch (state) {
	case JOB_DONE:
		return FACE_DONE;
	case JOB_FAILED:
		return FACE_FAILED;
	default:
		return FACE_CANCELLED;
	}
}

static void tile_take(struct board_tile *tile, enum board_face face, const struct board_job *job)
{
	tile->face = face;
	tile->job = job;
	if (job && job->failure.code != FAILURE_NONE)
		tile->failure = &job->failure;
}

static void draft_settle(struct draft *draft, uint64_t now)
{
	struct board_tile *tile = &draft->tile;
	const struct port *port = tile->present ? tile->port : NULL;

	if (tile->face == FACE_EXCLUDED && !draft->current)
		return;
	if (draft->current)
		tile_take(tile, draft->current->state == JOB_RUNNING ? FACE_ACTIVE : FACE_WAITING,
			  draft->current);
	else if (port && (port->state == PORT_IDENTIFYING || port->state == PORT_BUSY))
		tile_take(tile, FACE_ACTIVE, NULL);
	else if (!port && tile->next)
		tile_take(tile, FACE_EXPECTED, tile->next);
	else if (draft->last && !draft_is_past(draft, now))
		tile_take(tile, face_of_end(draft->last->state), draft->last);
	else if (port)
		tile_take(tile, port->state == PORT_FAILED ? FACE_FAILED : FACE_IDLE, NULL);
	else
		tile->face = FACE_EMPTY;
	if (tile->face == FACE_FAILED && !tile->failure && port && port->failure.code)
		tile->failure = &port->failure;
}

static int compare_rest(const void *a, const void *b)
{
	return strcmp(((const struct draft *)a)->tile.slot, ((const struct draft *)b)->tile.slot);
}

int board_model_tiles(const struct board_model *model, uint64_t now, struct board_tile **ret,
		      size_t *ret_n)
{
	_cleanup_(drafts_clear) struct drafts drafts = { 0 };
	struct board_tile *tiles;
	int r = drafts_init(model, &drafts);

	if (r < 0)
		return r;
	drafts_add_jobs(&drafts, model, now);
	qsort(drafts.drafts + model->n_listed, drafts.n - model->n_listed, sizeof(*drafts.drafts),
	      compare_rest);
	tiles = calloc(drafts.n + 1, sizeof(*tiles));
	if (!tiles)
		return -ENOMEM;
	for (size_t i = 0; i < drafts.n; i++) {
		draft_settle(&drafts.drafts[i], now);
		tiles[i] = drafts.drafts[i].tile;
	}
	*ret = tiles;
	*ret_n = drafts.n;
	return 0;
}
