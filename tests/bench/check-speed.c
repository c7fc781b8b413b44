/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "protocol/base/digest.h"
#include "protocol/base/fd.h"
#include "protocol/base/time.h"
#include "protocol/firmware/health.h"
#include "tests/bench/bench.h"
#include "tests/watch/flash-image.h"

#define IMAGE_BYTES (16U << 20)
#define ROUNDS      9U
#define QUICK       3U

/* The whole way of `mtkrbctl check`, but for the printing; microseconds, negative when it fails. */
static double time_check(const uint8_t *image)
{
	_cleanup_(health_report_freep) struct health_report *report = NULL;
	_cleanup_(layout_freep) struct layout *layout = NULL;
	uint64_t begin = time_now();

	if (layout_new(image, IMAGE_BYTES, &layout) < 0 ||
	    health_check(layout, NULL, &report) < 0 || !health_is_good(report))
		return -1;
	return (double)(time_now() - begin);
}

static double time_digest(int fd)
{
	char digest[DIGEST_HEX_SIZE];
	uint64_t begin = time_now();

	if (digest_file(fd, 0, IMAGE_BYTES, digest) < 0)
		return -1;
	return (double)(time_now() - begin);
}

/* Time of a check divided by that of SHA-256 over the same file in the cache; negative: failed. */
static double measure_ratio(unsigned int rounds)
{
	char path[] = "/tmp/bench-check-XXXXXX";
	_cleanup_close_ int fd = mkostemp(path, O_CLOEXEC);
	_cleanup_free_ uint8_t *image = NULL;
	double checks[ROUNDS], digests[ROUNDS];

	if (fd < 0 || unlink(path) < 0 || flash_image_new(IMAGE_BYTES, "MT6261", &image) < 0 ||
	    fd_write_all(fd, image, IMAGE_BYTES) < 0)
		return -1;
	for (unsigned int i = 0; i < rounds; i++) {
		checks[i] = time_check(image);
		digests[i] = time_digest(fd);
		if (checks[i] < 0 || digests[i] <= 0)
			return -1;
	}
	return median(checks, rounds) / median(digests, rounds);
}

void bench_check(struct figures *figures, bool quick)
{
	double ratio = measure_ratio(quick ? QUICK : ROUNDS);

	if (ratio < 0) {
		fputs("bench: the check of an image failed\n", stderr);
		exit(EXIT_FAILURE);
	}
	figures_add(figures, (struct figure){
				     .name = "check_to_sha256",
				     .what = "health check of 16 MiB, to SHA-256 over it",
				     .unit = "times",
				     .kind = GOAL_AT_MOST,
				     .goal = 3,
				     .measured = ratio,
			     });
}
