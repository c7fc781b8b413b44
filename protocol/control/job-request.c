/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "protocol/base/strings.h"
#include "protocol/control/job-internal.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

#define MEID_BYTES      16
#define TIMEOUT_SECONDS (366 * 24 * 3600)

static void ranges_free(struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(ranges[i].name);
	free(ranges);
}

void job_request_clear(struct job_request *request)
{
	ranges_free(request->ranges, request->n_ranges);
	free(request->scatter);
	free(request->da);
	free(request->da_layout);
	free(request->slot);
	free(request->chip);
	free(request->meid);
	labels_free(request->labels, request->n_labels);
	*request = (struct job_request){ 0 };
}

static int set_default_range(struct job_request *request)
{
	request->ranges = calloc(1, sizeof(*request->ranges));
	if (!request->ranges)
		return -ENOMEM;
	request->n_ranges = 1;
	request->ranges[0].length = RANGE_AUTO;
	return str_replace(&request->ranges[0].name, "ROM_0");
}

/* Everything but the ranges. */
static const struct job_request defaults = { .rebuild = true, .count = 1 };

int job_request_init(struct job_request *ret)
{
	struct job_request request = defaults;
	int r;

	r = set_default_range(&request);
	if (r < 0)
		job_request_clear(&request);
	else
		*ret = request;
	return r;
}

static int copy_ranges(const struct job_request *from, struct job_request *to)
{
	to->ranges = calloc(from->n_ranges, sizeof(*to->ranges));
	if (!to->ranges && from->n_ranges > 0)
		return -ENOMEM;
	for (; to->n_ranges < from->n_ranges; to->n_ranges++) {
		const struct range *range = &from->ranges[to->n_ranges];
		struct range copy = { .start = range->start, .length = range->length };

		if (str_replace(&copy.name, range->name) < 0)
			return -ENOMEM;
		to->ranges[to->n_ranges] = copy;
	}
	return 0;
}

int job_request_copy(const struct job_request *from, struct job_request *ret)
{
	_cleanup_(job_request_clear) struct job_request copy = {
		.method = from->method,
		.verify = from->verify,
		.rebuild = from->rebuild,
		.identify_flash = from->identify_flash,
		.count = from->count,
		.priority = from->priority,
		.timeout = from->timeout,
		.after = from->after,
	};
	int r;

	r = copy_ranges(from, &copy);
	if (r == 0)
		r = str_replace(&copy.scatter, from->scatter);
	if (r == 0)
		r = str_replace(&copy.da, from->da);
	if (r == 0)
		r = str_replace(&copy.da_layout, from->da_layout);
	if (r == 0)
		r = str_replace(&copy.slot, from->slot);
	if (r == 0)
		r = str_replace(&copy.chip, from->chip);
	if (r == 0)
		r = str_replace(&copy.meid, from->meid);
	if (r == 0)
		r = labels_copy(from->labels, from->n_labels, &copy.labels, &copy.n_labels);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(copy);
	return 0;
}

int job_request_add_label(struct job_request *request, const char *key, const char *value)
{
	return labels_add(&request->labels, &request->n_labels, key, value);
}

/* ---- Reading ---- */

/* message_read or message_read_known: whether members that it does not know are refused. */
typedef int (*object_reader)(struct json_object *object, const struct field *fields, size_t n,
			     void *target, struct problem *problem);

struct reading {
	struct job_request request;
	object_reader read;
};

static bool name_is_taken(const struct job_request *request, const char *name)
{
	for (size_t i = 0; i < request->n_ranges; i++)
		if (streq_ptr(request->ranges[i].name, name))
			return true;
	return false;
}

/* A range's name becomes a file beside the backup's own. */
static bool name_is_reserved(const char *name)
{
	static const char *const reserved[] = { "manifest.json", "SHA256SUMS", "firmware",
						"report.txt", "report.html" };

	return word_find(reserved, ARRAY_SIZE(reserved), name) >= 0;
}

static int check_range(const struct job_request *request, struct range *range,
		       struct problem *problem)
{
	if (!range->name) {
		range->name = str_format("ROM_%zu", request->n_ranges);
		if (!range->name)
			return -ENOMEM;
	}
	if (name_is_reserved(range->name))
		return problem_set(problem, "name", "is a file of the backup itself");
	if (name_is_taken(request, range->name))
		return problem_set(problem, "name", "is used twice");
	if (range->length != RANGE_AUTO && range->length > LIMIT_READ_BYTES - range->start)
		return problem_set(problem, "length", "goes beyond the largest flash, %llu bytes",
				   LIMIT_READ_BYTES);
	return 0;
}

