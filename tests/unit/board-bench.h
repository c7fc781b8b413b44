/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Ports and jobs for the board's tests, as the daemon would tell of them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "client/board/model.h"
#include "protocol/base/time.h"

#define MIB  (1024ULL * 1024)
#define DAY  (1799971200 * USEC_PER_SEC) /* the midnight of these tests */
#define NOON (DAY + 12 * 3600 * USEC_PER_SEC)
#define MEID "00112233445566778899aabbccddeeff"

/* Members of a struct port or job that the board only reads, though they are no constants there. */
#define TEXT(s) ((char *)(s))

/* Initializers, for tables too. */
#define PORT(slot_, state_, ...)                                                           \
	{                                                                                  \
		.slot = TEXT(slot_), .device = TEXT("/dev/ttyACM0"), .mode = TEXT("brom"), \
		.state = (state_), __VA_ARGS__                                             \
	}
#define FAILURE(code_)                                                     \
	{                                                                  \
		.code = (code_), .message = TEXT("the port said nothing"), \
		.hint = TEXT("try it again")                               \
	}
#define READ_AT(percent)                                                                         \
	{                                                                                        \
		.phase = PHASE_READ, .done = (percent)*10000, .total = 1000000, .rate = 1200000, \
		.eta = 3                                                                         \
	}

/* A job on a slot that has met its watch there. */
#define JOB_ON(id_, slot_, state_, ...) JOB_OF(NULL, id_, slot_, state_, __VA_ARGS__)

/* The same with an ME ID. */
#define JOB_OF(meid_, id_, slot_, state_, ...)                                               \
	{                                                                                    \
		.id = (id_), .state = (state_), .created = NOON - 60 * USEC_PER_SEC,         \
		.started = NOON - 60 * USEC_PER_SEC,                                         \
		.port = PORT(slot_, PORT_BUSY, .chip = TEXT("MT6261"), .meid = TEXT(meid_)), \
		__VA_ARGS__                                                                  \
	}

/* One that ended half a minute ago. */
#define JOB_ENDED(id_, slot_, state_, ...) \
	JOB_ON(id_, slot_, state_, .finished = NOON - 30 * USEC_PER_SEC, __VA_ARGS__)

/* One that waits in the queue; slot NULL: for any. */
#define JOB_FOR(id_, slot_, ...)                                                                 \
	{                                                                                        \
		.id = (id_), .state = JOB_QUEUED, .request = {.slot = TEXT(slot_), __VA_ARGS__ } \
	}

#define LABELS(...)                                \
	.labels = (struct label[]){ __VA_ARGS__ }, \
	.n_labels = sizeof((struct label[]){ __VA_ARGS__ }) / sizeof(struct label)
#define TICKET(s) LABELS({ TEXT("ticket"), TEXT(s) })

/* Tells the model of one of the jobs above: live as Follow does, or out of a list. */
#define bench_live(model, ...) \
	assert_int_equal(board_model_set_job(model, &(struct job)__VA_ARGS__, true), 0)
#define bench_listed(model, ...) \
	assert_int_equal(board_model_set_job(model, &(struct job)__VA_ARGS__, false), 0)

static inline struct board_model *bench_model(enum board_bell bell)
{
	struct board_model *model;

	assert_int_equal(board_model_new(DAY, bell, &model), 0);
	return model;
}

static inline void bench_slot(struct board_model *model, const char *name, const struct port *port)
{
	assert_int_equal(board_model_add_slot(model, name, false, port), 0);
}

/* The caller frees it. */
static inline struct board_tile *bench_tiles(const struct board_model *model, size_t n)
{
	struct board_tile *tiles;
	size_t is;

	assert_int_equal(board_model_tiles(model, NOON, &tiles, &is), 0);
	assert_int_equal(is, n);
	return tiles;
}
