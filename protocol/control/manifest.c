/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

#define TOOL_NAME "mtkrbd"

void manifest_clear(struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->watch.n_evidence; i++) {
		free(manifest->watch.evidence[i].source);
		free(manifest->watch.evidence[i].text);
	}
	for (size_t i = 0; i < manifest->read.n_ranges; i++) {
		free(manifest->read.ranges[i].name);
		free(manifest->read.ranges[i].file);
	}
	free(manifest->id);
	free(manifest->tool_version);
	free(manifest->watch.chip);
	free(manifest->watch.meid);
	free(manifest->watch.firmware);
	free(manifest->watch.jedec);
	free(manifest->watch.evidence);
	free(manifest->read.method);
	free(manifest->read.ranges);
	free(manifest->read.verify_mode);
	free(manifest->rebuild.detail);
	free(manifest->slot);
	labels_free(manifest->labels, manifest->n_labels);
	*manifest = (struct manifest){ 0 };
}

/* ---- Writing ---- */

static int evidence_to_json(const struct manifest *manifest, struct json_object **ret)
{
	_cleanup_message_ struct json_object *array = NULL;
	int r;

	r = message_new_array(&array);
	for (size_t i = 0; r == 0 && i < manifest->watch.n_evidence; i++) {
		const struct evidence *evidence = &manifest->watch.evidence[i];
		struct json_object *element;

		r = message_build(&element,
				  MEMBERS(M_STRING("source", evidence->source),
					  M_STRING("text", evidence->text),
					  M_INT_IF(evidence->size > 0, "size", evidence->size)));
		if (r == 0)
			r = message_append(array, element);
	}
	if (r == 0)
		*ret = TAKE_PTR(array);
	return r;
}

static int watch_to_json(const struct manifest *manifest, struct json_object **ret)
{
	struct json_object *evidence = NULL, *flash;
	int r;

	r = evidence_to_json(manifest, &evidence);
	if (r < 0)
		return r;
	r = message_build(&flash, MEMBERS(M_STRING_OPT("jedec", manifest->watch.jedec),
					  M_INT_IF(manifest->watch.flash_size > 0, "size",
						   manifest->watch.flash_size),
					  M_OBJECT("evidence", evidence)));
	if (r < 0)
		return r;
	return message_build(ret, MEMBERS(M_STRING("chip", manifest->watch.chip),
					  M_INT("hw_code", manifest->watch.hw_code),
					  M_INT("hw_version", manifest->watch.hw_version),
					  M_INT("sw_version", manifest->watch.sw_version),
					  M_STRING_OPT("meid", manifest->watch.meid),
					  M_STRING_OPT("firmware", manifest->watch.firmware),
					  M_OBJECT("flash", flash)));
}

static int ranges_to_json(const struct manifest *manifest, struct json_object **ret)
{
	_cleanup_message_ struct json_object *array = NULL;
	int r;

	r = message_new_array(&array);
	for (size_t i = 0; r == 0 && i < manifest->read.n_ranges; i++) {
		const struct manifest_range *range = &manifest->read.ranges[i];
		struct json_object *element;

		r = message_build(&element, MEMBERS(M_STRING("name", range->name),
						    M_INT("start", range->start),
						    M_INT("length", range->length),
						    M_STRING("file", range->file),
						    M_STRING("sha256", range->sha256)));
		if (r == 0)
			r = message_append(array, element);
	}
	if (r == 0)
		*ret = TAKE_PTR(array);
	return r;
}

static int read_to_json(const struct manifest *manifest, struct json_object **ret)
{
	_cleanup_message_ struct json_object *ranges = NULL;
	struct json_object *verify;
	int r;

	r = ranges_to_json(manifest, &ranges);
	if (r < 0)
		return r;
	r = message_build(&verify, MEMBERS(M_STRING("mode", manifest->read.verify_mode),
					   M_INT("bytes", manifest->read.verify_bytes),
					   M_BOOL("ok", manifest->read.verify_ok)));
	if (r < 0)
		return r;
	return message_build(ret, MEMBERS(M_STRING("method", manifest->read.method),
					  M_OBJECT("ranges", TAKE_PTR(ranges)),
					  M_REAL("seconds", manifest->read.seconds),
					  M_INT("retries", manifest->read.retries),
					  M_BOOL("resumed", manifest->read.resumed),
					  M_OBJECT("verify", verify)));
}

