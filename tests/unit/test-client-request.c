/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "client/calls/request.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/strings.h"

/* Takes "name=value" or "name" as the command line would. */
static int take(struct request *request, const char *option, struct complaint *complaint)
{
	size_t n = strcspn(option, "=");
	const char *value = option[n] ? option + n + 1 : NULL;

	for (const struct verb_option *o = request_options; o->name; o++)
		if (strlen(o->name) == n && strncmp(o->name, option, n) == 0) {
			assert_true(!value == !o->argument);
			return request_set(request, o->key, value, complaint);
		}
	fail_msg("no such option: %s", option);
	return 0;
}

static void take_all(struct request *request, const char *const *options, size_t n)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };

	assert_int_equal(request_init(request), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(take(request, options[i], &complaint), 0);
	assert_int_equal(request_check(request, &complaint), 0);
	assert_null(complaint.message);
}

static void test_nothing_means_everything(void **state _unused_)
{
	_cleanup_(request_clear) struct request request;

	take_all(&request, NULL, 0);
	assert_int_equal(request.job.n_ranges, 1);
	assert_string_equal(request.job.ranges[0].name, "ROM_0");
	assert_int_equal(request.job.ranges[0].start, 0);
	assert_true(request.job.ranges[0].length == RANGE_AUTO);
	assert_true(request.job.rebuild);
	assert_int_equal(request.job.count, 1);
	assert_false(request.follow);
}

static void test_all_options(void **state _unused_)
{
	static const char *const options[] = {
		"start=0x10000", "length=512K",  "method=brom",
		"verify=sample", "no-rebuild",   "after=stay",
		"slot=left",     "chip=MT6261",  "meid=00112233445566778899AABBCCDDEEFF",
		"count=3",       "priority=-10", "timeout=2h",
		"label=a=b=c",   "label=d=",     "follow",
	};
	_cleanup_(request_clear) struct request request;
	const struct job_request *job = &request.job;

	take_all(&request, options, ARRAY_SIZE(options));
	assert_int_equal(job->ranges[0].start, 0x10000);
	assert_int_equal(job->ranges[0].length, 512 * 1024);
	assert_int_equal(job->method, METHOD_BROM);
	assert_int_equal(job->verify, VERIFY_SAMPLE);
	assert_int_equal(job->after, AFTER_STAY);
	assert_false(job->rebuild);
	assert_string_equal(job->slot, "left");
	assert_string_equal(job->chip, "MT6261");
	assert_string_equal(job->meid, "00112233445566778899aabbccddeeff");
	assert_int_equal(job->count, 3);
	assert_int_equal(job->priority, -10);
	assert_true(job->timeout == 7200.0);
	assert_int_equal(job->n_labels, 2);
	assert_string_equal(job->labels[0].key, "a");
	assert_string_equal(job->labels[0].value, "b=c");
	assert_string_equal(job->labels[1].value, "");
	assert_true(request.follow);
}

static void test_ranges(void **state _unused_)
{
	static const char *const options[] = { "range=BOOT:0:64K", "range=USER:data:0x10:auto" };
	_cleanup_(request_clear) struct request request;

	take_all(&request, options, ARRAY_SIZE(options));
	assert_int_equal(request.job.n_ranges, 2);
	assert_string_equal(request.job.ranges[0].name, "BOOT");
	assert_int_equal(request.job.ranges[0].length, 64 * 1024);
	assert_string_equal(request.job.ranges[1].name, "USER:data");
	assert_int_equal(request.job.ranges[1].start, 0x10);
	assert_true(request.job.ranges[1].length == RANGE_AUTO);
}

/* What is wrong is found at an option or, at the latest, in the check of the whole. */
static void assert_refused(const char *first, const char *second, const char *message)
{
	_cleanup_(request_clear) struct request request;
	_cleanup_complaint_ struct complaint complaint = { 0 };
	int r;

	assert_int_equal(request_init(&request), 0);
	r = take(&request, first, &complaint);
	if (r == 0 && second)
		r = take(&request, second, &complaint);
	if (r == 0)
		r = request_check(&request, &complaint);
	assert_int_equal(r, -ECANCELED);
	assert_int_equal(complaint.status, STATUS_USAGE);
	assert_non_null(complaint.hint);
	if (!strstr(complaint.message, message))
		fail_msg("\"%s\" is not in \"%s\"", message, complaint.message);
}

