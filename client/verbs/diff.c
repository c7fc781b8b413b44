/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "client/arguments.h"
#include "client/calls/catalogue.h"
#include "client/client.h"
#include "client/image-file.h"
#include "client/output/print.h"
#include "client/verb.h"
#include "client/view/diff.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/limits.h"
#include "protocol/control/manifest.h"
#include "protocol/control/message.h"

/* One of the two, from the word that the user gave. */
struct side {
	struct backup backup; /* of an id; else empty */
	char *path;           /* of the image */
	struct image_file image;
	struct layout *layout;
};

static void side_clear(struct side *side)
{
	layout_free(side->layout);
	image_file_clear(&side->image);
	backup_clear(&side->backup);
	free(side->path);
}

/* Of a backup's ranges the longest that begins at 0, else the first. */
static const char *side_find_image(const struct manifest *manifest)
{
	const struct manifest_range *best = &manifest->read.ranges[0];

	for (size_t i = 1; i < manifest->read.n_ranges; i++) {
		const struct manifest_range *range = &manifest->read.ranges[i];

		if (range->start == 0 && (best->start != 0 || range->length > best->length))
			best = range;
	}
	return best->file;
}

static int side_read_manifest(const struct client *client, struct side *side)
{
	_cleanup_free_ char *path = str_format("%s/" MANIFEST_FILE, side->backup.path);
	_cleanup_free_ char *text = NULL;
	struct manifest manifest = { 0 };
	struct problem problem = { 0 };
	const char *file;
	int r = path ? fd_read_file(AT_FDCWD, path, LIMIT_MANIFEST_BYTES, &text, NULL) : -ENOMEM;

	if (r < 0) {
		print_failure(client, "%s: %s", path ? path : MANIFEST_FILE, strerror(-r));
		if (r == -EACCES)
			print_hint(client, "backups are for root and the group mtkrb");
		return r == -EACCES ? STATUS_NOT_PERMITTED : STATUS_FAILED;
	}
	r = manifest_from_text(text, &manifest, &problem);
	if (r < 0) {
		print_failure(client, "%s: %s %s", path, problem.field, problem.reason);
		return STATUS_FAILED;
	}
	file = side_find_image(&manifest);
	side->path = str_format("%s/%s", side->backup.path, file);
	if (manifest.read.n_ranges > 1)
		print_note(client, "of the %zu ranges of %s only %s is compared",
			   manifest.read.n_ranges, side->backup.id, file);
	manifest_clear(&manifest);
	return side->path ? STATUS_DONE : client_status(client, -ENOMEM);
}

/* A file of that name goes before a backup of that id. */
static int side_find(struct client *client, const char *word, struct side *side)
{
	struct stat st;
	int r;

	if (!backup_id_is_valid(word) || (stat(word, &st) == 0 && !S_ISDIR(st.st_mode))) {
		side->path = strdup(word);
		return side->path ? STATUS_DONE : client_status(client, -ENOMEM);
	}
	r = catalogue_get(client, word, &side->backup);
	return r == STATUS_DONE ? side_read_manifest(client, side) : r;
}

static int side_open(struct client *client, const char *word, struct side *side)
{
	int r = side_find(client, word, side);

	if (r == STATUS_DONE)
		r = image_file_read(client, side->path, &side->image);
	if (r == STATUS_NOT_FOUND && streq_ptr(side->path, word))
		print_hint(client,
			   "it is no id of a backup either; 'mtkrbctl backups' lists those");
	if (r != STATUS_DONE)
		return r;
	return client_status(client, layout_new(side->image.data, side->image.size, &side->layout));
}

static int diff_print(const struct client *client, const struct diff_side sides[2],
		      const struct image_diff *diff)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r;

	if (!client->json)
		return client->quiet ? 0 : diff_view_print(client, sides, diff);
	r = diff_view_to_json(sides, diff, &object);
	return r < 0 ? r : print_json(client, object);
}

static int diff_sides(struct client *client, char *const *words, const struct side *a,
		      const struct side *b)
{
	const struct diff_side sides[2] = {
		{ words[0], a->backup.chip, a->layout },
		{ words[1], b->backup.chip, b->layout },
	};
	_cleanup_(image_diff_freep) struct image_diff *diff = NULL;
	int r = image_diff_new(a->layout, b->layout, &diff);

	if (r >= 0)
		r = diff_print(client, sides, diff);
	if (r < 0)
		return client_status(client, r);
	return diff->same ? STATUS_DONE : STATUS_FAILED;
}

/* It reads the backups' files: so it has to run where they are. */
static int diff_there(const struct client *client, const char *const words[2])
{
	for (size_t i = 0; i < 2; i++) {
		if (backup_id_is_valid(words[i]))
			continue;
		print_failure(client, "diff compares two backups of %s: %s is no id of one",
			      client->host, words[i]);
		print_hint(client,
			   "'mtkrbctl -H %s export ID FOLDER' copies a backup to this machine, "
			   "where diff takes files",
			   client->host);
		return STATUS_USAGE;
	}
	return client_run_there(client, "diff", words, 2);
}

static int diff_run(struct client *client, struct arguments *arguments)
{
	_cleanup_(side_clear) struct side a = { 0 }, b = { 0 };
	char **words;
	size_t n;
	int r;

	if (arguments_only_operands(arguments, 2, 2, &words, &n) < 0)
		return arguments->status;
	if (client->host_given ||
	    (client->host && (backup_id_is_valid(words[0]) || backup_id_is_valid(words[1]))))
		return diff_there(client, (const char *const *)words);
	r = side_open(client, words[0], &a);
	if (r == STATUS_DONE)
		r = side_open(client, words[1], &b);
	return r == STATUS_DONE ? diff_sides(client, words, &a, &b) : r;
}

const struct verb verb_diff = {
	.name = "diff",
	.group = "Backups",
	.host = HOST_RUNS,
	.arguments = "A B",
	.summary = "compare two backups or image files, region by region",
	.details =
		"A and B are ids of backups or image files, which need no daemon; with --host ids\n"
		"alone. Each part of the firmware is compared with the same part of the other, "
		"also\n"
		"where it lies elsewhere; offsets of differences count from the part's begin. The\n"
		"user area differs on every watch that was used in between.\n"
		"Exit status 0 when they are the same, 1 when they differ.",
	.run = diff_run,
};
