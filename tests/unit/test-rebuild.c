/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Images taken apart into files and put together again by another hand than the code's own. */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/image-bench.h"

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/layout-json.h"
#include "protocol/control/message.h"
#include "protocol/firmware/rebuild.h"
#include "tests/watch/noise.h"

#define SET "set"

struct place {
	char path[64];
	int fd;
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	strcpy(place->path, "/tmp/mtkrb-rebuild-XXXXXX");
	assert_non_null(mkdtemp(place->path));
	place->fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->fd >= 0);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	assert_int_equal(file_set_remove(place->fd, SET), 0);
	close(place->fd);
	/* Nothing is left behind, whatever went wrong in between. */
	assert_int_equal(rmdir(place->path), 0);
	free(place);
	return 0;
}

static void describe(const struct bench *bench, const struct rebuild *rebuild, char **ret)
{
	const struct layout_json description = {
		.size = bench->size,
		.sha256 = rebuild->image_sha256,
		.effective_size = bench->layout->effective_size,
		.project = bench->layout->facts.project,
		.version = bench->layout->facts.version,
		.platform = bench->layout->platform,
		.cfg_file = rebuild->cfg_file,
		.cfg_sha256 = rebuild->cfg_sha256,
		.pieces = rebuild->pieces,
		.n_pieces = rebuild->n_pieces,
	};

	assert_int_equal(layout_json_to_text(&description, ret), 0);
}

static int write_set(const struct place *place, const struct bench *bench,
		     const struct rebuild *rebuild, bool replace)
{
	_cleanup_free_ char *description = NULL, *why = NULL;

	describe(bench, rebuild, &description);
	return rebuild_write(rebuild, bench->layout, place->fd, SET, description, replace, &why);
}

/* By what layout.json says and nothing else. */
static void put_together(const struct place *place, const struct bench *bench)
{
	_cleanup_(layout_json_clear) struct layout_json layout = { 0 };
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ uint8_t *image = NULL;
	struct problem problem;

	assert_int_equal(
		fd_read_file(place->fd, SET "/layout.json", LAYOUT_JSON_BYTES_MAX, &text, NULL), 0);
	assert_int_equal(layout_json_from_text(text, &layout, &problem), 0);
	assert_int_equal(layout.size, bench->size);
	image = calloc(1, layout.size);
	assert_non_null(image);
	for (size_t i = 0; i < layout.n_pieces; i++) {
		const struct image_piece *piece = &layout.pieces[i];
		_cleanup_free_ char *path = str_format(SET "/%s", piece->file), *data = NULL;
		size_t size = 0;

		if (piece->content == IMAGE_PIECE_ERASED)
			memset(image + piece->offset, 0xff, piece->length);
		else if (piece->content == IMAGE_PIECE_REPEATED)
			for (uint64_t j = 0; j < piece->length; j++)
				image[piece->offset + j] = image[piece->repeats + j];
		if (piece->content != IMAGE_PIECE_FILE)
			continue;
		assert_int_equal(fd_read_file(place->fd, path, bench->size, &data, &size), 0);
		assert_int_equal(size, piece->length);
		memcpy(image + piece->offset, data, size);
	}
	assert_memory_equal(image, bench->data, bench->size);
}

static struct rebuild *take_apart(struct bench *bench, enum rebuild_names names)
{
	struct rebuild *rebuild = NULL;

	bench_look(bench);
	assert_int_equal(rebuild_new(bench->layout, names, &rebuild), 0);
	return rebuild;
}

static const struct image_piece *piece_of(const struct rebuild *rebuild, const char *file)
{
	for (size_t i = 0; i < rebuild->n_pieces; i++)
		if (streq(rebuild->pieces[i].file, file))
			return &rebuild->pieces[i];
	fail_msg("no piece %s", file);
	abort();
}

static void round_trip(const struct place *place, struct bench *bench)
{
	_cleanup_(rebuild_freep) struct rebuild *rebuild =
		take_apart(bench, REBUILD_NAMES_STANDARD);

	assert_int_equal(write_set(place, bench, rebuild, false), 0);
	put_together(place, bench);
	assert_int_equal(file_set_remove(place->fd, SET), 0);
}

