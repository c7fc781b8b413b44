/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/da-container.h"

/* ---- What real files look like ---- */

static void test_mt2625_container(void **state _unused_)
{
	static const struct {
		uint16_t hw_code, hw_sub, variant;
	} shape[11] = {
		{ 0x2523, 0x8100, 0 }, { 0x2523, 0x8100, 1 }, { 0x2523, 0x8000, 0 },
		{ 0x2523, 0x8000, 1 }, { 0x7682, 0x8200, 0 }, { 0x7686, 0x8300, 0 },
		{ 0x7686, 0x8100, 0 }, { 0x5932, 0x8000, 0 }, { 0x2625, 0x8100, 0 },
		{ 0x2625, 0x8300, 0 }, { 0x2625, 0x8300, 1 },
	};
	struct entry entries[11];
	_cleanup_(da_file_freep) struct da_file *file = NULL;
	const struct da_entry *got;
	size_t n;
	int fd;

	for (size_t i = 0; i < 11; i++)
		entries[i] = iot_entry(shape[i].hw_code, shape[i].hw_sub, shape[i].variant, 47);
	fd = new_container("MTK_AllInOne_DA_v2.7.3.00", entries, 11, false, 676531);
	file = open_file(fd);
	assert_string_equal(da_file_version(file), "MTK_AllInOne_DA_v2.7.3.00");
	got = da_file_entries(file, &n);
	assert_int_equal(n, 11);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(got[i].hw_code, shape[i].hw_code);
		assert_int_equal(got[i].hw_sub, shape[i].hw_sub);
		assert_int_equal(got[i].variant, shape[i].variant);
		assert_int_equal(got[i].generation, DA_GENERATION_IOT);
		assert_int_equal(got[i].n_regions, 6);
		assert_int_equal(got[i].regions[0].kind, DA_REGION_EPP);
		assert_int_equal(got[i].regions[1].kind, DA_REGION_EMPTY);
		assert_int_equal(got[i].regions[2].kind, DA_REGION_DA1);
		assert_int_equal(got[i].regions[3].kind,
				 shape[i].variant ? DA_REGION_DA2 : DA_REGION_EMPTY);
		assert_int_equal(got[i].regions[4].length, 0x69C);
		assert_int_equal(da_entry_region(&got[i], DA_REGION_NAND_TABLE)->length, 24);
	}
	assert_true(da_file_has_chip(file, 0x2625));
	assert_false(da_file_has_chip(file, 0x6261));
	fd_close(fd);
}

static void test_mt7687_container(void **state _unused_)
{
	static const uint16_t codes[16] = { 0x2523, 0x2523, 0x2523, 0x2523, 0x7682, 0x7686,
					    0x7686, 0x5932, 0x2811, 0x2811, 0x2811, 0x2801,
					    0x2801, 0x2801, 0x2801, 0x2801 };
	struct entry entries[16];
	_cleanup_(da_file_freep) struct da_file *file = NULL;
	const struct da_entry *got;
	size_t n;
	int fd;

	for (size_t i = 0; i < 16; i++)
		entries[i] = iot_entry(codes[i], 0x8000, 0, 49);
	fd = new_container("MTK_AllInOne_DA_vv2.8.9", entries, 16, false, 929796);
	file = open_file(fd);
	got = da_file_entries(file, &n);
	assert_int_equal(n, 16);
	assert_int_equal(got[15].hw_code, 0x2801);
	assert_int_equal(got[15].generation, DA_GENERATION_IOT);
	assert_int_equal(da_entry_region(&got[15], DA_REGION_NOR_TABLE)->length, 0x6E4);
	fd_close(fd);
}

static const uint16_t phones[18] = { 0x6573, 0x6575, 0x6575, 0x6577, 0x6572, 0x6583,
				     0x6582, 0x8135, 0x6592, 0x6571, 0x6595, 0x8127,
				     0x6752, 0x2601, 0x8173, 0x6795, 0x6735, 0x6580 };

static void phone_entries(struct entry entries[18])
{
	for (size_t i = 0; i < 18; i++)
		entries[i] = (struct entry){
			.hw_code = phones[i],
			.hw_sub = 0x8A00,
			.hw_version = 0xCA00,
			.first = 1,
			.n_regions = 3,
			.regions = { { 0x2000, 0x1CC, 0, 0 },
				     { 0x3000, 0x14000, 0x00200000, 0x100 },
				     { 0x20000, 0x30000, 0x80000000, 0x100 } },
		};
}

