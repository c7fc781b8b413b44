/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found in flash images: made ones, changed ones, and bytes that mean harm. */

#include <errno.h>
#include <time.h>

#include "tests/unit/image-bench.h"
#include "tests/watch/noise.h"

static const struct layout_region *region_at(const struct layout *layout, uint64_t offset)
{
	for (size_t i = 0; i < layout->n_regions; i++)
		if (offset - layout->regions[i].offset < layout->regions[i].length)
			return &layout->regions[i];
	return NULL;
}

static void check_whole(uint64_t size, const char *platform)
{
	static const char *const names[] = { "INT_BOOTLOADER", "EXT_BOOTLOADER", "ROM", "VIVA" };
	_cleanup_bench_ struct bench bench = bench_new(size, platform);
	const struct layout *layout = bench_look(&bench);
	const uint8_t *list;
	struct layout_part rom;

	bench_check_map(layout);
	assert_int_equal(layout->effective_size, size);
	assert_false(layout->blank);
	assert_true(layout->boot_header && layout->has_boot_layout);
	assert_int_equal(layout->n_boot_entries, 2);
	assert_int_equal(layout->boot_entries[1].part, 1);
	assert_int_equal(layout->efuse.offset, 0x400);
	assert_int_equal(layout->efuse.length, 20);
	assert_int_equal(layout->n_parts, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(layout->parts[i].name, names[i]);
		assert_int_equal(layout->parts[i].available, layout->parts[i].length);
		assert_int_equal(layout->parts[i].expected, layout->parts[i].offset);
		assert_int_equal(layout->parts[i].chain_length,
				 layout->parts[i].gfh.content_offset);
	}
	assert_true(layout->parts[0].listed && layout->parts[1].listed);
	assert_false(layout->parts[2].listed);
	assert_true(layout->parts[0].paired);
	assert_string_equal(layout->platform, platform);
	assert_string_equal(layout->facts.version + 6, ".VIRTUAL.W26.48");
	assert_int_equal(layout->user_area.offset, size / 4 * 3);
	assert_int_equal(layout_firmware_end(layout), size / 4 * 3);
	assert_int_equal(layout->control.offset, size - 0x2000);
	assert_int_equal(layout_needed_size(layout), size);
	assert_int_equal(layout->n_stubs + layout->n_parts_left_out, 0);
	assert_true(layout->viva.alice.length > 0 && layout->viva.zimage.length > 0);
	assert_int_equal(layout->viva.dcm.length + layout->viva.boot_zimage.length, 0);
	assert_int_equal(layout->viva.alice.offset + layout->viva.alice.length,
			 layout->parts[3].offset + layout->parts[3].length);

	rom = layout->parts[2];
	list = bench_record(&bench, &rom, GFH_CMEM_ID_INFO);
	assert_int_equal(layout->facts.n_parts, get_le32(list + 12));
	assert_int_equal(layout->facts.n_parts_told, layout->facts.n_parts);
	for (size_t i = 0; i < layout->facts.n_parts; i++) {
		const struct flash_part *part = &layout->facts.parts[i];

		assert_int_equal(part->type, list[16 + 10 * i]);
		assert_int_equal(part->id_length, list[17 + 10 * i]);
		assert_memory_equal(part->id, list + 18 + 10 * i, 8);
	}
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(layout->facts.flash_id[i], layout->facts.parts[0].id[i]);
}

static void finds_all(void **state)
{
	static const char *const platforms[] = { "MT6261", "MT6260", "MT2502" };

	(void)state;
	for (uint64_t size = MIB; size <= 16 * MIB; size *= 2)
		for (size_t i = 0; i < ARRAY_SIZE(platforms); i++)
			check_whole(size, platforms[i]);
}

