/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The .cfg that is written, against real ones of vendors' packages and of the extractor. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/firmware/cfg.h"
#include "protocol/firmware/scatter.h"

static struct scatter *parse(const char *text, size_t size)
{
	struct scatter *scatter = NULL;
	struct scatter_error error = { 0 };
	int r = scatter_parse(text, size, &scatter, &error);

	if (r < 0)
		fail_msg("line %u: %s", error.line, error.text);
	return scatter;
}

static struct scatter *load(const char *name)
{
	_cleanup_free_ char *path = str_format("%s/data/cfg/%s", MTKRB_TEST_DATA, name);
	_cleanup_free_ char *text = NULL;
	size_t size = 0;

	assert_int_equal(fd_read_file(AT_FDCWD, path, SCATTER_BYTES_MAX, &text, &size), 0);
	return parse(text, size);
}

/* What the firmware of a package has in it, by the package's own .cfg. */
struct content {
	const char *boot[8], *main[8];
	struct flash_part flashes[16];
	struct cfg cfg;
};

static void take(const struct scatter *scatter, struct content *content)
{
	struct cfg *cfg = &content->cfg;

	*cfg = (struct cfg){ .platform = scatter->platform,
			     .boot = content->boot,
			     .main = content->main,
			     .flashes = content->flashes };
	for (size_t i = 0; i < scatter->n_parts; i++) {
		if (scatter_part_in(&scatter->parts[i], "boot_region"))
			content->boot[cfg->n_boot++] = scatter_part_base(&scatter->parts[i]);
		else if (scatter_part_in(&scatter->parts[i], "main_region"))
			content->main[cfg->n_main++] = scatter_part_base(&scatter->parts[i]);
	}
	for (size_t i = 0; i < scatter->n_flashes; i++) {
		struct flash_part *part = &content->flashes[cfg->n_flashes++];

		part->type = 3;
		part->id_length = scatter->flashes[i].id_length;
		memcpy(part->id, scatter->flashes[i].id, sizeof(part->id));
	}
}

static void assert_same_regions(const struct scatter *a, const struct scatter *b,
				const char *region)
{
	size_t j = 0;

	for (size_t i = 0; i < a->n_parts; i++) {
		if (!scatter_part_in(&a->parts[i], region))
			continue;
		while (j < b->n_parts && !scatter_part_in(&b->parts[j], region))
			j++;
		assert_true(j < b->n_parts);
		assert_string_equal(scatter_part_base(&a->parts[i]),
				    scatter_part_base(&b->parts[j++]));
	}
	while (j < b->n_parts)
		assert_false(scatter_part_in(&b->parts[j++], region));
}

static void check_like(const char *name, size_t n_flashes)
{
	_cleanup_(scatter_freep) struct scatter *real = load(name), *ours = NULL;
	_cleanup_free_ char *text = NULL, *why = NULL;
	struct content content = { 0 };

	take(real, &content);
	assert_int_equal(content.cfg.n_flashes, n_flashes);
	assert_int_equal(cfg_to_text(&content.cfg, &text), 0);
	assert_null(strchr(text, '\t'));
	ours = parse(text, strlen(text));
	assert_int_equal(ours->form, SCATTER_CFG);
	assert_true(streq_ptr(ours->platform, real->platform));
	assert_true(streq_ptr(ours->version, real->version));
	assert_true(streq_ptr(ours->memory_version, real->memory_version));
	assert_same_regions(real, ours, "boot_region");
	assert_same_regions(real, ours, "main_region");
	assert_int_equal(ours->n_flashes, real->n_flashes);
	for (size_t i = 0; i < real->n_flashes; i++) {
		assert_string_equal(ours->flashes[i].type, real->flashes[i].type);
		assert_int_equal(ours->flashes[i].id_length, real->flashes[i].id_length);
		assert_memory_equal(ours->flashes[i].id, real->flashes[i].id, 8);
	}
	assert_int_equal(cfg_compare(&content.cfg, text, strlen(text), &why), 0);
}

