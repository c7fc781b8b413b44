/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/worker/scatter-ranges.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/limits.h"
#include "protocol/firmware/gfh.h"

/* A watch with two boot loaders, three main files (not in order), a user area and a control block. */
static void make_facts(struct flash_facts *facts)
{
	*facts = (struct flash_facts){
		.files = { { GFH_FILE_ARM_BL, 0x800, 0x2400 },
			   { GFH_FILE_ARM_EXT_BL, 0x2800, 0x9000 },
			   { GFH_FILE_VIVA, 0x210400, 0x300000 },
			   { GFH_FILE_PRIMARY_MAUI, 0xA000, 0x200000 },
			   { GFH_FILE_THIRD_ROM, 0x310000, 0x310344 } },
		.n_files = 5,
		.user_begin = 0x390000,
		.user_end = 0x3F0000,
		.control_begin = 0x3FE000,
		.control_end = 0x400000,
		.n_parts = 2,
	};
	memcpy(facts->parts[0].id, "\xC2\x25\x36", 3);
	memcpy(facts->parts[1].id, "\xEF\x40\x16", 3);
	facts->parts[0].id_length = facts->parts[1].id_length = 3;
}

struct made {
	struct range *ranges;
	size_t n;
	struct failure failure;
	int error;
};

static struct made make(const char *text, const char *chip, const uint8_t *jedec)
{
	_cleanup_free_ struct flash_facts *facts = calloc(1, sizeof(*facts));
	struct scatter_watch watch = { .chip = chip, .facts = facts, .jedec = jedec };
	_cleanup_(scatter_freep) struct scatter *scatter = NULL;
	_cleanup_close_ int fd = memfd_create("scatter", MFD_CLOEXEC);
	struct made made = { 0 };

	make_facts(facts);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	made.error = scatter_ranges_load(fd, "x.cfg", &scatter, &made.failure);
	if (made.error >= 0)
		made.error =
			scatter_ranges_make(scatter, &watch, &made.ranges, &made.n, &made.failure);
	return made;
}

static void made_clear(struct made *made)
{
	scatter_ranges_free(made->ranges, made->n);
	failure_clear(&made->failure);
}

static void assert_range(const struct made *made, size_t index, const char *name, uint64_t start,
			 uint64_t length)
{
	if (made->error < 0)
		fail_msg("%s", made->failure.message);
	assert_true(index < made->n);
	assert_string_equal(made->ranges[index].name, name);
	assert_int_equal(made->ranges[index].start, start);
	assert_int_equal(made->ranges[index].length, length);
}

static void refuse(const char *text, const char *chip, const uint8_t *jedec, const char *one,
		   const char *other)
{
	_cleanup_(made_clear) struct made made = make(text, chip, jedec);

	assert_true(made.error < 0);
	assert_int_equal(made.failure.code, FAILURE_SCATTER_MISMATCH);
	assert_non_null(made.failure.hint);
	if (!strstr(made.failure.message, one) || !strstr(made.failure.message, other))
		fail_msg("%s", made.failure.message);
	assert_null(made.ranges);
}

#define GENERAL(platform) "general:\n  config_version: alpha\n  platform: " platform "\n"
#define BOOT              "boot_region:\n  rom:\n    - file: INT\n    - file: EXT\n"
#define FLASH(id)                                                           \
	"    - flash_info:\n        flash_type: SF\n        id_length: 3\n" \
	"        flash_id: [" id ", 0, 0, 0, 0, 0]\n"
#define FLASHES(list) "external_memory:\n  parameters_version: v1\n  parameters:\n" list

static void test_cfg(void **state _unused_)
{
	_cleanup_(made_clear) struct made made = make(
		GENERAL("MT6261") BOOT
		"main_region:\n  rom:\n    - file: out/ROM\n    - file: VIVA\n    - file: VIVA\n"
		"    - file: my app.bin\n"
		"gps_module_region:\n  rom:\n    - file: MT3333.bin\n"
		"control_block_region:\n  rom:\n    - file: CBR\n"
		"file_system_region:\n  rom:\n    - file: FAT\n",
		"MT6261", NULL);

	assert_range(&made, 0, "INT", 0x800, 0x1C00);
	assert_range(&made, 1, "EXT", 0x2800, 0x6800);
	assert_range(&made, 2, "ROM", 0xA000, 0x1F6000);
	assert_range(&made, 3, "VIVA", 0x210400, 0xEFC00);
	assert_range(&made, 4, "my_app.bin", 0x310000, 0x344);
	assert_range(&made, 5, "CBR", 0x3FE000, 0x2000);
	assert_range(&made, 6, "FAT", 0x390000, 0x60000);
	assert_int_equal(made.n, 7);
}