static void names_regions(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	const struct layout *layout;
	uint64_t viva;

	(void)state;
	viva = bench_part(&bench, "VIVA").offset;
	bench.data[0xb8000 + 5] = 0x12;
	layout = bench_look(&bench);
	assert_int_equal(region_at(layout, 0)->kind, REGION_BOOT_HEADER);
	assert_int_equal(region_at(layout, 0x200)->kind, REGION_BOOT_LAYOUT);
	assert_int_equal(region_at(layout, 0x400)->kind, REGION_EFUSE);
	assert_int_equal(region_at(layout, 0x414)->kind, REGION_ERASED);
	assert_string_equal(region_at(layout, 0x800)->name, "INT_BOOTLOADER");
	assert_string_equal(region_at(layout, ROM)->name, "ROM");
	assert_int_equal(region_at(layout, viva - 1)->kind, REGION_ERASED);
	assert_string_equal(region_at(layout, viva)->name, "VIVA");
	assert_int_equal(region_at(layout, layout->viva.zimage.offset)->kind, REGION_ZIMAGE);
	assert_int_equal(region_at(layout, layout->viva.alice.offset)->kind, REGION_ALICE);
	assert_int_equal(region_at(layout, 0xb8005)->kind, REGION_UNKNOWN);
	assert_int_equal(region_at(layout, 0xb8005)->length, 1);
	assert_int_equal(region_at(layout, 0xc0000)->kind, REGION_USER_AREA);
	assert_int_equal(region_at(layout, 0xfffff)->kind, REGION_CONTROL);
}

static void undoes_aliasing(void **state)
{
	static const uint64_t sizes[] = { 2 * MIB, 3 * MIB, 4 * MIB, MIB + 64 * KIB, 16 * MIB };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
		const struct layout *layout;

		bench_repeat(&bench, sizes[i]);
		layout = bench_look(&bench);
		assert_int_equal(layout->effective_size, MIB);
		assert_false(layout->repeats_but_user_area);
		assert_int_equal(layout->n_parts, 4);
		assert_int_equal(region_at(layout, MIB)->kind, REGION_REPEATED);
		assert_int_equal(region_at(layout, MIB)->length, sizes[i] - MIB);
		bench_check_map(layout);
	}
}

/* A watch that runs writes into its user area between the two readings of it. */
static void undoes_aliasing_but_user_area(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	const struct layout *layout;

	(void)state;
	bench_repeat(&bench, 2 * MIB);
	bench.data[MIB + 0xc0000 + 77] ^= 1;
	layout = bench_look(&bench);
	assert_int_equal(layout->effective_size, MIB);
	assert_true(layout->repeats_but_user_area);

	/* Below the user area it is another matter. */
	bench.data[MIB + 0x20000] ^= 1;
	layout = bench_look(&bench);
	assert_int_equal(layout->effective_size, 2 * MIB);
}

static void knows_blank(void **state)
{
	(void)state;
	for (int fill = 0; fill <= 0xff; fill += 0xff) {
		_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
		const struct layout *layout;

		memset(bench.data, fill, bench.size);
		layout = bench_look(&bench);
		assert_true(layout->blank);
		assert_int_equal(layout->effective_size, MIB);
		assert_int_equal(layout->n_parts, 0);
		assert_int_equal(layout->n_regions, 1);
		assert_int_equal(layout->regions[0].kind,
				 fill == 0xff ? REGION_ERASED : REGION_UNKNOWN);
	}
}

static void goes_without_viva(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(2 * MIB, "MT2502");
	const struct layout *layout;
	struct layout_part viva = bench_part(&bench, "VIVA");

	(void)state;
	memset(bench.data + viva.offset, 0xff, viva.length);
	layout = bench_look(&bench);
	assert_int_equal(layout->n_parts, 3);
	assert_null(layout_find(layout, LAYOUT_VIVA));
	assert_int_equal(layout->viva.part, LAYOUT_NO_PART);
	assert_int_equal(layout->viva.alice.length, 0);
	bench_check_map(layout);
}

static void finds_other_files(void **state)
{
	static const struct {
		uint16_t type;
		const char *name;
		enum layout_part_kind kind;
	} files[] = {
		{ 0x103, "THIRD_ROM", LAYOUT_THIRD_ROM },
		{ 0x103, "THIRD_ROM_2", LAYOUT_THIRD_ROM },
		{ 0x7001, "CUSTOMER_BIN1", LAYOUT_CUSTOMER },
		{ 0x480, "FILE_SYSTEM", LAYOUT_OTHER },
		{ 0x777, "FILE_0777", LAYOUT_OTHER },
	};
	_cleanup_bench_ struct bench bench = bench_new(4 * MIB, "MT6261");
	const struct layout *layout;
	uint32_t at = 0x2a0000;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		bench_put_file(bench.data + at + 0x1000 * i, files[i].type,
			       0x90000000 + at + 0x1000 * (uint32_t)i, 0x345);
	layout = bench_look(&bench);
	assert_int_equal(layout->n_parts, 4 + ARRAY_SIZE(files));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		const struct layout_part *part = &layout->parts[4 + i];

		assert_string_equal(part->name, files[i].name);
		assert_int_equal(part->kind, files[i].kind);
		assert_int_equal(part->offset, at + 0x1000 * i);
		assert_int_equal(part->expected, part->offset);
		assert_int_equal(part->length, 0x345);
	}
	bench_check_map(layout);
}

