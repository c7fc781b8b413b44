/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/da-session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/time.h"
#include "protocol/device/da-session-internal.h"
#include "protocol/device/da-start.h"
#include "protocol/device/da-upload.h"
#include "protocol/device/da-wire.h"
#include "protocol/device/errors.h"

const char *da_session_refusal(const struct chip *chip)
{
	switch (chip->agent) {
	case CHIP_AGENT_V32:
		return NULL;
	case CHIP_AGENT_IOT:
		return "its agents need an environment image (EPP) first, and no public source "
		       "tells that dialogue's status words, nor which of two watchdog addresses "
		       "is right";
	case CHIP_AGENT_SMARTPHONE:
		return "its agents are those of smartphones, which speak another protocol";
	case CHIP_AGENT_UNKNOWN:
		break;
	}
	return "no public source tells how its agents are started";
}

int da_session_new(struct transport *transport, struct da_session **ret)
{
	struct da_session *session = calloc(1, sizeof(*session));

	if (!session)
		return -ENOMEM;
	session->transport = transport;
	*ret = session;
	return 0;
}

void da_session_free(struct da_session *session)
{
	free(session);
}

enum da_stage da_session_stage(const struct da_session *session)
{
	return session->stage;
}

const struct da_report *da_session_report(const struct da_session *session)
{
	return &session->report;
}

uint32_t da_session_code(const struct da_session *session)
{
	return session->code;
}

uint64_t da_session_repeated(const struct da_session *session)
{
	return session->repeated;
}

/* ---- The way in ---- */

struct upload {
	const struct da_session_source *source;
	uint64_t before, total;
};

static void on_sent(void *userdata, uint64_t bytes)
{
	const struct upload *upload = userdata;

	if (upload->source->progress)
		upload->source->progress(upload->source->userdata, upload->before + bytes,
					 upload->total);
}

/* DA2 goes to RAM of the second bank, which the map register shows together with the flash. */
static int bring_in(struct da_session *session, const struct da_session_source *source,
		    const struct da_region *first, const struct da_region *second)
{
	struct upload upload = {
		.source = source,
		.total = (uint64_t)first->length + second->length,
	};
	int r;

	session->stage = DA_STAGE_MAP;
	r = brom_map_flash(source->brom);
	if (r < 0)
		return r;
	session->stage = DA_STAGE_UPLOAD;
	on_sent(&upload, 0);
	r = da_upload_region(source->brom, source->file, first, on_sent, &upload);
	upload.before = first->length;
	if (r >= 0)
		r = da_upload_region(source->brom, source->file, second, on_sent, &upload);
	if (r < 0)
		return r;
	session->stage = DA_STAGE_JUMP;
	return da_upload_jump(source->brom, first->load_address);
}

int da_session_start(struct da_session *session, const struct da_session_source *source)
{
	const struct da_region *first = da_entry_region(source->entry, DA_REGION_DA1);
	const struct da_region *second = da_entry_region(source->entry, DA_REGION_DA2);
	const struct da_region *table = da_entry_region(source->entry, DA_REGION_NOR_TABLE);
	int r;

	session->words[0] = '\0';
	session->stage = DA_STAGE_MAP;
	if (!source->identity->chip || da_session_refusal(source->identity->chip) || !first ||
	    !second || !table)
		return -EOPNOTSUPP;
	r = bring_in(session, source, first, second);
	if (r == -EREMOTEIO)
		session->code = brom_status(source->brom);
	return r < 0 ? r : da_start(session, source, table);
}

/* ---- Words ---- */

static const char *describe_error(int error)
{
	switch (error) {
	case -ETIMEDOUT:
		return "the agent stopped answering";
	case -ENODEV:
		return "the watch left";
	case -ECANCELED:
		return "stopped on request";
	case -EPROTO:
		return "the agent answered with something that is not an answer";
	case -EBADMSG:
		return "the bytes arrived damaged, however often they were sent";
	case -EOVERFLOW:
		return "the watch does not stop sending";
	case -ERANGE:
		return "beyond what an agent can address";
	case -EOPNOTSUPP:
		return "not possible with this watch";
	default:
		return strerror(-error);
	}
}

const char *da_session_describe(const struct da_session *session, int error, char *buf, size_t size)
{
	if (session->words[0])
		(void)snprintf(buf, size, "%s", session->words);
	else if (error != -EREMOTEIO)
		(void)snprintf(buf, size, "%s", describe_error(error));
	else if (session->stage < DA_STAGE_SYNC)
		(void)snprintf(buf, size, "status %04X %s", session->code,
			       device_error_find((uint16_t)session->code)->name);
	else
		(void)snprintf(buf, size, "code %u %s", session->code,
			       device_error_of_agent(session->code)->name);
	return buf;
}

/* ---- Leaving ---- */

/* FINISH is answered by 5A; after its word most chips say A5, which is normal (capture). */
static int finish(struct da_session *session)
{
	static const uint8_t word[4];
	uint8_t answer = 0;
	int r = da_wire_command(session->transport, DA_COMMAND_FINISH, NULL, 0);

	if (r >= 0)
		r = da_wire_get8(session->transport, &answer);
	if (r >= 0 && answer != DA_WIRE_ACK)
		r = -EPROTO;
	if (r >= 0)
		r = transport_write(session->transport, word, sizeof(word), DA_WIRE_SILENCE_USEC);
	if (r >= 0)
		r = da_wire_get8(session->transport, &answer);
	if (r >= 0 && answer != DA_WIRE_ACK && answer != DA_WIRE_NACK)
		r = -EPROTO;
	return r;
}

/* The watch may be gone before its answer is here. */
static int let_go(struct da_session *session, enum da_command command, const void *arguments,
		  size_t size)
{
	uint8_t answer = 0;
	int r = da_wire_command(session->transport, command, arguments, size);

	if (r >= 0)
		r = da_wire_get8(session->transport, &answer);
	if (r == -ENODEV || r == -ETIMEDOUT)
		return 0;
	return r >= 0 && answer != DA_WIRE_ACK ? -EPROTO : MIN_OF(r, 0);
}

int da_session_finish(struct da_session *session, enum da_leave leave)
{
	/* Timeout 0140 and no flags, as wizio and waybyte send it. */
	static const uint8_t watchdog[] = { 0x01, 0x40, 0x00, 0x00, 0x00, 0x00 };
	int r = finish(session);

	if (r >= 0 && leave == DA_LEAVE_OFF) {
		r = let_go(session, DA_COMMAND_POWER_LATCH, NULL, 0);
		if (r >= 0)
			r = let_go(session, DA_COMMAND_USB_CLOSE, NULL, 0);
	}
	if (r >= 0 && leave != DA_LEAVE_RUNNING)
		r = let_go(session, DA_COMMAND_WATCHDOG, watchdog, sizeof(watchdog));
	return r;
}
