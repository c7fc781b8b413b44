/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/calls/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "client/calls/bridge.h"
#include "client/calls/ssh.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/error.h"
#include "protocol/control/frame.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

#define HINT_START "start it (systemctl start mtkrbd), or name its socket with --socket=PATH"
#define HINT_GROUP                                                                              \
	"the socket is for members of the group mtkrb: sudo usermod -aG mtkrb \"$USER\", then " \
	"log in again"

struct connection {
	char *address;
	struct frame *frame;
	pid_t ssh;              /* what is between us and another host; 0: nothing */
	const char *method;     /* of the call under way, borrowed */
	int fds[FRAME_FDS_MAX]; /* for the next call */
	size_t n_fds;
};

static void connection_drop_fds(struct connection *connection)
{
	while (connection->n_fds > 0)
		fd_close(connection->fds[--connection->n_fds]);
}

void connection_pass(struct connection *connection, const int *fds, size_t n)
{
	connection_drop_fds(connection);
	for (size_t i = 0; i < n; i++) {
		if (i < FRAME_FDS_MAX)
			connection->fds[connection->n_fds++] = fds[i];
		else
			fd_close(fds[i]);
	}
}

void connection_free(struct connection *connection)
{
	if (!connection)
		return;
	connection_drop_fds(connection);
	frame_free(connection->frame);
	if (connection->ssh)
		ssh_stop(connection->ssh);
	free(connection->address);
	free(connection);
}

/* Why connecting failed, in words. */
static int connection_refused(struct complaint *complaint, const char *path, int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return complaint_set(complaint, STATUS_NOT_PERMITTED, HINT_GROUP,
				     "no permission to talk to the daemon at %s", path);
	case ENOENT:
	case ENOTDIR:
		return complaint_set(complaint, STATUS_NO_DAEMON, HINT_START,
				     "no daemon: there is no socket %s", path);
	case ECONNREFUSED:
		return complaint_set(complaint, STATUS_NO_DAEMON, HINT_START,
				     "no daemon: nobody listens on %s", path);
	case EAGAIN:
		return complaint_set(complaint, STATUS_NO_DAEMON, "try again in a moment",
				     "the daemon at %s is too busy to accept a connection", path);
	default:
		return complaint_set(complaint, STATUS_NO_DAEMON, HINT_START,
				     "cannot connect to the daemon at %s: %s", path,
				     strerror(error));
	}
}

int connection_open_socket(const char *path, int flags, int *ret_fd, struct complaint *complaint)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return connection_refused(complaint, path, ENAMETOOLONG);
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return connection_refused(complaint, path, errno);
	r = fd_set_nonblock(fd, 1);
	if (r < 0)
		return connection_refused(complaint, path, -r);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int connection_fd(const struct connection *connection)
{
	return frame_fd(connection->frame);
}

static int connection_lost(struct connection *connection, struct complaint *complaint)
{
	pid_t ssh = connection->ssh;

	connection->ssh = 0;
	if (ssh)
		return ssh_failed(ssh, ssh_host(connection->address), complaint);
	return complaint_set(complaint, STATUS_NO_DAEMON,
			     "the daemon's log may tell why: journalctl -u mtkrbd",
			     "the daemon at %s went away without an answer to %s",
			     connection->address, connection->method);
}

int complaint_bad_reply(struct complaint *complaint, const char *method,
			const struct problem *problem)
{
	const char *field = problem ? problem->field : "";
	const char *reason = problem ? problem->reason : "it breaks the form of the interface";

	return complaint_set(complaint, STATUS_NO_DAEMON,
			     "'mtkrbctl --version' and 'mtkrbctl status' tell whether client and "
			     "daemon match",
			     "cannot make sense of the daemon's answer to %s: %s%s%s", method,
			     field, *field ? ": " : "", reason);
}

