/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/flash-ids.h"

#include <stdbool.h>
#include <stdio.h>

#include "protocol/base/strings.h"

#define SST 0xBF
#define MIB (1ULL << 20)

static const struct flash_id table[] = {
	{ { 0xC2, 0x25, 0x34 }, 1 * MIB, "Macronix", "MX25U8032E" },
	{ { 0xC2, 0x20, 0x14 }, 1 * MIB, "Macronix", "MX25L8006E" },
	{ { 0xC2, 0x28, 0x14 }, 1 * MIB, "Macronix", "MX25R8035F" },
	{ { 0xEF, 0x60, 0x14 }, 1 * MIB, "Winbond", "W25Q80EW" },
	{ { 0x51, 0x40, 0x14 }, 1 * MIB, "manufacturer 51", NULL },
	{ { 0xBF, 0x26, 0x28 }, 1 * MIB, "SST", NULL },

	{ { 0xC2, 0x25, 0x35 }, 2 * MIB, "Macronix", "MX25U1635E" },
	{ { 0xC2, 0x28, 0x15 }, 2 * MIB, "Macronix", "MX25R1635F" },
	{ { 0xEF, 0x40, 0x15 }, 2 * MIB, "Winbond", "W25Q16.V" },
	{ { 0xEF, 0x60, 0x15 }, 2 * MIB, "Winbond", "W25Q16.W" },
	{ { 0xC8, 0x40, 0x15 }, 2 * MIB, "GigaDevice", "GD25Q16" },
	{ { 0xC8, 0x60, 0x15 }, 2 * MIB, "GigaDevice", "GD25LQ16" },
	{ { 0xBF, 0x26, 0x01 }, 2 * MIB, "SST", NULL },
	{ { 0xBF, 0x26, 0x21 }, 2 * MIB, "SST", NULL },

	{ { 0xC2, 0x25, 0x36 }, 4 * MIB, "Macronix", "MX25U3235E/F" },
	{ { 0xC2, 0x20, 0x16 }, 4 * MIB, "Macronix", "MX25L3205.." },
	{ { 0xC2, 0x28, 0x16 }, 4 * MIB, "Macronix", "MX25R3235F" },
	{ { 0xEF, 0x40, 0x16 }, 4 * MIB, "Winbond", "W25Q32.V" },
	{ { 0xEF, 0x60, 0x16 }, 4 * MIB, "Winbond", "W25Q32.W" },
	{ { 0xEF, 0x70, 0x16 }, 4 * MIB, "Winbond", "W25Q32JV-M" },
	{ { 0xC8, 0x40, 0x16 }, 4 * MIB, "GigaDevice", "GD25Q32" },
	{ { 0xC8, 0x60, 0x16 }, 4 * MIB, "GigaDevice", "GD25LQ32" },
	{ { 0x1C, 0x38, 0x16 }, 4 * MIB, "Eon", "EN25S32" },
	{ { 0xF8, 0x32, 0x16 }, 4 * MIB, "Fidelix", NULL },
	{ { 0x2C, 0xCB, 0x16 }, 4 * MIB, "Micron", NULL },
	{ { 0xBF, 0x26, 0x02 }, 4 * MIB, "SST", NULL },
	{ { 0xBF, 0x26, 0x22 }, 4 * MIB, "SST", NULL },

	{ { 0xC2, 0x25, 0x37 }, 8 * MIB, "Macronix", "MX25U6435E/F" },
	{ { 0xEF, 0x40, 0x17 }, 8 * MIB, "Winbond", "W25Q64.V" },
	{ { 0xEF, 0x60, 0x17 }, 8 * MIB, "Winbond", "W25Q64.W" },
	{ { 0xC8, 0x40, 0x17 }, 8 * MIB, "GigaDevice", "GD25Q64" },
	{ { 0xC8, 0x60, 0x17 }, 8 * MIB, "GigaDevice", "GD25LQ64" },
	{ { 0x1C, 0x38, 0x17 }, 8 * MIB, "Eon", "EN25S64" },
	{ { 0x20, 0xBA, 0x17 }, 8 * MIB, "Micron", "N25Q064" },
	{ { 0xF8, 0x42, 0x17 }, 8 * MIB, "Fidelix", NULL },
	{ { 0xF8, 0x43, 0x17 }, 8 * MIB, "Fidelix", NULL },
	{ { 0x8C, 0x25, 0x37 }, 8 * MIB, "ESMT", NULL },
	{ { 0x2C, 0xCB, 0x17 }, 8 * MIB, "Micron", NULL },
	{ { 0xBF, 0x26, 0x03 }, 8 * MIB, "SST", NULL },
	{ { 0xBF, 0x26, 0x23 }, 8 * MIB, "SST", NULL },

	{ { 0xC2, 0x25, 0x38 }, 16 * MIB, "Macronix", "MX25U12835F" },
	{ { 0xC2, 0x20, 0x18 }, 16 * MIB, "Macronix", "MX25L128xx" },
	{ { 0xEF, 0x40, 0x18 }, 16 * MIB, "Winbond", "W25Q128.V" },
	{ { 0xEF, 0x60, 0x18 }, 16 * MIB, "Winbond", "W25Q128.W" },
	{ { 0xC8, 0x60, 0x18 }, 16 * MIB, "GigaDevice", "GD25LQ128" },
	{ { 0xF8, 0x42, 0x18 }, 16 * MIB, "Fidelix", NULL },
	{ { 0x2C, 0xCB, 0x18 }, 16 * MIB, "Micron", NULL },
	{ { 0x01, 0x20, 0x18 }, 16 * MIB, "Spansion", "S25FL127S" },

	{ { 0xC2, 0x25, 0x39 }, 32 * MIB, "Macronix", NULL },
	{ { 0xC2, 0x20, 0x19 }, 32 * MIB, "Macronix", NULL },
	{ { 0xEF, 0x40, 0x19 }, 32 * MIB, "Winbond", NULL },
	{ { 0xC8, 0x60, 0x19 }, 32 * MIB, "GigaDevice", NULL },
	{ { 0x20, 0xBA, 0x19 }, 32 * MIB, "Micron", NULL },
	{ { 0x2C, 0xCB, 0x19 }, 32 * MIB, "Micron", NULL },
};

