/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Firmware files: by the client from an image on the disk, and in the backups of the daemon. */

#include "tests/integration/rig.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/manifest.h"

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig_set_up(rig, NULL);
	*state = rig;
	return 0;
}

static _printf_(1, 2) void shell(const char *format, ...)
{
	_cleanup_free_ char *command = NULL;
	va_list ap;

	va_start(ap, format);
	assert_true(vasprintf(&command, format, ap) >= 0);
	va_end(ap);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

/* Runs the client without a daemon; its output is the caller's. */
#define ctl(rig, ...) rig_run(rig, "mtkrbctl", __VA_ARGS__, NULL)

static void expect(struct output output, int status, const char *in_out, const char *in_err)
{
	if (output.status != status)
		print_error("%s%s", output.out, output.err);
	assert_int_equal(output.status, status);
	if (in_out)
		assert_non_null(strstr(output.out, in_out));
	if (in_err)
		assert_non_null(strstr(output.err, in_err));
	output_clear(&output);
}

static void change_byte(const char *path, off_t at)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

/* ---- The client ---- */

static void test_rebuild(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *rom = NULL;
	char image[128];

	rig_make_image(rig, "image", "4M", image);
	expect(ctl(rig, "rebuild", image), 0, "EXT_BOOTLOADER", NULL);
	shell("cd '%s/firmware' && test \"$(ls | tr '\\n' ' ')\" = "
	      "'EXT_BOOTLOADER INT_BOOTLOADER ROM VIVA config.cfg layout.json leftover '",
	      rig->directory);
	shell("tail -c +40961 '%s' | head -c $(stat -c %%s '%s/firmware/ROM') | "
	      "cmp - '%s/firmware/ROM'",
	      image, rig->directory, rig->directory);
	shell("grep -q 'platform: MT6261' '%s/firmware/config.cfg'", rig->directory);
	expect(ctl(rig, "rebuild", "--check", image), 0, "byte for byte", NULL);
	/* Once more: ours is replaced. */
	expect(ctl(rig, "rebuild", image, "--names=extractor"), 0, "FILE_01_mtk", NULL);
	shell("cd '%s/firmware' && test -e config_mtk.cfg && test ! -e ROM", rig->directory);
	rom = str_format("%s/firmware/FILE_01_mtk", rig->directory);
	change_byte(rom, 5000);
	expect(ctl(rig, "rebuild", "--check", image), 1, NULL, "FILE_01_mtk");
	change_byte(rom, 5000);
	change_byte(image, 0x300);
	expect(ctl(rig, "rebuild", "--check", image), 1, NULL, "hint:");
	/* Nothing but the set was made. */
	shell("test -z \"$(find '%s' -maxdepth 1 -name '.*' -mindepth 1)\"", rig->directory);
}

static void test_rebuild_json(void **state)
{
	struct rig *rig = *state;
	_cleanup_message_ struct json_object *document = NULL, *verdict = NULL;
	_cleanup_free_ char *directory = str_format("%s/elsewhere", rig->directory);
	struct json_object *cfg;
	struct output output;
	char image[128];

	rig_make_image(rig, "image", "2M", image);
	output = ctl(rig, "--json", "rebuild", image, "-o", directory);
	assert_int_equal(output.status, 0);
	assert_int_equal(message_parse(output.out, strlen(output.out), &document), 0);
	output_clear(&output);
	cfg = message_member(document, "cfg");
	assert_string_equal(message_string(message_member(cfg, "platform")), "MT6261");
	assert_string_equal(message_string(message_at(message_member(cfg, "flashes"), 0)),
			    "c22535");
	assert_int_equal(message_length(message_member(cfg, "main")), 2);
	assert_true(message_length(message_member(message_member(document, "layout"), "pieces")) >
		    8);
	output = ctl(rig, "--json", "rebuild", "--check", image, "-o", directory);
	assert_int_equal(message_parse(output.out, strlen(output.out), &verdict), 0);
	assert_int_equal(output.status, 0);
	output_clear(&output);
}

static void test_rebuild_leaves_others_alone(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *directory = str_format("%s/mine", rig->directory);
	char image[128];

	rig_make_image(rig, "image", "1M", image);
	shell("mkdir '%s' && echo precious >'%s/notes'", directory, directory);
	expect(ctl(rig, "rebuild", image, "-o", directory), 1, NULL, "notes");
	shell("test \"$(ls -A '%s')\" = notes && grep -q precious '%s/notes'", directory,
	      directory);
	/* Beside a set of ours too. */
	expect(ctl(rig, "rebuild", image), 0, NULL, NULL);
	shell("echo precious >'%s/firmware/leftover/notes'", rig->directory);
	expect(ctl(rig, "rebuild", image, "--force"), 1, NULL, "leftover/notes");
	shell("grep -q precious '%s/firmware/leftover/notes'", rig->directory);
	expect(ctl(rig, "rebuild", "/nowhere/at/all"), 4, NULL, "/nowhere/at/all");
	expect(ctl(rig, "rebuild", image, "--names=other"), 2, NULL, "hint:");
}

static void test_rebuild_of_noise(void **state)
{
	struct rig *rig = *state;

	shell("head -c 1M /dev/zero >'%s/zeros'", rig->directory);
	{
		_cleanup_free_ char *zeros = str_format("%s/zeros", rig->directory);

		expect(ctl(rig, "rebuild", zeros), 1, NULL, "--force");
		shell("test ! -e '%s/firmware'", rig->directory);
		expect(ctl(rig, "rebuild", zeros, "--force"), 0, NULL, NULL);
		expect(ctl(rig, "rebuild", zeros, "--check"), 0, "byte for byte", NULL);
	}
}

static void test_cut(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *out = str_format("%s/out", rig->directory);
	_cleanup_free_ char *viva = str_format("%s/viva", rig->directory);
	char image[128];

	rig_make_image(rig, "image", "1M", image);
	expect(ctl(rig, "cut", image, "--start=2K", "--length=0x1b5c", "-o", out), 0, "7004", NULL);
	shell("tail -c +2049 '%s' | head -c 7004 | cmp - '%s'", image, out);
	expect(ctl(rig, "cut", image, "--start=0", "--length=16", "-o", out), 1, NULL, "--force");
	expect(ctl(rig, "cut", image, "--start=0", "--length=16", "-o", out, "--force"), 0, NULL,
	       NULL);
	assert_int_equal(file_size(out), 16);
	expect(ctl(rig, "--json", "cut", image, "--region=VIVA", "-o", viva), 0,
	       "\"region\":\"VIVA\"", NULL);
	expect(ctl(rig, "rebuild", image), 0, NULL, NULL);
	shell("cmp '%s' '%s/firmware/VIVA'", viva, rig->directory);
	expect(ctl(rig, "cut", image, "--region=VAVI", "-o", out), 4, NULL, "user area");
	expect(ctl(rig, "cut", image, "--start=1M", "--length=1", "-o", out), 1, NULL, "0x100000");
	expect(ctl(rig, "cut", image, "--start=1", "-o", out), 2, NULL, "--region");
	expect(ctl(rig, "cut", image, "--region=user area", "-o", "-", "--start=1"), 2, NULL, NULL);
}

/* ---- The daemon ---- */

/* name is for watch and slot. */
static void back_up(struct rig *rig, const char *name, const char *image, const char *request,
		    char directory[512])
{
	struct watch watch;
	struct job job;
	int64_t id = rig_submit(rig, request);

	watch_plug(rig, &watch, name, "--flash", image, NULL);
	rig_attach(rig, watch.link, name);
	job = rig_wait(rig, id, JOB_DONE, 60);
	job_clear(&job);
	watch_unplug(&watch);
	rig_backup_path(rig, id, directory);
	shell("cd '%s' && sha256sum --quiet --strict -c SHA256SUMS && cmp ROM_0 '%s'", directory,
	      image);
}

static struct manifest load_manifest(const char *directory)
{
	_cleanup_free_ char *path = str_format("%s/" MANIFEST_FILE, directory), *text = NULL;
	struct manifest manifest = { 0 };
	struct problem problem;

	assert_int_equal(fd_read_file(AT_FDCWD, path, 1 << 20, &text, NULL), 0);
	assert_int_equal(manifest_from_text(text, &manifest, &problem), 0);
	return manifest;
}

static void test_backup(void **state)
{
	struct rig *rig = *state;
	_cleanup_(manifest_clear) struct manifest manifest = { 0 };
	_cleanup_free_ char *image_file = NULL, *damaged = NULL;
	char image[128], directory[512];
	const char *id;

	rig_start(rig);
	rig_make_image(rig, "image", "4M", image);
	back_up(rig, "one", image, "{\"verify\":\"none\"}", directory);
	shell("cd '%s' && test $(grep -c ' firmware/' SHA256SUMS) -eq "
	      "$(find firmware -type f | wc -l) && test $(grep -c . SHA256SUMS) -gt 10",
	      directory);
	shell("grep -q '^Health$' '%s/report.txt' && grep -q 'in firmware/' '%s/report.txt'",
	      directory, directory);
	shell("test \"$(find '%s' -type d ! -perm 750)\" = '' && "
	      "test \"$(find '%s' -type f ! -perm 640)\" = ''",
	      directory, directory);
	manifest = load_manifest(directory);
	assert_true(manifest.rebuild.tried && manifest.rebuild.ok);
	assert_true(manifest.health > 50);
	assert_true(manifest.coverage.digest > 0 && manifest.coverage.unproven > 0);
	assert_int_equal(manifest.coverage.firmware, manifest.coverage.digest +
							     manifest.coverage.structure +
							     manifest.coverage.unproven);
	/* The client proves it, and finds what lies there. */
	image_file = str_format("%s/ROM_0", directory);
	expect(ctl(rig, "rebuild", "--check", image_file), 0, "byte for byte", NULL);
	id = manifest.id;
	expect(rig_ctl(rig, "backup", id, NULL), 0, "firmware/leftover/user-area", NULL);
	expect(rig_ctl(rig, "verify", id, NULL), 0, NULL, NULL);
	damaged = str_format("%s/firmware/leftover/efuse", directory);
	change_byte(damaged, 3);
	expect(rig_ctl(rig, "verify", id, NULL), 1, NULL, "firmware/leftover/efuse");
	expect(rig_ctl(rig, "remove", id, NULL), 0, NULL, NULL);
	assert_false(file_exists(directory));
}

static void test_backup_without_files(void **state)
{
	struct rig *rig = *state;
	_cleanup_(manifest_clear) struct manifest manifest = { 0 };
	char image[128], directory[512];

	rig_start(rig);
	rig_make_image(rig, "image", "1M", image);
	back_up(rig, "one", image, "{\"verify\":\"none\",\"rebuild\":false}", directory);
	shell("test ! -e '%s/firmware'", directory);
	manifest = load_manifest(directory);
	assert_false(manifest.rebuild.tried);
	assert_true(manifest.health > 50);
}

/* The bytes are what the watch has: that is a good backup, whatever the firmware looks like. */
static void test_backup_of_a_damaged_flash(void **state)
{
	struct rig *rig = *state;
	_cleanup_(manifest_clear) struct manifest hurt = { 0 }, manifest = { 0 };
	_cleanup_free_ char *zeros = str_format("%s/zeros", rig->directory);
	char image[128], directory[512];

	rig_start(rig);
	/* A bit of a boot loader: files are made, and the report names what is wrong. */
	rig_make_image(rig, "image", "1M", image);
	change_byte(image, 0x3000);
	back_up(rig, "one", image, "{\"verify\":\"none\"}", directory);
	hurt = load_manifest(directory);
	assert_true(hurt.rebuild.ok);
	shell("grep -q 'EXT_BOOTLOADER: ' '%s/report.txt'", directory);
	/* No firmware at all: the size has to be told, files cannot be made. */
	shell("head -c 1M /dev/zero | tr '\\0' '\\125' >'%s'", zeros);
	back_up(rig, "two", zeros,
		"{\"verify\":\"none\",\"ranges\":[{\"name\":\"ROM_0\",\"start\":0,\"length\":"
		"1048576}]}",
		directory);
	shell("test ! -e '%s/firmware'", directory);
	manifest = load_manifest(directory);
	assert_true(manifest.rebuild.tried);
	assert_false(manifest.rebuild.ok);
	assert_non_null(manifest.rebuild.detail);
	shell("grep -q 'firmware files: none' '%s/report.txt'", directory);
}

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, set_up, rig_test_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(test_rebuild),
		RIGGED(test_rebuild_json),
		RIGGED(test_rebuild_leaves_others_alone),
		RIGGED(test_rebuild_of_noise),
		RIGGED(test_cut),
		RIGGED(test_backup),
		RIGGED(test_backup_without_files),
		RIGGED(test_backup_of_a_damaged_flash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
