/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The made flash images, read back with the rules of real firmware packages. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <openssl/evp.h>

#include "protocol/base/bytes.h"
#include "protocol/base/strings.h"
#include "tests/watch/flash-image.h"

#define MIB       (1U << 20)
#define FLASH     0x10000000U
#define END_MARK  0x454E4400U
#define ADDRESS26 0x3FFFFFFU

struct file {
	const uint8_t *data;
	uint32_t offset, length, load, content;
	uint16_t type;
};

static const uint8_t *record_of(const struct file *file, uint16_t type)
{
	uint32_t at = 0;

	while (at < file->content) {
		if (get_le16(file->data + at + 6) == type)
			return file->data + at;
		at += get_le16(file->data + at + 4);
	}
	return NULL;
}

/* The file at an offset, its chain of records walked to the end. */
static struct file file_at(const uint8_t *image, uint32_t size, uint32_t offset, uint16_t type)
{
	const uint8_t *p = image + offset;
	struct file file = {
		.data = p,
		.offset = offset,
		.type = get_le16(p + 0x18),
		.load = get_le32(p + 0x1C),
		.length = get_le32(p + 0x20),
		.content = get_le32(p + 0x28),
	};
	uint32_t at = 0;

	assert_memory_equal(p, "MMM\001\x38\0\0\0FILE_INFO", 17);
	assert_int_equal(file.type, type);
	assert_int_equal(p[0x1A], 7);
	assert_true(file.length <= size - offset);
	assert_true(file.content < file.length);
	while (at < file.content) {
		assert_memory_equal(p + at, "MMM", 3);
		assert_true(get_le16(p + at + 4) >= 8);
		at += get_le16(p + at + 4);
	}
	assert_int_equal(at, file.content);
	return file;
}

static void check_header(const uint8_t *image)
{
	const uint8_t *layout = image + get_le32(image + 0x10);

	assert_memory_equal(image, "SF_BOOT\0", 8);
	assert_int_equal(get_le32(image + 0x0C), 1);
	assert_int_equal(layout - image, 0x200);
	assert_memory_equal(layout, "BRLYT\0\0\0", 8);
	assert_int_equal(get_le32(layout + 0x08), 1);
	assert_int_equal(get_le32(image + 0x400), 0xABABABAB);
	assert_memory_equal(image + 0x404, image + 0x40C, 8);
}

static void check_signature(const struct file *file)
{
	static const uint8_t zeros[12];
	const uint8_t *signature = file->data + file->length - 0x20;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int size;

	assert_int_equal(
		EVP_Digest(file->data, file->length - 0x20, digest, &size, EVP_sha1(), NULL), 1);
	assert_memory_equal(signature, digest, 20);
	assert_memory_equal(signature + 20, zeros, 12);
	assert_int_equal(get_le32(signature - 4), END_MARK);
}

/* The descriptors of the layout table lead to the bootloaders. */
static void check_bootloaders(const uint8_t *image, uint32_t size)
{
	const uint8_t *layout = image + 0x200;
	const uint8_t *pairing[2];

	for (uint16_t i = 0; i < 2; i++) {
		const uint8_t *d = layout + 0x14 + 20 * i;
		struct file file = file_at(image, size, get_le32(d + 8), i + 1);

		assert_memory_equal(d, "BBBB\007", 5);
		assert_int_equal(get_le16(d + 6), i + 1);
		assert_true(file.offset + file.length <= get_le32(d + 12));
		check_signature(&file);
		pairing[i] = record_of(&file, 0x209);
		assert_non_null(pairing[i]);
		if (i == 1)
			assert_int_equal(file.load, FLASH + file.offset);
	}
	for (size_t i = 2; i < 8; i++)
		assert_int_equal(get_le32(layout + 0x14 + 20 * i), UINT32_C(0));
	assert_memory_equal(pairing[0] + 8, pairing[1] + 8, 8);
	assert_int_equal(get_le32(layout + 0x0C), 0x800);
	assert_int_equal(get_le32(layout + 0x10), 0xA000);
}

