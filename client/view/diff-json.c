/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "client/view/diff.h"
#include "protocol/base/strings.h"
#include "protocol/control/message.h"

static int side_to_json(const struct diff_side *side, struct json_object **ret)
{
	const struct layout *layout = side->layout;
	char firmware[FLASH_FACTS_FIRMWARE_SIZE];
	bool readable = is_utf8(side->name, strlen(side->name));

	return message_build(
		ret,
		MEMBERS(M_STRING_OPT("image", readable ? side->name : NULL),
			M_STRING_OPT("chip", side->chip), M_INT("size", layout->size),
			M_INT("effective_size", layout->effective_size),
			M_STRING_OPT("platform", *layout->platform ? layout->platform : NULL),
			M_STRING_OPT("firmware", flash_facts_firmware(&layout->facts, firmware))));
}

/* NULL where that image has none. */
static int span_to_json(const struct layout_span *span, struct json_object **ret)
{
	*ret = NULL;
	return span->length == 0 ? 0
				 : message_build(ret, MEMBERS(M_INT("offset", span->offset),
							      M_INT("length", span->length)));
}

static int bytes_to_json(const struct image_diff_bytes *bytes, struct json_object **ret)
{
	bool any = bytes->differing > 0;

	return message_build(ret, MEMBERS(M_INT("compared", bytes->compared),
					  M_INT("differing", bytes->differing),
					  M_INT_IF(any, "first", bytes->first),
					  M_INT_IF(any, "last", bytes->end - 1),
					  M_INT("erased_in_a", bytes->erased_a),
					  M_INT("erased_in_b", bytes->erased_b)));
}

static int region_to_json(const struct image_diff_region *region, struct json_object **ret)
{
	_cleanup_message_ struct json_object *a = NULL, *b = NULL, *bytes = NULL;
	bool both = region->a.length > 0 && region->b.length > 0;
	int r = span_to_json(&region->a, &a);

	if (r >= 0)
		r = span_to_json(&region->b, &b);
	if (r >= 0 && both)
		r = bytes_to_json(&region->bytes, &bytes);
	if (r < 0)
		return r;
	return message_build(
		ret, MEMBERS(M_STRING("kind", layout_region_kind_to_string(region->kind)),
			     M_STRING("name", region->name),
			     M_STRING("result", image_diff_result_to_string(region->result)),
			     M_BOOL("moved", region->moved), M_OBJECT("a", TAKE_PTR(a)),
			     M_OBJECT("b", TAKE_PTR(b)), M_OBJECT("bytes", TAKE_PTR(bytes))));
}

static int regions_to_json(const struct image_diff *diff, struct json_object **ret)
{
	int r = message_new_array(ret);

	for (size_t i = 0; r >= 0 && i < diff->n_regions; i++) {
		struct json_object *region;

		r = region_to_json(&diff->regions[i], &region);
		if (r >= 0)
			r = message_append(*ret, region);
	}
	return r;
}

/* NULL where they cannot be read. */
static int files_to_json(const struct image_diff *diff, struct json_object **ret)
{
	_cleanup_message_ struct json_object *array = NULL;
	int r = diff->files_known ? message_new_array(&array) : 0;

	for (size_t i = 0; r >= 0 && i < diff->n_files; i++) {
		struct json_object *file;

		r = message_build(&file,
				  MEMBERS(M_STRING("path", diff->files[i].path),
					  M_STRING("result", image_diff_result_to_string(
								     diff->files[i].result))));
		if (r >= 0)
			r = message_append(array, file);
	}
	if (r < 0 || !diff->files_known)
		return r;
	return message_build(ret, MEMBERS(M_INT("same", diff->n_files_same),
					  M_INT("left_out", diff->n_files_left_out),
					  M_OBJECT("other", TAKE_PTR(array))));
}

int diff_view_to_json(const struct diff_side sides[2], const struct image_diff *diff,
		      struct json_object **ret)
{
	_cleanup_message_ struct json_object *a = NULL, *b = NULL, *regions = NULL, *rest = NULL;
	_cleanup_message_ struct json_object *files = NULL;
	int r = side_to_json(&sides[0], &a);

	if (r >= 0)
		r = side_to_json(&sides[1], &b);
	if (r >= 0)
		r = regions_to_json(diff, &regions);
	if (r >= 0)
		r = bytes_to_json(&diff->gaps, &rest);
	if (r >= 0)
		r = files_to_json(diff, &files);
	if (r < 0)
		return r;
	return message_build(
		ret,
		MEMBERS(M_BOOL("same", diff->same), M_OBJECT("a", TAKE_PTR(a)),
			M_OBJECT("b", TAKE_PTR(b)), M_OBJECT("regions", TAKE_PTR(regions)),
			M_OBJECT("rest", TAKE_PTR(rest)), M_INT("rest_only_in_a", diff->only_a),
			M_INT("rest_only_in_b", diff->only_b), M_OBJECT("files", TAKE_PTR(files))));
}
