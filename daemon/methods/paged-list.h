/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The answer of a list, made some rows at a time: between two turns the event loop sees to everybody
 * else, so that nobody waits for a long list but who asked for it. The rows of one turn are a
 * consistent picture; a row that changes meanwhile is shown as it was or as it is.
 */

#include <stddef.h>

#include "protocol/base/cleanup.h"

struct call;
struct json_object;
struct manager;
struct paged_list;

struct paged_list_type {
	const char *member; /* of the answer, that has the rows */
	size_t page_rows;   /* 0: as few as is sensible */
	/*
	 * Hands at most n rows to paged_list_add and moves the query behind them. How many there
	 * were; fewer than n: these were the last.
	 */
	int (*page)(struct manager *manager, void *query, size_t n, struct paged_list *list);
	void (*free)(void *query);
};

/*
 * Answers the call of a long method, now or in its later turns, with as many rows as the answer has
 * room for, at most limit; more says that there may be others. Takes query, also on failure; an error
 * of the first page is returned before anything was answered.
 */
_must_check_ int paged_list_answer(struct call *call, struct manager *manager,
				   const struct paged_list_type *type, void *query, size_t limit);

/* Takes the row; -EMSGSIZE when the answer has no room for it, which then is whole without it. */
_must_check_ int paged_list_add(struct paged_list *list, struct json_object *row);
