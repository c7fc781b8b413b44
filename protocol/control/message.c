/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/message.h"

#include <errno.h>
#include <json-c/json.h>
#include <json-c/json_visit.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "protocol/base/strings.h"
#include "protocol/control/json-scan.h"
#include "protocol/control/limits.h"

/* A name from the wire may be cut in the middle of a character. */
static void trim_utf8(char *s)
{
	size_t n = strlen(s);

	while (n > 0 && !is_utf8(s, n))
		s[--n] = '\0';
}

int problem_set(struct problem *problem, const char *field, const char *format, ...)
{
	va_list ap;

	if (!problem)
		return -EBADMSG;
	(void)snprintf(problem->field, sizeof(problem->field), "%s", field);
	trim_utf8(problem->field);
	va_start(ap, format);
	(void)vsnprintf(problem->reason, sizeof(problem->reason), format, ap);
	va_end(ap);
	trim_utf8(problem->reason);
	return -EBADMSG;
}

static void prefix_field(struct problem *problem, const char *prefix)
{
	char inner[sizeof(problem->field)];
	const char *dot = problem->field[0] == '\0' || problem->field[0] == '[' ? "" : ".";
	size_t n;

	memcpy(inner, problem->field, sizeof(inner));
	(void)snprintf(problem->field, sizeof(problem->field), "%s%s", prefix, dot);
	n = strlen(problem->field);
	(void)snprintf(problem->field + n, sizeof(problem->field) - n, "%s", inner);
	trim_utf8(problem->field);
}

void problem_within(struct problem *problem, const char *member)
{
	if (problem)
		prefix_field(problem, member);
}

void problem_within_element(struct problem *problem, const char *member, size_t index)
{
	char prefix[sizeof(problem->field)];

	if (!problem)
		return;
	(void)snprintf(prefix, sizeof(prefix), "%s[%zu]", member, index);
	prefix_field(problem, prefix);
}

struct json_object *message_ref(struct json_object *object)
{
	return json_object_get(object);
}

void message_unref(struct json_object *object)
{
	(void)json_object_put(object);
}

DEFINE_CLEANUP(struct json_tokener *, json_tokener_free);

/* Counts members down; a real that became infinite is refused. */
static int visit_parsed(json_object *value, int flags, json_object *parent _unused_,
			const char *key, size_t *index _unused_, void *userdata)
{
	uint64_t *members = userdata;

	if (flags & JSON_C_VISIT_SECOND)
		return JSON_C_VISIT_RETURN_CONTINUE;
	if (key)
		(*members)--;
	if (json_object_is_type(value, json_type_double) &&
	    !isfinite(json_object_get_double(value)))
		return JSON_C_VISIT_RETURN_ERROR;
	return JSON_C_VISIT_RETURN_CONTINUE;
}

int message_parse(const char *text, size_t size, struct json_object **ret)
{
	_cleanup_(json_tokener_freep) struct json_tokener *tokener = NULL;
	_cleanup_message_ struct json_object *object = NULL;
	uint64_t members;
	int r;

	if (size > INT32_MAX)
		return -EBADMSG;
	r = json_scan(text, size, &members);
	if (r < 0)
		return r;
	/* json-c counts a level for what is inside the innermost container. */
	tokener = json_tokener_new_ex(LIMIT_JSON_DEPTH + 2);
	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, text, (int)size);
	if (!object || !json_object_is_type(object, json_type_object))
		return -EBADMSG;
	if (json_c_visit(object, 0, visit_parsed, &members) < 0 || members != 0)
		return -EBADMSG;
	*ret = TAKE_PTR(object);
	return 0;
}

static int put_own_text(struct json_object *object, struct printbuf *to, _unused_ int level,
			_unused_ int flags)
{
	const char *text = json_object_get_userdata(object);

	return printbuf_memappend(to, text, (int)strlen(text));
}

int message_from_own_text(char *text, struct json_object **ret)
{
	struct json_object *object = json_object_new_object();

	if (!object) {
		free(text);
		return -ENOMEM;
	}
	json_object_set_serializer(object, put_own_text, text, json_object_free_userdata);
	*ret = object;
	return 0;
}

static int to_text(struct json_object *object, int flags, char **ret)
{
	const char *text;

	text = json_object_to_json_string_ext(object, flags | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text)
		return -ENOMEM;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

int message_to_text(struct json_object *object, char **ret)
{
	return to_text(object, JSON_C_TO_STRING_PLAIN, ret);
}

int message_to_pretty_text(struct json_object *object, char **ret)
{
	return to_text(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED, ret);
}

bool message_is_object(struct json_object *value)
{
	return json_object_is_type(value, json_type_object);
}

bool message_is_array(struct json_object *value)
{
	return json_object_is_type(value, json_type_array);
}

size_t message_length(struct json_object *array)
{
	return message_is_array(array) ? json_object_array_length(array) : 0;
}

struct json_object *message_at(struct json_object *array, size_t index)
{
	return index < message_length(array) ? json_object_array_get_idx(array, index) : NULL;
}

struct json_object *message_member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (message_is_object(object))
		(void)json_object_object_get_ex(object, name, &value);
	return value;
}

