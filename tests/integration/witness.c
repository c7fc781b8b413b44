/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/integration/witness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/time.h"
#include "tests/integration/attackers.h"
#include "tests/integration/rig.h"

#define PAUSE_MSEC 2

static bool ask(int fd)
{
	char text[1024];

	if (!attacker_call(fd, ATTACKER_GET_STATUS))
		return false;
	for (size_t n = 0; n < sizeof(text); n++) {
		if (recv(fd, text + n, 1, 0) != 1)
			return false;
		if (text[n] == '\0')
			return strstr(text, "\"uptime\"") != NULL;
	}
	return false;
}

_noreturn_ static void watch_on(int fd, struct witness_samples *samples)
{
	while (!samples->stop && samples->n < WITNESS_SAMPLES_MAX) {
		uint64_t begin = time_now();

		if (!ask(fd)) {
			samples->failed = true;
			_exit(1);
		}
		samples->usec[samples->n] = (uint32_t)(time_now() - begin);
		samples->n++;
		sleep_ms(PAUSE_MSEC);
	}
	_exit(0);
}

void witness_start(struct witness *witness, const char *socket)
{
	int fd = attacker_dial(socket);

	witness->samples = mmap(NULL, sizeof(*witness->samples), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(witness->samples != MAP_FAILED);
	assert_true(ask(fd));
	witness->pid = fork();
	assert_true(witness->pid >= 0);
	if (witness->pid == 0)
		watch_on(fd, witness->samples);
	fd_close(fd);
}

bool witness_has_seen(const struct witness *witness, uint32_t n)
{
	return witness->samples->n >= n || witness->samples->failed;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

struct witness_report witness_end(struct witness *witness)
{
	struct witness_samples *samples = witness->samples;
	struct witness_report report;
	uint32_t n;

	samples->stop = true;
	assert_int_equal(waitpid(witness->pid, NULL, 0), witness->pid);
	assert_false(samples->failed);
	n = samples->n;
	assert_true(n > 0);
	qsort(samples->usec, n, sizeof(samples->usec[0]), compare);
	report = (struct witness_report){
		.median = samples->usec[n / 2] / 1e3,
		.p99 = samples->usec[(uint64_t)n * 99 / 100] / 1e3,
		.longest = samples->usec[n - 1] / 1e3,
		.n = n,
	};
	(void)munmap(samples, sizeof(*samples));
	return report;
}
