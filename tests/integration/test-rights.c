/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever umask the daemon was started with: all it keeps is for its group, and for nobody else. */

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/strings.h"
#include "tests/integration/file-bench.h"

/* What nftw cannot hand to its visitor. */
static unsigned int files, directories;

static int check_rights(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	mode_t expected = type == FTW_D ? 0750 : 0640;

	(void)ftw;
	if (type == FTW_D)
		directories++;
	else
		files++;
	assert_true(type == FTW_D || type == FTW_F);
	if ((st->st_mode & 07777) != expected)
		fail_msg("%s: mode %04o instead of %04o", path, st->st_mode & 07777, expected);
	assert_int_equal(st->st_gid, getegid());
	return 0;
}

static void assert_rights(const char *path, unsigned int at_least_files,
			  unsigned int at_least_directories)
{
	files = directories = 0;
	assert_int_equal(nftw(path, check_rights, 16, FTW_PHYS), 0);
	assert_true(files >= at_least_files);
	assert_true(directories >= at_least_directories);
}

static void interrupt_a_read(struct rig *rig, struct watch *watch)
{

	struct job job;

	watch_plug(rig, watch, "lost", "--flash=new:2M", "--fault=unplug@0x130123", NULL);
	rig_attach(rig, watch->link, "A2");
	job = rig_wait(rig, rig_submit(rig, "{\"slot\":\"A2\"}"), JOB_WAITING, 30);
	job_clear(&job);
}

static void check_everything(mode_t mask)
{
	_cleanup_(output_clear) struct output added = { 0 };
	_cleanup_free_ char *staging = NULL;
	struct watch whole, lost;
	char backup[512], agents[160];
	struct rig rig;
	struct job job;
	mode_t before;
	int64_t id;

	rig_set_up(&rig, NULL);
	before = umask(mask);
	rig_start(&rig);
	(void)umask(before);
	make_container(&rig, "agents.bin", agents);
	added = rig_ctl(&rig, "da", "add", agents, NULL);
	assert_int_equal(added.status, 0);
	watch_plug(&rig, &whole, "whole", "--flash=new:1M", NULL);
	rig_attach(&rig, whole.link, "A1");
	id = rig_submit(&rig, "{}");
	job = rig_wait(&rig, id, JOB_DONE, 60);
	job_clear(&job);
	watch_unplug(&whole);

	rig_backup_path(&rig, id, backup);
	assert_rights(backup, 8, 2); /* ROM_0, the manifest, SHA256SUMS, report; firmware/ */
	interrupt_a_read(&rig, &lost);
	staging = str_format("%s/staging", rig.state);
	assert_rights(staging, 2, 2);
	assert_rights(rig.state, 16, 8);
	watch_unplug(&lost);
	rig_tear_down(&rig);
}

static void test_umask_of_nobody(void **state)
{
	(void)state;
	check_everything(0);
}

static void test_umask_of_everybody(void **state)
{
	(void)state;
	check_everything(0777);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_umask_of_nobody),
		cmocka_unit_test(test_umask_of_everybody),
	};

	return cmocka_run_group_tests_name("rights", tests, NULL, NULL);
}
