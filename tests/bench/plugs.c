/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/bench.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/base/strings.h"

#define PLUGS_MAX 40

/* bench-plug lies beside this program and prints milliseconds, one plug a line. */
static FILE *start(size_t n)
{
	char self[PATH_MAX] = "";
	_cleanup_free_ char *command = NULL;
	char *slash;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return NULL;
	slash = strrchr(self, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	command = str_format("command -v umockdev-wrapper >/dev/null && test -x '%s/bench-plug' && "
			     "exec umockdev-wrapper '%s/bench-plug' %zu",
			     self, self, n);
	return command ? popen(command, "r") : NULL;
}

void bench_plugs(struct figures *figures, bool quick)
{
	struct figure figure = { .name = "plug-to-handshake",
				 .what = "from uevent to first handshake byte",
				 .unit = "ms",
				 .kind = GOAL_AT_MOST,
				 .goal = 15 };
	double values[PLUGS_MAX];
	size_t n = 0, wanted = quick ? 20 : PLUGS_MAX;
	FILE *stream = start(wanted);

	while (stream && n < wanted && fscanf(stream, "%lf", &values[n]) == 1)
		n++;
	if (!stream || pclose(stream) != 0 || n < wanted)
		figure.skipped = "skipped: no umockdev, or it failed";
	else
		figure.measured = median(values, n);
	figures_add(figures, figure);
}
