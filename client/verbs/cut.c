/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/image-file.h"
#include "client/output/print.h"
#include "client/verb.h"
#include "protocol/base/bytes.h"
#include "protocol/base/digest.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/message.h"
#include "protocol/firmware/layout.h"

enum { KEY_START = 1, KEY_LENGTH, KEY_REGION, KEY_FORCE, KEY_OUTPUT = 'o' };

struct cut {
	const char *file, *output, *region;
	uint64_t start, length;
	bool has_start, has_length, force;
};

static int cut_option(struct arguments *arguments, struct cut *cut, int key, const char *value)
{
	switch (key) {
	case KEY_START:
		cut->has_start = true;
		if (parse_size(value, &cut->start) < 0)
			return arguments_wrong(arguments, "--start=%s: not an offset", value);
		return 0;
	case KEY_LENGTH:
		cut->has_length = true;
		if (parse_size(value, &cut->length) < 0 || cut->length == 0)
			return arguments_wrong(arguments, "--length=%s: not a number of bytes",
					       value);
		return 0;
	case KEY_REGION:
		cut->region = value;
		return 0;
	case KEY_FORCE:
		cut->force = true;
		return 0;
	default:
		cut->output = value;
		return 0;
	}
}

static int cut_parse(struct arguments *arguments, struct cut *cut)
{
	const char *value;
	char **operands;
	size_t n;
	int key;

	while ((key = arguments_next(arguments, &value)) > 0)
		if (cut_option(arguments, cut, key, value) < 0)
			return -EINVAL;
	if (key < 0 || arguments_operands(arguments, 1, 1, &operands, &n) < 0)
		return -EINVAL;
	cut->file = operands[0];
	if (!cut->output) {
		arguments_wrong(arguments, "cut: --output=FILE is missing");
		return -EINVAL;
	}
	if (cut->region ? cut->has_start || cut->has_length : !cut->has_start || !cut->has_length)
		return arguments_wrong(arguments, "cut: either --start and --length, or --region");
	return 0;
}

/* ---- By name ---- */

/* A firmware file whole, whatever has regions of its own in it, comes before a region. */
static bool cut_find(const struct layout *layout, const char *name, struct layout_span *ret)
{
	for (size_t i = 0; i < layout->n_parts; i++)
		if (streq(layout->parts[i].name, name) && layout->parts[i].available > 0) {
			*ret = (struct layout_span){ layout->parts[i].offset,
						     layout->parts[i].available };
			return true;
		}
	for (size_t i = 0; i < layout->n_regions; i++) {
		const struct layout_region *region = &layout->regions[i];

		if (streq(region->name, name) ||
		    streq(layout_region_kind_to_string(region->kind), name)) {
			*ret = (struct layout_span){ region->offset, region->length };
			return true;
		}
	}
	return false;
}

/* Each name once; an image of noise may have thousands of regions, but few names. */
static void cut_print_names(const struct client *client, const struct layout *layout)
{
	_cleanup_free_ char *names = NULL;
	const char *comma = "";
	size_t size = 0;
	FILE *out = open_memstream(&names, &size);

	if (!out)
		return;
	for (size_t i = 0; i < layout->n_parts; i++)
		fprintf(out, "%s%s", i > 0 ? ", " : "", layout->parts[i].name);
	if (layout->n_parts > 0)
		comma = ", ";
	for (size_t i = 0; i < layout->n_regions; i++) {
		const struct layout_region *region = &layout->regions[i];
		struct layout_span first;

		if (region->kind == REGION_FILE || !cut_find(layout, region->name, &first) ||
		    first.offset != region->offset)
			continue;
		fprintf(out, "%s%s", comma, region->name);
		comma = ", ";
	}
	if (fclose(out) == 0)
		print_hint(client, "the regions are: %s", names);
}

static int cut_find_region(const struct client *client, const struct image_file *image,
			   struct cut *cut)
{
	_cleanup_(layout_freep) struct layout *layout = NULL;
	struct layout_span span;
	int r = layout_new(image->data, image->size, &layout);

