/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/layout-json.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/strings.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

#define ERASED_FILL      0xff
#define LEFTOVER         "leftover/"
#define LOWER_HEX_DIGITS "0123456789abcdef"
#define TEXT_MAX         128
#define OFFSET(member)   offsetof(struct layout_json, member)

void layout_json_clear(struct layout_json *layout)
{
	free((void *)layout->sha256);
	free((void *)layout->project);
	free((void *)layout->version);
	free((void *)layout->platform);
	free((void *)layout->cfg_file);
	free((void *)layout->cfg_sha256);
	free((void *)layout->pieces);
	*layout = (struct layout_json){ 0 };
}

/* ---- Writing ---- */

static int piece_to_json(const struct image_piece *piece, struct json_object **ret)
{
	return message_build(
		ret,
		MEMBERS(M_INT("offset", piece->offset), M_INT("length", piece->length),
			M_STRING("name", piece->name), M_STRING("kind", piece->kind),
			M_STRING_OPT("file",
				     piece->content == IMAGE_PIECE_FILE ? piece->file : NULL),
			M_INT_IF(piece->content == IMAGE_PIECE_ERASED, "fill", ERASED_FILL),
			M_INT_IF(piece->content == IMAGE_PIECE_REPEATED, "repeats", piece->repeats),
			M_STRING("sha256", piece->sha256), M_INT("sum", piece->sum),
			M_BOOL("listed", piece->listed),
			M_BOOL("device_specific", piece->device_specific)));
}

static int pieces_to_json(const struct layout_json *layout, struct json_object **ret)
{
	_cleanup_message_ struct json_object *array = NULL;
	int r = message_new_array(&array);

	for (size_t i = 0; r >= 0 && i < layout->n_pieces; i++) {
		struct json_object *piece = NULL;

		r = piece_to_json(&layout->pieces[i], &piece);
		if (r >= 0)
			r = message_append(array, piece);
	}
	if (r >= 0)
		*ret = TAKE_PTR(array);
	return r;
}

static const char *known(const char *text)
{
	return text && *text ? text : NULL;
}

static int layout_to_json(const struct layout_json *layout, struct json_object **ret)
{
	_cleanup_message_ struct json_object *image = NULL, *firmware = NULL, *cfg = NULL;
	struct json_object *pieces = NULL;
	int r = message_build(&image, MEMBERS(M_INT("size", layout->size),
					      M_STRING("sha256", layout->sha256),
					      M_INT("effective_size", layout->effective_size)));

	if (r >= 0)
		r = message_build(&firmware,
				  MEMBERS(M_STRING_OPT("project", known(layout->project)),
					  M_STRING_OPT("version", known(layout->version)),
					  M_STRING_OPT("platform", known(layout->platform))));
	if (r >= 0 && layout->cfg_file)
		r = message_build(&cfg, MEMBERS(M_STRING("file", layout->cfg_file),
						M_STRING("sha256", layout->cfg_sha256)));
	if (r >= 0)
		r = pieces_to_json(layout, &pieces);
	if (r < 0)
		return r;
	return message_build(ret,
			     MEMBERS(M_INT("format", LAYOUT_JSON_FORMAT),
				     M_OBJECT("image", TAKE_PTR(image)),
				     M_OBJECT("firmware", TAKE_PTR(firmware)),
				     M_OBJECT("cfg", TAKE_PTR(cfg)), M_OBJECT("pieces", pieces)));
}

int layout_json_to_text(const struct layout_json *layout, char **ret)
{
	_cleanup_message_ struct json_object *object = NULL;
	_cleanup_free_ char *text = NULL;
	int r = layout_to_json(layout, &object);

	if (r >= 0)
		r = message_to_pretty_text(object, &text);
	if (r < 0)
		return r;
	*ret = str_format("%s\n", text);
	return *ret ? 0 : -ENOMEM;
}

/* ---- Reading ---- */

static int check_digest(const char *s, struct problem *problem)
{

	if (!s || strlen(s) != DIGEST_HEX_SIZE - 1 ||
	    strspn(s, LOWER_HEX_DIGITS) != DIGEST_HEX_SIZE - 1)
		return problem_set(problem, "", "must be a SHA-256 in lower-case hexadecimal");
	return 0;
}

static int read_piece_digest(struct json_object *value, void *target, struct problem *problem)
{
	const char *s = message_string(value);
	int r = check_digest(s, problem);

	if (r >= 0)
		memcpy(target, s, DIGEST_HEX_SIZE);
	return r;
}

static int read_digest(struct json_object *value, void *target, struct problem *problem)
{
	const char *s = message_string(value);
	int r = check_digest(s, problem);

	return r < 0 ? r : str_replace(target, s);
}

