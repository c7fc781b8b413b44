/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reads flash through the boot ROM's own READ32, with no download agent. */

#include "protocol/device/brom.h"
#include "protocol/device/reader.h"

struct brom_reader {
	struct reader reader;
	struct brom *brom; /* borrowed */
};

/* Maps the flash; errors as brom_map_flash. */
_must_check_ int brom_reader_open(struct brom_reader *reader, struct brom *brom);
