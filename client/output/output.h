/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the text of a verb goes whose option -o names a file: NULL and "-" are stdout. Both return exit
 * statuses; what is not STATUS_DONE has been printed. */

#include "protocol/base/cleanup.h"

struct client;

/* Before something that takes long: what can already be seen to make output_write fail. */
_must_check_ int output_check(const struct client *client, const char *path);

/*
 * A file appears at once and whole, in place of an older one, as fd_replace_file. What is there and is
 * no file (a device, a pipe, a link to something) is not replaced, but written to.
 */
_must_check_ int output_write(const struct client *client, const char *path, const char *text);
