/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What goes wrong with the virtual watch, on demand. Offsets count from the first byte of the flash
 * window, as the host asks for it (so behind the flash end they do not wrap).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

#define FAULTS_MAX 64 /* on one command line */

enum fault_kind {
	FAULT_UNPLUG,      /* the line hangs up when the stream reaches the offset; once */
	FAULT_STALL,       /* nothing is sent for a time when the stream reaches the offset; once */
	FAULT_FLIP,        /* the byte at the offset is sent with one bit wrong; once */
	FAULT_INSERT,      /* a byte that is not there is sent before the one at the offset; once */
	FAULT_SHORT,       /* the byte at the offset, or N bytes from there, are not sent; once */
	FAULT_NACK,        /* the N-th READ32 (from 1, re-plugs included) is refused with 1D12 */
	FAULT_MAX_BLOCK,   /* READ32 of more bytes than this is refused with 1D12 */
	FAULT_ALIAS,       /* the flash repeats with this period */
	FAULT_DA_SUM,      /* the N-th packet of the agent (from 1) has a wrong sum; once */
	FAULT_DA_NACK,     /* the N-th read of the agent (from 1) is refused with 3020 */
	FAULT_GARBAGE,     /* noise before the first answer of the handshake */
	FAULT_MUTE,        /* nothing is ever answered */
	FAULT_SECURE,      /* SLA and DAA are on: SEND_DA and JUMP_DA get 1D0D */
	FAULT_ECHO,        /* the line echoes the bytes of the handshake before they are answered */
	FAULT_PRELOADER,   /* a preloader: pushes READY, and FE answers its version */
	FAULT_NO_COMBINE,  /* what comes behind a field in the same host write is lost */
	FAULT_STREAM,      /* a READ32 never stops sending */
	FAULT_FF,          /* every byte is answered by FF */
	FAULT_DA_REFUSE,   /* SEND_DA gets 1D0D, with no security bit set */
	FAULT_DA_STAGE,    /* the agent begins like one for smartphones */
	FAULT_DA_RANGE,    /* the agent refuses all reads with 3039 */
	FAULT_DA_SECURITY, /* the agent refuses all reads with 6012 */
	FAULT_DA_UNKNOWN_FLASH, /* no row of any flash table fits: 3009 */
	FAULT_KIND_MAX,
};

struct fault {
	enum fault_kind kind;
	uint64_t value; /* offset, number or size, by kind */
	uint64_t usec;  /* of a stall */
	uint64_t bytes; /* of a gap that are still to be left out */
	bool spent;     /* it happens once, and has */
	bool told;      /* the log says that it happened */
};

struct faults {
	struct fault items[FAULTS_MAX];
	size_t n_items;
};

/*
 * Adds the fault that spec describes ("flip@0x1000", "stall@64K:500", "short@64K:4", "mute"). -EINVAL when it is
 * not understood, -ERANGE when a number is not usable, -ENOSPC for more than FAULTS_MAX.
 */
_must_check_ int faults_add(struct faults *faults, const char *spec);

/* The word that its description begins with, with the character before a value ("flip@", "mute"). */
const char *fault_name(const struct fault *fault);

/* The first fault of a kind that is not spent, or NULL. */
struct fault *faults_find(struct faults *faults, enum fault_kind kind);

static inline bool faults_have(struct faults *faults, enum fault_kind kind)
{
	return faults_find(faults, kind) != NULL;
}

/* The first fault of the stream that is not spent in [offset, offset + length), or NULL. */
struct fault *faults_in_stream(struct faults *faults, uint64_t offset, uint64_t length);
