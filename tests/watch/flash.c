/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/flash.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

int flash_past_end_parse(const char *name, enum flash_past_end *ret)
{
	static const char *const names[] = {
		[FLASH_WRAP] = "wrap",
		[FLASH_FF] = "ff",
		[FLASH_ERROR] = "error",
		[FLASH_STALL] = "stall",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (streq(names[i], name)) {
			*ret = (enum flash_past_end)i;
			return 0;
		}
	}
	return -EINVAL;
}

int flash_map(const char *path, const uint8_t **ret_data, uint64_t *ret_size)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	void *data;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (st.st_size > (off_t)FLASH_SIZE_MAX)
		return -EFBIG;
	if (st.st_size < (off_t)FLASH_SIZE_MIN || st.st_size % 4)
		return -EINVAL;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	*ret_data = data;
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

void flash_unmap(const uint8_t *data, uint64_t size)
{
	if (data)
		munmap((void *)data, size);
}

const uint8_t *flash_at(const struct flash *flash, uint64_t offset, uint64_t *ret_length)
{
	uint64_t at = offset % flash->period;

	if (at < flash->size) {
		*ret_length = MIN_OF(flash->size, flash->period) - at;
		return flash->data + at;
	}
	*ret_length = flash->period - at;
	return NULL;
}
