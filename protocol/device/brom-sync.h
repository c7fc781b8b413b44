/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Getting and keeping step with a boot ROM: the handshake, and what to do when a command failed. */

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/device/brom-wire.h"

/* As brom_handshake. */
_must_check_ int brom_sync_handshake(struct brom_wire *wire, uint64_t timeout_usec);

/*
 * As brom_resync. *ret_restarted tells that the watch had restarted and was synchronised anew:
 * nothing written to it before is there any more.
 */
_must_check_ int brom_sync_recover(struct brom_wire *wire, bool *ret_restarted);
