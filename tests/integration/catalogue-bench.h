/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Backups made on a rig, for the tests of what is done with them. */

#include <stdio.h>

#include "protocol/base/strings.h"
#include "tests/integration/rig.h"

struct made {
	char *id;
	char path[512];
};

static inline void made_clear(struct made *made)
{
	free(made->id);
}

/* Backs up the watch of that ME ID whose flash this file is; request is what else it says. */
static inline struct made make_backup(struct rig *rig, const char *flash, const char *meid,
				      const char *request)
{
	_cleanup_free_ char *whole =
		str_format("{\"meid\":\"%s\",\"verify\":\"none\"%s}", meid, request);
	int64_t id = rig_submit(rig, whole);
	struct made made = { 0 };
	struct output output;
	struct watch watch;
	struct job job;

	watch_plug(rig, &watch, "watch", "--flash", flash, "--meid", meid, NULL);
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_DONE, 60);
	made.id = strdup(job.backup);
	job_clear(&job);
	rig_backup_path(rig, id, made.path);
	watch_unplug(&watch);
	output = rig_ctl(rig, "detach", watch.link, NULL);
	output_clear(&output);
	return made;
}

/* What mtkrbctl said and how it ended; the arguments end with NULL. */
#define assert_ctl(rig, expected, ret, ...)                            \
	do {                                                           \
		*(ret) = rig_ctl(rig, __VA_ARGS__);                    \
		if ((ret)->status != (expected))                       \
			fail_msg("%d: %s", (ret)->status, (ret)->err); \
	} while (0)

/* Changes one byte of a file in place. */
static inline void rot(const char *directory, const char *file, long offset)
{
	_cleanup_free_ char *path = str_format("%s/%s", directory, file);
	FILE *f = fopen(path, "r+");
	int c;

	assert_non_null(f);
	assert_int_equal(fseek(f, offset, SEEK_SET), 0);
	c = fgetc(f);
	assert_int_equal(fseek(f, offset, SEEK_SET), 0);
	assert_true(fputc(c ^ 1, f) != EOF);
	assert_int_equal(fclose(f), 0);
}
