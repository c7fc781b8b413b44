/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A real terminal for a full-screen program of the build: tmux holds the pty and says what stands on
 * the screen. One for each rig. Anything that does not work ends the test.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "tests/integration/rig.h"

/* False where there is no tmux: skip the test then. */
bool terminal_is_there(void);

/*
 * Runs `mtkrbctl ARGUMENTS` (words for a shell) against the rig's daemon on a screen of that size.
 * settings go before it, as in "TERM=vt100 NO_COLOR=1". The terminal is one for UTF-8 or plain ASCII.
 * When the program has ended the screen says "ended with STATUS" and what stty says of the terminal.
 */
void terminal_open(const struct rig *rig, unsigned int columns, unsigned int lines, bool unicode,
		   const char *settings, const char *arguments);
void terminal_close(const struct rig *rig);

/* The lines of the screen, with the sequences of colours and other attributes or without. */
char *terminal_text(const struct rig *rig);
char *terminal_text_with_attributes(const struct rig *rig);

/* Waits until the screen has this text, or has it no more. */
void terminal_await(const struct rig *rig, const char *text);
void terminal_await_gone(const struct rig *rig, const char *text);

/* Keys as tmux calls them, with blanks between: "Down Enter q". */
void terminal_type(const struct rig *rig, const char *keys);
void terminal_resize(const struct rig *rig, unsigned int columns, unsigned int lines);

/* The process that was started. */
pid_t terminal_process(const struct rig *rig);

/* From now on every byte that the program writes goes to this file, too. */
void terminal_record(const struct rig *rig, const char *path);

/* What tmux knows of the terminal, as "#{alternate_on}"; the caller frees it. */
char *terminal_ask(const struct rig *rig, const char *format);
