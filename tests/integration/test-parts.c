/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Scatter files and .cfg that say what to read, and the flash that is asked for its own id. */

#include "tests/integration/rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "protocol/base/bytes.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define CFG(platform)                                                            \
	"general:\n    config_version : alpha\n    platform: " platform "\n"     \
	"boot_region:\n  alignment: block\n  rom:\n    - file: INT_BOOTLOADER\n" \
	"    - file: EXT_BOOTLOADER\n"                                           \
	"main_region:\n  rom:\n    - file: out/ROM\n    - file: VIVA\n"

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig_set_up(rig, "[automatic]\nenabled=no\n[read]\nresume-timeout=20s\n");
	rig_start(rig);
	*state = rig;
	return 0;
}

static void write_file(const struct rig *rig, const char *text, char path[160])
{
	_cleanup_close_ int fd = -1;

	(void)snprintf(path, 160, "%s.parts.cfg", rig->socket);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

/* A part begins with a GFH of this type and length, and stands like that in the image. */
static void assert_part(const char *backup, const char *image, const char *name, uint16_t type)
{
	_cleanup_free_ char *path = str_format("%s/%s", backup, name);
	_cleanup_free_ char *part = NULL, *whole = NULL;
	size_t size, whole_size;

	assert_int_equal(fd_read_file(AT_FDCWD, path, 4U << 20, &part, &size), 0);
	assert_int_equal(fd_read_file(AT_FDCWD, image, 4U << 20, &whole, &whole_size), 0);
	assert_true(size > 0x38);
	assert_memory_equal(part, "MMM", 3);
	assert_int_equal(get_le16((const uint8_t *)part + 0x18), type);
	assert_int_equal(get_le32((const uint8_t *)part + 0x20), size);
	assert_non_null(memmem(whole, whole_size, part, size));
}

/* Submits with the file and waits; the watch may have one more option. */
static void read_parts(struct rig *rig, const char *cfg, const char *option, const char *value,
		       int status, const char *words)
{
	char path[160], image[128], backup[512];
	_cleanup_free_ char *scatter = NULL;
	_cleanup_(output_clear) struct output output = { 0 };
	struct watch watch;

	write_file(rig, cfg, path);
	scatter = str_format("--scatter=%s", path);
	rig_make_image(rig, "image", "4M", image);
	watch_plug(rig, &watch, "watch", "--flash", image, option, value, NULL);
	rig_attach(rig, watch.link, "A1");
	output = rig_ctl(rig, "submit", scatter, "--verify=none", "--follow", NULL);
	if (output.status != status || !strstr(output.err, words))
		fail_msg("%d: %s%s", output.status, output.out, output.err);
	if (status == 0) {
		rig_backup_path(rig, rig_newest_job(rig), backup);
		assert_part(backup, image, "INT_BOOTLOADER", 0x001);
		assert_part(backup, image, "EXT_BOOTLOADER", 0x002);
		assert_part(backup, image, "ROM", 0x100);
		assert_part(backup, image, "VIVA", 0x108);
	}
	watch_unplug(&watch);
	(void)unlink(path);
}

static void test_cfg(void **state)
{
	read_parts(*state, CFG("MT6261"), NULL, NULL, 0, "");
}

static void test_cfg_without_platform(void **state)
{
	read_parts(*state, CFG(""), NULL, NULL, 0, "");
}

static void test_other_platform(void **state)
{
	read_parts(*state, CFG("MT2502"), NULL, NULL, 1, "MT2502, the watch is an MT6261");
}

static void test_other_flash(void **state)
{
	read_parts(*state,
		   CFG("MT6261") "external_memory:\n    parameters:\n      - flash_info:\n"
				 "            flash_type: SF\n            id_length: 3\n"
				 "            flash_id: [0xC8, 0x60, 0x19, 0, 0, 0, 0, 0]\n",
		   NULL, NULL, 1, "c86019");
}

static void test_missing_part(void **state)
{
	read_parts(*state, CFG("MT6261") "    - file: A\n    - file: B\n    - file: C\n", NULL,
		   NULL, 1, "the scatter file names");
}

static void test_broken_file(void **state)
{
	read_parts(*state, "general:\n  platform: [x]\n", NULL, NULL, 2, ".cfg:2: ");
}

/* The watch leaves in the middle of a part and comes back: the job goes on, and the parts are right. */
static void test_resume(void **state)
{
	struct rig *rig = *state;
	char path[160], image[128], backup[512];
	_cleanup_free_ char *scatter = NULL;
	_cleanup_(output_clear) struct output output = { 0 };
	struct watch watch;
	struct job job;
	int64_t id;

	write_file(rig, CFG("MT6261"), path);
	scatter = str_format("--scatter=%s", path);
	rig_make_image(rig, "image", "4M", image);
	watch_plug(rig, &watch, "watch", "--flash", image, "--fault", "unplug@0x40000", NULL);
	rig_attach(rig, watch.link, "A1");
	output = rig_ctl(rig, "submit", scatter, "--verify=none", NULL);
	assert_int_equal(output.status, 0);
	id = rig_newest_job(rig);
	job = rig_wait(rig, id, JOB_WAITING, 20);
	job_clear(&job);
	watch_unplug(&watch);
	watch_plug(rig, &watch, "watch", "--flash", image, NULL);
	job = rig_wait(rig, id, JOB_DONE, 30);
	job_clear(&job);
	rig_backup_path(rig, id, backup);
	assert_part(backup, image, "ROM", 0x100);
	assert_part(backup, image, "VIVA", 0x108);
	watch_unplug(&watch);
	(void)unlink(path);
}

static char *read_manifest(const struct rig *rig, int64_t id)
{
	char backup[512];
	char *text = NULL;

	rig_backup_path(rig, id, backup);
	_cleanup_free_ char *path = str_format("%s/manifest.json", backup);
	assert_int_equal(fd_read_file(AT_FDCWD, path, 1U << 20, &text, NULL), 0);
	return text;
}

/* What begins the controller's buffer is the opcode that the flash gets: id and parameters only. */
static void assert_harmless(const struct watch *watch)
{
	_cleanup_free_ char *log = NULL;
	char *rest, *line;
	size_t n = 0;

	assert_int_equal(fd_read_file(AT_FDCWD, watch->log, 16U << 20, &log, NULL), 0);
	rest = log;
	while ((line = strsep(&rest, "\n"))) {
		const char *value = strafter(line, "write32 a0140800 ");
		unsigned long word = value ? strtoul(value, NULL, 16) : 0;

		if (value && (word & 0xFF) != 0x9F && (word & 0xFF) != 0x5A)
			fail_msg("%s", line);
		n += value != NULL;
	}
	assert_int_equal(n, 3);
}

static void test_identify(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *manifest = NULL;
	struct watch watch;
	struct job job;
	int64_t id;

	watch_plug(rig, &watch, "watch", "--flash", "new:4M", NULL);
	id = rig_submit(rig, "{\"identify_flash\":true,\"verify\":\"none\"}");
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_DONE, 30);
	assert_true(job.request.identify_flash);
	job_clear(&job);
	manifest = read_manifest(rig, id);
	assert_non_null(
		strstr(manifest, "the flash answers c22536 = Macronix MX25U3235E/F, 4.0 MiB"));
	assert_non_null(strstr(manifest, "the flash's parameters say 4.0 MiB"));
	assert_non_null(strstr(manifest, "\"jedec\": \"c22536\""));
	assert_harmless(&watch);
	/* The control register is as it was. */
	assert_true(watch_log_has(&watch, "write32 a0140000 00000000"));
	watch_unplug(&watch);
}

