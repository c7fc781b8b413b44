/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/server/server.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/server/call-queue.h"
#include "daemon/server/service.h"
#include "daemon/server/session.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/error.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"
#include "protocol/control/varlink.h"

#define SOCKET_GROUP    "mtkrb"
#define SOCKET_MODE     0660
#define LISTEN_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 20)
#define ACCEPT_PAUSE    (1 * USEC_PER_SEC) /* when there are no descriptors left */

struct server {
	sd_event *event;
	struct service service; /* the interfaces */
	void *userdata;
	struct call_queue *long_calls;
	int fd;
	char *path;   /* of our own socket, NULL: inherited */
	dev_t device; /* which file that is: another one at its path is not ours to remove */
	ino_t inode;
	sd_event_source *accept;
	sd_event_source *pause;
	struct session *sessions[LIMIT_CONNECTIONS];
	size_t n_sessions;
};

/* ---- Calls ---- */

static const struct interface *find_interface(struct server *server, const char *name,
					      void **ret_userdata)
{
	const struct interface *interface = service_find(&server->service, name);

	*ret_userdata = interface == &service_interface ? &server->service : server->userdata;
	return interface;
}

static const struct method *find_method(const struct interface *interface, const char *name)
{
	for (size_t i = 0; i < interface->n_methods; i++)
		if (streq(interface->methods[i].name, name))
			return &interface->methods[i];
	return NULL;
}

/* An error with one string parameter. */
static int answer_error(struct call *call, const char *error, const char *name, const char *value)
{
	struct json_object *parameters;
	int r;

	r = message_build(&parameters, MEMBERS(M_STRING(name, value)));
	return r < 0 ? r : call_error(call, error, parameters);
}

/* A handler could not do its work. */
static int answer_failure(struct call *call, const struct interface *interface, int error)
{
	const char *words = interface->describe ? interface->describe(error) : strerror(-error);
	_cleanup_free_ char *name = NULL;

	if (error == -EPERM || error == -EACCES)
		return call_denied(call);
	name = str_format("%s.Failed", interface->name);
	return name ? answer_error(call, name, "message", words) : -ENOMEM;
}

static int run_method(struct call *call, const struct interface *interface,
		      const struct method *method, struct json_object *parameters, void *userdata)
{
	int r = method->handle(call, parameters, userdata);

	return r < 0 ? answer_failure(call, interface, r) : 0;
}

static int run_step(struct call *call, const struct interface *interface)
{
	int r = call_run_step(call);

	return r < 0 ? answer_failure(call, interface, r) : 0;
}

static int handle_call(struct server *server, struct call *call, struct json_object *parameters)
{
	const char *full_name = call_method(call), *dot = strrchr(full_name, '.');
	_cleanup_free_ char *name = NULL;
	const struct interface *interface;
	const struct method *method;
	void *userdata;
	int r;

	if (!dot)
		return answer_error(call, ERROR_INVALID_PARAMETER, "parameter", "method");
	name = strndup(full_name, (size_t)(dot - full_name));
	if (!name)
		return -ENOMEM;
	interface = find_interface(server, name, &userdata);
	if (!interface)
		return answer_error(call, ERROR_INTERFACE_NOT_FOUND, "interface", name);
	method = find_method(interface, dot + 1);
	if (!method)
		return answer_error(call, ERROR_METHOD_NOT_FOUND, "method", full_name);
	if (call_wants_upgrade(call))
		return answer_error(call, ERROR_METHOD_NOT_IMPLEMENTED, "method", full_name);
	if ((method->flags & METHOD_NEEDS_MORE) && !call_wants_more(call))
		return call_error(call, ERROR_EXPECTED_MORE, NULL);
	if (!(method->flags & METHOD_IS_LONG))
		return run_method(call, interface, method, parameters, userdata);
	r = call_queue_add(server->long_calls, call, method, parameters);
	return r < 0 ? answer_failure(call, interface, r) : 0;
}

/*
 * What one user's clients have not read is bounded for all of them together: over the limit the one
 * that has read nothing for longest is dropped, so that those who do read are served on.
 */
