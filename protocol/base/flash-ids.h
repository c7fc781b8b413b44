/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Serial flash parts by their JEDEC id: manufacturer, type, capacity. The ids and sizes are those of
 * the flash tables inside vendors' download agents and of the lists in real firmwares, the names
 * flashrom's. In base because the device's side and the firmware's both need it.
 */

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

struct flash_id {
	uint8_t id[3];
	uint64_t size;            /* bytes */
	const char *manufacturer; /* "Macronix" */
	const char *part;         /* "MX25U3235E/F", NULL: nobody names it */
};

/* NULL for an id that is not in the table. */
const struct flash_id *flash_id_find(const uint8_t id[3]);

/*
 * Bytes of a part: the table's, else what its third byte says where that is an exponent (not SST's).
 * 0 when nothing tells.
 */
uint64_t flash_id_size(const uint8_t id[3]);

/* NULL for a manufacturer that is not in the table. */
const char *flash_id_manufacturer(uint8_t manufacturer);

/*
 * "c22536 = Macronix MX25U3235E/F, 4.0 MiB", "c22599 = Macronix, size not known" and the like, into
 * buf; returns buf. length (at most 8) is that of id; below 3 there is no more than the digits.
 */
#define FLASH_ID_TEXT_SIZE 96
const char *flash_id_describe(const uint8_t *id, size_t length, char buf[FLASH_ID_TEXT_SIZE]);

/* All entries, for listings and tests. */
const struct flash_id *flash_id_table(size_t *ret_n);