static void test_round_trips(void **state)
{
	static const char *const platforms[] = { "MT6260", "MT6261", "MT2502" };

	for (size_t i = 0; i < ARRAY_SIZE(platforms); i++)
		for (uint64_t size = MIB; size <= 8 * MIB; size *= 2) {
			_cleanup_bench_ struct bench bench = bench_new(size, platforms[i]);

			round_trip(*state, &bench);
		}
}

static void test_what_it_says(void **state)
{
	static const char *const boot[] = { "INT_BOOTLOADER", "EXT_BOOTLOADER" };
	static const char *const main[] = { "ROM", "VIVA" };
	_cleanup_bench_ struct bench bench = bench_new(4 * MIB, "MT2502");
	struct layout_part rom = bench_part(&bench, "ROM");
	_cleanup_(rebuild_freep) struct rebuild *rebuild =
		take_apart(&bench, REBUILD_NAMES_STANDARD);
	const struct image_piece *piece = piece_of(rebuild, "ROM");
	uint16_t sum = 0;

	(void)state;
	assert_int_equal(rebuild->n_parts, 4);
	assert_int_equal(rebuild->cfg.n_boot, 2);
	assert_int_equal(rebuild->cfg.n_main, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(rebuild->cfg.boot[i], boot[i]);
		assert_string_equal(rebuild->cfg.main[i], main[i]);
	}
	assert_string_equal(rebuild->cfg.platform, "MT2502");
	assert_null(rebuild->no_flashes);
	assert_int_equal(rebuild->cfg.n_flashes, 3);
	assert_int_equal(piece->offset, rom.offset);
	assert_int_equal(piece->length, rom.length);
	assert_true(piece->listed);
	assert_false(piece->device_specific);
	for (uint64_t i = 0; i < rom.length; i++)
		sum = (uint16_t)(sum + bench.data[rom.offset + i]);
	assert_int_equal(piece->sum, sum);
	assert_true(piece_of(rebuild, "leftover/efuse")->device_specific);
	assert_true(piece_of(rebuild, "leftover/user-area")->device_specific);
	assert_false(piece_of(rebuild, "leftover/boot-header")->device_specific);
	assert_int_equal(piece_of(rebuild, "leftover/control-block")->length, 0x2000);
}

static void test_extractor_names(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(2 * MIB, "MT6261");
	_cleanup_(rebuild_freep) struct rebuild *rebuild =
		take_apart(&bench, REBUILD_NAMES_EXTRACTOR);

	assert_int_equal(write_set(*state, &bench, rebuild, false), 0);
	put_together(*state, &bench);
	assert_string_equal(rebuild->cfg_file, "config_mtk.cfg");
	assert_string_equal(rebuild->cfg.main[0], "FILE_01_mtk");
	assert_string_equal(rebuild->cfg.main[1], "FILE_02_mtk");
	assert_string_equal(piece_of(rebuild, "FILE_02_mtk")->name, "VIVA");
	assert_string_equal(piece_of(rebuild, "EXT_BOOTLOADER")->name, "EXT_BOOTLOADER");
}

static void test_without_viva(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(2 * MIB, "MT2502");
	_cleanup_(rebuild_freep) struct rebuild *rebuild = NULL;
	struct layout_part viva = bench_part(&bench, "VIVA");

	memset(bench.data + viva.offset, 0xff, viva.length);
	round_trip(*state, &bench);
	rebuild = take_apart(&bench, REBUILD_NAMES_STANDARD);
	assert_int_equal(rebuild->cfg.n_main, 1);
	assert_string_equal(rebuild->cfg.main[0], "ROM");
}

static void test_third_parts(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(4 * MIB, "MT6261");
	_cleanup_(rebuild_freep) struct rebuild *rebuild = NULL;

	bench_put_file(bench.data + 0x2a0000, 0x103, 0x102a0000, 836);
	bench_put_file(bench.data + 0x2b0000, 0x7001, 0x902b0000, 38920);
	/* An old copy of VIVA that belongs elsewhere: kept, but not for the flasher. */
	bench_put_file(bench.data + 0x2c0000, 0x108, 0x10000000 + 0x18a744, 4000);
	/* And something nobody knows. */
	memcpy(bench.data + 0x2f0123, "left here", 9);
	round_trip(*state, &bench);
	rebuild = take_apart(&bench, REBUILD_NAMES_STANDARD);
	assert_int_equal(rebuild->n_parts, 7);
	assert_int_equal(rebuild->cfg.n_main, 4);
	assert_string_equal(rebuild->cfg.main[2], "THIRD_ROM");
	assert_string_equal(rebuild->cfg.main[3], "CUSTOMER_BIN1");
	assert_false(piece_of(rebuild, "VIVA_2")->listed);
	assert_int_equal(piece_of(rebuild, "leftover/gap-002f0123")->length, 9);
}

