/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "protocol/base/strings.h"
#include "protocol/control/limits.h"
#include "protocol/control/manifest.h"
#include "protocol/control/message.h"

#define ID     "20261123T143110Z-MT6261-00112233445566778899aabbccddeeff-7"
#define DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* One line a member that the problem cases replace. */
static const char *const good[] = {
	"{\"format\":1,",
	"\"id\":\"" ID "\",",
	"\"created\":\"2026-11-23T14:31:10Z\",",
	"\"tool\":{\"name\":\"mtkrbd\",\"version\":\"0.1.0\"},",
	"\"watch\":{\"chip\":\"MT6261\",\"hw_code\":25185,\"hw_version\":51968,\"sw_version\":1,",
	"\"meid\":\"00112233445566778899aabbccddeeff\",\"firmware\":\"SHOP_MT6261_S00 V12\",",
	"\"flash\":{\"jedec\":\"c84016\",\"size\":4194304,\"evidence\":["
	"{\"source\":\"address-alias\",\"text\":\"repeats after 4 MiB\",\"size\":4194304},"
	"{\"source\":\"request\",\"text\":\"nothing said\"}]}},",
	"\"read\":{\"method\":\"brom\",",
	"\"ranges\":[{\"name\":\"boot\",\"start\":0,\"length\":4096,\"file\":\"boot\","
	"\"sha256\":\"" DIGEST "\"},{\"name\":\"rest\",\"start\":4096,\"length\":1048576,"
	"\"file\":\"rest\",\"sha256\":\"" DIGEST "\"}],",
	"\"seconds\":12.5,\"retries\":1,\"resumed\":true,",
	"\"verify\":{\"mode\":\"full\",\"bytes\":1052672,\"ok\":true}},",
	"\"health\":97,\"coverage\":{\"firmware\":3000,\"digest\":100,\"structure\":900,"
	"\"unproven\":2000},\"rebuild\":{\"ok\":true,\"detail\":\"4 firmware files\"},",
	"\"labels\":{\"ticket\":\"4711\"},",
	"\"job\":7,",
	"\"slot\":\"left\"}",
};

static char *text_with(size_t line, const char *replacement)
{
	char *text = calloc(1, 4096);
	char *end = text;

	assert_non_null(text);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		end = stpcpy(end, i == line ? replacement : good[i]);
	return text;
}

static void test_round_trip(void **state _unused_)
{
	_cleanup_(manifest_clear) struct manifest manifest = { 0 }, again = { 0 };
	_cleanup_free_ char *text = text_with(SIZE_MAX, NULL), *a = NULL, *b = NULL, *line = NULL;
	_cleanup_message_ struct json_object *object = NULL;
	struct problem problem;

	assert_int_equal(manifest_from_text(text, &manifest, &problem), 0);
	assert_int_equal(manifest.watch.n_evidence, 2);
	assert_int_equal(manifest.read.ranges[1].length, 1048576);
	assert_string_equal(manifest.read.ranges[0].sha256, DIGEST);
	assert_int_equal(manifest_to_text(&manifest, &a), 0);
	assert_int_equal(a[strlen(a) - 1], '\n');
	assert_int_equal(manifest_from_text(a, &again, &problem), 0);
	assert_int_equal(manifest_to_text(&again, &b), 0);
	assert_string_equal(a, b);
	/* Nothing was lost on the way. */
	assert_int_equal(message_parse(a, strlen(a), &object), 0);
	assert_int_equal(message_to_text(object, &line), 0);
	assert_string_equal(line, text);
}

