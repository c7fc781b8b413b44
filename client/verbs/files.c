/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/image-file.h"
#include "client/output/print.h"
#include "client/output/table.h"
#include "client/verb.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/message.h"
#include "protocol/firmware/layout.h"
#include "protocol/firmware/user-area.h"

enum { KEY_FORCE = 1, KEY_OUTPUT = 'o' };

/* An image and the files in it. */
struct opened {
	struct image_file image;
	struct user_area *area;
};

static void opened_clear(struct opened *opened)
{
	user_area_free(opened->area);
	image_file_clear(&opened->image);
}

/* ---- Opening ---- */

static int refuse(const struct client *client, const char *path,
		  const struct user_area_refusal *refusal)
{
	bool inside = refusal->state == USER_AREA_FILE_SYSTEM;

	print_failure(client, "%s: %s: %s%s%s", path, user_area_state_to_string(refusal->state),
		      user_area_describe(refusal->state), inside ? ": " : "",
		      inside ? fat_fault_to_string(refusal->fault) : "");
	if (refusal->state > USER_AREA_ERASED)
		print_hint(client,
			   "'mtkrbctl cut %s --region=user-area -o FILE' takes it out as it is",
			   path);
	else if (refusal->state == USER_AREA_EMPTY)
		print_hint(client, "'mtkrbctl check %s' tells what is in the image", path);
	return STATUS_FAILED;
}

static int find_user_area(const struct image_file *image, struct layout_span *ret)
{
	_cleanup_(layout_freep) struct layout *layout = NULL;
	int r = layout_new(image->data, image->size, &layout);

	if (r >= 0)
		*ret = layout->user_area;
	return r;
}

static int open_files(const struct client *client, const char *path, struct opened *ret)
{
	struct user_area_refusal refusal = { .state = USER_AREA_EMPTY };
	struct layout_span span = { 0 };
	int r = image_file_read(client, path, &ret->image);

	if (r != STATUS_DONE)
		return r;
	r = find_user_area(&ret->image, &span);
	if (r >= 0)
		r = user_area_open(ret->image.data + span.offset, span.length, &ret->area,
				   &refusal);
	if (r == -EBADMSG)
		return refuse(client, path, &refusal);
	if (r >= 0)
		print_note(client, "experimental: %s; what is inside the files is not proven",
			   user_area_order_describe(ret->area->order));
	return client_status(client, r);
}

/* ---- files ---- */

static int add_json(struct json_object *array, size_t volume, const struct fat_entry *entry)
{
	_cleanup_free_ char *path = str_format("%zu/%s", volume + 1, entry->path);
	struct json_object *object = NULL;
	int r = path ? message_build(&object, MEMBERS(M_STRING("path", path),
						      M_BOOL("directory", entry->directory),
						      M_INT("size", entry->size)))
		     : -ENOMEM;

	return r < 0 ? r : message_append(array, object);
}

static int files_print_json(const struct client *client, const char *path,
			    const struct user_area *area)
{
	_cleanup_message_ struct json_object *array = NULL, *object = NULL;
	int r = message_new_array(&array);

	for (size_t i = 0; i < area->n_volumes; i++)
		for (size_t j = 0; r >= 0 && j < area->volumes[i]->n_entries; j++)
			r = add_json(array, i, &area->volumes[i]->entries[j]);
	if (r >= 0)
		r = message_build(&object,
				  MEMBERS(M_STRING("file", path), M_BOOL("experimental", true),
					  M_STRING("order", user_area_order_describe(area->order)),
					  M_OBJECT("files", TAKE_PTR(array))));
	return r < 0 ? r : print_json(client, object);
}

static int files_print(const struct client *client, const struct user_area *area)
{
	static const struct column columns[] = {
		{ .title = "SIZE", .right = true },
		{ .title = "PATH" },
	};
	_cleanup_(table_freep) struct table *table = NULL;
	int r = table_new(columns, ARRAY_SIZE(columns), &table);

	if (r < 0)
		return r;
	for (size_t i = 0; i < area->n_volumes; i++)
		for (size_t j = 0; j < area->volumes[i]->n_entries; j++) {
			const struct fat_entry *entry = &area->volumes[i]->entries[j];

			if (entry->directory)
				table_add(table, TINT_FAINT, "-");
			else
				table_addf(table, TINT_NONE, "%" PRIu32, entry->size);
			table_addf(table, TINT_NONE, "%zu/%s%s", i + 1, entry->path,
				   entry->directory ? "/" : "");
		}
	return table_print(table, &client->out, stdout);
}

static int files_run(struct client *client, struct arguments *arguments)
{
	_cleanup_(opened_clear) struct opened opened = { 0 };
	char **operands;
	size_t n;
	int r;

	if (arguments_only_operands(arguments, 1, 1, &operands, &n) < 0)
		return arguments->status;
	r = open_files(client, operands[0], &opened);
	if (r != STATUS_DONE)
		return r;
	r = client->json ? files_print_json(client, operands[0], opened.area)
			 : files_print(client, opened.area);
	return client_status(client, r);
}

/* ---- extract ---- */

