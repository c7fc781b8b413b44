/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Two images compared by what lies in them: each thing that both layouts know, wherever it lies, then
 * what lies between, then the files of the user areas where both can be read. Both images are
 * hostile; the work is linear in their sizes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/firmware/layout.h"

enum image_diff_result {
	IMAGE_SAME,
	IMAGE_DIFFERS,
	IMAGE_ONLY_A,
	IMAGE_ONLY_B,
	_IMAGE_DIFF_RESULT_MAX,
};

/* Bytes that are in both and differ; offsets count from the begin of what is compared. */
struct image_diff_bytes {
	uint64_t compared;
	uint64_t differing;
	uint64_t first, end; /* the first of them, and behind the last */
	uint64_t erased_a;   /* of them FF in the first image: written since, or erased before */
	uint64_t erased_b;   /* and FF in the second */
};

/* A region that is more than a gap. */
struct image_diff_region {
	enum layout_region_kind kind;
	const char *name;        /* borrowed from a layout */
	struct layout_span a, b; /* length 0: that image has none */
	enum image_diff_result result;
	bool moved; /* in both, and not at the same offset */
	struct image_diff_bytes bytes;
};

/* A file of the user areas that is not the same in both. */
struct image_diff_file {
	char *path; /* with the number of its volume where there are several: "1:/NVRAM/X" */
	enum image_diff_result result;
};

#define IMAGE_DIFF_FILES_MAX 256U

struct image_diff {
	bool same; /* every byte, and both as large */
	struct image_diff_region *regions;
	size_t n_regions;
	/* Where neither layout knows anything; offsets in the images. */
	struct image_diff_bytes gaps;
	/* Bytes, not FF, where one layout knows nothing and the other has something or has ended. */
	uint64_t only_a, only_b;
	bool files_known; /* both user areas can be read */
	struct image_diff_file *files;
	size_t n_files;
	uint64_t n_files_left_out;
	uint64_t n_files_same;
};

/* The layouts must outlive it. -ENOMEM, -EIO without SHA-256. */
_must_check_ int image_diff_new(const struct layout *a, const struct layout *b,
				struct image_diff **ret);
void image_diff_free(struct image_diff *diff);
DEFINE_CLEANUP(struct image_diff *, image_diff_free);

/* "same", "differs", "only-a", "only-b". */
const char *image_diff_result_to_string(enum image_diff_result result);
