/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/da-start.h"

#include <errno.h>
#include <stdio.h>

#include "protocol/base/bytes.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/device/da-session-internal.h"
#include "protocol/device/da-wire.h"

#define TABLE_MAX_BYTES (256U * 1024U) /* the longest known has 264 rows of 36 */

/* Sync, version 3.2, chip byte of the whole family (capture, vendor log). */
static const uint8_t sync_v32[] = { 0xC0, 0x03, 0x02, 0x8E };

/* Newer builds say 69 behind the A5, older ones nothing; a round trip takes 1 ms (capture). */
#define MAYBE_USEC (150 * USEC_PER_MSEC)

_printf_(3, 4) static int refuse(struct da_session *session, int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(session->words, sizeof(session->words), format, ap);
	va_end(ap);
	return error;
}

/* What is known of other agents' first bytes: smartphones (mtkclient), MT2523/2625 (wizio). */
static int refuse_sync(struct da_session *session, const uint8_t *sync, size_t n)
{
	static const uint8_t smartphone[] = { 0xC0, 0x00, 0x00, 0x0B };
	char hex[2 * sizeof(sync_v32) + 1];

	if (n == 0)
		return refuse(session, -EPROTONOSUPPORT, "the agent does not start: no answer");
	if (n == 1 && sync[0] == DA_WIRE_SYNC)
		return refuse(session, -EPROTONOSUPPORT,
			      "it waits like an agent for MT2523 or MT2625, of which too little "
			      "is known to read with it");
	if (n == sizeof(smartphone) && memcmp(sync, smartphone, n) == 0)
		return refuse(session, -EPROTONOSUPPORT,
			      "it is an agent for smartphones, which speaks another protocol");
	if (n == sizeof(sync_v32) && sync[0] == DA_WIRE_SYNC)
		return refuse(session, -EPROTONOSUPPORT,
			      "it is an agent of version %u.%u for chip %02X; only 3.2 for chip 8E "
			      "is known",
			      sync[1], sync[2], sync[3]);
	hex_encode(sync, n, hex);
	return refuse(session, -EPROTONOSUPPORT, "no agent that we know begins with %s", hex);
}

static int take_sync(struct da_session *session)
{
	uint8_t sync[sizeof(sync_v32)];
	size_t n = 0;
	int r = transport_read(session->transport, sync, sizeof(sync), DA_WIRE_SILENCE_USEC, &n);

	if (r < 0 && r != -ETIMEDOUT)
		return r;
	if (n == sizeof(sync) && memcmp(sync, sync_v32, n) == 0)
		return 0;
	return refuse_sync(session, sync, n);
}

/*
 * FlashTool's configuration (capture): "5A" is what the agent tests its first byte for, then the
 * answers to FF and FE, no fixed NOR chip selects, NAND chip select 0, its access control, a 26 MHz
 * clock, and how many rows of the table will be offered.
 */
static int configure(struct da_session *session, const struct brom_identity *identity,
		     uint32_t rows)
{
	uint8_t config[] = { 0x5A,
			     identity->brom_version,
			     identity->bootloader_version,
			     0x00,
			     0x08,
			     0x00,
			     0x70,
			     0x07,
			     0xFF,
			     0xFF,
			     0x02,
			     0,
			     0,
			     0,
			     0 };
	uint8_t answer = 0;
	int r;

	put_be32(config + 11, rows);
	r = transport_write(session->transport, config, sizeof(config), DA_WIRE_SILENCE_USEC);
	if (r >= 0)
		r = da_wire_get8(session->transport, &answer);
	if (r >= 0 && answer != DA_WIRE_ACK)
		r = refuse(session, -EPROTO, "the agent does not take the configuration: %02X",
			   answer);
	return r;
}

/* Row after row until one fits; that none does is told by the report. */
static int offer_rows(struct da_session *session, const uint8_t *rows, uint32_t n)
{
	uint8_t answer = DA_WIRE_CONTINUE;
	int r = 0;

	for (uint32_t i = 0; r >= 0 && i < n && answer == DA_WIRE_CONTINUE; i++) {
		r = transport_write(session->transport, rows + (size_t)i * DA_TABLE_ROW_BYTES,
				    DA_TABLE_ROW_BYTES, DA_WIRE_SILENCE_USEC);
		if (r >= 0)
			r = da_wire_get8(session->transport, &answer);
	}
	if (r >= 0 && answer != DA_WIRE_CONTINUE && answer != DA_WIRE_ACK)
		r = refuse(session, -EPROTO, "the agent answers a row of the flash table by %02X",
			   answer);
	return r;
}