/* A file may carry another; only one that lies at its own address is a file of the flash. */
static void tells_copies_from_files(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	const struct layout *layout;

	(void)state;
	memcpy(bench.data + 0x20000, bench.data + EXT_BL, 0x400);
	layout = bench_look(&bench);
	assert_int_equal(layout->n_parts, 4);
	bench_put_file(bench.data + 0x20000, 0x103, 0x10020000, 0x1000);
	layout = bench_look(&bench);
	assert_int_equal(layout->n_parts, 5);
	assert_string_equal(layout->parts[3].name, "THIRD_ROM");
	bench_check_map(layout);
}

/* Somebody's firmware file on the watch's disk is a part of that disk. */
static void leaves_user_files_alone(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(4 * MIB, "MT6261");
	const struct layout *layout;

	(void)state;
	bench_put_file(bench.data + 0x300200, GFH_FILE_PRIMARY_MAUI, 0x1000A000, 0x90000);
	bench_put_file(bench.data + 0x3a0200, GFH_FILE_ARM_BL, 0x70008000, 0x2000);
	layout = bench_look(&bench);
	assert_int_equal(layout->n_parts, 4);
	assert_int_equal(layout->parts[2].offset, ROM);
	assert_int_equal(region_at(layout, 0x300200)->kind, REGION_USER_AREA);
	assert_int_equal(region_at(layout, 0x300200)->length, layout->user_area.length);
	bench_judge(&bench, NULL);
	assert_true(health_is_good(bench.report));
	/* What was made for that place is firmware all the same. */
	bench_put_file(bench.data + 0x3b0200, 0x103, 0x103b0200, 0x1000);
	assert_int_equal(bench_look(&bench)->n_parts, 5);
	bench_check_map(bench.layout);
}

static void keeps_cut_files(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(4 * MIB, "MT6261");
	const struct layout *layout;

	(void)state;
	bench_resize(&bench, MIB);
	layout = bench_look(&bench);
	assert_int_equal(layout->n_parts, 3);
	assert_int_equal(layout->parts[2].available, MIB - ROM);
	assert_true(layout->parts[2].length > MIB);
	assert_int_equal(layout->user_area.length, 0);
	assert_int_equal(layout_firmware_end(layout), MIB);
	assert_int_equal(layout_needed_size(layout), 4 * MIB);
	bench_check_map(layout);
}

static void reads_platforms(void **state)
{
	static const struct {
		const char *project, *platform;
	} cases[] = {
		{ "SIM800C_MT6261_S00", "MT6261" },
		{ "X_MT2502", "MT2502" },
		{ "X_MTK_MT6260A_Y", "MT6260" },
		{ "X_MT626", "" },
		{ "MT6261_S00", "" },
		{ "X_mt6261", "" },
		{ "X_MT", "" },
		{ "_MTMT_MT2501", "MT2501" },
		{ "", "" },
		{ "A\x1b_MT6261", "" },
	};
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	struct layout_part rom = bench_part(&bench, "ROM");
	uint8_t *info = bench_record(&bench, &rom, GFH_MAUI_INFO);
	uint8_t *block = memmem(bench.data + ROM, 0x1000, "MTK_ROMINFO_v09", 15);

	(void)state;
	assert_non_null(block);
	memset(block + 0x10, 0, 128);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(info + 8, 0, 128);
		memcpy(info + 8, cases[i].project, strlen(cases[i].project));
		assert_string_equal(bench_look(&bench)->platform, cases[i].platform);
	}
	/* No NUL in the field, and the platform cut off by its end. */
	memset(info + 8, 'x', 128);
	memcpy(info + 8 + 122, "_MT626", 6);
	assert_string_equal(bench_look(&bench)->platform, "");
	assert_int_equal(strlen(bench.layout->facts.project), 128);
	/* Then the ROM's information block tells, as far as its text goes. */
	memset(block + 0x10, 'x', 128 + 64);
	memcpy(block + 0x10 + 121, "_MT6260", 7);
	assert_string_equal(bench_look(&bench)->platform, "MT6260");
	memcpy(info + 8, "_MT2502", 7);
	assert_string_equal(bench_look(&bench)->platform, "MT2502");
	memcpy(info + 8, "xxxxxxx", 7);
	memcpy(block + 0x10 + 121, "x_MT6260", 8);
	assert_string_equal(bench_look(&bench)->platform, "");
}

