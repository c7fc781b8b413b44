/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* state.json, by which an attempt is resumed. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "daemon/worker/staging-state.h"
#include "protocol/base/fd.h"
#include "tests/fuzz/fuzz.h"

static void put(int dir, const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd =
		openat(dir, STAGING_STATE_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	fuzz_require(fd >= 0 && fd_write_all(fd, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/tmp/mtkrb-fuzz-XXXXXX";
	struct staging_state state = { 0 };
	_cleanup_close_ int dir = -1;
	int r;

	fuzz_require(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fuzz_require(dir >= 0);
	put(dir, data, size);
	r = staging_state_load(dir, &state);
	fuzz_require(r == 0 || r == -EBADMSG);
	if (r == 0) {
		for (size_t i = 0; i < state.n_ranges; i++)
			fuzz_require(state.ranges[i].name);
		staging_state_clear(&state);
	}
	(void)unlinkat(dir, STAGING_STATE_FILE, 0);
	(void)rmdir(path);
	return 0;
}
