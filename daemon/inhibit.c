/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/inhibit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "daemon/log.h"
#include "protocol/base/fd.h"
#include "protocol/base/time.h"

#define LOGIND_NAME      "org.freedesktop.login1"
#define LOGIND_PATH      "/org/freedesktop/login1"
#define LOGIND_INTERFACE "org.freedesktop.login1.Manager"

/*
 * One lock each: asked for both at once, logind asks polkit about none of the two but about the switch
 * of the lid, which no service may hold.
 */
static const char *const reasons[] = { "sleep", "shutdown" };

/* Without a bus each job would try anew. */
#define PAUSE_USEC (60 * USEC_PER_SEC)

struct inhibit {
	sd_event *event;
	const struct inhibit_handler *handler;
	void *userdata;
	sd_bus *bus;        /* NULL: not connected */
	sd_bus_slot *asked; /* the question that logind has not answered */
	/* Held as long as they are open; -1: none. They are taken one after the other. */
	int locks[ARRAY_SIZE(reasons)];
	bool delay_only;       /* blocking was refused */
	bool sleeping, ending; /* what logind has announced and not taken back */
	bool complained;
	uint64_t retry_at; /* monotonic */
};

static void complain(struct inhibit *inhibit, const char *why)
{
	if (!inhibit->complained)
		log_debug("the machine may sleep in the middle of a job: %s", why);
	inhibit->complained = true;
	inhibit->retry_at = time_now() + PAUSE_USEC;
}

static bool is_going(const struct inhibit *inhibit)
{
	return inhibit->sleeping || inhibit->ending;
}

static void announce(struct inhibit *inhibit, bool *what, bool going)
{
	bool before = is_going(inhibit);

	*what = going;
	if (is_going(inhibit) != before)
		inhibit->handler->prepare(!before, inhibit->userdata);
}

static void release(struct inhibit *inhibit)
{
	inhibit->asked = sd_bus_slot_unref(inhibit->asked);
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		inhibit->locks[i] = fd_close(inhibit->locks[i]);
}

/* The first lock that is not held; ARRAY_SIZE(reasons): all are. */
static size_t next_lock(const struct inhibit *inhibit)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(reasons) && inhibit->locks[i] >= 0)
		i++;
	return i;
}

/* The bus is gone, and with it what logind would have said. */
static void disconnect(struct inhibit *inhibit)
{
	release(inhibit);
	sd_bus_close_unref(inhibit->bus);
	inhibit->bus = NULL;
	announce(inhibit, &inhibit->sleeping, false);
	announce(inhibit, &inhibit->ending, false);
}

/* ---- what logind says ---- */

static int ask(struct inhibit *inhibit);

