/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Catalogue and directories that do not agree when the daemon starts: what it makes of them. */

#include "tests/integration/rig.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "daemon/store/store.h"
#include "protocol/base/strings.h"
#include "protocol/control/manifest.h"

#define MEID      "00112233445566778899aabbccddeeff"
#define SHA256    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SOME_TIME 1795444270000000ULL

/* Backups of three months of two years. */
#define OLDEST    "20251231T235959Z-MT6261-" MEID "-1"
#define NEW_YEAR  "20260101T000000Z-MT6261-" MEID "-2"
#define JANUARY   "20260102T080000Z-MT6261-" MEID "-3"
#define NOVEMBER  "20261123T143110Z-MT6261-" MEID "-4"
#define LATER     "20261123T143110Z-MT6261-" MEID "-41"
#define NEWEST    "20261130T200000Z-MT6261-" MEID "-5"
#define MOVED     "20261201T090000Z-MT6261-" MEID "-6"
#define MANY      600 /* more than are written at once, and than have a line each in the log */
#define MANY_TEXT "500 more backups"

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig_set_up(rig, NULL);
	assert_int_equal(mkdir(rig->state, 0750), 0);
	*state = rig;
	return 0;
}

static struct store *open_store(const struct rig *rig)
{
	_cleanup_free_ char *path = str_format("%s/mtkrbd.sqlite", rig->state);
	struct store *store;

	assert_int_equal(store_open(path, &store), 0);
	return store;
}

static struct manifest make_manifest(const char *id)
{
	static struct manifest_range rom = {
		.name = (char *)"ROM_0", .length = 4096, .file = (char *)"ROM_0", .sha256 = SHA256
	};

	return (struct manifest){
		.id = (char *)id,
		.created = SOME_TIME,
		.tool_version = (char *)"0.1.0",
		.watch = { .chip = (char *)"MT6261", .hw_code = 0x6261, .meid = (char *)MEID },
		.read = { .method = (char *)"brom",
			  .ranges = &rom,
			  .n_ranges = 1,
			  .verify_mode = (char *)"none" },
		.health = 97,
		.job = strtol(strrchr(id, '-') + 1, NULL, 10),
		.slot = (char *)"left",
	};
}

static void make_folder(const char *path)
{
	assert_true(mkdir(path, 0750) == 0 || errno == EEXIST);
}

