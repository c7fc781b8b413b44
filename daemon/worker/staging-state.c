/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/staging-state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/job.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

#define STATE_BYTES_MAX LIMIT_MANIFEST_BYTES
#define EVIDENCE_MAX    64

static void ranges_free(struct state_range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(ranges[i].name);
	free(ranges);
}

void staging_state_clear(struct staging_state *state)
{
	free(state->chip);
	free(state->meid);
	ranges_free(state->ranges, state->n_ranges);
	evidence_clear(&state->evidence);
	*state = (struct staging_state){ 0 };
}

#define RANGE(member) offsetof(struct state_range, member)
static const struct field range_fields[] = {
	{ .name = "name",
	  .type = FIELD_STRING,
	  .offset = RANGE(name),
	  .flags = FIELD_REQUIRED,
	  .min = 1,
	  .max = LIMIT_NAME_BYTES },
	{ .name = "start", .type = FIELD_UINT, .offset = RANGE(start), .flags = FIELD_REQUIRED },
	{ .name = "asked", .type = FIELD_UINT, .offset = RANGE(asked) },
	{ .name = "length",
	  .type = FIELD_UINT,
	  .offset = RANGE(length),
	  .flags = FIELD_REQUIRED,
	  .max = LIMIT_READ_BYTES },
};

static int read_ranges(struct json_object *array, void *target, struct problem *problem)
{
	struct staging_state *state = target;
	size_t n = message_length(array);

	if (n == 0 || n > LIMIT_RANGES)
		return problem_set(problem, "", "must be a list of ranges");
	state->ranges = calloc(n, sizeof(*state->ranges));
	if (!state->ranges)
		return -ENOMEM;
	state->n_ranges = n;
	for (size_t i = 0; i < n; i++) {
		int r;

		state->ranges[i].asked = RANGE_AUTO;
		r = message_read(message_at(array, i), range_fields, ARRAY_SIZE(range_fields),
				 &state->ranges[i], problem);
		if (r < 0)
			return r;
	}
	return 0;
}

#define EVIDENCE(member) offsetof(struct evidence, member)
static const struct field evidence_fields[] = {
	{ .name = "source",
	  .type = FIELD_STRING,
	  .offset = EVIDENCE(source),
	  .flags = FIELD_REQUIRED,
	  .min = 1,
	  .max = LIMIT_NAME_BYTES },
	{ .name = "text",
	  .type = FIELD_STRING,
	  .offset = EVIDENCE(text),
	  .flags = FIELD_REQUIRED,
	  .min = 1,
	  .max = LIMIT_REQUEST_BYTES },
	{ .name = "size", .type = FIELD_UINT, .offset = EVIDENCE(size) },
};

static int read_evidence(struct json_object *array, void *target, struct problem *problem)
{
	struct evidence_list *list = &((struct staging_state *)target)->evidence;
	size_t n = message_length(array);

	if (n > EVIDENCE_MAX)
		return problem_set(problem, "", "has too many elements");
	list->items = calloc(n + 1, sizeof(*list->items));
	if (!list->items)
		return -ENOMEM;
	for (; list->n < n; list->n++) {
		struct evidence *evidence = &list->items[list->n];
		int r = message_read(message_at(array, list->n), evidence_fields,
				     ARRAY_SIZE(evidence_fields), evidence, problem);

		if (r < 0) {
			free(evidence->source);
			free(evidence->text);
			return r;
		}
	}
	return 0;
}

static int read_jedec(struct json_object *value, void *target, struct problem *problem)
{
	struct staging_state *state = target;
	const char *hex = message_string(value);

	if (!hex || hex_decode(hex, state->jedec, sizeof(state->jedec)) < 0)
		return problem_set(problem, "", "must be the id of a flash");
	state->has_jedec = true;
	return 0;
}

