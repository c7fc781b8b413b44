/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/worker-message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

static const char *const types[_WORKER_MESSAGE_MAX] = {
	[WORKER_OPEN] = "open", [WORKER_READ] = "read",         [WORKER_CHECK] = "check",
	[WORKER_STOP] = "stop", [WORKER_IDENTITY] = "identity", [WORKER_PROGRESS] = "progress",
	[WORKER_DONE] = "done", [WORKER_FAILED] = "failed",
};

#define HANDSHAKE_SECONDS_MAX 86400

static const struct field open_fields[] = {
	{ .name = "device",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct worker_open, device),
	  .flags = FIELD_REQUIRED | FIELD_CLEAN,
	  .min = 1,
	  .max = LIMIT_DEVICE_BYTES },
	{ .name = "mode",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct worker_open, mode),
	  .flags = FIELD_REQUIRED | FIELD_NAME,
	  .min = 1,
	  .max = LIMIT_NAME_BYTES },
	{ .name = "handshake_timeout_usb",
	  .type = FIELD_REAL,
	  .offset = offsetof(struct worker_open, handshake_timeout_usb),
	  .flags = FIELD_REQUIRED,
	  .min = 0,
	  .max = HANDSHAKE_SECONDS_MAX },
	{ .name = "handshake_timeout_uart",
	  .type = FIELD_REAL,
	  .offset = offsetof(struct worker_open, handshake_timeout_uart),
	  .flags = FIELD_REQUIRED,
	  .min = 0,
	  .max = HANDSHAKE_SECONDS_MAX },
};

static int read_request(struct json_object *value, void *target, struct problem *problem)
{
	return job_request_from_json(value, target, problem);
}

static const struct field read_fields[] = {
	{ .name = "job",
	  .type = FIELD_INT,
	  .offset = offsetof(struct worker_read, job),
	  .flags = FIELD_REQUIRED,
	  .min = 1,
	  .max = INT64_MAX },
	{ .name = "request",
	  .type = FIELD_CUSTOM,
	  .offset = offsetof(struct worker_read, request),
	  .flags = FIELD_REQUIRED,
	  .read = read_request },
	{ .name = "slot",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct worker_read, slot),
	  .flags = FIELD_REQUIRED | FIELD_CLEAN,
	  .min = 1,
	  .max = LIMIT_DEVICE_BYTES },
	{ .name = "expected_meid",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct worker_read, expected_meid),
	  .flags = FIELD_NAME,
	  .min = 1,
	  .max = LIMIT_NAME_BYTES },
	{ .name = "created",
	  .type = FIELD_UINT,
	  .offset = offsetof(struct worker_read, created),
	  .flags = FIELD_REQUIRED },
};

static const struct field identity_fields[] = {
	{ .name = "chip",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct worker_identity, chip),
	  .flags = FIELD_REQUIRED | FIELD_NAME,
	  .min = 1,
	  .max = LIMIT_NAME_BYTES },
	{ .name = "meid",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct worker_identity, meid),
	  .flags = FIELD_NAME,
	  .min = 1,
	  .max = LIMIT_NAME_BYTES },
	{ .name = "mode",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct worker_identity, mode),
	  .flags = FIELD_REQUIRED | FIELD_NAME,
	  .min = 1,
	  .max = LIMIT_NAME_BYTES },
	{ .name = "hw_code",
	  .type = FIELD_UINT32,
	  .offset = offsetof(struct worker_identity, hw_code),
	  .flags = FIELD_REQUIRED },
};

static const struct field check_fields[] = {
	{ .name = "again",
	  .type = FIELD_BOOL,
	  .offset = offsetof(struct worker_check, again),
	  .flags = FIELD_REQUIRED },
};

int worker_done_add(struct worker_done *done, const char *name)
{
	char **same, *copy;

	if (done->n_same == WORKER_SAME_MAX)
		return -E2BIG;
	same = reallocarray(done->same, done->n_same + 1, sizeof(*same));
	copy = same ? strdup(name) : NULL;
	if (same)
		done->same = same;
	if (!copy)
		return -ENOMEM;
	done->same[done->n_same++] = copy;
	return 0;
}

void worker_done_clear(struct worker_done *done)
{
	for (size_t i = 0; i < done->n_same; i++)
		free(done->same[i]);
	free(done->same);
	*done = (struct worker_done){ 0 };
}

static int read_same(struct json_object *value, void *target, struct problem *problem)
{
	struct worker_done *done = target;
	int r = 0;

	if (!message_is_array(value) || message_length(value) == 0 ||
	    message_length(value) > WORKER_SAME_MAX)
		return problem_set(problem, "", "must be an array of 1 to %u", WORKER_SAME_MAX);
	for (size_t i = 0; r >= 0 && i < message_length(value); i++) {
		const char *name = message_string(message_at(value, i));

		if (!name || !is_plain_path(name))
			return problem_set(problem, "", "must hold plain names");
		r = worker_done_add(done, name);
	}
	return r;
}