/* The flash that the ROM was built for: ids, sizes, areas. */
static uint32_t check_flash_tables(const struct file *rom, uint32_t size)
{
	const uint8_t *info = record_of(rom, 0x207), *ids = record_of(rom, 0x102);
	const uint8_t *nor = record_of(rom, 0x103), *maui = record_of(rom, 0x200);
	uint32_t fat_begin, n;

	assert_true(info && ids && nor && maui);
	n = get_le32(ids + 0x0C);
	assert_true(n >= 1 && n <= 3);
	assert_int_equal(get_le16(ids + 4), 0x10 + (n * 10 + 3) / 4 * 4);
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *id = ids + 0x10 + 10 * i;

		assert_int_equal(id[0], 3);
		assert_int_equal(id[1], 3);
		assert_int_equal(1U << (id[4] & 0x1F), size);
	}
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(get_le16(info + 0x14 + 2 * i), ids[0x12 + i]);
	assert_int_equal(get_le32(info + 0x10), 3);
	assert_int_equal(get_le32(nor + 0x10 + 0x48), size);
	fat_begin = get_le32(info + 0x1C);
	assert_int_equal(fat_begin + get_le32(info + 0x20), get_le32(maui + 0xDC));
	assert_int_equal(get_le32(maui + 0xDC) + get_le32(maui + 0xE0), size);
	return fat_begin;
}

/* Bits, most significant first. */
struct bits {
	const uint8_t *data;
	size_t at;
};

static uint32_t take_bits(struct bits *bits, unsigned int count)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < count; i++, bits->at++)
		value = value << 1 | (bits->data[bits->at / 8] >> (7 - bits->at % 8) & 1);
	return value;
}

/* Unpacks half a group; returns its length in bytes. */
static uint32_t unpack_half(const uint8_t *stream, const uint8_t *header, const uint8_t *dictionary,
			    uint16_t out[32])
{
	struct bits bits = { .data = stream };

	for (size_t i = 0; i < 32; i++) {
		uint32_t class = take_bits(&bits, 3), base = 0;

		for (uint32_t j = 0; j < class && class < 7; j++)
			base += 1U << get_le16(header + 0x14 + 2 * j);
		if (class == 7)
			out[i] = (uint16_t)take_bits(&bits, 16);
		else
			out[i] = get_le16(
				dictionary +
				2 * (base + take_bits(&bits, get_le16(header + 0x14 + 2 * class))));
	}
	return (uint32_t)(bits.at + 7) / 8;
}

static void check_alice(const struct file *viva, uint32_t address, const char *magic)
{
	const uint8_t *header = viva->data + (address - viva->load);
	const uint8_t *end = viva->data + viva->length;
	uint32_t base = get_le32(header + 8), map_at = get_le32(header + 0xC);
	const uint8_t *stream = header + 0x28;
	const uint8_t *map = header + (map_at - address);
	const uint8_t *dictionary = header + (get_le32(header + 0x10) - address);
	uint32_t groups = (uint32_t)(dictionary - map) / 4 - 1, offset = 0, words = 0;
	uint16_t first[32] = { 0 }, half[32] = { 0 };

	assert_string_equal((const char *)header, magic);
	assert_int_equal(base, address + 0x28);
	assert_true(stream < map && map < dictionary && dictionary < end);
	for (size_t i = 0; i < 7; i++)
		words += 1U << get_le16(header + 0x14 + 2 * i);
	assert_ptr_equal(dictionary + 2 * (size_t)words, end);
	assert_true(groups > 100);
	for (uint32_t i = 0; i < groups; i++) {
		uint32_t entry = get_le32(map + 4 * (size_t)i), length;

		assert_int_equal(entry & ADDRESS26, (base + offset) & ADDRESS26);
		length = unpack_half(stream + offset, header, dictionary, i ? half : first);
		assert_int_equal((entry >> 26) + 13, length);
		offset += length;
		offset += unpack_half(stream + offset, header, dictionary, half);
	}
	assert_int_equal(get_le32(map + 4 * (size_t)groups), (base + offset) & ADDRESS26);
	assert_int_equal((base + offset + 3) & ~3U, map_at);
	assert_int_equal(first[0], 'C' | 'A' << 8);
	assert_int_equal(first[1], 'K' | 'E' << 8);
}