struct extraction {
	const char *file, *path, *output;
	bool force;
};

static int extract_parse(struct arguments *arguments, struct extraction *ret)
{
	const char *value;
	char **operands;
	size_t n;
	int key;

	while ((key = arguments_next(arguments, &value)) > 0) {
		if (key == KEY_FORCE)
			ret->force = true;
		else
			ret->output = value;
	}
	if (key < 0 || arguments_operands(arguments, 2, 2, &operands, &n) < 0)
		return -EINVAL;
	ret->file = operands[0];
	ret->path = operands[1];
	if (!ret->output) {
		arguments_wrong(arguments, "extract: --output=FILE is missing");
		return -EINVAL;
	}
	return 0;
}

/* "1/DCIM/PHOTO.JPG": the number of the volume comes first. */
static const struct fat_entry *find(const struct user_area *area, const char *path,
				    const struct fat **ret_fat)
{
	size_t volume = (size_t)(*path - '1');

	if (*path < '1' || volume >= area->n_volumes || path[1] != '/')
		return NULL;
	*ret_fat = area->volumes[volume];
	for (size_t i = 0; i < (*ret_fat)->n_entries; i++)
		if (streq((*ret_fat)->entries[i].path, path + 2))
			return &(*ret_fat)->entries[i];
	return NULL;
}

static int write_piece(void *userdata, const void *data, size_t size)
{
	return fd_write_all(*(const int *)userdata, data, size);
}

/* A file that is in the way is removed and not written into: it may be the image itself. */
static int extract_write(const struct extraction *extraction, const struct fat *fat,
			 const struct fat_entry *entry)
{
	_cleanup_close_ int fd = -1;
	int out = STDOUT_FILENO, r;

	if (streq(extraction->output, "-"))
		return fat_read(fat, entry, write_piece, &out);
	if (extraction->force && unlink(extraction->output) < 0 && errno != ENOENT)
		return -errno;
	fd = open(extraction->output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	r = fat_read(fat, entry, write_piece, &fd);
	return r < 0 ? r : fd_sync(fd);
}

static int extract_print(const struct client *client, const struct extraction *extraction,
			 const struct fat_entry *entry)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r;

	if (streq(extraction->output, "-"))
		return 0;
	if (client->json) {
		r = message_build(&object, MEMBERS(M_STRING("file", extraction->output),
						   M_STRING("path", extraction->path),
						   M_BOOL("experimental", true),
						   M_INT("size", entry->size)));
		return r < 0 ? r : print_json(client, object);
	}
	if (!client->quiet)
		print_line("%s: %" PRIu32 " bytes", extraction->output, entry->size);
	return 0;
}

static int extract_entry(const struct client *client, const struct extraction *extraction,
			 const struct user_area *area)
{
	const struct fat *fat = NULL;
	const struct fat_entry *entry = find(area, extraction->path, &fat);
	int r;

	if (!entry || entry->directory) {
		print_failure(client, "%s: %s %s", extraction->file,
			      entry ? "is a directory:" : "has no file", extraction->path);
		print_hint(client, "'mtkrbctl files %s' lists what there is", extraction->file);
		return entry ? STATUS_FAILED : STATUS_NOT_FOUND;
	}
	r = extract_write(extraction, fat, entry);
	if (r >= 0)
		return client_status(client, extract_print(client, extraction, entry));
	print_failure(client, "%s: %s", extraction->output, strerror(-r));
	if (r == -EEXIST)
		print_hint(client, "--force writes over it");
	return r == -EACCES ? STATUS_NOT_PERMITTED : STATUS_FAILED;
}

static int extract_run(struct client *client, struct arguments *arguments)
{
	_cleanup_(opened_clear) struct opened opened = { 0 };
	struct extraction extraction = { 0 };
	int r;

	if (extract_parse(arguments, &extraction) < 0)
		return arguments->status;
	r = open_files(client, extraction.file, &opened);
	return r == STATUS_DONE ? extract_entry(client, &extraction, opened.area) : r;
}

static const struct verb_option extract_options[] = {
	{ "output", KEY_OUTPUT, "FILE", "where to write it; - is stdout" },
	{ "force", KEY_FORCE, NULL, "write over an existing file" },
	{ 0 },
};

const struct verb verb_files = {
	.name = "files",
	.group = "Images",
	.host = HOST_REFUSED,
	.arguments = "FILE",
	.summary = "files in the user area of a flash image (experimental)",
	.details =
		"Needs no daemon. How a watch orders the sectors of its user area is not known: "
		"they are\ntaken in the order of their blocks, and refused unless partitions and "
		"file systems are\nwhole that way. What is inside the files cannot be proven.",
	.run = files_run,
};

const struct verb verb_extract = {
	.name = "extract",
	.group = "Images",
	.host = HOST_REFUSED,
	.arguments = "FILE PATH",
	.summary = "one file out of the user area of a flash image (experimental)",
	.details = "Needs no daemon. PATH is as 'files' lists it. What is inside cannot be proven; "
		   "see 'files'.",
	.options = extract_options,
	.run = extract_run,
};
