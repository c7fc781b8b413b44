/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the board says: all meaning is in these words and marks, colour only repeats it. */

#include <stdbool.h>

#include "client/board/model.h"
#include "client/output/term.h"
#include "protocol/control/limits.h"

/* A ticket and a few words. */
#define BOARD_WORDS_SIZE (LIMIT_LABEL_BYTES + 80U)

/* "reading", "done", "empty". */
const char *board_words_state(const struct board_tile *tile);

/* A sign of one column that no other face has, and its colour. */
const char *board_words_mark(enum board_face face, bool unicode);
enum tint board_words_tint(enum board_face face);

/* What a person does next: "plug in a watch". Fits 36 columns but for the ticket. Returns buf or not. */
const char *board_words_action(const struct board_tile *tile, char buf[BOARD_WORDS_SIZE]);

/* The same where the state stands beside it: without "failed: " before it. */
const char *board_words_bare_action(const struct board_tile *tile, char buf[BOARD_WORDS_SIZE]);

/*
 * What people call the watch: its ticket, else its customer, else the end of its ME ID, else the
 * number of the job; "" for nobody. Returns buf.
 */
const char *board_words_ticket(const struct board_job *job, char buf[BOARD_WORDS_SIZE]);
const char *board_words_who(const struct board_tile *tile, char buf[BOARD_WORDS_SIZE]);
