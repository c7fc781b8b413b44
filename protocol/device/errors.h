/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Names and meanings of the numbers that boot ROMs, download agents and MediaTek's own tools report.
 * The same number means different things in different families, so none is told without its family.
 * Numbers and vendor symbols as in mtkclient's lists and public lists of what FlashTool prints;
 * meanings and hints are ours.
 */

#include <stddef.h>
#include <stdint.h>

enum device_error_family {
	DEVICE_ERROR_BROM,      /* 16-bit status words of a boot ROM, written in hexadecimal */
	DEVICE_ERROR_FLASHTOOL, /* FlashTool for feature phones and its download agents, decimal */
	DEVICE_ERROR_SP_FLASHTOOL, /* SP Flash Tool 5 and 6, for smartphones: other numbers */
	_DEVICE_ERROR_FAMILY_MAX,
};

/* How sure the number is. */
enum device_error_proof {
	DEVICE_ERROR_SEEN,   /* answered by a device, or read out of an agent's code */
	DEVICE_ERROR_TABLED, /* in mtkclient's table */
	DEVICE_ERROR_LISTED, /* only in public lists of what the tool prints */
};

struct device_error {
	enum device_error_family family;
	uint32_t first, last; /* one number, or a group of them */
	enum device_error_proof proof;
	const char *name;    /* as we print it: "authentication-required", "S_DA_INVALID_RANGE" */
	const char *symbol;  /* the vendor's name where name is ours, else NULL */
	const char *meaning; /* one plain sentence */
	const char *hint;    /* what to do, NULL where there is nothing to do */
};

/* A boot ROM's status word. Never NULL: an unknown one has a name that says so. */
const struct device_error *device_error_find(uint16_t status);

/* A code that a download agent of a feature phone or watch answered. Never NULL. */
const struct device_error *device_error_of_agent(uint32_t code);

/* The row of a family that covers a code, a single number before a group; NULL when none does. */
const struct device_error *device_error_of(enum device_error_family family, uint32_t code);

/*
 * What a person typed: a decimal or 0x number, a hexadecimal one without 0x ("1D0D"), or a name in
 * any case, with or without the vendor's "S_", "S_DA_", "S_BROM_", "S_FT_"; '-' and '_' are one. All
 * digits may be both decimal and a status word. Returns how many rows, each once, were put into ret.
 */
size_t device_error_lookup(const char *typed, const struct device_error **ret, size_t max);
#define DEVICE_ERROR_MATCHES_MAX 8U /* what a lookup finds at most */

/* "boot ROM status", "FlashTool", "SP Flash Tool". */
const char *device_error_family_to_string(enum device_error_family family);

/* "seen from a device", … */
const char *device_error_proof_to_string(enum device_error_proof proof);

/* All rows, for listings and tests. */
const struct device_error *device_error_table(size_t *ret_n);
