/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Calls that carry files, made by hand, and a container of download agents to carry. */

#include "tests/integration/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "protocol/base/bytes.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/frame.h"
#include "protocol/control/limits.h"
#include "protocol/control/varlink.h"

#define OURS "io.mtkrbd.Control."

/* A container with one entry, for the MT6261. */
static _unused_ void make_container(const struct rig *rig, const char *name, char path[160])
{
	static const uint32_t regions[][5] = {
		{ 0 },
		{ 0 },
		{ 0x400, 0x718, 0x70007000, 0x618, 0x100 },
		{ 0xC00, 0x1000, 0x10020000, 0xF00, 0x100 },
		{ 0x1C00, 36 * 4, 0xF0000000, 36 * 4, 0 },
	};
	uint8_t bytes[0x2000] = "MTK_DOWNLOAD_AGENT";

	memcpy(bytes + 0x20, "MTK_AllInOne_DA_v5.test", 23);
	put_le32(bytes + 0x68, 1);
	put_le16(bytes + 0x6C, 0xDADA);
	put_le16(bytes + 0x6E, 0x6261);
	put_le16(bytes + 0x70, 0x8000);
	put_le16(bytes + 0x72, 0xCA00);
	put_le16(bytes + 0x7C, 2);
	put_le16(bytes + 0x7E, 5);
	for (size_t i = 0; i < ARRAY_SIZE(regions); i++)
		for (size_t k = 0; k < 5; k++)
			put_le32(bytes + 0x80 + i * 20 + k * 4, regions[i][k]);
	(void)snprintf(path, 160, "%s/%s", rig->directory, name);
	assert_int_equal(fd_replace_file(AT_FDCWD, path, bytes, sizeof(bytes), 0600), 0);
}

/* Whether <state>/name is there. */
static _unused_ bool in_state(const struct rig *rig, const char *name)
{
	_cleanup_free_ char *path = str_format("%s/%s", rig->state, name);

	return file_exists(path);
}

/* ---- a call with descriptors, by hand ---- */

static _unused_ struct frame *connect_to(const struct rig *rig)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct frame *frame;

	strcpy(address.sun_path, rig->socket);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(frame_new(fd, LIMIT_REPLY_BYTES, LIMIT_REQUEST_BYTES, &frame), 0);
	return frame;
}

/* Passes copies of the descriptors; the reply, which the caller clears. */
static _unused_ struct varlink_reply call_with(const struct rig *rig, const char *method,
					       const char *parameters, const int *fds, size_t n)
{
	_cleanup_(frame_freep) struct frame *frame = connect_to(rig);
	_cleanup_free_ char *text =
		str_format("{\"method\":\"" OURS "%s\",\"parameters\":%s}", method, parameters);
	struct varlink_reply reply = { 0 };
	int copies[FRAME_FDS_MAX];
	char *answer;
	size_t size;

	for (size_t i = 0; i < n; i++)
		copies[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
	assert_int_equal(frame_put_with_fds(frame, text, strlen(text), copies, n), 0);
	assert_int_equal(frame_flush(frame), 0);
	while (frame_next(frame, &answer, &size) == 0) {
		struct pollfd pfd = { .fd = frame_fd(frame), .events = POLLIN };

		assert_int_equal(poll(&pfd, 1, 30000), 1);
		assert_true(frame_fill(frame) == 1);
	}
	assert_int_equal(varlink_reply_from_text(answer, size, &reply), 0);
	return reply;
}

/* The call is refused with this error, about this. */
static _unused_ void expect_refusal(const struct rig *rig, const char *method,
				    const char *parameters, const int *fds, size_t n,
				    const char *error, const char *about)
{
	struct varlink_reply reply = call_with(rig, method, parameters, fds, n);
	_cleanup_free_ char *text = NULL;

	assert_non_null(reply.error);
	assert_string_equal(reply.error, error);
	assert_int_equal(message_to_text(reply.parameters, &text), 0);
	if (!strstr(text, about))
		fail_msg("'%s' does not say '%s'", text, about);
	varlink_reply_clear(&reply);
}
