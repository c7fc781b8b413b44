/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Keeps the machine from sleeping and shutting down, through logind on the system bus. In mode block
 * where polkit lets us, else in mode delay, which gives a few seconds to stop in good order. Nothing
 * here is waited for, and a machine without bus or logind is no error.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "protocol/base/cleanup.h"

struct inhibit;

struct inhibit_handler {
	/*
	 * The machine is about to sleep or shut down; with going false it is back, or it stays. Until
	 * inhibit_set(false) it waits, as long as logind lets it.
	 */
	void (*prepare)(bool going, void *userdata);
};

/* handler and userdata must outlive it. */
_must_check_ int inhibit_new(sd_event *event, const struct inhibit_handler *handler, void *userdata,
			     struct inhibit **ret);
void inhibit_free(struct inhibit *inhibit);
DEFINE_CLEANUP(struct inhibit *, inhibit_free);

/* From now on the machine is to stay awake, or may sleep. Cheap where nothing changes. */
void inhibit_set(struct inhibit *inhibit, bool wanted);