static void test_wrong_options(void **state _unused_)
{
	assert_refused("start=-1", NULL, "--start=-1: not a number of bytes");
	assert_refused("start=auto", NULL, "--start=auto");
	assert_refused("length=4MB", NULL, "--length=4MB");
	assert_refused("length=0", NULL, "length");
	assert_refused("length=1G", NULL, "length");
	assert_refused("start=255M", "length=2M", "ranges[0]");
	assert_refused("range=A:0", NULL, "not NAME:START:LENGTH");
	assert_refused("range=A", NULL, "not NAME:START:LENGTH");
	assert_refused("range=:0:1", NULL, "not NAME:START:LENGTH");
	assert_refused("range=../A:0:1", NULL, "not NAME:START:LENGTH");
	assert_refused("range=A:0:1", "range=A:1:1", "ranges[1].name");
	assert_refused("range=A:0:1", "start=1", "do not go together");
	assert_refused("length=1", "range=A:0:1", "do not go together");
	assert_refused("method=usb", NULL, "not one of auto, brom, da");
	assert_refused("verify=yes", NULL, "not one of auto, none, sample, full");
	assert_refused("after=erase", NULL, "not one of reset, off, stay");
	assert_refused("meid=00", NULL, "not 32 hexadecimal digits");
	assert_refused("count=1001", NULL, "from 1 to 1000");
	assert_refused("priority=1001", NULL, "from -1000 to 1000");
	assert_refused("timeout=soon", NULL, "not a duration");
	assert_refused("timeout=0", NULL, "not a duration");
	assert_refused("label=ticket", NULL, "not KEY=VALUE");
	assert_refused("label==1", NULL, "not KEY=VALUE");
	assert_refused("da-layout=da1=0:16", NULL, "da1 needs OFFSET:LENGTH:ADDRESS");
}

/* A file here goes by its descriptor, whatever the daemon may keep under its name. */
static void test_files(void **state _unused_)
{
	static const char scatter_text[] = "general:\n  platform: MT6260\nboot_region:\n"
					   "  alignment: block\n  rom:\n    - file: A.bin\n";
	char path[] = "/tmp/test-client-request-XXXXXX", da[64], scatter[64];
	_cleanup_(request_clear) struct request request = { 0 }, missing = { 0 };
	_cleanup_complaint_ struct complaint complaint = { 0 };
	_cleanup_free_ char *expected = NULL;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_true(write(fd, scatter_text, strlen(scatter_text)) > 0);
	(void)snprintf(da, sizeof(da), "da=%s", path);
	(void)snprintf(scatter, sizeof(scatter), "scatter=%s", path);
	take_all(&request, (const char *const[]){ da, scatter }, 2);
	assert_null(request.job.da);
	assert_int_equal(request_open_files(&request, &complaint), 0);
	assert_int_equal(request.n_fds, 2);
	expected = str_format("fd:0:%s", path + strlen("/tmp/"));
	assert_string_equal(request.job.da, expected);
	assert_int_equal(strncmp(request.job.scatter, "fd:1:", 5), 0);
	assert_int_equal(request_check(&request, &complaint), 0);
	assert_int_equal(unlink(path), 0);
	close(fd);

	/* What is not here may be the daemon's; a path is not, and neither is a scatter file. */
	take_all(&missing, (const char *const[]){ "da=no-such-agent" }, 1);
	assert_int_equal(request_open_files(&missing, &complaint), 0);
	assert_string_equal(missing.job.da, "no-such-agent");
	assert_int_equal(missing.n_fds, 0);
	assert_int_equal(take(&missing, "da=./no-such-agent", &complaint), 0);
	assert_int_equal(request_open_files(&missing, &complaint), -ECANCELED);
	assert_int_equal(complaint.status, STATUS_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_means_everything),
		cmocka_unit_test(test_all_options),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_wrong_options),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
