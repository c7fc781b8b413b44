/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The wire between a client and `mtkrbctl bridge`, which ssh runs beside a daemon: varlink both
 * ways, as on the daemon's socket. A descriptor cannot travel over ssh, so its file does: before a
 * call that comes with some, for each of them in their order, the message "file SIZE" (decimal, with
 * a NUL behind it as a call has) and then SIZE bytes. The bridge puts them into files in memory and
 * passes those with the call.
 */

#include "protocol/base/cleanup.h"

/*
 * Sends a file, from its beginning, to a socket that may be a non-blocking one. -EINVAL for what is
 * no regular file, -EFBIG when it is larger than any file of a call may be, -ENODATA when it shrank
 * meanwhile: then, as with an error of the socket, the connection is of no use any more.
 */
_must_check_ int bridge_send_file(int socket, int file);

/*
 * Passes calls from in to the daemon and answers from the daemon to out until one of the two ends.
 * Takes daemon, a connected socket, also on failure. -EBADMSG for what is not on the wire above.
 */
_must_check_ int bridge_run(int in, int out, int daemon);
