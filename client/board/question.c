/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/board/question.h"

#include <errno.h>
#include <stdlib.h>

#include "client/calls/connection.h"
#include "protocol/base/time.h"
#include "protocol/control/message.h"

struct question {
	const char *address;
	struct connection *connection; /* NULL: lost, until it is needed */
	const char *method;            /* of what is asked, NULL: nothing */
	uint64_t deadline;             /* monotonic */
};

int question_open(const char *address, struct question **ret, struct complaint *complaint)
{
	_cleanup_(question_freep) struct question *question = calloc(1, sizeof(*question));
	int r;

	if (!question)
		return -ENOMEM;
	question->address = address;
	r = connection_open(address, &question->connection, complaint);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(question);
	return 0;
}

void question_free(struct question *question)
{
	if (!question)
		return;
	connection_free(question->connection);
	free(question);
}

bool question_is_asked(const struct question *question)
{
	return question->method;
}

int question_fd(const struct question *question)
{
	return question->method ? connection_fd(question->connection) : -1;
}

void question_hang_up(struct question *question)
{
	connection_free(TAKE_PTR(question->connection));
	question->method = NULL;
}

int question_ask(struct question *question, const char *method, struct json_object *parameters,
		 struct complaint *complaint)
{
	_cleanup_message_ struct json_object *mine = parameters;
	int r = question->connection ? 0
				     : connection_open_at_once(question->address,
							       &question->connection, complaint);

	if (r < 0)
		return r;
	/* Alone on its connection, and smaller than any socket's buffer: sending does not wait. */
	r = connection_send(question->connection, method, TAKE_PTR(mine), false, complaint);
	if (r < 0) {
		question_hang_up(question);
		return r;
	}
	question->method = method;
	question->deadline = time_now() + QUESTION_SECONDS * USEC_PER_SEC;
	return 0;
}

static int question_is_late(struct question *question, struct complaint *complaint)
{
	if (time_now() < question->deadline)
		return 0;
	return complaint_set(
		complaint, STATUS_NO_DAEMON, "the daemon's log may tell why: journalctl -u mtkrbd",
		"the daemon has not answered %s for %d s", question->method, QUESTION_SECONDS);
}

int question_take(struct question *question, struct json_object **ret, struct complaint *complaint)
{
	struct varlink_reply reply;
	int r = connection_receive(question->connection, &reply, complaint);

	if (r > 0) {
		*ret = message_ref(reply.parameters);
		varlink_reply_clear(&reply);
		question->method = NULL;
		return 1;
	}
	if (r == 0)
		r = question_is_late(question, complaint);
	else if (r == -EPIPE)
		r = complaint_set(complaint, STATUS_NO_DAEMON, NULL,
				  "the daemon went away without an answer to %s", question->method);
	if (r == 0)
		return 0;
	/* After a no the connection is still good, after anything else it is not. */
	if (r == -ECANCELED && complaint->status != STATUS_NO_DAEMON)
		question->method = NULL;
	else
		question_hang_up(question);
	return r;
}
