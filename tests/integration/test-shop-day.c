/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A day of a repair shop: 24 watches over 8 slots in three rounds, tickets scanned all day in one
 * session. A cable comes loose and is plugged in again; a byte arrives wrong; a watch does not answer
 * and is exchanged, another never does; and in the middle the daemon is killed. In the evening the
 * report is right row by row, and every backup is its watch's flash.
 */

#include "tests/integration/talk.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/digest.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "tests/integration/watch-log.h"

#define SLOTS   8
#define WATCHES 24
#define PLACE   "pci-0000:00:14.0-usb-0:1."
#define BATCH   "2026-11-25"
#define SLOW    "400000" /* bytes per second: some seconds for a flash of 1 MiB */

/* A ticket as the desk wrote it. slot 0: the next watch. */
static const struct {
	int slot;
	const char *customer, *imei, *note;
} desk[WATCHES] = {
	/* Who is bound to a slot is scanned before the others of the round. */
	{ 5, "Ms. O'Hara", "490154203237518", "strap torn" },
	{ 2, "Müller, Jürgen", "", "\"does not start\"" },
	{ 0, "=HYPERLINK(\"http://x\")", "356938035643809", "" },
	{ 0, "+49 30 1234", "", "-" },
	{ 0, "", "", "" },
	{ 0, "Nguyễn", "", "wet; smells" },
	{ 0, "Smith", "123", "" },
	{ 0, "Smith", "", "the other one" },

	{ 7, "Ms. O'Hara", "", "second watch" },
	{ 3, "@home", "", "" },
	{ 0, "Ito", "", "" },
	{ 0, "Kowalski", "", "" },
	{ 0, "Diaz", "", "" },
	{ 0, "Okafor", "", "" },
	{ 0, "Rossi", "", "" },
	{ 0, "Silva", "", "" },

	{ 8, "Chen", "", "" },
	{ 1, "Larsen", "", "" },
	{ 0, "Haddad", "", "" },
	{ 0, "Novak", "", "" },
	{ 0, "Moreau", "", "" },
	{ 0, "Andersson", "", "" },
	{ 0, "Papadopoulos", "", "" },
	{ 0, "de Vries", "", "" },
};

/* What is to be in the report, from what was done at the bench. */
struct ticket {
	int watch; /* that it has got, 0: none yet */
	int slot;
	int attempts;
	bool failed;
};

struct day {
	struct rig rig;
	struct talk desk;
	struct ticket tickets[WATCHES];
	int scanned;
	struct watch slots[SLOTS + 1]; /* from 1 */
	char images[WATCHES + 1][128]; /* from 1 */
	struct writes writes;
};

/* ---- The morning ---- */

/* A flash like the others but for a sticker in a part that nothing else uses. */
static void make_image(struct day *day, int watch)
{
	_cleanup_free_ char *name = str_format("flash-%d", watch);
	_cleanup_free_ char *sticker = str_format("watch %d of the day", watch);
	_cleanup_close_ int fd = -1;

	rig_make_image(&day->rig, name, "1M", day->images[watch]);
	fd = open(day->images[watch], O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fd_pwrite_all(fd, sticker, strlen(sticker), 0xf8000), 0);
}

static void name_slots(const struct day *day)
{
	for (int slot = 1; slot <= SLOTS; slot++) {
		_cleanup_free_ char *place = str_format(PLACE "%d", slot);
		_cleanup_free_ char *name = str_format("A%d", slot);
		_cleanup_(output_clear) struct output output =
			rig_ctl(&day->rig, "slot", "name", place, name, NULL);

		assert_int_equal(output.status, 0);
	}
}

static void open_shop(struct day *day)
{
	rig_set_up(&day->rig, "[automatic]\nenabled=no\n[read]\nhandshake-timeout-usb=2s\n"
			      "handshake-timeout-uart=2s\n");
	rig_start(&day->rig);
	for (int watch = 1; watch <= WATCHES; watch++)
		make_image(day, watch);
	name_slots(day);
	talk_begin(&day->desk, &day->rig, "batch", "start", BATCH, "--verify=full", "--no-rebuild",
		   NULL);
}