/* Where both tell, the ROM's word counts; without it the boot loader's list does. */
static void takes_list_of_boot_loader(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	struct layout_part rom = bench_part(&bench, "ROM");
	uint8_t *list = bench_record(&bench, &rom, GFH_CMEM_ID_INFO);
	uint8_t *emi = bench_record(&bench, &bench.layout->parts[0], 0x101);

	(void)state;
	put_le16(emi + 6, GFH_CMEM_ID_INFO);
	put_le32(emi + 12, 1);
	memcpy(emi + 16, "\3\3\xc8\x60\x14\0\0\0\0\0", 10);
	assert_int_equal(bench_look(&bench)->facts.n_parts, 3);
	put_le16(list + 6, 0x7777);
	assert_int_equal(bench_look(&bench)->facts.n_parts, 1);
	assert_int_equal(bench.layout->facts.parts[0].id[0], 0xc8);
}

/* ---- Harm ---- */

static void stands_random_bytes(void **state)
{
	static const size_t sizes[] = { 1, 7, 8, 19, 20, 55, 56, 57, 0x213, 4096, 65537, 2 * MIB };
	struct noise noise = { 4711 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_bench_ struct bench bench = { .data = malloc(sizes[i]), .size = sizes[i] };

		assert_non_null(bench.data);
		noise_fill(&noise, bench.data, bench.size);
		bench_check_map(bench_look(&bench));
		assert_int_equal(bench.layout->n_parts, 0);
		bench_judge(&bench, NULL);
	}
	assert_int_equal(layout_new((const uint8_t *)"", 0, &(struct layout *){ NULL }), -EINVAL);
}

static void stands_truncation(void **state)
{
	_cleanup_bench_ struct bench whole = bench_new(MIB, "MT6261");
	struct layout_part viva = bench_part(&whole, "VIVA");
	const uint64_t around[] = { 0,
				    20,
				    0x200,
				    0x2b4,
				    0x400,
				    0x800,
				    EXT_BL,
				    ROM,
				    ROM + 0x1000,
				    viva.offset,
				    whole.layout->viva.zimage.offset,
				    whole.layout->viva.alice.offset,
				    viva.offset + viva.length };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(around); i++)
		for (int64_t j = -41; j <= 70; j += 3) {
			_cleanup_bench_ struct bench bench = { 0 };

			if ((int64_t)around[i] + j <= 0)
				continue;
			bench.size = whole.size;
			bench.data = malloc(whole.size);
			assert_non_null(bench.data);
			memcpy(bench.data, whole.data, whole.size);
			bench_resize(&bench, (uint64_t)((int64_t)around[i] + j));
			bench_check_map(bench_look(&bench));
			bench_judge(&bench, NULL);
			assert_false(health_is_good(bench.report));
		}
}

/* Lengths, chains and loads of every absurd kind: none may reach outside, none may hang. */
static void stands_absurd_figures(void **state)
{
	static const uint32_t figures[] = { 0,          1,          7,          0x37,
					    0x38,       0x39,       0x3fff,     0x4001,
					    0xfffff,    0x100000,   0x0fffffff, 0x10000000,
					    0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff };
	static const unsigned int fields[] = { 0x18, 0x1c, 0x20, 0x28, 0x2c, 0x38, 0x3c, 0x48 };
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	struct layout_part parts[4];

	(void)state;
	bench_look(&bench);
	memcpy(parts, bench.layout->parts, sizeof(parts));
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < ARRAY_SIZE(fields); j++)
			for (size_t k = 0; k < ARRAY_SIZE(figures); k++) {
				uint8_t *at = bench.data + parts[i].offset + fields[j];
				uint32_t old = get_le32(at);

				put_le32(at, figures[k]);
				bench_check_map(bench_look(&bench));
				bench_judge(&bench, NULL);
				put_le32(at, old);
			}
	bench_judge(&bench, NULL);
	assert_true(health_is_good(bench.report));
}

