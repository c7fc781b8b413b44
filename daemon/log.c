/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a line was logged from is always this file: not worth three fields. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "daemon/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define MESSAGE_BYTES 2048 /* longer ones are cut: a line is for people */
#define FIELD_BYTES   256  /* the longest is the id of a backup, of slot, chip and two numbers */
#define LINE_BYTES    (MESSAGE_BYTES + 2 * FIELD_BYTES + 64)

#define MESSAGE_FIELD "MESSAGE="

static const struct {
	const char *word;
	int level;
} levels[] = {
	{ "error", LOG_ERR }, { "warning", LOG_WARNING }, { "notice", LOG_NOTICE },
	{ "info", LOG_INFO }, { "debug", LOG_DEBUG },
};

static int max_level = LOG_INFO;

void log_set_level(int level)
{
	max_level = level;
}

int log_level_from_string(const char *s, int *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (streq(s, levels[i].word)) {
			*ret = levels[i].level;
			return 0;
		}
	return -EINVAL;
}

/* systemd names the stream it connected; a redirected stderr is another file (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char name[48];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	(void)snprintf(name, sizeof(name), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return streq(stream, name);
}

/* Text from outside must not be able to begin a line of its own or drive a terminal. */
static void replace_controls(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == '\177')
			*s = ' ';
}

static void add_field(struct iovec *iov, int *n, const char *text)
{
	iov[(*n)++] = (struct iovec){ .iov_base = (void *)text, .iov_len = strlen(text) };
}

static int send_to_journal(int level, const struct log_context *context, const char *message)
{
	static const struct log_context nothing = { 0 };
	const struct log_context *c = context ? context : &nothing;
	char priority[16], job[24] = "";
	const struct {
		const char *name, *value;
	} fields[] = {
		{ "MESSAGE_ID", c->id },       { "MTKRB_JOB", c->job ? job : NULL },
		{ "MTKRB_SLOT", c->slot },     { "MTKRB_CHIP", c->chip },
		{ "MTKRB_BACKUP", c->backup }, { "MTKRB_FAILURE", c->failure },
	};
	char texts[ARRAY_SIZE(fields)][FIELD_BYTES];
	struct iovec iov[ARRAY_SIZE(fields) + 2];
	int n = 0;

	(void)snprintf(priority, sizeof(priority), "PRIORITY=%d", level);
	(void)snprintf(job, sizeof(job), "%" PRId64, c->job);
	add_field(iov, &n, message);
	add_field(iov, &n, priority);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].value) {
			(void)snprintf(texts[i], FIELD_BYTES, "%s=%s", fields[i].name,
				       fields[i].value);
			add_field(iov, &n, texts[i]);
		}
	return sd_journal_sendv(iov, n);
}

static const char *level_prefix(int level)
{
	if (level <= LOG_ERR)
		return "error: ";
	return level == LOG_WARNING ? "warning: " : level == LOG_DEBUG ? "debug: " : "";
}

/* One write, so that lines of several processes on one terminal stay whole. */
static void print_line(int level, const struct log_context *context, const char *message)
{
	char line[LINE_BYTES] = "", job[32] = "", number[8] = "";
	const char *slot = context && context->slot ? context->slot : NULL;
	const char *chip = context && context->chip ? context->chip : NULL;
	const bool prefixes = getenv("INVOCATION_ID") != NULL;
	size_t length;

	if (prefixes)
		(void)snprintf(number, sizeof(number), "<%d>", level & LOG_PRIMASK);
	if (context && context->job)
		(void)snprintf(job, sizeof(job), "job %" PRId64 ": ", context->job);
	(void)snprintf(line, sizeof(line) - 1, "%s%s%s%.*s%s%.*s%s%s", number,
		       prefixes ? "" : level_prefix(level), job, FIELD_BYTES, slot ? slot : "",
		       slot ? ": " : "", FIELD_BYTES, chip ? chip : "", chip ? ": " : "", message);
	replace_controls(line);
	length = strlen(line);
	line[length] = '\n';
	/* Nobody is left to tell when stderr is gone. */
	if (fd_write_all(STDERR_FILENO, line, length + 1) < 0)
		return;
}

void log_event(int level, const struct log_context *context, const char *format, ...)
{
	char message[sizeof(MESSAGE_FIELD) + MESSAGE_BYTES] = MESSAGE_FIELD;
	char *text = message + strlen(MESSAGE_FIELD);
	const int saved = errno;
	va_list ap;

	if (level > max_level)
		return;
	va_start(ap, format);
	(void)vsnprintf(text, MESSAGE_BYTES, format, ap);
	va_end(ap);
	replace_controls(text);
	if (!stderr_is_journal() || send_to_journal(level, context, message) < 0)
		print_line(level, context, text);
	errno = saved;
}
