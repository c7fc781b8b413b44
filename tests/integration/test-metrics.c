/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The figures: true, and in a form that a strict reader of OpenMetrics takes. */

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "tests/integration/rig.h"

/* ---- a reader of the format ---- */

#define FAMILIES_MAX 64
#define NAME_SIZE    128

struct family {
	char name[NAME_SIZE];
	char type[16];
	bool has_unit, has_help;
	unsigned int samples;
};

struct reader {
	struct family families[FAMILIES_MAX];
	size_t n; /* the last one is the one that is open */
	bool ended;
};

static size_t name_length(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || s[n] == '_' || s[n] == ':')
		n++;
	return isdigit((unsigned char)s[0]) ? 0 : n;
}

static bool ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), m = strlen(tail);

	return n > m && streq(s + n - m, tail);
}

/* TYPE opens a family, which must not have been there; UNIT and HELP belong to it, before samples. */
static void read_descriptor(struct reader *reader, const char *line)
{
	char word[8], name[NAME_SIZE], rest[256];
	struct family *family;

	if (sscanf(line, "# %7s %127s %255[^\n]", word, name, rest) != 3)
		fail_msg("no descriptor: %s", line);
	if (name_length(name) != strlen(name))
		fail_msg("no name: %s", line);
	if (streq(word, "TYPE")) {
		for (size_t i = 0; i < reader->n; i++)
			if (streq(reader->families[i].name, name))
				fail_msg("a second time: %s", line);
		assert_true(streq(rest, "gauge") || streq(rest, "counter") ||
			    streq(rest, "summary"));
		/* What a counter's sample ends with is no part of its family's name. */
		if (streq(rest, "counter") && ends_with(name, "_total"))
			fail_msg("%s", line);
		assert_true(reader->n < FAMILIES_MAX);
		family = &reader->families[reader->n++];
		(void)snprintf(family->name, sizeof(family->name), "%s", name);
		strcpy(family->type, rest); /* one of three words */
		return;
	}
	assert_true(reader->n > 0);
	family = &reader->families[reader->n - 1];
	if (!streq(family->name, name) || family->samples > 0)
		fail_msg("out of place: %s", line);
	if (streq(word, "UNIT")) {
		_cleanup_free_ char *tail = str_format("_%s", rest);

		if (family->has_unit || !ends_with(name, tail))
			fail_msg("not the name's unit: %s", line);
		family->has_unit = true;
	} else if (streq(word, "HELP")) {
		assert_false(family->has_help);
		family->has_help = true;
	} else {
		fail_msg("unknown word: %s", line);
	}
}

/* {name="value"}: what is behind it, the same place when there is none. */
static const char *skip_labels(const char *s)
{
	size_t n;

	if (*s != '{')
		return s;
	n = name_length(++s);
	assert_true(n > 0);
	s += n;
	assert_true(s[0] == '=' && s[1] == '"');
	for (s += 2; *s != '"'; s++) {
		assert_true(*s != '\0');
		if (*s == '\\') {
			s++;
			assert_true(*s == '\\' || *s == '"' || *s == 'n');
		}
	}
	assert_true(s[1] == '}');
	return s + 2;
}

static void read_sample(struct reader *reader, const char *line)
{
	struct family *family = reader->n > 0 ? &reader->families[reader->n - 1] : NULL;
	size_t length = name_length(line);
	const char *tail, *value;
	char *end;

	if (!family || length < strlen(family->name) ||
	    strncmp(line, family->name, strlen(family->name)) != 0)
		fail_msg("a sample of no open family: %s", line);
	tail = line + strlen(family->name);
	if (streq(family->type, "counter"))
		assert_int_equal(strncmp(tail, "_total", 6), 0);
	else if (streq(family->type, "summary"))
		assert_true(strncmp(tail, "_sum", 4) == 0 || strncmp(tail, "_count", 6) == 0);
	else
		assert_ptr_equal(tail, line + length);
	value = skip_labels(line + length);
	assert_true(*value++ == ' ');
	assert_true(isdigit((unsigned char)*value));
	assert_true(strtod(value, &end) >= 0);
	if (*end)
		fail_msg("no number: %s", line);
	family->samples++;
}

static void read_text(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	struct reader reader = { 0 };
	char *save = NULL;

	assert_non_null(copy);
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_null(strstr(text, "\n\n"));
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (reader.ended)
			fail_msg("behind the end: %s", line);
		if (streq(line, "# EOF"))
			reader.ended = true;
		else if (*line == '#')
			read_descriptor(&reader, line);
		else
			read_sample(&reader, line);
	}
	assert_true(reader.ended);
	assert_true(reader.n > 10);
	for (size_t i = 0; i < reader.n; i++)
		assert_true(reader.families[i].has_help);
}