static int offer_table(struct da_session *session, const struct da_session_source *source,
		       const struct da_region *table)
{
	const uint32_t n = table->length / DA_TABLE_ROW_BYTES;
	_cleanup_free_ uint8_t *rows = NULL;
	uint8_t nand = 0;
	int r = da_file_load(source->file, table, TABLE_MAX_BYTES, &rows);

	if (r < 0)
		return r;
	if (n == 0)
		return refuse(session, -EOPNOTSUPP, "its flash table is empty");
	r = configure(session, source->identity, n);
	if (r >= 0)
		r = offer_rows(session, rows, n);
	if (r >= 0)
		r = da_wire_get8(session->transport, &nand);
	if (r < 0 || nand == DA_WIRE_NACK)
		return r;
	if (nand == DA_WIRE_ACK)
		return refuse(session, -EOPNOTSUPP,
			      "the agent finds a NAND controller and wants a NAND table; only NOR "
			      "flash can be read");
	return refuse(session, -EPROTO, "after the flash table the agent says %02X", nand);
}

/* A 69 that comes late would stand before the report, which begins with 00. */
static int skip_continue(struct da_session *session)
{
	uint8_t byte = 0;
	int r = transport_read(session->transport, &byte, 1, MAYBE_USEC, NULL);

	if (r == -ETIMEDOUT)
		return 0;
	if (r >= 0 && byte != DA_WIRE_CONTINUE)
		r = refuse(session, -EPROTO, "before its report the agent says %02X", byte);
	return r;
}

static int read_report(struct da_session *session, uint8_t *data, size_t *ret_size)
{
	struct transport *transport = session->transport;
	size_t size = DA_REPORT_SIZE_OLD;
	int r = transport_read(transport, data, 1, DA_WIRE_SILENCE_USEC, NULL);

	if (r >= 0 && data[0] == DA_WIRE_CONTINUE)
		r = transport_read(transport, data, 1, DA_WIRE_SILENCE_USEC, NULL);
	if (r >= 0)
		r = transport_read(transport, data + 1, size - 1, DA_WIRE_SILENCE_USEC, NULL);
	if (r >= 0 && da_report_length(data, size) > size) {
		r = transport_read(transport, data + size, DA_REPORT_SIZE_NEW - size,
				   DA_WIRE_SILENCE_USEC, NULL);
		size = DA_REPORT_SIZE_NEW;
	}
	if (r >= 0)
		*ret_size = size;
	return r;
}

static int take_report(struct da_session *session)
{
	static const uint8_t bmt_address[4];
	uint8_t data[DA_REPORT_SIZE_NEW];
	size_t size = 0;
	int r = skip_continue(session);

	if (r >= 0)
		r = transport_write(session->transport, bmt_address, sizeof(bmt_address),
				    DA_WIRE_SILENCE_USEC);
	if (r >= 0)
		r = read_report(session, data, &size);
	if (r < 0)
		return r;
	r = da_report_parse(data, size, &session->report);
	if (r == -EBADMSG)
		return refuse(session, -EPROTO, "the agent's report has no end");
	if (r == -EOPNOTSUPP)
		return refuse(session, r, "the agent reports that it does not support this chip");
	return r;
}

/* Without a NOR flash there is nothing to read for us. */
static int judge_report(struct da_session *session)
{
	const struct da_report *report = &session->report;

	if (report->nor.status == 0 && report->nor.size > 0)
		return 0;
	session->code = report->nor.status;
	return session->code != 0
		       ? -EREMOTEIO
		       : refuse(session, -EPROTO, "the agent reports a flash of 0 bytes");
}

int da_start(struct da_session *session, const struct da_session_source *source,
	     const struct da_region *table)
{
	int r;

	session->stage = DA_STAGE_SYNC;
	r = take_sync(session);
	if (r < 0)
		return r;
	session->stage = DA_STAGE_TABLE;
	r = offer_table(session, source, table);
	if (r < 0)
		return r;
	session->stage = DA_STAGE_REPORT;
	r = take_report(session);
	if (r >= 0)
		r = judge_report(session);
	if (r >= 0)
		session->stage = DA_STAGE_READY;
	return r;
}
