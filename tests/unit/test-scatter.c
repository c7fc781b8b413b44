/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/firmware/scatter.h"

static struct scatter *parse(const char *text)
{
	struct scatter_error error;
	struct scatter *scatter = NULL;

	if (scatter_parse(text, strlen(text), &scatter, &error) < 0)
		fail_msg("line %u: %s", error.line, error.text);
	return scatter;
}

static void refuse(const char *text, unsigned int line, const char *words)
{
	struct scatter_error error;
	struct scatter *scatter = NULL;

	assert_int_equal(scatter_parse(text, strlen(text), &scatter, &error), -EBADMSG);
	assert_null(scatter);
	if (error.line != line || !strstr(error.text, words))
		fail_msg("line %u: %s", error.line, error.text);
}

static struct scatter *parse_file(const char *name)
{
	_cleanup_free_ char *path = str_format("%s/data/cfg/%s", MTKRB_TEST_DATA, name);
	_cleanup_free_ char *text = NULL;

	assert_int_equal(fd_read_file(AT_FDCWD, path, SCATTER_BYTES_MAX, &text, NULL), 0);
	return parse(text);
}

static void assert_part(const struct scatter *scatter, size_t index, const char *region,
			const char *name)
{
	assert_true(index < scatter->n_parts);
	assert_string_equal(scatter->parts[index].region, region);
	assert_string_equal(scatter->parts[index].name, name);
	assert_false(scatter->parts[index].placed);
}

static void assert_flash(const struct scatter *scatter, size_t index, const char *hex,
			 const char *memory)
{
	char is[17];

	assert_true(index < scatter->n_flashes);
	assert_string_equal(scatter->flashes[index].type, "SF");
	assert_int_equal(scatter->flashes[index].id_length, 3);
	hex_encode(scatter->flashes[index].id, 8, is);
	assert_string_equal(is, hex);
	assert_string_equal(scatter->flashes[index].memory_type, memory);
	assert_null(scatter->flashes[index].emi_setting);
}

