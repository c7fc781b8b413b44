/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The virtual watch in the place of protocol/device/transport.c; what it says is written down as a
 * script of line.h. For make-corpus.
 */

#include <stdio.h>

#include "protocol/device/transport.h"

/* A watch with an erased flash. What it says goes to file, which stays the caller's. */
struct transport *record_new(FILE *file);
