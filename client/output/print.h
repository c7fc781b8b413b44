/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What goes to stderr, and JSON to stdout. An error is one line with the program's name before it, a
 * way out is one that begins with "hint:"; whatever they quote cannot drive the terminal.
 */

#include <stdarg.h>

#include "protocol/base/cleanup.h"

struct client;
struct json_object;

_printf_(2, 3) void print_failure(const struct client *client, const char *format, ...);
_printf_(2, 3) void print_hint(const struct client *client, const char *format, ...);

/* A word on the side; nothing with --quiet. */
_printf_(2, 3) void print_note(const struct client *client, const char *format, ...);

/* A line on stdout, cleaned like all others. */
_printf_(1, 2) void print_line(const char *format, ...);

/* Indented where a person reads it, one line elsewhere and always for a stream. -ENOMEM. */
_must_check_ int print_json(const struct client *client, struct json_object *object);
_must_check_ int print_json_line(struct json_object *object);
