/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "protocol/base/strings.h"
#include "protocol/control/failure-words.h"
#include "protocol/control/message.h"

static const char *const codes[_FAILURE_MAX] = {
	[FAILURE_HANDSHAKE_TIMEOUT] = "handshake-timeout",
	[FAILURE_DEVICE_LOST] = "device-lost",
	[FAILURE_PROTOCOL_ERROR] = "protocol-error",
	[FAILURE_UNSUPPORTED_CHIP] = "unsupported-chip",
	[FAILURE_SECURE_BOOT] = "secure-boot",
	[FAILURE_DA_REJECTED] = "da-rejected",
	[FAILURE_DA_MISSING] = "da-missing",
	[FAILURE_READ_FAILED] = "read-failed",
	[FAILURE_VERIFY_MISMATCH] = "verify-mismatch",
	[FAILURE_SIZE_MISMATCH] = "size-mismatch",
	[FAILURE_NO_SPACE] = "no-space",
	[FAILURE_ARCHIVE_ERROR] = "archive-error",
	[FAILURE_WORKER_CRASHED] = "worker-crashed",
	[FAILURE_TIMEOUT] = "timeout",
	[FAILURE_CANCELLED] = "cancelled",
	[FAILURE_PORT_BUSY] = "port-busy",
	[FAILURE_WRONG_WATCH] = "wrong-watch",
	[FAILURE_SCATTER_MISMATCH] = "scatter-mismatch",
};

const char *failure_code_to_string(enum failure_code code)
{
	return (size_t)code < ARRAY_SIZE(codes) ? codes[code] : NULL;
}

int failure_code_from_string(const char *s, enum failure_code *ret)
{
	int index = word_find(codes, ARRAY_SIZE(codes), s);

	if (index < 0)
		return index;
	*ret = (enum failure_code)index;
	return 0;
}

/* A line may quote what came from a watch or a file name: it must fit into JSON and a terminal. */
static void make_clean(char *s)
{
	bool text = is_utf8(s, strlen(s)) && text_is_clean(s);

	for (; *s && !text; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
}

int failure_set(struct failure *failure, enum failure_code code, const char *hint,
		const char *format, ...)
{
	_cleanup_free_ char *message = NULL, *hint_copy = NULL;
	va_list ap;
	int r;

	va_start(ap, format);
	r = vasprintf(&message, format, ap);
	va_end(ap);
	if (r < 0) {
		message = NULL;
		return -ENOMEM;
	}
	if (!hint && failure_words(code))
		hint = failure_words(code)->hint;
	r = str_replace(&hint_copy, hint);
	if (r < 0)
		return r;
	make_clean(message);
	if (hint_copy)
		make_clean(hint_copy);
	failure_clear(failure);
	*failure = (struct failure){ code, TAKE_PTR(message), TAKE_PTR(hint_copy) };
	return 0;
}

int failure_copy(const struct failure *from, struct failure *ret)
{
	_cleanup_(failure_clear) struct failure copy = { .code = from->code };
	int r;

	r = str_replace(&copy.message, from->message);
	if (r == 0)
		r = str_replace(&copy.hint, from->hint);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(copy);
	return 0;
}

void failure_clear(struct failure *failure)
{
	free(failure->message);
	free(failure->hint);
	*failure = (struct failure){ 0 };
}

int failure_to_json(const struct failure *failure, struct json_object **ret)
{
	const char *code = failure_code_to_string(failure->code);

	if (!code) {
		*ret = NULL;
		return 0;
	}
	return message_build(ret,
			     MEMBERS(M_STRING("code", code),
				     M_STRING("message", failure->message ? failure->message : ""),
				     M_STRING_OPT("hint", failure->hint)));
}

int failure_from_json(struct json_object *object, struct failure *ret, struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "code",
		  .type = FIELD_WORD,
		  .offset = offsetof(struct failure, code),
		  .flags = FIELD_REQUIRED,
		  .words = codes,
		  .n_words = ARRAY_SIZE(codes) },
		{ .name = "message",
		  .type = FIELD_STRING,
		  .offset = offsetof(struct failure, message),
		  .flags = FIELD_REQUIRED | FIELD_CLEAN },
		{ .name = "hint",
		  .type = FIELD_STRING,
		  .offset = offsetof(struct failure, hint),
		  .flags = FIELD_CLEAN },
	};
	_cleanup_(failure_clear) struct failure failure = { 0 };
	int r;

	r = message_read_known(object, fields, ARRAY_SIZE(fields), &failure, problem);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(failure);
	return 0;
}
