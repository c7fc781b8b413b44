/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/flash-image.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/bytes.h"
#include "protocol/base/strings.h"
#include "tests/watch/alice-image.h"
#include "tests/watch/flash-layout.h"
#include "tests/watch/gfh-writer.h"
#include "tests/watch/noise.h"

#define FLASH_BASE     0x10000000U /* what firmware adds to an offset in the flash */
#define ARM_BL_LOAD    0x70006600U
#define END_MARK       0x454E4400U
#define NO_LIMIT       0xFFFFFFFFU
#define SHA1_SIZE      20
#define SIGNATURE_SIZE 0x20U
#define ROM_INFO       0x668U
#define FEATURES_BL    0x560U
#define FEATURES_MAUI  0x100U
#define PAIRED_VERSION 1
#define FLASH_KIND_SF  3
#define ERASE_SIZE     0x10000U
#define USER_BLOCK     0x1000U

enum file_type {
	TYPE_ARM_BL = 0x001,
	TYPE_EXT_BL = 0x002,
	TYPE_ROM = 0x100,
	TYPE_VIVA = 0x108,
};

enum record_type {
	RECORD_BL_INFO = 0x001,
	RECORD_ANTI_CLONE = 0x002,
	RECORD_BROM_CFG = 0x007,
	RECORD_BROM_SEC_CFG = 0x008,
	RECORD_EMI_LIST = 0x101,
	RECORD_CMEM_ID = 0x102,
	RECORD_CMEM_NOR = 0x103,
	RECORD_MAUI_INFO = 0x200,
	RECORD_FLASH_INFO = 0x207,
	RECORD_MACR_INFO = 0x208,
	RECORD_ARM_BL_INFO = 0x209,
	RECORD_CBR_INFO = 0x20E,
	RECORD_MBA_INFO = 0x20F,
};

struct image {
	uint8_t *data;
	struct flash_layout layout;
	const char *platform;
	struct noise noise;
};

bool flash_image_size_ok(uint64_t size)
{
	struct flash_layout layout;

	return flash_layout_get(size, &layout);
}

/* Into a zeroed field. */
static _printf_(3, 4) void put_text(uint8_t *out, size_t size, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf((char *)out, size, format, ap);
	va_end(ap);
}

static void put_descriptor(uint8_t *out, uint16_t type, uint32_t begin, uint32_t boundary,
			   uint32_t attribute)
{
	memcpy(out, "BBBB", 4);
	out[4] = 7;
	put_le16(out + 6, type);
	put_le32(out + 8, begin);
	put_le32(out + 12, boundary);
	put_le32(out + 16, attribute);
}

static void put_boot_header(struct image *image)
{
	uint8_t *header = image->data;
	uint8_t *layout = image->data + FLASH_LAYOUT_BRLYT;
	uint8_t *efuse = image->data + FLASH_LAYOUT_EFUSE;

	memset(header, 0, 20);
	memcpy(header, "SF_BOOT", 7);
	put_le32(header + 0x0C, 1);
	put_le32(header + 0x10, FLASH_LAYOUT_BRLYT);
	memset(layout, 0, 180);
	memcpy(layout, "BRLYT", 5);
	put_le32(layout + 0x08, 1);
	put_le32(layout + 0x0C, FLASH_LAYOUT_ARM_BL);
	put_le32(layout + 0x10, FLASH_LAYOUT_ROM);
	put_descriptor(layout + 0x14, TYPE_ARM_BL, FLASH_LAYOUT_ARM_BL, FLASH_LAYOUT_EXT_BL, 1);
	put_descriptor(layout + 0x28, TYPE_EXT_BL, FLASH_LAYOUT_EXT_BL, FLASH_LAYOUT_ROM, 0);
	put_le32(efuse, 0xABABABAB);
	for (size_t i = 0; i < 2; i++) {
		put_le32(efuse + 4 + 8 * i, 0x00013072);
		put_le32(efuse + 8 + 8 * i, 0x0001D8FC);
	}
}

