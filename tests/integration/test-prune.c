/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Old backups go by the rules of the configuration, and no others. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "tests/integration/rig.h"

#define OFF "[automatic]\nenabled=no\n"

#define SMALLER 6 /* more backups than go in one turn of the loop */

struct shop {
	struct rig rig;
	unsigned int visits;
};

/* Another configuration, in use when this returns. */
static void configure(struct shop *shop, const char *text)
{
	size_t n = 0;

	assert_int_equal(fd_replace_file(AT_FDCWD, shop->rig.config, text, strlen(text), 0600), 0);
	assert_int_equal(kill(shop->rig.daemon, SIGHUP), 0);
	for (int i = 0; i < 200 && n == 0; i++) {
		struct json_object *reply =
			rig_call(&shop->rig, "ListAudit", "{\"action\":\"reload\"}", NULL);

		n = message_length(message_member(reply, "entries"));
		message_unref(reply);
		if (n == 0)
			sleep_ms(50);
	}
	assert_int_equal(n, 1);
}

static int set_up(void **state)
{
	struct shop *shop = calloc(1, sizeof(*shop));

	assert_non_null(shop);
	rig_set_up(&shop->rig, NULL);
	rig_start(&shop->rig);
	*state = shop;
	return 0;
}

static int tear_down(void **state)
{
	struct shop *shop = *state;

	rig_tear_down(&shop->rig);
	free(shop);
	return 0;
}

/* The watch comes and is backed up; the backup's id, which the caller frees. */
static char *back_up(struct shop *shop, const char *request)
{
	_cleanup_free_ char *name = str_format("visit-%u", shop->visits++);
	int64_t id = rig_submit(&shop->rig, request);
	struct watch watch;
	struct job job;
	char *backup;

	watch_plug(&shop->rig, &watch, name, "--flash=new:1M",
		   "--meid=00112233445566778899aabbccddeeff", NULL);
	rig_attach(&shop->rig, watch.link, name);
	job = rig_wait(&shop->rig, id, JOB_DONE, 60);
	backup = TAKE_PTR(job.backup);
	job_clear(&job);
	watch_unplug(&watch);
	/* Ids and order go by the second. */
	sleep_ms(1100);
	return backup;
}

static bool is_there(const struct shop *shop, const char *backup)
{
	_cleanup_free_ char *parameters = str_format("{\"id\":\"%s\"}", backup);
	_cleanup_(output_clear) struct output shown = rig_ctl(&shop->rig, "backup", backup, NULL);
	_cleanup_free_ char *path = str_format("%s/backups/%.4s/%.2s/%s/ROM_0", shop->rig.state,
					       backup, backup + 4, backup);

	assert_int_equal(file_exists(path), shown.status == 0);
	return shown.status == 0;
}

static void test_the_last_stay(void **state)
{
	struct shop *shop = *state;
	_cleanup_free_ char *first = back_up(shop, "{\"labels\":{\"ticket\":\"open\"}}");
	_cleanup_free_ char *second = back_up(shop, "{}");
	_cleanup_free_ char *third = NULL, *part = NULL, *detail = NULL;
	_cleanup_(output_clear) struct output dry = { 0 }, audit = { 0 }, again = { 0 };

	configure(shop, OFF "[retention]\nkeep-last=1\nkeep-label=ticket\n");
	/* A part of the flash is no reason to let the whole of it go. */
	part = back_up(shop, "{\"ranges\":[{\"start\":0,\"length\":65536}]}");
	assert_true(is_there(shop, second));
	dry = rig_ctl(&shop->rig, "prune", "--dry-run", NULL);
	assert_int_equal(dry.status, 0);
	assert_null(strstr(dry.out, "goes"));

	third = back_up(shop, "{}");
	assert_true(is_there(shop, first));
	assert_false(is_there(shop, second));
	assert_false(is_there(shop, part));
	assert_true(is_there(shop, third));
	audit = rig_ctl(&shop->rig, "--json", "audit", "--action=prune", NULL);
	assert_non_null(strstr(audit.out, second));
	assert_non_null(strstr(audit.out, part));
	assert_null(strstr(audit.out, first));
	detail = str_format("%s stays", third);
	assert_non_null(strstr(audit.out, detail));
	assert_true(rig_log_has(&shop->rig, "removed: keep-last newer ones"));

	again = rig_ctl(&shop->rig, "prune", NULL);
	assert_int_equal(again.status, 0);
	assert_string_equal(again.out, "");
}

