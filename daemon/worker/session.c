/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/device/errors.h"
#include "protocol/device/serial.h"

#define HINT_REPLUG "unplug the watch and plug it in again; the job goes on where it stopped"

#define LOOK_USEC (1 * USEC_PER_MSEC)

static const char hint_usb[] =
	"the boot ROM listens for a moment only: switch the watch off, unplug it and plug it in "
	"again; some need a key held meanwhile";
static const char hint_uart[] =
	"check that RX and TX are crossed and ground is connected, then switch the watch on while "
	"the job waits";

static int explain_open(int error, const char *device, struct failure *failure)
{
	switch (error) {
	case -ECANCELED:
	case -ENOMEM:
		break;
	case -EBUSY:
		failure_set(failure, FAILURE_PORT_BUSY,
			    "find the program that holds it with fuser -v on the device and end it",
			    "%s is held by another program", device);
		break;
	case -EACCES:
	case -EPERM:
		failure_set(failure, FAILURE_PORT_BUSY,
			    "let the daemon's user into the group that owns the device, often "
			    "dialout, or install the udev rules",
			    "no permission to open %s", device);
		break;
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
	case -EIO:
		failure_set(failure, FAILURE_DEVICE_LOST, HINT_REPLUG, "%s is gone", device);
		break;
	case -ENOTTY:
		failure_set(failure, FAILURE_PORT_BUSY, "name a serial port",
			    "%s is not a serial port", device);
		break;
	default:
		failure_set(failure, FAILURE_PORT_BUSY, NULL, "%s cannot be opened: %s", device,
			    strerror(-error));
		break;
	}
	return error;
}

bool session_is_secured(const struct session *session)
{
	return session->identity.target_config &
	       (BROM_CONFIG_SBC | BROM_CONFIG_SLA | BROM_CONFIG_DAA);
}

/* A status word of the watch, in words. */
static void explain_status(struct session *session, const char *doing, struct failure *failure)
{
	uint16_t status = brom_status(session->brom);
	const struct device_error *error = device_error_find(status);

	if (session_is_secured(session))
		failure_set(failure, FAILURE_SECURE_BOOT,
			    error->hint ? error->hint
					: "this watch only obeys its vendor's signed tools",
			    "%s was refused with status %04X (%s); the watch has secure boot on",
			    doing, status, error->name);
	else
		failure_set(failure, FAILURE_PROTOCOL_ERROR, error->hint,
			    "%s was answered with status %04X (%s: %s)", doing, status, error->name,
			    error->meaning);
}

int session_explain(struct session *session, int error, const char *doing, struct failure *failure)
{
	switch (error) {
	case -ECANCELED:
	case -ENOMEM:
		break;
	case -ENODEV:
		failure_set(failure, FAILURE_DEVICE_LOST, HINT_REPLUG, "the watch left during %s",
			    doing);
		break;
	case -ETIMEDOUT:
	case -EHOSTDOWN:
		failure_set(failure, FAILURE_DEVICE_LOST, HINT_REPLUG,
			    "the watch stopped answering during %s", doing);
		break;
	case -EREMOTEIO:
		explain_status(session, doing, failure);
		break;
	case -EOPNOTSUPP:
		failure_set(failure, FAILURE_UNSUPPORTED_CHIP, NULL, "%s cannot do %s",
			    session->chip, doing);
		break;
	case -EOVERFLOW:
		failure_set(failure, FAILURE_PROTOCOL_ERROR, HINT_REPLUG,
			    "the watch sends without end during %s", doing);
		break;
	default:
		failure_set(failure, FAILURE_PROTOCOL_ERROR,
			    "try another cable or port; a preloader or another program may be "
			    "talking on the line",
			    "%s went wrong: %s", doing,
			    error == -EPROTO ? "the watch answered something that cannot be"
					     : strerror(-error));
		break;
	}
	return error;
}

static int shake_hands(struct session *session, const struct worker_open *open,
		       struct failure *failure)
{
	const bool usb = transport_kind(session->transport) == LINE_USB;
	double seconds = usb ? open->handshake_timeout_usb : open->handshake_timeout_uart;
	int r = brom_handshake(session->brom, (uint64_t)(seconds * (double)USEC_PER_SEC));

