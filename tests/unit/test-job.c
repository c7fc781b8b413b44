/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/strings.h"
#include "protocol/control/backup.h"
#include "protocol/control/job.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

static struct json_object *parse(const char *text)
{
	struct json_object *object = NULL;

	assert_int_equal(message_parse(text, strlen(text), &object), 0);
	return object;
}

static void test_request_defaults(void **state _unused_)
{
	_cleanup_(job_request_clear) struct job_request request = { 0 }, same = { 0 };
	_cleanup_message_ struct json_object *object = parse("{}");
	_cleanup_free_ char *a = NULL, *b = NULL;

	assert_int_equal(job_request_from_json(object, &request, NULL), 0);
	assert_int_equal(request.n_ranges, 1);
	assert_string_equal(request.ranges[0].name, "ROM_0");
	assert_int_equal(request.ranges[0].start, 0);
	assert_int_equal(request.ranges[0].length, RANGE_AUTO);
	assert_int_equal(request.method, METHOD_AUTO);
	assert_int_equal(request.verify, VERIFY_AUTO);
	assert_int_equal(request.after, AFTER_RESET);
	assert_true(request.rebuild);
	assert_int_equal(request.count, 1);
	assert_int_equal(job_request_init(&same), 0);
	assert_int_equal(job_request_to_text(&request, &a), 0);
	assert_int_equal(job_request_to_text(&same, &b), 0);
	assert_string_equal(a, b);
}

static void test_request_whole(void **state _unused_)
{
	static const char text[] =
		"{\"ranges\":[{\"name\":\"boot\",\"start\":0,\"length\":4096},"
		"{\"name\":\"ROM_1\",\"start\":4096}],\"scatter\":\"s.txt\",\"da\":\"x.bin\","
		"\"da_layout\":\"da1=0:16:0x70007000,table=16:36\","
		"\"method\":\"da\",\"verify\":\"full\",\"rebuild\":false,\"slot\":\"left-1\","
		"\"chip\":\"MT6261\",\"meid\":\"00112233445566778899aabbccddeeff\",\"count\":1000,"
		"\"priority\":-1000,\"labels\":{\"ticket\":\"4711 \xc3\xa4\"},\"timeout\":90.5,"
		"\"after\":\"off\"}";
	_cleanup_(job_request_clear) struct job_request request = { 0 }, copy = { 0 };
	_cleanup_free_ char *again = NULL;

	assert_int_equal(job_request_from_text(text, &request), 0);
	assert_int_equal(job_request_copy(&request, &copy), 0);
	assert_int_equal(job_request_to_text(&copy, &again), 0);
	assert_string_equal(again, text);
}

static void test_request_normalises(void **state _unused_)
{
	_cleanup_(job_request_clear) struct job_request request = { 0 };

	assert_int_equal(job_request_from_text("{\"meid\":\"00112233445566778899AABBCCDDEEFF\","
					       "\"ranges\":[{\"start\":0},{\"start\":1}]}",
					       &request),
			 0);
	assert_string_equal(request.meid, "00112233445566778899aabbccddeeff");
	assert_string_equal(request.ranges[0].name, "ROM_0");
	assert_string_equal(request.ranges[1].name, "ROM_1");
}

