/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>

#include "protocol/base/strings.h"
#include "protocol/control/limits.h"
#include "protocol/control/manifest.h"
#include "protocol/control/message.h"

#define EVIDENCE_MAX       32U
#define EVIDENCE_TEXT_MAX  1024
#define REBUILD_DETAIL_MAX 4096
#define LOWER_HEX_DIGITS   "0123456789abcdef"
#define REQUIRED_NAME      .flags = FIELD_REQUIRED | FIELD_NAME, .min = 1, .max = LIMIT_NAME_BYTES
#define OFFSET(member)     offsetof(struct manifest, member)

/* ---- watch ---- */

static int read_evidence(struct json_object *value, void *target, struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "source",
		  .type = FIELD_STRING,
		  .offset = offsetof(struct evidence, source),
		  REQUIRED_NAME },
		{ .name = "text",
		  .type = FIELD_STRING,
		  .offset = offsetof(struct evidence, text),
		  .flags = FIELD_REQUIRED | FIELD_CLEAN,
		  .min = 0,
		  .max = EVIDENCE_TEXT_MAX },
		{ .name = "size", .type = FIELD_UINT, .offset = offsetof(struct evidence, size) },
	};
	struct manifest *manifest = target;
	size_t n = message_length(value);

	if (!message_is_array(value) || n > EVIDENCE_MAX)
		return problem_set(problem, "", "must be an array of at most %u", EVIDENCE_MAX);
	manifest->watch.evidence = calloc(n, sizeof(*manifest->watch.evidence));
	if (!manifest->watch.evidence && n > 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int r = message_read(message_at(value, i), fields, ARRAY_SIZE(fields),
				     &manifest->watch.evidence[manifest->watch.n_evidence++],
				     problem);

		if (r == -EBADMSG)
			problem_within_element(problem, "", i);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_flash(struct json_object *value, void *target, struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "jedec",
		  .type = FIELD_STRING,
		  .offset = OFFSET(watch.jedec),
		  .flags = FIELD_NAME,
		  .min = 1,
		  .max = LIMIT_NAME_BYTES },
		{ .name = "size", .type = FIELD_UINT, .offset = OFFSET(watch.flash_size) },
		{ .name = "evidence",
		  .type = FIELD_CUSTOM,
		  .flags = FIELD_REQUIRED,
		  .read = read_evidence },
	};

	return message_read(value, fields, ARRAY_SIZE(fields), target, problem);
}

static int read_watch(struct json_object *value, void *target, struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "chip",
		  .type = FIELD_STRING,
		  .offset = OFFSET(watch.chip),
		  REQUIRED_NAME },
		{ .name = "hw_code",
		  .type = FIELD_UINT32,
		  .offset = OFFSET(watch.hw_code),
		  .flags = FIELD_REQUIRED },
		{ .name = "hw_version",
		  .type = FIELD_UINT32,
		  .offset = OFFSET(watch.hw_version),
		  .flags = FIELD_REQUIRED },
		{ .name = "sw_version",
		  .type = FIELD_UINT32,
		  .offset = OFFSET(watch.sw_version),
		  .flags = FIELD_REQUIRED },
		{ .name = "meid",
		  .type = FIELD_STRING,
		  .offset = OFFSET(watch.meid),
		  .flags = FIELD_NAME,
		  .min = 1,
		  .max = LIMIT_NAME_BYTES },
		{ .name = "firmware",
		  .type = FIELD_STRING,
		  .offset = OFFSET(watch.firmware),
		  .flags = FIELD_CLEAN,
		  .min = 1,
		  .max = LIMIT_FIRMWARE_BYTES },
		{ .name = "flash",
		  .type = FIELD_CUSTOM,
		  .flags = FIELD_REQUIRED,
		  .read = read_flash },
	};

	return message_read(value, fields, ARRAY_SIZE(fields), target, problem);
}

/* ---- read ---- */

static int read_digest(struct json_object *value, void *target, struct problem *problem)
{
	const char *s = message_string(value);
	char *digest = target;

	if (!s || strlen(s) != DIGEST_HEX_SIZE - 1 ||
	    strspn(s, LOWER_HEX_DIGITS) != DIGEST_HEX_SIZE - 1)
		return problem_set(problem, "", "must be a SHA-256 in lower-case hexadecimal");
	(void)snprintf(digest, DIGEST_HEX_SIZE, "%s", s);
	return 0;
}

