/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/brom-reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/device/errors.h"

static struct brom *brom_of(struct reader *reader)
{
	/* The reader is the first member of every brom_reader. */
	return ((struct brom_reader *)(void *)reader)->brom;
}

static int brom_reader_read(struct reader *reader, uint64_t address, void *data, size_t size)
{
	if (address > UINT32_MAX)
		return -ERANGE;
	return brom_read_flash(brom_of(reader), (uint32_t)address, data, size);
}

static int brom_reader_resync(struct reader *reader)
{
	return brom_resync(brom_of(reader));
}

static const char *describe_error(int error)
{
	switch (error) {
	case -ETIMEDOUT:
		return "the watch stopped answering";
	case -ENODEV:
		return "the watch left";
	case -ECANCELED:
		return "stopped on request";
	case -EPROTO:
		return "the watch answered with something that is not an answer";
	case -EOVERFLOW:
		return "the watch does not stop sending";
	case -ERANGE:
		return "beyond what the boot ROM can show of a flash";
	default:
		return strerror(-error);
	}
}

static const char *brom_reader_describe(struct reader *reader, int error, char *buf, size_t size)
{
	uint16_t status = brom_status(brom_of(reader));

	if (error == -EREMOTEIO)
		(void)snprintf(buf, size, "status %04X %s", status,
			       device_error_find(status)->name);
	else
		(void)snprintf(buf, size, "%s", describe_error(error));
	return buf;
}

static const struct reader_class brom_reader_class = {
	.method = "brom",
	.block_min = BROM_BLOCK_MIN,
	.block_max = BROM_BLOCK_MAX,
	.alignment = 4,
	.read = brom_reader_read,
	.resync = brom_reader_resync,
	.describe = brom_reader_describe,
};

int brom_reader_open(struct brom_reader *reader, struct brom *brom)
{
	int r = brom_map_flash(brom);

	if (r < 0)
		return r;
	*reader = (struct brom_reader){ .reader.class = &brom_reader_class, .brom = brom };
	return 0;
}
