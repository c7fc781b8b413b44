/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A store in a folder of its own under /tmp, and things to put into it; for the tests of the store. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>

#include "daemon/archive/tree.h"
#include "daemon/store/store.h"
#include "protocol/base/strings.h"

#define MEID   "00112233445566778899aabbccddeeff"
#define SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Some time in 2026, microseconds included. */
#define SOME_TIME 1795444270123456ULL

struct place {
	char directory[32];
	char path[64];
	struct store *store;
};

static inline int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	strcpy(place->directory, "/tmp/test-store-XXXXXX");
	assert_non_null(mkdtemp(place->directory));
	(void)snprintf(place->path, sizeof(place->path), "%s/a.db", place->directory);
	assert_int_equal(store_open(place->path, &place->store), 0);
	*state = place;
	return 0;
}

static inline int tear_down(void **state)
{
	struct place *place = *state;

	store_close(place->store);
	assert_int_equal(archive_tree_remove(AT_FDCWD, place->directory), 0);
	free(place);
	return 0;
}

static inline void reopen(struct place *place)
{
	store_close(place->store);
	place->store = NULL;
	assert_int_equal(store_open(place->path, &place->store), 0);
}

static inline struct job make_job(enum job_state state)
{
	struct job job = { .state = state, .owner = 1000, .created = SOME_TIME };

	assert_int_equal(job_request_init(&job.request), 0);
	return job;
}

static inline int64_t add_job(struct place *place, enum job_state state)
{
	struct job job = make_job(state);
	int64_t id;

	assert_int_equal(store_add_jobs(place->store, &job, 1), 0);
	id = job.id;
	job_clear(&job);
	return id;
}

static inline void free_jobs(struct job *jobs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		job_clear(&jobs[i]);
	free(jobs);
}

static inline void free_backups(struct backup *backups, size_t n)
{
	for (size_t i = 0; i < n; i++)
		backup_clear(&backups[i]);
	free(backups);
}

static inline enum job_state state_of(struct place *place, int64_t id)
{
	struct job job;
	enum job_state state;

	assert_int_equal(store_get_job(place->store, id, &job), 0);
	state = job.state;
	job_clear(&job);
	return state;
}

static inline void assert_count(struct place *place, enum job_state state, uint64_t expected)
{
	uint64_t counts[_JOB_STATE_MAX];

	assert_int_equal(store_count_jobs(place->store, counts), 0);
	assert_int_equal(counts[state], expected);
}

static struct label shop[] _unused_ = { { (char *)"ticket", (char *)"4711" },
					{ (char *)"customer", (char *)"Ms. O'Hara" } };

static inline struct backup make_backup(const char *id, uint64_t created, size_t n_labels)
{
	return (struct backup){ .id = (char *)id,
				.path = (char *)"/var/lib/mtkrbd/backups/x",
				.created = created,
				.chip = (char *)"MT6261",
				.meid = (char *)MEID,
				.size = 4 << 20,
				.sha256 = (char *)SHA256,
				.health = 97,
				.labels = shop,
				.n_labels = n_labels,
				.job = 12 };
}
