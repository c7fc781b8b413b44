/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "protocol/base/time.h"
#include "protocol/device/da-session-internal.h"
#include "protocol/device/da-wire.h"

#define SPEED_SAFE 115200U /* every session begins with it */
#define ROUNDS     1U      /* of the trial with all byte values */

/* How long the agent may take to hear us at the new speed, and between two calls. */
#define MEET_USEC (USEC_PER_SEC)
#define CALL_USEC (20 * USEC_PER_MSEC)

#define TRIAL_USEC (500 * USEC_PER_MSEC)

/* The agent's numbers for speeds (disassembly, wizio). */
static int speed_id(uint32_t baud)
{
	switch (baud) {
	case 921600:
		return 1;
	case 460800:
		return 2;
	case 230400:
		return 3;
	default:
		return -EINVAL;
	}
}

/* C0 until it comes back. */
static int meet(struct da_session *session)
{
	static const uint8_t call = DA_WIRE_SYNC;
	uint64_t deadline = time_now() + MEET_USEC;
	int r = -ETIMEDOUT;

	while (r == -ETIMEDOUT && time_now() < deadline) {
		uint8_t answer = 0;

		r = transport_write(session->transport, &call, 1, DA_WIRE_SILENCE_USEC);
		if (r >= 0)
			r = transport_read(session->transport, &answer, 1, CALL_USEC, NULL);
		if (r >= 0 && answer != call)
			r = -ETIMEDOUT;
	}
	if (r < 0)
		return r;
	/* Calls that were answered late. */
	return transport_drain(session->transport, CALL_USEC, 4096, MEET_USEC);
}

/* Every byte value there and back. */
static int try_out(struct da_session *session)
{
	uint8_t answer = 0;
	int r = da_wire_answer(session->transport, true);

	if (r >= 0)
		r = transport_read(session->transport, &answer, 1, TRIAL_USEC, NULL);
	if (r >= 0 && answer != DA_WIRE_ACK)
		r = -EPROTO;
	for (unsigned int i = 0; r >= 0 && i <= UINT8_MAX; i++) {
		const uint8_t byte = (uint8_t)i;

		r = transport_write(session->transport, &byte, 1, DA_WIRE_SILENCE_USEC);
		if (r >= 0)
			r = transport_read(session->transport, &answer, 1, TRIAL_USEC, NULL);
		if (r >= 0 && answer != byte)
			r = -EPROTO;
	}
	return r;
}

/* The agent may not have changed at all: then it is still there at the old speed. */
static int fall_back(struct da_session *session, int error)
{
	int r = transport_set_speed(session->transport, SPEED_SAFE);

	if (r >= 0)
		r = da_session_resync(session);
	if (r >= 0)
		return -EOPNOTSUPP;
	return r == -ECANCELED || r == -ENODEV ? r : error;
}

int da_session_set_speed(struct da_session *session, uint32_t baud)
{
	const int id = speed_id(baud);
	uint8_t answer = 0;
	int r;

	if (id < 0)
		return id;
	if (session->stage != DA_STAGE_READY)
		return -EPERM;
	r = da_wire_command(session->transport, DA_COMMAND_SPEED,
			    (uint8_t[]){ (uint8_t)id, ROUNDS }, 2);
	if (r >= 0)
		r = da_wire_get8(session->transport, &answer);
	if (r < 0)
		return r;
	if (answer != DA_WIRE_ACK)
		return answer == DA_WIRE_NACK ? -EOPNOTSUPP : -EPROTO;
	r = transport_set_speed(session->transport, baud);
	if (r >= 0)
		r = meet(session);
	if (r >= 0)
		r = try_out(session);
	return r == -ETIMEDOUT || r == -EPROTO ? fall_back(session, r) : r;
}