static void put_anti_clone(struct gfh_writer *writer)
{
	uint8_t *record = gfh_writer_add(writer, RECORD_ANTI_CLONE, 1, 0x14);

	put_le32(record + 0x08, 0x100);
	put_le32(record + 0x0C, 0x1C);
	put_le32(record + 0x10, 0x28);
}

static void put_bl_info(struct gfh_writer *writer, uint32_t attribute)
{
	put_le32(gfh_writer_add(writer, RECORD_BL_INFO, 1, 0x0C) + 8, attribute);
}

/* The two bootloaders must carry the same pairing words. */
static void put_pairing(struct gfh_writer *writer)
{
	uint8_t *record = gfh_writer_add(writer, RECORD_ARM_BL_INFO, 1, 0x10);

	put_le32(record + 0x08, PAIRED_VERSION);
	put_le32(record + 0x0C, FEATURES_BL);
}

static void put_arm_bl_records(struct gfh_writer *writer)
{
	uint8_t *record;

	put_bl_info(writer, 1);
	put_anti_clone(writer);
	record = gfh_writer_add(writer, RECORD_BROM_CFG, 3, 0x64);
	put_le32(record + 0x08, 2);
	put_le32(record + 0x0C, 3000);
	record = gfh_writer_add(writer, RECORD_BROM_SEC_CFG, 1, 0x2C);
	put_le32(record + 0x08, 3);
	memcpy(record + 0x0C, "MTK", 3);
	record = gfh_writer_add(writer, RECORD_EMI_LIST, 5, 0x4C);
	put_le32(record + 0x08, 5);
	put_le32(record + 0x0C, 1);
	memcpy(record + 0x10, "EMI_INF", 7);
	put_pairing(writer);
}

static void put_ext_bl_records(struct gfh_writer *writer)
{
	put_bl_info(writer, 0);
	put_anti_clone(writer);
	put_pairing(writer);
}

/* The last 0x20 bytes are the SHA-1 of all before them and zeros; the END mark stands before. */
static int sign(uint8_t *file, uint32_t length)
{
	uint8_t *signature = file + length - SIGNATURE_SIZE;
	unsigned int size = 0;

	put_le32(signature - 4, END_MARK);
	memset(signature, 0, SIGNATURE_SIZE);
	if (EVP_Digest(file, length - SIGNATURE_SIZE, signature, &size, EVP_sha1(), NULL) != 1 ||
	    size != SHA1_SIZE)
		return -EIO;
	return 0;
}

static int put_bootloader(struct image *image, uint16_t type, uint32_t offset, uint32_t load,
			  uint32_t length)
{
	uint8_t *file = image->data + offset;
	struct gfh_writer writer;
	struct gfh_file info = {
		.type = type,
		.signature_type = 1,
		.load_address = load,
		.length = length,
		.max_size = NO_LIMIT,
		.signature_length = SIGNATURE_SIZE,
		.attributes = type == TYPE_ARM_BL ? 1 : 3,
	};

	noise_fill(&image->noise, file, length);
	gfh_writer_begin(&writer, file, &info);
	if (type == TYPE_ARM_BL)
		put_arm_bl_records(&writer);
	else
		put_ext_bl_records(&writer);
	return sign(file, length);
}

static void put_maui_info(const struct image *image, struct gfh_writer *writer)
{
	uint8_t *record = gfh_writer_add(writer, RECORD_MAUI_INFO, 2, 0x130);

	put_text(record + 0x08, 128, "MTKRBWATCH_%s_S00.MTKRBWATCH_BB", image->platform);
	put_text(record + 0x88, 64, "%s.VIRTUAL.W26.48", image->platform);
	put_le32(record + 0xC8, PAIRED_VERSION);
	put_le32(record + 0xCC, FEATURES_MAUI);
	put_le32(record + 0xDC, image->layout.size - FLASH_LAYOUT_CBR);
	put_le32(record + 0xE0, FLASH_LAYOUT_CBR);
}