/* Every real file: what the vendors' packages and a readback extractor wrote. */
static void test_real_files(void **state _unused_)
{
	static const struct {
		const char *name, *platform;
		size_t parts, flashes;
	} files[] = {
		{ "KqSMea8_CORETEK03AE_11C_BB.cfg", "MT2502", 4, 1 },
		{ "LinkItONE_1.0.34_SEEED02A_DEMO_BB.cfg", "MT2502", 4, 2 },
		{ "Lrdsnow_MT6260A_PH05.cfg", "MT6260A", 5, 2 },
		{ "MediatekInfo_dz09.cfg", "MT6260", 2, 0 },
		{ "RePhone_W15.19.p2-uart_SEEED02A_DEMO_BB.cfg", "MT2502", 4, 2 },
		{ "RePhone_extractor_config_mtk.cfg", NULL, 4, 2 },
		{ "RePhone_readback_config_rephone.cfg", NULL, 4, 2 },
		{ "SIM800C32_1418B02_BX.cfg", "MT6261", 6, 6 },
		{ "SIM800C32_1418B02_SIM800C32_BT_EAT.cfg", "MT6261", 6, 6 },
		{ "SIM800C32_1418B04_SIM800C32_BT_EAT.cfg", "MT6261", 6, 6 },
		{ "SIM800C32_1418B04_only_core.cfg", "MT6261", 6, 6 },
		{ "SuperSanya123_mt6261.cfg", "MT6260", 2, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_(scatter_freep) struct scatter *scatter = parse_file(files[i].name);

		assert_int_equal(scatter->form, SCATTER_CFG);
		assert_string_equal(scatter->version, "alpha");
		assert_true(streq_ptr(scatter->platform, files[i].platform));
		assert_int_equal(scatter->n_parts, files[i].parts);
		assert_int_equal(scatter->n_flashes, files[i].flashes);
		assert_true(streq_ptr(scatter->memory_version, files[i].flashes ? "v1" : NULL));
	}
}

static void test_vendor_cfg(void **state _unused_)
{
	_cleanup_(scatter_freep) struct scatter *scatter =
		parse_file("SIM800C32_1418B04_only_core.cfg");

	assert_part(scatter, 0, "boot_region", "SIM800C32_BT_EAT_BOOTLOADER.bin");
	assert_part(scatter, 1, "boot_region", "EXT_BOOTLOADER");
	assert_part(scatter, 2, "main_region", "ROM");
	assert_part(scatter, 3, "main_region", "COREAPI");
	assert_part(scatter, 4, "main_region", "VIVA");
	assert_part(scatter, 5, "main_region", "appnull");
	assert_int_equal(scatter->parts[5].line, 46);
	assert_true(scatter_part_in(&scatter->parts[5], "main_region"));
	assert_false(scatter_part_in(&scatter->parts[5], "boot_region"));
	assert_flash(scatter, 0, "c225360000000000", "PSRAM_130MHz");
	assert_flash(scatter, 5, "c225380000000000", "PSRAM_130MHz");
}

static void test_folders_and_gps(void **state _unused_)
{
	_cleanup_(scatter_freep) struct scatter *dz09 = parse_file("MediatekInfo_dz09.cfg");
	_cleanup_(scatter_freep) struct scatter *ph05 = parse_file("Lrdsnow_MT6260A_PH05.cfg");
	_cleanup_(scatter_freep) struct scatter *gps = parse_file("KqSMea8_CORETEK03AE_11C_BB.cfg");

	assert_part(dz09, 1, "boot_region", "bin\\Release\\DZ09.bin");
	assert_string_equal(scatter_part_base(&dz09->parts[1]), "DZ09.bin");
	assert_string_equal(scatter_part_base(&ph05->parts[2]), "MAUI");
	assert_part(gps, 3, "gps_module_region", "MT3333.bin");
	assert_string_equal(scatter_part_base(&gps->parts[3]), "MT3333.bin");
	assert_flash(ph05, 1, "c860180000000000", "PSRAM_166MHz");
}

static void test_list(void **state _unused_)
{
	_cleanup_(scatter_freep) struct scatter *scatter =
		parse("PRELOADER 0x0\r\n{\r\n}\r\n\r\n# a remark\nMBR 0x600000\n{\n}\n"
		      "ANDROID 0x680000 # system\n{\n}\nBMTPOOL 0xFFFF00a8\n{\n}\n");

	assert_int_equal(scatter->form, SCATTER_LIST);
	assert_int_equal(scatter->n_parts, 4);
	assert_string_equal(scatter->parts[0].name, "PRELOADER");
	assert_int_equal(scatter->parts[0].length, 0x600000);
	assert_int_equal(scatter->parts[1].start, 0x600000);
	assert_int_equal(scatter->parts[1].length, 0x80000);
	assert_int_equal(scatter->parts[1].line, 6);
	assert_true(scatter->parts[2].placed);
	assert_int_equal(scatter->parts[2].length, 0);
	assert_false(scatter->parts[3].placed);
}

#define LAYOUT_HEAD                                                                 \
	"############\n- general: MTK_PLATFORM_CFG\n  info:\n"                      \
	"    - config_version: V1.1.2\n      platform: MT6735\n      project: px\n" \
	"      storage: EMMC\n      block_size: 0x20000\n"

static void test_layout(void **state _unused_)
{
	_cleanup_(scatter_freep) struct scatter *scatter =
		parse(LAYOUT_HEAD
		      "- partition_index: SYS0\n  partition_name: preloader\n  file_name: pre.bin\n"
		      "  linear_start_addr: 0x0\n  partition_size: 0x40000\n  region: EMMC_BOOT_1\n"
		      "- partition_index: SYS1\n  partition_name: boot\n  file_name: NONE\n"
		      "  linear_start_addr: 0x40000\n  partition_size: 0x0\n  region: EMMC_USER\n"
		      "- partition_index: SYS2\n  partition_name: data\n  file_name: NONE\n"
		      "  linear_start_addr: 0x100000\n  partition_size: 0x0\n  region: EMMC_USER\n"
		      "- partition_index: SYS3\n  partition_name: sgpt\n  file_name: NONE\n"
		      "  linear_start_addr: 0xFFFF0000\n  partition_size: 0x80000\n"
		      "  region: EMMC_USER\n  is_reserved: true\n");

	assert_int_equal(scatter->form, SCATTER_LAYOUT);
	assert_string_equal(scatter->platform, "MT6735");
	assert_string_equal(scatter->version, "V1.1.2");
	assert_string_equal(scatter->project, "px");
	assert_int_equal(scatter->n_parts, 4);
	assert_string_equal(scatter->parts[0].file, "pre.bin");
	assert_int_equal(scatter->parts[0].length, 0x40000);
	assert_null(scatter->parts[1].file);
	assert_int_equal(scatter->parts[1].length, 0xC0000);
	assert_true(scatter->parts[2].placed);
	assert_int_equal(scatter->parts[2].length, 0);
	assert_false(scatter->parts[3].placed);
}

static void test_refused_cfg(void **state _unused_)
{
	refuse("", 0, "empty");
	refuse("hello\n", 1, "neither");
	refuse("boot_region:\n  rom:\n", 1, "general");
	refuse("general:\n  platform: MT6261\n", 0, "no part");
	refuse("general:\n  platform: MT6261\nboot:\n  rom:\n", 3, "unknown section 'boot'");
	refuse("general:\n\tplatform: MT6261\n", 2, "");
	refuse("general:\n  platform: A\ngeneral:\n  platform: B\n", 3, "twice");
	refuse("general:\n  platform: [1, 2]\n", 2, "single value");
	refuse("general:\n  platform:\nmain_region:\n  rom: ROM\n", 4, "list");
	refuse("general:\n  platform:\nmain_region:\n  rom:\n    - file:\n", 5, "without a file");
	refuse("general:\n  platform:\nmain_region:\n  rom:\n    - ROM\n", 5, "group of keys");
	refuse("general:\n  platform: \"a\\x07b\"\n", 2, "control");
}

static void test_refused_flashes(void **state _unused_)
{
#define FLASH(text) \
	"general:\n  platform:\nexternal_memory:\n  parameters:\n    - flash_info:\n" text
	refuse(FLASH("        id_length: 4\n        flash_id: [1, 2, 3]\n"), 7, "id_length is 4");
	refuse(FLASH("        id_length: 0\n        flash_id: [1, 2, 3]\n"), 7, "id_length is 0");
	refuse(FLASH("        id_length: 9\n        flash_id: [1, 2, 3]\n"), 6, "0x8");
	refuse(FLASH("        id_length: 3\n        flash_id: [0x100, 2, 3]\n"), 7, "0xff");
	refuse(FLASH("        id_length: 3\n        flash_id: [-1, 2, 3]\n"), 7, "number");
	refuse(FLASH("        id_length: 3\n        flash_id: [1,2,3,4,5,6,7,8,9]\n"), 7,
	       "8 bytes");
	refuse(FLASH("        id_length: 3\n"), 5 + 1, "list of bytes");
	refuse("general:\n  platform:\nexternal_memory:\n  parameters:\n    - memory_type: X\n", 5,
	       "flash_info");
}

static void test_refused_scatter(void **state _unused_)
{
	refuse("PRELOADER 0x0\n{\n", 3 - 1, "}");
	refuse("PRELOADER 0x0\nMBR 0x1\n", 2, "{");
	refuse("PRELOADER 0x0\n{\n}\nMBR\n{\n}\n", 4, "NAME 0xADDRESS");
	refuse("A 0x1000\n{\n}\nB 0x1000\n{\n}\n", 4, "not behind A");
	refuse(LAYOUT_HEAD "- partition_index: SYS0\n  partition_name: x\n", 9,
	       "linear_start_addr");
	refuse(LAYOUT_HEAD "- partition_index: SYS0\n", 9, "partition_name");
	refuse(LAYOUT_HEAD "- partition_index: SYS0\n  partition_name: x\n"
			   "  linear_start_addr: pear\n  partition_size: 1\n",
	       11, "number");
}

/* Aliases may point back into the tree, nesting may be deep: neither may cost more than time. */
static void test_hostile(void **state _unused_)
{
	_cleanup_free_ char *deep = malloc(20001);
	struct scatter_error error;
	struct scatter *scatter = NULL;

	refuse("general: &a\n  platform: *a\n", 1, "single value");
	refuse("- &a\n  general: x\n  info: [*a]\n", 0, "no part");
	memset(deep, '[', 20000);
	deep[20000] = '\0';
	assert_int_equal(scatter_parse(deep, 20000, &scatter, &error), -EBADMSG);
	assert_int_equal(scatter_parse("a\0b", 3, &scatter, &error), -EBADMSG);
	assert_int_equal(scatter_parse(deep, SCATTER_BYTES_MAX + 1ULL, &scatter, &error), -EBADMSG);
	assert_non_null(strstr(error.text, "larger"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_files),      cmocka_unit_test(test_vendor_cfg),
		cmocka_unit_test(test_folders_and_gps), cmocka_unit_test(test_list),
		cmocka_unit_test(test_layout),          cmocka_unit_test(test_refused_cfg),
		cmocka_unit_test(test_refused_flashes), cmocka_unit_test(test_refused_scatter),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
