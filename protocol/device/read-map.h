/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which bytes of a range are in its file already. As text it is a map file of GNU ddrescue (its
 * manual, "Mapfile structure"), so that people can look at an unfinished image with known tools.
 * Positions are offsets in the file.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

#define READ_MAP_EXTENTS_MAX 32768U /* a map with more pieces than this is refused */

struct read_map;

/* Nothing of size bytes is done yet. -ENOMEM, -EINVAL for a size of 0. */
_must_check_ int read_map_new(uint64_t size, struct read_map **ret);
void read_map_free(struct read_map *map);
DEFINE_CLEANUP(struct read_map *, read_map_free);

uint64_t read_map_size(const struct read_map *map);

/* Bytes that are done. */
uint64_t read_map_done(const struct read_map *map);

/* Marks a piece as done; pieces may overlap and touch. -ERANGE outside the map, -E2BIG, -ENOMEM. */
_must_check_ int read_map_add(struct read_map *map, uint64_t start, uint64_t length);

/* True when every byte of the piece is done. */
bool read_map_covers(const struct read_map *map, uint64_t start, uint64_t length);

/* The first piece at or behind from that is not done; false when there is none. */
bool read_map_gap(const struct read_map *map, uint64_t from, uint64_t *ret_start,
		  uint64_t *ret_length);

/* A new map file; the caller frees it. -ENOMEM. */
_must_check_ int read_map_to_text(const struct read_map *map, char **ret);

/*
 * Reads a map file that must describe exactly size bytes from 0 without holes: '+' is done, '?',
 * '*', '/' and '-' are not. -EBADMSG for anything else, -E2BIG, -ENOMEM.
 */
_must_check_ int read_map_from_text(const char *text, uint64_t size, struct read_map **ret);
