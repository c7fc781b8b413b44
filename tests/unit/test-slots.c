/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "daemon/policy/slots.h"
#include "protocol/base/strings.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

#define USB(port) "pci-0000:00:14.0-usb-0:" port

struct fixture {
	struct slot_settings configured, stored;
	const char *present[8];
	size_t n_present;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	slot_settings_clear(&f->configured);
	slot_settings_clear(&f->stored);
	free(f);
	return 0;
}

static struct slot_setting *say(struct slot_settings *settings, const char *place, const char *name)
{
	struct slot_setting *setting;

	assert_int_equal(slot_settings_add(settings, place, name, &setting), 0);
	return setting;
}

static struct slots merge(const struct fixture *f)
{
	struct slots slots;

	assert_int_equal(slots_merge(&f->configured, &f->stored, f->present, f->n_present, &slots),
			 0);
	return slots;
}

/* All names in bench order, with one blank between. */
static void expect_order(const struct fixture *f, const char *names)
{
	_cleanup_(slots_clear) struct slots slots = merge(f);
	char text[512] = "";

	for (size_t i = 0; i < slots.n; i++) {
		size_t used = strlen(text);

		(void)snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "",
			       slots.list[i].name);
	}
	assert_string_equal(text, names);
}

static void test_order(void **state)
{
	struct fixture *f = *state;

	say(&f->configured, USB("9"), "right");
	say(&f->configured, USB("8"), "left");
	say(&f->stored, USB("7"), "z");
	say(&f->stored, USB("6"), "a");
	f->present[f->n_present++] = USB("10");
	f->present[f->n_present++] = USB("2.10");
	f->present[f->n_present++] = USB("2.9");
	f->present[f->n_present++] = USB("6");
	f->present[f->n_present++] = "ttyUSB0";
	expect_order(f, "right left z a " USB("2.9") " " USB("2.10") " " USB("10") " ttyUSB0");
}

static void test_both_speak(void **state)
{
	struct fixture *f = *state;
	struct slot_setting *configured = say(&f->configured, USB("1"), "left");
	struct slot_setting *stored = say(&f->stored, USB("1"), "links");
	_cleanup_(slots_clear) struct slots slots = { 0 };

	assert_int_equal(str_replace(&configured->rule, "slow"), 0);
	assert_int_equal(labels_set(&configured->labels, &configured->n_labels, "customer", "one"),
			 0);
	configured->exclusion = SLOT_INCLUDED;
	assert_int_equal(str_replace(&stored->rule, "fast"), 0);
	assert_int_equal(labels_set(&stored->labels, &stored->n_labels, "customer", "two"), 0);
	assert_int_equal(labels_set(&stored->labels, &stored->n_labels, "shelf", "3"), 0);
	stored->exclusion = SLOT_EXCLUDED;
	slots = merge(f);
	assert_int_equal(slots.n, 1);
	assert_string_equal(slots.list[0].name, "left");
	assert_string_equal(slots.list[0].rule, "slow");
	assert_false(slots.list[0].excluded);
	assert_int_equal(slots.list[0].n_labels, 2);
	assert_string_equal(slots.list[0].labels[0].value, "one");
	assert_string_equal(slots.list[0].labels[1].value, "3");
	assert_string_equal(slots.list[0].clash,
			    "the configuration calls it so, not links as stored; "
			    "the configuration includes it, it is stored as excluded; "
			    "the configuration binds it to rule slow, not to fast as stored");
}

/* Where the configuration is silent, what is stored counts. */
static void test_stored_adds(void **state)
{
	struct fixture *f = *state;
	struct slot_setting *stored;
	_cleanup_(slots_clear) struct slots slots = { 0 };

	say(&f->configured, USB("1"), "left");
	stored = say(&f->stored, USB("1"), NULL);
	stored->exclusion = SLOT_EXCLUDED;
	assert_int_equal(str_replace(&stored->rule, "fast"), 0);
	slots = merge(f);
	assert_int_equal(slots.n, 1);
	assert_string_equal(slots.list[0].name, "left");
	assert_true(slots.list[0].excluded);
	assert_string_equal(slots.list[0].rule, "fast");
	assert_null(slots.list[0].clash);
	assert_int_equal(slots.list[0].origin, SLOT_CONFIGURATION);
}