static void bound_output(struct server *server, uid_t uid)
{
	struct session *slowest = NULL;
	size_t total = 0;

	for (size_t i = 0; i < server->n_sessions; i++) {
		struct session *session = server->sessions[i];

		if (session_uid(session) != uid)
			continue;
		total += session_output_pending(session);
		if (session_output_pending(session) > 0 &&
		    (!slowest || session_output_since(session) < session_output_since(slowest)))
			slowest = session;
	}
	if (total > LIMIT_OUTPUT_PER_UID && slowest)
		session_drop(slowest);
}

static void on_call(struct call *call, struct json_object *parameters, void *userdata)
{
	bound_output(userdata, call_uid(call));
	/* A call that could not be answered ends the connection by itself. */
	(void)handle_call(userdata, call, parameters);
}

static void on_long_call(struct call *call, const struct method *method,
			 struct json_object *parameters, void *userdata)
{
	struct server *server = userdata;
	_cleanup_free_ char *name = strdup(call_method(call));
	const struct interface *interface;
	void *interface_userdata;

	bound_output(server, call_uid(call));
	if (!name)
		return;
	*strrchr(name, '.') = '\0';
	interface = find_interface(server, name, &interface_userdata);
	if (call_has_step(call))
		(void)run_step(call, interface);
	else
		(void)run_method(call, interface, method, parameters, interface_userdata);
}

/* ---- Connections ---- */

static void on_closed(struct session *session, void *userdata)
{
	struct server *server = userdata;

	for (size_t i = 0; i < server->n_sessions; i++)
		if (server->sessions[i] == session) {
			server->sessions[i] = server->sessions[--server->n_sessions];
			break;
		}
	session_free(session);
}

static bool may_connect(const struct server *server, uid_t uid)
{
	size_t n = 0;

	for (size_t i = 0; i < server->n_sessions; i++)
		n += session_uid(server->sessions[i]) == uid;
	return n < LIMIT_CONNECTIONS_PER_UID;
}

