/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Puts the parts of a download agent into the RAM of a watch and starts the first of them, by the
 * boot ROM's SEND_DA and JUMP_DA (FlashTool capture; checksum rule recomputed for four images).
 * Only da-session.c uses it. Errors as in brom.h; -EBADMSG when the image arrived damaged as often
 * as it was sent; those of da_file_load().
 */

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/device/brom.h"
#include "protocol/device/da-file.h"

/* So many bytes of the image have gone out; less than before when it is sent again. */
typedef void (*da_upload_sent)(void *userdata, uint64_t bytes);

/* The exclusive or of all little-endian halfwords; an odd last byte counts as a halfword. */
uint16_t da_upload_checksum(const uint8_t *data, size_t size);

_must_check_ int da_upload_region(struct brom *brom, const struct da_file *file,
				  const struct da_region *region, da_upload_sent sent,
				  void *userdata);

/* After this the boot ROM does not listen any more. */
_must_check_ int da_upload_jump(struct brom *brom, uint32_t address);