static const struct field done_fields[] = {
	{ .name = "same", .type = FIELD_CUSTOM, .flags = FIELD_REQUIRED, .read = read_same },
};

static void open_clear(struct worker_open *open)
{
	free(open->device);
	free(open->mode);
}

static void read_clear(struct worker_read *read)
{
	job_request_clear(&read->request);
	free(read->slot);
	free(read->expected_meid);
}

static void identity_clear(struct worker_identity *identity)
{
	free(identity->chip);
	free(identity->meid);
	free(identity->mode);
}

void worker_message_clear(struct worker_message *message)
{
	switch (message->type) {
	case WORKER_OPEN:
		open_clear(&message->open);
		break;
	case WORKER_READ:
		read_clear(&message->read);
		break;
	case WORKER_IDENTITY:
		identity_clear(&message->identity);
		break;
	case WORKER_FAILED:
		failure_clear(&message->failure);
		break;
	case WORKER_DONE:
		worker_done_clear(&message->done);
		break;
	case WORKER_CHECK:
	case WORKER_STOP:
	case WORKER_PROGRESS:
	case _WORKER_MESSAGE_MAX:
		break;
	}
	*message = (struct worker_message){ .type = WORKER_STOP };
}

/* ---- Sending ---- */

static int open_to_json(const struct worker_open *open, struct json_object **ret)
{
	return message_build(
		ret, MEMBERS(M_STRING("device", open->device), M_STRING("mode", open->mode),
			     M_REAL("handshake_timeout_usb", open->handshake_timeout_usb),
			     M_REAL("handshake_timeout_uart", open->handshake_timeout_uart)));
}

static int read_to_json(const struct worker_read *read, struct json_object **ret)
{
	struct json_object *request;
	int r;

	r = job_request_to_json(&read->request, &request);
	if (r < 0)
		return r;
	return message_build(ret, MEMBERS(M_INT("job", read->job), M_OBJECT("request", request),
					  M_STRING("slot", read->slot),
					  M_STRING_OPT("expected_meid", read->expected_meid),
					  M_INT("created", read->created)));
}

static int identity_to_json(const struct worker_identity *identity, struct json_object **ret)
{
	return message_build(ret, MEMBERS(M_STRING("chip", identity->chip),
					  M_STRING_OPT("meid", identity->meid),
					  M_STRING("mode", identity->mode),
					  M_INT("hw_code", identity->hw_code)));
}

static int done_to_json(const struct worker_done *done, struct json_object **ret)
{
	_cleanup_message_ struct json_object *same = NULL;
	int r;

	if (done->n_same == 0)
		return 0;
	r = message_new_array(&same);
	for (size_t i = 0; r >= 0 && i < done->n_same; i++)
		r = message_append_string(same, done->same[i]);
	return r < 0 ? r : message_build(ret, MEMBERS(M_OBJECT("same", TAKE_PTR(same))));
}

/* *ret is NULL for what says all by its type. */
static int body_to_json(const struct worker_message *message, struct json_object **ret)
{
	*ret = NULL;
	switch (message->type) {
	case WORKER_OPEN:
		return open_to_json(&message->open, ret);
	case WORKER_READ:
		return read_to_json(&message->read, ret);
	case WORKER_IDENTITY:
		return identity_to_json(&message->identity, ret);
	case WORKER_PROGRESS:
		return progress_to_json(&message->progress, ret);
	case WORKER_FAILED:
		return failure_to_json(&message->failure, ret);
	case WORKER_CHECK:
		return message->check.again ? message_build(ret, MEMBERS(M_BOOL("again", true)))
					    : 0;
	case WORKER_DONE:
		return done_to_json(&message->done, ret);
	case WORKER_STOP:
		return 0;
	case _WORKER_MESSAGE_MAX:
		break;
	}
	return -EINVAL;
}

static int message_to_packet(const struct worker_message *message, const struct worker_files *files,
			     char **ret)
{
	_cleanup_message_ struct json_object *object = NULL, *names = NULL;
	struct json_object *body;
	int r;

	r = worker_files_to_json(files, &names);
	if (r >= 0)
		r = body_to_json(message, &body);
	if (r < 0)
		return r;
	r = message_build(&object,
			  MEMBERS(M_STRING("type", types[message->type]),
				  M_OBJECT("files", TAKE_PTR(names)), M_OBJECT("body", body)));
	return r < 0 ? r : message_to_text(object, ret);
}

static int send_packet(int fd, struct msghdr *header)
{
	ssize_t n;

	do
		n = sendmsg(fd, header, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	return 0;
}

int worker_message_send_files(int fd, const struct worker_message *message,
			      const struct worker_files *files)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(WORKER_FILES_BYTES)] = { 0 };
	_cleanup_free_ char *text = NULL;
	struct msghdr header = { .msg_iovlen = 1 };
	struct iovec piece;
	int r;

	r = message_to_packet(message, files, &text);
	if (r < 0)
		return r;
	piece = (struct iovec){ text, strlen(text) };
	if (piece.iov_len > LIMIT_WORKER_MESSAGE)
		return -EMSGSIZE;
	header.msg_iov = &piece;
	worker_files_attach(files, &header, control);
	return send_packet(fd, &header);
}

