/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "tests/bench/measured-job.h"

#define COUNTS_BYTES_MAX 65536

static bool strace_works(void)
{
	return system("strace -c -o /dev/null true >/dev/null 2>&1") == 0;
}

/* The rig starts "mtkrbd-worker" of MTKRB_BIN_DIR: a script of that name puts strace before it. */
static void write_wrapper(const char *folder, const char *programs, const char *counts)
{
	_cleanup_free_ char *path = str_format("%s/mtkrbd-worker", folder);
	_cleanup_free_ char *script = str_format(
		"#!/bin/sh\nexec strace -f -c -U calls,name -o '%s' '%s/mtkrbd-worker'\n", counts,
		programs);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, script, strlen(script)), 0);
	fd_close(fd);
}

/* The last line of strace's table: "123456 total". */
static double total_of(const char *counts)
{
	_cleanup_free_ char *text = NULL;
	unsigned long total = 0;
	char *line, *rest;

	assert_int_equal(fd_read_file(AT_FDCWD, counts, COUNTS_BYTES_MAX, &text, NULL), 0);
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (strstr(line, "total"))
			total = strtoul(line, NULL, 10);
	assert_true(total > 0);
	return (double)total;
}

static double count(const char *size)
{
	_cleanup_free_ char *programs = strdup(getenv("MTKRB_BIN_DIR"));
	char folder[] = "/tmp/mtkrb-bench-XXXXXX";
	_cleanup_free_ char *counts = NULL;
	struct worker_rig *rig = measured_rig_new(size);
	double total;

	assert_non_null(mkdtemp(folder));
	counts = str_format("%s/counts", folder);
	write_wrapper(folder, programs, counts);
	worker_rig_start_watch(rig, NULL);
	assert_int_equal(setenv("MTKRB_BIN_DIR", folder, 1), 0);
	(void)measured_job_run(rig, VERIFY_NONE);
	assert_int_equal(setenv("MTKRB_BIN_DIR", programs, 1), 0);
	total = total_of(counts);
	measured_rig_free(rig);
	worker_rig_empty(folder);
	(void)rmdir(folder);
	return total;
}

void bench_system_calls(struct figures *figures, bool quick)
{
	const char *size = quick ? "8M" : "16M";
	struct figure figure = { .name = "system-calls",
				 .what = "system calls of a whole job",
				 .unit = "per MiB",
				 .kind = GOAL_BELOW,
				 .goal = 500 };
	uint64_t bytes = 0;

	assert_int_equal(parse_size(size, &bytes), 0);
	if (strace_works())
		figure.measured = count(size) / ((double)bytes / (1 << 20));
	else
		figure.skipped = "skipped: strace is missing or not allowed";
	figures_add(figures, figure);
}