/* NULL where nothing is told. */
static int coverage_to_json(const struct manifest *manifest, struct json_object **ret)
{
	if (manifest->coverage.firmware == 0)
		return 0;
	return message_build(ret, MEMBERS(M_INT("firmware", manifest->coverage.firmware),
					  M_INT("digest", manifest->coverage.digest),
					  M_INT("structure", manifest->coverage.structure),
					  M_INT("unproven", manifest->coverage.unproven)));
}

static int rebuild_to_json(const struct manifest *manifest, struct json_object **ret)
{
	if (!manifest->rebuild.tried)
		return 0;
	return message_build(ret, MEMBERS(M_BOOL("ok", manifest->rebuild.ok),
					  M_STRING_OPT("detail", manifest->rebuild.detail)));
}

/* The parts that are objects, which belong to message_build once they are handed over. */
struct parts {
	struct json_object *tool;
	struct json_object *watch;
	struct json_object *read;
	struct json_object *coverage;
	struct json_object *rebuild;
	struct json_object *labels;
};

static void parts_clear(struct parts *parts)
{
	message_unref(parts->tool);
	message_unref(parts->watch);
	message_unref(parts->read);
	message_unref(parts->coverage);
	message_unref(parts->rebuild);
	message_unref(parts->labels);
}

static int parts_build(const struct manifest *manifest, struct parts *parts)
{
	int r;

	r = message_build(&parts->tool, MEMBERS(M_STRING("name", TOOL_NAME),
						M_STRING("version", manifest->tool_version)));
	if (r == 0)
		r = watch_to_json(manifest, &parts->watch);
	if (r == 0)
		r = read_to_json(manifest, &parts->read);
	if (r == 0)
		r = coverage_to_json(manifest, &parts->coverage);
	if (r == 0)
		r = rebuild_to_json(manifest, &parts->rebuild);
	if (r == 0)
		r = labels_to_json(manifest->labels, manifest->n_labels, &parts->labels);
	return r;
}

int manifest_to_text(const struct manifest *manifest, char **ret)
{
	_cleanup_message_ struct json_object *object = NULL;
	_cleanup_(parts_clear) struct parts parts = { 0 };
	_cleanup_free_ char *text = NULL;
	char created[TIME_TEXT_SIZE];
	int r;

	r = parts_build(manifest, &parts);
	if (r < 0)
		return r;
	r = message_build(&object,
			  MEMBERS(M_INT("format", MANIFEST_FORMAT), M_STRING("id", manifest->id),
				  M_STRING("created", time_format(manifest->created, created)),
				  M_OBJECT("tool", TAKE_PTR(parts.tool)),
				  M_OBJECT("watch", TAKE_PTR(parts.watch)),
				  M_OBJECT("read", TAKE_PTR(parts.read)),
				  M_INT_IF(manifest->health >= 0, "health", manifest->health),
				  M_OBJECT("coverage", TAKE_PTR(parts.coverage)),
				  M_OBJECT("rebuild", TAKE_PTR(parts.rebuild)),
				  M_OBJECT("labels", TAKE_PTR(parts.labels)),
				  M_INT("job", manifest->job),
				  M_STRING_OPT("slot", manifest->slot)));
	if (r == 0)
		r = message_to_pretty_text(object, &text);
	if (r < 0)
		return r;
	*ret = str_format("%s\n", text);
	return *ret ? 0 : -ENOMEM;
}

/* ---- The catalogue ---- */