static void test_cut_off_part(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(4 * MIB, "MT6261");
	_cleanup_(rebuild_freep) struct rebuild *rebuild = NULL;

	bench_resize(&bench, MIB);
	round_trip(*state, &bench);
	rebuild = take_apart(&bench, REBUILD_NAMES_STANDARD);
	assert_int_equal(piece_of(rebuild, "ROM")->length, MIB - ROM);
	assert_false(piece_of(rebuild, "ROM")->listed);
	assert_int_equal(rebuild->cfg.n_main, 0);
	assert_int_equal(rebuild->cfg.n_boot, 2);
}

/* A dump that begins late: the files are good all the same, their own addresses count. */
static void test_shifted(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(2 * MIB, "MT6261");
	_cleanup_(rebuild_freep) struct rebuild *rebuild = NULL;

	bench_lose(&bench, 0, 0x800);
	round_trip(*state, &bench);
	rebuild = take_apart(&bench, REBUILD_NAMES_STANDARD);
	assert_int_equal(rebuild->cfg.n_boot, 2);
	assert_int_equal(rebuild->cfg.n_main, 2);
}

static void test_repeated(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	_cleanup_(rebuild_freep) struct rebuild *rebuild = NULL, *other = NULL;
	const struct image_piece *last;

	bench_repeat(&bench, 4 * MIB);
	round_trip(*state, &bench);
	rebuild = take_apart(&bench, REBUILD_NAMES_STANDARD);
	last = &rebuild->pieces[rebuild->n_pieces - 1];
	assert_int_equal(last->content, IMAGE_PIECE_REPEATED);
	assert_int_equal(last->length, 3 * MIB);
	/* The user area was written to between the two readings of it. */
	bench_resize(&bench, 2 * MIB);
	bench.data[MIB + 0xc0000 + 77] ^= 1;
	round_trip(*state, &bench);
	other = take_apart(&bench, REBUILD_NAMES_STANDARD);
	assert_true(piece_of(other, "leftover/repeated")->device_specific);
}

static void test_noise_and_blank(void **state)
{
	struct noise noise = { 4711 };

	for (int fill = 0; fill < 3; fill++) {
		_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
		_cleanup_(rebuild_freep) struct rebuild *rebuild = NULL;

		if (fill == 2)
			noise_fill(&noise, bench.data, bench.size);
		else
			memset(bench.data, fill ? 0xff : 0, bench.size);
		round_trip(*state, &bench);
		rebuild = take_apart(&bench, REBUILD_NAMES_STANDARD);
		assert_null(rebuild->cfg_file);
		assert_int_equal(rebuild->n_pieces, 1);
		assert_non_null(rebuild->no_flashes);
	}
}

/* As many gaps as fit: they stay few pieces. */
static void test_many_gaps(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(8 * MIB, "MT6261");
	_cleanup_(rebuild_freep) struct rebuild *rebuild = NULL;

	memset(bench.data, 0xff, bench.size);
	for (uint64_t at = 0; at < bench.size; at += 2 * PAGE)
		bench.data[at] = (uint8_t)((at >> 13) % 251);
	round_trip(*state, &bench);
	rebuild = take_apart(&bench, REBUILD_NAMES_STANDARD);
	assert_true(bench.layout->n_regions > 1000);
	assert_true(rebuild->n_pieces > 50 && rebuild->n_pieces < 200);
}