/* Answers what will be asked, before anything is; a client that does not listen misses it. */
static void refuse_connection(int fd, unsigned int limit)
{
	struct varlink_reply reply = { .error = (char *)(uintptr_t)ERROR_LIMIT_REACHED };
	_cleanup_free_ char *text = NULL;

	if (error_limit_reached("connections", limit, &reply.parameters) >= 0 &&
	    varlink_reply_to_text(&reply, &text) >= 0)
		(void)!send(fd, text, strlen(text) + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	message_unref(reply.parameters);
}

/* Takes fd; a connection over a limit is told so and closed, as one that cannot be set up is. */
static void add_connection(struct server *server, int fd)
{
	struct session_owner owner = {
		.event = server->event,
		.dispatch = on_call,
		.closed = on_closed,
		.userdata = server,
	};
	struct session *session;

	if (server->n_sessions == LIMIT_CONNECTIONS) {
		refuse_connection(fd, LIMIT_CONNECTIONS);
		fd_close(fd);
		return;
	}
	if (session_new(&owner, fd, &session) < 0)
		return;
	if (!may_connect(server, session_uid(session))) {
		refuse_connection(fd, LIMIT_CONNECTIONS_PER_UID);
		session_free(session);
		return;
	}
	server->sessions[server->n_sessions++] = session;
}

static int on_pause_over(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata)
{
	struct server *server = userdata;

	return sd_event_source_set_enabled(server->accept, SD_EVENT_ON);
}

/* Without descriptors the same connection would be ready again at once: let some time pass. */
static int pause_accept(struct server *server)
{
	int r;

	r = sd_event_source_set_time_relative(server->pause, ACCEPT_PAUSE);
	if (r >= 0)
		r = sd_event_source_set_enabled(server->pause, SD_EVENT_ONESHOT);
	return r < 0 ? r : sd_event_source_set_enabled(server->accept, SD_EVENT_OFF);
}

static int on_connection(sd_event_source *source _unused_, int fd, uint32_t revents _unused_,
			 void *userdata)
{
	struct server *server = userdata;
	int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (connection >= 0)
		add_connection(server, connection);
	else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
		return pause_accept(server);
	return 0;
}

/* ---- Listening ---- */

/* Takes fd. */
static int start_accepting(struct server *server, int fd)
{
	int r;

	server->fd = fd;
	r = sd_event_add_io(server->event, &server->accept, fd, EPOLLIN, on_connection, server);
	if (r >= 0)
		r = sd_event_source_set_priority(server->accept, LISTEN_PRIORITY);
	if (r >= 0)
		r = sd_event_add_time_relative(server->event, &server->pause, CLOCK_MONOTONIC, 0, 0,
					       on_pause_over, server);
	if (r >= 0)
		r = sd_event_source_set_enabled(server->pause, SD_EVENT_OFF);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(server->accept, "control-accept");
	(void)sd_event_source_set_description(server->pause, "control-accept-pause");
	return 0;
}

static int set_address(struct sockaddr_un *ret, const char *path)
{
	size_t n = strlen(path);

	if (n == 0)
		return -EINVAL;
	if (n >= sizeof(ret->sun_path))
		return -ENAMETOOLONG;
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(ret->sun_path, path, n);
	return 0;
}

/* Removes a socket that a daemon left behind; nobody may answer on it. */
static int remove_stale(const struct sockaddr_un *address)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* A full backlog (EAGAIN) is an answer too. */
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
		return -EADDRINUSE;
	if (errno != ECONNREFUSED)
		return -errno;
	return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

/* Before listen() nobody can connect, so the socket is never open to more than it should be. */
static int set_access(const char *path)
{
	char buffer[16384];
	struct group entry, *group = NULL;

	if (chmod(path, SOCKET_MODE) < 0)
		return -errno;
	if (getgrnam_r(SOCKET_GROUP, &entry, buffer, sizeof(buffer), &group) != 0 || !group)
		return 0;
	/* An ordinary user outside of the group may not: then the socket is for that user alone. */
	if (lchown(path, (uid_t)-1, group->gr_gid) < 0 && errno != EPERM)
		return -errno;
	return 0;
}

static int remember_socket(struct server *server, const char *path)
{
	struct stat st;
	int r;

	if (lstat(path, &st) < 0)
		return -errno;
	r = str_replace(&server->path, path);
	if (r < 0)
		return r;
	server->device = st.st_dev;
	server->inode = st.st_ino;
	return 0;
}

int server_listen(struct server *server, const char *path)
{
	_cleanup_close_ int fd = -1;
	struct sockaddr_un address;
	int r;

	if (server->fd >= 0)
		return -EBUSY;
	r = set_address(&address, path);
	if (r < 0)
		return r;
	r = remove_stale(&address);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	r = remember_socket(server, path);
	if (r < 0)
		return r;
	r = set_access(path);
	if (r < 0)
		return r;
	if (listen(fd, SOMAXCONN) < 0)
		return -errno;
	return start_accepting(server, TAKE_FD(fd));
}

int server_adopt(struct server *server, int fd)
{
	int r;

	r = server->fd >= 0 ? -EBUSY : sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0);
	if (r == 0)
		r = -ENOTSOCK;
	if (r > 0)
		r = fd_set_nonblock(fd, 1);
	if (r < 0) {
		fd_close(fd);
		return r;
	}
	return start_accepting(server, fd);
}

int server_new(sd_event *event, const struct interface *interfaces, size_t n, void *userdata,
	       struct server **ret)
{
	struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return -ENOMEM;
	server->event = sd_event_ref(event);
	server->service = (struct service){ interfaces, n };
	server->userdata = userdata;
	server->fd = -1;
	r = call_queue_new(event, on_long_call, server, &server->long_calls);
	if (r < 0) {
		server_free(server);
		return r;
	}
	*ret = server;
	return 0;
}

static void remove_socket(const struct server *server)
{
	struct stat st;

	if (server->path && lstat(server->path, &st) == 0 && st.st_dev == server->device &&
	    st.st_ino == server->inode)
		(void)unlink(server->path);
}

void server_free(struct server *server)
{
	if (!server)
		return;
	while (server->n_sessions > 0)
		session_free(server->sessions[--server->n_sessions]);
	call_queue_free(server->long_calls);
	sd_event_source_disable_unref(server->accept);
	sd_event_source_disable_unref(server->pause);
	remove_socket(server);
	fd_close(server->fd);
	free(server->path);
	sd_event_unref(server->event);
	free(server);
}

size_t server_connections(const struct server *server)
{
	return server->n_sessions;
}
