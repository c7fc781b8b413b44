/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/chips.h"

#include <strings.h>

#include "protocol/base/cleanup.h"

/* Serial-flash controller of the MT6261 family (mediatek_flash). */
#define SFI_BASE 0xA0140000U
#define SFI_SIZE 0x1000U

/* FlashTool capture, MT6261; MTreader, mediatek_flash and the LinkIt uploader agree. */
#define FAMILY_6261                                                                            \
	.readable = true, .watchdog = 0xA0030000, .watchdog_off = 0x2200, .reset = 0xA003001C, \
	.reset_key = 0x1209, .flash_map = 0xA0510000, .agent = CHIP_AGENT_V32

#define FUSE_WORD 0xA01C0108

#define LISTED_OLD "listed by number only (mtkclient, osmocom-bb): no flash map is known"
#define NO_DATA    "no public tool knows its registers"
#define IOT                                                                                        \
	"mtkclient, MT2625 flash utility: another boot ROM that needs its own environment image; " \
	"its watchdog address is disputed"
#define PHONE                                                                             \
	"mtkclient, the agents that SP Flash Tool ships: smartphone class, flash behind " \
	"eMMC, not visible to the boot ROM"

/* Chips with one hw_code: the rows with a fuse word first, the one without catches the rest. */
static const struct chip chips[] = {
	{ .name = "MT6261",
	  .hw_code = 0x6261,
	  .fuse = 0x35C0,
	  FAMILY_6261,
	  .fuse_register = FUSE_WORD,
	  .power_sequence = true,
	  .source = "FlashTool capture (MT6261D), mtkclient, MTreader, mediatek_flash, Fernly" },
	{ .name = "MT2502",
	  .hw_code = 0x6261,
	  .fuse = 0x2640,
	  FAMILY_6261,
	  .fuse_register = FUSE_WORD,
	  .source = "LinkIt and RePhone uploaders; MT2501 and MT2502 cannot be told apart" },
	{ .name = "MT2503",
	  .hw_code = 0x6261,
	  .fuse = 0x3600,
	  FAMILY_6261,
	  .fuse_register = FUSE_WORD,
	  .source = "mtkclient, wizio" },
	{ .name = "MT2503",
	  .hw_code = 0x6261,
	  .fuse = 0x7640,
	  FAMILY_6261,
	  .fuse_register = FUSE_WORD,
	  .source = "mtkclient (MT2503DV)" },
	{ .name = "MT6261",
	  .hw_code = 0x6261,
	  FAMILY_6261,
	  .fuse_register = FUSE_WORD,
	  .source = "mtkclient: any other fuse word is an MT6261 variant (MT6261MA)" },
	{ .name = "MT6260",
	  .hw_code = 0x6260,
	  FAMILY_6261,
	  .source = "mediatek_flash, Fernly, MTreader in the field; no capture" },

	{ .name = "MT2523", .hw_code = 0x2523, .agent = CHIP_AGENT_IOT, .source = IOT },
	{ .name = "MT2625", .hw_code = 0x2625, .agent = CHIP_AGENT_IOT, .source = IOT },
	{ .name = "MT5932", .hw_code = 0x5932, .agent = CHIP_AGENT_IOT, .source = IOT },
	{ .name = "MT7682", .hw_code = 0x7682, .agent = CHIP_AGENT_IOT, .source = IOT },
	{ .name = "MT7686", .hw_code = 0x7686, .agent = CHIP_AGENT_IOT, .source = IOT },

	{ .name = "MT6223", .hw_code = 0x6223, .source = NO_DATA },
	{ .name = "MT6225", .hw_code = 0x6225, .source = LISTED_OLD },
	{ .name = "MT6226", .hw_code = 0x6226, .source = LISTED_OLD },
	{ .name = "MT6227", .hw_code = 0x6227, .source = LISTED_OLD },
	{ .name = "MT6235", .hw_code = 0x6235, .source = NO_DATA },
	{ .name = "MT6236", .hw_code = 0x6236, .source = LISTED_OLD },
	{ .name = "MT6238", .hw_code = 0x6238, .source = LISTED_OLD },
	{ .name = "MT6250", .hw_code = 0x6250, .source = NO_DATA },
	{ .name = "MT6252", .hw_code = 0x6252, .source = NO_DATA },
	{ .name = "MT6253", .hw_code = 0x6253, .source = LISTED_OLD },
	{ .name = "MT6255", .hw_code = 0x6255, .source = LISTED_OLD },
	{ .name = "MT6256", .hw_code = 0x6256, .source = LISTED_OLD },
	{ .name = "MT625A", .hw_code = 0x625A, .source = LISTED_OLD },
	{ .name = "MT6268", .hw_code = 0x6268, .source = LISTED_OLD },
	{ .name = "MT6270", .hw_code = 0x6270, .source = LISTED_OLD },
	{ .name = "MT6276", .hw_code = 0x6276, .source = LISTED_OLD },
	{ .name = "MT6280", .hw_code = 0x6280, .source = LISTED_OLD },
	{ .name = "MT6291", .hw_code = 0x6291, .source = LISTED_OLD },

	{ .name = "MT2601", .hw_code = 0x2601, .agent = CHIP_AGENT_SMARTPHONE, .source = PHONE },
	{ .name = "MT6516", .hw_code = 0x6516, .agent = CHIP_AGENT_SMARTPHONE, .source = PHONE },
	{ .name = "MT6572", .hw_code = 0x6572, .agent = CHIP_AGENT_SMARTPHONE, .source = PHONE },
	{ .name = "MT6573", .hw_code = 0x6573, .agent = CHIP_AGENT_SMARTPHONE, .source = PHONE },
	{ .name = "MT6575", .hw_code = 0x6575, .agent = CHIP_AGENT_SMARTPHONE, .source = PHONE },
	{ .name = "MT6580", .hw_code = 0x6580, .agent = CHIP_AGENT_SMARTPHONE, .source = PHONE },
	{ .name = "MT6582", .hw_code = 0x6582, .agent = CHIP_AGENT_SMARTPHONE, .source = PHONE },
	{ .name = "MT6583", .hw_code = 0x6583, .agent = CHIP_AGENT_SMARTPHONE, .source = PHONE },
	{ .name = "MT6592", .hw_code = 0x6592, .agent = CHIP_AGENT_SMARTPHONE, .source = PHONE },
	{ .name = "MT6595", .hw_code = 0x6595, .agent = CHIP_AGENT_SMARTPHONE, .source = PHONE },
};

