/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/da-reader.h"

#include <errno.h>

/* A read has one turn-around of its own and one for each packet; beyond this it does not matter. */
#define BLOCK_MAX (128U * 1024U)

static struct da_session *session_of(struct reader *reader)
{
	/* The reader is the first member of every da_reader. */
	return ((struct da_reader *)(void *)reader)->session;
}

static int da_reader_read(struct reader *reader, uint64_t address, void *data, size_t size)
{
	if (address > UINT32_MAX)
		return -ERANGE;
	return da_session_read(session_of(reader), (uint32_t)address, data, size);
}

static int da_reader_resync(struct reader *reader)
{
	return da_session_resync(session_of(reader));
}

static const char *da_reader_describe(struct reader *reader, int error, char *buf, size_t size)
{
	return da_session_describe(session_of(reader), error, buf, size);
}

static const struct reader_class da_reader_class = {
	.method = "da",
	.block_min = DA_SESSION_PACKET_MAX,
	.block_max = BLOCK_MAX,
	/* Whole packets: what fills up the end of an odd length is not known from a real line. */
	.alignment = DA_SESSION_PACKET_MIN,
	.read = da_reader_read,
	.resync = da_reader_resync,
	.describe = da_reader_describe,
};

void da_reader_open(struct da_reader *reader, struct da_session *session)
{
	*reader = (struct da_reader){ .reader.class = &da_reader_class, .session = session };
}