/* Random damage: whatever the bytes say, the pieces are the image. */
static void test_damaged(void **state)
{
	struct noise noise = { 815 };

	for (int round = 0; round < 12; round++) {
		_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
		struct layout_part rom = bench_part(&bench, "ROM");

		for (int i = 0; i < 40; i++) {
			uint64_t at = noise_next(&noise) % (i % 2 ? 0x2000 : 0x400);

			bench.data[(i % 2 ? 0 : rom.offset) + at] = (uint8_t)noise_next(&noise);
		}
		round_trip(*state, &bench);
	}
}

static void test_flash_list_of_a_wrong_kind(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	_cleanup_(rebuild_freep) struct rebuild *kind = NULL, *cut = NULL;
	struct layout_part rom = bench_part(&bench, "ROM");
	uint8_t *list = bench_record(&bench, &rom, GFH_CMEM_ID_INFO);

	list[16] = 9;
	kind = take_apart(&bench, REBUILD_NAMES_STANDARD);
	assert_non_null(kind->no_flashes);
	assert_null(strstr(kind->cfg_text, "external_memory"));
	list[16] = 3;
	put_le32(list + 12, 40);
	cut = take_apart(&bench, REBUILD_NAMES_STANDARD);
	assert_non_null(cut->no_flashes);
	round_trip(*state, &bench);
}

/* ---- What is there already ---- */

