/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is said of the places of the bench, by the configuration or by `mtkrbctl slot`: a list. */

#include <stdbool.h>
#include <stddef.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/label.h"

enum slot_exclusion {
	SLOT_EXCLUSION_UNSAID, /* as good as included */
	SLOT_INCLUDED,
	SLOT_EXCLUDED,
};

struct slot_setting {
	char *place; /* ID_PATH of the USB port without the interface, or what an attached port is
			called; no two of a list are the same. NULL while it is not known */
	char *name;  /* NULL: it is called as its place */
	enum slot_exclusion exclusion;
	char *rule;      /* the rule its watches get, NULL: not bound to one */
	char *rule_from; /* "FILE:LINE" where the configuration says so; NULL: it does not */
	struct label *labels;
	size_t n_labels;
};

struct slot_settings {
	struct slot_setting *list; /* in bench order */
	size_t n;
};

void slot_settings_clear(struct slot_settings *settings);
_must_check_ int slot_settings_copy(const struct slot_settings *from, struct slot_settings *ret);

/* The setting of a place, of a name; NULL when there is none. */
struct slot_setting *slot_settings_by_place(const struct slot_settings *settings,
					    const char *place);
struct slot_setting *slot_settings_by_name(const struct slot_settings *settings, const char *name);

/* A new one at the end, place and name (both may be NULL) copied. *ret lasts until the next. */
_must_check_ int slot_settings_add(struct slot_settings *settings, const char *place,
				   const char *name, struct slot_setting **ret);

/* Moves the element at from so that it comes right before the one now at before (n: the end). */
void slot_settings_move(struct slot_settings *settings, size_t from, size_t before);

/* Takes the element at index away. */
void slot_settings_remove(struct slot_settings *settings, size_t index);

/* "usb-0:2.3:1.0" names an interface of the device in the port "usb-0:2.3". */
bool slot_place_has_interface(const char *place);

/* The port without the interface, whichever driver took which; a copy of anything else. NULL: -ENOMEM. */
_must_check_ char *slot_place_of(const char *id_path);

/* True for what looks like the ID_PATH of a USB port. */
bool slot_place_is_path(const char *place);