static void put_flash_info(const struct image *image, struct gfh_writer *writer)
{
	uint8_t *record = gfh_writer_add(writer, RECORD_FLASH_INFO, 1, 0x7C);

	put_le32(record + 0x10, FLASH_KIND_SF);
	for (size_t i = 0; i < 3; i++)
		put_le16(record + 0x14 + 2 * i, image->layout.ids[0][i]);
	put_le32(record + 0x1C, image->layout.fat_begin);
	put_le32(record + 0x20, image->layout.fat_length);
}

static void put_flash_ids(const struct image *image, struct gfh_writer *writer)
{
	uint32_t n = image->layout.n_ids;
	uint8_t *record =
		gfh_writer_add(writer, RECORD_CMEM_ID, 1, (uint16_t)(0x10 + (n * 10 + 3) / 4 * 4));

	put_le32(record + 0x08, 1);
	put_le32(record + 0x0C, n);
	for (size_t i = 0; i < n; i++) {
		uint8_t *entry = record + 0x10 + 10 * i;

		entry[0] = FLASH_KIND_SF;
		entry[1] = sizeof(image->layout.ids[i]);
		memcpy(entry + 2, image->layout.ids[i], sizeof(image->layout.ids[i]));
	}
}

static void put_flash_geometry(const struct image *image, struct gfh_writer *writer)
{
	uint8_t *record = gfh_writer_add(writer, RECORD_CMEM_NOR, 1, 0x10 + 0x88);
	uint8_t *entry = record + 0x10;

	put_le32(record + 0x08, 2);
	put_le32(record + 0x0C, 1);
	put_le32(entry, 0x400000);
	put_le32(entry + 0x04, 0x64);
	put_le32(entry + 0x0C, ERASE_SIZE);
	put_le32(entry + 0x48, image->layout.size);
	put_le32(entry + 0x4C, 1);
}

static void put_rom_info(const struct image *image, uint8_t *file)
{
	uint8_t *info = file + ROM_INFO;

	memset(info, 0, 0x180);
	memcpy(info, "MTK_ROMINFO_v09", 15);
	put_text(info + 0x10, 128, "MTKRBWATCH_%s_S00.MTKRBWATCH_BB", image->platform);
	put_text(info + 0x90, 64, "%s.VIRTUAL.W26.48", image->platform);
	put_le16(info + 0xD2, 1);
	put_le32(info + 0x158, PAIRED_VERSION);
	put_le32(info + 0x15C, FEATURES_MAUI);
}

static void put_rom(struct image *image)
{
	uint8_t *file = image->data + FLASH_LAYOUT_ROM;
	uint32_t length = image->layout.rom_length;
	struct gfh_writer writer;
	struct gfh_file info = {
		.type = TYPE_ROM,
		.load_address = FLASH_BASE + FLASH_LAYOUT_ROM,
		.length = length,
		.max_size = NO_LIMIT,
		.attributes = 3,
	};

	noise_fill(&image->noise, file, length);
	gfh_writer_begin(&writer, file, &info);
	put_maui_info(image, &writer);
	put_flash_info(image, &writer);
	gfh_writer_add(&writer, RECORD_MACR_INFO, 1, 0x1C);
	gfh_writer_add(&writer, RECORD_CBR_INFO, 1, 0x10);
	gfh_writer_add(&writer, RECORD_MBA_INFO, 1, 0x14);
	put_flash_ids(image, &writer);
	put_flash_geometry(image, &writer);
	put_rom_info(image, file);
	put_le32(file + length - 8, END_MARK);
	put_le32(file + length - 4, 0xFFFFFFFF);
}

/* A partition header and an LZMA header, as in VIVA; what they announce is noise. */
static uint32_t put_zimage(struct image *image, uint8_t *out, uint32_t packed)
{
	uint32_t unpacked = packed * 3;

	noise_fill(&image->noise, out, 0x18 + packed);
	put_le32(out, 1);
	put_le32(out + 0x04, 3);
	put_le32(out + 0x08, 0x18);
	put_le32(out + 0x0C, packed);
	put_le32(out + 0x10, 0);
	put_le32(out + 0x14, unpacked);
	out[0x18] = 0x5C;
	put_le32(out + 0x19, 0x4000);
	put_le32(out + 0x1D, unpacked);
	put_le32(out + 0x21, 0);
	return 0x18 + (packed + 3) / 4 * 4;
}