	if (r == -ETIMEDOUT || r == -EPROTO || r == -EOVERFLOW) {
		failure_set(failure, FAILURE_HANDSHAKE_TIMEOUT, usb ? hint_usb : hint_uart,
			    r == -ETIMEDOUT ? "%s: no answer to the handshake within %g s"
					    : "%s: no boot ROM answers the handshake within %g s, "
					      "but something else talks",
			    open->device, seconds);
		return r;
	}
	return r < 0 ? session_explain(session, r, "the handshake", failure) : 0;
}

static void name_watch(struct session *session)
{
	const struct brom_identity *identity = &session->identity;

	if (identity->chip)
		snprintf(session->chip, sizeof(session->chip), "%s", identity->chip->name);
	else
		snprintf(session->chip, sizeof(session->chip), "0x%04x", identity->hw_code);
	if (identity->has_meid)
		hex_encode(identity->meid, BROM_MEID_SIZE, session->meid);
}

int session_open(struct session *session, const struct worker_open *open, int stop_fd,
		 struct failure *failure)
{
	int r = serial_open(open->device, stop_fd, &session->transport);

	return r < 0 ? explain_open(r, open->device, failure) : 0;
}

int session_greet(struct session *session, const struct worker_open *open, struct failure *failure)
{
	int r = brom_new(session->transport, &session->brom);

	if (r < 0)
		return r;
	r = shake_hands(session, open, failure);
	if (r < 0)
		return r;
	r = brom_identify(session->brom, &session->identity);
	if (r < 0)
		return session_explain(session, r, "identification", failure);
	name_watch(session);
	return 0;
}

static const char *mode_name(const struct session *session)
{
	return session->identity.mode == BROM_MODE_PRELOADER ? "preloader" : "boot ROM";
}

int session_show_flash(struct session *session, struct failure *failure)
{
	const struct chip *chip = session->identity.chip;
	int r;

	if (!chip) {
		failure_set(
			failure, FAILURE_UNSUPPORTED_CHIP, NULL,
			"hw_code 0x%04x is no chip that we know; its %s answers, but there is no "
			"confirmed way to its flash",
			session->identity.hw_code, mode_name(session));
		return -EOPNOTSUPP;
	}
	if (!chip->readable) {
		failure_set(failure, FAILURE_UNSUPPORTED_CHIP, NULL,
			    "the flash of an %s cannot be read through its %s: %s", chip->name,
			    mode_name(session), chip->source);
		return -EOPNOTSUPP;
	}
	r = brom_reader_open(&session->reader, session->brom);
	if (r < 0)
		return session_explain(session, r, "mapping the flash", failure);
	session->flash = &session->reader.reader;
	return 0;
}

int session_look(struct session *session, struct failure *failure)
{
	uint8_t noise[256];
	int r = transport_read_some(session->transport, noise, sizeof(noise), LOOK_USEC);

	/* Silence is what it should be; noise means nothing; a stop is the caller's to receive. */
	if (r >= 0 || r == -ETIMEDOUT || r == -ECANCELED)
		return 0;
	return session_explain(session, r, "the wait for a job", failure);
}

void session_close(struct session *session)
{
	da_session_free(session->agent);
	brom_free(session->brom);
	transport_free(session->transport);
	*session = (struct session){ 0 };
}

const char *session_meid(const struct session *session)
{
	return session->meid[0] ? session->meid : NULL;
}

int session_check_watch(const struct session *session, const struct worker_read *read,
			struct failure *failure)
{
	const char *wanted = read->expected_meid ? read->expected_meid : read->request.meid;
	const char *meid = session_meid(session);

	if (read->request.chip && strcasecmp(read->request.chip, session->chip) != 0) {
		failure_set(failure, FAILURE_WRONG_WATCH, "plug in such a watch",
			    "the job is for an %s, this is an %s", read->request.chip,
			    session->chip);
		return -EPERM;
	}
	if (wanted && (!meid || strcasecmp(wanted, meid) != 0)) {
		failure_set(failure, FAILURE_WRONG_WATCH,
			    "plug in that watch, or submit a new job for this one",
			    "the job is for the watch with ME ID %.12s…, this is %.12s…", wanted,
			    meid ? meid : "(no ME ID)");
		return -EPERM;
	}
	return 0;
}
