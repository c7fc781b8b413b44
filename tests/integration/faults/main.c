/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Every promise about what must not be lost, put to the test: cable, line, daemon, power, disk. Ends
 * with one table, which also goes to the file that MTKRB_FAULTS_TABLE names.
 */

#include "tests/integration/faults/faults.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#define QUICK true
#else
#define QUICK false
#endif

static int tear_down(void **state)
{
	faults_close(*state);
	return 0;
}

static void add_writes(struct faults *faults)
{
	struct row *row = table_add(&faults->table, "watches stay whole: writes sent to them");

	row->tried = (unsigned int)faults->writes.commands;
	if (faults->writes.outside > 0)
		row_fail(row, "%" PRIu64 " not allowed: %.36s", faults->writes.outside,
			 faults->writes.first);
	else
		row_end(row, "all in the short list, %u watches", faults->writes.logs);
}

static bool report(struct faults *faults)
{
	const char *path = getenv("MTKRB_FAULTS_TABLE");
	FILE *file = path ? fopen(path, "we") : NULL;
	bool good;

	add_writes(faults);
	good = table_print(&faults->table, stdout);
	if (file) {
		(void)table_print(&faults->table, file);
		fprintf(file, "offsets and moments from seed %u\n", faults->first_seed);
		fclose(file);
	}
	return good;
}

#define PART(test) cmocka_unit_test_prestate_setup_teardown(test, NULL, tear_down, &faults)

int main(int argc, char **argv)
{
	static struct faults faults;
	const struct CMUnitTest tests[] = {
		PART(test_cable),
		PART(test_cable_agent),
		PART(test_cable_deadline),
		PART(test_cable_deadline_agent),
		PART(test_cable_other_watch),
		PART(test_cable_other_watch_agent),
		PART(test_line),
		PART(test_line_agent),
		PART(test_kills),
		PART(test_power_publish),
		PART(test_kill_sharing),
		PART(test_power_submit),
		PART(test_disk_full),
		PART(test_disk_read_only),
		PART(test_database_locked),
		PART(test_database_corrupt),
		PART(test_eio),
		PART(test_running_read_only),
		PART(test_running_spoilt),
	};
	int failed;

	faults.quick = QUICK;
	faults.seed = (unsigned int)time(NULL) ^ (unsigned int)getpid();
	/* faults [SEED [PART]]: the same offsets again; only the parts that the pattern names. */
	if (argc > 1)
		faults.seed = (unsigned int)strtoul(argv[1], NULL, 0);
	if (argc > 2)
		cmocka_set_test_filter(argv[2]);
	faults.first_seed = faults.seed;
	printf("seed %u\n", faults.seed);
	failed = cmocka_run_group_tests_name("faults", tests, NULL, NULL);
	return report(&faults) && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