/* ---- At the desk ---- */

/* The next n tickets; every other slot is said in a line of its own, as a code on the slot would. */
static void scan(struct day *day, int n)
{
	for (; n > 0; n--) {
		int i = day->scanned++;
		_cleanup_free_ char *slot =
			desk[i].slot ? str_format("@A%d%s", desk[i].slot, i % 2 ? "\n" : " ")
				     : strdup("");
		_cleanup_free_ char *line =
			str_format("%sT-%02d\t%s\t%s\t%s\n", slot, i + 1, desk[i].customer,
				   desk[i].imei, desk[i].note);

		talk_say(&day->desk, line);
	}
}

static void await_scanned(const struct day *day)
{
	_cleanup_free_ char *said = str_format("job %d: ticket T-%02d", day->scanned, day->scanned);

	talk_await(&day->desk, said);
}

static void await_news(const struct day *day, int ticket, const char *news)
{
	_cleanup_free_ char *said = str_format("ticket T-%02d: %s", ticket + 1, news);

	talk_await_error(&day->desk, said);
}

/* ---- At the bench ---- */

/* The ticket that a watch in this slot gets: the first scanned that has none and may be here. */
static int next_ticket(const struct day *day, int slot)
{
	for (int i = 0; i < day->scanned; i++)
		if (day->tickets[i].watch == 0 && (desk[i].slot == 0 || desk[i].slot == slot))
			return i;
	fail_msg("nobody waits for slot A%d", slot);
	return -1;
}

static void attach(const struct day *day, int slot)
{
	_cleanup_free_ char *place = str_format(PLACE "%d", slot);

	rig_attach(&day->rig, day->slots[slot].link, place);
}

/* A watch is plugged in, with options up to a NULL; its ticket, which has begun. */
static int plug(struct day *day, int slot, int watch, const char *option, const char *more)
{
	_cleanup_free_ char *name = str_format("A%d", slot), *meid = str_format("%032d", watch);
	int ticket = next_ticket(day, slot);

	watch_plug(&day->rig, &day->slots[slot], name, "--flash", day->images[watch], "--meid",
		   meid, option, more, NULL);
	attach(day, slot);
	day->tickets[ticket].watch = watch;
	day->tickets[ticket].slot = slot;
	day->tickets[ticket].attempts++;
	for (int i = 0; i < 3000; i++) {
		struct job job = rig_job(&day->rig, ticket + 1);
		bool begun = job.attempts == day->tickets[ticket].attempts;

		job_clear(&job);
		if (begun)
			return ticket;
		sleep_ms(10);
	}
	fail_msg("ticket T-%02d does not begin in slot A%d", ticket + 1, slot);
	return ticket;
}

static void take_away(struct day *day, int slot)
{
	_cleanup_free_ char *device = str_format("{\"device\":\"%s\"}", day->slots[slot].link);

	watch_unplug(&day->slots[slot]);
	writes_count(&day->writes, day->slots[slot].log, false);
	message_unref(rig_call(&day->rig, "Detach", device, NULL));
}

static void await_done(struct day *day, int ticket)
{
	struct job job = rig_wait(&day->rig, ticket + 1, JOB_DONE, 60);

	job_clear(&job);
	take_away(day, day->tickets[ticket].slot);
}

/* Its watch does not answer. */
static void await_mute(struct day *day, int ticket)
{
	struct job job = rig_wait(&day->rig, ticket + 1, JOB_FAILED, 60);

	assert_int_equal(job.failure.code, FAILURE_HANDSHAKE_TIMEOUT);
	job_clear(&job);
	await_news(day, ticket, "job");
	take_away(day, day->tickets[ticket].slot);
}