/* Known to the listing, refused by name when one is asked for. */
static void test_smartphones(void **state _unused_)
{
	struct entry entries[18];
	_cleanup_(da_file_freep) struct da_file *file = NULL;
	const struct da_entry *got;
	size_t n;
	int fd;

	phone_entries(entries);
	fd = new_container("MTK_AllInOne_DA_v7.1504.0.00", entries, 18, false, 4064724);
	file = open_file(fd);
	got = da_file_entries(file, &n);
	assert_int_equal(n, 18);
	for (size_t i = 0; i < n; i++) {
		const struct da_target target = { phones[i], 0xCB00, 0xFFFF };
		const struct da_entry *entry = NULL;
		char why[DA_WHY_SIZE], name[8];

		assert_int_equal(got[i].generation, DA_GENERATION_SMARTPHONE);
		assert_int_equal(da_select(file, &target, &entry, why), -EOPNOTSUPP);
		assert_null(entry);
		(void)snprintf(name, sizeof(name), "MT%04X", phones[i]);
		assert_non_null(strstr(why, name));
		assert_non_null(strstr(why, "smartphone"));
	}
	fd_close(fd);
}

/* The older form is told by where the second entry begins. */
static void test_old_form(void **state _unused_)
{
	static const size_t counts[] = { 18, 1 };
	struct entry entries[18];
	_cleanup_(da_file_freep) struct da_file *file = NULL;
	const struct da_entry *got;
	size_t n;
	int fd;

	phone_entries(entries);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		fd = new_container("MTK_AllInOne_DA_v3", entries, counts[i], true, 0x60000);
		da_file_free(TAKE_PTR(file));
		file = open_file(fd);
		got = da_file_entries(file, &n);
		assert_int_equal(n, counts[i]);
		assert_int_equal(got[n - 1].hw_code, phones[n - 1]);
		assert_int_equal(got[n - 1].hw_version, 0xCA00);
		assert_int_equal(got[n - 1].sw_version, 0);
		assert_int_equal(got[n - 1].n_regions, 3);
		assert_int_equal(got[n - 1].regions[1].load_address, 0x00200000);
		assert_int_equal(got[n - 1].regions[2].kind, DA_REGION_DA2);
		fd_close(fd);
	}
}

static void test_mt6261(void **state _unused_)
{
	const struct da_target target = { 0x6261, 0xCB01, 1 };
	_cleanup_(da_file_freep) struct da_file *file = NULL;
	_cleanup_free_ uint8_t *whole = NULL;
	const struct da_region *region;
	const struct da_entry *entry = NULL;
	char why[DA_WHY_SIZE] = "";
	uint8_t piece[16];
	int fd = new_container("MTK_AllInOne_DA_v5", &mt6261, 1, false, MT6261_SIZE);

	assert_int_equal(fd_pwrite_all(fd, "second stage", 12, 0x5A16FC + 0x100), 0);
	file = open_file(fd);
	assert_int_equal(da_select(file, &target, &entry, why), 0);
	assert_int_equal(entry->generation, DA_GENERATION_FEATURE_PHONE);
	region = da_entry_region(entry, DA_REGION_DA1);
	assert_int_equal(region->offset, 0x5A0FE4);
	assert_int_equal(region->length, 0x718);
	assert_int_equal(region->load_address, 0x70007000);
	assert_int_equal(region->signature_length, 0x100);
	assert_int_equal(da_entry_region(entry, DA_REGION_NOR_TABLE)->length, 264 * 36);
	assert_null(da_entry_region(entry, DA_REGION_EPP));

	region = da_entry_region(entry, DA_REGION_DA2);
	assert_int_equal(da_file_read(file, region, 0x100, piece, 12), 0);
	assert_memory_equal(piece, "second stage", 12);
	assert_int_equal(da_file_read(file, region, region->length - 16, piece, 16), 0);
	assert_int_equal(da_file_read(file, region, region->length - 15, piece, 16), -ERANGE);
	assert_int_equal(da_file_read(file, region, UINT64_MAX, piece, 16), -ERANGE);
	assert_int_equal(da_file_load(file, region, region->length - 1, &whole), -EFBIG);
	assert_int_equal(da_file_load(file, region, region->length, &whole), 0);
	assert_memory_equal(whole + 0x100, "second stage", 12);
	/* Somebody cuts the file off behind our back. */
	assert_int_equal(ftruncate(fd, 0x5A16FC + 0x200), 0);
	assert_int_equal(da_file_read(file, region, region->length - 16, piece, 16), -ENODATA);
	fd_close(fd);
}

/* ---- Hostile content ---- */

