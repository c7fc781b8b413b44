/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/firmware/scatter.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "protocol/base/strings.h"
#include "protocol/firmware/scatter-internal.h"

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

int scatter_refuse(struct scatter_error *error, unsigned int line, const char *format, ...)
{
	va_list arguments;

	error->line = line;
	va_start(arguments, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	return -EBADMSG;
}

void scatter_free(struct scatter *scatter)
{
	if (!scatter)
		return;
	for (size_t i = 0; i < scatter->n_parts; i++) {
		free(scatter->parts[i].region);
		free(scatter->parts[i].name);
		free(scatter->parts[i].file);
	}
	for (size_t i = 0; i < scatter->n_flashes; i++) {
		free(scatter->flashes[i].type);
		free(scatter->flashes[i].memory_type);
		free(scatter->flashes[i].emi_setting);
	}
	free(scatter->parts);
	free(scatter->flashes);
	free(scatter->version);
	free(scatter->platform);
	free(scatter->project);
	free(scatter->memory_version);
	free(scatter);
}

int scatter_add_part(struct scatter *scatter, unsigned int line, struct scatter_part **ret,
		     struct scatter_error *error)
{
	struct scatter_part *grown;

	if (scatter->n_parts == SCATTER_PARTS_MAX)
		return scatter_refuse(error, line, "more than %u parts", SCATTER_PARTS_MAX);
	grown = reallocarray(scatter->parts, scatter->n_parts + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	scatter->parts = grown;
	*ret = &grown[scatter->n_parts++];
	**ret = (struct scatter_part){ .line = line };
	return 0;
}

int scatter_add_flash(struct scatter *scatter, unsigned int line, struct scatter_flash **ret,
		      struct scatter_error *error)
{
	struct scatter_flash *grown;

	if (scatter->n_flashes == SCATTER_FLASHES_MAX)
		return scatter_refuse(error, line, "more than %u flash parts", SCATTER_FLASHES_MAX);
	grown = reallocarray(scatter->flashes, scatter->n_flashes + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	scatter->flashes = grown;
	*ret = &grown[scatter->n_flashes++];
	**ret = (struct scatter_flash){ .line = line };
	return 0;
}

int scatter_copy_text(const char *text, size_t size, unsigned int line, char **ret,
		      struct scatter_error *error)
{
	char *copy;

	if (size == 0)
		return scatter_refuse(error, line, "a name or value is missing");
	if (size > SCATTER_TEXT_MAX)
		return scatter_refuse(error, line, "a name or value is longer than %u bytes",
				      SCATTER_TEXT_MAX);
	if (!is_utf8(text, size))
		return scatter_refuse(error, line, "not UTF-8 text");
	for (size_t i = 0; i < size; i++)
		if (iscntrl((unsigned char)text[i]))
			return scatter_refuse(error, line, "a control character in a value");
	copy = strndup(text, size);
	if (!copy)
		return -ENOMEM;
	free(*ret);
	*ret = copy;
	return 0;
}

/* The placed part of the same region behind another one, NULL when it is the last. */
static const struct scatter_part *next_placed(const struct scatter *scatter, size_t index)
{
	for (size_t i = index + 1; i < scatter->n_parts; i++)
		if (scatter->parts[i].placed &&
		    streq_ptr(scatter->parts[i].region, scatter->parts[index].region))
			return &scatter->parts[i];
	return NULL;
}

int scatter_close_gaps(struct scatter *scatter, struct scatter_error *error)
{
	for (size_t i = 0; i < scatter->n_parts; i++) {
		struct scatter_part *part = &scatter->parts[i];
		const struct scatter_part *next = next_placed(scatter, i);

		if (!part->placed || part->length > 0 || !next)
			continue;
		if (next->start <= part->start)
			return scatter_refuse(error, next->line,
					      "%s begins at 0x%" PRIx64
					      ", not behind %s at 0x%" PRIx64,
					      next->name, next->start, part->name, part->start);
		part->length = next->start - part->start;
	}
	return 0;
}

/* ---- The older smartphone form ---- */

struct line {
	const char *text;
	size_t size; /* without blanks at both ends and without comment */
	unsigned int number;
};

/* The next line that has content; false at the end. */
static bool next_line(const char **at, const char *end, struct line *line)
{
	while (*at < end) {
		const char *stop = memchr(*at, '\n', (size_t)(end - *at));
		const char *begin = *at, *last = stop ? stop : end;
		const char *comment = memchr(begin, '#', (size_t)(last - begin));

		*at = stop ? stop + 1 : end;
		line->number++;
		if (comment)
			last = comment;
		while (begin < last && isspace((unsigned char)*begin))
			begin++;
		while (last > begin && isspace((unsigned char)last[-1]))
			last--;
		line->text = begin;
		line->size = (size_t)(last - begin);
		if (line->size > 0)
			return true;
	}
	return false;
}

/* NAME 0xADDRESS; -EINVAL for a line that is something else. */
static int split_line(const struct line *line, size_t *ret_name, uint64_t *ret_address)
{
	char number[24];
	size_t name = 0, at, size;

	while (name < line->size && !isspace((unsigned char)line->text[name]))
		name++;
	at = name;
	while (at < line->size && isspace((unsigned char)line->text[at]))
		at++;
	size = line->size - at;
	if (size < 3 || size >= sizeof(number))
		return -EINVAL;
	memcpy(number, line->text + at, size);
	number[size] = '\0';
	if (number[0] != '0' || (number[1] | 0x20) != 'x' || parse_size(number, ret_address) < 0)
		return -EINVAL;
	*ret_name = name;
	return 0;
}

static bool is_brace(const struct line *line, char brace)
{
	return line->size == 1 && line->text[0] == brace;
}

static int read_list_part(struct scatter *scatter, const struct line *line,
			  struct scatter_error *error)
{
	struct scatter_part *part;
	uint64_t address;
	size_t name;
	int r;

	if (split_line(line, &name, &address) < 0)
		return scatter_refuse(error, line->number, "not of the form NAME 0xADDRESS");
	r = scatter_add_part(scatter, line->number, &part, error);
	if (r < 0)
		return r;
	part->start = address;
	part->placed = address < SCATTER_MARKS;
	return scatter_copy_text(line->text, name, line->number, &part->name, error);
}

static int read_list(const char *text, size_t size, struct scatter *scatter,
		     struct scatter_error *error)
{
	const char *at = text, *end = text + size;
	struct line line = { 0 };

	scatter->form = SCATTER_LIST;
	while (next_line(&at, end, &line)) {
		int r = read_list_part(scatter, &line, error);

		if (r < 0)
			return r;
		if (!next_line(&at, end, &line) || !is_brace(&line, '{'))
			return scatter_refuse(error, line.number, "a { is missing");
		if (!next_line(&at, end, &line) || !is_brace(&line, '}'))
			return scatter_refuse(error, line.number, "a } is missing");
	}
	return scatter_close_gaps(scatter, error);
}

/* ---- Which form is it? ---- */

static bool looks_like_list(const char *text, size_t size)
{
	const char *at = text;
	struct line line = { 0 };
	uint64_t address;
	size_t name;

	return next_line(&at, text + size, &line) && split_line(&line, &name, &address) == 0 &&
	       name > 0 && line.text[name - 1] != ':';
}

int scatter_parse(const char *text, size_t size, struct scatter **ret,
		  struct scatter_error *ret_error)
{
	_cleanup_(scatter_freep) struct scatter *scatter = NULL;
	const size_t mark = sizeof(BYTE_ORDER_MARK) - 1;
	int r;

	*ret_error = (struct scatter_error){ 0 };
	if (size > SCATTER_BYTES_MAX)
		return scatter_refuse(ret_error, 0, "larger than %u bytes: this is no such file",
				      SCATTER_BYTES_MAX);
	if (size >= mark && memcmp(text, BYTE_ORDER_MARK, mark) == 0) {
		text += mark;
		size -= mark;
	}
	scatter = calloc(1, sizeof(*scatter));
	if (!scatter)
		return -ENOMEM;
	r = looks_like_list(text, size) ? read_list(text, size, scatter, ret_error)
					: scatter_read_yaml(text, size, scatter, ret_error);
	if (r < 0)
		return r;
	if (scatter->n_parts == 0)
		return scatter_refuse(ret_error, 0, "it names no part");
	*ret = TAKE_PTR(scatter);
	return 0;
}

const char *scatter_part_base(const struct scatter_part *part)
{
	const char *base = part->name;

	for (const char *s = part->name; *s; s++)
		if ((*s == '/' || *s == '\\') && s[1])
			base = s + 1;
	return base;
}

bool scatter_part_in(const struct scatter_part *part, const char *region)
{
	return part->region && streq(part->region, region);
}
