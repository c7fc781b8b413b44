/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/store-place.h"

#include <errno.h>

#include "daemon/store/internal.h"

#define OTHER_SHA256 "ab34567890b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b"

static void add(struct place *place, const struct backup *backup)
{
	assert_int_equal(store_add_backup(place->store, backup, NULL), 0);
}

/* The first letters of the ids, in the order they come. */
static void assert_found(struct place *place, struct backup_filter filter, const char *expected)
{
	char found[32] = "";
	struct backup *backups;
	size_t n;

	assert_int_equal(store_list_backups(place->store, &filter, &backups, &n), 0);
	assert_true(n < sizeof(found));
	for (size_t i = 0; i < n; i++)
		found[i] = backups[i].id[0];
	free_backups(backups, n);
	assert_string_equal(found, expected);
}

/* From the oldest: a is MT6261 and sound, b another firmware, c of another watch and weak. */
static void add_three(struct place *place)
{
	struct backup backup = make_backup("a", SOME_TIME, 2);

	backup.firmware = (char *)"SHOP_MT6261_S00 11C_V12";
	add(place, &backup);
	backup = make_backup("b", SOME_TIME + 1, 1);
	backup.firmware = (char *)"SHOP_MT6261_S00 50%_V13";
	backup.sha256 = (char *)OTHER_SHA256;
	backup.health = -1;
	add(place, &backup);
	backup = make_backup("c", SOME_TIME + 2, 0);
	backup.meid = (char *)"ffffffff";
	backup.health = 40;
	add(place, &backup);
}

static void test_conditions(void **state)
{
	struct place *place = *state;

	add_three(place);
	assert_found(place, (struct backup_filter){ .until = SOME_TIME + 1 }, "ba");
	assert_found(place,
		     (struct backup_filter){ .since = SOME_TIME + 1, .until = SOME_TIME + 1 }, "b");
	assert_found(place, (struct backup_filter){ .firmware = "shop_mt6261_s00 11c_v12" }, "a");
	assert_found(place, (struct backup_filter){ .firmware = "SHOP_MT6261_S00" }, "");
	assert_found(place, (struct backup_filter){ .sha256 = "ab345678" }, "b");
	assert_found(place, (struct backup_filter){ .sha256 = "AB345678" }, "b");
	assert_found(place, (struct backup_filter){ .sha256 = OTHER_SHA256 }, "b");
	assert_found(place, (struct backup_filter){ .sha256 = SHA256 }, "ca");
	assert_found(place, (struct backup_filter){ .sha256 = "ab345679" }, "");
	assert_found(
		place,
		(struct backup_filter){ .has_health = true, .health_min = 0, .health_max = 89 },
		"c");
	assert_found(
		place,
		(struct backup_filter){ .has_health = true, .health_min = 90, .health_max = 100 },
		"a");
	assert_found(place,
		     (struct backup_filter){ .chip = "mt6261",
					     .has_health = true,
					     .health_max = 100,
					     .until = SOME_TIME },
		     "a");
	/* c is the only one of its watch, b the newest. */
	assert_found(place, (struct backup_filter){ .has_newer = true, .oldest_first = true }, "a");
}

#define WORDS(...)                                     \
	.words = (const char *const[]){ __VA_ARGS__ }, \
	.n_words = sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *)

/* A word is itself: what LIKE takes for more is no more. */
static void test_words(void **state)
{
	struct place *place = *state;

	add_three(place);
	assert_found(place, (struct backup_filter){ WORDS("ffff") }, "c");
	assert_found(place, (struct backup_filter){ WORDS("o'hara") }, "a");
	assert_found(place, (struct backup_filter){ WORDS("mt62") }, "cba");
	assert_found(place, (struct backup_filter){ WORDS("mt62", "4711") }, "ba");
	assert_found(place, (struct backup_filter){ WORDS("_v1") }, "ba");
	assert_found(place, (struct backup_filter){ WORDS("%") }, "b");
	assert_found(place, (struct backup_filter){ WORDS("0%_") }, "b");
	assert_found(place, (struct backup_filter){ WORDS("1_6261") }, "");
	assert_found(place, (struct backup_filter){ WORDS("\\") }, "");
	assert_found(place, (struct backup_filter){ WORDS("4711", "fff") }, "");
	assert_found(place,
		     (struct backup_filter){ WORDS("4711"), .labels = &shop[1], .n_labels = 1 },
		     "a");
}