/* So far that there is something to go on with. */
static void await_reading(const struct day *day, int ticket)
{
	for (int i = 0; i < 3000; i++) {
		struct job job = rig_job(&day->rig, ticket + 1);
		bool reads = job.progress.phase == PHASE_READ && job.progress.done > 100000;

		job_clear(&job);
		if (reads)
			return;
		sleep_ms(10);
	}
	fail_msg("ticket T-%02d does not get on", ticket + 1);
}

/* ---- The rounds ---- */

/* A cable comes loose in the middle, and is pushed in again. */
static void first_round(struct day *day)
{
	int tickets[SLOTS + 1];

	scan(day, 10);
	await_scanned(day);
	for (int slot = 1; slot <= SLOTS; slot++)
		tickets[slot] =
			slot == 3 ? plug(day, slot, slot, "--fault=unplug@0x60000", "--replug=500")
				  : plug(day, slot, slot, NULL, NULL);
	await_news(day, tickets[3], "the watch has left; plug it in again");
	day->tickets[tickets[3]].attempts++;
	await_done(day, tickets[3]);
	for (int slot = 1; slot <= SLOTS; slot++)
		if (slot != 3)
			await_done(day, tickets[slot]);
}

/* The daemon is killed while three are read, and tickets are scanned while it is away. */
static void restart(struct day *day, const int *reading, size_t n)
{
	assert_int_equal(rig_stop(&day->rig, SIGKILL), 128 + SIGKILL);
	scan(day, 2);
	talk_await_error(&day->desk, "The daemon went away");
	rig_start(&day->rig);
	await_scanned(day);
	for (size_t i = 0; i < n; i++) {
		day->tickets[reading[i]].attempts++;
		attach(day, day->tickets[reading[i]].slot);
	}
}

static void second_round(struct day *day)
{
	static const int quick[] = { 3, 5, 7, 8 }, slow[] = { 1, 2, 4 };
	int tickets[ARRAY_SIZE(quick)], reading[ARRAY_SIZE(slow)], mute;
	_cleanup_free_ char *id = NULL;
	_cleanup_(output_clear) struct output retry = { 0 };

	scan(day, 6);
	await_scanned(day);
	for (size_t i = 0; i < ARRAY_SIZE(quick); i++)
		tickets[i] = plug(day, quick[i], SLOTS + quick[i], NULL, NULL);
	mute = plug(day, 6, SLOTS + 6, "--fault=mute", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(quick); i++)
		await_done(day, tickets[i]);
	await_mute(day, mute);
	for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
		reading[i] = plug(day, slow[i], SLOTS + slow[i], "--rate", SLOW);
	for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
		await_reading(day, reading[i]);
	restart(day, reading, ARRAY_SIZE(slow));

	/* The mute one was pushed in askew; its ticket is tried again before those behind it. */
	id = str_format("%d", mute + 1);
	retry = rig_ctl(&day->rig, "retry", id, NULL);
	assert_int_equal(retry.status, 0);
	day->tickets[mute].watch = 0;
	assert_int_equal(plug(day, 6, SLOTS + 6, NULL, NULL), mute);
	await_done(day, mute);
	for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
		await_done(day, reading[i]);
}

/* A byte arrives wrong, and one watch is dead. */
static void third_round(struct day *day)
{
	int tickets[SLOTS + 1];

	scan(day, 6);
	await_scanned(day);
	for (int slot = 1; slot <= SLOTS; slot++)
		tickets[slot] = plug(day, slot, 2 * SLOTS + slot,
				     slot == 2   ? "--fault=flip@0x41234"
				     : slot == 4 ? "--fault=mute"
						 : NULL,
				     NULL);
	for (int slot = 1; slot <= SLOTS; slot++)
		if (slot != 4)
			await_done(day, tickets[slot]);
	await_mute(day, tickets[4]);
	day->tickets[tickets[4]].failed = true;
}

/* ---- The evening ---- */

struct sheet {
	char *cells[WATCHES + 1][24];
	size_t rows, columns;
};

static void sheet_clear(struct sheet *sheet)
{
	for (size_t row = 0; row < sheet->rows; row++)
		for (size_t column = 0; column < sheet->columns; column++)
			free(sheet->cells[row][column]);
}

