/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The report that a download agent of the v3.2 family gives once it runs: what flash and RAM it
 * found. All numbers are big-endian. Layout by a FlashTool capture (178 bytes) and by disassembly
 * of two builds; newer builds put 24 bytes more before the end (202). Pure: no device.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

#define DA_REPORT_SIZE_OLD 178U
#define DA_REPORT_SIZE_NEW 202U
#define DA_REPORT_CODES    4U /* manufacturer, type, capacity, extension; one byte each in use */
#define DA_REPORT_JEDEC    3U

/* Found, or why not: a status of 0 is found (codes: errors.h). */
struct da_report_nor {
	uint32_t status;
	uint16_t id;   /* of the row in the agent's flash table */
	uint32_t size; /* bytes; the length to read */
	uint32_t die_size;
	uint16_t codes[DA_REPORT_CODES];
	bool second; /* there is another die */
	uint16_t second_id;
	uint32_t second_size;
};

struct da_report_nand {
	uint32_t status;
	uint16_t id;
	uint32_t size;
	uint16_t codes[DA_REPORT_CODES];
};

struct da_report {
	uint32_t bmt_status;
	struct da_report_nor nor;
	struct da_report_nand nand;
	uint32_t emmc_status;
	uint32_t internal_ram_status, internal_ram_size;
	uint32_t external_ram_status, external_ram_size;
	uint32_t download_status;
	uint32_t boot_style; /* 1031 is serial flash */
};

/*
 * How many bytes the report has, judged by the first have (at least DA_REPORT_SIZE_OLD) of them:
 * DA_REPORT_SIZE_OLD or DA_REPORT_SIZE_NEW.
 */
size_t da_report_length(const uint8_t *data, size_t have);

/*
 * Takes a whole report apart. -EBADMSG when its length or its end marks are not those of a report,
 * -EOPNOTSUPP when the agent ends it with CF: it does not support this chip.
 */
_must_check_ int da_report_parse(const uint8_t *data, size_t size, struct da_report *ret);

/* The JEDEC id of the NOR flash; false when there is none, or a code is no single byte. */
bool da_report_jedec(const struct da_report *report, uint8_t ret[DA_REPORT_JEDEC]);
