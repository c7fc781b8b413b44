/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A daemon on another machine. Its address is "ssh:[USER@]HOST"; ssh runs `mtkrbctl bridge` there
 * (bridge.h), and everything about keys, ports and jumps is ssh's own configuration. The program is
 * `ssh`, or what MTKRB_SSH names.
 */

#include <sys/types.h>

#include "client/complaint.h"
#include "protocol/base/cleanup.h"

#define SSH_ADDRESS "ssh:"

/* The host in an address, borrowed; NULL when the address is the path of a socket. */
const char *ssh_host(const char *address);

/*
 * Starts ssh with a bridge; *ret_fd, the caller's, is our end of it, and *ret_pid is for one of the
 * two functions below. -ECANCELED with *complaint, -ENOMEM.
 */
_must_check_ int ssh_start(const char *host, pid_t *ret_pid, int *ret_fd,
			   struct complaint *complaint);

/* For one that closed its side before it answered: waits for it, and says why. Always -ECANCELED. */
int ssh_failed(pid_t pid, const char *host, struct complaint *complaint);

/* Ends one that is not needed any more. */
void ssh_stop(pid_t pid);

/*
 * Runs a command there with our stdout and stderr: argv ends with NULL and needs no quotes. The exit
 * status is the command's, -ECANCELED with *complaint when it could not be run.
 */
_must_check_ int ssh_run(const char *host, const char *const *argv, struct complaint *complaint);