static int connection_wait(const struct connection *connection, short events)
{
	struct pollfd pfd = { .fd = frame_fd(connection->frame), .events = events };

	while (poll(&pfd, 1, -1) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int connection_flush(struct connection *connection)
{
	int r;

	while ((r = frame_flush(connection->frame)) > 0) {
		r = connection_wait(connection, POLLOUT);
		if (r < 0)
			return r;
	}
	return r;
}

/* The whole text of a call; takes parameters. */
static int connection_call_text(const char *method, struct json_object *parameters, bool more,
				char **ret)
{
	_cleanup_message_ struct json_object *mine = parameters;
	_cleanup_free_ char *name = str_format("%s.%s", CONTROL_INTERFACE, method);
	struct varlink_call call = { .method = name, .parameters = mine, .more = more };

	if (!name)
		return -ENOMEM;
	return varlink_call_to_text(&call, ret);
}

/* To another host: the files go before the call. */
static int connection_send_files(struct connection *connection, struct complaint *complaint)
{
	int r = 0;

	for (size_t i = 0; i < connection->n_fds && r == 0; i++)
		r = bridge_send_file(frame_fd(connection->frame), connection->fds[i]);
	connection_drop_fds(connection);
	if (r == -EPIPE || r == -ECONNRESET)
		return connection_lost(connection, complaint);
	if (r < 0)
		return complaint_set(complaint, STATUS_FAILED, NULL,
				     "a file of the call cannot be sent to %s: %s",
				     ssh_host(connection->address), strerror(-r));
	return 0;
}

int connection_send(struct connection *connection, const char *method,
		    struct json_object *parameters, bool more, struct complaint *complaint)
{
	_cleanup_free_ char *text = NULL;
	int r;

	connection->method = method;
	r = connection_call_text(method, parameters, more, &text);
	if (r < 0)
		return r;
	r = connection->ssh ? connection_send_files(connection, complaint) : 0;
	if (r < 0)
		return r;
	if (connection->n_fds > 0)
		r = frame_put_with_fds(connection->frame, text, strlen(text), connection->fds,
				       connection->n_fds);
	else
		r = frame_put(connection->frame, text, strlen(text));
	connection->n_fds = 0;
	if (r == -ENOBUFS)
		return complaint_set(complaint, STATUS_USAGE, NULL,
				     "the request is too large: more than %u KiB",
				     LIMIT_REQUEST_BYTES / 1024);
	if (r < 0)
		return r;
	r = connection_flush(connection);
	/* A daemon that hangs up may have left a last word, which is read next. */
	return r < 0 && r != -EPIPE ? connection_lost(connection, complaint) : 0;
}

static int connection_read(struct connection *connection, const char *text, size_t size,
			   struct varlink_reply *ret, struct complaint *complaint)
{
	struct varlink_reply reply = { 0 };
	int r = varlink_reply_from_text(text, size, &reply);

	if (r == -EBADMSG)
		return complaint_bad_reply(complaint, connection->method, NULL);
	if (r < 0)
		return r;
	if (reply.error) {
		r = complaint_from_error(complaint, connection->method, reply.error,
					 reply.parameters);
		varlink_reply_clear(&reply);
		return r;
	}
	*ret = reply;
	return 1;
}

int connection_receive(struct connection *connection, struct varlink_reply *ret,
		       struct complaint *complaint)
{
	char *text;
	size_t size;
	int r = frame_next(connection->frame, &text, &size);

	if (r == 0) {
		r = frame_fill(connection->frame);
		if (r == -EAGAIN)
			return 0;
		if (r == -EMSGSIZE)
			return complaint_bad_reply(complaint, connection->method, NULL);
		if (r <= 0)
			return -EPIPE;
		r = frame_next(connection->frame, &text, &size);
	}
	return r <= 0 ? r : connection_read(connection, text, size, ret, complaint);
}

/* Waits for the one reply; 0 with it. */
static int connection_await(struct connection *connection, struct varlink_reply *ret,
			    struct complaint *complaint)
{
	int r;

	while ((r = connection_receive(connection, ret, complaint)) == 0) {
		r = connection_wait(connection, POLLIN);
		if (r < 0)
			return r;
	}
	if (r == -EPIPE)
		return connection_lost(connection, complaint);
	return MIN_OF(r, 0);
}

int connection_call(struct connection *connection, const char *method,
		    struct json_object *parameters, struct json_object **ret,
		    struct complaint *complaint)
{
	struct varlink_reply reply = { 0 };
	int r = connection_send(connection, method, parameters, false, complaint);

	if (r >= 0)
		r = connection_await(connection, &reply, complaint);
	if (r < 0)
		return r;
	*ret = message_ref(reply.parameters);
	varlink_reply_clear(&reply);
	return 0;
}

/* ssh has been started; whether there is a daemon behind it shows when that answers. */
static int connection_greet(struct connection *connection, struct complaint *complaint)
{
	static const char call[] = "{\"method\":\"" SERVICE_INTERFACE ".GetInfo\"}";
	struct varlink_reply reply = { 0 };
	int r = frame_put(connection->frame, call, strlen(call));

	connection->method = "GetInfo";
	if (r == 0)
		r = connection_flush(connection);
	if (r == 0 || r == -EPIPE)
		r = connection_await(connection, &reply, complaint);
	if (r < 0)
		return r;
	varlink_reply_clear(&reply);
	return 0;
}

static int connection_begin(struct connection *connection, int flags, int *ret_fd,
			    struct complaint *complaint)
{
	static const char *const bridge[] = { "mtkrbctl", "bridge", NULL };
	const char *host = ssh_host(connection->address);
	int fd, r;

	if (!host)
		return connection_open_socket(connection->address, flags, ret_fd, complaint);
	r = ssh_start(host, bridge, &connection->ssh, &fd, complaint);
	if (r < 0)
		return r;
	*ret_fd = fd;
	return fd_set_nonblock(fd, 1);
}

static int connection_new(const char *address, int flags, struct connection **ret,
			  struct complaint *complaint)
{
	_cleanup_(connection_freep) struct connection *connection = calloc(1, sizeof(*connection));
	_cleanup_close_ int fd = -1;
	int r;

	if (!connection)
		return -ENOMEM;
	connection->address = strdup(address);
	if (!connection->address)
		return -ENOMEM;
	r = connection_begin(connection, flags, &fd, complaint);
	if (r >= 0)
		r = frame_new(TAKE_FD(fd), LIMIT_REPLY_BYTES, LIMIT_REQUEST_BYTES,
			      &connection->frame);
	/* At once: who does not wait hears of it with the first answer that does not come. */
	if (r >= 0 && connection->ssh && !(flags & SOCK_NONBLOCK))
		r = connection_greet(connection, complaint);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(connection);
	return 0;
}

int connection_open(const char *address, struct connection **ret, struct complaint *complaint)
{
	return connection_new(address, 0, ret, complaint);
}

int connection_open_at_once(const char *address, struct connection **ret,
			    struct complaint *complaint)
{
	return connection_new(address, SOCK_NONBLOCK, ret, complaint);
}