int worker_message_send(int fd, const struct worker_message *message, int directory)
{
	struct worker_files files = WORKER_FILES_NONE;

	files.fds[WORKER_FILE_DIRECTORY] = directory;
	return worker_message_send_files(fd, message, &files);
}

/* ---- Receiving ---- */

static int check_mode(const char *mode)
{
	static const char *const modes[] = { "auto", "brom", "preloader" };

	return word_find(modes, ARRAY_SIZE(modes), mode) < 0 ? -EBADMSG : 0;
}

static int body_from_json(struct json_object *body, struct worker_message *message)
{
	int r;

	switch (message->type) {
	case WORKER_OPEN:
		r = message_read(body, open_fields, ARRAY_SIZE(open_fields), &message->open, NULL);
		return r < 0 ? r : check_mode(message->open.mode);
	case WORKER_READ:
		return message_read(body, read_fields, ARRAY_SIZE(read_fields), &message->read,
				    NULL);
	case WORKER_IDENTITY:
		r = message_read(body, identity_fields, ARRAY_SIZE(identity_fields),
				 &message->identity, NULL);
		return r < 0 ? r : check_mode(message->identity.mode);
	case WORKER_PROGRESS:
		return progress_from_json(body, &message->progress, NULL);
	case WORKER_FAILED:
		return failure_from_json(body, &message->failure, NULL);
	case WORKER_CHECK:
		return body ? message_read(body, check_fields, ARRAY_SIZE(check_fields),
					   &message->check, NULL)
			    : 0;
	case WORKER_DONE:
		return body ? message_read(body, done_fields, ARRAY_SIZE(done_fields),
					   &message->done, NULL)
			    : 0;
	case WORKER_STOP:
		return body ? -EBADMSG : 0;
	case _WORKER_MESSAGE_MAX:
		break;
	}
	return -EBADMSG;
}

struct envelope {
	enum worker_message_type type;
	struct json_object *body;
	struct worker_file_names files;
};

static void envelope_clear(struct envelope *envelope)
{
	message_unref(envelope->body);
}

/* Takes what it uses of passed. */
static int message_from_packet(const char *text, size_t size, struct worker_files *passed, size_t n,
			       struct worker_message *ret, struct worker_files *ret_files)
{
	static const struct field fields[] = {
		{ .name = "type",
		  .type = FIELD_WORD,
		  .offset = offsetof(struct envelope, type),
		  .flags = FIELD_REQUIRED,
		  .words = types,
		  .n_words = ARRAY_SIZE(types) },
		{ .name = "files",
		  .type = FIELD_CUSTOM,
		  .offset = offsetof(struct envelope, files),
		  .read = worker_file_names_read },
		{ .name = "body", .type = FIELD_OBJECT, .offset = offsetof(struct envelope, body) },
	};
	_cleanup_(worker_message_clear) struct worker_message message = { .type = WORKER_STOP };
	_cleanup_(envelope_clear) struct envelope envelope = { 0 };
	_cleanup_message_ struct json_object *object = NULL;
	int r;

	r = message_parse(text, size, &object);
	if (r < 0)
		return r;
	r = message_read(object, fields, ARRAY_SIZE(fields), &envelope, NULL);
	if (r < 0)
		return r;
	message.type = envelope.type;
	r = body_from_json(envelope.body, &message);
	if (r >= 0)
		r = worker_files_sort(&envelope.files, passed, n, ret_files);
	if (r < 0)
		return r;
	*ret = message;
	message = (struct worker_message){ .type = WORKER_STOP };
	return 0;
}

int worker_message_receive_files(int fd, struct worker_message *ret, struct worker_files *ret_files)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(WORKER_FILES_BYTES)];
	_cleanup_free_ char *text = malloc(LIMIT_WORKER_MESSAGE);
	_cleanup_(worker_files_close) struct worker_files passed = WORKER_FILES_NONE;
	struct iovec piece = { text, LIMIT_WORKER_MESSAGE };
	struct msghdr header = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control,
		/* Exactly as many: the kernel closes all that find no room, and says so. */
		.msg_controllen = CMSG_LEN(WORKER_FILES_BYTES),
	};
	size_t n_passed;
	ssize_t n;
	int r;

	if (!text)
		return -ENOMEM;
	do
		n = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	n_passed = worker_files_detach(&header, &passed);
	if (n == 0)
		return 0;
	if (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return -EBADMSG;
	r = message_from_packet(text, (size_t)n, &passed, n_passed, ret, ret_files);
	return r < 0 ? r : 1;
}

int worker_message_receive(int fd, struct worker_message *ret, int *ret_directory)
{
	struct worker_files files = WORKER_FILES_NONE;
	int r = worker_message_receive_files(fd, ret, &files);

	if (r <= 0)
		return r;
	*ret_directory = TAKE_FD(files.fds[WORKER_FILE_DIRECTORY]);
	worker_files_close(&files);
	return r;
}
