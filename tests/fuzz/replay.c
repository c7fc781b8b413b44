/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * usage: fuzz-TARGET FOLDER…
 * Gives a target every file of its corpus once: each crash that fuzzing found is one of them. For
 * compilers without libFuzzer.
 */

#include <dirent.h>
#include <fcntl.h>

#include "protocol/base/fd.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX (1U << 20)

static void replay_file(int dir, const char *name)
{
	_cleanup_free_ char *text = NULL;
	uint8_t *exact;
	size_t size = 0;

	if (fd_read_file(dir, name, INPUT_MAX, &text, &size) < 0) {
		fprintf(stderr, "%s cannot be read\n", name);
		exit(1);
	}
	/* A block of its own without the NUL, so that reading behind it is seen. */
	exact = malloc(size);
	fuzz_require(exact || size == 0);
	if (size > 0)
		memcpy(exact, text, size);
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static size_t replay_folder(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	size_t n = 0;

	if (!folder) {
		fprintf(stderr, "%s cannot be opened\n", path);
		exit(1);
	}
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		replay_file(dirfd(folder), entry->d_name);
		n++;
	}
	closedir(folder);
	return n;
}

int main(int argc, char **argv)
{
	size_t n = 0;

	for (int i = 1; i < argc; i++)
		n += replay_folder(argv[i]);
	printf("%zu inputs\n", n);
	return n > 0 ? 0 : 1;
}