static void test_request_problems(void **state _unused_)
{
	static const char *const cases[][2] = {
		{ "{\"range\":[]}", "range" },
		{ "{\"ranges\":{}}", "ranges" },
		{ "{\"ranges\":[]}", "ranges" },
		{ "{\"ranges\":[1]}", "ranges[0]" },
		{ "{\"ranges\":[{}]}", "ranges[0].start" },
		{ "{\"ranges\":[{\"start\":-1}]}", "ranges[0].start" },
		{ "{\"ranges\":[{\"start\":0.5}]}", "ranges[0].start" },
		{ "{\"ranges\":[{\"start\":268435456}]}", "ranges[0].start" },
		{ "{\"ranges\":[{\"start\":0,\"length\":0}]}", "ranges[0].length" },
		{ "{\"ranges\":[{\"start\":0,\"length\":\"4096\"}]}", "ranges[0].length" },
		{ "{\"ranges\":[{\"start\":1,\"length\":268435456}]}", "ranges[0].length" },
		{ "{\"ranges\":[{\"start\":0,\"length\":9223372036854775807}]}",
		  "ranges[0].length" },
		{ "{\"ranges\":[{\"start\":0},{\"start\":0},{\"start\":0,\"size\":1}]}",
		  "ranges[2].size" },
		{ "{\"ranges\":[{\"start\":0,\"name\":\"../../etc/passwd\"}]}", "ranges[0].name" },
		{ "{\"ranges\":[{\"start\":0,\"name\":\"\"}]}", "ranges[0].name" },
		{ "{\"ranges\":[{\"start\":0,\"name\":\".x\"}]}", "ranges[0].name" },
		{ "{\"ranges\":[{\"start\":0,\"name\":\"manifest.json\"}]}", "ranges[0].name" },
		{ "{\"ranges\":[{\"start\":0,\"name\":\"a\"},{\"start\":0,\"name\":\"a\"}]}",
		  "ranges[1].name" },
		{ "{\"da\":\"/etc/shadow\"}", "da" },
		{ "{\"scatter\":7}", "scatter" },
		{ "{\"da\":\"/etc/passwd\"}", "da" },
		{ "{\"da_layout\":\"\"}", "da_layout" },
		{ "{\"da_layout\":\"a\\u001b\"}", "da_layout" },
		{ "{\"method\":\"usb\"}", "method" },
		{ "{\"verify\":true}", "verify" },
		{ "{\"rebuild\":\"no\"}", "rebuild" },
		{ "{\"slot\":\"a b\"}", "slot" },
		{ "{\"meid\":\"00\"}", "meid" },
		{ "{\"meid\":\"x0112233445566778899aabbccddeeff\"}", "meid" },
		{ "{\"count\":0}", "count" },
		{ "{\"count\":1001}", "count" },
		{ "{\"priority\":1001}", "priority" },
		{ "{\"timeout\":-1}", "timeout" },
		{ "{\"timeout\":1e300}", "timeout" },
		{ "{\"after\":\"explode\"}", "after" },
		{ "{\"labels\":[]}", "labels" },
		{ "{\"labels\":{\"a\":1}}", "labels.a" },
		{ "{\"labels\":{\"a/b\":\"x\"}}", "labels.a/b" },
		{ "{\"labels\":{\"a\":\"\\u001b[31m\"}}", "labels.a" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_message_ struct json_object *object = parse(cases[i][0]);
		struct job_request request;
		struct problem problem;

		if (job_request_from_json(object, &request, &problem) != -EBADMSG)
			fail_msg("taken: %s", cases[i][0]);
		assert_string_equal(problem.field, cases[i][1]);
		assert_true(strlen(problem.reason) > 0);
	}
}

static void test_request_limits(void **state _unused_)
{
	_cleanup_message_ struct json_object *object = NULL, *labelled = NULL;
	struct json_object *ranges, *range, *labels;
	struct job_request request;
	struct problem problem;
	char key[8];

	assert_int_equal(message_new_array(&ranges), 0);
	for (size_t i = 0; i <= LIMIT_RANGES; i++) {
		assert_int_equal(message_build(&range, MEMBERS(M_INT("start", i))), 0);
		assert_int_equal(message_append(ranges, range), 0);
	}
	assert_int_equal(message_build(&object, MEMBERS(M_OBJECT("ranges", ranges))), 0);
	assert_int_equal(job_request_from_json(object, &request, &problem), -EBADMSG);
	assert_string_equal(problem.field, "ranges");

	assert_int_equal(message_build(&labels, NULL, 0), 0);
	for (size_t i = 0; i <= LIMIT_LABELS; i++) {
		(void)snprintf(key, sizeof(key), "k%zu", i);
		assert_int_equal(message_add(labels, M_STRING(key, "v")), 0);
	}
	assert_int_equal(message_build(&labelled, MEMBERS(M_OBJECT("labels", labels))), 0);
	assert_int_equal(job_request_from_json(labelled, &request, &problem), -EBADMSG);
	assert_string_equal(problem.field, "labels");
}

static void test_labels(void **state _unused_)
{
	_cleanup_(job_request_clear) struct job_request request = { 0 };
	char value[LIMIT_LABEL_BYTES + 2];

	memset(value, 'x', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(job_request_init(&request), 0);
	assert_int_equal(job_request_add_label(&request, "ticket", "1"), 0);
	assert_int_equal(job_request_add_label(&request, "ticket", "2"), -EEXIST);
	assert_int_equal(job_request_add_label(&request, "", "2"), -EINVAL);
	assert_int_equal(job_request_add_label(&request, "long", value), -EINVAL);
	value[LIMIT_LABEL_BYTES] = '\0';
	assert_int_equal(job_request_add_label(&request, "long", value), 0);
	assert_int_equal(request.n_labels, 2);
}

/* One line a state it may go to, from each state. */
static void test_transitions(void **state _unused_)
{
	static const char *const allowed[_JOB_STATE_MAX] = {
		[JOB_QUEUED] = "running failed cancelled",
		[JOB_RUNNING] = "queued waiting done failed cancelled",
		[JOB_WAITING] = "queued running failed cancelled",
		[JOB_DONE] = "",
		[JOB_FAILED] = "queued",
		[JOB_CANCELLED] = "queued",
	};

	for (size_t from = 0; from < _JOB_STATE_MAX; from++)
		for (size_t to = 0; to < _JOB_STATE_MAX; to++) {
			const char *word = job_state_to_string((enum job_state)to);
			bool wanted = strstr(allowed[from], word);

			assert_int_equal(
				job_state_may_become((enum job_state)from, (enum job_state)to),
				wanted);
		}
	assert_false(job_state_may_become(_JOB_STATE_MAX, JOB_QUEUED));
	assert_true(job_state_is_final(JOB_DONE));
	assert_false(job_state_is_final(JOB_WAITING));
}

static void test_words(void **state _unused_)
{
	enum job_state job_state;
	enum failure_code code;
	enum phase phase;

	for (int i = 0; i < _JOB_STATE_MAX; i++) {
		assert_int_equal(job_state_from_string(job_state_to_string(i), &job_state), 0);
		assert_int_equal(job_state, i);
	}
	for (int i = 1; i < _FAILURE_MAX; i++) {
		assert_int_equal(failure_code_from_string(failure_code_to_string(i), &code), 0);
		assert_int_equal(code, i);
	}
	assert_null(failure_code_to_string(FAILURE_NONE));
	assert_null(phase_to_string(PHASE_NONE));
	assert_int_equal(phase_from_string("publish", &phase), 0);
	assert_int_equal(phase, PHASE_PUBLISH);
	assert_int_equal(phase_from_string("", &phase), -EINVAL);
	assert_int_equal(job_state_from_string("Queued", &job_state), -EINVAL);
}

static void test_failure_is_clean(void **state _unused_)
{
	_cleanup_(failure_clear) struct failure failure = { 0 };
	struct json_object *object;

	assert_int_equal(
		failure_set(&failure, FAILURE_DEVICE_LOST, "plug\x1b it", "%s left", "\xff\xfe"),
		0);
	assert_string_equal(failure.message, "?? left");
	assert_string_equal(failure.hint, "plug? it");
	assert_int_equal(failure_to_json(&failure, &object), 0);
	message_unref(object);
	failure_clear(&failure);
	assert_int_equal(failure_to_json(&failure, &object), 0);
	assert_null(object);
}

static void test_job_round_trip(void **state _unused_)
{
	static const char text[] =
		"{\"id\":7,\"state\":\"failed\",\"request\":{\"ranges\":[{\"name\":\"ROM_0\","
		"\"start\":0}],\"method\":\"auto\",\"verify\":\"auto\",\"rebuild\":true,"
		"\"count\":1,\"priority\":0,\"after\":\"reset\"},\"owner\":4294967294,"
		"\"created\":\"2026-11-23T14:31:10Z\",\"started\":\"2026-11-23T14:31:11Z\","
		"\"finished\":\"2026-11-23T14:31:12Z\",\"port\":{\"slot\":\"a\","
		"\"device\":\"/dev/ttyACM0\",\"mode\":\"brom\",\"state\":\"failed\","
		"\"chip\":\"MT6261\",\"meid\":\"00\",\"job\":7,\"failure\":{\"code\":"
		"\"port-busy\",\"message\":\"m\"}},\"progress\":{\"phase\":\"read\",\"done\":1,"
		"\"total\":2,\"rate\":3,\"eta\":0.5},\"backup\":\"b\",\"failure\":{\"code\":"
		"\"device-lost\",\"message\":\"m\",\"hint\":\"h\"},\"attempts\":2}";
	_cleanup_message_ struct json_object *object = parse(text), *again = NULL;
	_cleanup_(job_clear) struct job job = { 0 };
	_cleanup_free_ char *written = NULL;

	assert_int_equal(job_from_json(object, &job, NULL), 0);
	assert_int_equal(job.owner, 4294967294);
	assert_int_equal(job.port.failure.code, FAILURE_PORT_BUSY);
	assert_int_equal(job_to_json(&job, &again), 0);
	assert_int_equal(message_to_text(again, &written), 0);
	assert_string_equal(written, text);
}

/* A queued job's reply with a member that we do not know, and more at its end. */
static char *with_tail(const char *tail)
{
	return str_format("{\"id\":1,\"state\":\"queued\",\"request\":{\"new\":1,\"ranges\":[{"
			  "\"start\":0,\"new\":1}]},\"owner\":0,"
			  "\"attempts\":0,\"created\":\"2026-11-23T14:31:10Z\","
			  "\"colour\":\"red\"%s}",
			  tail);
}

/* A newer daemon may say more; what it says must still have the right types. */
static void test_job_reply_grows(void **state _unused_)
{
	static const char *const bad[][2] = {
		{ ",\"started\":1", "started" },
		{ ",\"port\":{\"slot\":1}", "port.slot" },
		{ ",\"progress\":{\"phase\":\"none\"}", "progress.phase" },
		{ ",\"failure\":{\"code\":\"oops\"}", "failure.code" },
	};
	_cleanup_free_ char *good = with_tail("");
	_cleanup_message_ struct json_object *object = parse(good);
	_cleanup_(job_clear) struct job job = { 0 };

	assert_int_equal(job_from_json(object, &job, NULL), 0);
	assert_int_equal(job.progress.phase, PHASE_NONE);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ char *text = with_tail(bad[i][0]);
		_cleanup_message_ struct json_object *wrong = parse(text);
		struct problem problem;
		struct job none;

		assert_int_equal(job_from_json(wrong, &none, &problem), -EBADMSG);
		assert_string_equal(problem.field, bad[i][1]);
	}
}

static void test_backup_round_trip(void **state _unused_)
{
	static const char text[] =
		"{\"id\":\"i\",\"path\":\"/p\",\"created\":\"2026-11-23T14:31:10Z\","
		"\"chip\":\"MT6261\",\"size\":4194304,\"sha256\":"
		"\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\","
		"\"health\":0,\"labels\":{\"a\":\"b\"},\"job\":3}";
	_cleanup_message_ struct json_object *object = parse(text), *again = NULL;
	_cleanup_(backup_clear) struct backup backup = { 0 };
	_cleanup_free_ char *written = NULL;

	assert_int_equal(backup_from_json(object, &backup, NULL), 0);
	assert_int_equal(backup.health, 0);
	assert_int_equal(backup_to_json(&backup, &again), 0);
	assert_int_equal(message_to_text(again, &written), 0);
	assert_string_equal(written, text);
}

static void test_port_text(void **state _unused_)
{
	static const char text[] =
		"{\"slot\":\"a\",\"device\":\"/dev/pts/1\",\"mode\":\"auto\",\"state\":\"idle\"}";
	_cleanup_(port_clear) struct port port = { 0 }, copy = { 0 };
	_cleanup_free_ char *written = NULL;

	assert_int_equal(port_from_text(text, &port), 0);
	assert_int_equal(port_copy(&port, &copy), 0);
	assert_int_equal(port_to_text(&copy, &written), 0);
	assert_string_equal(written, text);
	assert_int_equal(port_from_text("{\"slot\":\"a\",\"device\":\"d\",\"mode\":\"x\","
					"\"state\":\"idle\"}",
					&copy),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_defaults),   cmocka_unit_test(test_request_whole),
		cmocka_unit_test(test_request_normalises), cmocka_unit_test(test_request_problems),
		cmocka_unit_test(test_request_limits),     cmocka_unit_test(test_labels),
		cmocka_unit_test(test_transitions),        cmocka_unit_test(test_words),
		cmocka_unit_test(test_failure_is_clean),   cmocka_unit_test(test_job_round_trip),
		cmocka_unit_test(test_job_reply_grows),    cmocka_unit_test(test_backup_round_trip),
		cmocka_unit_test(test_port_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
