/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the test and the shim in the daemon and its workers share: a file that both have mapped, so
 * that a worker in its cage looks at it without a system call. EIO_VARIABLE names the file; program,
 * file and calls are read when a process starts and opens its files.
 */

#include <stdatomic.h>
#include <stdint.h>

#define EIO_VARIABLE "MTKRB_EIO"

enum { EIO_WRITE = 1, EIO_SYNC = 2 };

struct eio {
	char program[32];
	char file[32];    /* name without its folder */
	uint32_t calls;   /* those that break */
	uint32_t passing; /* so many go well first */
	_Atomic uint32_t on;
	_Atomic uint32_t seen; /* such calls since it was on */
	_Atomic uint32_t failed;
};
