/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the options of lists have in common: the labels that are asked for. */

#include "protocol/base/cleanup.h"

struct arguments;
struct json_object;

/*
 * Adds KEY=VALUE to the object *labels, made by the first. Complains about anything else, sets the
 * status and returns negative, as arguments_wrong.
 */
_must_check_ int query_add_label(struct arguments *arguments, struct json_object **labels,
				 const char *value);