	if (r < 0)
		return client_status(client, r);
	if (!cut_find(layout, cut->region, &span)) {
		print_failure(client, "%s: no region of the name %s", cut->file, cut->region);
		cut_print_names(client, layout);
		return STATUS_NOT_FOUND;
	}
	cut->start = span.offset;
	cut->length = span.length;
	return STATUS_DONE;
}

/* ---- Writing ---- */

/* A file that is in the way is removed and not written into: it may be the image itself. */
static int cut_write_file(const struct cut *cut, const uint8_t *data)
{
	_cleanup_close_ int fd = -1;
	int r;

	if (cut->force && unlink(cut->output) < 0 && errno != ENOENT)
		return -errno;
	fd = open(cut->output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, data, cut->length);
	return r < 0 ? r : fd_sync(fd);
}

static int cut_write(const struct client *client, const struct cut *cut, const uint8_t *data)
{
	int r;

	if (streq(cut->output, "-"))
		r = fd_write_all(STDOUT_FILENO, data, cut->length);
	else
		r = cut_write_file(cut, data);
	if (r >= 0)
		return STATUS_DONE;
	print_failure(client, "%s: %s", cut->output, strerror(-r));
	if (r == -EEXIST)
		print_hint(client, "--force writes over it");
	return r == -EACCES ? STATUS_NOT_PERMITTED : STATUS_FAILED;
}

static int cut_print(const struct client *client, const struct cut *cut, const uint8_t *data)
{
	_cleanup_message_ struct json_object *object = NULL;
	char sha256[DIGEST_HEX_SIZE], bytes[16];
	int r = digest_memory(data, cut->length, sha256);

	if (r < 0 || streq(cut->output, "-"))
		return r;
	if (client->json) {
		r = message_build(&object,
				  MEMBERS(M_STRING("file", cut->output),
					  M_STRING_OPT("region", cut->region),
					  M_INT("start", cut->start), M_INT("length", cut->length),
					  M_STRING("sha256", sha256)));
		return r < 0 ? r : print_json(client, object);
	}
	if (client->quiet)
		return 0;
	print_line("%s: 0x%" PRIx64 " to 0x%" PRIx64 ", %" PRIu64 " bytes (%s)", cut->output,
		   cut->start, cut->start + cut->length, cut->length,
		   format_bytes(cut->length, bytes));
	print_line("SHA-256 %s", sha256);
	return 0;
}

static int cut_run(struct client *client, struct arguments *arguments)
{
	_cleanup_(image_file_clear) struct image_file image = { 0 };
	struct cut cut = { 0 };
	int r;

	if (cut_parse(arguments, &cut) < 0)
		return arguments->status;
	r = image_file_read(client, cut.file, &image);
	if (r == STATUS_DONE && cut.region)
		r = cut_find_region(client, &image, &cut);
	if (r != STATUS_DONE)
		return r;
	if (!bytes_inside(image.size, cut.start, cut.length)) {
		print_failure(client, "%s: ends at 0x%" PRIx64 ", before what is to be cut",
			      cut.file, image.size);
		return STATUS_FAILED;
	}
	r = cut_write(client, &cut, image.data + cut.start);
	if (r != STATUS_DONE)
		return r;
	return client_status(client, cut_print(client, &cut, image.data + cut.start));
}

static const struct verb_option cut_options[] = {
	{ "start", KEY_START, "OFFSET", "where it begins; 0x and K, M, G are understood" },
	{ "length", KEY_LENGTH, "BYTES", "how much" },
	{ "region", KEY_REGION, "NAME", "a firmware file or region by its name instead" },
	{ "output", KEY_OUTPUT, "FILE", "where to write it; - is stdout" },
	{ "force", KEY_FORCE, NULL, "write over an existing file" },
	{ 0 },
};

const struct verb verb_cut = {
	.name = "cut",
	.group = "Images",
	.host = HOST_REFUSED,
	.arguments = "FILE",
	.summary = "cut a piece out of a flash image",
	.details = "Needs no daemon. An unknown region's name lists those that there are.",
	.options = cut_options,
	.run = cut_run,
};
