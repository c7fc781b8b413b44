/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/read-map.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/strings.h"

struct extent {
	uint64_t start;
	uint64_t end; /* first byte behind it */
};

/* Extents are sorted, and between two of them at least one byte is missing. */
struct read_map {
	uint64_t size;
	struct extent *extents;
	size_t n;
	size_t room;
};

int read_map_new(uint64_t size, struct read_map **ret)
{
	struct read_map *map;

	if (size == 0)
		return -EINVAL;
	map = calloc(1, sizeof(*map));
	if (!map)
		return -ENOMEM;
	map->size = size;
	*ret = map;
	return 0;
}

void read_map_free(struct read_map *map)
{
	if (!map)
		return;
	free(map->extents);
	free(map);
}

uint64_t read_map_size(const struct read_map *map)
{
	return map->size;
}

uint64_t read_map_done(const struct read_map *map)
{
	uint64_t done = 0;

	for (size_t i = 0; i < map->n; i++)
		done += map->extents[i].end - map->extents[i].start;
	return done;
}

/* Index of the first extent that ends at or behind position: the first that could touch it. */
static size_t find_touching(const struct read_map *map, uint64_t position)
{
	size_t low = 0, high = map->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (map->extents[middle].end < position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int make_room(struct read_map *map)
{
	size_t room = map->room ? map->room * 2 : 16;
	struct extent *grown;

	if (map->n < map->room)
		return 0;
	if (map->n >= READ_MAP_EXTENTS_MAX)
		return -E2BIG;
	grown = reallocarray(map->extents, room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	map->extents = grown;
	map->room = room;
	return 0;
}

int read_map_add(struct read_map *map, uint64_t start, uint64_t length)
{
	struct extent new = { start, start + length };
	size_t first, last;
	int r;

	if (!bytes_inside(map->size, start, length))
		return -ERANGE;
	if (length == 0)
		return 0;
	first = find_touching(map, new.start);
	for (last = first; last < map->n && map->extents[last].start <= new.end; last++) {
		new.start = MIN_OF(new.start, map->extents[last].start);
		new.end = MAX_OF(new.end, map->extents[last].end);
	}
	if (last == first) {
		r = make_room(map);
		if (r < 0)
			return r;
		memmove(&map->extents[first + 1], &map->extents[first],
			(map->n - first) * sizeof(new));
		map->n++;
	} else {
		memmove(&map->extents[first + 1], &map->extents[last],
			(map->n - last) * sizeof(new));
		map->n -= last - first - 1;
	}
	map->extents[first] = new;
	return 0;
}

bool read_map_covers(const struct read_map *map, uint64_t start, uint64_t length)
{
	uint64_t gap, missing;

	if (!bytes_inside(map->size, start, length))
		return false;
	return !read_map_gap(map, start, &gap, &missing) || gap >= start + length;
}

bool read_map_gap(const struct read_map *map, uint64_t from, uint64_t *ret_start,
		  uint64_t *ret_length)
{
	uint64_t start = from, end = map->size;

	for (size_t i = find_touching(map, from); i < map->n; i++) {
		if (map->extents[i].start > start) {
			end = map->extents[i].start;
			break;
		}
		start = MAX_OF(start, map->extents[i].end);
	}
	if (start >= end)
		return false;
	*ret_start = start;
	*ret_length = end - start;
	return true;
}

static void print_piece(FILE *out, uint64_t start, uint64_t end, char status)
{
	if (end > start)
		fprintf(out, "0x%08" PRIX64 "  0x%08" PRIX64 "  %c\n", start, end - start, status);
}

int read_map_to_text(const struct read_map *map, char **ret)
{
	uint64_t position = 0, missing = 0;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool failed;

	if (!out)
		return -ENOMEM;
	if (!read_map_gap(map, 0, &position, &missing))
		position = map->size;
	fprintf(out, "# Mapfile in the format of GNU ddrescue\n"
		     "# current_pos  current_status\n");
	fprintf(out, "0x%08" PRIX64 "     %c\n", position, position < map->size ? '?' : '+');
	fprintf(out, "#      pos        size  status\n");
	position = 0;
	for (size_t i = 0; i < map->n; i++) {
		print_piece(out, position, map->extents[i].start, '?');
		print_piece(out, map->extents[i].start, map->extents[i].end, '+');
		position = map->extents[i].end;
	}
	print_piece(out, position, map->size, '?');
	failed = ferror(out) != 0;
	if (fclose(out) != 0 || failed) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}

/* The next whitespace-separated word of *line, NUL-terminated in place; NULL at its end. */
static char *next_word(char **line)
{
	char *word;

	do
		word = strsep(line, " \t\r");
	while (word && !*word);
	return word;
}

/* "0xPOS 0xSIZE STATUS"; the pieces must follow each other. */
static int parse_piece(struct read_map *map, char *line, uint64_t *position)
{
	const char *start_word = next_word(&line);
	const char *length_word = next_word(&line);
	const char *status = next_word(&line);
	uint64_t start, length;

	if (!start_word || !length_word || !status || strlen(status) != 1 || next_word(&line))
		return -EBADMSG;
	if (parse_size(start_word, &start) < 0 || parse_size(length_word, &length) < 0)
		return -EBADMSG;
	if (start != *position || length == 0 || !bytes_inside(map->size, start, length) ||
	    !strchr("+?*/-", *status))
		return -EBADMSG;
	*position += length;
	return *status == '+' ? read_map_add(map, start, length) : 0;
}

/* "0xPOS STATUS [PASS]": where a reader stopped; we find that in the pieces. */
static int check_position(char *line)
{
	const char *position_word = next_word(&line);
	const char *status = next_word(&line);
	uint64_t position;

	if (!position_word || !status || strlen(status) != 1)
		return -EBADMSG;
	return parse_size(position_word, &position) < 0 ? -EBADMSG : 0;
}

int read_map_from_text(const char *text, uint64_t size, struct read_map **ret)
{
	_cleanup_(read_map_freep) struct read_map *map = NULL;
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *line;
	bool has_position = false;
	uint64_t position = 0;
	int r = read_map_new(size, &map);

	if (r < 0)
		return r;
	if (!copy)
		return -ENOMEM;
	while ((line = strsep(&rest, "\n"))) {
		line += strspn(line, " \t\r");
		if (*line == '#' || !*line)
			continue;
		r = has_position ? parse_piece(map, line, &position) : check_position(line);
		if (r < 0)
			return r;
		has_position = true;
	}
	if (position != size)
		return -EBADMSG;
	*ret = TAKE_PTR(map);
	return 0;
}
