/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The board on a canvas: totals, tiles or rows, the last failure, keys. */

#include <stdbool.h>
#include <stdint.h>

#include "client/board/layout.h"
#include "client/board/model.h"

struct board_view {
	const struct board_tile *tiles;
	size_t n;
	struct board_totals totals;
	uint64_t now; /* real time */
	bool has_free;
	uint64_t free; /* bytes */
	size_t selected;
	const char *notice; /* what must be said now, NULL: nothing */
	enum tint notice_tint;
	const char *prompt; /* stands in the place of the keys, NULL: the keys */
	bool waits;         /* the list of slots has not come yet */
};

/* The whole screen. */
void board_paint(struct canvas *canvas, const struct board_layout *layout,
		 const struct board_view *view);

/* All but the tiles: what stands around a panel. */
void board_paint_frame(struct canvas *canvas, const struct board_layout *layout,
		       const struct board_view *view);

/* One tile, one row and the titles of the rows, each into its rectangle. */
void board_paint_tile(struct canvas *canvas, struct rect rect, const struct board_tile *tile,
		      bool selected);
void board_paint_row(struct canvas *canvas, struct rect rect, const struct board_tile *tile,
		     bool selected);
void board_paint_titles(struct canvas *canvas, struct rect rect, const struct board_layout *layout);

/* A bar of so many cells. */
void board_paint_bar(struct canvas *canvas, unsigned int y, unsigned int x, unsigned int cells,
		     enum tint tint, unsigned int percent);

/* True where a bar has a meaning; how far it is. */
bool board_has_percent(const struct board_tile *tile, unsigned int *ret_percent);
