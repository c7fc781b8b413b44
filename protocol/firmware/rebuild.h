/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * From a flash image back to the files that a flasher loads. Pure slicing: the files of vendors'
 * packages lie in the flash byte for byte as they were delivered (compared with real packages), so
 * nothing is patched. What no firmware file covers becomes leftovers, so that all pieces together
 * are the image.
 */

#include <stddef.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/image-piece.h"
#include "protocol/firmware/cfg.h"
#include "protocol/firmware/file-set.h"
#include "protocol/firmware/layout.h"

/* What tells where the pieces belong. */
#define REBUILD_DESCRIPTION "layout.json"

enum rebuild_names {
	REBUILD_NAMES_STANDARD,  /* INT_BOOTLOADER, EXT_BOOTLOADER, ROM, VIVA, …; config.cfg */
	REBUILD_NAMES_EXTRACTOR, /* as the Readback Extractor for Windows writes them: the boot
				    loaders, FILE_01_mtk, …; config_mtk.cfg */
};

struct rebuild {
	struct image_piece
		*pieces; /* by offset; they cover the image, firmware files may overlap */
	size_t n_pieces;
	size_t n_parts; /* of them, firmware files */
	char image_sha256[DIGEST_HEX_SIZE];
	struct cfg cfg;       /* borrows from here and from the layout */
	const char *cfg_file; /* static; NULL: no file is fit for a flasher, so there is no .cfg */
	char *cfg_text;       /* NULL likewise */
	char cfg_sha256[DIGEST_HEX_SIZE];
	const char *no_flashes; /* why the .cfg has no flash list, a phrase; NULL: it has one */
	char names[LAYOUT_PARTS_MAX][IMAGE_PIECE_FILE_SIZE];
	const char *boot[LAYOUT_PARTS_MAX], *main[LAYOUT_PARTS_MAX];
};

/*
 * The layout stays the caller's and is needed as long as the result. A firmware file that is cut
 * off by the image's end, or lies where a better one of its type does not, becomes a piece but is
 * not named in the .cfg. An image without firmware gives leftovers and no .cfg.
 * -ENOMEM, -EIO without SHA-256.
 */
_must_check_ int rebuild_new(const struct layout *layout, enum rebuild_names names,
			     struct rebuild **ret);
void rebuild_free(struct rebuild *rebuild);
DEFINE_CLEANUP(struct rebuild *, rebuild_free);

/*
 * Writes the set into the directory name below parent as file_set_write does, the .cfg and, under
 * REBUILD_DESCRIPTION, description with it; the .cfg is read again as a flasher reads it.
 */
_must_check_ int rebuild_write(const struct rebuild *rebuild, const struct layout *layout,
			       int parent, const char *name, const char *description, bool replace,
			       char **ret_why);