/* Charger block and RTC power latch, as FlashTool writes them (capture). */
static const uint32_t power_registers[] = {
	0xA0700A00, 0xA0700A08, 0xA0700A14, 0xA0700A24, 0xA0700A28, 0xA0710000, 0xA0710008,
	0xA071000C, 0xA0710010, 0xA0710050, 0xA0710054, 0xA0710068, 0xA0710074,
};

const struct chip *chip_find(uint16_t hw_code, uint16_t fuse)
{
	const struct chip *other = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		if (chips[i].hw_code != hw_code)
			continue;
		if (chips[i].fuse == fuse)
			return &chips[i];
		if (chips[i].fuse == 0)
			other = &chips[i];
	}
	return other;
}

const struct chip *chip_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		if (strcasecmp(chips[i].name, name) == 0)
			return &chips[i];
	}
	return NULL;
}

bool chip_allows_write(const struct chip *chip, uint32_t address)
{
	if (!chip || address == 0)
		return false;
	if (address == chip->watchdog || address == chip->reset || address == chip->flash_map)
		return true;
	if (chip->readable && address - SFI_BASE < SFI_SIZE)
		return true;
	for (size_t i = 0; chip->power_sequence && i < ARRAY_SIZE(power_registers); i++) {
		if (power_registers[i] == address)
			return true;
	}
	return false;
}

const struct chip *chip_table(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(chips);
	return chips;
}