static int total_size(const struct manifest *manifest, uint64_t *ret)
{
	uint64_t size = 0;

	for (size_t i = 0; i < manifest->read.n_ranges; i++)
		if (__builtin_add_overflow(size, manifest->read.ranges[i].length, &size))
			return -EOVERFLOW;
	*ret = size;
	return 0;
}

static const struct manifest_range *range_at(const struct manifest *manifest, uint64_t position)
{
	for (size_t i = 0; i < manifest->read.n_ranges; i++) {
		const struct manifest_range *range = &manifest->read.ranges[i];

		if (position >= range->start && position - range->start < range->length)
			return range;
	}
	return NULL;
}

/* Ranges that were read apart may lie side by side. */
static bool covers_range(const struct manifest *manifest, const struct manifest_range *wanted)
{
	uint64_t done = 0;

	while (done < wanted->length) {
		const struct manifest_range *range = range_at(manifest, wanted->start + done);

		if (!range)
			return false;
		done += range->length - (wanted->start + done - range->start);
	}
	return true;
}

bool manifest_covers(const struct manifest *manifest, const struct manifest *other)
{
	for (size_t i = 0; i < other->read.n_ranges; i++)
		if (!covers_range(manifest, &other->read.ranges[i]))
			return false;
	return true;
}

/* Two backups have the same content when the same bytes lie at the same places. */
static int digest_content(const struct manifest *manifest, char ret[DIGEST_HEX_SIZE])
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < manifest->read.n_ranges; i++) {
		const struct manifest_range *range = &manifest->read.ranges[i];

		fprintf(out, "%" PRIu64 " %" PRIu64 " %s\n", range->start, range->length,
			range->sha256);
	}
	return fclose(out) != 0 ? -ENOMEM : digest_memory(text, size, ret);
}

int manifest_to_backup(const struct manifest *manifest, const char *path, struct backup *ret)
{
	_cleanup_(backup_clear) struct backup backup = {
		.created = manifest->created,
		.health = manifest->health,
		.job = manifest->job,
	};
	int r;

	if (manifest->read.n_ranges == 0)
		return -EINVAL;
	r = total_size(manifest, &backup.size);
	if (r == 0)
		r = str_replace(&backup.id, manifest->id);
	if (r == 0)
		r = str_replace(&backup.path, path);
	if (r == 0)
		r = str_replace(&backup.chip, manifest->watch.chip);
	if (r == 0)
		r = str_replace(&backup.meid, manifest->watch.meid);
	if (r == 0)
		r = str_replace(&backup.firmware, manifest->watch.firmware);
	if (r == 0)
		r = digest_content(manifest, backup.content);
	if (r == 0)
		r = str_replace(&backup.sha256, manifest->read.ranges[0].sha256);
	if (r == 0)
		r = labels_copy(manifest->labels, manifest->n_labels, &backup.labels,
				&backup.n_labels);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(backup);
	return 0;
}

/* "20261123T143110Z-" */
static bool has_compact_time(const char *id)
{
	static const char shape[] = "dddddddd"
				    "T"
				    "dddddd"
				    "Z-";

	for (size_t i = 0; i < sizeof(shape) - 1; i++) {
		bool digit = id[i] >= '0' && id[i] <= '9';

		if (shape[i] == 'd' ? !digit : id[i] != shape[i])
			return false;
	}
	return true;
}

bool backup_id_is_valid(const char *id)
{
	const char *chip, *middle, *job;

	if (!is_plain_name(id, LIMIT_BACKUP_ID_BYTES) || strstr(id, "..") || !has_compact_time(id))
		return false;
	chip = strchr(id, '-') + 1;
	middle = strchr(chip, '-');
	job = strrchr(chip, '-');
	/* Neither chip nor what stands between may be empty; a slot may hold hyphens of its own. */
	if (!middle || middle == chip || job <= middle + 1)
		return false;
	return job[1] != '\0' && strspn(job + 1, "0123456789") == strlen(job + 1);
}
