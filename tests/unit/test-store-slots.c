/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/store-place.h"

#include <errno.h>
#include <sqlite3.h>

#include "daemon/policy/slot-settings.h"
#include "protocol/control/audit.h"

static struct slot_setting *say(struct slot_settings *settings, const char *place, const char *name)
{
	struct slot_setting *setting;

	assert_int_equal(slot_settings_add(settings, place, name, &setting), 0);
	return setting;
}

static void save(struct place *place, const struct slot_settings *settings)
{
	assert_int_equal(store_save_slots(place->store, settings, 7, "left", "name=left"), 0);
}

static void test_round_trip(void **state)
{
	struct place *place = *state;
	_cleanup_(slot_settings_clear) struct slot_settings settings = { 0 }, back = { 0 };
	struct slot_setting *setting;

	assert_int_equal(store_load_slots(place->store, &back), 0);
	assert_int_equal(back.n, 0);
	say(&settings, "usb-0:9", "z");
	setting = say(&settings, "usb-0:1", "left 'ä'");
	setting->exclusion = SLOT_EXCLUDED;
	assert_int_equal(str_replace(&setting->rule, "slow"), 0);
	assert_int_equal(labels_set(&setting->labels, &setting->n_labels, "customer", "a \"b\""),
			 0);
	say(&settings, "usb-0:2", NULL);
	save(place, &settings);
	reopen(place);

	assert_int_equal(store_load_slots(place->store, &back), 0);
	assert_int_equal(back.n, 3);
	assert_string_equal(back.list[0].place, "usb-0:9");
	assert_string_equal(back.list[0].name, "z");
	assert_int_equal(back.list[0].exclusion, SLOT_EXCLUSION_UNSAID);
	assert_null(back.list[0].rule);
	assert_int_equal(back.list[0].n_labels, 0);
	assert_string_equal(back.list[1].name, "left 'ä'");
	assert_int_equal(back.list[1].exclusion, SLOT_EXCLUDED);
	assert_string_equal(back.list[1].rule, "slow");
	assert_int_equal(back.list[1].n_labels, 1);
	assert_string_equal(back.list[1].labels[0].value, "a \"b\"");
	assert_null(back.list[2].name);
}

/* All of the old goes with what comes, and the audit says whose word it was. */
static void test_replaced(void **state)
{
	struct place *place = *state;
	_cleanup_(slot_settings_clear) struct slot_settings settings = { 0 }, back = { 0 };
	struct audit_filter all = { 0 };
	struct audit_entry *entries;
	size_t n;

	say(&settings, "usb-0:1", "left");
	say(&settings, "usb-0:2", "right");
	save(place, &settings);
	slot_settings_move(&settings, 1, 0);
	save(place, &settings);
	slot_settings_remove(&settings, 1);
	save(place, &settings);
	assert_int_equal(store_load_slots(place->store, &back), 0);
	assert_int_equal(back.n, 1);
	assert_string_equal(back.list[0].name, "right");

	assert_int_equal(store_list_audit(place->store, &all, &entries, &n), 0);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(entries[i].uid, 7);
		assert_int_equal(entries[i].action, AUDIT_SLOT);
		assert_string_equal(entries[i].object, "left");
		audit_entry_clear(&entries[i]);
	}
	free(entries);
}

/* Two slots of one name are refused, and then nothing has changed. */
static void test_all_or_nothing(void **state)
{
	struct place *place = *state;
	_cleanup_(slot_settings_clear) struct slot_settings settings = { 0 }, back = { 0 };

	say(&settings, "usb-0:1", "left");
	save(place, &settings);
	say(&settings, "usb-0:2", "left");
	assert_int_equal(store_save_slots(place->store, &settings, 7, "left", NULL), -EINVAL);
	assert_int_equal(store_load_slots(place->store, &back), 0);
	assert_int_equal(back.n, 1);
}

static void test_damaged(void **state)
{
	struct place *place = *state;
	_cleanup_(slot_settings_clear) struct slot_settings settings = { 0 }, back = { 0 };
	struct slot_setting *setting = say(&settings, "usb-0:1", "left");
	sqlite3 *db;

	assert_int_equal(labels_set(&setting->labels, &setting->n_labels, "a", "b"), 0);
	save(place, &settings);
	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE slot SET labels = '[1'", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(store_load_slots(place->store, &back), -EUCLEAN);
	assert_string_equal(store_error_text(place->store),
			    "slot usb-0:1: its labels cannot be read");
	assert_int_equal(back.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_replaced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_all_or_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("store-slots", tests, NULL, NULL);
}
