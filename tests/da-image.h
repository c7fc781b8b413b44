/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Makes a file with download agents for tests: the container's layout (da-file.h) around images of
 * noise, and a flash table whose rows are those that FlashTool sent in the capture. No vendor's code
 * is in it; the virtual watch does not run what it is given.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define DA_IMAGE_ROW      36U
#define DA_IMAGE_ROWS_MAX 32U

#define DA_IMAGE_HEAD      0x6CU
#define DA_IMAGE_ENTRY     0xDCU
#define DA_IMAGE_SIGNATURE 16U

struct da_image {
	uint16_t hw_code;
	uint32_t first_size, second_size; /* bytes of noise */
	uint8_t rows[DA_IMAGE_ROWS_MAX][DA_IMAGE_ROW];
	size_t n_rows;
};

/* Adds the rows of the capture and the one that ends a table; how many rows there are then. */
_unused_ static size_t da_image_add_rows(struct da_image *image, const char *capture)
{
	char line[512], text[400];
	FILE *file = fopen(capture, "re");

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*u %*f ep01 > %399s", text) != 1 ||
		    strlen(text) != 2 * (size_t)DA_IMAGE_ROW ||
		    image->n_rows + 1 == DA_IMAGE_ROWS_MAX)
			continue;
		if (hex_decode(text, image->rows[image->n_rows], DA_IMAGE_ROW) == 0)
			image->n_rows++;
	}
	if (file)
		fclose(file);
	memset(image->rows[image->n_rows], 0, DA_IMAGE_ROW);
	put_le16(image->rows[image->n_rows++], 0xFFFF);
	return image->n_rows;
}

/* The byte at a place of the noise; stage 1 or 2. */
static inline uint8_t da_image_noise(unsigned int stage, size_t at)
{
	uint32_t x = (uint32_t)at * 2654435761U + stage * 40503U;

	return (uint8_t)(x >> 13 ^ x >> 24);
}

_unused_ static void da_image_put_region(uint8_t *p, uint32_t offset, uint32_t length,
					 uint32_t address, uint32_t signature)
{
	put_le32(p, offset);
	put_le32(p + 4, length);
	put_le32(p + 8, address);
	put_le32(p + 12, length - signature);
	put_le32(p + 16, signature);
}

/* Writes the container to fd, an empty file; negative errno. */
_unused_ static int da_image_write(const struct da_image *image, int fd)
{
	const uint32_t table_size = (uint32_t)(image->n_rows * DA_IMAGE_ROW);
	const uint32_t first = DA_IMAGE_HEAD + DA_IMAGE_ENTRY;
	const uint32_t second = first + image->first_size, table = second + image->second_size;
	_cleanup_free_ uint8_t *data = calloc(1, table + table_size);
	uint8_t *entry;

	if (!data)
		return -1;
	entry = data + DA_IMAGE_HEAD;
	strcpy((char *)data, "MTK_DOWNLOAD_AGENT");
	strcpy((char *)data + 0x20, "MTK_AllInOne_DA_for_tests");
	put_le32(data + 0x60, 4);
	put_le32(data + 0x64, 0x22668899);
	put_le32(data + 0x68, 1);
	put_le16(entry, 0xDADA);
	put_le16(entry + 2, image->hw_code);
	put_le16(entry + 4, 0x8000);
	put_le16(entry + 16, 2); /* the region that is started */
	put_le16(entry + 18, 5);
	da_image_put_region(entry + 20 + 2 * 20, first, image->first_size, 0x70007000,
			    DA_IMAGE_SIGNATURE);
	da_image_put_region(entry + 20 + 3 * 20, second, image->second_size, 0x10020000,
			    DA_IMAGE_SIGNATURE);
	da_image_put_region(entry + 20 + 4 * 20, table, table_size, 0xF0000000, 0);
	for (size_t i = 0; i < image->first_size; i++)
		data[first + i] = da_image_noise(1, i);
	for (size_t i = 0; i < image->second_size; i++)
		data[second + i] = da_image_noise(2, i);
	memcpy(data + table, image->rows, table_size);
	return fd_write_all(fd, data, table + table_size);
}
