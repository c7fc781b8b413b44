/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/calls/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/calls/scatter-check.h"
#include "client/user-file.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/file-ref.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"
#include "protocol/device/da-file.h"

#define HINT_HELP "see 'mtkrbctl submit --help'"

enum key {
	KEY_START = 1,
	KEY_LENGTH,
	KEY_RANGE,
	KEY_METHOD,
	KEY_VERIFY,
	KEY_NO_REBUILD,
	KEY_AFTER,
	KEY_SLOT,
	KEY_CHIP,
	KEY_MEID,
	KEY_COUNT,
	KEY_PRIORITY,
	KEY_TIMEOUT,
	KEY_LABEL,
	KEY_FOLLOW,
	KEY_SCATTER,
	KEY_DA,
	KEY_DA_LAYOUT,
	KEY_IDENTIFY_FLASH,
};

const struct verb_option request_options[] = {
	{ "start", KEY_START, "ADDR", "where to begin (default 0)" },
	{ "length", KEY_LENGTH, "BYTES", "how much to read; auto (the default): to the end" },
	{ "range", KEY_RANGE, "NAME:START:LENGTH", "a piece with a name of its own; repeatable" },
	{ "method", KEY_METHOD, "METHOD", "auto (the default), brom or da" },
	{ "verify", KEY_VERIFY, "MODE", "auto (the default), none, sample or full" },
	{ "no-rebuild", KEY_NO_REBUILD, NULL, "no firmware files, the image alone" },
	{ "identify-flash", KEY_IDENTIFY_FLASH, NULL, "ask the flash itself what it is" },
	{ "after", KEY_AFTER, "ACTION", "then reset (the default), off or stay" },
	{ "slot", KEY_SLOT, "NAME", "only a watch on this port" },
	{ "chip", KEY_CHIP, "NAME", "only a watch with this chip" },
	{ "meid", KEY_MEID, "HEX", "only the watch with this ME ID" },
	{ "count", KEY_COUNT, "N", "so many jobs, for as many watches (default 1)" },
	{ "priority", KEY_PRIORITY, "N", "-1000 to 1000, the higher runs first (default 0)" },
	{ "timeout", KEY_TIMEOUT, "DURATION", "give up after this time: 90s, 10min, 2h" },
	{ "label", KEY_LABEL, "KEY=VALUE", "goes into the backup's catalogue; repeatable" },
	{ "follow", KEY_FOLLOW, NULL, "follow what was submitted, end with its outcome" },
	{ "da", KEY_DA, "FILE", "a download agent: a file, or a name of 'mtkrbctl da'" },
	{ "da-layout", KEY_DA_LAYOUT, "PARTS", "where its parts lie, for one without a head" },
	{ "scatter", KEY_SCATTER, "FILE", "the pieces as a scatter file names them" },
	{ 0 },
};

int request_init(struct request *ret)
{
	struct request request = { 0 };
	int r = job_request_init(&request.job);

	if (r < 0)
		return r;
	*ret = request;
	return 0;
}

void request_clear(struct request *request)
{
	job_request_clear(&request->job);
	free(request->da);
	free(request->scatter);
	while (request->n_fds > 0)
		fd_close(request->fds[--request->n_fds]);
}

/* Opens a file for the call; *ret is its reference. */
static int request_open_file(struct request *request, const char *path, char **ret,
			     struct complaint *complaint)
{
	char reference[FILE_REF_SIZE];
	int r;

	r = user_file_open(path, &request->fds[request->n_fds], complaint);
	if (r < 0)
		return r;
	file_ref_format(request->n_fds++, path, reference);
	return str_replace(ret, reference);
}

/* True for what the daemon may know under this name, and nothing here is called so. */
static bool is_daemons_name(const char *name)
{
	return file_name_is_valid(name) && access(name, F_OK) < 0 && errno == ENOENT;
}

int request_open_files(struct request *request, struct complaint *complaint)
{
	struct job_request *job = &request->job;
	int r = 0;

	if (request->scatter && (request->has_ranges || request->has_extent))
		return complaint_set(complaint, STATUS_USAGE, HINT_HELP,
				     "--scatter does not go together with --range, --start and "
				     "--length");
	if (request->da && is_daemons_name(request->da))
		r = str_replace(&job->da, request->da);
	else if (request->da)
		r = request_open_file(request, request->da, &job->da, complaint);
	if (r >= 0 && request->scatter)
		r = request_open_file(request, request->scatter, &job->scatter, complaint);
	if (r >= 0 && request->scatter)
		r = scatter_check(request->fds[request->n_fds - 1], request->scatter, complaint);
	return r;
}

