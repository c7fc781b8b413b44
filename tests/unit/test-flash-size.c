/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The decision table of flash-size. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/worker/flash-size.h"

#define M(n) ((uint64_t)(n) << 20)

struct row {
	const char *what;
	uint64_t bound;          /* of the firmware's tables */
	unsigned int parts[3];   /* MiB of the listed parts */
	uint64_t alias, data_at; /* of the probe */
	enum past_end past_end;
	uint64_t past_end_at;
	enum flash_size_verdict verdict;
	uint64_t size;
};

static const struct row rows[] = {
	{ "all agree", M(4), { 4 }, .alias = M(4), .verdict = FLASH_SIZE_AGREED, .size = M(4) },
	{ "wrap picks the part",
	  M(3),
	  { 4, 16 },
	  .alias = M(16),
	  .verdict = FLASH_SIZE_AGREED,
	  .size = M(16) },
	{ "wrap above the bound, no list",
	  M(3),
	  { 0 },
	  .alias = M(8),
	  .verdict = FLASH_SIZE_AGREED,
	  .size = M(8) },
	{ "wrap alone", 0, { 0 }, .alias = M(4), .verdict = FLASH_SIZE_AGREED, .size = M(4) },
	{ "wrap inside of the tables",
	  M(16),
	  { 16 },
	  .alias = M(4),
	  .verdict = FLASH_SIZE_CONTRADICTED },
	{ "wrap inside of the tables, part listed",
	  M(16),
	  { 4, 16 },
	  .alias = M(4),
	  .verdict = FLASH_SIZE_CONTRADICTED },
	{ "wrap where no part ends",
	  M(3),
	  { 4 },
	  .alias = M(8),
	  .verdict = FLASH_SIZE_CONTRADICTED },
	{ "nothing at all", 0, { 0 }, .verdict = FLASH_SIZE_UNKNOWN },
	{ "an error alone",
	  0,
	  { 0 },
	  .past_end = PAST_END_ERROR,
	  .past_end_at = M(4),
	  .verdict = FLASH_SIZE_UNKNOWN },
	{ "tables and erased",
	  M(4),
	  { 4 },
	  .past_end = PAST_END_ERASED,
	  .past_end_at = M(2),
	  .verdict = FLASH_SIZE_AGREED,
	  .size = M(4) },
	{ "tables and an error",
	  M(4),
	  { 4 },
	  .past_end = PAST_END_ERROR,
	  .past_end_at = M(4),
	  .verdict = FLASH_SIZE_AGREED,
	  .size = M(4) },
	{ "tables and silence",
	  M(4),
	  { 4, 16 },
	  .past_end = PAST_END_SILENT,
	  .past_end_at = M(4),
	  .verdict = FLASH_SIZE_AGREED,
	  .size = M(4) },
	{ "error leaves one part",
	  M(3),
	  { 4, 16 },
	  .past_end = PAST_END_ERROR,
	  .past_end_at = M(4),
	  .verdict = FLASH_SIZE_AGREED,
	  .size = M(4) },
	{ "error inside of the tables",
	  M(16),
	  { 16 },
	  .past_end = PAST_END_ERROR,
	  .past_end_at = M(4),
	  .verdict = FLASH_SIZE_CONTRADICTED },
	{ "two parts fit, tables end on one",
	  M(4),
	  { 4, 16 },
	  .past_end = PAST_END_ERASED,
	  .past_end_at = M(4),
	  .verdict = FLASH_SIZE_AGREED,
	  .size = M(4) },
	{ "two parts fit, tables end on none",
	  M(3),
	  { 4, 16 },
	  .past_end = PAST_END_ERASED,
	  .past_end_at = M(4),
	  .verdict = FLASH_SIZE_UNKNOWN },
	{ "one part fits",
	  M(5),
	  { 4, 16 },
	  .past_end = PAST_END_ERASED,
	  .past_end_at = M(8),
	  .verdict = FLASH_SIZE_AGREED,
	  .size = M(16) },
	{ "no part is large enough", M(5), { 1, 4 }, .verdict = FLASH_SIZE_CONTRADICTED },
	{ "content behind every part",
	  M(4),
	  { 4 },
	  .data_at = M(4),
	  .verdict = FLASH_SIZE_CONTRADICTED },
	{ "content picks the part",
	  M(3),
	  { 4, 16 },
	  .data_at = M(8),
	  .verdict = FLASH_SIZE_AGREED,
	  .size = M(16) },
	{ "no list, tables end on a size",
	  M(4),
	  { 0 },
	  .verdict = FLASH_SIZE_AGREED,
	  .size = M(4) },
	{ "no list, tables end between", M(3), { 0 }, .verdict = FLASH_SIZE_UNKNOWN },
	{ "no list, error at the next size",
	  M(3),
	  { 0 },
	  .past_end = PAST_END_ERROR,
	  .past_end_at = M(4),
	  .verdict = FLASH_SIZE_AGREED,
	  .size = M(4) },
	{ "no list, error further up",
	  M(3),
	  { 0 },
	  .past_end = PAST_END_ERROR,
	  .past_end_at = M(8),
	  .verdict = FLASH_SIZE_UNKNOWN },
};

