/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Another machine. The address of its daemon is "ssh:[USER@]HOST": ssh runs `mtkrbctl bridge` there
 * (bridge.h). Everything about keys, ports and jumps is ssh's own configuration. The program is `ssh`,
 * or what MTKRB_SSH names. A command is an argv that ends with NULL and needs no quotes.
 */

#include <sys/types.h>

#include "client/complaint.h"
#include "protocol/base/cleanup.h"

#define SSH_ADDRESS "ssh:"

/* The host in an address, borrowed; NULL when the address is the path of a socket. */
const char *ssh_host(const char *address);

/*
 * Starts a command there; *ret_fd, the caller's, is our end of its stdin and stdout, and *ret_pid is for
 * one of the three functions below. -ECANCELED with *complaint, -ENOMEM.
 */
_must_check_ int ssh_start(const char *host, const char *const *argv, pid_t *ret_pid, int *ret_fd,
			   struct complaint *complaint);

/* Waits for the end: the command's exit status, -ECANCELED with *complaint when it was not run. */
_must_check_ int ssh_wait(pid_t pid, const char *host, struct complaint *complaint);

/* For a bridge that closed its side before it answered: waits for it, and says why. Always -ECANCELED. */
int ssh_failed(pid_t pid, const char *host, struct complaint *complaint);

/* Ends one that is not needed any more. */
void ssh_stop(pid_t pid);

/*
 * Runs a command there with our stdin, stdout and stderr. The exit status is the command's; -ECANCELED
 * with *complaint when it could not be run, -ENOMEM.
 */
_must_check_ int ssh_run(const char *host, const char *const *argv, struct complaint *complaint);
