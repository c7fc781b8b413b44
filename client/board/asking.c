/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/board/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "client/calls/connection.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

#define SLOTS_USEC  (10 * USEC_PER_SEC) /* ports tell of themselves, this is for what was missed */
#define STATUS_USEC (5 * USEC_PER_SEC)
#define PAUSE_USEC  (1 * USEC_PER_SEC) /* after a question that failed */

static const char *const methods[] = {
	[ASK_SLOTS] = "ListSlots",  [ASK_JOBS] = "ListJobs",    [ASK_JOB] = "GetJob",
	[ASK_BACKUP] = "GetBackup", [ASK_STATUS] = "GetStatus", [ASK_RETRY] = "Retry",
	[ASK_CANCEL] = "Cancel",
};

/* ---- asking ---- */

static enum ask next_question(struct board *board)
{
	uint64_t now = time_now();

	if (board->order != ASK_NOTHING)
		return board->order;
	if (board->detail_due)
		return ASK_JOB;
	if (now >= board->slots_at)
		return ASK_SLOTS;
	if (board->lists_jobs)
		return ASK_JOBS;
	if (now >= board->status_at)
		return ASK_STATUS;
	return board_model_unmeasured(board->model) ? ASK_BACKUP : ASK_NOTHING;
}

/* The jobs that ended since midnight, from the newest on. */
static int jobs_parameters(const struct board *board, struct json_object **ret)
{
	_cleanup_message_ struct json_object *states = NULL;
	char since[TIME_TEXT_SIZE];
	int r = message_new_array(&states);

	for (int state = 0; state < _JOB_STATE_MAX && r >= 0; state++)
		if (job_state_is_final((enum job_state)state))
			r = message_append_string(states,
						  job_state_to_string((enum job_state)state));
	if (r < 0)
		return r;
	return message_build(
		ret, MEMBERS(M_OBJECT("states", TAKE_PTR(states)),
			     M_STRING("since", time_format(board->day, since)),
			     M_INT_IF(board->jobs_before > 0, "before", board->jobs_before)));
}

static int question_parameters(struct board *board, enum ask ask, struct json_object **ret)
{
	switch (ask) {
	case ASK_JOBS:
		return jobs_parameters(board, ret);
	case ASK_JOB:
		return message_build(ret, MEMBERS(M_INT("id", board->detail_due)));
	case ASK_RETRY:
	case ASK_CANCEL:
		return message_build(ret, MEMBERS(M_INT("id", board->order_job)));
	case ASK_BACKUP:
		free(board->backup);
		board->backup = strdup(board_model_unmeasured(board->model));
		if (!board->backup)
			return -ENOMEM;
		return message_build(ret, MEMBERS(M_STRING("id", board->backup)));
	default:
		return message_build(ret, MEMBERS(M_NONE));
	}
}

/* ---- answers; -EBADMSG with *problem for one that makes no sense ---- */

struct slot_answer {
	char *name;
	bool excluded;
	struct port port;
};

static void slot_answer_clear(struct slot_answer *slot)
{
	free(slot->name);
	port_clear(&slot->port);
}

static int read_port(struct json_object *value, void *target, struct problem *problem)
{
	return port_from_json(value, target, problem);
}

static int read_slot(struct json_object *object, struct slot_answer *ret, struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "name",
		  .type = FIELD_STRING,
		  .flags = FIELD_REQUIRED | FIELD_CLEAN,
		  .min = 1,
		  .max = LIMIT_DEVICE_BYTES,
		  .offset = offsetof(struct slot_answer, name) },
		{ .name = "excluded",
		  .type = FIELD_BOOL,
		  .flags = FIELD_REQUIRED,
		  .offset = offsetof(struct slot_answer, excluded) },
		{ .name = "port",
		  .type = FIELD_CUSTOM,
		  .offset = offsetof(struct slot_answer, port),
		  .read = read_port },
	};

	return message_read_known(object, fields, ARRAY_SIZE(fields), ret, problem);
}

static int take_slots(struct board *board, struct json_object *reply, struct problem *problem)
{
	struct json_object *slots = message_member(reply, "slots");
	int r = 0;

	if (!message_is_array(slots))
		return problem_set(problem, "slots", "must be an array");
	board_model_begin_slots(board->model);
	for (size_t i = 0; r >= 0 && i < message_length(slots); i++) {
		_cleanup_(slot_answer_clear) struct slot_answer slot = { 0 };

		r = read_slot(message_at(slots, i), &slot, problem);
		if (r >= 0)
			r = board_model_add_slot(board->model, slot.name, slot.excluded,
						 slot.port.slot ? &slot.port : NULL);
	}
	board->knows_slots = true;
	return r;
}

static int take_jobs(struct board *board, struct json_object *reply, struct problem *problem)
{
	struct json_object *jobs = message_member(reply, "jobs");
	size_t n = message_length(jobs);

	if (!message_is_array(jobs))
		return problem_set(problem, "jobs", "must be an array");
	for (size_t i = 0; i < n; i++) {
		_cleanup_(job_clear) struct job job = { 0 };
		int r = job_from_json(message_at(jobs, i), &job, problem);

		if (r < 0)
			return r;
		/* Or the list would never end. */
		if (board->jobs_before > 0 && job.id >= board->jobs_before)
			return problem_set(problem, "jobs", "must be jobs, the newest first");
		board->jobs_before = job.id;
		r = board_model_set_job(board->model, &job, false);
		if (r < 0)
			return r;
	}
	if (n > 0)
		return 0;
	board->lists_jobs = false;
	board_model_settle(board->model);
	return 0;
}