/* One cell of RFC 4180; *end is where it ended: a comma, a CR or the end of the text. */
static char *read_cell(const char *text, const char **end)
{
	char *cell = calloc(1, strlen(text) + 1), *out = cell;

	assert_non_null(cell);
	if (*text != '"') {
		*end = text + strcspn(text, ",\r");
		memcpy(cell, text, (size_t)(*end - text));
		return cell;
	}
	for (text++; *text != '"' || text[1] == '"'; text++) {
		assert_true(*text != '\0');
		text += *text == '"';
		*out++ = *text;
	}
	*end = text + 1;
	return cell;
}

static void read_sheet(const char *text, struct sheet *sheet)
{
	*sheet = (struct sheet){ 0 };
	while (*text) {
		size_t column = 0;

		assert_true(sheet->rows < ARRAY_SIZE(sheet->cells));
		do {
			assert_true(column < ARRAY_SIZE(sheet->cells[0]));
			sheet->cells[sheet->rows][column++] = read_cell(text, &text);
		} while (*text++ == ',');
		assert_int_equal(*text++, '\n');
		assert_true(sheet->rows == 0 || column == sheet->columns);
		sheet->columns = column;
		sheet->rows++;
	}
}

/* The cell of a row, by the name of its column. */
static const char *cell(const struct sheet *sheet, size_t row, const char *name)
{
	for (size_t column = 0; column < sheet->columns; column++)
		if (streq(sheet->cells[0][column], name))
			return sheet->cells[row][column];
	fail_msg("the report has no column %s", name);
	return NULL;
}

_printf_(4, 5) static void expect(const struct sheet *sheet, size_t row, const char *column,
				  const char *format, ...)
{
	_cleanup_free_ char *expected = NULL;
	va_list ap;

	va_start(ap, format);
	assert_true(vasprintf(&expected, format, ap) >= 0);
	va_end(ap);
	if (!streq(cell(sheet, row, column), expected))
		fail_msg("row %zu: %s is '%s' instead of '%s'", row, column,
			 cell(sheet, row, column), expected);
}

/* As the desk wrote it, but nothing that a spreadsheet would take for a formula. */
static void expect_text(const struct sheet *sheet, size_t row, const char *column, const char *text)
{
	expect(sheet, row, column, "%s%s", *text && strchr("=+-@", *text) ? "'" : "", text);
}

static void expect_backup(const struct day *day, const struct sheet *sheet, size_t row)
{
	const char *image = day->images[day->tickets[row - 1].watch];
	const char *id = cell(sheet, row, "backup");
	_cleanup_free_ char *rom =
		str_format("%s/backups/%.4s/%.2s/%s/ROM_0", day->rig.state, id, id + 4, id);
	_cleanup_(output_clear) struct output verify = rig_ctl(&day->rig, "verify", id, NULL);
	_cleanup_close_ int fd = open(image, O_RDONLY | O_CLOEXEC);
	char digest[DIGEST_HEX_SIZE];

	assert_int_equal(digest_file(fd, 0, file_size(image), digest), 0);
	expect(sheet, row, "sha256", "%s", digest);
	expect(sheet, row, "size", "%" PRIu64, file_size(image));
	assert_true(same_content(rom, image));
	assert_int_equal(verify.status, 0);
}

static void expect_row(const struct day *day, const struct sheet *sheet, size_t row)
{
	const struct ticket *ticket = &day->tickets[row - 1];

	expect(sheet, row, "ticket", "T-%02zu", row);
	expect_text(sheet, row, "customer", desk[row - 1].customer);
	expect_text(sheet, row, "imei", desk[row - 1].imei);
	expect_text(sheet, row, "note", desk[row - 1].note);
	expect(sheet, row, "job", "%zu", row);
	expect(sheet, row, "state", ticket->failed ? "failed" : "done");
	expect(sheet, row, "result", ticket->failed ? "fail" : "pass");
	expect(sheet, row, "slot", "A%d", ticket->slot);
	expect(sheet, row, "attempts", "%d", ticket->attempts);
	expect(sheet, row, "identical_to", "%s", "");
	expect(sheet, row, "failure", ticket->failed ? "handshake-timeout" : "%s", "");
	if (ticket->failed) {
		expect(sheet, row, "backup", "%s", "");
		expect(sheet, row, "sha256", "%s", "");
		return;
	}
	expect(sheet, row, "chip", "MT6261");
	expect(sheet, row, "meid", "%032d", ticket->watch);
	expect(sheet, row, "message", "%s", "");
	expect_backup(day, sheet, row);
}