static void put_directory_in(const struct rig *rig, const char *id, const char *month,
			     const char *manifest)
{
	_cleanup_free_ char *path = str_format("%s/backups/%s/%s", rig->state, month, id);
	_cleanup_free_ char *file = str_format("%s/" MANIFEST_FILE, path);
	FILE *f;

	for (char *slash = path + strlen(rig->state) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		make_folder(path);
		*slash = '/';
	}
	make_folder(path);
	f = fopen(file, "we");
	assert_non_null(f);
	assert_true(fputs(manifest, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* NULL: the manifest that it should have. */
static void put_directory(const struct rig *rig, const char *id, const char *text)
{
	_cleanup_free_ char *month = str_format("%.4s/%.2s", id, id + 4);
	const struct manifest manifest = make_manifest(id);
	_cleanup_free_ char *right = NULL;

	assert_int_equal(manifest_to_text(&manifest, &right), 0);
	put_directory_in(rig, id, month, text ?: right);
}

static void put_row(const struct rig *rig, struct store *store, const char *id, bool complete)
{
	_cleanup_free_ char *path =
		str_format("%s/backups/%.4s/%.2s/%s", rig->state, id, id + 4, id);
	const struct manifest manifest = make_manifest(id);
	struct backup backup;

	assert_int_equal(manifest_to_backup(&manifest, path, &backup), 0);
	assert_true(*backup.content);
	if (!complete)
		*backup.content = '\0';
	assert_int_equal(store_add_backup(store, &backup, NULL), 0);
	backup_clear(&backup);
}

static void assert_listed(const struct rig *rig, const char *const *ids, size_t n)
{
	_cleanup_message_ struct json_object *reply = rig_call(rig, "ListBackups", "{}", NULL);
	struct json_object *list = message_member(reply, "backups");

	assert_int_equal(message_length(list), n);
	for (size_t i = 0; i < n; i++) {
		bool found = false;

		for (size_t k = 0; k < n && !found; k++)
			found = streq(message_string(message_member(message_at(list, k), "id")),
				      ids[i]);
		if (!found)
			fail_msg("%s is not listed", ids[i]);
	}
}

static bool log_says(const struct rig *rig, const char *id, const char *what)
{
	_cleanup_free_ char *line = str_format("backup %s %s", id, what);

	return rig_log_has(rig, line);
}

#define ADDED   "added to the catalogue"
#define MISSING "is in the catalogue but not at"
#define NO_ROW  "is not in the catalogue and cannot be"

/* Each kind among the others; of those that are on both sides nothing but the name is looked at. */
static void test_each_among_others(void **state)
{
	static const char *const listed[] = { OLDEST, NEW_YEAR, JANUARY, LATER, NEWEST, MOVED };
	struct rig *rig = *state;
	struct store *store = open_store(rig);

	put_row(rig, store, OLDEST, true); /* and no folder of its year */
	put_directory(rig, NEW_YEAR, NULL);
	put_row(rig, store, JANUARY, true);
	put_directory(rig, JANUARY, "nobody reads this");
	put_directory(rig, NOVEMBER, "this is no manifest");
	put_directory(rig, LATER, NULL);
	put_row(rig, store, NEWEST, true);
	put_row(rig, store, MOVED, true);
	put_directory_in(rig, MOVED, "2026/11", "not where it belongs");
	store_close(store);
	rig_start(rig);
	assert_listed(rig, listed, ARRAY_SIZE(listed));
	for (size_t i = 0; i < ARRAY_SIZE(listed); i++) {
		const char *id = listed[i];
		bool added = streq(id, NEW_YEAR) || streq(id, LATER);

		assert_int_equal(log_says(rig, id, ADDED), added);
		assert_int_equal(log_says(rig, id, MISSING), !added && !streq(id, JANUARY));
		assert_false(log_says(rig, id, NO_ROW));
	}
	assert_true(log_says(rig, NOVEMBER, NO_ROW));
	assert_false(log_says(rig, NOVEMBER, ADDED));
}

/* A row of an earlier version gets what it lacks and keeps what only it knows. */
static void test_rows_of_an_earlier_version(void **state)
{
	struct rig *rig = *state;
	struct store *store = open_store(rig);
	struct backup backup;

	put_row(rig, store, NEW_YEAR, false);
	assert_int_equal(store_set_verified(store, NEW_YEAR, SOME_TIME + 7, true), 0);
	put_directory(rig, NEW_YEAR, NULL);
	put_row(rig, store, NOVEMBER, false);
	put_directory(rig, NOVEMBER, "this is no manifest");
	put_row(rig, store, NEWEST, false);
	store_close(store);
	rig_start(rig);
	assert_false(log_says(rig, NEW_YEAR, ADDED));
	assert_true(log_says(rig, NOVEMBER, "cannot be read, verify it"));
	assert_false(log_says(rig, NOVEMBER, MISSING));
	assert_true(log_says(rig, NEWEST, MISSING));
	assert_int_equal(rig_stop(rig, SIGTERM), 0);
	store = open_store(rig);
	assert_int_equal(store_get_backup(store, NEW_YEAR, &backup), 0);
	assert_int_equal(strlen(backup.content), DIGEST_HEX_SIZE - 1);
	assert_int_equal(backup.verified, SOME_TIME + 7);
	assert_true(backup.damaged);
	backup_clear(&backup);
	assert_int_equal(store_get_backup(store, NOVEMBER, &backup), 0);
	assert_string_equal(backup.content, "");
	backup_clear(&backup);
	store_close(store);
}

/* The daemon was killed between the rename and the commit: the job is done, and its backup is there. */
static void test_the_job_of_an_adopted_backup_is_done(void **state)
{
	static const char *const listed[] = { NEW_YEAR, OLDEST };
	struct rig *rig = *state;
	struct store *store = open_store(rig);
	struct job jobs[2] = { { .state = JOB_QUEUED, .created = SOME_TIME },
			       { .state = JOB_RUNNING, .created = SOME_TIME } };

	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		assert_int_equal(job_request_init(&jobs[i].request), 0);
	assert_int_equal(store_add_jobs(store, jobs, ARRAY_SIZE(jobs)), 0);
	assert_int_equal(jobs[1].id, 2);
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		job_clear(&jobs[i]);
	store_close(store);
	put_directory(rig, NEW_YEAR, NULL);
	put_directory(rig, OLDEST, NULL);
	rig_start(rig);
	assert_listed(rig, listed, ARRAY_SIZE(listed));
	jobs[1] = rig_job(rig, 2);
	assert_int_equal(jobs[1].state, JOB_DONE);
	assert_string_equal(jobs[1].backup, NEW_YEAR);
	job_clear(&jobs[1]);
	/* One that was not running when it was killed is no affair of the backup. */
	jobs[0] = rig_job(rig, 1);
	assert_int_equal(jobs[0].state, JOB_QUEUED);
	job_clear(&jobs[0]);
	assert_true(log_says(rig, NEW_YEAR, ADDED));
}

static void make_many(const struct rig *rig, char ids[MANY][96])
{
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "2026%02zu%02zuT143110Z-MT6261-" MEID "-%zu",
			       1 + i % 3, 1 + i % 28, i + 1);
		put_directory(rig, ids[i], NULL);
	}
}

static uint64_t count_backups(struct rig *rig)
{
	struct store_totals totals;
	struct store *store;

	assert_int_equal(rig_stop(rig, SIGTERM), 0);
	store = open_store(rig);
	assert_int_equal(store_get_totals(store, &totals), 0);
	store_close(store);
	return totals.backups;
}

/* A catalogue that was lost is made again, and a disk that is not mounted does not empty it. */
static void test_many(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *unmounts =
		str_format("mv '%s/backups' '%s/away'", rig->state, rig->directory);
	char(*ids)[96] = calloc(MANY, sizeof(*ids));

	assert_non_null(ids);
	make_many(rig, ids);
	rig_start(rig);
	assert_true(rig_log_has(rig, MANY_TEXT " added to the catalogue"));
	assert_int_equal(count_backups(rig), MANY);
	assert_int_equal(system(unmounts), 0);
	rig_start(rig);
	assert_true(rig_log_has(rig, MANY_TEXT " are in the catalogue but not where it has them"));
	assert_int_equal(count_backups(rig), MANY);
	free(ids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_among_others, set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_rows_of_an_earlier_version, set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_the_job_of_an_adopted_backup_is_done, set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, rig_test_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