/* Names become files beside the backup's own. */
static void test_names(void **state _unused_)
{
	_cleanup_(made_clear) struct made made = make(
		GENERAL("") "boot_region:\n  rom:\n    - file: a/manifest.json\n    - file: ..\n"
			    "main_region:\n  rom:\n    - file: x/A\n    - file: y/A\n",
		"MT6261", NULL);

	assert_range(&made, 0, "manifest.json_2", 0x800, 0x1C00);
	assert_range(&made, 1, "_.", 0x2800, 0x6800);
	assert_range(&made, 2, "A", 0xA000, 0x1F6000);
	assert_range(&made, 3, "A_2", 0x210400, 0xEFC00);
}

static void test_platforms(void **state _unused_)
{
	static const struct {
		const char *platform, *chip;
		bool fits;
	} pairs[] = {
		{ "MT6261", "MT6261", true },     { "MT6260A", "MT6260", true },
		{ "MT6261_Dev", "MT6261", true }, { "mt6261", "MT6261", true },
		{ "MT2502", "MT2503", true },     { "MT2501", "MT2502", true },
		{ "MT2502", "MT6261", false },    { "MT6261", "MT6260", false },
		{ "MT626", "MT6261", false },     { "MT62611", "MT6261", false },
		{ "MT", "MT6261", false },        { "MT6735", "MT6261", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		_cleanup_free_ char *text =
			str_format("general:\n  platform: %s\n" BOOT, pairs[i].platform);

		if (pairs[i].fits) {
			_cleanup_(made_clear) struct made made = make(text, pairs[i].chip, NULL);

			assert_range(&made, 0, "INT", 0x800, 0x1C00);
		} else {
			refuse(text, pairs[i].chip, NULL, pairs[i].platform, pairs[i].chip);
		}
	}
}

static void test_flashes(void **state _unused_)
{
	static const uint8_t winbond[3] = { 0xEF, 0x40, 0x16 }, other[3] = { 0xC8, 0x60, 0x16 };
	_cleanup_(made_clear) struct made made =
		make(GENERAL("MT6261") BOOT FLASHES(FLASH("0xEF, 0x40, 0x16") FLASH("0xC2, 0x25, "
										    "0x36")),
		     "MT6261", winbond);

	assert_range(&made, 1, "EXT", 0x2800, 0x6800);
	/* Fewer, others, or not the part that is there. */
	refuse(GENERAL("MT6261") BOOT FLASHES(FLASH("0xC2, 0x25, 0x36")), "MT6261", NULL, "c22536,",
	       "c22536 ef4016");
	refuse(GENERAL("MT6261") BOOT FLASHES(FLASH("0xC2, 0x25, 0x38")), "MT6261", NULL, "c22538",
	       "c22536 ef4016");
	refuse(GENERAL("MT6261") BOOT FLASHES(FLASH("0xC2, 0x25, 0x36") FLASH("0xEF, 0x40, 0x16")),
	       "MT6261", other, "c22536 ef4016", "c86016 = GigaDevice GD25LQ32");
}

static void test_missing_parts(void **state _unused_)
{
	refuse(GENERAL("MT6261") "boot_region:\n  rom:\n    - file: A\n    - file: B\n    - file: "
				 "C\n",
	       "MT6261", NULL, "line 8: the scatter file names C", "5 firmware files");
	refuse(GENERAL("MT6261") "gps_module_region:\n  rom:\n    - file: G\n", "MT6261", NULL,
	       "no part that lies", "");
}

static void test_smartphone(void **state _unused_)
{
	_cleanup_(made_clear) struct made made = make(
		"BOOT 0x0\n{\n}\nSYSTEM 0x10000\n{\n}\nPOOL 0xFFFF0000\n{\n}\n", "MT6261", NULL);

	assert_range(&made, 0, "BOOT", 0, 0x10000);
	assert_range(&made, 1, "SYSTEM", 0x10000, RANGE_AUTO);
	assert_int_equal(made.n, 2);
	refuse("BOOT 0x0\n{\n}\nFAR 0x20000000\n{\n}\n", "MT6261", NULL, "BOOT",
	       "beyond what can be read");
	refuse("- general: MTK_PLATFORM_CFG\n  info:\n    - platform: MT6735\n"
	       "- partition_index: SYS0\n  partition_name: x\n  linear_start_addr: 0\n"
	       "  partition_size: 1\n",
	       "MT6261", NULL, "MT6735", "MT6261");
}

static void test_unreadable(void **state _unused_)
{
	struct failure failure = { 0 };
	struct scatter *scatter = NULL;
	int ends[2];

	refuse("general:\n  platform: [x]\n", "MT6261", NULL, "x.cfg:2: ", "");
	assert_int_equal(pipe(ends), 0);
	assert_true(scatter_ranges_load(ends[0], "pipe", &scatter, &failure) < 0);
	assert_int_equal(failure.code, FAILURE_SCATTER_MISMATCH);
	failure_clear(&failure);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cfg),           cmocka_unit_test(test_names),
		cmocka_unit_test(test_platforms),     cmocka_unit_test(test_flashes),
		cmocka_unit_test(test_missing_parts), cmocka_unit_test(test_smartphone),
		cmocka_unit_test(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
