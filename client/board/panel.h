/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text that takes the place of the tiles for a while: a slot and its job in full, or the help. */

#include <stddef.h>

#include "client/board/canvas.h"
#include "client/board/model.h"

struct panel;

/* Both -ENOMEM. */
_must_check_ int panel_new_help(struct panel **ret);

/* tile as it is now; job is all about the one it shows, NULL: none, or not known yet. */
_must_check_ int panel_new_slot(const struct board_tile *tile, const struct job *job,
				struct panel **ret);
void panel_free(struct panel *panel);
DEFINE_CLEANUP(struct panel *, panel_free);

/*
 * Paints the panel without its first *skip lines, which is made smaller when that leaves lines
 * empty.
 */
void panel_paint(const struct panel *panel, struct canvas *canvas, struct rect rect, size_t *skip);
