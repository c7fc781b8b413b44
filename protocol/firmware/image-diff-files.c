/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The files of two user areas, by their paths. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/digest.h"
#include "protocol/base/strings.h"
#include "protocol/firmware/image-diff-internal.h"
#include "protocol/firmware/user-area.h"

/* A file of one area; all is borrowed from that. */
struct file {
	size_t volume;
	const struct fat *fat;
	const struct fat_entry *entry;
};

struct files {
	struct user_area *area;
	struct file *items; /* in the order of volume and path */
	size_t n;
};

static void files_clear(struct files *files)
{
	free(files->items);
	user_area_free(files->area);
}

static int compare_files(const void *x, const void *y)
{
	const struct file *a = x, *b = y;

	if (a->volume != b->volume)
		return a->volume < b->volume ? -1 : 1;
	return strcmp(a->entry->path, b->entry->path);
}

static int list_files(struct files *files)
{
	const struct user_area *area = files->area;
	size_t room = 1;

	for (size_t i = 0; i < area->n_volumes; i++)
		room += area->volumes[i]->n_entries;
	files->items = calloc(room, sizeof(*files->items));
	if (!files->items)
		return -ENOMEM;
	for (size_t i = 0; i < area->n_volumes; i++)
		for (size_t j = 0; j < area->volumes[i]->n_entries; j++)
			if (!area->volumes[i]->entries[j].directory)
				files->items[files->n++] =
					(struct file){ i, area->volumes[i],
						       &area->volumes[i]->entries[j] };
	qsort(files->items, files->n, sizeof(*files->items), compare_files);
	return 0;
}

/* -EBADMSG when the area cannot be read, as most cannot. */
static int open_files(const struct layout *layout, struct files *ret)
{
	struct user_area_refusal refusal;
	int r = user_area_open(layout->image + layout->user_area.offset, layout->user_area.length,
			       &ret->area, &refusal);

	return r < 0 ? r : list_files(ret);
}

static int add_to_digest(void *userdata, const void *data, size_t size)
{
	return digest_add(userdata, data, size);
}

static int digest_of(const struct file *file, char ret[DIGEST_HEX_SIZE])
{
	_cleanup_(digest_freep) struct digest *digest = NULL;
	int r = digest_new(&digest);

	if (r >= 0)
		r = fat_read(file->fat, file->entry, add_to_digest, digest);
	return r < 0 ? r : digest_end(digest, ret);
}

/* 1 the same, 0 not. */
static int is_same(const struct file *a, const struct file *b)
{
	char x[DIGEST_HEX_SIZE], y[DIGEST_HEX_SIZE];
	int r;

	if (a->entry->size != b->entry->size)
		return 0;
	r = digest_of(a, x);
	if (r >= 0)
		r = digest_of(b, y);
	return r < 0 ? r : streq(x, y);
}

static int add_file(struct image_diff *diff, const struct file *file, bool several,
		    enum image_diff_result result)
{
	char *path;

	if (diff->n_files == IMAGE_DIFF_FILES_MAX) {
		diff->n_files_left_out++;
		return 0;
	}
	path = several ? str_format("%zu:/%s", file->volume, file->entry->path)
		       : strdup(file->entry->path);
	if (!path)
		return -ENOMEM;
	diff->files[diff->n_files++] = (struct image_diff_file){ path, result };
	return 0;
}

/* Goes along both lists, which are in the same order. */
static int diff_lists(const struct files *a, const struct files *b, struct image_diff *diff)
{
	bool several = a->area->n_volumes > 1 || b->area->n_volumes > 1;
	size_t i = 0, j = 0;
	int r = 0;

	while (r >= 0 && (i < a->n || j < b->n)) {
		int order = i == a->n   ? 1
			    : j == b->n ? -1
					: compare_files(&a->items[i], &b->items[j]);

		if (order < 0) {
			r = add_file(diff, &a->items[i++], several, IMAGE_ONLY_A);
			continue;
		}
		if (order > 0) {
			r = add_file(diff, &b->items[j++], several, IMAGE_ONLY_B);
			continue;
		}
		r = is_same(&a->items[i], &b->items[j++]);
		if (r == 0)
			r = add_file(diff, &a->items[i], several, IMAGE_DIFFERS);
		else if (r > 0)
			diff->n_files_same++;
		i++;
	}
	return r;
}

int image_diff_files(const struct layout *a, const struct layout *b, struct image_diff *diff)
{
	_cleanup_(files_clear) struct files in_a = { 0 }, in_b = { 0 };
	int r = open_files(a, &in_a);

	if (r >= 0)
		r = open_files(b, &in_b);
	if (r == -EBADMSG)
		return 0;
	if (r < 0)
		return r;
	diff->files = calloc(IMAGE_DIFF_FILES_MAX, sizeof(*diff->files));
	if (!diff->files)
		return -ENOMEM;
	diff->files_known = true;
	return diff_lists(&in_a, &in_b, diff);
}
