/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The board as it runs: events, questions and keys in, screens out. */

#include "client/board/model.h"
#include "protocol/base/cleanup.h"

struct client;

/*
 * Shows the board on stdout, with keys from stdin where that is a terminal too, until the user or a
 * signal ends it; a daemon that goes away meanwhile is waited for. Returns an exit status; what is
 * not STATUS_DONE or STATUS_INTERRUPTED was printed.
 */
_must_check_ int board_run(struct client *client, enum board_bell bell);
