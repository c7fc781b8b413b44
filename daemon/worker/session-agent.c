/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "daemon/worker/session.h"
#include "protocol/device/errors.h"

#define HINT_OTHER "use a download agent that was made for this chip, or --method=brom"

/* Speeds for a UART, the fastest first; 115200 is always there. */
static const uint32_t speeds[] = { 921600, 460800, 230400 };

static int refuse_chip(const struct session *session, const char *why, struct failure *failure)
{
	failure_set(failure, FAILURE_UNSUPPORTED_CHIP, NULL,
		    "an %s cannot be read through a download agent: %s", session->chip, why);
	return -EOPNOTSUPP;
}

int session_check_agent(const struct session *session, struct failure *failure)
{
	const struct chip *chip = session->identity.chip;
	const char *why = chip ? da_session_refusal(chip) : "no chip that we know";

	return why ? refuse_chip(session, why, failure) : 0;
}

/* The boot ROM's status words for "not without the maker's key" (mtkclient's list). */
static bool is_security_status(uint32_t status)
{
	return status == 0x1D0D || status == 0x1D15 || status == 0x2001 || status == 0x5A5B ||
	       (status >= 0x7000 && status <= 0x7024);
}

static void explain_boot_rom(const struct session *session, struct failure *failure)
{
	const uint32_t status = da_session_code(session->agent);
	const struct device_error *error = device_error_find((uint16_t)status);
	const bool locked = is_security_status(status) || session_is_secured(session);

	failure_set(failure, locked ? FAILURE_SECURE_BOOT : FAILURE_DA_REJECTED,
		    error->hint ? error->hint : HINT_OTHER,
		    "the boot ROM refuses the download agent with status %04X (%s): %s", status,
		    error->name, error->meaning);
}

int session_explain_refusal(const struct session *session, int error, struct failure *failure)
{
	const uint32_t code = da_session_code(session->agent);
	const struct device_error *what = device_error_of_agent(code);

	failure_set(failure,
		    code >= SESSION_SECURITY_FIRST && code <= SESSION_SECURITY_LAST
			    ? FAILURE_SECURE_BOOT
			    : FAILURE_DA_REJECTED,
		    what->hint ? what->hint : HINT_OTHER,
		    "the download agent refuses with code %u (%s): %s", code, what->name,
		    what->meaning);
	return error;
}

static int explain_start(struct session *session, int error, struct failure *failure)
{
	const bool talks = da_session_stage(session->agent) >= DA_STAGE_SYNC;
	char words[256];

	switch (error) {
	case -EREMOTEIO:
		if (talks)
			return session_explain_refusal(session, error, failure);
		explain_boot_rom(session, failure);
		return error;
	case -EPROTO:
	case -EBADMSG:
	case -EPROTONOSUPPORT:
	case -EOPNOTSUPP:
		if (!talks && error == -EPROTO)
			break;
		failure_set(failure, FAILURE_DA_REJECTED, HINT_OTHER,
			    "the download agent cannot be used: %s",
			    da_session_describe(session->agent, error, words, sizeof(words)));
		return error;
	default:
		break;
	}
	return session_explain(session, error, "the start of the download agent", failure);
}

/* Over an adapter 115200 baud are slow: the agent is asked for more, and may decline. */
static int speed_up(struct session *session)
{
	int r = -EOPNOTSUPP;

	if (transport_kind(session->transport) != LINE_UART)
		return 0;
	for (size_t i = 0; r == -EOPNOTSUPP && i < ARRAY_SIZE(speeds); i++)
		r = da_session_set_speed(session->agent, speeds[i]);
	return r == -EOPNOTSUPP ? 0 : r;
}

int session_start_agent(struct session *session, const struct agent *agent, bool fast,
			void (*progress)(void *userdata, uint64_t done, uint64_t total),
			void *userdata, struct failure *failure)
{
	const struct da_session_source source = {
		.brom = session->brom,
		.identity = &session->identity,
		.file = agent->file,
		.entry = agent->entry,
		.progress = progress,
		.userdata = userdata,
	};
	int r = session_check_agent(session, failure);

	if (r < 0)
		return r;
	r = da_session_new(session->transport, &session->agent);
	if (r < 0)
		return r;
	r = da_session_start(session->agent, &source);
	if (r < 0)
		return explain_start(session, r, failure);
	da_reader_open(&session->agent_reader, session->agent);
	session->flash = &session->agent_reader.reader;
	r = fast ? speed_up(session) : 0;
	return r < 0 ? session_explain(session, r, "the change of the line's speed", failure) : 0;
}

bool session_jedec(const struct session *session, uint8_t ret[DA_REPORT_JEDEC])
{
	return session->agent && da_report_jedec(da_session_report(session->agent), ret);
}
