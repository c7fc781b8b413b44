/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/brom-sync.h"

#include <errno.h>

#include "protocol/base/bytes.h"
#include "protocol/base/time.h"

/* wizio's boot ROM uploader repeats A0 at this pace; a UART boot ROM measures its speed by them. */
#define SLICE_USEC (20 * USEC_PER_MSEC)

/* For the answers to 0A 50 05 and to a question: generous to slow USB hosts. */
#define REPLY_USEC (500 * USEC_PER_MSEC)

/* A line this long silent is most likely done; if not, what follows copes with it. */
#define SETTLE_USEC (60 * USEC_PER_MSEC)

/* For the echo of one byte that fills up a command. */
#define FILL_USEC (50 * USEC_PER_MSEC)

/* Of noise after a failure: above the largest block, and its time at 115200. */
#define DRAIN_BYTES (1024U * 1024U)
#define DRAIN_USEC  (30 * USEC_PER_SEC)

/* How long a watch that stopped talking may take to come back; and how often it is asked. */
#define RECOVER_USEC     (10 * USEC_PER_SEC)
#define RECOVER_ASK_USEC USEC_PER_SEC

#define HELLO      0xA0
#define HELLO_BACK 0x5F /* every answer of the handshake is the complement */
#define VERSION    0xFF

enum greeting {
	GREETING_SILENCE,
	GREETING_BACK,  /* 5F: the handshake has begun */
	GREETING_SAME,  /* A0 alone: synchronised already, or nobody but our own echo */
	GREETING_NOISE, /* anything else */
};

/* Sends A0 and listens until the line is silent for pause_usec. */
static int greet(struct brom_wire *wire, uint64_t first_usec, uint64_t pause_usec,
		 uint64_t deadline)
{
	static const uint8_t hello = HELLO;
	enum greeting greeting = GREETING_SILENCE;
	uint64_t wait = first_usec;
	int r = transport_write(wire->transport, &hello, 1, BROM_WIRE_SILENCE_USEC);

	if (r < 0)
		return r == -ETIMEDOUT ? GREETING_SILENCE : r;
	do {
		uint8_t heard[256];

		r = transport_read_some(wire->transport, heard, sizeof(heard), wait);
		if (r == -ETIMEDOUT)
			return greeting;
		if (r < 0)
			return r;
		for (int i = 0; i < r; i++) {
			if (heard[i] == HELLO_BACK && greeting != GREETING_NOISE)
				greeting = GREETING_BACK;
			else if (heard[i] != HELLO)
				greeting = GREETING_NOISE;
			else if (greeting == GREETING_SILENCE)
				greeting = GREETING_SAME;
		}
		/* Who said 5F after nothing but A0 waits for us now. */
		if (greeting == GREETING_BACK)
			return greeting;
		wait = pause_usec;
	} while (time_now() < deadline);
	return greeting;
}

/*
 * One more byte of the handshake. Late answers to repeated A0s are passed over; a byte that comes
 * back as it was before its complement is a line that echoes.
 */
static int shake(struct brom_wire *wire, uint8_t byte, bool *echoes)
{
	const uint8_t complement = (uint8_t)~byte;
	int r = transport_write(wire->transport, &byte, 1, BROM_WIRE_SILENCE_USEC);

	*echoes = false;
	for (int i = 0; r >= 0 && i < 256; i++) {
		uint8_t answer;

		r = transport_read(wire->transport, &answer, 1, REPLY_USEC, NULL);
		if (r < 0)
			return r;
		if (answer == complement)
			return 0;
		if (answer == byte && !*echoes)
			*echoes = true;
		else if (answer != HELLO && answer != HELLO_BACK)
			return -EPROTO;
	}
	return r < 0 ? r : -EPROTO;
}

/*
 * A0 came back as A0: is that a boot ROM which listens for commands? FF, the one question that is
 * not answered by itself (6261: 05), tells it from a line that only echoes and from a boot ROM that
 * takes our bytes for the arguments of a command: 1 yes, 0 an echo and no more; else an error.
 */
static int probe(struct brom_wire *wire)
{
	static const uint8_t version = VERSION;
	uint8_t heard[16];
	size_t n = 0;
	int r = transport_write(wire->transport, &version, 1, BROM_WIRE_SILENCE_USEC);

	while (r >= 0 && n < sizeof(heard)) {
		r = transport_read(wire->transport, heard + n, 1, n ? SLICE_USEC * 2 : REPLY_USEC,
				   NULL);
		if (r >= 0 && (n > 0 || heard[0] != HELLO))
			n++;
	}
	if (r != -ETIMEDOUT)
		return r < 0 ? r : -EPROTO;
	if (n == 0)
		return -ETIMEDOUT;
	if (n == 1 && heard[0] == VERSION)
		return 0;
	if (n == 1 && heard[0] != HELLO_BACK) {
		wire->line_echoes = false;
		return 1;
	}
	if (n == 2 && heard[0] == VERSION) {
		wire->line_echoes = true;
		return 1;
	}
	return -EPROTO;
}