static void test_like_real_ones(void **state)
{
	(void)state;
	check_like("LinkItONE_1.0.34_SEEED02A_DEMO_BB.cfg", 2);
	check_like("RePhone_extractor_config_mtk.cfg", 2);
	check_like("SIM800C32_1418B04_SIM800C32_BT_EAT.cfg", 6);
	check_like("KqSMea8_CORETEK03AE_11C_BB.cfg", 1);
	check_like("MediatekInfo_dz09.cfg", 0);
	check_like("Lrdsnow_MT6260A_PH05.cfg", 2);
}

/* One with everything in it, letter by letter. */
static void test_text(void **state)
{
	static const char *const boot[] = { "INT_BOOTLOADER", "EXT_BOOTLOADER" };
	static const char *const main[] = { "ROM" };
	static const struct flash_part flash = { 3, { 0xEF, 0x40, 0x16 }, 3, 4U << 20 };
	static const struct cfg cfg = { "MT6261", boot, 2, main, 1, &flash, 1 };
	static const char expected[] =
		"general:\n    config_version : alpha\n    platform: MT6261\n\n"
		"boot_region:\n  alignment: block\n  rom:\n    - file: INT_BOOTLOADER\n"
		"    - file: EXT_BOOTLOADER\n\n"
		"control_block_region:\n  rom:\n\n"
		"main_region:\n  alignment: block\n  rom:\n    - file: ROM\n\n"
		"file_system_region:\n  rom:\n\n"
		"external_memory:\n    parameters_version: v1\n    parameters:\n"
		"      - flash_info:\n            flash_type: SF\n            id_length: 3\n"
		"            flash_id:  [0xEF, 0x40, 0x16, 0x00, 0x00, 0x00, 0x00, 0x00]\n"
		"        memory_type: PSRAM_130MHz\n        EMI_Setting:\n";
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(cfg_to_text(&cfg, &text), 0);
	assert_string_equal(text, expected);
}

static void test_compare_finds_every_difference(void **state)
{
	static const struct {
		const char *from, *to;
	} changes[] = {
		{ "MT6261", "MT6260" },
		{ " MT6261", "" },
		{ "file: ROM", "file: VIVA" },
		{ "    - file: EXT_BOOTLOADER\n", "" },
		{ "0x40", "0x41" },
		{ "id_length: 3", "id_length: 4" },
		{ "flash_type: SF", "flash_type: NOR" },
		{ "boot_region:", "boot_regions:" },
		{ "general:", "general" },
	};
	static const char *const boot[] = { "INT_BOOTLOADER", "EXT_BOOTLOADER" };
	static const char *const main[] = { "ROM" };
	static const struct flash_part flash = { 3, { 0xEF, 0x40, 0x16 }, 3, 4U << 20 };
	static const struct cfg cfg = { "MT6261", boot, 2, main, 1, &flash, 1 };
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(cfg_to_text(&cfg, &text), 0);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		const char *at = strstr(text, changes[i].from);
		_cleanup_free_ char *changed = NULL, *why = NULL;

		assert_non_null(at);
		changed = str_format("%.*s%s%s", (int)(at - text), text, changes[i].to,
				     at + strlen(changes[i].from));
		assert_int_equal(cfg_compare(&cfg, changed, strlen(changed), &why), -EBADMSG);
		assert_non_null(why);
	}
}

static void test_refuses(void **state)
{
	static const char *const odd[] = { "a: b" };
	struct flash_part flash = { 3, { 0xEF, 0x40, 0x16 }, 3, 0 };
	struct cfg cfg = { .flashes = &flash, .n_flashes = 1 };
	char *text = NULL;

	(void)state;
	flash.type = 1;
	assert_int_equal(cfg_to_text(&cfg, &text), -EINVAL);
	flash.type = 3;
	flash.id_length = 0;
	assert_int_equal(cfg_to_text(&cfg, &text), -EINVAL);
	flash.id_length = 8;
	cfg.main = odd;
	cfg.n_main = 1;
	assert_int_equal(cfg_to_text(&cfg, &text), -EINVAL);
	cfg.n_main = 0;
	cfg.platform = "MT6261\n- x";
	assert_int_equal(cfg_to_text(&cfg, &text), -EINVAL);
	assert_null(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_like_real_ones),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_compare_finds_every_difference),
		cmocka_unit_test(test_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