static void test_not_before_the_newer_one_is_looked_at(void **state)
{
	struct shop *shop = *state;
	_cleanup_free_ char *first = back_up(shop, "{}");
	_cleanup_free_ char *second = back_up(shop, "{}");
	_cleanup_free_ char *image = str_format("%s/backups/%.4s/%.2s/%s/ROM_0", shop->rig.state,
						second, second + 4, second);
	_cleanup_(output_clear) struct output dry = { 0 }, told = { 0 }, held = { 0 };
	_cleanup_(output_clear) struct output pruned = { 0 };

	assert_true(is_there(shop, first));
	configure(shop, OFF "[retention]\nkeep-last=1\n");
	dry = rig_ctl(&shop->rig, "prune", "--dry-run", NULL);
	assert_non_null(strstr(dry.out, "goes"));
	assert_true(is_there(shop, first));

	assert_int_equal(truncate(image, 4096), 0);
	told = rig_ctl(&shop->rig, "prune", "--dry-run", NULL);
	assert_null(strstr(told.out, "goes"));
	held = rig_ctl(&shop->rig, "prune", NULL);
	assert_int_equal(held.status, 0);
	assert_true(is_there(shop, first));
	assert_true(rig_log_has(&shop->rig, "does not stand for it: ROM_0 has 4096 bytes"));
	assert_int_equal(truncate(image, 1 << 20), 0);
	pruned = rig_ctl(&shop->rig, "prune", NULL);
	assert_int_equal(pruned.status, 0);
	assert_non_null(strstr(pruned.out, first));
	assert_false(is_there(shop, first));
	assert_true(is_there(shop, second));
}

static void test_another_part_is_no_successor(void **state)
{
	struct shop *shop = *state;
	_cleanup_free_ char *first = NULL, *other = NULL, *again = NULL;
	_cleanup_(output_clear) struct output dry = { 0 };

	configure(shop, OFF "[retention]\nkeep-last=1\n");
	first = back_up(shop, "{\"ranges\":[{\"start\":0,\"length\":65536}]}");
	other = back_up(shop, "{\"ranges\":[{\"start\":65536,\"length\":65536}]}");
	assert_true(is_there(shop, first));
	dry = rig_ctl(&shop->rig, "prune", "--dry-run", NULL);
	assert_int_equal(dry.status, 0);
	assert_null(strstr(dry.out, "goes"));

	again = back_up(shop, "{\"ranges\":[{\"start\":65536,\"length\":65536}]}");
	assert_true(is_there(shop, first));
	assert_false(is_there(shop, other));
	assert_true(is_there(shop, again));
}

/*
 * No room can ever be enough here: all that may go does, more than what goes in one turn of the loop,
 * and the newest of the watch does not.
 */
static void test_room(void **state)
{
	struct shop *shop = *state;
	char *smaller[SMALLER];
	_cleanup_free_ char *whole = NULL;
	struct watch watch;
	struct job job;

	for (unsigned int i = 0; i < SMALLER; i++) {
		_cleanup_free_ char *request = str_format(
			"{\"ranges\":[{\"start\":0,\"length\":%u}]}", (i + 1) * 65536);

		smaller[i] = back_up(shop, request);
	}
	whole = back_up(shop, "{}");
	configure(shop, OFF "[archive]\nfree-space-floor=1048576G\n[retention]\nmake-room=yes\n");
	assert_true(is_there(shop, smaller[0]));
	watch_plug(&shop->rig, &watch, "late", "--flash=new:1M", NULL);
	rig_attach(&shop->rig, watch.link, "late");
	job = rig_wait(&shop->rig, rig_submit(&shop->rig, "{}"), JOB_FAILED, 30);
	watch_unplug(&watch);
	assert_int_equal(job.failure.code, FAILURE_NO_SPACE);
	job_clear(&job);
	for (unsigned int i = 0; i < SMALLER; i++) {
		assert_false(is_there(shop, smaller[i]));
		free(smaller[i]);
	}
	assert_true(is_there(shop, whole));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_last_stay, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_before_the_newer_one_is_looked_at, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_another_part_is_no_successor, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_room, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("prune", tests, NULL, NULL);
}
