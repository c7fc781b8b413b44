/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/methods/paged-list.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/server/session.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

#define PAGE_ROWS      16U
#define TURN_USEC      (1 * USEC_PER_MSEC) /* after it, the others' turn comes */
#define ENVELOPE_BYTES 1024U               /* what the answer has around its rows */
#define ROWS_MAX       (LIMIT_REPLY_BYTES - ENVELOPE_BYTES)
#define ROOM_FIRST     4096U

struct paged_list {
	struct call *call; /* borrowed: it outlives us or says that it is gone */
	struct manager *manager;
	const struct paged_list_type *type;
	void *query;
	size_t left; /* rows that are still wanted */
	bool full;
	char *rows; /* "[row,row", as they will be sent */
	size_t size, room;
};

static void paged_list_free(struct paged_list *list)
{
	call_set_step(list->call, NULL, NULL);
	call_set_gone_callback(list->call, NULL, NULL);
	list->type->free(list->query);
	free(list->rows);
	free(list);
}

static void on_gone(struct call *call _unused_, void *userdata)
{
	paged_list_free(userdata);
}

static int append(struct paged_list *list, const char *text, size_t size)
{
	size_t room = MAX_OF(list->room, (size_t)ROOM_FIRST);
	char *grown;

	while (room < list->size + size)
		room *= 2;
	grown = room > list->room ? realloc(list->rows, room) : list->rows;
	if (!grown)
		return -ENOMEM;
	list->rows = grown;
	list->room = room;
	memcpy(list->rows + list->size, text, size);
	list->size += size;
	return 0;
}

int paged_list_add(struct paged_list *list, struct json_object *row)
{
	_cleanup_message_ struct json_object *owned = row;
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r = message_to_text(owned, &text);

	if (r < 0)
		return r;
	size = strlen(text);
	if (list->full || list->size + size + 2 > ROWS_MAX) {
		list->full = true;
		return -EMSGSIZE;
	}
	r = append(list, list->size > 0 ? "," : "[", 1);
	return r < 0 ? r : append(list, text, size);
}

static int answer(struct paged_list *list, bool more)
{
	struct json_object *rows, *reply;
	/* The NUL goes with it. */
	int r = list->size > 0 ? append(list, "]", 2) : append(list, "[]", 3);

	if (r >= 0)
		r = message_from_own_text(TAKE_PTR(list->rows), &rows);
	if (r >= 0)
		r = message_build(&reply, MEMBERS(M_OBJECT(list->type->member, rows),
						  more ? M_BOOL("more", true) : M_NONE));
	return r < 0 ? r : call_reply(list->call, reply);
}

/* 1 when there is more to do. */
static int take_turn(struct paged_list *list)
{
	const uint64_t end = time_now() + TURN_USEC;

	do {
		size_t n = MIN_OF(list->left, list->type->page_rows ?: (size_t)PAGE_ROWS);
		int r = list->type->page(list->manager, list->query, n, list);

		if (r < 0 && r != -EMSGSIZE)
			return r;
		list->left -= r > 0 ? (size_t)r : 0;
		if (list->full || (size_t)r < n || list->left == 0)
			return answer(list, list->full || (size_t)r == n);
	} while (time_now() < end);
	return 1;
}

static int on_step(struct call *call _unused_, void *userdata)
{
	struct paged_list *list = userdata;
	int r = take_turn(list);

	if (r <= 0)
		paged_list_free(list);
	return r;
}

int paged_list_answer(struct call *call, struct manager *manager,
		      const struct paged_list_type *type, void *query, size_t limit)
{
	struct paged_list *list = call_is_oneway(call) ? NULL : calloc(1, sizeof(*list));
	int r;

	if (!list) {
		type->free(query);
		/* Nobody hears the answer of a oneway call. */
		return call_is_oneway(call) ? call_reply(call, NULL) : -ENOMEM;
	}
	*list = (struct paged_list){
		.call = call, .manager = manager, .type = type, .query = query, .left = limit
	};
	call_set_step(call, on_step, list);
	call_set_gone_callback(call, on_gone, list);
	r = on_step(call, list);
	return MIN_OF(r, 0);
}
