/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The agent's report: the one of the FlashTool capture, the longer form, and what is none. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <errno.h>

#include "protocol/base/bytes.h"
#include "protocol/base/strings.h"
#include "protocol/device/da-report.h"

#define CAPTURE      MTKRB_TEST_DATA "/captures/mt6261-flashtool.txt"
#define FIRST_PACKET 785U /* right behind the BMT address */
#define LAST_PACKET  962U

struct captured {
	uint8_t data[DA_REPORT_SIZE_NEW];
};

static int load(void **state)
{
	static struct captured captured;
	char line[512], hex[400];
	size_t n = 0;
	FILE *file = fopen(CAPTURE, "re");

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		unsigned int packet;

		if (sscanf(line, "%u %*f ep81 < %399s", &packet, hex) != 2 ||
		    packet < FIRST_PACKET || packet > LAST_PACKET)
			continue;
		assert_int_equal(hex_decode(hex, captured.data + n, 1), 0);
		n++;
	}
	fclose(file);
	*state = &captured;
	return n == DA_REPORT_SIZE_OLD ? 0 : -1;
}

static void test_captured(void **state)
{
	static const uint8_t macronix_4m[] = { 0xC2, 0x20, 0x16 };
	const struct captured *captured = *state;
	uint8_t jedec[DA_REPORT_JEDEC];
	struct da_report report;

	assert_int_equal(da_report_length(captured->data, DA_REPORT_SIZE_OLD), DA_REPORT_SIZE_OLD);
	assert_int_equal(da_report_parse(captured->data, DA_REPORT_SIZE_OLD, &report), 0);
	assert_int_equal(report.bmt_status, 3234);
	assert_int_equal(report.nor.status, 0);
	assert_int_equal(report.nor.id, 0x0112);
	assert_int_equal(report.nor.size, 4 << 20);
	assert_int_equal(report.nor.die_size, 4 << 20);
	assert_false(report.nor.second);
	assert_int_equal(report.nand.status, 3051);
	assert_int_equal(report.nand.id, 0xFFFF);
	assert_int_equal(report.nand.size, 0);
	assert_int_equal(report.emmc_status, 3179);
	assert_int_equal(report.internal_ram_status, 0);
	assert_int_equal(report.internal_ram_size, 0xD000);
	assert_int_equal(report.external_ram_status, 0);
	assert_int_equal(report.external_ram_size, 4 << 20);
	assert_int_equal(report.download_status, 0);
	assert_int_equal(report.boot_style, 1031);
	assert_true(da_report_jedec(&report, jedec));
	assert_memory_equal(jedec, macronix_4m, sizeof(jedec));
}

/* Newer builds have 24 bytes more before the end. */
static void make_longer(const struct captured *captured, uint8_t data[DA_REPORT_SIZE_NEW])
{
	const size_t end = DA_REPORT_SIZE_OLD - 11;

	memcpy(data, captured->data, end);
	memset(data + end, 0xAB, 24);
	memcpy(data + end + 24, captured->data + end, 11);
}

static void test_newer(void **state)
{
	uint8_t data[DA_REPORT_SIZE_NEW];
	struct da_report report;

	make_longer(*state, data);
	assert_int_equal(da_report_length(data, DA_REPORT_SIZE_OLD), DA_REPORT_SIZE_NEW);
	assert_int_equal(da_report_length(data, DA_REPORT_SIZE_NEW), DA_REPORT_SIZE_NEW);
	assert_int_equal(da_report_parse(data, sizeof(data), &report), 0);
	assert_int_equal(report.nor.size, 4 << 20);
	assert_int_equal(report.boot_style, 1031);
	assert_int_equal(da_report_parse(data, DA_REPORT_SIZE_OLD, &report), -EBADMSG);
}

static void test_not_a_report(void **state)
{
	const struct captured *captured = *state;
	uint8_t data[DA_REPORT_SIZE_OLD];
	struct da_report report = { .boot_style = 7 };

	for (size_t size = 0; size < DA_REPORT_SIZE_OLD; size++)
		assert_int_equal(da_report_parse(captured->data, size, &report), -EBADMSG);
	/* The marks before the end, and the end. */
	for (size_t at = DA_REPORT_SIZE_OLD - 11; at < DA_REPORT_SIZE_OLD; at++) {
		bool mark = at < DA_REPORT_SIZE_OLD - 9 || at == DA_REPORT_SIZE_OLD - 1;

		memcpy(data, captured->data, sizeof(data));
		data[at] ^= 1;
		assert_int_equal(da_report_parse(data, sizeof(data), &report), mark ? -EBADMSG : 0);
	}
	memcpy(data, captured->data, sizeof(data));
	data[DA_REPORT_SIZE_OLD - 1] = 0xCF;
	report.boot_style = 7;
	assert_int_equal(da_report_parse(data, sizeof(data), &report), -EOPNOTSUPP);
	assert_int_equal(report.boot_style, 7);
}

static void test_no_jedec(void **state)
{
	const struct captured *captured = *state;
	uint8_t data[DA_REPORT_SIZE_OLD], jedec[DA_REPORT_JEDEC];
	struct da_report report;

	memcpy(data, captured->data, sizeof(data));
	data[4 + 18] = 0x01; /* a type of two bytes */
	assert_int_equal(da_report_parse(data, sizeof(data), &report), 0);
	assert_false(da_report_jedec(&report, jedec));
	memcpy(data, captured->data, sizeof(data));
	put_be32(data + 4, 3009);
	assert_int_equal(da_report_parse(data, sizeof(data), &report), 0);
	assert_false(da_report_jedec(&report, jedec));
	/* A second die is one whose id is not FFFF. */
	put_be16(data + 4 + 32, 0x0113);
	put_be32(data + 4 + 34, 1 << 20);
	assert_int_equal(da_report_parse(data, sizeof(data), &report), 0);
	assert_true(report.nor.second);
	assert_int_equal(report.nor.second_size, 1 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_captured),
		cmocka_unit_test(test_newer),
		cmocka_unit_test(test_not_a_report),
		cmocka_unit_test(test_no_jedec),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
