/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/board/layout.h"

#define LINES_MIN   5U
#define COLUMNS_MIN 20U

#define TILE_COLUMNS_MIN 36U
#define TILE_COLUMNS_MAX 100U
#define TILE_GAP         2U /* columns between tiles */
#define TILE_SPREAD      4U /* lines between them at most */
#define MARGIN           1U /* columns at the right edge */

#define ROOMY_LINES 16U /* from here the last failure has its place */

/* The lines from top to bottom, all as wide as the screen. */
static void layout_stack(struct board_layout *layout)
{
	unsigned int lines = layout->lines;
	unsigned int failure = lines >= 30 ? 3 : lines >= ROOMY_LINES ? 2 : 0;
	struct rect line = { .lines = 1, .columns = layout->columns };

	layout->header = layout->notice = layout->area = layout->failure = layout->keys = line;
	layout->notice.y = 1;
	layout->area.y = 2;
	layout->area.lines = lines - 3 - failure;
	layout->area.columns -= MARGIN;
	layout->failure.lines = failure;
	layout->failure.y = lines - 1 - failure;
	layout->keys.y = lines - 1;
}

/* Lines that a tile has when so many stand side by side; below TILE_LINES_MIN: too many. */
static unsigned int tile_lines(const struct board_layout *layout, size_t across,
			       unsigned int *ret_pitch)
{
	size_t down = (layout->n + across - 1) / across;
	unsigned int with_gap = (unsigned int)((layout->area.lines + 1) / down);

	/* A line between them, unless that is what they lack. */
	*ret_pitch = with_gap;
	if (with_gap > TILE_LINES_MIN)
		return MIN_OF(with_gap - 1, TILE_LINES_MAX);
	*ret_pitch = TILE_LINES_MIN;
	return (unsigned int)(layout->area.lines / down);
}

/*
 * As few side by side as give each all its lines; else as many lines as can be had. False where not
 * even the smallest tiles have room.
 */
static bool layout_tiles(struct board_layout *layout)
{
	size_t most = (layout->area.columns + TILE_GAP) / (TILE_COLUMNS_MIN + TILE_GAP);
	unsigned int best = 0, width;

	for (size_t across = 1; across <= most && across <= layout->n; across++) {
		unsigned int pitch, lines = tile_lines(layout, across, &pitch);

		if (lines <= best)
			continue;
		best = lines;
		layout->across = across;
		layout->pitch = MIN_OF(pitch, lines + TILE_SPREAD);
		if (lines == TILE_LINES_MAX)
			break;
	}
	if (best < TILE_LINES_MIN)
		return false;
	width = (layout->area.columns + TILE_GAP) / (unsigned int)layout->across - TILE_GAP;
	layout->tile = layout->area;
	layout->tile.lines = best;
	layout->tile.columns = MIN_OF(width, TILE_COLUMNS_MAX);
	layout->visible = layout->n;
	return true;
}

static void layout_rows(struct board_layout *layout, size_t selected, size_t first)
{
	layout->titles = layout->area;
	layout->titles.lines = 1;
	layout->area.y++;
	layout->area.lines--;
	layout->across = 1;
	layout->pitch = 1;
	layout->tile = layout->area;
	layout->tile.lines = 1;
	layout->visible = MIN_OF(layout->n, (size_t)layout->area.lines);
	layout->first = MIN_OF(first, layout->n - layout->visible);
	if (selected < layout->first)
		layout->first = selected;
	else if (selected >= layout->first + layout->visible)
		layout->first = selected - layout->visible + 1;
}

struct board_layout board_layout(unsigned int lines, unsigned int columns, size_t n,
				 size_t selected, size_t first)
{
	struct board_layout layout = { .lines = lines, .columns = columns, .n = n, .across = 1 };

	if (lines < LINES_MIN || columns < COLUMNS_MIN)
		return layout;
	layout_stack(&layout);
	layout.form = BOARD_TILES;
	if (n > 0 && !layout_tiles(&layout)) {
		layout.form = BOARD_ROWS;
		layout_rows(&layout, MIN_OF(selected, n - 1), first);
	}
	return layout;
}

bool board_layout_place(const struct board_layout *layout, size_t index, struct rect *ret)
{
	struct rect rect = layout->tile;

	if (index < layout->first || index >= layout->first + layout->visible)
		return false;
	index -= layout->first;
	/* Bench order goes from left to right, then down, as people read. */
	rect.y += (unsigned int)(index / layout->across) * layout->pitch;
	rect.x += (unsigned int)(index % layout->across) * (rect.columns + TILE_GAP);
	*ret = rect;
	return true;
}

size_t board_layout_move(const struct board_layout *layout, size_t selected, enum board_move move)
{
	size_t last = layout->n > 0 ? layout->n - 1 : 0;
	size_t page = layout->form == BOARD_ROWS ? MAX_OF(layout->visible, (size_t)1) : layout->n;
	size_t across = layout->across;

	switch (move) {
	case MOVE_UP:
		return selected >= across ? selected - across : selected;
	case MOVE_DOWN:
		return selected + across <= last ? selected + across : selected;
	case MOVE_LEFT:
		return selected > 0 ? selected - 1 : 0;
	case MOVE_RIGHT:
		return MIN_OF(selected + 1, last);
	case MOVE_PAGE_UP:
		return selected > page ? selected - page : 0;
	case MOVE_PAGE_DOWN:
		return MIN_OF(selected + page, last);
	case MOVE_FIRST:
		return 0;
	case MOVE_LAST:
		return last;
	}
	return selected;
}