static int read_range(struct json_object *value, struct manifest_range *range,
		      struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "name",
		  .type = FIELD_STRING,
		  .offset = offsetof(struct manifest_range, name),
		  REQUIRED_NAME },
		{ .name = "start",
		  .type = FIELD_UINT,
		  .offset = offsetof(struct manifest_range, start),
		  .flags = FIELD_REQUIRED,
		  .min = 0,
		  .max = LIMIT_READ_BYTES },
		{ .name = "length",
		  .type = FIELD_UINT,
		  .offset = offsetof(struct manifest_range, length),
		  .flags = FIELD_REQUIRED,
		  .min = 0,
		  .max = LIMIT_READ_BYTES },
		{ .name = "file",
		  .type = FIELD_STRING,
		  .offset = offsetof(struct manifest_range, file),
		  REQUIRED_NAME },
		{ .name = "sha256",
		  .type = FIELD_CUSTOM,
		  .offset = offsetof(struct manifest_range, sha256),
		  .flags = FIELD_REQUIRED,
		  .read = read_digest },
	};
	int r;

	r = message_read(value, fields, ARRAY_SIZE(fields), range, problem);
	if (r == 0 && range->length > LIMIT_READ_BYTES - range->start)
		return problem_set(problem, "length", "goes beyond the largest flash");
	return r;
}

/* Two ranges in one file would prove nothing about one of them. */
static int check_unique(const struct manifest *manifest, size_t index, struct problem *problem)
{
	const struct manifest_range *range = &manifest->read.ranges[index];

	for (size_t i = 0; i < index; i++) {
		if (streq(manifest->read.ranges[i].name, range->name))
			return problem_set(problem, "name", "is used twice");
		if (streq(manifest->read.ranges[i].file, range->file))
			return problem_set(problem, "file", "is used twice");
	}
	return 0;
}

static int read_ranges(struct json_object *value, void *target, struct problem *problem)
{
	struct manifest *manifest = target;
	size_t n = message_length(value);

	if (!message_is_array(value) || n == 0 || n > LIMIT_RANGES)
		return problem_set(problem, "", "must be an array of 1 to %u", LIMIT_RANGES);
	manifest->read.ranges = calloc(n, sizeof(*manifest->read.ranges));
	if (!manifest->read.ranges)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int r = read_range(message_at(value, i),
				   &manifest->read.ranges[manifest->read.n_ranges++], problem);

		if (r == 0)
			r = check_unique(manifest, i, problem);
		if (r == -EBADMSG)
			problem_within_element(problem, "", i);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_verify(struct json_object *value, void *target, struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "mode",
		  .type = FIELD_STRING,
		  .offset = OFFSET(read.verify_mode),
		  REQUIRED_NAME },
		{ .name = "bytes",
		  .type = FIELD_UINT,
		  .offset = OFFSET(read.verify_bytes),
		  .flags = FIELD_REQUIRED },
		{ .name = "ok",
		  .type = FIELD_BOOL,
		  .offset = OFFSET(read.verify_ok),
		  .flags = FIELD_REQUIRED },
	};
	static const char *const modes[] = { "none", "sample", "full" };
	const struct manifest *manifest = target;
	int r;

	r = message_read(value, fields, ARRAY_SIZE(fields), target, problem);
	if (r == 0 && word_find(modes, ARRAY_SIZE(modes), manifest->read.verify_mode) < 0)
		return problem_set(problem, "mode", "must be one of none, sample, full");
	return r;
}

static int read_read(struct json_object *value, void *target, struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "method",
		  .type = FIELD_STRING,
		  .offset = OFFSET(read.method),
		  REQUIRED_NAME },
		{ .name = "ranges",
		  .type = FIELD_CUSTOM,
		  .flags = FIELD_REQUIRED,
		  .read = read_ranges },
		{ .name = "seconds",
		  .type = FIELD_REAL,
		  .offset = OFFSET(read.seconds),
		  .flags = FIELD_REQUIRED,
		  .min = 0,
		  .max = INT64_MAX },
		{ .name = "retries",
		  .type = FIELD_UINT,
		  .offset = OFFSET(read.retries),
		  .flags = FIELD_REQUIRED },
		{ .name = "resumed",
		  .type = FIELD_BOOL,
		  .offset = OFFSET(read.resumed),
		  .flags = FIELD_REQUIRED },
		{ .name = "verify",
		  .type = FIELD_CUSTOM,
		  .flags = FIELD_REQUIRED,
		  .read = read_verify },
	};
	static const char *const methods[] = { "brom", "da" };
	const struct manifest *manifest = target;
	int r;

	r = message_read(value, fields, ARRAY_SIZE(fields), target, problem);
	if (r == 0 && word_find(methods, ARRAY_SIZE(methods), manifest->read.method) < 0)
		return problem_set(problem, "method", "must be one of brom, da");
	return r;
}

/* ---- The whole ---- */

static int read_tool(struct json_object *value, void *target, struct problem *problem)
{
	struct {
		char *name;
		char *version;
	} tool = { 0 };
	const struct field fields[] = {
		{ .name = "name",
		  .type = FIELD_STRING,
		  .offset = offsetof(__typeof__(tool), name),
		  REQUIRED_NAME },
		{ .name = "version",
		  .type = FIELD_STRING,
		  .offset = offsetof(__typeof__(tool), version),
		  REQUIRED_NAME },
	};
	struct manifest *manifest = target;
	int r;

	r = message_read(value, fields, ARRAY_SIZE(fields), &tool, problem);
	if (r == 0)
		manifest->tool_version = TAKE_PTR(tool.version);
	free(tool.name);
	free(tool.version);
	return r;
}

