/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An archive in a folder of its own under /tmp, and what a worker leaves in its staging. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/archive/archive.h"
#include "daemon/archive/tree.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define MEID   "00112233445566778899aabbccddeeff"
#define ID     "20261123T143110Z-MT6261-" MEID "-12"
#define MONTH  "backups/2026/11/"
#define SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#define IMAGE_BYTES 4096
#define SOME_TIME   1795444270000000ULL

struct place {
	char directory[40];
	int fd; /* of the state directory */
	struct archive *archive;
};

static inline int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	strcpy(place->directory, "/tmp/test-archive-XXXXXX");
	assert_non_null(mkdtemp(place->directory));
	assert_int_equal(archive_open(place->directory, &place->archive), 0);
	place->fd = open(place->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->fd >= 0);
	*state = place;
	return 0;
}

static inline int tear_down(void **state)
{
	struct place *place = *state;

	archive_close(place->archive);
	fd_close(place->fd);
	assert_int_equal(archive_tree_remove(AT_FDCWD, place->directory), 0);
	free(place);
	return 0;
}

static inline bool exists(const struct place *place, const char *path)
{
	return faccessat(place->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline void put(int directory, const char *name, const char *text)
{
	assert_int_equal(fd_replace_file(directory, name, text, strlen(text), 0600), 0);
}

static inline void put_image(int directory, size_t size)
{
	_cleanup_free_ char *image = calloc(1, size);

	assert_non_null(image);
	assert_int_equal(fd_replace_file(directory, "ROM_0", image, size, 0600), 0);
}

static struct manifest_range rom _unused_ = {
	.name = (char *)"ROM_0", .length = IMAGE_BYTES, .file = (char *)"ROM_0", .sha256 = SHA256
};

static inline struct manifest make_manifest(void)
{
	return (struct manifest){
		.id = (char *)ID,
		.created = SOME_TIME,
		.tool_version = (char *)"0.1.0",
		.watch = { .chip = (char *)"MT6261", .hw_code = 0x6261, .meid = (char *)MEID },
		.read = { .method = (char *)"brom",
			  .ranges = &rom,
			  .n_ranges = 1,
			  .seconds = 1.5,
			  .verify_mode = (char *)"full",
			  .verify_bytes = IMAGE_BYTES,
			  .verify_ok = true },
		.health = 97,
		.job = 12,
		.slot = (char *)"left",
	};
}

static inline void put_manifest(int directory, const struct manifest *manifest)
{
	_cleanup_free_ char *text = NULL;

	assert_int_equal(manifest_to_text(manifest, &text), 0);
	put(directory, MANIFEST_FILE, text);
}

/* A staging as a worker leaves it after a success. */
static inline int make_staging(struct place *place)
{
	const struct manifest manifest = make_manifest();
	int fd = archive_open_staging(place->archive, 12);

	assert_true(fd >= 0);
	put_image(fd, IMAGE_BYTES);
	put_manifest(fd, &manifest);
	put(fd, "SHA256SUMS", SHA256 "  ROM_0\n");
	put(fd, "report.txt", "fine\n");
	assert_int_equal(mkdirat(fd, "firmware", 0700), 0);
	put(fd, "firmware/VIVA", "x");
	assert_int_equal(mkdirat(fd, "firmware/leftover", 0777), 0);
	put(fd, "firmware/leftover/a", "y");
	return fd;
}

/* All steps of publishing, as the daemon goes through them in the turns of its loop. */
static inline int publish_all(struct place *place, int64_t job, struct backup *ret, char **ret_why)
{
	_cleanup_(archive_publish_freep) struct archive_publish *steps = NULL;
	int r = archive_publish_begin(place->archive, job, &steps, ret_why);

	if (r < 0)
		return r;
	while ((r = archive_publish_step(steps, ret, ret_why)) > 0)
		;
	return r;
}