/* Beyond the limit of both together, so that an automatic job can carry them all. */
static void test_too_many_labels(void **state)
{
	struct fixture *f = *state;
	struct slot_setting *configured = say(&f->configured, USB("1"), "left");
	struct slot_setting *stored = say(&f->stored, USB("1"), NULL);
	_cleanup_(slots_clear) struct slots slots = { 0 };

	for (unsigned int i = 0; i < LIMIT_SLOT_LABELS; i++) {
		char key[8];

		(void)snprintf(key, sizeof(key), "k%u", i);
		assert_int_equal(labels_add(&configured->labels, &configured->n_labels, key, "v"),
				 0);
	}
	assert_int_equal(labels_add(&stored->labels, &stored->n_labels, "k0", "other"), 0);
	assert_int_equal(labels_add(&stored->labels, &stored->n_labels, "more", "v"), 0);
	slots = merge(f);
	assert_int_equal(slots.list[0].n_labels, LIMIT_SLOT_LABELS);
	assert_string_equal(slots.list[0].clash, "it has 8 labels already, more is one too many");
}

/* A name that the configuration gives to another place is lost; what else was said stays. */
static void test_name_is_taken(void **state)
{
	struct fixture *f = *state;
	_cleanup_(slots_clear) struct slots slots = { 0 };

	say(&f->configured, USB("1"), "left");
	say(&f->stored, USB("2"), "left")->exclusion = SLOT_EXCLUDED;
	slots = merge(f);
	assert_int_equal(slots.n, 2);
	assert_string_equal(slots.list[1].name, USB("2"));
	assert_true(slots.list[1].excluded);
	assert_non_null(strstr(slots.list[1].clash, "stored as left"));
	assert_false(slots.list[0].excluded);
}

/* A port that was attached as the slot is called is in it. */
static void test_attached_by_name(void **state)
{
	struct fixture *f = *state;
	_cleanup_(slots_clear) struct slots slots = { 0 };

	say(&f->configured, USB("1"), "left");
	say(&f->stored, "left", NULL)->exclusion = SLOT_EXCLUDED;
	f->present[f->n_present++] = "left";
	slots = merge(f);
	assert_int_equal(slots.n, 1);
	assert_true(slots.list[0].excluded);
	assert_ptr_equal(slots_of(&slots, "left"), &slots.list[0]);
	assert_ptr_equal(slots_of(&slots, USB("1")), &slots.list[0]);
	assert_null(slots_of(&slots, USB("2")));
	assert_string_equal(slot_path(&slots.list[0]), USB("1"));
}

static void change(struct fixture *f, const char *place, struct slot_change change)
{
	_cleanup_(slots_clear) struct slots slots = merge(f);
	struct problem problem;

	if (slots_change(&slots, place, &change, &f->stored, &problem) < 0)
		fail_msg("%s: %s", problem.field, problem.reason);
}

static void refuse(struct fixture *f, const char *place, struct slot_change change,
		   const char *field, const char *reason)
{
	_cleanup_(slots_clear) struct slots slots = merge(f);
	size_t n = f->stored.n;
	struct problem problem;

	assert_int_equal(slots_change(&slots, place, &change, &f->stored, &problem), -EBADMSG);
	assert_string_equal(problem.field, field);
	if (!strstr(problem.reason, reason))
		fail_msg("expected %s, got %s", reason, problem.reason);
	assert_int_equal(f->stored.n, n);
}

#define NAME(n)  ((struct slot_change){ .name = (n) })
#define EXCLUDED ((struct slot_change){ .excluded = &(const bool){ true } })
#define INCLUDED ((struct slot_change){ .excluded = &(const bool){ false } })
#define BOUND(r) ((struct slot_change){ .rule = (r) })
#define LABEL(k, v)                                                                         \
	((struct slot_change){ .labels = &(const struct label){ (char *)(k), (char *)(v) }, \
			       .n_labels = 1 })

static void test_naming_keeps_the_order(void **state)
{
	struct fixture *f = *state;

	change(f, USB("3"), NAME("c"));
	change(f, USB("1"), NAME("a"));
	change(f, USB("2"), NAME("b"));
	expect_order(f, "c a b");
	change(f, USB("3"), NAME("cc"));
	expect_order(f, "cc a b");
	change(f, USB("2"), (struct slot_change){ .before = "cc" });
	expect_order(f, "b cc a");
	change(f, USB("4"), (struct slot_change){ .name = "d", .before = "a" });
	expect_order(f, "b cc d a");
	change(f, USB("2"), (struct slot_change){ .before = "a" });
	expect_order(f, "cc d b a");
	change(f, USB("5"), EXCLUDED);
	change(f, USB("6"), NAME("f"));
	change(f, USB("5"), NAME("e"));
	expect_order(f, "cc d b a f e");
}