/* ---- the tests ---- */

static void assert_line(const char *text, const char *line)
{
	_cleanup_free_ char *whole = str_format("\n%s\n", line);

	if (!strstr(text, whole))
		fail_msg("no line \"%s\" in\n%s", line, text);
}

static void do_job(struct rig *rig)
{
	struct watch watch;
	struct job job;

	watch_plug(rig, &watch, "watch", "--flash=new:1M", NULL);
	rig_attach(rig, watch.link, "left");
	job = rig_wait(rig, rig_submit(rig, "{}"), JOB_DONE, 60);
	job_clear(&job);
	message_unref(rig_call(rig, "Cancel", "{\"id\":2}", "io.mtkrbd.Control.NoSuchJob"));
	(void)rig_submit(rig, "{\"slot\":\"nowhere\"}");
	message_unref(rig_call(rig, "Cancel", "{\"id\":2}", NULL));
	watch_unplug(&watch);
}

static void test_true_and_well_formed(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output empty = { 0 }, full = { 0 }, json = { 0 };

	empty = rig_ctl(rig, "metrics", NULL);
	assert_int_equal(empty.status, 0);
	read_text(empty.out);
	assert_line(empty.out, "mtkrb_backups 0");
	assert_null(strstr(empty.out, "mtkrb_last_backup"));

	do_job(rig);
	full = rig_ctl(rig, "metrics", NULL);
	assert_int_equal(full.status, 0);
	read_text(full.out);
	assert_line(full.out, "mtkrb_jobs{state=\"done\"} 1");
	assert_line(full.out, "mtkrb_jobs{state=\"running\"} 0");
	assert_line(full.out, "mtkrb_jobs_ended_total{state=\"done\"} 1");
	assert_line(full.out, "mtkrb_jobs_ended_total{state=\"cancelled\"} 1");
	assert_line(full.out, "mtkrb_job_duration_seconds_count 1");
	assert_line(full.out, "mtkrb_read_bytes_total 1048576");
	assert_line(full.out, "mtkrb_backups 1");
	assert_line(full.out, "mtkrb_backups_size_bytes 1048576");
	assert_line(full.out, "mtkrb_slot_occupied{slot=\"left\"} 1");
	assert_non_null(strstr(full.out, "\nmtkrb_last_backup_timestamp_seconds 1"));
	assert_non_null(strstr(full.out, "\nmtkrb_build_info{version=\""));
	json = rig_ctl(rig, "--json", "metrics", NULL);
	assert_int_equal(json.status, 0);
	assert_int_equal(json.out[0], '{');
}

static void test_into_a_file(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output written = { 0 }, refused = { 0 };
	_cleanup_free_ char *path = str_format("%s/mtkrb.prom", rig->directory);
	_cleanup_free_ char *text = NULL;
	struct stat st;

	assert_int_equal(fd_replace_file(AT_FDCWD, path, "old", 3, 0600), 0);
	written = rig_ctl(rig, "metrics", "-o", path, NULL);
	assert_int_equal(written.status, 0);
	assert_string_equal(written.out, "");
	assert_int_equal(fd_read_file(AT_FDCWD, path, 1 << 20, &text, NULL), 0);
	read_text(text);
	/* Whoever collects it is another user. */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);

	refused = rig_ctl(rig, "metrics", "-o", "/nowhere/mtkrb.prom", NULL);
	assert_int_equal(refused.status, 1);
	assert_non_null(strstr(refused.err, "/nowhere/mtkrb.prom"));
	assert_non_null(strstr(refused.err, "hint:"));
}

/* "-" is stdout, and what is no file stays what it is. */
static void test_to_what_is_no_file(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output dash = { 0 }, through = { 0 }, json = { 0 };
	_cleanup_free_ char *link = str_format("%s/link", rig->directory);
	_cleanup_free_ char *file = str_format("%s/behind", rig->directory);
	_cleanup_free_ char *text = NULL;
	struct stat st;

	dash = rig_ctl(rig, "metrics", "-o", "-", NULL);
	assert_int_equal(dash.status, 0);
	read_text(dash.out);
	assert_int_equal(fd_replace_file(AT_FDCWD, file, "old", 3, 0600), 0);
	assert_int_equal(symlink(file, link), 0);
	through = rig_ctl(rig, "metrics", "-o", link, NULL);
	assert_int_equal(through.status, 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(fd_read_file(AT_FDCWD, file, 1 << 20, &text, NULL), 0);
	read_text(text);
	json = rig_ctl(rig, "--json", "metrics", "-o", file, NULL);
	assert_int_equal(json.status, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_true_and_well_formed, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_into_a_file, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_to_what_is_no_file, rig_test_set_up,
						rig_test_tear_down),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
