/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The page of a backup: self-contained, harmless whatever a user writes on the job, covered by
 * SHA256SUMS; and a real browser takes it as it was meant, on a phone, on a wide screen, on paper.
 * The browser's part needs chromium (tests/install-dependencies browser).
 */

#include "tests/integration/rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define PAGE_BYTES_MAX (1U << 20)
#define EXIT_SKIPPED   77

#define HOSTILE "</p><script>document.title=1</script><img src=x onerror=alert(1)>"

/* What keeps a browser from the network, and from what the machine has not. */
#define BROWSER                                                                                    \
	"timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run " \
	"--disable-background-networking --disable-component-update --disable-sync "               \
	"--hide-scrollbars --user-data-dir='%s/browser' %s 'file://%s' 2>/dev/null"

struct bench {
	struct rig rig;
	char whole[512], part[512], noise[512]; /* directories of backups */
};

static void back_up(struct bench *bench, const char *slot, const char *image, const char *request,
		    char path[512])
{
	struct watch watch;
	struct job job;
	int64_t id;

	watch_plug(&bench->rig, &watch, slot, "--flash", image, NULL);
	id = rig_submit(&bench->rig, request);
	rig_attach(&bench->rig, watch.link, slot);
	job = rig_wait(&bench->rig, id, JOB_DONE, 60);
	job_clear(&job);
	rig_backup_path(&bench->rig, id, path);
	watch_unplug(&watch);
}

/* An image without anything that could be firmware. */
static void make_noise(const char *path)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	uint32_t state = 1;

	assert_true(fd >= 0);
	for (unsigned int i = 0; i < 256; i++) {
		uint32_t block[1024];

		for (size_t j = 0; j < ARRAY_SIZE(block); j++)
			block[j] = state = state * 1664525 + 1013904223;
		assert_int_equal(fd_write_all(fd, block, sizeof(block)), 0);
	}
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	char image[128], noise[128];

	assert_non_null(bench);
	*state = bench;
	rig_set_up(&bench->rig, NULL);
	rig_start(&bench->rig);
	rig_make_image(&bench->rig, "image", "4M", image);
	(void)snprintf(noise, sizeof(noise), "%s/noise", bench->rig.directory);
	make_noise(noise);
	back_up(bench, "bench-1", image, "{\"labels\":{\"note\":\"" HOSTILE "\"}}", bench->whole);
	back_up(bench, "bench-2", image,
		"{\"ranges\":[{\"name\":\"piece\",\"start\":65536,\"length\":8192}]}", bench->part);
	back_up(bench, "bench-3", noise,
		"{\"ranges\":[{\"name\":\"ROM_0\",\"start\":0,\"length\":1048576}]}", bench->noise);
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	rig_tear_down(&bench->rig);
	free(bench);
	return 0;
}

static char *read_page(const char *directory)
{
	_cleanup_free_ char *path = str_format("%s/report.html", directory);
	char *page = NULL;

	assert_int_equal(fd_read_file(AT_FDCWD, path, PAGE_BYTES_MAX, &page, NULL), 0);
	return page;
}

static void assert_has(const char *page, const char *text)
{
	if (!strstr(page, text))
		fail_msg("the page lacks: %s", text);
}

static void assert_has_not(const char *page, const char *text)
{
	if (strstr(page, text))
		fail_msg("the page has: %s", text);
}

/* Nothing leads outside, nothing runs. */
static void assert_self_contained(const char *page)
{
	assert_has(page, "default-src 'none'");
	assert_has_not(page, "<script");
	assert_has_not(page, "<img");
	assert_has_not(page, "<link");
	assert_has_not(page, "@import");
	assert_has_not(page, "url(");
	assert_has_not(page, "://");
	assert_has_not(page, "src=x onerror=alert(1)>");
}

static void check_sums(const char *directory)
{
	_cleanup_free_ char *command =
		str_format("cd '%s' && grep -q '  report.html$' SHA256SUMS && "
			   "sha256sum --quiet --strict -c SHA256SUMS",
			   directory);

	assert_int_equal(system(command), 0);
}

static void test_whole(void **state)
{
	const struct bench *bench = *state;
	_cleanup_free_ char *page = read_page(bench->whole);

	assert_self_contained(page);
	check_sums(bench->whole);
	assert_has(page, "No damage was found");
	assert_has(page, "&lt;/p&gt;&lt;script&gt;document.title=1");
	assert_has(page, "slot bench-1");
	assert_has(page, ">EXT_BOOTLOADER</text>");
	assert_has(page, "<g class=\"entropy\">");
	assert_has(page, "Every byte was read twice");
	assert_has(page, "What is proven");
	assert_has(page, "How the size of the flash is known");
	assert_has(page, "firmware/</strong>");
}