/* What a piece has as text, before it is put into the fixed fields. */
struct piece_text {
	struct image_piece piece;
	char *name, *kind, *file;
	int64_t fill; /* -1: not there, so with repeats */
	int64_t repeats;
	uint32_t sum;
};

static void piece_text_clear(struct piece_text *text)
{
	free(text->name);
	free(text->kind);
	free(text->file);
}

/* Below the set, or in its folder of leftovers. */
static bool is_piece_file(const char *file)
{
	const char *below = strafter(file, LEFTOVER);

	return is_plain_name(below ? below : file, NAME_MAX);
}

static int finish_piece(struct piece_text *text, struct problem *problem)
{
	struct image_piece *piece = &text->piece;
	int n = (text->file != NULL) + (text->fill >= 0) + (text->repeats >= 0);

	if (n != 1)
		return problem_set(problem, "", "must have one of file, fill, repeats");
	if (text->file && !is_piece_file(text->file))
		return problem_set(problem, "file", "must be a name below the set");
	if (text->fill >= 0 && text->fill != ERASED_FILL)
		return problem_set(problem, "fill", "must be %d", ERASED_FILL);
	if (text->repeats >= 0 && (uint64_t)text->repeats >= piece->offset)
		return problem_set(problem, "repeats", "must lie before the piece");
	if (text->sum > UINT16_MAX)
		return problem_set(problem, "sum", "must have 16 bits");
	piece->content = text->file        ? IMAGE_PIECE_FILE
			 : text->fill >= 0 ? IMAGE_PIECE_ERASED
					   : IMAGE_PIECE_REPEATED;
	piece->repeats = text->repeats >= 0 ? (uint64_t)text->repeats : 0;
	piece->sum = (uint16_t)text->sum;
	(void)snprintf(piece->name, sizeof(piece->name), "%s", text->name);
	(void)snprintf(piece->kind, sizeof(piece->kind), "%s", text->kind);
	if (text->file)
		(void)snprintf(piece->file, sizeof(piece->file), "%s", text->file);
	return 0;
}

#define PIECE(member) offsetof(struct piece_text, member)

static const struct field piece_fields[] = {
	{ .name = "offset",
	  .type = FIELD_UINT,
	  .offset = PIECE(piece.offset),
	  .flags = FIELD_REQUIRED,
	  .min = 0,
	  .max = LIMIT_READ_BYTES },
	{ .name = "length",
	  .type = FIELD_UINT,
	  .offset = PIECE(piece.length),
	  .flags = FIELD_REQUIRED,
	  .min = 1,
	  .max = LIMIT_READ_BYTES },
	{ .name = "name",
	  .type = FIELD_STRING,
	  .offset = PIECE(name),
	  .flags = FIELD_REQUIRED | FIELD_CLEAN,
	  .min = 1,
	  .max = IMAGE_PIECE_NAME_SIZE - 1 },
	{ .name = "kind",
	  .type = FIELD_STRING,
	  .offset = PIECE(kind),
	  .flags = FIELD_REQUIRED | FIELD_NAME,
	  .min = 1,
	  .max = IMAGE_PIECE_NAME_SIZE - 1 },
	{ .name = "file",
	  .type = FIELD_STRING,
	  .offset = PIECE(file),
	  .min = 1,
	  .max = IMAGE_PIECE_FILE_SIZE - 1 },
	{ .name = "fill", .type = FIELD_INT, .offset = PIECE(fill), .min = 0, .max = UINT8_MAX },
	{ .name = "repeats",
	  .type = FIELD_INT,
	  .offset = PIECE(repeats),
	  .min = 0,
	  .max = LIMIT_READ_BYTES },
	{ .name = "sha256",
	  .type = FIELD_CUSTOM,
	  .offset = PIECE(piece.sha256),
	  .flags = FIELD_REQUIRED,
	  .read = read_piece_digest },
	{ .name = "sum", .type = FIELD_UINT32, .offset = PIECE(sum), .flags = FIELD_REQUIRED },
	{ .name = "listed",
	  .type = FIELD_BOOL,
	  .offset = PIECE(piece.listed),
	  .flags = FIELD_REQUIRED },
	{ .name = "device_specific",
	  .type = FIELD_BOOL,
	  .offset = PIECE(piece.device_specific),
	  .flags = FIELD_REQUIRED },
};

static int read_piece(struct json_object *value, struct image_piece *ret, struct problem *problem)
{
	_cleanup_(piece_text_clear) struct piece_text text = { .fill = -1, .repeats = -1 };
	int r = message_read(value, piece_fields, ARRAY_SIZE(piece_fields), &text, problem);

	if (r >= 0)
		r = finish_piece(&text, problem);
	if (r >= 0)
		*ret = text.piece;
	return r;
}

