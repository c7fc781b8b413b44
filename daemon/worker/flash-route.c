/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/flash-route.h"

#include <errno.h>
#include <stdlib.h>

#include "protocol/base/time.h"

#define TELL_INTERVAL (100 * USEC_PER_MSEC)
#define TRIES         3U /* of a read that the boot ROM refuses */

static void on_upload(void *userdata, uint64_t done, uint64_t total)
{
	struct flash_route *route = userdata;
	uint64_t now = time_now();

	if (done > 0 && done < total && now - route->told_at < TELL_INTERVAL)
		return;
	route->told_at = now;
	route->uploading(route->userdata, done, total);
}

/* Noted before, so that the next attempt leaves the speed alone if this one is lost by it. */
static int note_speed(struct flash_route *route, bool raising, struct failure *failure)
{
	int r;

	if (transport_kind(route->session->transport) != LINE_UART)
		return 0;
	route->staging->state.raising_speed = raising;
	r = staging_save_state(route->staging);
	return r < 0 ? staging_explain(r, STAGING_STATE_FILE, failure) : 0;
}

static int start_agent(struct flash_route *route, const struct agent *agent,
		       struct failure *failure)
{
	const bool fast = !route->staging->state.raising_speed;
	int r = fast ? note_speed(route, true, failure) : 0;

	if (r >= 0)
		r = session_start_agent(route->session, agent, fast, on_upload, route, failure);
	/* Only a line that was lost is suspected. */
	if (fast && r != -ETIMEDOUT && r != -EPROTO) {
		int noted = note_speed(route, false, failure);

		r = r < 0 ? r : noted;
	}
	return r;
}

static int use_agent(struct flash_route *route, struct failure *failure)
{
	struct agent agent = { .fd = -1 };
	int r = session_check_agent(route->session, failure);

	if (r >= 0)
		r = agent_find(route->files, route->request, &route->session->identity, &agent,
			       failure);
	if (r < 0)
		return r;
	r = start_agent(route, &agent, failure);
	agent_close(&agent);
	if (r >= 0)
		route->staging->state.agent = true;
	return r;
}

/* True when the job leaves us another way than the boot ROM. */
static bool has_other(const struct flash_route *route)
{
	const struct chip *chip = route->session->identity.chip;

	return chip && !da_session_refusal(chip) && agent_is_offered(route->files);
}

/* The boot ROM may show the flash and yet refuse every read of it. */
static int try_read(struct session *session)
{
	const struct reader_class *class = session->flash->class;
	_cleanup_free_ uint8_t *piece = malloc(class->block_min);
	int r = -EREMOTEIO;

	if (!piece)
		return -ENOMEM;
	for (unsigned int i = 0; r == -EREMOTEIO && i < TRIES; i++) {
		int synced = 0;

		r = reader_read(session->flash, 0, piece, class->block_min);
		if (r < 0 && r != -ENODEV && r != -ECANCELED)
			synced = reader_resync(session->flash);
		if (synced < 0)
			return synced;
	}
	return r;
}

/* Why an agent is asked for at all is news to who did not name one. */
static int use_agent_instead(struct flash_route *route, struct failure *failure)
{
	int r = use_agent(route, failure);

	if (r < 0 && failure->code == FAILURE_DA_MISSING) {
		_cleanup_free_ char *message = TAKE_PTR(failure->message);
		_cleanup_free_ char *hint = TAKE_PTR(failure->hint);

		failure_set(failure, FAILURE_DA_MISSING, hint,
			    "the boot ROM refuses to read the flash, and %s", message);
	}
	return r;
}

/* The failure of the first way stays when there is no second. */
static int use_either(struct flash_route *route, struct failure *failure)
{
	int r;

	if (route->staging->state.agent)
		return use_agent(route, failure);
	r = session_show_flash(route->session, failure);
	if (!has_other(route))
		return r;
	/* What else may go wrong is met again, and explained, where the size is looked for. */
	if (r >= 0 && try_read(route->session) != -EREMOTEIO)
		return 0;
	if (r < 0 && r != -EREMOTEIO)
		return r;
	failure_clear(failure);
	return use_agent_instead(route, failure);
}

int flash_route_open(struct flash_route *route, struct failure *failure)
{
	switch (route->request->method) {
	case METHOD_DA:
		return use_agent(route, failure);
	case METHOD_BROM:
		return session_show_flash(route->session, failure);
	default:
		return use_either(route, failure);
	}
}

void flash_route_leave(struct flash_route *route)
{
	static const enum da_leave leaves[] = { [AFTER_RESET] = DA_LEAVE_RESET,
						[AFTER_OFF] = DA_LEAVE_OFF,
						[AFTER_STAY] = DA_LEAVE_RUNNING };
	const enum after_action after = route->request->after;
	int r = 0;

	if (route->session->agent)
		r = da_session_finish(route->session->agent, leaves[after]);
	else if (after == AFTER_RESET)
		r = brom_reset(route->session->brom);
	(void)r;
}

static const char *describe_boot_rom_end(const struct flash_route *route)
{
	switch (route->request->after) {
	case AFTER_RESET:
		return route->session->identity.chip->reset
			       ? "the watch is reset and starts"
			       : "the watch stays in its boot ROM: no reset is known for its chip";
	case AFTER_OFF:
		return "the watch stays in its boot ROM: switching it off needs a download agent";
	default:
		return "the watch stays in its boot ROM";
	}
}

const char *flash_route_describe_end(const struct flash_route *route)
{
	if (!route->session->agent)
		return describe_boot_rom_end(route);
	switch (route->request->after) {
	case AFTER_RESET:
		return "the watch is reset by its download agent and starts";
	case AFTER_OFF:
		return "the watch is switched off by its download agent";
	default:
		return "the watch stays in its download agent";
	}
}