/* What is no firmware, or not all of it, has a page as well. */
static void test_part(void **state)
{
	const struct bench *bench = *state;
	_cleanup_free_ char *page = read_page(bench->part);

	assert_self_contained(page);
	check_sums(bench->part);
	assert_has(page, "Health was not judged");
	assert_has(page, "No map");
	assert_has(page, "<strong>piece</strong>");
	assert_has_not(page, "What is proven");
}

static void test_noise(void **state)
{
	const struct bench *bench = *state;
	_cleanup_free_ char *page = read_page(bench->noise);

	assert_self_contained(page);
	check_sums(bench->noise);
	assert_has(page, "<g class=\"entropy\">");
	assert_has_not(page, "No damage was found");
}

/* ---- In a browser ---- */

static char *browse(const struct bench *bench, const char *directory, const char *options)
{
	_cleanup_free_ char *page = str_format("%s/report.html", directory);
	_cleanup_free_ char *command = str_format(BROWSER, bench->rig.directory, options, page);
	char *text = calloc(1, PAGE_BYTES_MAX);
	FILE *out = popen(command, "r");

	assert_non_null(text);
	assert_non_null(out);
	(void)!fread(text, 1, PAGE_BYTES_MAX - 1, out);
	assert_int_equal(pclose(out), 0);
	return text;
}

/* The tree that the browser made of it: all sections, and nobody's script or picture. */
static void test_parses(void **state)
{
	const struct bench *bench = *state;
	_cleanup_free_ char *tree = browse(bench, bench->whole, "--dump-dom");

	assert_has(tree, "</footer>");
	assert_has(tree, "<title>Backup 20");
	assert_has(tree, "&lt;script&gt;document.title=1");
	assert_has_not(tree, "<script");
	assert_has_not(tree, "<img");
	assert_true(strstr(tree, "</svg>") < strstr(tree, "</table>"));
}

/* Width and height of a PNG are in its first record. */
static void check_picture(const char *path, uint32_t width, uint32_t height)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t head[24];

	assert_true(fd >= 0);
	assert_int_equal(fd_pread_all(fd, head, sizeof(head), 0), 0);
	assert_memory_equal(head, "\x89PNG\r\n\x1a\n", 8);
	assert_int_equal(head[18] << 8 | head[19], width);
	assert_int_equal(head[22] << 8 | head[23], height);
	/* An empty page of that size packs to far less. */
	assert_true(file_size(path) > 10000);
}

static void shoot(const struct bench *bench, uint32_t width, uint32_t height)
{
	_cleanup_free_ char *path = str_format("%s/%u.png", bench->rig.directory, width);
	_cleanup_free_ char *options =
		str_format("--window-size=%u,%u --screenshot='%s'", width, height, path);
	_cleanup_free_ char *text = browse(bench, bench->whole, options);

	check_picture(path, width, height);
}

static void test_pictures(void **state)
{
	shoot(*state, 390, 844);
	shoot(*state, 1280, 900);
}

static void test_paper(void **state)
{
	const struct bench *bench = *state;
	_cleanup_free_ char *path = str_format("%s/page.pdf", bench->rig.directory);
	_cleanup_free_ char *options = str_format("--print-to-pdf='%s'", path);
	_cleanup_free_ char *text = browse(bench, bench->whole, options);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char head[5];

	assert_true(fd >= 0);
	assert_int_equal(fd_pread_all(fd, head, sizeof(head), 0), 0);
	assert_memory_equal(head, "%PDF-", 5);
	assert_true(file_size(path) > 10000);
}

int main(void)
{
	const struct CMUnitTest pages[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_part),
		cmocka_unit_test(test_noise),
	};
	const struct CMUnitTest views[] = {
		cmocka_unit_test(test_whole),    cmocka_unit_test(test_part),
		cmocka_unit_test(test_noise),    cmocka_unit_test(test_parses),
		cmocka_unit_test(test_pictures), cmocka_unit_test(test_paper),
	};
	int r;

	if (system("command -v chromium >/dev/null 2>&1") == 0)
		return cmocka_run_group_tests(views, set_up, tear_down);
	r = cmocka_run_group_tests(pages, set_up, tear_down);
	(void)fprintf(stderr, "no browser: tests/install-dependencies browser brings one\n");
	return r != 0 ? r : EXIT_SKIPPED;
}