#define STATE(member) offsetof(struct staging_state, member)
static const struct field state_fields[] = {
	{ .name = "chip",
	  .type = FIELD_STRING,
	  .offset = STATE(chip),
	  .flags = FIELD_REQUIRED,
	  .min = 1,
	  .max = LIMIT_NAME_BYTES },
	{ .name = "meid",
	  .type = FIELD_STRING,
	  .offset = STATE(meid),
	  .min = 1,
	  .max = LIMIT_NAME_BYTES },
	{ .name = "ranges", .type = FIELD_CUSTOM, .flags = FIELD_REQUIRED, .read = read_ranges },
	{ .name = "resolved",
	  .type = FIELD_BOOL,
	  .offset = STATE(resolved),
	  .flags = FIELD_REQUIRED },
	{ .name = "flash_size",
	  .type = FIELD_UINT,
	  .offset = STATE(flash_size),
	  .max = LIMIT_READ_BYTES },
	{ .name = "evidence",
	  .type = FIELD_CUSTOM,
	  .flags = FIELD_REQUIRED,
	  .read = read_evidence },
	{ .name = "jedec", .type = FIELD_CUSTOM, .read = read_jedec },
	{ .name = "probing",
	  .type = FIELD_UINT,
	  .offset = STATE(probing),
	  .max = LIMIT_READ_BYTES },
	{ .name = "agent", .type = FIELD_BOOL, .offset = STATE(agent) },
	{ .name = "scattered", .type = FIELD_BOOL, .offset = STATE(scattered) },
	{ .name = "raising_speed", .type = FIELD_BOOL, .offset = STATE(raising_speed) },
	{ .name = "seconds", .type = FIELD_REAL, .offset = STATE(seconds), .max = INT32_MAX },
	{ .name = "retries", .type = FIELD_UINT, .offset = STATE(retries) },
};

int staging_state_load(int dir, struct staging_state *ret)
{
	_cleanup_message_ struct json_object *object = NULL;
	_cleanup_free_ char *text = NULL;
	struct staging_state state = { 0 };
	size_t size;
	int r = fd_read_file(dir, STAGING_STATE_FILE, STATE_BYTES_MAX, &text, &size);

	if (r < 0)
		return r == -EFBIG ? -EBADMSG : r;
	r = message_parse(text, size, &object);
	if (r >= 0)
		r = message_read(object, state_fields, ARRAY_SIZE(state_fields), &state, NULL);
	for (size_t i = 0; r >= 0 && state.resolved && i < state.n_ranges; i++)
		if (state.ranges[i].length == 0)
			r = -EBADMSG;
	if (r < 0) {
		staging_state_clear(&state);
		return r;
	}
	*ret = state;
	return 0;
}

static int build_ranges(const struct staging_state *state, struct json_object **ret)
{
	_cleanup_message_ struct json_object *array = NULL;
	int r = message_new_array(&array);

	for (size_t i = 0; r >= 0 && i < state->n_ranges; i++) {
		const struct state_range *range = &state->ranges[i];
		struct json_object *object;

		r = message_build(
			&object,
			MEMBERS(M_STRING("name", range->name), M_INT("start", range->start),
				M_INT_IF(range->asked != RANGE_AUTO, "asked", range->asked),
				M_INT("length", range->length)));
		if (r >= 0)
			r = message_append(array, object);
	}
	if (r >= 0)
		*ret = TAKE_PTR(array);
	return r;
}

static int build_evidence(const struct staging_state *state, struct json_object **ret)
{
	_cleanup_message_ struct json_object *array = NULL;
	int r = message_new_array(&array);

	for (size_t i = 0; r >= 0 && i < state->evidence.n; i++) {
		const struct evidence *evidence = &state->evidence.items[i];
		struct json_object *object;

		r = message_build(&object, MEMBERS(M_STRING("source", evidence->source),
						   M_STRING("text", evidence->text),
						   M_INT("size", evidence->size)));
		if (r >= 0)
			r = message_append(array, object);
	}
	if (r >= 0)
		*ret = TAKE_PTR(array);
	return r;
}

int staging_state_save(int dir, const struct staging_state *state)
{
	_cleanup_message_ struct json_object *ranges = NULL, *evidence = NULL, *object = NULL;
	_cleanup_free_ char *text = NULL;
	char jedec[2 * STAGING_JEDEC_SIZE + 1];
	int r = build_ranges(state, &ranges);

	hex_encode(state->jedec, sizeof(state->jedec), jedec);
	if (r >= 0)
		r = build_evidence(state, &evidence);
	if (r >= 0)
		r = message_build(
			&object,
			MEMBERS(M_STRING("chip", state->chip), M_STRING_OPT("meid", state->meid),
				M_OBJECT("ranges", message_ref(ranges)),
				M_BOOL("resolved", state->resolved),
				M_INT("flash_size", state->flash_size),
				M_OBJECT("evidence", message_ref(evidence)),
				state->has_jedec ? M_STRING("jedec", jedec) : M_NONE,
				M_INT("probing", state->probing), M_BOOL("agent", state->agent),
				M_BOOL("scattered", state->scattered),
				M_BOOL("raising_speed", state->raising_speed),
				M_REAL("seconds", state->seconds),
				M_INT("retries", state->retries)));
	if (r >= 0)
		r = message_to_pretty_text(object, &text);
	if (r >= 0)
		r = fd_replace_file(dir, STAGING_STATE_FILE, text, strlen(text), 0640);
	return r;
}
