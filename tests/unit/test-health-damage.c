/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every kind of damage to headers and content once, and the finding that it must give. */

#include <errno.h>

#include "protocol/base/digest.h"
#include "tests/unit/health-bench.h"
#include "tests/watch/noise.h"

/* ---- Headers ---- */

static void finds_damaged_boot_header(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");

	(void)state;
	bench.data[0x0c] = 2;
	judge(&bench);
	assert_fails(&bench, "boot-header", NULL, HEALTH_ERROR);
	bench.data[0x0c] = 1;
	bench.data[0x200] = 'b';
	judge(&bench);
	assert_fails(&bench, "boot-layout", NULL, HEALTH_ERROR);
	assert_outcome(&bench, "boot-header", NULL, HEALTH_PASS);
	bench.data[0] = 's';
	judge(&bench);
	assert_fails(&bench, "boot-header", NULL, HEALTH_ERROR);
	assert_outcome(&bench, "shift", NULL, HEALTH_PASS);
}

static void finds_wrong_boot_entry(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	uint8_t *entry = bench.data + 0x214;

	(void)state;
	put_le32(entry + 12, 0x1000);
	judge(&bench);
	assert_fails(&bench, "boot-entry", "INT_BOOTLOADER", HEALTH_ERROR);
	put_le32(entry + 12, 0x2800);
	put_le16(entry + 6, 2);
	judge(&bench);
	assert_fails(&bench, "boot-entry", "INT_BOOTLOADER", HEALTH_ERROR);
	put_le16(entry + 6, 1);
	put_le32(entry + 8, 0x900);
	judge(&bench);
	assert_null(assert_fails(&bench, "boot-entry", NULL, HEALTH_ERROR)->part);
}

static void finds_stub(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	struct layout_part viva = bench_part(&bench, "VIVA");

	(void)state;
	put_le32(bench.data + viva.offset + 0x20, UINT32_MAX);
	judge(&bench);
	assert_int_equal(assert_fails(&bench, "file-info", NULL, HEALTH_ERROR)->offset,
			 viva.offset);
	assert_fails(&bench, "viva", NULL, HEALTH_ERROR);
}

static void finds_missing_viva_header(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	struct layout_part viva = bench_part(&bench, "VIVA");

	(void)state;
	memset(bench.data + viva.offset, 0, 0x38);
	judge(&bench);
	assert_fails(&bench, "viva", NULL, HEALTH_ERROR);
	assert_outcome(&bench, "unknown-data", NULL, HEALTH_REMARK);
	/* Nothing there at all may be what its maker wanted. */
	memset(bench.data + viva.offset, 0xff, viva.length);
	judge(&bench);
	assert_outcome(&bench, "viva", NULL, HEALTH_REMARK);
	assert_true(health_is_good(bench.report));
}

static void finds_broken_chain(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");

	(void)state;
	bench.data[ROM + 0x38] = 'm';
	judge(&bench);
	assert_fails(&bench, "chain", "ROM", HEALTH_ERROR);
	/* What the rest of the chain would have told. */
	assert_fails(&bench, "flash-ids", NULL, HEALTH_ERROR);
	assert_outcome(&bench, "user-area", NULL, HEALTH_UNKNOWN);
	assert_outcome(&bench, "flash-id-first", NULL, HEALTH_UNKNOWN);
}

