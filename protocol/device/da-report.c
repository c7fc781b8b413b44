/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/da-report.h"

#include <errno.h>

#include "protocol/base/bytes.h"

/* Where the parts of the report begin. */
enum {
	AT_NOR = 4,
	AT_NAND = AT_NOR + 54,
	AT_EMMC = AT_NAND + 35,
	AT_RAM = AT_EMMC + 44,
	AT_END = AT_RAM + 30, /* or, in newer builds, 24 bytes about the eFuse backup */
	END_SIZE = 11,        /* 5A 5A, two words, C1 */
};

#define END_MARK      0x5A5AU
#define SOC_OK        0xC1
#define SOC_FAIL      0xCF
#define NO_SECOND_DIE 0xFFFFU

static bool ends_at(const uint8_t *data, size_t at)
{
	uint8_t last = data[at + END_SIZE - 1];

	return get_be16(data + at) == END_MARK && (last == SOC_OK || last == SOC_FAIL);
}

size_t da_report_length(const uint8_t *data, size_t have)
{
	if (have == DA_REPORT_SIZE_NEW && ends_at(data, DA_REPORT_SIZE_NEW - END_SIZE))
		return DA_REPORT_SIZE_NEW;
	return ends_at(data, AT_END) ? DA_REPORT_SIZE_OLD : DA_REPORT_SIZE_NEW;
}

static void get_codes(const uint8_t *p, uint16_t codes[DA_REPORT_CODES])
{
	for (size_t i = 0; i < DA_REPORT_CODES; i++)
		codes[i] = get_be16(p + 2 * i);
}

static void get_nor(const uint8_t *p, struct da_report_nor *ret)
{
	ret->status = get_be32(p);
	ret->id = get_be16(p + 6);
	ret->size = get_be32(p + 8);
	ret->die_size = get_be32(p + 12);
	get_codes(p + 16, ret->codes);
	ret->second_id = get_be16(p + 32);
	ret->second_size = get_be32(p + 34);
	ret->second = ret->second_id != NO_SECOND_DIE;
}

static void get_nand(const uint8_t *p, struct da_report_nand *ret)
{
	ret->status = get_be32(p);
	ret->id = get_be16(p + 5);
	ret->size = get_be32(p + 7);
	get_codes(p + 11, ret->codes);
}

static void get_ram(const uint8_t *p, struct da_report *ret)
{
	ret->internal_ram_status = get_be32(p);
	ret->internal_ram_size = get_be32(p + 4);
	ret->external_ram_status = get_be32(p + 8);
	ret->external_ram_size = get_be32(p + 14);
}

int da_report_parse(const uint8_t *data, size_t size, struct da_report *ret)
{
	struct da_report report = { 0 };
	const uint8_t *end;

	if (size != DA_REPORT_SIZE_OLD && size != DA_REPORT_SIZE_NEW)
		return -EBADMSG;
	if (!ends_at(data, size - END_SIZE))
		return -EBADMSG;
	end = data + size - END_SIZE;
	if (end[END_SIZE - 1] == SOC_FAIL)
		return -EOPNOTSUPP;
	report.bmt_status = get_be32(data);
	get_nor(data + AT_NOR, &report.nor);
	get_nand(data + AT_NAND, &report.nand);
	report.emmc_status = get_be32(data + AT_EMMC);
	get_ram(data + AT_RAM, &report);
	report.download_status = get_be32(end + 2);
	report.boot_style = get_be32(end + 6);
	*ret = report;
	return 0;
}

bool da_report_jedec(const struct da_report *report, uint8_t ret[DA_REPORT_JEDEC])
{
	const uint16_t *codes = report->nor.codes;

	if (report->nor.status != 0)
		return false;
	for (size_t i = 0; i < DA_REPORT_JEDEC; i++)
		if (codes[i] > UINT8_MAX)
			return false;
	for (size_t i = 0; i < DA_REPORT_JEDEC; i++)
		ret[i] = (uint8_t)codes[i];
	return ret[0] != 0;
}