/* The manifest has what it took: the read that went on, the byte that was read again. */
static void expect_manifest(const struct day *day, int watch, const char *text)
{
	_cleanup_free_ char *manifest = NULL, *path = NULL;
	char directory[512];

	for (int i = 0; i < WATCHES; i++) {
		if (day->tickets[i].watch != watch)
			continue;
		rig_backup_path(&day->rig, i + 1, directory);
		path = str_format("%s/manifest.json", directory);
		assert_int_equal(fd_read_file(AT_FDCWD, path, 1 << 20, &manifest, NULL), 0);
		if (!strstr(manifest, text))
			fail_msg("%s is not in %s", text, manifest);
		return;
	}
	fail_msg("no ticket has watch %d", watch);
}

/* For who reads the test's output. */
static void print_day(const struct sheet *sheet)
{
	for (size_t row = 0; row < sheet->rows; row++)
		printf("%-8s%-5s%-9s%-8s%-8s%s\n", cell(sheet, row, "ticket"),
		       cell(sheet, row, "slot"), cell(sheet, row, "attempts"),
		       cell(sheet, row, "seconds"), cell(sheet, row, "result"),
		       cell(sheet, row, "failure"));
	fflush(stdout);
}

static void close_shop(struct day *day)
{
	_cleanup_(output_clear) struct output desk_says = talk_end(&day->desk), finish = { 0 };
	_cleanup_(output_clear) struct output table = { 0 };
	_cleanup_free_ char *file = str_format("%s/day.csv", day->rig.directory), *csv = NULL;
	_cleanup_(sheet_clear) struct sheet sheet = { 0 };

	assert_int_equal(desk_says.status, 0);
	finish = rig_ctl(&day->rig, "batch", "finish", BATCH, "--format=csv", "-o", file, NULL);
	assert_int_equal(finish.status, 1); /* one has failed */
	assert_string_equal(finish.err, "");
	assert_int_equal(fd_read_file(AT_FDCWD, file, 1 << 20, &csv, NULL), 0);
	read_sheet(csv, &sheet);
	assert_int_equal(sheet.rows, WATCHES + 1);
	for (size_t row = 1; row <= WATCHES; row++)
		expect_row(day, &sheet, row);
	expect_manifest(day, 3, "\"resumed\": true");
	expect_manifest(day, 18, "\"retries\": 1");
	table = rig_ctl(&day->rig, "batch", "report", BATCH, NULL);
	assert_int_equal(table.status, 0);
	assert_non_null(strstr(table.out, "24 tickets: 23 passed, 1 failed, 0 open; 23.0 MiB\n"));
	print_day(&sheet);
}

/* No watch was told to do anything that reading it does not need. */
static void expect_whole_watches(const struct day *day)
{
	assert_int_equal(day->writes.logs, WATCHES + 1); /* one was pushed in twice */
	assert_true(day->writes.commands > 0);
	if (day->writes.outside > 0)
		fail_msg("%" PRIu64 " writes not allowed: %s", day->writes.outside,
			 day->writes.first);
}

static void test_shop_day(void **state _unused_)
{
	struct day day = { 0 };

	open_shop(&day);
	first_round(&day);
	second_round(&day);
	third_round(&day);
	close_shop(&day);
	expect_whole_watches(&day);
	rig_tear_down(&day.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_shop_day) };

	return cmocka_run_group_tests_name("shop-day", tests, NULL, NULL);
}
