/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The line below a boot ROM's commands, for da-upload.c, which has commands of its own. */

#include "protocol/device/brom-wire.h"
#include "protocol/device/brom.h"

struct brom_wire *brom_internal_wire(struct brom *brom);