static void put(const struct place *place, const char *path)
{
	_cleanup_close_ int fd = openat(place->fd, path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
}

static void test_refuses_a_full_directory(void **state)
{
	const struct place *place = *state;
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	_cleanup_(rebuild_freep) struct rebuild *rebuild =
		take_apart(&bench, REBUILD_NAMES_STANDARD);
	int r;

	assert_int_equal(mkdirat(place->fd, SET, 0700), 0);
	assert_int_equal(write_set(place, &bench, rebuild, false), 0);
	r = write_set(place, &bench, rebuild, false);
	assert_true(r == -ENOTEMPTY || r == -EEXIST);
	assert_int_equal(write_set(place, &bench, rebuild, true), 0);
	put_together(place, &bench);
}

/* What a crash left goes; what a link points to stays. */
static void test_debris(void **state)
{
	const struct place *place = *state;
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	_cleanup_(rebuild_freep) struct rebuild *rebuild =
		take_apart(&bench, REBUILD_NAMES_STANDARD);

	assert_int_equal(mkdirat(place->fd, "." SET ".new", 0700), 0);
	put(place, "." SET ".new/ROM");
	assert_int_equal(write_set(place, &bench, rebuild, false), 0);
	put_together(place, &bench);
	assert_int_equal(file_set_remove(place->fd, SET), 0);
	assert_int_equal(mkdirat(place->fd, "mine", 0700), 0);
	put(place, "mine/ROM");
	assert_int_equal(symlinkat("mine", place->fd, "." SET ".new"), 0);
	assert_true(write_set(place, &bench, rebuild, false) < 0);
	assert_int_equal(unlinkat(place->fd, "." SET ".new", 0), 0);
	assert_int_equal(unlinkat(place->fd, "mine/ROM", 0), 0);
	assert_int_equal(unlinkat(place->fd, "mine", AT_REMOVEDIR), 0);
}

static void test_knows_its_own(void **state)
{
	const struct place *place = *state;
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	_cleanup_(rebuild_freep) struct rebuild *rebuild =
		take_apart(&bench, REBUILD_NAMES_STANDARD);
	const struct file_set_text texts[] = { { .name = REBUILD_DESCRIPTION },
					       { .name = rebuild->cfg_file } };
	const struct file_set set = { rebuild->pieces, rebuild->n_pieces, texts, 2 };
	_cleanup_free_ char *other = NULL;
	int dir;

	assert_int_equal(write_set(place, &bench, rebuild, false), 0);
	dir = openat(place->fd, SET, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	assert_int_equal(file_set_is_all(dir, &set, &other), 1);
	put(place, SET "/leftover/mine");
	assert_int_equal(file_set_is_all(dir, &set, &other), 0);
	assert_string_equal(other, "leftover/mine");
	assert_int_equal(unlinkat(dir, "leftover/mine", 0), 0);
	assert_int_equal(unlinkat(dir, "ROM", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", dir, "ROM"), 0);
	free(TAKE_PTR(other));
	assert_int_equal(file_set_is_all(dir, &set, &other), 0);
	assert_string_equal(other, "ROM");
	close(dir);
}

static void change(const struct place *place, const char *path, off_t at)
{
	_cleanup_close_ int fd = openat(place->fd, path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

static int compare(const struct place *place, const struct bench *bench,
		   const struct rebuild *rebuild, size_t n, char **ret_why)
{
	_cleanup_close_ int dir = openat(place->fd, SET, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	free(TAKE_PTR(*ret_why));
	return file_set_compare(dir, rebuild->pieces, n, bench->data, bench->size, ret_why);
}

static void test_finds_damage(void **state)
{
	const struct place *place = *state;
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	_cleanup_(rebuild_freep) struct rebuild *rebuild =
		take_apart(&bench, REBUILD_NAMES_STANDARD);
	_cleanup_free_ char *why = NULL;

	assert_int_equal(write_set(place, &bench, rebuild, false), 0);
	assert_int_equal(compare(place, &bench, rebuild, rebuild->n_pieces, &why), 0);
	change(place, SET "/ROM", 77777);
	assert_int_equal(compare(place, &bench, rebuild, rebuild->n_pieces, &why), -EBADMSG);
	assert_non_null(strstr(why, "ROM"));
	change(place, SET "/ROM", 77777);
	/* Another image, in a gap that no file keeps. */
	bench.data[0x300] = 0;
	assert_int_equal(compare(place, &bench, rebuild, rebuild->n_pieces, &why), -EBADMSG);
	bench.data[0x300] = 0xff;
	/* A piece too few. */
	assert_int_equal(compare(place, &bench, rebuild, rebuild->n_pieces - 1, &why), -EBADMSG);
	assert_int_equal(compare(place, &bench, rebuild, rebuild->n_pieces, &why), 0);
}

/* ---- layout.json ---- */

static void test_description_is_strict(void **state)
{
	static const struct {
		const char *from, *to;
	} changes[] = {
		{ "\"format\": 1", "\"format\": 2" },
		{ "\"file\": \"ROM\"", "\"file\": \"../ROM\"" },
		{ "\"file\": \"ROM\"", "\"file\": \"a/b\"" },
		{ "\"fill\": 255", "\"fill\": 254" },
		{ "\"fill\": 255", "\"fill\": 255, \"file\": \"x\"" },
		{ "\"listed\": true", "\"listed\": 1" },
		{ "\"length\": 20,", "\"length\": 0," },
		{ "\"length\": 20,", "\"length\": 2000000," },
		{ "\"size\": ", "\"other\": 1, \"size\": " },
	};
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	_cleanup_(rebuild_freep) struct rebuild *rebuild =
		take_apart(&bench, REBUILD_NAMES_STANDARD);
	_cleanup_(layout_json_clear) struct layout_json layout = { 0 };
	_cleanup_free_ char *text = NULL;
	struct problem problem;

	(void)state;
	describe(&bench, rebuild, &text);
	assert_int_equal(layout_json_from_text(text, &layout, &problem), 0);
	assert_int_equal(layout.n_pieces, rebuild->n_pieces);
	assert_memory_equal(layout.pieces, rebuild->pieces,
			    rebuild->n_pieces * sizeof(*layout.pieces));
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		const char *at = strstr(text, changes[i].from);
		_cleanup_free_ char *changed = NULL;
		struct layout_json none = { 0 };

		assert_non_null(at);
		changed = str_format("%.*s%s%s", (int)(at - text), text, changes[i].to,
				     at + strlen(changes[i].from));
		assert_true(layout_json_from_text(changed, &none, &problem) < 0);
	}
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACED(test_round_trips),
		PLACED(test_what_it_says),
		PLACED(test_extractor_names),
		PLACED(test_without_viva),
		PLACED(test_third_parts),
		PLACED(test_cut_off_part),
		PLACED(test_shifted),
		PLACED(test_repeated),
		PLACED(test_noise_and_blank),
		PLACED(test_many_gaps),
		PLACED(test_damaged),
		PLACED(test_flash_list_of_a_wrong_kind),
		PLACED(test_refuses_a_full_directory),
		PLACED(test_debris),
		PLACED(test_knows_its_own),
		PLACED(test_finds_damage),
		PLACED(test_description_is_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
