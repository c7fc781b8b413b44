/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The small interface behind which every way into the flash hides (boot ROM; download agent). The
 * readback policy knows only this.
 */

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

struct reader;

struct reader_class {
	const char *method; /* "brom", "da": as the manifest names it */
	size_t block_min;   /* bytes; smallest read worth trying */
	size_t block_max;   /* bytes */
	size_t alignment;   /* of address and size */
	/* Reads size bytes of flash at address. Errors as in transport.h and brom.h. */
	int (*read)(struct reader *reader, uint64_t address, void *data, size_t size);
	/* Makes the line usable again after a failed read. */
	int (*resync)(struct reader *reader);
	/* One line about the last failure ("status 1D12 bad address or length"), into buf. */
	const char *(*describe)(struct reader *reader, int error, char *buf, size_t size);
};

struct reader {
	const struct reader_class *class;
};

static inline int reader_read(struct reader *reader, uint64_t address, void *data, size_t size)
{
	return reader->class->read(reader, address, data, size);
}

static inline int reader_resync(struct reader *reader)
{
	return reader->class->resync(reader);
}
