/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "protocol/base/time.h"
#include "protocol/device/brom.h"

#define RTC_BBPU  0xA0710000U
#define RTC_WRITE 0xA0710074U
#define RTC_BUSY  0x40U

#define RTC_TIMEOUT_USEC USEC_PER_SEC

enum action {
	LOOK,   /* FlashTool reads it; so do we, and do not judge */
	PUT,    /* write value */
	COMMIT, /* let the RTC take what was written, and wait for it */
};

struct step {
	enum action action;
	uint32_t address;
	uint16_t value;
};

/* Order and values of the FlashTool capture, packets 229 and on. */
static const struct step steps[] = {
	/* charger */
	{ LOOK, 0xA0700A24, 0 },
	{ PUT, 0xA0700A24, 0x0015 },
	{ LOOK, 0xA0700A14, 0 },
	{ PUT, 0xA0700A14, 0x6001 },
	{ LOOK, 0xA0700A14, 0 },
	{ PUT, 0xA0700A14, 0x6049 },
	{ LOOK, 0xA0700A08, 0 },
	{ PUT, 0xA0700A08, 0x010B },
	{ LOOK, 0xA0700A00, 0 },
	{ PUT, 0xA0700A00, 0xF27A },
	{ LOOK, 0xA0700A28, 0 },
	{ PUT, 0xA0700A28, 0x8010 },
	/* watchdog */
	{ PUT, 0xA0030000, 0x2200 },
	/* power latch: no alarms, power keys, unlock keys, hold */
	{ LOOK, RTC_BBPU, 0 },
	{ LOOK, 0xA0710050, 0 },
	{ LOOK, 0xA0710054, 0 },
	{ PUT, 0xA0710010, 0x0000 },
	{ PUT, 0xA0710008, 0x0000 },
	{ PUT, 0xA071000C, 0x0000 },
	{ COMMIT, RTC_WRITE, 0x0001 },
	{ PUT, 0xA0710050, 0xA357 },
	{ PUT, 0xA0710054, 0x67D2 },
	{ COMMIT, RTC_WRITE, 0x0001 },
	{ PUT, 0xA0710068, 0x586A },
	{ COMMIT, RTC_WRITE, 0x0001 },
	{ PUT, 0xA0710068, 0x9136 },
	{ COMMIT, RTC_WRITE, 0x0001 },
	{ PUT, RTC_BBPU, 0x430E },
	{ COMMIT, RTC_WRITE, 0x0001 },
};

static int commit(struct brom *brom, const struct step *step)
{
	uint64_t deadline = time_now() + RTC_TIMEOUT_USEC;
	uint16_t bbpu;
	int r = brom_write16(brom, step->address, step->value);

	while (r >= 0) {
		r = brom_read16(brom, RTC_BBPU, &bbpu);
		if (r < 0 || !(bbpu & RTC_BUSY))
			return r;
		if (time_now() >= deadline)
			return -ETIMEDOUT;
	}
	return r;
}

static int run_step(struct brom *brom, const struct step *step)
{
	uint16_t seen;

	switch (step->action) {
	case LOOK:
		return brom_read16(brom, step->address, &seen);
	case PUT:
		return brom_write16(brom, step->address, step->value);
	case COMMIT:
		return commit(brom, step);
	}
	return -EINVAL;
}

int brom_keep_power(struct brom *brom)
{
	const struct chip *chip = brom_chip(brom);

	if (!chip || !chip->power_sequence)
		return -EOPNOTSUPP;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int r = run_step(brom, &steps[i]);

		if (r < 0)
			return r;
	}
	return 0;
}
