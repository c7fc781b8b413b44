/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/view/check-json.h"

#include <errno.h>

#include "protocol/base/strings.h"
#include "protocol/control/message.h"
#include "protocol/firmware/health.h"

typedef int (*element_builder)(const void *list, size_t index, struct json_object **ret);

/* An array of n elements; -ENOMEM. */
static int build_array(const void *list, size_t n, element_builder build, struct json_object **ret)
{
	_cleanup_message_ struct json_object *array = NULL;
	int r = message_new_array(&array);

	for (size_t i = 0; r >= 0 && i < n; i++) {
		struct json_object *element = NULL;

		r = build(list, i, &element);
		if (r >= 0)
			r = message_append(array, element);
	}
	if (r >= 0)
		*ret = TAKE_PTR(array);
	return r;
}

static int build_region(const void *list, size_t index, struct json_object **ret)
{
	const struct layout_region *region = (const struct layout_region *)list + index;

	return message_build(
		ret, MEMBERS(M_STRING("kind", layout_region_kind_to_string(region->kind)),
			     M_STRING("name", region->name), M_INT("offset", region->offset),
			     M_INT("length", region->length)));
}

static int build_part(const void *list, size_t index, struct json_object **ret)
{
	const struct layout_part *part = (const struct layout_part *)list + index;

	return message_build(ret,
			     MEMBERS(M_STRING("name", part->name), M_INT("type", part->type),
				     M_INT("offset", part->offset), M_INT("length", part->length),
				     M_INT("load_address", part->gfh.load_address),
				     M_BOOL("listed", part->listed)));
}

static int build_flash_part(const void *list, size_t index, struct json_object **ret)
{
	const struct flash_part *part = (const struct flash_part *)list + index;
	char id[2 * sizeof(part->id) + 1];

	hex_encode(part->id, part->id_length, id);
	return message_build(
		ret, MEMBERS(M_STRING("id", id), M_INT_IF(part->size > 0, "size", part->size)));
}

static int build_check(const void *list, size_t index, struct json_object **ret)
{
	const struct health_check *check = (const struct health_check *)list + index;

	return message_build(
		ret, MEMBERS(M_STRING("name", check->name), M_STRING_OPT("part", check->part),
			     M_STRING("outcome", health_outcome_to_string(check->outcome)),
			     M_STRING("severity", health_severity_to_string(check->severity)),
			     M_INT("offset", check->offset), M_INT("length", check->length),
			     M_STRING("text", check->text), M_STRING_OPT("hint", check->hint)));
}

static int build_range(const void *list, size_t index, struct json_object **ret)
{
	const struct image_range *range = (const struct image_range *)list + index;

	return message_build(
		ret, MEMBERS(M_INT("offset", range->offset), M_INT("length", range->length)));
}

static int build_coverage(const struct health_coverage *coverage, struct json_object **ret)
{
	return message_build(ret, MEMBERS(M_INT("firmware", coverage->firmware),
					  M_INT("digest", coverage->digest),
					  M_INT("structure", coverage->structure),
					  M_INT("unproven", coverage->unproven),
					  M_INT("same", coverage->same)));
}

static int build_difference(const struct image_difference *difference, struct json_object **ret)
{
	struct json_object *ranges = NULL;
	int r = build_array(difference->ranges, difference->n_ranges, build_range, &ranges);

	if (r < 0)
		return r;
	return message_build(ret, MEMBERS(M_INT("compared", difference->compared),
					  M_INT("missing", difference->missing),
					  M_INT("differing", difference->bytes),
					  M_INT("ranges_left_out", difference->n_ranges_left_out),
					  M_OBJECT("ranges", ranges)));
}

/* The lists of an image and of its report. */
struct lists {
	struct json_object *regions, *parts, *flash_ids, *checks, *coverage, *difference;
};

static void lists_clear(struct lists *lists)
{
	message_unref(lists->regions);
	message_unref(lists->parts);
	message_unref(lists->flash_ids);
	message_unref(lists->checks);
	message_unref(lists->coverage);
	message_unref(lists->difference);
}

static int build_lists(const struct layout *layout, const struct health_report *report,
		       struct lists *lists)
{
	int r = build_array(layout->regions, layout->n_regions, build_region, &lists->regions);

	if (r >= 0)
		r = build_array(layout->parts, layout->n_parts, build_part, &lists->parts);
	if (r >= 0)
		r = build_array(layout->facts.parts, layout->facts.n_parts, build_flash_part,
				&lists->flash_ids);
	if (r >= 0)
		r = build_array(report->checks, report->n_checks, build_check, &lists->checks);
	if (r >= 0)
		r = build_coverage(&report->coverage, &lists->coverage);
	if (r >= 0 && report->difference.compared > 0)
		r = build_difference(&report->difference, &lists->difference);
	return r;
}

static const char *known(const char *text)
{
	return *text ? text : NULL;
}

int check_to_json(const char *path, const struct layout *layout, const struct health_report *report,
		  struct json_object **ret)
{
	_cleanup_(lists_clear) struct lists lists = { 0 };
	_cleanup_free_ char *summary = health_summary(report);
	int r = summary ? build_lists(layout, report, &lists) : -ENOMEM;

	if (r < 0)
		return r;
	return message_build(
		ret, MEMBERS(M_STRING_OPT("file", is_utf8(path, strlen(path)) ? path : NULL),
			     M_INT("size", layout->size),
			     M_INT("effective_size", layout->effective_size),
			     M_STRING_OPT("platform", known(layout->platform)),
			     M_STRING_OPT("project", known(layout->facts.project)),
			     M_STRING_OPT("version", known(layout->facts.version)),
			     M_BOOL("healthy", health_is_good(report)),
			     M_INT("score", report->score), M_STRING("summary", summary),
			     M_OBJECT("coverage", TAKE_PTR(lists.coverage)),
			     M_OBJECT("checks", TAKE_PTR(lists.checks)),
			     M_OBJECT("difference", TAKE_PTR(lists.difference)),
			     M_OBJECT("flash_ids", TAKE_PTR(lists.flash_ids)),
			     M_OBJECT("parts", TAKE_PTR(lists.parts)),
			     M_OBJECT("regions", TAKE_PTR(lists.regions))));
}
