/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The terminal of the board, the only place that knows ncurses. A process has one at most. From open
 * to close the terminal is in another mode; also a crash puts it back.
 */

#include <stdbool.h>

#include "client/board/canvas.h"
#include "client/complaint.h"

/* What is not a character of its own; characters are below BOARD_KEY_FIRST. */
enum board_key {
	BOARD_KEY_NONE,
	BOARD_KEY_FIRST = 256,
	BOARD_KEY_UP = BOARD_KEY_FIRST,
	BOARD_KEY_DOWN,
	BOARD_KEY_LEFT,
	BOARD_KEY_RIGHT,
	BOARD_KEY_PAGE_UP,
	BOARD_KEY_PAGE_DOWN,
	BOARD_KEY_HOME,
	BOARD_KEY_END,
	BOARD_KEY_ENTER,
	BOARD_KEY_ESCAPE,
	BOARD_KEY_OTHER,
};

/* Takes the terminal over; -ECANCELED with words when it cannot show a board. */
_must_check_ int board_screen_open(bool colour, struct complaint *complaint);

/* Puts it back as it was. Nothing when it is not open. */
void board_screen_close(void);

/* Its size now; asked of the terminal each time. */
void board_screen_measure(unsigned int *ret_lines, unsigned int *ret_columns);

/* The next key that was pressed, BOARD_KEY_NONE: none. Never waits. */
int board_screen_key(void);

/* Shows a canvas of its size. */
void board_screen_show(const struct canvas *canvas);

/* The next one is shown from scratch: something else has written on the terminal. */
void board_screen_repaint(void);

void board_screen_bell(void);