/* BRLYT entries that lead nowhere, all to one file, or to the image's last bytes. */
static void stands_absurd_boot_layout(void **state)
{
	static const uint32_t begins[] = { 0, 0x200, 0x800, 0x801, 0xfffff, 0x100000, 0xffffffff };
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
		for (size_t j = 0; j < 8; j++) {
			memcpy(bench.data + 0x214 + 20 * j, "BBBB", 4);
			put_le32(bench.data + 0x214 + 20 * j + 8, begins[i]);
		}
		bench_check_map(bench_look(&bench));
		assert_int_equal(bench.layout->n_boot_entries, 8);
		assert_int_equal(bench.layout->n_parts, 4);
		bench_judge(&bench, NULL);
	}
	put_le32(bench.data + 0x10, 0xfffff);
	assert_false(bench_look(&bench)->has_boot_layout);
	put_le32(bench.data + 0x10, 0xffffffff);
	assert_false(bench_look(&bench)->has_boot_layout);
}

/* Processor seconds that both take. */
static double measure(struct bench *bench)
{
	clock_t begin = clock();

	bench_judge(bench, NULL);
	return (double)(clock() - begin) / CLOCKS_PER_SEC;
}

/* 16 MiB in which every 64 bytes look like a file, in several ways. */
static void stands_bait(void **state)
{
	static const uint32_t lengths[] = { 0x40, 0x38, 0x1000000, 0xfffffffe, 0, 0x4000 };
	static const uint32_t chains[] = { 0x38, 0x4000 };
	_cleanup_bench_ struct bench bench = { .data = malloc(16 * MIB), .size = 16 * MIB };

	(void)state;
	assert_non_null(bench.data);
	for (size_t i = 0; i < ARRAY_SIZE(lengths) * ARRAY_SIZE(chains); i++) {
		for (uint32_t at = 0; at < bench.size; at += 64) {
			bench_put_file(bench.data + at, 0x103, 0x10000000 + at, HEADERS + 8);
			put_le32(bench.data + at + 0x20, lengths[i % ARRAY_SIZE(lengths)]);
			put_le32(bench.data + at + 0x28, chains[i / ARRAY_SIZE(lengths)]);
			put_le32(bench.data + at + 0x38, at);
		}
		/* Quadratic would be hours. */
		assert_true(measure(&bench) < 10);
		assert_true(bench.layout->n_parts <= LAYOUT_PARTS_MAX);
		assert_true(bench.layout->n_parts_left_out + bench.layout->n_stubs +
				    bench.layout->n_parts >=
			    16 * MIB / 64);
		bench_check_map(bench.layout);
		assert_false(health_is_good(bench.report));
	}
}

/* The ident alone, without a head before it, back to back. */
static void stands_ident_bait(void **state)
{
	_cleanup_bench_ struct bench bench = { .data = malloc(16 * MIB), .size = 16 * MIB };

	(void)state;
	assert_non_null(bench.data);
	for (uint32_t at = 0; at < bench.size; at++)
		bench.data[at] = (uint8_t) "FILE_INFO"[at % 10];
	assert_true(measure(&bench) < 10);
	assert_int_equal(bench.layout->n_parts, 0);
	for (uint32_t at = 0; at < bench.size; at++)
		bench.data[at] = (uint8_t) "FILE_INF"[at % 8];
	assert_true(measure(&bench) < 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_all),
		cmocka_unit_test(names_regions),
		cmocka_unit_test(undoes_aliasing),
		cmocka_unit_test(undoes_aliasing_but_user_area),
		cmocka_unit_test(knows_blank),
		cmocka_unit_test(goes_without_viva),
		cmocka_unit_test(finds_other_files),
		cmocka_unit_test(tells_copies_from_files),
		cmocka_unit_test(leaves_user_files_alone),
		cmocka_unit_test(keeps_cut_files),
		cmocka_unit_test(reads_platforms),
		cmocka_unit_test(takes_list_of_boot_loader),
		cmocka_unit_test(stands_random_bytes),
		cmocka_unit_test(stands_truncation),
		cmocka_unit_test(stands_absurd_figures),
		cmocka_unit_test(stands_absurd_boot_layout),
		cmocka_unit_test(stands_bait),
		cmocka_unit_test(stands_ident_bait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