/* Every number of an entry that could lead out of the file, and what is said of it. */
static void test_hostile_numbers(void **state _unused_)
{
	static const struct {
		uint32_t offset; /* in the second entry */
		uint32_t value;
		size_t bytes;
		const char *text;
	} cases[] = {
		{ 0, 0xDAD0, 2, "entry 1 does not begin with DADA" },
		{ 16, 2, 2, NULL },
		{ 16, 6, 2, "entry 1 (chip 6261) starts region 6, and has only 6" },
		{ 16, 0xFFFF, 2, "starts region 65535" },
		{ 18, 0, 2, "has 0 regions" },
		{ 18, 11, 2, "has 11 regions" },
		{ 18, 0xFFFF, 2, "has 65535 regions" },
		{ 20 + 40, MT6261_SIZE, 4, "entry 1 (chip 6261), region 2: 0x718 bytes" },
		{ 20 + 40, MT6261_SIZE - 0x717, 4, "region 2" },
		{ 20 + 40, MT6261_SIZE - 0x718, 4, NULL },
		{ 20 + 40, 0xFFFFFFFF, 4, "region 2" },
		{ 20 + 60 + 4, 0xFFFFFFFF, 4, "region 3" },
		{ 20 + 60 + 4, 0x80000000, 4, "region 3" },
		{ 20 + 60 + 8, 0xFFFFFFF0, 4, "beyond the 32-bit addresses" },
		{ 20 + 60 + 16, 0x1E5E1, 4, "a signature of 0x1e5e1 bytes in 0x1e5e0" },
		{ 20 + 60 + 16, 0xFFFFFFFF, 4, "region 3: a signature" },
		{ 20 + 60 + 16, 0x1E5E0, 4, NULL },
		{ 20 + 80 + 4, MT6261_SIZE, 4, "region 4" },
		{ 20 + 100, 0x7FFFFFFF, 4, "region 5" },
		/* Nobody looks at what lies behind the last region. */
		{ 20 + 120, 0xFFFFFFFF, 4, NULL },
	};
	const struct entry entries[] = { mt6261, mt6261 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int fd = new_container("x", entries, 2, false, MT6261_SIZE);
		uint8_t bytes[4];

		put_le32(bytes, cases[i].value);
		assert_int_equal(fd_pwrite_all(fd, bytes, cases[i].bytes,
					       HEAD + NEW_ENTRY + cases[i].offset),
				 0);
		if (cases[i].text)
			refuses(fd, NULL, -EBADMSG, cases[i].text);
		else
			da_file_free(open_file(fd));
		fd_close(fd);
	}
}

/* A container that ends anywhere is refused, never read beyond its end. */
static void test_every_length(void **state _unused_)
{
	const struct entry entries[] = { iot_entry(0x2523, 0, 1, 4), iot_entry(0x2625, 0, 0, 4) };
	const size_t end = 0x5000 + 24;

	for (int old = 0; old < 2; old++) {
		int fd = new_container("x", entries, 2, old, (off_t)end);
		struct da_file *file = NULL;
		char why[DA_WHY_SIZE];

		da_file_free(open_file(fd));
		for (size_t size = end - 1; size > 0;
		     size -= MIN_OF(size, size > 0x400 ? 61U : 1U)) {
			int expected = size < sizeof("MTK_DOWNLOAD_AGENT") ? -EINVAL : -EBADMSG;

			assert_int_equal(ftruncate(fd, (off_t)size), 0);
			why[0] = '\0';
			assert_int_equal(da_file_open(fd, NULL, &file, why), expected);
			assert_null(file);
			assert_true(why[0] != '\0');
		}
		fd_close(fd);
	}
}

static void test_head(void **state _unused_)
{
	static const uint32_t counts[] = { 0, DA_FILE_MAX_ENTRIES + 1, 0x7FFFFFFF, 0xFFFFFFFF };
	int fd = new_container("a\033[2J\nb", &mt6261, 1, false, MT6261_SIZE);
	struct da_file *file = open_file(fd);

	assert_string_equal(da_file_version(file), "a?[2J?b");
	da_file_free(file);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		put_head(fd, "x", counts[i]);
		refuses(fd, NULL, -EBADMSG, "counts");
	}
	put_head(fd, "x", DA_FILE_MAX_ENTRIES);
	refuses(fd, NULL, -EBADMSG, "entry 1");
	put_head(fd, "x", 1);
	refuses(fd, "da1=0:16:0,table=0:36", -EINVAL, "leave the layout out");
	assert_int_equal(ftruncate(fd, (off_t)DA_FILE_MAX_BYTES + 1), 0);
	refuses(fd, NULL, -EFBIG, "64 MiB");
	assert_int_equal(ftruncate(fd, (off_t)DA_FILE_MAX_BYTES), 0);
	da_file_free(open_file(fd));
	fd_close(fd);
}

static void test_not_a_file(void **state _unused_)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	refuses(fds[0], NULL, -EBADMSG, "regular file");
	refuses(-1, NULL, -EBADF, "cannot be read");
	fd_close(fds[0]);
	fd_close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mt2625_container), cmocka_unit_test(test_mt7687_container),
		cmocka_unit_test(test_smartphones),      cmocka_unit_test(test_old_form),
		cmocka_unit_test(test_mt6261),           cmocka_unit_test(test_hostile_numbers),
		cmocka_unit_test(test_every_length),     cmocka_unit_test(test_head),
		cmocka_unit_test(test_not_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
