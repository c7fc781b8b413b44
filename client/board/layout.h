/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where things stand on a screen of any size: tiles as large as they can be, a line for each slot
 * where tiles have no room, and scrolling where lines have none either.
 */

#include <stdbool.h>
#include <stddef.h>

#include "client/board/canvas.h"

/* Of a tile: the name, what to do, the bar; and the same with room for everything, and a thick bar. */
#define TILE_LINES_MIN 3U
#define TILE_LINES_MAX 8U

enum board_form {
	BOARD_TOO_SMALL,
	BOARD_ROWS,
	BOARD_TILES,
};

enum board_move {
	MOVE_UP,
	MOVE_DOWN,
	MOVE_LEFT,
	MOVE_RIGHT,
	MOVE_PAGE_UP,
	MOVE_PAGE_DOWN,
	MOVE_FIRST,
	MOVE_LAST,
};

struct board_layout {
	enum board_form form;
	unsigned int lines, columns; /* of the screen */
	struct rect header;          /* totals, clock */
	struct rect notice;          /* a line for what must be said now */
	struct rect titles;          /* over the rows; no lines with tiles */
	struct rect area;            /* of tiles or rows */
	struct rect failure;         /* the last one; no lines where there is no room */
	struct rect keys;
	size_t n;              /* slots */
	size_t across;         /* tiles side by side; 1 with rows */
	struct rect tile;      /* the first one; of all the same size */
	unsigned int pitch;    /* lines from a tile to the one below it */
	size_t first, visible; /* the slots that are shown */
};

/*
 * n slots on so many lines and columns; the selected one is shown, and scrolled no further from
 * first (as the last layout had it) than that takes.
 */
struct board_layout board_layout(unsigned int lines, unsigned int columns, size_t n,
				 size_t selected, size_t first);

/* Where the slot of that index is; false when it is scrolled away. */
bool board_layout_place(const struct board_layout *layout, size_t index, struct rect *ret);

/* Which slot is selected after a key; selected when there is none in that direction. */
size_t board_layout_move(const struct board_layout *layout, size_t selected, enum board_move move);