static int read_pieces(struct json_object *value, void *target, struct problem *problem)
{
	struct layout_json *layout = target;
	struct image_piece *pieces;
	size_t n = message_length(value);

	if (!message_is_array(value) || n == 0 || n > LAYOUT_JSON_PIECES_MAX)
		return problem_set(problem, "", "must be an array of 1 to %u",
				   LAYOUT_JSON_PIECES_MAX);
	layout->pieces = pieces = calloc(n, sizeof(*pieces));
	if (!pieces)
		return -ENOMEM;
	for (; layout->n_pieces < n; layout->n_pieces++) {
		int r = read_piece(message_at(value, layout->n_pieces), &pieces[layout->n_pieces],
				   problem);

		if (r == -EBADMSG)
			problem_within_element(problem, "", layout->n_pieces);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_image(struct json_object *value, void *target, struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "size",
		  .type = FIELD_UINT,
		  .offset = OFFSET(size),
		  .flags = FIELD_REQUIRED,
		  .min = 1,
		  .max = LIMIT_READ_BYTES },
		{ .name = "sha256",
		  .type = FIELD_CUSTOM,
		  .offset = OFFSET(sha256),
		  .flags = FIELD_REQUIRED,
		  .read = read_digest },
		{ .name = "effective_size",
		  .type = FIELD_UINT,
		  .offset = OFFSET(effective_size),
		  .flags = FIELD_REQUIRED,
		  .min = 1,
		  .max = LIMIT_READ_BYTES },
	};

	return message_read(value, fields, ARRAY_SIZE(fields), target, problem);
}

#define FIRMWARE_TEXT(n)                                                                     \
	{                                                                                    \
		.name = #n, .type = FIELD_STRING, .offset = OFFSET(n), .flags = FIELD_CLEAN, \
		.min = 1, .max = TEXT_MAX                                                    \
	}

static int read_firmware(struct json_object *value, void *target, struct problem *problem)
{
	static const struct field fields[] = {
		FIRMWARE_TEXT(project),
		FIRMWARE_TEXT(version),
		FIRMWARE_TEXT(platform),
	};

	return message_read(value, fields, ARRAY_SIZE(fields), target, problem);
}

static int read_cfg(struct json_object *value, void *target, struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "file",
		  .type = FIELD_STRING,
		  .offset = OFFSET(cfg_file),
		  .flags = FIELD_REQUIRED | FIELD_NAME,
		  .min = 1,
		  .max = LIMIT_NAME_BYTES },
		{ .name = "sha256",
		  .type = FIELD_CUSTOM,
		  .offset = OFFSET(cfg_sha256),
		  .flags = FIELD_REQUIRED,
		  .read = read_digest },
	};

	return message_read(value, fields, ARRAY_SIZE(fields), target, problem);
}

static int read_format(struct json_object *value, void *target _unused_, struct problem *problem)
{
	int64_t format;

	if (message_int(value, &format) < 0)
		return problem_set(problem, "", "must be a whole number");
	return format == LAYOUT_JSON_FORMAT ? 0 : -EPROTONOSUPPORT;
}

static const struct field fields[] = {
	{ .name = "format", .type = FIELD_CUSTOM, .flags = FIELD_REQUIRED, .read = read_format },
	{ .name = "image", .type = FIELD_CUSTOM, .flags = FIELD_REQUIRED, .read = read_image },
	{ .name = "firmware",
	  .type = FIELD_CUSTOM,
	  .flags = FIELD_REQUIRED,
	  .read = read_firmware },
	{ .name = "cfg", .type = FIELD_CUSTOM, .read = read_cfg },
	{ .name = "pieces", .type = FIELD_CUSTOM, .flags = FIELD_REQUIRED, .read = read_pieces },
};

/* The image's size may stand behind the pieces, so this comes last. */
static int check_pieces(const struct layout_json *layout, struct problem *problem)
{
	for (size_t i = 0; i < layout->n_pieces; i++)
		if (!bytes_inside(layout->size, layout->pieces[i].offset,
				  layout->pieces[i].length)) {
			(void)problem_set(problem, "length", "goes beyond the image");
			problem_within_element(problem, "pieces", i);
			return -EBADMSG;
		}
	return 0;
}

int layout_json_from_text(const char *text, struct layout_json *ret, struct problem *problem)
{
	_cleanup_(layout_json_clear) struct layout_json layout = { 0 };
	_cleanup_message_ struct json_object *object = NULL;
	int r = message_parse(text, strlen(text), &object);

	if (r == -EBADMSG)
		return problem_set(problem, "", "is not well-formed JSON");
	if (r >= 0)
		r = message_read(object, fields, ARRAY_SIZE(fields), &layout, problem);
	if (r >= 0)
		r = check_pieces(&layout, problem);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(layout);
	return 0;
}
