/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What somebody who mistyped a word most likely meant. */

#include <stddef.h>

/*
 * The one of n words nearest to typed, or NULL when none is close: a third of the letters may be
 * wrong, missing, too many or swapped with their neighbour, or typed is the start of the word.
 */
const char *suggest_word(const char *typed, const char *const *words, size_t n);
