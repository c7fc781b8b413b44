/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How many jobs a second are stored durably, beside what the disk can do. */

#include "tests/bench/bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "tests/bench/asker.h"
#include "tests/integration/rig.h"

#define CLIENTS     8U
#define ROUNDS      9U
#define ROUND_CALLS 25U /* of each client */
#define PAGE_BYTES  4096U
#define WANTED      1000.0 /* per second, where the disk can do as many */
#define SUBMIT                                            \
	"{\"method\":\"io.mtkrbd.Control.Submit\","       \
	"\"parameters\":{\"request\":{\"slot\":\"none\"," \
	"\"labels\":{\"ticket\":\"4711\"}}}}"

static double per_second(size_t n, uint64_t begun)
{
	return (double)n * (double)USEC_PER_SEC / (double)(time_now() - begun);
}

/* What a program that only appends and waits for the disk gets, on the same file system. */
static double measure_disk(const struct rig *rig, size_t n)
{
	_cleanup_free_ char *path = str_format("%s/appended", rig->directory);
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	static const char page[PAGE_BYTES];
	uint64_t begun = time_now();

	assert_true(fd >= 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(fd_write_all(fd, page, sizeof(page)), 0);
		assert_int_equal(fdatasync(fd), 0);
	}
	return per_second(n, begun);
}

/* All clients have a call under way at any time, as a shop's scripts would. */
static double measure_submits(struct frame *const *clients)
{
	uint64_t begun = time_now();

	for (size_t call = 0; call < ROUND_CALLS; call++) {
		for (size_t i = 0; i < CLIENTS; i++)
			asker_send(clients[i], SUBMIT);
		for (size_t i = 0; i < CLIENTS; i++)
			asker_skip(clients[i]);
	}
	return per_second((size_t)ROUND_CALLS * CLIENTS, begun);
}

void bench_submits(struct figures *figures, bool quick)
{
	const size_t rounds = quick ? ROUNDS / 3 : ROUNDS;
	double submits[ROUNDS], disk[ROUNDS], shares[ROUNDS];
	struct frame *clients[CLIENTS];
	struct rig rig;

	rig_set_up(&rig, NULL);
	rig_start(&rig);
	for (size_t i = 0; i < CLIENTS; i++)
		clients[i] = asker_connect(rig.socket);
	for (size_t i = 0; i < rounds; i++) {
		disk[i] = measure_disk(&rig, (size_t)ROUND_CALLS * CLIENTS);
		submits[i] = measure_submits(clients);
		shares[i] = submits[i] / MIN_OF(disk[i], WANTED) * 100;
	}
	for (size_t i = 0; i < CLIENTS; i++)
		frame_free(clients[i]);
	rig_tear_down(&rig);
	figures_add(figures,
		    (struct figure){ .name = "submits",
				     .what = "durable submits, of 1,000/s or what the disk syncs",
				     .unit = "%",
				     .kind = GOAL_AT_LEAST,
				     .goal = 100,
				     .measured = median(shares, rounds) });
	figures_add(figures, (struct figure){ .name = "submit-rate",
					      .what = "  submits",
					      .unit = "per second",
					      .measured = median(submits, rounds) });
	figures_add(figures, (struct figure){ .name = "disk-sync-rate",
					      .what = "  bare appends with fdatasync",
					      .unit = "per second",
					      .measured = median(disk, rounds) });
}