/* After A0 was answered by 5F. */
static int finish_handshake(struct brom_wire *wire)
{
	static const uint8_t rest[] = { 0x0A, 0x50, 0x05 };
	bool echoes = false;
	int r;

	for (size_t i = 0; i < sizeof(rest); i++) {
		r = shake(wire, rest[i], &echoes);
		if (r < 0)
			return r;
	}
	wire->line_echoes = false;
	wire->debt = BROM_WIRE_NOTHING;
	/* A0s that queued up in a UART may be answered only now. */
	r = transport_drain(wire->transport, SLICE_USEC, DRAIN_BYTES, DRAIN_USEC);
	if (r < 0 || !echoes)
		return r;
	/* Whether the line itself echoes, or only did until it was raw, FF's answer tells. */
	r = probe(wire);
	return r == 0 ? -EPROTO : MIN_OF(r, 0);
}

static bool is_final(int r)
{
	return r < 0 && r != -ETIMEDOUT && r != -EPROTO;
}

int brom_sync_handshake(struct brom_wire *wire, uint64_t timeout_usec)
{
	uint64_t now = time_now();
	uint64_t deadline = timeout_usec > USEC_NEVER - now ? USEC_NEVER : now + timeout_usec;
	bool nobody = false; /* the line echoes, and that is all it does */

	wire->line_echoes = false;
	wire->debt = BROM_WIRE_NOTHING;
	do {
		int r = greet(wire, SLICE_USEC, SLICE_USEC, deadline);

		if (r < 0)
			return r;
		if (r == GREETING_BACK) {
			r = finish_handshake(wire);
			if (r >= 0 || is_final(r))
				return r;
			nobody = false;
		} else if (r == GREETING_SAME && !nobody) {
			r = probe(wire);
			if (r == 1 || is_final(r))
				return MIN_OF(r, 0);
			nobody = r == 0;
		} else if (r == GREETING_NOISE) {
			nobody = false;
		}
	} while (time_now() < deadline);
	return -ETIMEDOUT;
}

static bool is_zero(const uint8_t *data, int size)
{
	return bytes_are_uniform(data, (size_t)size) && data[0] == 0;
}

/*
 * A read command whose arguments were lost on the way waits for them: zeros, one at a time and no
 * more than are missing, make its count zero, which it refuses (1D13). Echoes may come for each
 * byte or for a whole field; anything but zeros means that the command has all it wanted.
 */
static int fill_arguments(struct brom_wire *wire)
{
	static const uint8_t zero;
	size_t missing = wire->unechoed;

	wire->debt = BROM_WIRE_NOTHING;
	for (size_t i = 0; i < missing; i++) {
		uint8_t answer[64];
		int r = brom_wire_send(wire, &zero, 1);

		if (r >= 0)
			r = transport_read_some(wire->transport, answer, sizeof(answer), FILL_USEC);
		if (r < 0 && r != -ETIMEDOUT)
			return r;
		if (r > 0 && !is_zero(answer, r))
			break;
	}
	return transport_drain(wire->transport, SETTLE_USEC, DRAIN_BYTES, DRAIN_USEC);
}

/* One try to find the watch listening: 1 it does, 2 it had restarted and does now, 0 not yet. */
static int find_step(struct brom_wire *wire, uint64_t deadline, bool *heard)
{
	int r = greet(wire, RECOVER_ASK_USEC, SLICE_USEC, deadline);

	if (r < 0 || r == GREETING_SILENCE)
		return r < 0 ? r : 0;
	*heard = true;
	if (r == GREETING_SAME) {
		r = probe(wire);
		if (r != 0)
			return r;
	}
	if (r == GREETING_BACK) {
		r = finish_handshake(wire);
		return r < 0 ? r : 2;
	}
	return transport_drain(wire->transport, SETTLE_USEC, DRAIN_BYTES, DRAIN_USEC);
}

/*
 * Where the watch can be after a failure, once it is silent:
 * - it listens for a command: A0 comes back as A0, FF as its version;
 * - it waits for arguments of a read: zeros end that;
 * - it waits for an address, count or value of a write: whatever we sent could be written
 *   somewhere, so nothing is sent and the watch is given up;
 * - it stands still in the middle of its answer: A0 waits in its input until the rest came;
 * - it restarted (over a UART nobody tells us): A0 begins a handshake.
 */
int brom_sync_recover(struct brom_wire *wire, bool *ret_restarted)
{
	uint64_t deadline;
	bool heard = false;
	int r;

	r = transport_drain(wire->transport, SETTLE_USEC, DRAIN_BYTES, DRAIN_USEC);
	if (r < 0)
		return r;
	if (wire->debt == BROM_WIRE_WRITE)
		return -EPROTO;
	if (wire->debt == BROM_WIRE_READ) {
		r = fill_arguments(wire);
		if (r < 0)
			return r;
	}
	deadline = time_now() + RECOVER_USEC;
	do {
		r = find_step(wire, deadline, &heard);
		if (is_final(r))
			return r;
		if (r > 0) {
			*ret_restarted = r == 2;
			return 0;
		}
	} while (time_now() < deadline);
	return heard ? -EPROTO : -ETIMEDOUT;
}