static int take_detail(struct board *board, struct json_object *reply, struct problem *problem)
{
	struct job job = { 0 };
	int r = job_from_json(message_member(reply, "job"), &job, problem);

	if (r < 0)
		return r;
	job_clear(&board->detail);
	board->detail = job;
	board->detail_due = 0;
	return 0;
}

static int take_backup(struct board *board, struct json_object *reply)
{
	int64_t size = 0;

	/* One whose size cannot be told counts nothing, but is not asked for again. */
	if (message_int(message_member(message_member(reply, "backup"), "size"), &size) < 0)
		size = 0;
	board_model_measure(board->model, board->backup, (uint64_t)MAX_OF(size, (int64_t)0));
	return 0;
}

static int take_status(struct board *board, struct json_object *reply, struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "free", .type = FIELD_UINT, .flags = FIELD_REQUIRED },
	};
	int r = message_read_known(reply, fields, ARRAY_SIZE(fields), &board->free, problem);

	board->has_free = r >= 0;
	return r;
}

static int take_order(struct board *board, struct json_object *reply, struct problem *problem)
{
	struct job job = { 0 };
	int r = job_from_json(message_member(reply, "job"), &job, problem);

	if (r < 0)
		return r;
	board_say(board, TINT_GOOD, "Job %" PRId64 ": %s.", job.id, job_state_to_string(job.state));
	job_clear(&job);
	return 0;
}

static int take(struct board *board, enum ask ask, struct json_object *reply,
		struct problem *problem)
{
	switch (ask) {
	case ASK_SLOTS:
		return take_slots(board, reply, problem);
	case ASK_JOBS:
		return take_jobs(board, reply, problem);
	case ASK_JOB:
		return take_detail(board, reply, problem);
	case ASK_BACKUP:
		return take_backup(board, reply);
	case ASK_STATUS:
		return take_status(board, reply, problem);
	case ASK_RETRY:
	case ASK_CANCEL:
		return take_order(board, reply, problem);
	default:
		return 0;
	}
}

/* So that it is not asked again at once. */
static void give_up(struct board *board, enum ask ask)
{
	uint64_t now = time_now();

	switch (ask) {
	case ASK_SLOTS:
		board->slots_at = now + SLOTS_USEC;
		break;
	case ASK_JOBS:
		board->lists_jobs = false;
		break;
	case ASK_JOB:
		board->detail_due = 0;
		break;
	case ASK_BACKUP:
		board_model_measure(board->model, board->backup, 0);
		break;
	case ASK_STATUS:
		board->status_at = now + STATUS_USEC;
		board->has_free = false;
		break;
	default:
		break;
	}
}

/* A daemon that went away is asked again when it is back; what it refused is not. */
static void failed(struct board *board, enum ask ask, int r, const struct complaint *complaint)
{
	const char *why =
		r == -ECANCELED && complaint->message ? complaint->message : "out of memory";
	bool ordered = ask == ASK_RETRY || ask == ASK_CANCEL;

	board->dirty = true;
	board->pause_at = time_now() + PAUSE_USEC;
	if (board->reaching && complaint->status == STATUS_NO_DAEMON) {
		board_lost(board, complaint);
		return;
	}
	if (complaint->status != STATUS_NO_DAEMON)
		give_up(board, ask);
	/* A backup that was removed is no news. */
	if (ask == ASK_BACKUP || (!ordered && board->lost_since))
		return;
	board_say(board, TINT_BAD, "%s%s%s", why, ordered && complaint->hint ? "; " : "",
		  ordered && complaint->hint ? complaint->hint : "");
}

void board_ask(struct board *board)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	struct json_object *parameters;
	enum ask ask;
	int r;

	if (question_is_asked(board->question) || !board_is_connected(board) ||
	    time_now() < board->pause_at)
		return;
	ask = next_question(board);
	if (ask == ASK_NOTHING)
		return;
	if (ask == board->order)
		board->order = ASK_NOTHING;
	r = question_parameters(board, ask, &parameters);
	if (r >= 0)
		r = question_ask(board->question, methods[ask], parameters, &complaint);
	if (r < 0) {
		failed(board, ask, r, &complaint);
		return;
	}
	board->asked = ask;
	board->asked_at = time_now();
	/* What changes from here on is asked for anew. */
	if (ask == ASK_SLOTS)
		board->slots_at = board->asked_at + SLOTS_USEC;
	else if (ask == ASK_STATUS)
		board->status_at = board->asked_at + STATUS_USEC;
}

void board_take_answer(struct board *board)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	_cleanup_message_ struct json_object *reply = NULL;
	struct problem problem = { 0 };
	enum ask ask = board->asked;
	int r;

	if (!question_is_asked(board->question))
		return;
	r = question_take(board->question, &reply, &complaint);
	if (r == 0)
		return;
	board->asked = ASK_NOTHING;
	if (r > 0) {
		board->dirty = true;
		board_reached(board);
		r = take(board, ask, reply, &problem);
	}
	if (r == -EBADMSG) {
		r = complaint_bad_reply(&complaint, methods[ask], &problem);
		give_up(board, ask);
	}
	if (r < 0)
		failed(board, ask, r, &complaint);
}