static int read_range(struct json_object *value, const struct reading *reading, struct range *ret,
		      struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "name",
		  .type = FIELD_STRING,
		  .offset = offsetof(struct range, name),
		  .flags = FIELD_NAME,
		  .min = 1,
		  .max = LIMIT_NAME_BYTES },
		{ .name = "start",
		  .type = FIELD_UINT,
		  .offset = offsetof(struct range, start),
		  .flags = FIELD_REQUIRED,
		  .min = 0,
		  .max = LIMIT_READ_BYTES - 1 },
		{ .name = "length",
		  .type = FIELD_UINT,
		  .offset = offsetof(struct range, length),
		  .min = 1,
		  .max = LIMIT_READ_BYTES },
	};
	struct range range = { .length = RANGE_AUTO };
	int r;

	r = reading->read(value, fields, ARRAY_SIZE(fields), &range, problem);
	if (r == 0)
		r = check_range(&reading->request, &range, problem);
	if (r < 0) {
		free(range.name);
		return r;
	}
	*ret = range;
	return 0;
}

static int read_ranges(struct json_object *value, void *target, struct problem *problem)
{
	struct reading *reading = target;
	struct job_request *request = &reading->request;
	size_t n = message_length(value);

	if (!message_is_array(value))
		return problem_set(problem, "", "must be an array");
	if (n == 0 || n > LIMIT_RANGES)
		return problem_set(problem, "", "must have from 1 to %u elements", LIMIT_RANGES);
	request->ranges = calloc(n, sizeof(*request->ranges));
	if (!request->ranges)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int r = read_range(message_at(value, i), reading, &request->ranges[i], problem);

		if (r == -EBADMSG)
			problem_within_element(problem, "", i);
		if (r < 0)
			return r;
		request->n_ranges++;
	}
	return 0;
}

static int read_labels(struct json_object *value, void *target, struct problem *problem)
{
	struct reading *reading = target;
	struct job_request *request = &reading->request;

	return labels_from_json(value, &request->labels, &request->n_labels, problem);
}

static int read_meid(struct json_object *value, void *target, struct problem *problem)
{
	const char *s = message_string(value);
	uint8_t bytes[MEID_BYTES];
	char hex[2 * MEID_BYTES + 1];

	if (!s || hex_decode(s, bytes, sizeof(bytes)) < 0)
		return problem_set(problem, "", "must be a string of %zu hexadecimal digits",
				   2 * sizeof(bytes));
	hex_encode(bytes, sizeof(bytes), hex);
	return str_replace(target, hex);
}

#define OFFSET(member) offsetof(struct reading, request.member)
#define WORDS(table)   .words = (table), .n_words = ARRAY_SIZE(table)
#define NAME_FIELD     .flags = FIELD_NAME, .min = 1, .max = LIMIT_NAME_BYTES

static const struct field fields[] = {
	{ .name = "ranges", .type = FIELD_CUSTOM, .read = read_ranges },
	{ .name = "scatter", .type = FIELD_STRING, .offset = OFFSET(scatter), NAME_FIELD },
	{ .name = "da", .type = FIELD_STRING, .offset = OFFSET(da), NAME_FIELD },
	{ .name = "da_layout",
	  .type = FIELD_STRING,
	  .offset = OFFSET(da_layout),
	  .flags = FIELD_CLEAN,
	  .min = 1,
	  .max = LIMIT_LAYOUT_BYTES },
	{ .name = "method",
	  .type = FIELD_WORD,
	  .offset = OFFSET(method),
	  WORDS(read_method_words) },
	{ .name = "verify",
	  .type = FIELD_WORD,
	  .offset = OFFSET(verify),
	  WORDS(verify_mode_words) },
	{ .name = "rebuild", .type = FIELD_BOOL, .offset = OFFSET(rebuild) },
	{ .name = "identify_flash", .type = FIELD_BOOL, .offset = OFFSET(identify_flash) },
	{ .name = "slot", .type = FIELD_STRING, .offset = OFFSET(slot), NAME_FIELD },
	{ .name = "chip", .type = FIELD_STRING, .offset = OFFSET(chip), NAME_FIELD },
	{ .name = "meid", .type = FIELD_CUSTOM, .offset = OFFSET(meid), .read = read_meid },
	{ .name = "count",
	  .type = FIELD_INT,
	  .offset = OFFSET(count),
	  .min = 1,
	  .max = LIMIT_COUNT },
	{ .name = "priority",
	  .type = FIELD_INT,
	  .offset = OFFSET(priority),
	  .min = -LIMIT_PRIORITY,
	  .max = LIMIT_PRIORITY },
	{ .name = "labels", .type = FIELD_CUSTOM, .read = read_labels },
	{ .name = "timeout",
	  .type = FIELD_REAL,
	  .offset = OFFSET(timeout),
	  .min = 0,
	  .max = TIMEOUT_SECONDS },
	{ .name = "after", .type = FIELD_WORD, .offset = OFFSET(after), WORDS(after_action_words) },
};