static void test_problems(void **state _unused_)
{
	static const struct {
		size_t line;
		const char *text, *field;
	} cases[] = {
		{ 0, "{\"format\":\"1\",", "format" },
		{ 0, "{", "format" },
		{ 1, "", "id" },
		{ 1, "\"id\":\"../../x\",", "id" },
		{ 2, "\"created\":1,", "created" },
		{ 3, "\"tool\":{\"name\":\"x\"},", "tool.version" },
		{ 4,
		  "\"watch\":{\"chip\":\"MT/61\",\"hw_code\":1,\"hw_version\":1,\"sw_version\":1,",
		  "watch.chip" },
		{ 4,
		  "\"watch\":{\"chip\":\"x\",\"hw_code\":4294967296,\"hw_version\":1,"
		  "\"sw_version\":1,",
		  "watch.hw_code" },
		{ 5, "\"firmware\":\"\",", "watch.firmware" },
		{ 5, "\"firmware\":\"a\\u001bc\",", "watch.firmware" },
		{ 6, "\"flash\":{\"evidence\":[{\"source\":\"a\"}]}},",
		  "watch.flash.evidence[0].text" },
		{ 7, "\"read\":{\"method\":\"magic\",", "read.method" },
		{ 8, "\"ranges\":[],", "read.ranges" },
		{ 8,
		  "\"ranges\":[{\"name\":\"a\",\"start\":0,\"length\":1,\"file\":\"../a\","
		  "\"sha256\":\"" DIGEST "\"}],",
		  "read.ranges[0].file" },
		{ 8,
		  "\"ranges\":[{\"name\":\"a\",\"start\":0,\"length\":1,\"file\":\"a\","
		  "\"sha256\":\"E3B0\"}],",
		  "read.ranges[0].sha256" },
		{ 8,
		  "\"ranges\":[{\"name\":\"a\",\"start\":1,\"length\":268435456,\"file\":\"a\","
		  "\"sha256\":\"" DIGEST "\"}],",
		  "read.ranges[0].length" },
		{ 8,
		  "\"ranges\":[{\"name\":\"a\",\"start\":0,\"length\":1,\"file\":\"a\","
		  "\"sha256\":\"" DIGEST "\"},{\"name\":\"b\",\"start\":0,\"length\":1,"
		  "\"file\":\"a\",\"sha256\":\"" DIGEST "\"}],",
		  "read.ranges[1].file" },
		{ 9, "\"seconds\":-1,\"retries\":1,\"resumed\":true,", "read.seconds" },
		{ 10, "\"verify\":{\"mode\":\"auto\",\"bytes\":1,\"ok\":true}},",
		  "read.verify.mode" },
		{ 11, "\"health\":101,", "health" },
		{ 11, "\"coverage\":{\"firmware\":1,\"digest\":1,\"structure\":0},",
		  "coverage.unproven" },
		{ 11, "\"rebuild\":{\"detail\":\"x\"},", "rebuild.ok" },
		{ 11, "\"rebuild\":{\"ok\":true,\"detail\":\"\\u001b[2J\"},", "rebuild.detail" },
		{ 12, "\"labels\":null,", "labels" },
		{ 13, "\"job\":-1,", "job" },
		{ 13, "\"job\":7,\"extra\":1,", "extra" },
		{ 14, "\"slot\":\"left\"", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = text_with(cases[i].line, cases[i].text);
		struct manifest manifest;
		struct problem problem;

		if (manifest_from_text(text, &manifest, &problem) != -EBADMSG)
			fail_msg("taken: %s", cases[i].text);
		assert_string_equal(problem.field, cases[i].field);
	}
}

static void test_other_format(void **state _unused_)
{
	_cleanup_free_ char *text = text_with(0, "{\"format\":2,\"new\":1,");
	struct manifest manifest;
	struct problem problem;

	assert_int_equal(manifest_from_text(text, &manifest, &problem), -EPROTONOSUPPORT);
}

static void test_too_long(void **state _unused_)
{
	_cleanup_free_ char *text = malloc(LIMIT_MANIFEST_BYTES + 2);
	struct manifest manifest;
	struct problem problem;

	assert_non_null(text);
	memset(text, ' ', LIMIT_MANIFEST_BYTES + 1);
	text[LIMIT_MANIFEST_BYTES + 1] = '\0';
	assert_int_equal(manifest_from_text(text, &manifest, &problem), -EBADMSG);
}

static void test_backup(void **state _unused_)
{
	_cleanup_(manifest_clear) struct manifest manifest = { 0 };
	_cleanup_(backup_clear) struct backup backup = { 0 };
	_cleanup_free_ char *text = text_with(SIZE_MAX, NULL);

	assert_int_equal(manifest_from_text(text, &manifest, NULL), 0);
	assert_int_equal(manifest_to_backup(&manifest, "/backups/x", &backup), 0);
	assert_string_equal(backup.id, ID);
	assert_string_equal(backup.path, "/backups/x");
	assert_int_equal(backup.size, 4096 + 1048576);
	assert_string_equal(backup.sha256, DIGEST);
	assert_int_equal(backup.n_labels, 1);
	assert_int_equal(backup.health, 97);
	assert_string_equal(backup.firmware, "SHOP_MT6261_S00 V12");
}

/* The same bytes at the same places, whatever else differs; and not when one of them lies elsewhere. */
static void test_content(void **state _unused_)
{
	_cleanup_(manifest_clear) struct manifest manifest = { 0 };
	_cleanup_(backup_clear) struct backup first = { 0 }, second = { 0 }, third = { 0 };
	_cleanup_free_ char *text = text_with(SIZE_MAX, NULL);
	struct problem problem;

	assert_int_equal(manifest_from_text(text, &manifest, &problem), 0);
	assert_int_equal(manifest_to_backup(&manifest, "/a", &first), 0);
	assert_int_equal(strlen(first.content), DIGEST_HEX_SIZE - 1);
	manifest.job = 8;
	manifest.read.ranges[0].name[0] = 'x';
	assert_int_equal(manifest_to_backup(&manifest, "/b", &second), 0);
	assert_string_equal(first.content, second.content);
	manifest.read.ranges[1].start += 4096;
	assert_int_equal(manifest_to_backup(&manifest, "/c", &third), 0);
	assert_string_not_equal(first.content, third.content);
}

/* The good manifest's ranges lie side by side, from 0 to 1052672. */
static void test_covers(void **state _unused_)
{
	static const struct {
		uint64_t start, length;
		bool covered;
	} cases[] = {
		{ 0, 1052672, true },     { 0, 4096, true },       { 4095, 2, true },
		{ 1052671, 1, true },     { 0, 1052673, false },   { 1052672, 1, false },
		{ 1 << 30, 4096, false }, { INT64_MAX, 1, false },
	};
	_cleanup_(manifest_clear) struct manifest manifest = { 0 };
	_cleanup_free_ char *text = text_with(SIZE_MAX, NULL);
	struct problem problem;

	assert_int_equal(manifest_from_text(text, &manifest, &problem), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct manifest_range range = { .start = cases[i].start,
						.length = cases[i].length };
		struct manifest other = { .read = { .ranges = &range, .n_ranges = 1 } };

		if (manifest_covers(&manifest, &other) != cases[i].covered)
			fail_msg("%d, %d", (int)cases[i].start, (int)cases[i].length);
	}
}

static void test_ids(void **state _unused_)
{
	static const char *const valid[] = {
		ID,
		"20261123T143110Z-MT6261-usb-0:2:1.0-12",
		"20261123T143110Z-0x1234-s-1",
	};
	static const char *const invalid[] = {
		"",
		"x",
		"..",
		"20261123T143110Z",
		"20261123T143110Z-",
		"20261123T143110Z-a-b-",
		"20261123T143110Z-a-b-x",
		"20261123T143110Z-a-1",
		"20261123T143110Z--b-1",
		"20261123T143110Z-a--1",
		"2026112xT143110Z-a-b-1",
		"20261123T143110Z-a-b/c-1",
		"20261123T143110Z-a-..-1",
		"20261123T143110Z-a-b-1/..",
	};
	_cleanup_free_ char *longest = str_format("20261123T143110Z-a-%0190d-1", 0);

	for (size_t i = 0; i < ARRAY_SIZE(valid); i++)
		assert_true(backup_id_is_valid(valid[i]));
	for (size_t i = 0; i < ARRAY_SIZE(invalid); i++)
		assert_false(backup_id_is_valid(invalid[i]));
	assert_false(backup_id_is_valid(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_problems),
		cmocka_unit_test(test_other_format), cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_backup),       cmocka_unit_test(test_ids),
		cmocka_unit_test(test_content),      cmocka_unit_test(test_covers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