/* Pages show every backup once, also when one was removed between two of them. */
static void test_pages(void **state)
{
	static const char *const ids[] = {
		"20261123T143110Z-MT6261-a-1",
		"20261123T143110Z-MT6261-b-2",
		"20261123T143110Z-MT6261-c-3",
		"20261123T143111Z-MT6261-a-4",
	};
	const uint64_t second = 1795444270000000ULL; /* 14:31:10 */
	struct place *place = *state;
	struct backup *backups;
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		struct backup backup = make_backup(ids[i], second + (i == 3) * 1000000, 0);

		add(place, &backup);
	}
	for (size_t i = ARRAY_SIZE(ids); i > 0; i--) {
		struct backup_filter filter = { .limit = 1,
						.before = i < ARRAY_SIZE(ids) ? ids[i] : NULL };

		assert_int_equal(store_list_backups(place->store, &filter, &backups, &n), 0);
		assert_int_equal(n, 1);
		assert_string_equal(backups[0].id, ids[i - 1]);
		free_backups(backups, n);
		if (i < ARRAY_SIZE(ids)) /* the next page begins behind one that is gone */
			assert_int_equal(store_remove_backup(place->store, ids[i]), 0);
	}
	assert_int_equal(store_list_backups(place->store,
					    &(struct backup_filter){ .before = "no id at all" },
					    &backups, &n),
			 -EINVAL);
}

static void assert_identical(struct place *place, const char *id, const char *expected)
{
	struct backup backup;

	assert_int_equal(store_get_backup(place->store, id, &backup), 0);
	if (expected)
		assert_string_equal(backup.identical_to, expected);
	else
		assert_null(backup.identical_to);
	backup_clear(&backup);
}

/* Each names the oldest of the others; a damaged one is nobody's twin. */
static void test_identical(void **state)
{
	struct place *place = *state;
	struct backup backup;
	char *twin = NULL;

	assert_int_equal(store_find_twin(place->store, SHA256, &twin), -ENOENT);
	for (size_t i = 0; i < 4; i++) {
		const char *const ids[] = { "a", "b", "c", "d" };

		backup = make_backup(ids[i], SOME_TIME + i, 0);
		if (i < 3) /* the last is of version 1: nobody knows what is in it */
			memcpy(backup.content, i == 1 ? OTHER_SHA256 : SHA256, DIGEST_HEX_SIZE);
		add(place, &backup);
	}
	assert_identical(place, "a", "c");
	assert_identical(place, "b", NULL);
	assert_identical(place, "c", "a");
	assert_identical(place, "d", NULL);
	assert_int_equal(store_find_twin(place->store, SHA256, &twin), 0);
	assert_string_equal(twin, "a");
	free(TAKE_PTR(twin));
	assert_int_equal(store_set_verified(place->store, "a", SOME_TIME, true), 0);
	assert_int_equal(store_find_twin(place->store, SHA256, &twin), 0);
	assert_string_equal(twin, "c");
	free(twin);
	assert_int_equal(store_remove_backup(place->store, "a"), 0);
	assert_identical(place, "c", NULL);
}

/* In order of id, not of time; of a row of version 1 it is told that it is one. */
static void test_keys(void **state)
{
	const char *const ids[] = { "c", "a-10", "b", "a-1", "B" };
	const char *const sorted[] = { "B", "a-1", "a-10", "b", "c" };
	struct place *place = *state;
	struct backup_key *keys;
	size_t n;

	assert_int_equal(store_list_backup_keys(place->store, &keys, &n), 0);
	assert_int_equal(n, 0);
	backup_keys_free(keys, n);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		struct backup backup = make_backup(ids[i], SOME_TIME + i, 1);

		if (i != 2)
			memcpy(backup.content, SHA256, DIGEST_HEX_SIZE);
		add(place, &backup);
	}
	assert_int_equal(store_list_backup_keys(place->store, &keys, &n), 0);
	assert_int_equal(n, ARRAY_SIZE(ids));
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(keys[i].id, sorted[i]);
		assert_int_equal(keys[i].complete, !streq(sorted[i], "b"));
	}
	backup_keys_free(keys, n);
}