static void reading_clear(struct reading *reading)
{
	job_request_clear(&reading->request);
}

static int read_request(struct json_object *object, object_reader read, struct job_request *ret,
			struct problem *problem)
{
	_cleanup_(reading_clear) struct reading reading = { defaults, read };
	int r;

	r = read(object, fields, ARRAY_SIZE(fields), &reading, problem);
	if (r == 0 && !reading.request.ranges)
		r = set_default_range(&reading.request);
	if (r < 0)
		return r;
	*ret = reading.request;
	reading.request = (struct job_request){ 0 };
	return 0;
}

int job_request_from_json(struct json_object *object, struct job_request *ret,
			  struct problem *problem)
{
	return read_request(object, message_read, ret, problem);
}

int job_request_from_reply(struct json_object *object, struct job_request *ret,
			   struct problem *problem)
{
	return read_request(object, message_read_known, ret, problem);
}

int job_request_from_text(const char *text, struct job_request *ret)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r;

	r = message_parse(text, strlen(text), &object);
	return r < 0 ? r : job_request_from_json(object, ret, NULL);
}

/* ---- Writing ---- */

static int ranges_to_json(const struct job_request *request, struct json_object **ret)
{
	_cleanup_message_ struct json_object *array = NULL;
	int r;

	r = message_new_array(&array);
	for (size_t i = 0; r == 0 && i < request->n_ranges; i++) {
		const struct range *range = &request->ranges[i];
		struct json_object *element;

		r = message_build(
			&element,
			MEMBERS(M_STRING("name", range->name), M_INT("start", range->start),
				M_INT_IF(range->length != RANGE_AUTO, "length", range->length)));
		if (r == 0)
			r = message_append(array, element);
	}
	if (r == 0)
		*ret = TAKE_PTR(array);
	return r;
}

int job_request_to_json(const struct job_request *request, struct json_object **ret)
{
	_cleanup_message_ struct json_object *ranges = NULL, *labels = NULL;
	int r;

	r = ranges_to_json(request, &ranges);
	if (r == 0 && request->n_labels > 0)
		r = labels_to_json(request->labels, request->n_labels, &labels);
	if (r < 0)
		return r;
	return message_build(
		ret,
		MEMBERS(M_OBJECT("ranges", TAKE_PTR(ranges)),
			M_STRING_OPT("scatter", request->scatter), M_STRING_OPT("da", request->da),
			M_STRING_OPT("da_layout", request->da_layout),
			M_STRING("method", read_method_to_string(request->method)),
			M_STRING("verify", verify_mode_to_string(request->verify)),
			M_BOOL("rebuild", request->rebuild),
			request->identify_flash ? M_BOOL("identify_flash", true) : M_NONE,
			M_STRING_OPT("slot", request->slot),
			M_STRING_OPT("chip", request->chip), M_STRING_OPT("meid", request->meid),
			M_INT("count", request->count), M_INT("priority", request->priority),
			M_OBJECT("labels", TAKE_PTR(labels)),
			M_REAL_IF(request->timeout > 0, "timeout", request->timeout),
			M_STRING("after", after_action_to_string(request->after))));
}

int job_request_to_text(const struct job_request *request, char **ret)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r;

	r = job_request_to_json(request, &object);
	return r < 0 ? r : message_to_text(object, ret);
}
