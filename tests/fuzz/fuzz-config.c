/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mtkrbd.conf. */

#include <sys/mman.h>

#include "daemon/config.h"
#include "protocol/base/fd.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = memfd_create("mtkrbd.conf", MFD_CLOEXEC);
	_cleanup_free_ char *why = NULL;
	struct config config = { 0 };
	char path[64];

	fuzz_require(fd >= 0 && fd_write_all(fd, data, size) == 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (config_load(path, true, &config, &why) < 0) {
		fuzz_require(why);
		return 0;
	}
	fuzz_require(config.workers > 0);
	for (size_t i = 0; i < config.slots.n; i++)
		fuzz_require(config.slots.list[i].name && config.slots.list[i].place);
	config_clear(&config);
	return 0;
}
