/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names and meanings of the boot ROM's status words (mtkclient's list, names ours). */

#include <stdint.h>

struct device_error {
	uint16_t status;
	const char *name;
	const char *meaning; /* one plain sentence */
	const char *hint;    /* what to do, NULL where nothing is known */
};

/* Never NULL: an unknown status has a name that says so. */
const struct device_error *device_error_find(uint16_t status);