static void test_nothing_said_is_forgotten(void **state)
{
	struct fixture *f = *state;

	change(f, USB("1"), EXCLUDED);
	assert_int_equal(f->stored.n, 1);
	change(f, USB("1"), BOUND("fast"));
	change(f, USB("1"), LABEL("customer", "one"));
	change(f, USB("1"), INCLUDED);
	assert_int_equal(f->stored.n, 1);
	change(f, USB("1"), BOUND(""));
	assert_int_equal(f->stored.n, 1);
	change(f, USB("1"), LABEL("customer", ""));
	assert_int_equal(f->stored.n, 0);
	change(f, USB("1"), NAME("a"));
	change(f, USB("1"), NAME(USB("1")));
	assert_int_equal(f->stored.n, 0);
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	struct slot_setting *configured = say(&f->configured, USB("1"), "left");

	configured->exclusion = SLOT_EXCLUDED;
	assert_int_equal(str_replace(&configured->rule, "slow"), 0);
	assert_int_equal(labels_set(&configured->labels, &configured->n_labels, "customer", "one"),
			 0);
	say(&f->stored, USB("2"), "b");
	f->present[f->n_present++] = USB("3");

	refuse(f, USB("1"), NAME("links"), "name", "given by the configuration");
	refuse(f, USB("1"), INCLUDED, "excluded", "the configuration says it of slot left");
	refuse(f, USB("1"), BOUND("fast"), "rule", "binds slot left to rule slow");
	refuse(f, USB("1"), BOUND(""), "rule", "binds slot left to rule slow");
	refuse(f, USB("1"), LABEL("customer", "two"), "labels", "sets customer of slot left");
	refuse(f, USB("1"), (struct slot_change){ .before = "b" }, "before",
	       "the configuration says where left comes");
	refuse(f, USB("3"), NAME("left"), "name", "is the name of " USB("1") " already");
	refuse(f, USB("3"), NAME("b"), "name", "is the name of " USB("2") " already");
	refuse(f, USB("2"), NAME(USB("3")), "name", "looks like the ID_PATH");
	refuse(f, USB("3"), NAME("a/b"), "name", "must be a name");
	refuse(f, USB("3"), (struct slot_change){ .name = "c", .before = "left" }, "before",
	       "the slots of the configuration come first");
	refuse(f, USB("3"), (struct slot_change){ .name = "c", .before = "d" }, "before",
	       "must be a slot that has been named");
	say(&f->stored, USB("1"), "old");
	refuse(f, USB("3"), NAME("old"), "name", "is stored as the name of " USB("1"));
	/* To say once more what the configuration says is no clash. */
	change(f, USB("1"), NAME("left"));
	change(f, USB("1"), EXCLUDED);
	change(f, USB("1"), BOUND("slow"));
	change(f, USB("1"), LABEL("shelf", "3"));
}

static void test_limits(void **state)
{
	struct fixture *f = *state;
	char place[64], key[16];

	for (unsigned int i = 0; i < LIMIT_SLOT_LABELS; i++) {
		(void)snprintf(key, sizeof(key), "k%u", i);
		change(f, USB("1"), LABEL(key, "v"));
	}
	refuse(f, USB("1"), LABEL("more", "v"), "labels", "are more than 8");
	for (unsigned int i = 1; i < LIMIT_SLOTS; i++) {
		(void)snprintf(place, sizeof(place), USB("2.%u"), i);
		say(&f->stored, place, NULL)->exclusion = SLOT_EXCLUDED;
	}
	refuse(f, USB("3"), NAME("a"), "slot", "1024 places are stored already");
}

static void assert_place(const char *id_path, const char *expected)
{
	_cleanup_free_ char *place = slot_place_of(id_path);

	assert_non_null(place);
	assert_string_equal(place, expected);
}

static void test_places(void **state)
{
	(void)state;
	assert_true(slot_place_is_path(USB("2.3")));
	assert_true(slot_place_is_path("usb-0:1"));
	assert_true(slot_place_is_path("platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1.4"));
	assert_false(slot_place_is_path(USB("2.3:1.0")));
	assert_false(slot_place_is_path("left"));
	assert_false(slot_place_is_path("ttyUSB0"));
	assert_false(slot_place_is_path("my-usb-hub"));
	assert_place(USB("2.3:1.0"), USB("2.3"));
	assert_place(USB("2.3"), USB("2.3"));
	assert_place("usb-0:1:1.1", "usb-0:1");
	assert_place("/dev/ttyACM0", "/dev/ttyACM0");
	assert_place("platform-serial8250", "platform-serial8250");
	assert_true(slot_place_has_interface(USB("2.3:1.0")));
	assert_false(slot_place_has_interface(USB("2.3")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_both_speak, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stored_adds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_many_labels, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_name_is_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_attached_by_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_naming_keeps_the_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_said_is_forgotten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