static void check_viva(const struct file *viva, const char *magic)
{
	const uint8_t *addresses = viva->data + viva->content;
	uint32_t zimage = get_le32(addresses + 4), alice = get_le32(addresses + 0x10);
	const uint8_t *part = viva->data + (zimage - viva->load);

	assert_int_equal(viva->content, 0x38);
	assert_int_equal(get_le32(addresses), viva->load);
	assert_int_equal(viva->load, FLASH + viva->offset);
	assert_true(zimage > viva->load && zimage < alice && alice < viva->load + viva->length);
	assert_int_equal(get_le32(part), 1);
	assert_int_equal(get_le32(part + 4), 3);
	assert_int_equal(zimage + 0x18 + (get_le32(part + 0xC) + 3) / 4 * 4, alice);
	assert_memory_equal(part + 0x18, "\x5C\0\x40\0\0", 5);
	assert_int_equal(get_le32(part + 0x1D), get_le32(part + 0x14));
	check_alice(viva, alice, magic);
}

static void check_gap(const uint8_t *image, uint32_t begin, uint32_t end)
{
	assert_true(begin < end);
	assert_int_equal(image[begin], 0xFF);
	assert_true(bytes_are_uniform(image + begin, end - begin));
}

static void check_image(const uint8_t *image, uint32_t size, const char *platform,
			const char *alice)
{
	struct file rom, viva;
	const uint8_t *maui;
	uint32_t fat_begin;
	char project[32];

	check_header(image);
	check_bootloaders(image, size);
	rom = file_at(image, size, 0xA000, 0x100);
	assert_int_equal(rom.load, FLASH + rom.offset);
	assert_int_equal(get_le32(rom.data + rom.length - 8), END_MARK);
	assert_int_equal(get_le32(rom.data + rom.length - 4), 0xFFFFFFFF);
	assert_memory_equal(rom.data + 0x668, "MTK_ROMINFO_v09", 16);
	fat_begin = check_flash_tables(&rom, size);
	snprintf(project, sizeof(project), "_%s_S00", platform);
	maui = record_of(&rom, 0x200);
	assert_non_null(strstr((const char *)maui + 8, project));

	viva = file_at(image, size, rom.offset + rom.length + 0x400, 0x108);
	check_viva(&viva, alice);
	assert_true(viva.offset + viva.length <= fat_begin);
	check_gap(image, rom.offset + rom.length, viva.offset);
	check_gap(image, viva.offset + viva.length, fat_begin);
	assert_int_equal(get_le32(image + fat_begin), 0x3900006A);
	check_gap(image, fat_begin + 32, fat_begin + 512);
	assert_memory_not_equal(image, image + size / 2, size / 2);
}

static void test_sizes(void **state)
{
	(void)state;
	for (uint32_t size = MIB; size <= 64 * MIB; size *= 2) {
		_cleanup_free_ uint8_t *image = NULL;

		assert_true(flash_image_size_ok(size));
		assert_int_equal(flash_image_new(size, "MT6261", &image), 0);
		check_image(image, size, "MT6261", "ALICE_2");
	}
}

static void test_platforms(void **state)
{
	_cleanup_free_ uint8_t *image = NULL, *same = NULL, *other = NULL;

	(void)state;
	assert_int_equal(flash_image_new(2 * MIB, "MT2502", &image), 0);
	check_image(image, 2 * MIB, "MT2502", "ALICE_1");
	assert_int_equal(flash_image_new(2 * MIB, "MT2502", &same), 0);
	assert_memory_equal(image, same, 2 * MIB);
	assert_int_equal(flash_image_new(2 * MIB, "MT6260", &other), 0);
	check_image(other, 2 * MIB, "MT6260", "ALICE_1");
	assert_memory_not_equal(image + 0xB000, other + 0xB000, 0x1000);
}

static void test_wrong_sizes(void **state)
{
	static const uint64_t sizes[] = {
		0, 1, MIB / 2, 3 * MIB, MIB + 1, 128ULL * MIB, (1ULL << 32) + MIB, UINT64_MAX
	};
	uint8_t *image = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_false(flash_image_size_ok(sizes[i]));
		assert_int_equal(flash_image_new(sizes[i], "MT6261", &image), -EINVAL);
		assert_null(image);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_platforms),
		cmocka_unit_test(test_wrong_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