static int request_wrong(struct complaint *complaint, const char *option, const char *value,
			 const char *reason)
{
	return complaint_set(complaint, STATUS_USAGE, HINT_HELP, "--%s=%s: %s", option, value,
			     reason);
}

static int parse_length(const char *value, uint64_t *ret)
{
	if (streq(value, "auto")) {
		*ret = RANGE_AUTO;
		return 0;
	}
	return parse_size(value, ret);
}

static int request_set_extent(struct request *request, int key, const char *value,
			      struct complaint *complaint)
{
	struct range *range = &request->job.ranges[0];
	uint64_t number;
	int r = key == KEY_START ? parse_size(value, &number) : parse_length(value, &number);

	if (r < 0)
		return request_wrong(complaint, key == KEY_START ? "start" : "length", value,
				     "not a number of bytes (0x and K, M, G are understood)");
	if (request->has_ranges)
		return complaint_set(complaint, STATUS_USAGE, HINT_HELP,
				     "--start and --length do not go together with --range");
	request->has_extent = true;
	*(key == KEY_START ? &range->start : &range->length) = number;
	return 0;
}

/* NAME:START:LENGTH; the name may hold colons itself. */
static int parse_range(const char *value, struct range *ret)
{
	_cleanup_free_ char *name = strdup(value);
	char *length = name ? strrchr(name, ':') : NULL, *start;
	struct range range = { 0 };

	if (!name)
		return -ENOMEM;
	if (!length)
		return -EINVAL;
	*length++ = '\0';
	start = strrchr(name, ':');
	if (!start)
		return -EINVAL;
	*start++ = '\0';
	if (!is_plain_name(name, LIMIT_NAME_BYTES) || parse_size(start, &range.start) < 0 ||
	    parse_length(length, &range.length) < 0)
		return -EINVAL;
	range.name = TAKE_PTR(name);
	*ret = range;
	return 0;
}

static void request_drop_default_range(struct job_request *job)
{
	for (size_t i = 0; i < job->n_ranges; i++)
		free(job->ranges[i].name);
	job->n_ranges = 0;
}

static int request_add_range(struct request *request, const char *value,
			     struct complaint *complaint)
{
	struct job_request *job = &request->job;
	struct range range, *ranges;
	int r;

	if (request->has_extent)
		return complaint_set(complaint, STATUS_USAGE, HINT_HELP,
				     "--start and --length do not go together with --range");
	r = parse_range(value, &range);
	if (r == -EINVAL)
		return request_wrong(complaint, "range", value,
				     "not NAME:START:LENGTH, as in VIVA:0x10000:512K");
	if (r < 0)
		return r;
	if (!request->has_ranges)
		request_drop_default_range(job);
	request->has_ranges = true;
	ranges = reallocarray(job->ranges, job->n_ranges + 1, sizeof(*ranges));
	if (!ranges) {
		free(range.name);
		return -ENOMEM;
	}
	job->ranges = ranges;
	ranges[job->n_ranges++] = range;
	return 0;
}

static int request_add_label(struct request *request, const char *value,
			     struct complaint *complaint)
{
	const char *equals = strchr(value, '=');
	_cleanup_free_ char *key = NULL;
	int r;

	if (!equals || equals == value)
		return request_wrong(complaint, "label", value, "not KEY=VALUE, as in ticket=4711");
	key = strndup(value, (size_t)(equals - value));
	if (!key)
		return -ENOMEM;
	r = job_request_add_label(&request->job, key, equals + 1);
	if (r == -EEXIST)
		return request_wrong(complaint, "label", value, "this key is there already");
	if (r == -E2BIG)
		return request_wrong(complaint, "label", value, "too many labels for one job");
	return r == -EINVAL
		       ? request_wrong(complaint, "label", value,
				       "a key is letters, digits and ._:+-, a value short UTF-8 "
				       "text without control characters")
		       : r;
}

