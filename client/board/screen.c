/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/board/screen.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Functions only: its macros have names like erase. */
#define NCURSES_NOMACROS
#include <curses.h>

#include "protocol/base/strings.h"

#define ESCAPE_MSEC 25 /* after which an escape is a key and not the start of one */
#define RESET_SIZE  128

static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

/* A signal handler has no argument: this cannot live anywhere else. ncurses itself is the same. */
static struct {
	SCREEN *screen; /* NULL: not open */
	bool colour;
	struct termios before;
	char reset[RESET_SIZE]; /* what puts the terminal back, made beforehand */
	size_t reset_size;
	struct sigaction old[ARRAY_SIZE(crashes)];
} board_screen;

/* Only what a signal handler may call. The signal strikes again when this returns. */
static void on_crash(int signal)
{
	ssize_t n = write(STDOUT_FILENO, board_screen.reset, board_screen.reset_size);

	(void)n;
	(void)tcsetattr(STDOUT_FILENO, TCSANOW, &board_screen.before);
	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
		if (crashes[i] == signal)
			(void)sigaction(signal, &board_screen.old[i], NULL);
	(void)raise(signal);
}

static void crash_prepare(void)
{
	static const char *const names[] = { "sgr0", "op", "rmkx", "cnorm", "rmcup" };
	struct sigaction action = { .sa_handler = on_crash };

	board_screen.reset_size = 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *s = tigetstr(names[i]);
		size_t n = s && s != (const char *)-1 ? strlen(s) : 0;

		if (board_screen.reset_size + n > RESET_SIZE)
			continue;
		memcpy(board_screen.reset + board_screen.reset_size, s ?: "", n);
		board_screen.reset_size += n;
	}
	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
		(void)sigaction(crashes[i], &action, &board_screen.old[i]);
}

static void crash_forget(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
		(void)sigaction(crashes[i], &board_screen.old[i], NULL);
}

static int screen_refused(struct complaint *complaint)
{
	const char *type = getenv("TERM");

	return complaint_set(complaint, STATUS_USAGE,
			     "set TERM to what your terminal is (xterm, linux, vt100), or use "
			     "'mtkrbctl follow'",
			     "a terminal of type '%s' cannot show a board", type ?: "");
}

/* A tint is a pair of the same number, with the terminal's own background. */
static void screen_prepare_colours(void)
{
	static const short colours[_TINT_MAX] = {
		[TINT_NONE] = -1,           [TINT_HEADER] = -1,       [TINT_FAINT] = -1,
		[TINT_GOOD] = COLOR_GREEN,  [TINT_BAD] = COLOR_RED,   [TINT_WARN] = COLOR_YELLOW,
		[TINT_ACTIVE] = COLOR_CYAN, [TINT_BLUE] = COLOR_BLUE, [TINT_VIOLET] = COLOR_MAGENTA,
	};

	board_screen.colour = board_screen.colour && has_colors() && start_color() == OK &&
			      use_default_colors() == OK;
	for (short tint = 1; board_screen.colour && tint < _TINT_MAX; tint++)
		(void)init_pair(tint, colours[tint], -1);
}

int board_screen_open(bool colour, struct complaint *complaint)
{
	if (tcgetattr(STDOUT_FILENO, &board_screen.before) < 0)
		return screen_refused(complaint);
	board_screen.screen = newterm(NULL, stdout, stdin);
	if (!board_screen.screen)
		return screen_refused(complaint);
	if (!tigetstr("cup") || tigetstr("cup") == (char *)-1) {
		board_screen_close();
		return screen_refused(complaint);
	}
	board_screen.colour = colour;
	screen_prepare_colours();
	crash_prepare();
	(void)cbreak();
	(void)noecho();
	(void)nonl();
	(void)curs_set(0);
	(void)set_escdelay(ESCAPE_MSEC);
	(void)keypad(stdscr, true);
	(void)nodelay(stdscr, true);
	return 0;
}

void board_screen_close(void)
{
	if (!board_screen.screen)
		return;
	crash_forget();
	(void)endwin();
	delscreen(board_screen.screen);
	board_screen.screen = NULL;
	(void)tcsetattr(STDOUT_FILENO, TCSADRAIN, &board_screen.before);
}

void board_screen_measure(unsigned int *ret_lines, unsigned int *ret_columns)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0 &&
	    (size.ws_row != getmaxy(stdscr) || size.ws_col != getmaxx(stdscr)))
		(void)resizeterm(size.ws_row, size.ws_col);
	*ret_lines = (unsigned int)getmaxy(stdscr);
	*ret_columns = (unsigned int)getmaxx(stdscr);
}

int board_screen_key(void)
{
	static const struct {
		int curses, ours;
	} keys[] = {
		{ ERR, BOARD_KEY_NONE },
		{ KEY_UP, BOARD_KEY_UP },
		{ KEY_DOWN, BOARD_KEY_DOWN },
		{ KEY_LEFT, BOARD_KEY_LEFT },
		{ KEY_RIGHT, BOARD_KEY_RIGHT },
		{ KEY_PPAGE, BOARD_KEY_PAGE_UP },
		{ KEY_NPAGE, BOARD_KEY_PAGE_DOWN },
		{ KEY_HOME, BOARD_KEY_HOME },
		{ KEY_END, BOARD_KEY_END },
		{ KEY_ENTER, BOARD_KEY_ENTER },
		{ '\r', BOARD_KEY_ENTER },
		{ '\n', BOARD_KEY_ENTER },
		{ '\033', BOARD_KEY_ESCAPE },
	};
	int key = getch();

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].curses == key)
			return keys[i].ours;
	return key > 0 && key < BOARD_KEY_FIRST ? key : BOARD_KEY_OTHER;
}

static attr_t cell_attributes(const struct canvas_cell *cell)
{
	attr_t attributes = cell->reverse ? A_REVERSE : A_NORMAL;

	if (cell->tint == TINT_HEADER || cell->tint == TINT_BAD)
		attributes |= A_BOLD;
	if (cell->tint == TINT_FAINT)
		attributes |= A_DIM;
	return attributes;
}

static void screen_show_line(const struct canvas *canvas, unsigned int y)
{
	for (unsigned int x = 0; x < canvas->columns; x++) {
		const struct canvas_cell *cell = canvas_at(canvas, y, x);
		cchar_t c;

		/* The terminal fills the right half of a wide character. */
		if (!cell->text[0] ||
		    setcchar(&c, cell->text, cell_attributes(cell),
			     board_screen.colour ? (short)cell->tint : 0, NULL) == ERR)
			continue;
		/* ERR in the last corner, where the cursor cannot go on. */
		(void)mvadd_wch((int)y, (int)x, &c);
	}
}

void board_screen_show(const struct canvas *canvas)
{
	(void)erase();
	for (unsigned int y = 0; y < canvas->lines && (int)y < getmaxy(stdscr); y++)
		screen_show_line(canvas, y);
	(void)refresh();
}

void board_screen_repaint(void)
{
	(void)clearok(stdscr, true);
}

void board_screen_bell(void)
{
	(void)beep();
}
