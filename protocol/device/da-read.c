/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "protocol/base/bytes.h"
#include "protocol/base/time.h"
#include "protocol/device/da-session-internal.h"
#include "protocol/device/da-wire.h"

#define STORAGE_NOR 0x00
#define SUM_SIZE    2U

/* How long a packet's next byte may take; the agent answers within a millisecond (capture). */
#define PACKET_USEC USEC_PER_SEC

/* A line this long silent has nothing more on its way. */
#define SETTLE_USEC (60 * USEC_PER_MSEC)

/* For the first byte of an answer while it is not known who listens. */
#define ASK_USEC (300 * USEC_PER_MSEC)

/* Of noise after a failure. */
#define DRAIN_BYTES (1024U * 1024U)
#define DRAIN_USEC  (30 * USEC_PER_SEC)

#define RECOVER_USEC (10 * USEC_PER_SEC)

static int drain(struct da_session *session)
{
	return transport_drain(session->transport, SETTLE_USEC, DRAIN_BYTES, DRAIN_USEC);
}

/* True when a packet that was sent twice is not followed by yet another copy of it. */
static bool is_last_copy(struct da_session *session)
{
	uint8_t byte;

	return transport_read(session->transport, &byte, 1, SETTLE_USEC, NULL) == -ETIMEDOUT;
}

static bool is_sound(const struct da_session *session, size_t size)
{
	return get_be16(session->packet + size) == da_wire_sum(session->packet, size);
}

/*
 * One packet into session->packet. When nothing at all comes, it cannot be known whether our last
 * answer was heard, so whatever came after another one could be of the wrong place: that is a
 * failure of the read. Only a packet that came, in part or damaged, is asked for again.
 */
static int take_packet(struct da_session *session, size_t size)
{
	for (unsigned int i = 0; i < DA_SESSION_TRIES; i++) {
		size_t got = 0;
		int r = transport_read(session->transport, session->packet, size + SUM_SIZE,
				       PACKET_USEC, &got);

		if (r >= 0 && is_sound(session, size) && (i == 0 || is_last_copy(session)))
			return 0;
		if ((r < 0 && r != -ETIMEDOUT) || got == 0)
			return r;
		r = drain(session);
		if (r >= 0 && i + 1 < DA_SESSION_TRIES) {
			session->repeated++;
			r = da_wire_answer(session->transport, false);
		}
		if (r < 0)
			return r;
	}
	return -EBADMSG;
}

/* The command, and the packet length in the same write: the agent answers between them. */
static int begin(struct da_session *session, uint32_t address, uint32_t length, uint32_t packet)
{
	uint8_t arguments[13] = { STORAGE_NOR };
	int r;

	put_be32(arguments + 1, address);
	put_be32(arguments + 5, length);
	put_be32(arguments + 9, packet);
	r = da_wire_command(session->transport, DA_COMMAND_READ, arguments, sizeof(arguments));
	if (r >= 0)
		r = da_wire_accepted(session->transport, &session->code);
	session->refused = r == -EREMOTEIO;
	return r;
}

/* The last packet of a length that is no multiple is filled up with zeros (disassembly). */
static size_t packet_for(size_t size)
{
	return size % DA_SESSION_PACKET_MAX == 0 ? DA_SESSION_PACKET_MAX : DA_SESSION_PACKET_MIN;
}

int da_session_read(struct da_session *session, uint32_t address, void *data, size_t size)
{
	const size_t packet = packet_for(size);
	uint8_t *to = data;
	int r;

	if (session->stage != DA_STAGE_READY)
		return -EPERM;
	if (size == 0 || !bytes_inside((uint64_t)UINT32_MAX + 1, address, size))
		return -ERANGE;
	r = begin(session, address, (uint32_t)size, (uint32_t)packet);
	while (r >= 0 && size > 0) {
		size_t n = MIN_OF(size, packet);

		r = take_packet(session, packet);
		if (r >= 0)
			r = da_wire_answer(session->transport, true);
		if (r < 0)
			return r;
		memcpy(to, session->packet, n);
		to += n;
		size -= n;
	}
	return r;
}

/* Listens until the line is silent; *ret_heard counts what came, *first is how it began. */
static int listen_for(struct da_session *session, uint8_t first[5], size_t *ret_heard)
{
	size_t heard = 0;
	int r = transport_read(session->transport, first, 1, ASK_USEC, NULL);

	if (r >= 0) {
		heard = 1;
		r = transport_read(session->transport, first + 1, 4, SETTLE_USEC, &heard);
		heard++;
	}
	while (r >= 0 && heard < DRAIN_BYTES) {
		uint8_t scrap[4096];

		r = transport_read_some(session->transport, scrap, sizeof(scrap), SETTLE_USEC);
		heard += r > 0 ? (size_t)r : 0;
	}
	*ret_heard = heard;
	if (r >= 0)
		return -EOVERFLOW;
	return r == -ETIMEDOUT ? 0 : r;
}

/*
 * Asks to read nothing, which an agent that awaits a command refuses by some code (3039). One that awaits
 * the answer to a packet ignores every byte of it; one that awaits arguments takes them for some.
 * 1: it listens.
 */
static int probe(struct da_session *session, bool *heard)
{
	static const uint8_t nothing[9] = { STORAGE_NOR };
	uint8_t answer[5];
	size_t n = 0;
	int r = da_wire_command(session->transport, DA_COMMAND_READ, nothing, sizeof(nothing));

	if (r >= 0)
		r = listen_for(session, answer, &n);
	if (r < 0)
		return r;
	*heard |= n > 0;
	return n == sizeof(answer) && answer[0] == DA_WIRE_NACK;
}

/*
 * When it awaits the answer to a packet, A5 brings that packet again: then, and only then, 5A is
 * the way to the next one and in the end out of the read. (To an agent that awaits a command A5
 * means nothing, but 5A may be one.)
 */
static int end_read(struct da_session *session, uint64_t deadline, bool *heard)
{
	bool good = false;
	int r = 0;

	while (r >= 0 && time_now() < deadline) {
		uint8_t first[5];
		size_t n = 0;

		r = da_wire_answer(session->transport, good);
		if (r >= 0)
			r = listen_for(session, first, &n);
		*heard |= n > 0;
		if (n < DA_SESSION_PACKET_MIN / 2)
			break;
		good = true;
	}
	return r;
}

int da_session_resync(struct da_session *session)
{
	uint64_t deadline = time_now() + RECOVER_USEC;
	bool heard = false;
	int r;

	/* It said no, and awaits a command: the packet length behind is none that it knows. */
	if (session->refused)
		return 0;
	r = drain(session);

	while (r >= 0 && time_now() < deadline) {
		r = probe(session, &heard);
		if (r == 1)
			return 0;
		if (r >= 0)
			r = end_read(session, deadline, &heard);
	}
	if (r < 0)
		return r;
	return heard ? -EPROTO : -ETIMEDOUT;
}
