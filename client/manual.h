/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The manual page of mtkrbctl, whose list of verbs and options comes from their tables. */

#include <stdio.h>

#include "protocol/base/cleanup.h"

/*
 * Copies a template of mdoc and puts the verbs in the place of its line "@VERBS@", the general
 * options in that of "@OPTIONS@". -EIO when the template cannot be read.
 */
_must_check_ int manual_print(FILE *template, FILE *out);
