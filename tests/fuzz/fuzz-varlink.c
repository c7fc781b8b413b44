/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a client of the control socket may send. The first byte is how long the pieces are in which
 * the rest arrives.
 */

#include <errno.h>
#include <sys/socket.h>

#include "protocol/base/fd.h"
#include "protocol/control/frame.h"
#include "protocol/control/job.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"
#include "protocol/control/varlink.h"
#include "tests/fuzz/fuzz.h"

/* What was accepted can be stored, and is accepted again. */
static void check_request(struct json_object *parameters)
{
	_cleanup_(job_request_clear) struct job_request request = { 0 }, again = { 0 };
	struct json_object *object = message_member(parameters, "request");
	_cleanup_free_ char *text = NULL;
	struct problem problem = { 0 };
	int r;

	if (!object)
		return;
	r = job_request_from_json(object, &request, &problem);
	if (r < 0) {
		request = (struct job_request){ 0 };
		fuzz_require(r != -EBADMSG || problem.reason[0] != '\0');
		return;
	}
	fuzz_require(request.n_ranges > 0 && request.n_ranges <= LIMIT_RANGES);
	fuzz_require(job_request_to_text(&request, &text) == 0);
	fuzz_require(job_request_from_text(text, &again) == 0);
}

static void take(const char *text, size_t size)
{
	_cleanup_(varlink_call_clear) struct varlink_call call = { 0 };
	_cleanup_(varlink_reply_clear) struct varlink_reply reply = { 0 };
	_cleanup_free_ char *again = NULL;

	if (varlink_call_from_text(text, size, &call) == 0) {
		fuzz_require(call.method && call.parameters);
		fuzz_require(varlink_call_to_text(&call, &again) == 0);
		check_request(call.parameters);
	}
	if (varlink_reply_from_text(text, size, &reply) == 0)
		fuzz_require(reply.parameters);
}

static int take_all(struct frame *frame)
{
	size_t size;
	char *text;

	while (frame_next(frame, &text, &size) > 0) {
		fuzz_require(strlen(text) == size);
		take(text, size);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(frame_freep) struct frame *frame = NULL;
	_cleanup_close_ int client = -1;
	size_t piece, at = 1;
	int fds[2], r = 1;

	if (size == 0)
		return 0;
	piece = (size_t)data[0] * 64 + 1;
	fuzz_require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	client = fds[1];
	fuzz_require(frame_new(fds[0], LIMIT_REQUEST_BYTES, LIMIT_OUTPUT_BYTES, &frame) == 0);
	while (r > 0 && at < size) {
		size_t n = MIN_OF(piece, size - at);

		fuzz_require(fd_write_all(client, data + at, n) == 0);
		at += n;
		r = frame_fill(frame);
		if (r > 0)
			take_all(frame);
	}
	fuzz_require(r > 0 || r == -EMSGSIZE);
	return 0;
}