static void test_verification(void **state)
{
	struct place *place = *state;
	struct backup backup;

	add_three(place);
	assert_found(place, (struct backup_filter){ .not_verified_since = SOME_TIME }, "abc");
	assert_int_equal(store_set_verified(place->store, "a", SOME_TIME + 5, false), 0);
	assert_int_equal(store_set_verified(place->store, "c", SOME_TIME + 3, true), 0);
	assert_int_equal(store_set_verified(place->store, "z", SOME_TIME, false), -ENOENT);
	reopen(place);
	assert_found(place, (struct backup_filter){ .not_verified_since = SOME_TIME }, "b");
	assert_found(place, (struct backup_filter){ .not_verified_since = SOME_TIME + 9 }, "bca");
	assert_found(place,
		     (struct backup_filter){ .not_verified_since = SOME_TIME + 9, .limit = 2 },
		     "bc");
	assert_found(place, (struct backup_filter){ .damaged = true }, "c");
	assert_int_equal(store_get_backup(place->store, "c", &backup), 0);
	assert_true(backup.damaged);
	assert_int_equal(backup.verified, SOME_TIME + 3);
	backup_clear(&backup);
	/* Restored from another copy, and found whole. */
	assert_int_equal(store_set_verified(place->store, "c", SOME_TIME + 7, false), 0);
	assert_found(place, (struct backup_filter){ .damaged = true }, "");
}

/* What SQLite is going to do for a list. */
static void read_plan(struct place *place, const struct backup_filter *filter, char *plan,
		      size_t size)
{
	sqlite3_stmt *statement;
	char *sql, *explain;

	assert_int_equal(store_backup_query(filter, &sql), 0);
	explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
	assert_int_equal(sqlite3_prepare_v2(place->store->db, explain, -1, &statement, NULL),
			 SQLITE_OK);
	*plan = '\0';
	while (sqlite3_step(statement) == SQLITE_ROW) {
		size_t n = strlen(plan);

		(void)snprintf(plan + n, size - n, "%s\n", sqlite3_column_text(statement, 3));
	}
	(void)sqlite3_finalize(statement);
	sqlite3_free(explain);
	sqlite3_free(sql);
}

/* With a hundred thousand backups nothing that has an index may look at all of them, or sort them. */
static void test_plans_use_indices(void **state)
{
	struct place *place = *state;
	const struct {
		struct backup_filter filter;
		const char *index;
		bool sorts; /* a few of them */
	} plans[] = {
		{ { .limit = 1 }, "backup_by_time", false },
		{ { .since = 1 }, "backup_by_time", false },
		{ { .until = 1, .before = "x" }, "backup_by_time", false },
		{ { .chip = "x" }, "backup_by_chip", false },
		{ { .chip = "x", .before = "x" }, "backup_by_chip", false },
		{ { .meid = "x", .since = 1 }, "backup_by_meid", false },
		{ { .firmware = "x" }, "backup_by_firmware", false },
		{ { .sha256 = "x" }, "backup_by_digest", true },
		{ { .damaged = true }, "backup_damaged", false },
		{ { .has_newer = true, .oldest_first = true },
		  "backup_by_meid (meid=? AND created>?)",
		  false },
		{ { .not_verified_since = 1 }, "backup_by_verification", false },
		{ { .labels = shop, .n_labels = 1 }, "SEARCH tag USING PRIMARY KEY", false },
		{ { .labels = shop, .n_labels = 2, .before = "x", .chip = "x" },
		  "SEARCH tag USING PRIMARY KEY (key=? AND value=? AND backup<?)",
		  false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(plans); i++) {
		char plan[1024];

		read_plan(place, &plans[i].filter, plan, sizeof(plan));
		if (!strstr(plan, plans[i].index) ||
		    (strstr(plan, "TEMP B-TREE") && !plans[i].sorts) ||
		    (strstr(plan, "SCAN backup") && !strstr(plan, "SCAN backup USING INDEX")) ||
		    !strstr(plan, "backup_by_content (content=?)"))
			fail_msg("plan %zu:\n%s", i, plan);
		if (i == ARRAY_SIZE(plans) - 1) /* those with the label only */
			assert_non_null(strstr(plan, "SEARCH backup USING PRIMARY KEY"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_conditions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_words, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pages, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_identical, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_keys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_verification, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_plans_use_indices, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("store-backup-list", tests, NULL, NULL);
}