static void make(const struct row *row, struct flash_facts *facts, struct address_alias *alias)
{
	*facts = (struct flash_facts){ .control_end = row->bound };
	for (size_t i = 0; i < 3 && row->parts[i]; i++)
		facts->parts[facts->n_parts++] = (struct flash_part){ .size = M(row->parts[i]) };
	*alias = (struct address_alias){
		.size = row->alias,
		.places = row->alias ? 8 : 0,
		.data_at = row->data_at,
		.probed = M(16),
		.past_end = row->past_end,
		.past_end_at = row->past_end_at,
	};
}

static void test_decisions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct flash_facts facts;
		struct address_alias alias;
		const char *reason = NULL;
		uint64_t size = 0;

		make(&rows[i], &facts, &alias);
		if (flash_size_decide(&facts, &alias, &size, &reason) != rows[i].verdict)
			fail_msg("%s: wrong verdict: %s", rows[i].what, reason);
		if (size != rows[i].size)
			fail_msg("%s: wrong size 0x%llx", rows[i].what, (unsigned long long)size);
		assert_non_null(reason);
	}
}

static void test_blank(void **state)
{
	struct flash_facts facts = { 0 };
	struct address_alias alias = { .blank = true };
	const char *reason;
	uint64_t size;

	(void)state;
	assert_int_equal(flash_size_decide(&facts, &alias, &size, &reason), FLASH_SIZE_UNKNOWN);
	assert_string_equal(reason, "the flash looks empty");
}

static void test_largest(void **state)
{
	struct flash_facts facts = { 0 };

	(void)state;
	assert_int_equal(flash_size_largest(&facts), 0);
	facts.user_end = M(3);
	assert_int_equal(flash_size_largest(&facts), M(4));
	facts.parts[0].size = M(16);
	facts.n_parts = 1;
	assert_int_equal(flash_size_largest(&facts), M(16));
}

static const struct evidence *find(const struct evidence_list *list, const char *source)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i].source, source) == 0)
			return &list->items[i];
	return NULL;
}

static void test_words(void **state)
{
	struct flash_facts facts = { .user_begin = M(1), .user_end = M(3), .n_parts = 1 };
	struct address_alias alias = {
		.probed = M(8),
		.past_end = PAST_END_ERASED,
		.past_end_at = M(2),
	};
	struct evidence_list list = { 0 };
	_cleanup_free_ char *line = NULL;

	(void)state;
	facts.parts[0] = (struct flash_part){
		.id = { 0xc2, 0x25, 0x36 }, .id_length = 3, .size = M(4)
	};
	assert_int_equal(flash_size_describe(&facts, &alias, &list), 0);
	assert_int_equal(find(&list, "flash-info")->size, M(3));
	assert_int_equal(find(&list, "cmem-id-info")->size, M(4));
	assert_non_null(strstr(find(&list, "cmem-id-info")->text, "c22536 = Macronix MX25U3235E/F, 4.0 MiB"));
	assert_string_equal(find(&list, "past-end")->text, "past the end: erased (from 0x400000)");
	line = evidence_to_line(&list);
	assert_non_null(strstr(line, "; address-alias: no wrap up to 0x800000; past-end: "));
	evidence_clear(&list);

	facts = (struct flash_facts){ 0 };
	alias = (struct address_alias){ .size = M(4), .places = 8 };
	assert_int_equal(flash_size_describe(&facts, &alias, &list), 0);
	assert_int_equal(find(&list, "address-alias")->size, M(4));
	assert_non_null(strstr(find(&list, "address-alias")->text, "no firmware tables"));
	evidence_clear(&list);
}

/* With a download agent's report: agreed unless anything speaks against it. */
static void test_reports(void **state)
{
	static const struct {
		uint64_t bound, part, alias, id_size; /* 0: not told */
		enum flash_size_verdict verdict;
	} cases[] = {
		{ 0, 0, 0, 0, FLASH_SIZE_AGREED },
		{ 0, 0, 0, M(4), FLASH_SIZE_AGREED },
		{ M(3), M(4), 0, M(4), FLASH_SIZE_AGREED },
		{ M(4), 0, M(4), 0, FLASH_SIZE_AGREED },
		{ 0, 0, 0, M(8), FLASH_SIZE_CONTRADICTED },
		{ 0, 0, M(2), M(4), FLASH_SIZE_CONTRADICTED },
		{ M(4) + 1, 0, 0, M(4), FLASH_SIZE_CONTRADICTED },
		{ M(3), M(8), 0, M(4), FLASH_SIZE_CONTRADICTED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct flash_report report = { .size = M(4), .part_size = cases[i].id_size };
		const struct address_alias alias = { .size = cases[i].alias };
		struct flash_facts facts = { .usable_end = cases[i].bound };
		const char *reason = NULL;
		uint64_t size = 0;

		facts.n_parts = cases[i].part > 0;
		facts.parts[0].size = cases[i].part;
		assert_int_equal(
			flash_size_decide_reported(&facts, &alias, &report, &size, &reason),
			cases[i].verdict);
		assert_non_null(reason);
		assert_int_equal(size, cases[i].verdict == FLASH_SIZE_AGREED ? M(4) : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decisions),
		cmocka_unit_test(test_blank),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_reports),
	};

	return cmocka_run_group_tests_name("flash-size", tests, NULL, NULL);
}
