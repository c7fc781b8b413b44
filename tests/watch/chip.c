/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/chip.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "protocol/base/strings.h"

static const struct chip chips[] = {
	{ "mt6261", "MT6261", 0x6261, 0x8000, 0xCB01, 0x0001, 0x35C0 },
	{ "mt6260", "MT6260", 0x6260, 0x8000, 0xCB00, 0x0000, 0x0000 },
	{ "mt2501", "MT2502", 0x6261, 0x8000, 0xCB01, 0x0001, 0x2640 },
	{ "mt2502", "MT2502", 0x6261, 0x8000, 0xCB01, 0x0001, 0x2640 },
	{ "mt2503", "MT2502", 0x6261, 0x8000, 0xCB01, 0x0001, 0x3600 },
};

int chip_find(const char *name, struct chip *ret)
{
	int64_t hw_code;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		if (strcasecmp(chips[i].name, name) == 0) {
			*ret = chips[i];
			return 0;
		}
	}
	if (!strafter(name, "0x"))
		return -EINVAL;
	r = parse_int(name, 0, UINT16_MAX, &hw_code);
	if (r < 0)
		return -EINVAL;
	*ret = chips[0];
	ret->hw_code = (uint16_t)hw_code;
	ret->fuse = 0;
	snprintf(ret->name, sizeof(ret->name), "0x%04x", (unsigned int)hw_code);
	return 0;
}