const struct flash_id *flash_id_find(const uint8_t id[3])
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (memcmp(table[i].id, id, 3) == 0)
			return &table[i];
	return NULL;
}

uint64_t flash_id_size(const uint8_t id[3])
{
	const struct flash_id *known = flash_id_find(id);
	unsigned int exponent = id[2] & 0x1fU;

	if (known)
		return known->size;
	if (id[0] == SST)
		return 0;
	return exponent >= 16 && exponent <= 28 ? 1ULL << exponent : 0;
}

const char *flash_id_manufacturer(uint8_t manufacturer)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].id[0] == manufacturer)
			return table[i].manufacturer;
	return NULL;
}

const char *flash_id_describe(const uint8_t *id, size_t length, char buf[FLASH_ID_TEXT_SIZE])
{
	const struct flash_id *known = length >= 3 ? flash_id_find(id) : NULL;
	const char *manufacturer = length >= 3 ? flash_id_manufacturer(id[0]) : NULL;
	uint64_t size = length >= 3 ? flash_id_size(id) : 0;
	char hex[17], bytes[16];

	hex_encode(id, MIN_OF(length, 8U), hex);
	(void)snprintf(buf, FLASH_ID_TEXT_SIZE, "%s = %s%s%s, %s", hex,
		       manufacturer ? manufacturer : "unknown part",
		       known && known->part ? " " : "", known && known->part ? known->part : "",
		       size > 0 ? format_bytes(size, bytes) : "size not known");
	return buf;
}

const struct flash_id *flash_id_table(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(table);
	return table;
}