static int request_set_meid(struct request *request, const char *value, struct complaint *complaint)
{
	uint8_t bytes[16];
	int r;

	if (hex_decode(value, bytes, sizeof(bytes)) < 0)
		return request_wrong(complaint, "meid", value, "not 32 hexadecimal digits");
	r = str_replace(&request->job.meid, value);
	if (r < 0)
		return r;
	hex_encode(bytes, sizeof(bytes), request->job.meid);
	return 0;
}

static int request_set_number(int64_t *target, const char *option, const char *value, int64_t min,
			      int64_t max, struct complaint *complaint)
{
	if (parse_int(value, min, max, target) < 0)
		return complaint_set(complaint, STATUS_USAGE, HINT_HELP,
				     "--%s=%s: not a whole number from %" PRId64 " to %" PRId64,
				     option, value, min, max);
	return 0;
}

static int request_set_timeout(struct request *request, const char *value,
			       struct complaint *complaint)
{
	double seconds;

	if (parse_duration(value, &seconds) < 0 || !(seconds > 0))
		return request_wrong(complaint, "timeout", value,
				     "not a duration, as in 90s, 10min or 2h");
	request->job.timeout = seconds;
	return 0;
}

static int request_set_word(struct request *request, int key, const char *value,
			    struct complaint *complaint)
{
	struct job_request *job = &request->job;

	switch (key) {
	case KEY_METHOD:
		if (read_method_from_string(value, &job->method) < 0)
			return request_wrong(complaint, "method", value,
					     "not one of auto, brom, da");
		return 0;
	case KEY_VERIFY:
		if (verify_mode_from_string(value, &job->verify) < 0)
			return request_wrong(complaint, "verify", value,
					     "not one of auto, none, sample, full");
		return 0;
	default:
		if (after_action_from_string(value, &job->after) < 0)
			return request_wrong(complaint, "after", value,
					     "not one of reset, off, stay");
		return 0;
	}
}

int request_set(struct request *request, int key, const char *value, struct complaint *complaint)
{
	struct job_request *job = &request->job;
	char why[DA_WHY_SIZE];

	switch ((enum key)key) {
	case KEY_START:
	case KEY_LENGTH:
		return request_set_extent(request, key, value, complaint);
	case KEY_RANGE:
		return request_add_range(request, value, complaint);
	case KEY_METHOD:
	case KEY_VERIFY:
	case KEY_AFTER:
		return request_set_word(request, key, value, complaint);
	case KEY_NO_REBUILD:
		job->rebuild = false;
		return 0;
	case KEY_IDENTIFY_FLASH:
		job->identify_flash = true;
		return 0;
	case KEY_SLOT:
		return str_replace(&job->slot, value);
	case KEY_CHIP:
		return str_replace(&job->chip, value);
	case KEY_MEID:
		return request_set_meid(request, value, complaint);
	case KEY_COUNT:
		return request_set_number(&job->count, "count", value, 1, LIMIT_COUNT, complaint);
	case KEY_PRIORITY:
		return request_set_number(&job->priority, "priority", value, -1000, 1000,
					  complaint);
	case KEY_TIMEOUT:
		return request_set_timeout(request, value, complaint);
	case KEY_LABEL:
		return request_add_label(request, value, complaint);
	case KEY_FOLLOW:
		request->follow = true;
		return 0;
	case KEY_SCATTER:
		return str_replace(&request->scatter, value);
	case KEY_DA:
		return str_replace(&request->da, value);
	case KEY_DA_LAYOUT:
		if (da_layout_check(value, why) < 0)
			return request_wrong(complaint, "da-layout", value, why);
		return str_replace(&job->da_layout, value);
	}
	return -EINVAL;
}

int request_check(const struct request *request, struct complaint *complaint)
{
	_cleanup_message_ struct json_object *object = NULL;
	_cleanup_(job_request_clear) struct job_request checked = { 0 };
	struct problem problem = { 0 };
	int r = job_request_to_json(&request->job, &object);

	if (r < 0)
		return r;
	r = job_request_from_json(object, &checked, &problem);
	if (r == -EBADMSG)
		return complaint_set(complaint, STATUS_USAGE, HINT_HELP, "cannot submit: %s%s%s",
				     problem.field, *problem.field ? ": " : "", problem.reason);
	return r;
}