static int put_viva(struct image *image)
{
	uint8_t *file = image->data + image->layout.viva;
	uint8_t *addresses = file + GFH_FILE_INFO_SIZE;
	uint32_t load = FLASH_BASE + image->layout.viva;
	uint32_t zimage = GFH_FILE_INFO_SIZE + 20, alice;
	struct gfh_file info = { .type = TYPE_VIVA, .load_address = load, .attributes = 3 };
	struct gfh_writer writer;
	size_t length;

	alice = zimage + put_zimage(image, file + zimage, image->layout.viva_target / 8 + 2);
	length = alice_image_make(file + alice, image->layout.viva_target - alice, load + alice,
				  streq(image->platform, "MT6261"), &image->noise);
	if (length == 0)
		return -ENOMEM;
	info.length = alice + (uint32_t)length;
	info.max_size = NO_LIMIT;
	gfh_writer_begin(&writer, file, &info);
	memset(addresses, 0, 20);
	put_le32(addresses, load);
	put_le32(addresses + 0x04, load + zimage);
	put_le32(addresses + 0x10, load + alice);
	return 0;
}

/* A block of the flash translation layer: eight words, FF, seven sectors. */
static void put_user_block(struct image *image, uint8_t *block)
{
	put_le32(block, 0x3900006A);
	for (size_t i = 1; i < 8; i++)
		put_le32(block + 4 * i, 0x0000005C);
	noise_fill(&image->noise, block + 512, USER_BLOCK - 512);
}

/* A used watch: some blocks written, some erased, the end never touched. */
static void put_user_area(struct image *image)
{
	uint32_t begin = image->layout.fat_begin;
	uint32_t used = image->layout.fat_length / 3 * 2;

	for (uint32_t at = 0; at + USER_BLOCK <= used; at += USER_BLOCK) {
		if (at == 0 || noise_next(&image->noise) % 4 != 0)
			put_user_block(image, image->data + begin + at);
	}
}

/* What the control blocks hold is not known: a page of something, the rest erased. */
static void put_control_blocks(struct image *image)
{
	noise_fill(&image->noise, image->data + image->layout.size - FLASH_LAYOUT_CBR, 256);
}

static int fill(struct image *image)
{
	int r;

	put_boot_header(image);
	r = put_bootloader(image, TYPE_ARM_BL, FLASH_LAYOUT_ARM_BL, ARM_BL_LOAD,
			   image->layout.arm_bl_length);
	if (r >= 0)
		r = put_bootloader(image, TYPE_EXT_BL, FLASH_LAYOUT_EXT_BL,
				   FLASH_BASE + FLASH_LAYOUT_EXT_BL, image->layout.ext_bl_length);
	if (r < 0)
		return r;
	put_rom(image);
	r = put_viva(image);
	if (r < 0)
		return r;
	put_user_area(image);
	put_control_blocks(image);
	return 0;
}

/* Different for every size and platform, never 0. */
static uint64_t seed(uint64_t size, const char *platform)
{
	uint64_t x = 0x9E3779B97F4A7C15ULL ^ size;

	for (const char *p = platform; *p; p++)
		x = (x ^ (uint8_t)*p) * 0x100000001B3ULL;
	return x | 1;
}

int flash_image_new(uint64_t size, const char *platform, uint8_t **ret)
{
	struct image image = { .platform = platform, .noise = { seed(size, platform) } };
	int r;

	if (!flash_layout_get(size, &image.layout))
		return -EINVAL;
	image.data = malloc(size);
	if (!image.data)
		return -ENOMEM;
	memset(image.data, 0xFF, size);
	r = fill(&image);
	if (r < 0) {
		free(image.data);
		return r;
	}
	*ret = image.data;
	return 0;
}