static bool is_refusal(const sd_bus_error *error)
{
	return sd_bus_error_has_names(error, SD_BUS_ERROR_ACCESS_DENIED,
				      SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
}

static int on_answer(sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error)
{
	struct inhibit *inhibit = userdata;
	const sd_bus_error *failure = sd_bus_message_get_error(message);
	int fd, r;

	inhibit->asked = sd_bus_slot_unref(inhibit->asked);
	if (failure && is_refusal(failure) && !inhibit->delay_only) {
		inhibit->delay_only = true;
		r = ask(inhibit);
		if (r < 0)
			complain(inhibit, strerrordesc_np(-r));
		return 0;
	}
	if (failure) {
		complain(inhibit, failure->message ? failure->message : failure->name);
		return 0;
	}
	r = sd_bus_message_read(message, "h", &fd);
	if (r >= 0)
		r = inhibit->locks[next_lock(inhibit)] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (r < 0) {
		complain(inhibit, "logind gave no lock");
		return 0;
	}
	r = ask(inhibit);
	if (r < 0)
		complain(inhibit, strerrordesc_np(-r));
	return 0;
}

static int on_prepare_for_sleep(sd_bus_message *message, void *userdata,
				_unused_ sd_bus_error *error)
{
	struct inhibit *inhibit = userdata;
	int going;

	if (sd_bus_message_read(message, "b", &going) >= 0)
		announce(inhibit, &inhibit->sleeping, going);
	return 0;
}

static int on_prepare_for_shutdown(sd_bus_message *message, void *userdata,
				   _unused_ sd_bus_error *error)
{
	struct inhibit *inhibit = userdata;
	int going;

	if (sd_bus_message_read(message, "b", &going) >= 0)
		announce(inhibit, &inhibit->ending, going);
	return 0;
}

static int on_disconnected(_unused_ sd_bus_message *message, void *userdata,
			   _unused_ sd_bus_error *error)
{
	struct inhibit *inhibit = userdata;

	complain(inhibit, "the system bus is gone");
	disconnect(inhibit);
	return 0;
}

/* ---- the bus ---- */

/* For the next lock, until all are held. */
static int ask(struct inhibit *inhibit)
{
	const char *mode = inhibit->delay_only ? "delay" : "block";
	size_t lock = next_lock(inhibit);

	if (lock == ARRAY_SIZE(reasons)) {
		log_debug("the machine stays awake (%s)", mode);
		return 0;
	}
	return sd_bus_call_method_async(inhibit->bus, &inhibit->asked, LOGIND_NAME, LOGIND_PATH,
					LOGIND_INTERFACE, "Inhibit", on_answer, inhibit, "ssss",
					reasons[lock], "mtkrbd", "a watch is being read", mode);
}

static int match(struct inhibit *inhibit, const char *signal, sd_bus_message_handler_t handler)
{
	return sd_bus_match_signal_async(inhibit->bus, NULL, LOGIND_NAME, LOGIND_PATH,
					 LOGIND_INTERFACE, signal, handler, NULL, inhibit);
}

static int connect_bus(struct inhibit *inhibit)
{
	int r = sd_bus_open_system(&inhibit->bus);

	if (r < 0)
		return r;
	r = match(inhibit, "PrepareForSleep", on_prepare_for_sleep);
	if (r >= 0)
		r = match(inhibit, "PrepareForShutdown", on_prepare_for_shutdown);
	if (r >= 0)
		r = sd_bus_match_signal_async(inhibit->bus, NULL, "org.freedesktop.DBus.Local",
					      "/org/freedesktop/DBus/Local",
					      "org.freedesktop.DBus.Local", "Disconnected",
					      on_disconnected, NULL, inhibit);
	if (r >= 0)
		r = sd_bus_attach_event(inhibit->bus, inhibit->event, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0)
		disconnect(inhibit);
	return r;
}

void inhibit_set(struct inhibit *inhibit, bool wanted)
{
	int r = 0;

	if (!wanted) {
		release(inhibit);
		return;
	}
	if (next_lock(inhibit) == ARRAY_SIZE(reasons) || inhibit->asked ||
	    time_now() < inhibit->retry_at)
		return;
	if (!inhibit->bus)
		r = connect_bus(inhibit);
	if (r >= 0)
		r = ask(inhibit);
	if (r < 0)
		complain(inhibit, strerrordesc_np(-r));
}

/* ---- life ---- */

int inhibit_new(sd_event *event, const struct inhibit_handler *handler, void *userdata,
		struct inhibit **ret)
{
	struct inhibit *inhibit = calloc(1, sizeof(*inhibit));

	if (!inhibit)
		return -ENOMEM;
	*inhibit = (struct inhibit){ .event = sd_event_ref(event),
				     .handler = handler,
				     .userdata = userdata };
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		inhibit->locks[i] = -1;
	*ret = inhibit;
	return 0;
}

void inhibit_free(struct inhibit *inhibit)
{
	if (!inhibit)
		return;
	release(inhibit);
	sd_bus_close_unref(inhibit->bus);
	sd_event_unref(inhibit->event);
	free(inhibit);
}