/* What the flash answered in the first attempt is known to the one that ends the job. */
static void test_identify_resumed(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *manifest = NULL;
	struct watch watch;
	struct job job;
	char image[128];
	int64_t id;

	rig_make_image(rig, "image", "4M", image);
	watch_plug(rig, &watch, "watch", "--flash", image, "--fault", "unplug@0x2c0000", NULL);
	id = rig_submit(rig, "{\"identify_flash\":true,\"verify\":\"none\"}");
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_WAITING, 30);
	job_clear(&job);
	watch_unplug(&watch);
	watch_plug(rig, &watch, "watch", "--flash", image, NULL);
	job = rig_wait(rig, id, JOB_DONE, 30);
	job_clear(&job);
	manifest = read_manifest(rig, id);
	assert_non_null(strstr(manifest, "\"resumed\": true"));
	assert_non_null(strstr(manifest, "the flash answers c22536"));
	assert_non_null(strstr(manifest, "\"jedec\": \"c22536\""));
	watch_unplug(&watch);
}

/* Nobody who did not ask for it has the flash controller touched. */
static void test_not_asked(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *manifest = NULL;
	struct watch watch;
	struct job job;
	int64_t id;

	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	id = rig_submit(rig, "{\"verify\":\"none\"}");
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_DONE, 30);
	job_clear(&job);
	manifest = read_manifest(rig, id);
	assert_null(strstr(manifest, "\"jedec\""));
	assert_false(watch_log_has(&watch, "a0140"));
	watch_unplug(&watch);
}

/* The flash says 4 MiB, its addresses wrap at one: all of it is shown, nothing is read. */
static void test_contradiction(void **state)
{
	struct rig *rig = *state;
	struct watch watch;
	struct job job;
	int64_t id;

	watch_plug(rig, &watch, "watch", "--flash", "new:4M", "--fault", "alias=0x100000", NULL);
	id = rig_submit(rig, "{\"identify_flash\":true}");
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_FAILED, 30);
	assert_int_equal(job.failure.code, FAILURE_SIZE_MISMATCH);
	assert_non_null(strstr(job.failure.message, "the flash answers c22536"));
	assert_non_null(strstr(job.failure.message, "begins again at 0x100000"));
	assert_non_null(job.failure.hint);
	job_clear(&job);
	watch_unplug(&watch);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, rig_test_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_cfg),
		TEST(test_cfg_without_platform),
		TEST(test_other_platform),
		TEST(test_other_flash),
		TEST(test_missing_part),
		TEST(test_broken_file),
		TEST(test_resume),
		TEST(test_identify),
		TEST(test_identify_resumed),
		TEST(test_not_asked),
		TEST(test_contradiction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