static void finds_missing_files(void **state)
{
	static const struct {
		uint32_t offset;
		const char *name;
	} files[] = { { 0x800, "INT_BOOTLOADER" }, { EXT_BL, "EXT_BOOTLOADER" }, { ROM, "ROM" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");

		memset(bench.data + files[i].offset, 0xff, 0x1000);
		judge(&bench);
		assert_fails(&bench, "present", files[i].name, HEALTH_ERROR);
		/* The others can still be cut out. */
		assert_true(health_can_rebuild(bench.report));
	}
}

/* ---- Content ---- */

static void finds_one_bit_in_boot_loader(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");

	(void)state;
	bench.data[EXT_BL + 0x1234] ^= 4;
	judge(&bench);
	assert_fails(&bench, "digest", "EXT_BOOTLOADER", HEALTH_ERROR);
	assert_outcome(&bench, "digest", "INT_BOOTLOADER", HEALTH_PASS);
	assert_outcome(&bench, "end-mark", "EXT_BOOTLOADER", HEALTH_PASS);
	assert_int_equal(bench.report->coverage.digest, 0x1B5C);
	/* And in the twelve zeros behind the digest. */
	bench.data[EXT_BL + 0x1234] ^= 4;
	bench.data[EXT_BL + 0x7328 - 1] = 1;
	judge(&bench);
	assert_fails(&bench, "digest", "EXT_BOOTLOADER", HEALTH_ERROR);
}

static void does_not_find_one_bit_in_rom(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");

	(void)state;
	bench.data[ROM + 0x30000] ^= 1;
	judge(&bench);
	assert_true(health_is_good(bench.report));
	assert_outcome(&bench, "content", "ROM", HEALTH_UNKNOWN);
	assert_true(bench.report->score < 100);
}

static void finds_damaged_rom_marks(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	struct layout_part rom = bench_part(&bench, "ROM");

	(void)state;
	bench.data[ROM + 0x668] = 'm';
	judge(&bench);
	assert_fails(&bench, "rom-info", "ROM", HEALTH_ERROR);
	bench.data[rom.offset + rom.length - 8] = 1;
	judge(&bench);
	assert_fails(&bench, "end-mark", "ROM", HEALTH_ERROR);
}

/* A secured ROM may be encrypted: no information block is no fault there. */
static void knows_secured_rom(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	struct layout_part rom = bench_part(&bench, "ROM");

	(void)state;
	put_le16(bench_record(&bench, &rom, 0x208) + 6, GFH_MAUI_SEC);
	judge(&bench);
	assert_outcome(&bench, "secured", "ROM", HEALTH_REMARK);
	assert_outcome(&bench, "rom-info", "ROM", HEALTH_PASS);
	bench.data[ROM + 0x668] = 'm';
	judge(&bench);
	assert_outcome(&bench, "rom-info", "ROM", HEALTH_UNKNOWN);
	assert_outcome(&bench, "end-mark", "ROM", HEALTH_PASS);
	put_le32(bench.data + ROM + rom.length - 8, 0x12345678);
	judge(&bench);
	assert_outcome(&bench, "end-mark", "ROM", HEALTH_UNKNOWN);
	assert_true(health_is_good(bench.report));
}

static void finds_pages(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");

	(void)state;
	memset(bench.data + 0x20000, 0, PAGE);
	judge(&bench);
	assert_int_equal(assert_fails(&bench, "zero-pages", "ROM", HEALTH_NOTE)->offset, 0x20000);
	assert_true(health_is_good(bench.report));
	memset(bench.data + 0x30000, 0, PAGE);
	judge(&bench);
	assert_fails(&bench, "zero-pages", "ROM", HEALTH_ERROR);
	for (uint32_t i = 0; i < 2 * PAGE; i += 4)
		put_le32(bench.data + 0x20000 + i, 0xdeadbeef);
	judge(&bench);
	assert_fails(&bench, "repeated-word", "ROM", HEALTH_ERROR);
	assert_fails(&bench, "zero-pages", "ROM", HEALTH_NOTE);
	memcpy(bench.data + 0x41000, bench.data + 0x40000, PAGE);
	judge(&bench);
	assert_fails(&bench, "doubled-pages", "ROM", HEALTH_ERROR);
}

/* In a file whose digest is right, they are as they should be. */
static void allows_pages_that_a_digest_proves(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	uint8_t *file = bench.data + EXT_BL;

	(void)state;
	memset(bench.data + 0x4000, 0, 2 * PAGE);
	assert_int_equal(digest_sha1(file, 0x7328 - 0x20, file + 0x7328 - 0x20), 0);
	judge(&bench);
	assert_outcome(&bench, "digest", "EXT_BOOTLOADER", HEALTH_PASS);
	assert_outcome(&bench, "zero-pages", NULL, HEALTH_PASS);
}

/* ---- VIVA ---- */

static void finds_erased_page_in_alice(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(4 * MIB, "MT6261");
	const struct health_check *check;
	uint64_t page;

	(void)state;
	page = (bench_look(&bench)->viva.alice.offset + 0x20000) & ~0xfffULL;
	memset(bench.data + page, 0xff, PAGE);
	judge(&bench);
	check = assert_fails(&bench, "alice-walk", "VIVA", HEALTH_ERROR);
	assert_in_range(check->offset, page - 152, page);
	assert_in_range(check->length, PAGE - 152, PAGE + 152);
	assert_in_range(strtoul(check->text, NULL, 10), 40, 60);
	assert_int_equal(bench.report->coverage.structure, 20 + 180);
	assert_fails(&bench, "repeated-word", "VIVA", HEALTH_NOTE);
}

static void finds_damaged_viva(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT2502");
	struct layout_part viva = bench_part(&bench, "VIVA");
	uint8_t *table = bench.data + viva.offset + 0x38;
	uint8_t *zimage = bench.data + bench.layout->viva.zimage.offset;
	uint8_t *alice = bench.data + bench.layout->viva.alice.offset;
	uint32_t own = get_le32(table), packed = get_le32(zimage + 12);

	(void)state;
	put_le32(table, own + 4);
	judge(&bench);
	assert_fails(&bench, "viva-table", "VIVA", HEALTH_ERROR);
	put_le32(table, own);
	put_le32(table + 8, own + (uint32_t)viva.length);
	judge(&bench);
	assert_fails(&bench, "viva-table", "VIVA", HEALTH_ERROR);
	put_le32(table + 8, 0);
	put_le32(zimage + 12, packed + 0x1000);
	judge(&bench);
	assert_fails(&bench, "zimage", "VIVA", HEALTH_ERROR);
	put_le32(zimage + 12, packed);
	alice[0] = 'a';
	judge(&bench);
	assert_fails(&bench, "alice-header", "VIVA", HEALTH_ERROR);
	assert_outcome(&bench, "alice-walk", "VIVA", HEALTH_UNKNOWN);
	alice[0] = 'A';
	judge(&bench);
	assert_true(health_is_good(bench.report));
}

/* ---- Set ---- */

static void finds_boot_loaders_of_two_builds(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	struct layout_part boot = bench_part(&bench, "EXT_BOOTLOADER");
	uint8_t *record = bench_record(&bench, &boot, GFH_ARM_BL_INFO);

	(void)state;
	put_le32(record + 12, 0x570);
	judge(&bench);
	assert_fails(&bench, "pairing", NULL, HEALTH_ERROR);
	put_le16(record + 6, 0x777);
	judge(&bench);
	assert_outcome(&bench, "pairing", NULL, HEALTH_UNKNOWN);
}

static void compares_flash_ids(void **state)
{
	static const uint8_t listed[] = { 0xc2, 0x25, 0x34 },
			     strange[] = { 0x1c, 0x38, 0x14, 0, 0 };
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	struct health_options options = { .chip_id = listed, .chip_id_length = sizeof(listed) };
	struct layout_part rom = bench_part(&bench, "ROM");
	uint8_t *list = bench_record(&bench, &rom, GFH_CMEM_ID_INFO);

	(void)state;
	bench_judge(&bench, &options);
	assert_outcome(&bench, "chip-id", NULL, HEALTH_PASS);
	assert_outcome(&bench, "chip-size", NULL, HEALTH_PASS);
	options = (struct health_options){ .chip_id = strange, .chip_id_length = sizeof(strange) };
	bench_judge(&bench, &options);
	assert_fails(&bench, "chip-id", NULL, HEALTH_ERROR);
	options.chip_id_length = 2;
	assert_int_equal(health_check(bench.layout, &options, &(struct health_report *){ NULL }),
			 -EINVAL);

	judge(&bench);
	assert_null(check_of(&bench, "chip-id", NULL));
	list[18] = 0xef;
	judge(&bench);
	assert_fails(&bench, "flash-id-first", NULL, HEALTH_ERROR);
	put_le32(list + 12, 60000);
	judge(&bench);
	assert_fails(&bench, "flash-ids", NULL, HEALTH_ERROR);
}

/* ---- Harm ---- */

/* Anything anywhere in the headers: a report comes out, and it is sound. */
static void stands_random_damage(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	struct layout_part viva = bench_part(&bench, "VIVA");
	const uint64_t places[] = { 0,
				    0x200,
				    0x800,
				    EXT_BL,
				    ROM,
				    viva.offset,
				    bench.layout->viva.zimage.offset,
				    bench.layout->viva.alice.offset };
	struct noise noise = { 2026 };

	(void)state;
	for (unsigned int i = 0; i < 240; i++) {
		uint8_t *at = bench.data + places[i % ARRAY_SIZE(places)];
		uint8_t old[512];

		memcpy(old, at, sizeof(old));
		for (unsigned int j = 0; j <= i / 8 % 6; j++)
			at[noise_next(&noise) % sizeof(old)] = (uint8_t)noise_next(&noise);
		judge(&bench);
		memcpy(at, old, sizeof(old));
	}
	judge(&bench);
	assert_true(health_is_good(bench.report));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_damaged_boot_header),
		cmocka_unit_test(finds_wrong_boot_entry),
		cmocka_unit_test(finds_stub),
		cmocka_unit_test(finds_missing_viva_header),
		cmocka_unit_test(finds_broken_chain),
		cmocka_unit_test(finds_missing_files),
		cmocka_unit_test(finds_one_bit_in_boot_loader),
		cmocka_unit_test(does_not_find_one_bit_in_rom),
		cmocka_unit_test(finds_damaged_rom_marks),
		cmocka_unit_test(knows_secured_rom),
		cmocka_unit_test(finds_pages),
		cmocka_unit_test(allows_pages_that_a_digest_proves),
		cmocka_unit_test(finds_erased_page_in_alice),
		cmocka_unit_test(finds_damaged_viva),
		cmocka_unit_test(finds_boot_loaders_of_two_builds),
		cmocka_unit_test(compares_flash_ids),
		cmocka_unit_test(stands_random_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
