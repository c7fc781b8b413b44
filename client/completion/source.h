/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The words of a kind that there are at this moment, mostly the daemon's. */

struct client;

/* word and about (NULL: nothing to say) are borrowed. */
typedef void (*completion_put)(const char *word, const char *about, void *userdata);

/* Puts each word of the kind once; none, without a word, where nobody answers or for -H. */
void completion_source(const struct client *client, const char *kind, completion_put put,
		       void *userdata);
