/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/output/term.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/strings.h"

#define DEFAULT_COLUMNS 80U
/* Narrower is a terminal that does not know its own size. */
#define MIN_COLUMNS 20U

static const char *const sequences[_TINT_MAX] = {
	[TINT_NONE] = "",           [TINT_HEADER] = "\033[1m", [TINT_FAINT] = "\033[2m",
	[TINT_GOOD] = "\033[32m",   [TINT_BAD] = "\033[1;31m", [TINT_WARN] = "\033[33m",
	[TINT_ACTIVE] = "\033[36m", [TINT_BLUE] = "\033[34m",  [TINT_VIOLET] = "\033[35m",
};

void term_measure(struct term *term, int fd)
{
	struct winsize size;

	term->columns = DEFAULT_COLUMNS;
	if (term->tty && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= MIN_COLUMNS)
		term->columns = size.ws_col;
}

void term_init(struct term *term, int fd, bool unicode)
{
	const char *type = getenv("TERM");
	const char *no_colour = getenv("NO_COLOR");

	*term = (struct term){ .tty = isatty(fd) == 1, .unicode = unicode };
	term->live = term->tty && type && !streq(type, "") && !streq(type, "dumb");
	term->colour = term->live && !(no_colour && *no_colour);
	term_measure(term, fd);
}

const char *term_begin(const struct term *term, enum tint tint)
{
	return term->colour ? sequences[tint] : "";
}

const char *term_end(const struct term *term, enum tint tint)
{
	return term->colour && tint != TINT_NONE ? "\033[0m" : "";
}
