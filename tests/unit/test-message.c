/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "protocol/base/strings.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"
#include "protocol/control/varlink.h"

static int parse(const char *text)
{
	_cleanup_message_ struct json_object *object = NULL;

	return message_parse(text, strlen(text), &object);
}

static struct json_object *parse_good(const char *text)
{
	struct json_object *object = NULL;

	assert_int_equal(message_parse(text, strlen(text), &object), 0);
	return object;
}

static void test_parse_accepts(void **state _unused_)
{
	static const char *const good[] = {
		"{}",
		" {\t\"a\" : [ ] ,\r\n\"b\":{} } ",
		"{\"a\":[1,-1,0,-0,1.5,-1e5,1E+2,2e-3,true,false,null]}",
		"{\"a\":9223372036854775807,\"b\":-9223372036854775808}",
		"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\ude00\"}",
		"{\"a\":\"\xc3\xa4\xf0\x9f\x98\x80\"}",
		"{\"\":1}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(parse(good[i]), 0);
}

static void test_parse_refuses(void **state _unused_)
{
	static const char *const bad[] = {
		"",
		" ",
		"1",
		"[]",
		"\"a\"",
		"null",
		"{",
		"}",
		"{}}",
		"{} x",
		"{}{}",
		/* json-c's own liberties */
		"{'a':1}",
		"{\"a\":'b'}",
		"{\"a\":NaN}",
		"{\"a\":Infinity}",
		"{\"a\":-Infinity}",
		"{\"a\":TRUE}",
		"{\"a\":nul}",
		"{\"a\":nullx}",
		"{/**/}",
		"{\"a\":1,}",
		"{,}",
		"{\"a\":[1,]}",
		"{\"a\":[,1]}",
		"{a:1}",
		/* numbers */
		"{\"a\":99999999999999999999}",
		"{\"a\":9223372036854775808}",
		"{\"a\":-9223372036854775809}",
		"{\"a\":1e999}",
		"{\"a\":-1.0e999}",
		"{\"a\":01}",
		"{\"a\":1.}",
		"{\"a\":.5}",
		"{\"a\":+1}",
		"{\"a\":1e}",
		"{\"a\":0x10}",
		"{\"a\":-}",
		"{\"a\":12abc}",
		"{\"a\":1 2}",
		/* a member twice, also where the spelling differs */
		"{\"a\":1,\"a\":2}",
		"{\"a\":{\"b\":1,\"b\":{\"c\":1}}}",
		"{\"a\":1,\"\\u0061\":2}",
		/* strings */
		"{\"a\":\"x\\u0000y\"}",
		"{\"a\\u0000b\":1}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":\"\\ud800\\u0041\"}",
		"{\"a\":\"\\udc00\"}",
		"{\"a\":\"\\x41\"}",
		"{\"a\":\"\n\"}",
		"{\"a\":\"\t\"}",
		"{\"a\":\"open}",
		"{\"a\":\"\\\"}",
		"{\"a\":\"\\u12\"}",
		"{\"a\":\"\\u12g4\"}",
		/* not UTF-8: stray byte, overlong, surrogate, beyond, cut */
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\xc0\x80\"}",
		"{\"a\":\"\xed\xa0\x80\"}",
		"{\"a\":\"\xf4\x90\x80\x80\"}",
		"{\"a\":\"\xc3\"}",
		"{\"\xff\":1}",
		/* structure */
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\" 1}",
		"{\"a\":[1}",
		"{\"a\":{]}",
		"{\"a\":1]",
		"{1:2}",
		"{\"a\":1 \"b\":2}",
		"{\"a\"::1}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse(bad[i]) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
}

static void test_parse_size(void **state _unused_)
{
	_cleanup_message_ struct json_object *object = NULL;

	/* A NUL inside of the size, and text that goes on behind it. */
	assert_int_equal(message_parse("{}\0", 3, &object), -EBADMSG);
	assert_int_equal(message_parse("{\"a\":\"b\0c\"}", 11, &object), -EBADMSG);
	assert_int_equal(message_parse("{}garbage", 2, &object), 0);
}

static int parse_depth(size_t depth, char open, char close)
{
	char text[1024] = "{\"a\":";
	size_t n = strlen(text);

	memset(text + n, open, depth - 1);
	memset(text + n + depth - 1, close, depth - 1);
	text[n + 2 * (depth - 1)] = '}';
	return parse(text);
}

static void test_parse_depth(void **state _unused_)
{
	assert_int_equal(parse_depth(LIMIT_JSON_DEPTH, '[', ']'), 0);
	assert_int_equal(parse_depth(LIMIT_JSON_DEPTH + 1, '[', ']'), -EBADMSG);
	assert_int_equal(parse_depth(400, '[', ']'), -EBADMSG);
}

struct target {
	char *string;
	bool boolean;
	int64_t integer;
	uint64_t size;
	uint32_t small;
	double real;
	enum { RED, GREEN, BLUE } colour;
	uint64_t time;
	struct json_object *object;
	struct json_object *array;
};

#define OFFSET(member) offsetof(struct target, member)

static const char *const colours[] = { "red", NULL, "blue" };

static const struct field fields[] = {
	{ .name = "string", .type = FIELD_STRING, .offset = OFFSET(string), .min = 1, .max = 4 },
	{ .name = "boolean", .type = FIELD_BOOL, .offset = OFFSET(boolean) },
	{ .name = "integer",
	  .type = FIELD_INT,
	  .offset = OFFSET(integer),
	  .flags = FIELD_REQUIRED,
	  .min = -5,
	  .max = 5 },
	{ .name = "size", .type = FIELD_UINT, .offset = OFFSET(size) },
	{ .name = "small", .type = FIELD_UINT32, .offset = OFFSET(small), .min = 3 },
	{ .name = "real", .type = FIELD_REAL, .offset = OFFSET(real), .min = 0, .max = 10 },
	{ .name = "colour",
	  .type = FIELD_WORD,
	  .offset = OFFSET(colour),
	  .words = colours,
	  .n_words = ARRAY_SIZE(colours) },
	{ .name = "time", .type = FIELD_TIME, .offset = OFFSET(time) },
	{ .name = "object", .type = FIELD_OBJECT, .offset = OFFSET(object) },
	{ .name = "array", .type = FIELD_ARRAY, .offset = OFFSET(array), .min = 1, .max = 2 },
};

static void target_clear(struct target *target)
{
	free(target->string);
	message_unref(target->object);
	message_unref(target->array);
}

static void test_read_all(void **state _unused_)
{
	_cleanup_(target_clear) struct target target = { 0 };
	_cleanup_message_ struct json_object *object = parse_good(
		"{\"string\":\"abcd\",\"boolean\":true,\"integer\":-5,\"size\":4294967296,"
		"\"small\":4294967295,\"real\":2,\"colour\":\"blue\","
		"\"time\":\"1970-01-01T00:00:01Z\",\"object\":{\"x\":1},\"array\":[1,2]}");

	assert_int_equal(message_read(object, fields, ARRAY_SIZE(fields), &target, NULL), 0);
	assert_string_equal(target.string, "abcd");
	assert_true(target.boolean);
	assert_int_equal(target.integer, -5);
	assert_int_equal(target.size, 4294967296);
	assert_int_equal(target.small, UINT32_MAX);
	assert_true(target.real == 2.0);
	assert_int_equal(target.colour, BLUE);
	assert_int_equal(target.time, 1000000);
	assert_int_equal(message_length(target.array), 2);
	assert_non_null(message_member(target.object, "x"));
}

static void test_read_absent(void **state _unused_)
{
	struct target target = { .integer = 1, .small = 7, .colour = GREEN };
	_cleanup_message_ struct json_object *object =
		parse_good("{\"integer\":0,\"small\":null,\"string\":null}");

	assert_int_equal(message_read(object, fields, ARRAY_SIZE(fields), &target, NULL), 0);
	assert_int_equal(target.integer, 0);
	assert_int_equal(target.small, 7);
	assert_int_equal(target.colour, GREEN);
	assert_null(target.string);
}

static void test_read_problems(void **state _unused_)
{
	static const struct {
		const char *text, *field, *reason;
	} cases[] = {
		{ "{}", "integer", "is missing" },
		{ "{\"integer\":null}", "integer", "is missing" },
		{ "{\"integer\":\"1\"}", "integer", "must be a whole number" },
		{ "{\"integer\":1.0}", "integer", "must be a whole number" },
		{ "{\"integer\":true}", "integer", "must be a whole number" },
		{ "{\"integer\":6}", "integer", "must be from -5 to 5" },
		{ "{\"integer\":0,\"other\":1}", "other", "is not known here" },
		{ "{\"integer\":0,\"string\":1}", "string", "must be a string" },
		{ "{\"integer\":0,\"string\":\"\"}", "string", "must not be empty" },
		{ "{\"integer\":0,\"string\":\"abcde\"}", "string", "is longer than 4 bytes" },
		{ "{\"integer\":0,\"boolean\":1}", "boolean", "must be true or false" },
		{ "{\"integer\":0,\"size\":-1}", "size", "must be from 0 to 9223372036854775807" },
		{ "{\"integer\":0,\"small\":4294967296}", "small", "must be from 3 to 4294967295" },
		{ "{\"integer\":0,\"small\":2}", "small", "must be from 3 to 4294967295" },
		{ "{\"integer\":0,\"real\":10.5}", "real", "must be at most 10" },
		{ "{\"integer\":0,\"real\":-1}", "real", "must be at least 0" },
		{ "{\"integer\":0,\"real\":\"1\"}", "real", "must be a number" },
		{ "{\"integer\":0,\"colour\":\"green\"}", "colour", "must be one of red, blue" },
		{ "{\"integer\":0,\"colour\":0}", "colour", "must be a string" },
		{ "{\"integer\":0,\"time\":\"today\"}", "time",
		  "must be a time like 2026-01-31T12:00:00Z" },
		{ "{\"integer\":0,\"object\":[]}", "object", "must be an object" },
		{ "{\"integer\":0,\"array\":{}}", "array", "must be an array" },
		{ "{\"integer\":0,\"array\":[]}", "array", "must have from 1 to 2 elements" },
		{ "{\"integer\":0,\"array\":[1,2,3]}", "array", "must have from 1 to 2 elements" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(target_clear) struct target target = { 0 };
		_cleanup_message_ struct json_object *object = parse_good(cases[i].text);
		struct problem problem;

		assert_int_equal(
			message_read(object, fields, ARRAY_SIZE(fields), &target, &problem),
			-EBADMSG);
		assert_string_equal(problem.field, cases[i].field);
		assert_string_equal(problem.reason, cases[i].reason);
	}
}

static void test_read_known_passes_over(void **state _unused_)
{
	struct target target = { 0 };
	_cleanup_message_ struct json_object *object = parse_good("{\"integer\":3,\"new\":{}}");

	assert_int_equal(message_read_known(object, fields, ARRAY_SIZE(fields), &target, NULL), 0);
	assert_int_equal(target.integer, 3);
}

static void test_read_flags(void **state _unused_)
{
	static const struct field clean = { .name = "s",
					    .type = FIELD_STRING,
					    .flags = FIELD_CLEAN };
	static const struct field name = { .name = "s", .type = FIELD_STRING, .flags = FIELD_NAME };
	static const struct {
		const char *text;
		int clean, name;
	} cases[] = {
		{ "{\"s\":\"a-b.c\"}", 0, 0 },
		{ "{\"s\":\"a b\"}", 0, -EBADMSG },
		{ "{\"s\":\"../x\"}", 0, -EBADMSG },
		{ "{\"s\":\"a/b\"}", 0, -EBADMSG },
		{ "{\"s\":\"\"}", 0, -EBADMSG },
		{ "{\"s\":\"\\u001b[2J\"}", -EBADMSG, -EBADMSG },
		{ "{\"s\":\"\\u009b\"}", -EBADMSG, -EBADMSG },
		{ "{\"s\":\"\\u007f\"}", -EBADMSG, -EBADMSG },
		{ "{\"s\":\"\\u00e4\"}", 0, -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_message_ struct json_object *object = parse_good(cases[i].text);
		_cleanup_free_ char *s = NULL;

		assert_int_equal(message_read(object, &clean, 1, &s, NULL), cases[i].clean);
		assert_int_equal(message_read(object, &name, 1, &s, NULL), cases[i].name);
	}
}

static void test_problem_path(void **state _unused_)
{
	struct problem problem;
	char longest[400];

	assert_int_equal(problem_set(&problem, "length", "%d", 7), -EBADMSG);
	problem_within_element(&problem, "", 2);
	problem_within(&problem, "ranges");
	assert_string_equal(problem.field, "ranges[2].length");
	problem_within(&problem, "request");
	assert_string_equal(problem.field, "request.ranges[2].length");
	assert_string_equal(problem.reason, "7");

	/* A long name is cut between characters. */
	for (size_t i = 0; i + 2 < sizeof(longest); i += 2)
		memcpy(longest + i, "\xc3\xa4", 3);
	(void)problem_set(&problem, longest, "too long");
	problem_within(&problem, "x");
	assert_true(is_utf8(problem.field, strlen(problem.field)));
	assert_true(strlen(problem.field) > 100);
}

static void test_build(void **state _unused_)
{
	_cleanup_message_ struct json_object *object = NULL;
	_cleanup_free_ char *text = NULL;
	struct json_object *array;

	assert_int_equal(message_new_array(&array), 0);
	assert_int_equal(message_append_int(array, 1), 0);
	assert_int_equal(message_append_string(array, "x"), 0);
	assert_int_equal(
		message_build(&object, MEMBERS(M_STRING("s", "a\"/b\n"), M_INT("i", INT64_MIN),
					       M_BOOL("b", false), M_REAL("r", 0.1),
					       M_REAL("third", 1.0 / 3), M_OBJECT("a", array),
					       M_OBJECT("none", NULL), M_STRING_OPT("opt", NULL),
					       M_INT_IF(false, "if", 1), M_NONE)),
		0);
	assert_int_equal(message_to_text(object, &text), 0);
	assert_string_equal(text, "{\"s\":\"a\\\"/b\\n\",\"i\":-9223372036854775808,\"b\":false,"
				  "\"r\":0.1,\"third\":0.3333333333333333,\"a\":[1,\"x\"]}");
	assert_int_equal(parse(text), 0);
}

static void test_build_refuses(void **state _unused_)
{
	struct json_object *object = NULL, *array;

	assert_int_equal(message_build(&object, MEMBERS(M_REAL("r", NAN))), -EINVAL);
	assert_int_equal(message_build(&object, MEMBERS(M_REAL("r", HUGE_VAL))), -EINVAL);
	assert_int_equal(message_new_array(&array), 0);
	/* What was handed over does not leak. */
	assert_int_equal(
		message_build(&object, MEMBERS(M_STRING("s", "\xff"), M_OBJECT("a", array))),
		-EINVAL);
	assert_null(object);
}

static int sum(const char *name, struct json_object *value, void *userdata)
{
	int64_t *total = userdata, n;

	if (streq(name, "stop"))
		return 7;
	assert_int_equal(message_int(value, &n), 0);
	*total += n;
	return 0;
}

static void test_walk(void **state _unused_)
{
	_cleanup_message_ struct json_object *object =
		parse_good("{\"a\":1,\"b\":2,\"stop\":\"x\",\"c\":[]}");
	int64_t total = 0;

	assert_int_equal(message_each(object, sum, &total), 7);
	assert_int_equal(total, 3);
	assert_string_equal(message_string(message_member(object, "stop")), "x");
	assert_null(message_string(message_member(object, "a")));
	assert_null(message_member(object, "none"));
	assert_null(message_member(message_member(object, "a"), "x"));
	assert_null(message_at(message_member(object, "c"), 0));
	assert_int_equal(message_length(message_member(object, "a")), 0);
	assert_int_equal(message_int(message_member(object, "stop"), &total), -EBADMSG);
}

static int read_call(const char *text, struct varlink_call *call)
{
	return varlink_call_from_text(text, strlen(text), call);
}

static void test_varlink_call(void **state _unused_)
{
	_cleanup_(varlink_call_clear) struct varlink_call call = { 0 };
	_cleanup_free_ char *text = NULL;

	assert_int_equal(read_call("{\"method\":\"a.b.C\",\"parameters\":{\"x\":1},\"more\":true,"
				   "\"extension\":[]}",
				   &call),
			 0);
	assert_string_equal(call.method, "a.b.C");
	assert_true(call.more && !call.oneway && !call.upgrade);
	assert_int_equal(varlink_call_to_text(&call, &text), 0);
	assert_string_equal(text, "{\"method\":\"a.b.C\",\"parameters\":{\"x\":1},\"more\":true}");
	varlink_call_clear(&call);

	/* No parameters are an empty object. */
	assert_int_equal(read_call("{\"method\":\"a.b.C\",\"parameters\":null}", &call), 0);
	assert_true(message_is_object(call.parameters));
	varlink_call_clear(&call);

	assert_int_equal(read_call("{}", &call), -EBADMSG);
	assert_int_equal(read_call("{\"method\":1}", &call), -EBADMSG);
	assert_int_equal(read_call("{\"method\":\"\"}", &call), -EBADMSG);
	assert_int_equal(read_call("{\"method\":\"a.b.C\",\"parameters\":[]}", &call), -EBADMSG);
	assert_int_equal(read_call("{\"method\":\"a.b.C\",\"more\":1}", &call), -EBADMSG);
}

static void test_varlink_reply(void **state _unused_)
{
	_cleanup_(varlink_reply_clear) struct varlink_reply reply = { 0 };
	static const char text[] =
		"{\"error\":\"a.b.C\",\"parameters\":{\"id\":1},\"continues\":true}";
	_cleanup_free_ char *again = NULL;

	assert_int_equal(varlink_reply_from_text(text, strlen(text), &reply), 0);
	assert_string_equal(reply.error, "a.b.C");
	assert_true(reply.continues);
	assert_int_equal(varlink_reply_to_text(&reply, &again), 0);
	assert_string_equal(again, text);
	varlink_reply_clear(&reply);
	assert_int_equal(varlink_reply_from_text("{}", 2, &reply), 0);
	assert_null(reply.error);
	assert_true(message_is_object(reply.parameters));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_accepts), cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_parse_size),    cmocka_unit_test(test_parse_depth),
		cmocka_unit_test(test_read_all),      cmocka_unit_test(test_read_absent),
		cmocka_unit_test(test_read_problems), cmocka_unit_test(test_read_known_passes_over),
		cmocka_unit_test(test_read_flags),    cmocka_unit_test(test_problem_path),
		cmocka_unit_test(test_build),         cmocka_unit_test(test_build_refuses),
		cmocka_unit_test(test_walk),          cmocka_unit_test(test_varlink_call),
		cmocka_unit_test(test_varlink_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