const char *message_string(struct json_object *value)
{
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

int message_int(struct json_object *value, int64_t *ret)
{
	if (!json_object_is_type(value, json_type_int))
		return -EBADMSG;
	*ret = json_object_get_int64(value);
	return 0;
}

int message_each(struct json_object *object, member_visitor visit, void *userdata)
{
	struct json_object_iterator i, end;
	int r = 0;

	if (!message_is_object(object))
		return 0;
	i = json_object_iter_begin(object);
	end = json_object_iter_end(object);
	while (r == 0 && !json_object_iter_equal(&i, &end)) {
		r = visit(json_object_iter_peek_name(&i), json_object_iter_peek_value(&i),
			  userdata);
		json_object_iter_next(&i);
	}
	return r;
}

/* The shortest text that reads back as the same value. */
static struct json_object *new_real(double value)
{
	static const char *const formats[] = { "%.15g", "%.16g", "%.17g" };
	struct json_object *object = json_object_new_double(value);
	char text[40];

	for (size_t i = 0; object && i < ARRAY_SIZE(formats); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(text, sizeof(text), formats[i], value);
#pragma GCC diagnostic pop
		if (strtod(text, NULL) != value)
			continue;
		/* It only reads the format. */
		json_object_set_serializer(object, json_object_double_to_json_string,
					   (void *)(uintptr_t)formats[i], NULL);
		break;
	}
	return object;
}

static struct json_object *new_string(const char *s)
{
	size_t n = strlen(s);

	return n <= INT32_MAX ? json_object_new_string_len(s, (int)n) : NULL;
}

/* *ret NULL without an error: a member to leave out. */
static int member_value(const struct member *member, struct json_object **ret)
{
	bool left_out =
		member->type == MEMBER_NONE || (member->type == MEMBER_STRING && !member->string);
	struct json_object *value = NULL;

	switch (member->type) {
	case MEMBER_OBJECT:
		*ret = member->object;
		return 0;
	case MEMBER_STRING:
		if (member->string && !is_utf8(member->string, strlen(member->string)))
			return -EINVAL;
		if (member->string)
			value = new_string(member->string);
		break;
	case MEMBER_INT:
		value = json_object_new_int64(member->integer);
		break;
	case MEMBER_BOOL:
		value = json_object_new_boolean(member->boolean);
		break;
	case MEMBER_REAL:
		if (!isfinite(member->real))
			return -EINVAL;
		value = new_real(member->real);
		break;
	case MEMBER_NONE:
		break;
	}
	*ret = value;
	return value || left_out ? 0 : -ENOMEM;
}

int message_add(struct json_object *object, struct member member)
{
	_cleanup_message_ struct json_object *value = NULL;
	int r;

	r = member_value(&member, &value);
	if (r < 0 || !value)
		return r;
	if (!is_utf8(member.name, strlen(member.name)))
		return -EINVAL;
	if (json_object_object_add(object, member.name, value) < 0)
		return -ENOMEM;
	value = NULL;
	return 0;
}

int message_build(struct json_object **ret, const struct member *members, size_t n)
{
	_cleanup_message_ struct json_object *object = json_object_new_object();
	int r = object ? 0 : -ENOMEM;

	for (size_t i = 0; i < n; i++) {
		if (r == 0)
			r = message_add(object, members[i]);
		else if (members[i].type == MEMBER_OBJECT)
			message_unref(members[i].object);
	}
	if (r == 0)
		*ret = TAKE_PTR(object);
	return r;
}

int message_new_array(struct json_object **ret)
{
	*ret = json_object_new_array();
	return *ret ? 0 : -ENOMEM;
}

int message_append(struct json_object *array, struct json_object *element)
{
	if (json_object_array_add(array, element) < 0) {
		message_unref(element);
		return -ENOMEM;
	}
	return 0;
}

static int append_member(struct json_object *array, struct member member)
{
	struct json_object *value = NULL;
	int r;

	r = member_value(&member, &value);
	return r < 0 ? r : message_append(array, value);
}

int message_append_string(struct json_object *array, const char *s)
{
	return append_member(array, M_STRING(NULL, s));
}

int message_append_int(struct json_object *array, int64_t value)
{
	return append_member(array, M_INT(NULL, value));
}