#define COVERAGE(n)                                                           \
	{                                                                     \
		.name = #n, .type = FIELD_UINT, .offset = OFFSET(coverage.n), \
		.flags = FIELD_REQUIRED, .min = 0, .max = LIMIT_READ_BYTES    \
	}

static int read_coverage(struct json_object *value, void *target, struct problem *problem)
{
	static const struct field fields[] = {
		COVERAGE(firmware),
		COVERAGE(digest),
		COVERAGE(structure),
		COVERAGE(unproven),
	};

	return message_read(value, fields, ARRAY_SIZE(fields), target, problem);
}

static int read_rebuild(struct json_object *value, void *target, struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "ok",
		  .type = FIELD_BOOL,
		  .offset = OFFSET(rebuild.ok),
		  .flags = FIELD_REQUIRED },
		{ .name = "detail",
		  .type = FIELD_STRING,
		  .offset = OFFSET(rebuild.detail),
		  .flags = FIELD_CLEAN,
		  .min = 0,
		  .max = REBUILD_DETAIL_MAX },
	};
	struct manifest *manifest = target;

	manifest->rebuild.tried = true;
	return message_read(value, fields, ARRAY_SIZE(fields), target, problem);
}

static int read_labels(struct json_object *value, void *target, struct problem *problem)
{
	struct manifest *manifest = target;

	return labels_from_json(value, &manifest->labels, &manifest->n_labels, problem);
}

/* Its own number is the one thing that is read of a manifest of another format. */
static int check_format(struct json_object *object, struct problem *problem)
{
	int64_t format;

	if (message_int(message_member(object, "format"), &format) < 0)
		return problem_set(problem, "format", "must be a whole number");
	return format == MANIFEST_FORMAT ? 0 : -EPROTONOSUPPORT;
}

static int read_format(struct json_object *value _unused_, void *target _unused_,
		       struct problem *problem _unused_)
{
	return 0;
}

static const struct field fields[] = {
	{ .name = "format", .type = FIELD_CUSTOM, .flags = FIELD_REQUIRED, .read = read_format },
	{ .name = "id", .type = FIELD_STRING, .offset = OFFSET(id), .flags = FIELD_REQUIRED },
	{ .name = "created",
	  .type = FIELD_TIME,
	  .offset = OFFSET(created),
	  .flags = FIELD_REQUIRED },
	{ .name = "tool", .type = FIELD_CUSTOM, .flags = FIELD_REQUIRED, .read = read_tool },
	{ .name = "watch", .type = FIELD_CUSTOM, .flags = FIELD_REQUIRED, .read = read_watch },
	{ .name = "read", .type = FIELD_CUSTOM, .flags = FIELD_REQUIRED, .read = read_read },
	{ .name = "health", .type = FIELD_INT, .offset = OFFSET(health), .min = 0, .max = 100 },
	{ .name = "coverage", .type = FIELD_CUSTOM, .read = read_coverage },
	{ .name = "rebuild", .type = FIELD_CUSTOM, .read = read_rebuild },
	{ .name = "labels", .type = FIELD_CUSTOM, .flags = FIELD_REQUIRED, .read = read_labels },
	{ .name = "job",
	  .type = FIELD_INT,
	  .offset = OFFSET(job),
	  .flags = FIELD_REQUIRED,
	  .min = 0,
	  .max = INT64_MAX },
	{ .name = "slot",
	  .type = FIELD_STRING,
	  .offset = OFFSET(slot),
	  .flags = FIELD_CLEAN,
	  .min = 1,
	  .max = LIMIT_DEVICE_BYTES },
};

int manifest_from_text(const char *text, struct manifest *ret, struct problem *problem)
{
	_cleanup_(manifest_clear) struct manifest manifest = { .health = -1 };
	_cleanup_message_ struct json_object *object = NULL;
	size_t size = strlen(text);
	int r;

	if (size > LIMIT_MANIFEST_BYTES)
		return problem_set(problem, "", "is longer than %u bytes", LIMIT_MANIFEST_BYTES);
	r = message_parse(text, size, &object);
	if (r == -EBADMSG)
		return problem_set(problem, "", "is not well-formed JSON");
	if (r == 0)
		r = check_format(object, problem);
	if (r == 0)
		r = message_read(object, fields, ARRAY_SIZE(fields), &manifest, problem);
	if (r < 0)
		return r;
	if (!backup_id_is_valid(manifest.id))
		return problem_set(problem, "id", "is no name of a backup");
	*ret = TAKE_STRUCT(manifest);
	return 0;
}
