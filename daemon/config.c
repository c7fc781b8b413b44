/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "daemon/config-internal.h"
#include "daemon/log.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/limits.h"

#define FILE_BYTES         (256U * 1024U)
#define WORKERS_MAX        1024
#define HANDSHAKE_MIN_SECS 0.1
#define HANDSHAKE_MAX_SECS 600.0
#define RESUME_MAX_SECS    (7 * 86400.0)
#define REPEAT_MAX_SECS    (365 * 86400.0)
#define FLOOR_MAX_BYTES    (1ULL << 50)

#define SLOTS_SECTION "slots"

/* One file while it is read; problem holds the first error, errors of inih's own have none. */
struct parser {
	struct config *config;
	const char *path;
	const char *rest; /* what inih has not asked for yet */
	int line;         /* number of the line before rest */
	char *problem;
	int error;
};

static int set_log_level(struct config *config, const char *value)
{
	return log_level_from_string(value, &config->log_level);
}

static int set_workers(struct config *config, const char *value)
{
	int64_t workers;
	int r = parse_int(value, 1, WORKERS_MAX, &workers);

	if (r >= 0)
		config->workers = (unsigned int)workers;
	return r;
}

static int set_automatic(struct config *config, const char *value)
{
	return parse_bool(value, &config->automatic);
}

static int set_verify(struct config *config, const char *value)
{
	return verify_mode_from_string(value, &config->automatic_verify);
}

static int set_after(struct config *config, const char *value)
{
	return after_action_from_string(value, &config->automatic_after);
}

static int set_seconds(const char *value, double min, double max, double *ret)
{
	double seconds;
	int r = parse_duration(value, &seconds);

	if (r < 0)
		return r;
	if (seconds < min || seconds > max)
		return -ERANGE;
	*ret = seconds;
	return 0;
}

static int set_usec(const char *value, double max, uint64_t *ret)
{
	double seconds;
	int r = set_seconds(value, 0, max, &seconds);

	if (r >= 0)
		*ret = (uint64_t)(seconds * (double)USEC_PER_SEC);
	return r;
}

static int set_repeat_after(struct config *config, const char *value)
{
	return set_usec(value, REPEAT_MAX_SECS, &config->repeat_after_usec);
}

static int set_handshake_usb(struct config *config, const char *value)
{
	return set_seconds(value, HANDSHAKE_MIN_SECS, HANDSHAKE_MAX_SECS,
			   &config->handshake_timeout_usb);
}

static int set_handshake_uart(struct config *config, const char *value)
{
	return set_seconds(value, HANDSHAKE_MIN_SECS, HANDSHAKE_MAX_SECS,
			   &config->handshake_timeout_uart);
}

static int set_resume(struct config *config, const char *value)
{
	return set_usec(value, RESUME_MAX_SECS, &config->resume_timeout_usec);
}

static int set_floor(struct config *config, const char *value)
{
	uint64_t bytes;
	int r = parse_size(value, &bytes);

	if (r < 0)
		return r;
	if (bytes > FLOOR_MAX_BYTES)
		return -ERANGE;
	config->free_space_floor = bytes;
	return 0;
}

static const struct key {
	const char *section;
	const char *name;
	const char *allowed;
	int (*set)(struct config *config, const char *value);
} keys[] = {
	{ "daemon", "log-level", "error, warning, notice, info, debug", set_log_level },
	{ "daemon", "workers", "1 to 1024", set_workers },
	{ "automatic", "enabled", "yes, no", set_automatic },
	{ "automatic", "verify", "auto, none, sample, full", set_verify },
	{ "automatic", "after", "reset, off, stay", set_after },
	{ "automatic", "repeat-after", "0 to 365d, as 30s, 10min, 2h, 1d", set_repeat_after },
	{ "read", "handshake-timeout-usb", "100ms to 10min, as 500ms, 5s, 1min",
	  set_handshake_usb },
	{ "read", "handshake-timeout-uart", "100ms to 10min, as 500ms, 5s, 1min",
	  set_handshake_uart },
	{ "read", "resume-timeout", "0 to 7d, as 30s, 10min, 2h, 1d", set_resume },
	{ "archive", "free-space-floor", "bytes up to 1048576G, as 1000000, 64M, 2G", set_floor },
	{ "retention", "keep-last", "0 to 1000000", config_set_keep_last },
	{ "retention", "keep-for", "0 to 36500d, as 12h, 30d", config_set_keep_for },
	{ "retention", "keep-label", "KEY or KEY=VALUE", config_add_keep_label },
	{ "retention", "make-room", "yes, no", config_set_make_room },
	{ "hooks", "enabled", "yes, no", config_set_hooks_enabled },
	{ "hooks", "timeout", "1s to 1h, as 30s, 5min", config_set_hooks_timeout },
	{ "hooks", "directory", "an absolute path", config_set_hooks_directory },
};

/* Notes the first thing that is wrong, key NULL for a whole line; takes reason. Returns error. */
static int fail(struct parser *parser, int error, const char *section, const char *key,
		const char *reason, const char *allowed)
{
	if (parser->error)
		return error;
	parser->error = error;
	parser->problem =
		str_format("%s:%d: [%s]%s%s: %s%s%s%s", parser->path, parser->line, section,
			   key ? " " : "", key ? key : "", reason, allowed ? " (allowed: " : "",
			   allowed ? allowed : "", allowed ? ")" : "");
	if (!parser->problem)
		parser->error = -ENOMEM;
	return parser->error;
}

static const char *reason_of(int error)
{
	return error == -ERANGE ? "out of range" : "not understood";
}

static const char *slot_problem(const struct config *config, const char *name, const char *path,
				const char **ret_allowed)
{
	*ret_allowed = NULL;
	if (!is_plain_name(name, LIMIT_NAME_BYTES)) {
		*ret_allowed = "names of up to 64 letters, digits and ._+-";
		return "not a slot name";
	}
	if (!is_plain_name(path, CONFIG_PLACE_BYTES)) {
		*ret_allowed = "the ID_PATH of a USB port, as pci-0000:00:14.0-usb-0:2.3";
		return "not a place";
	}
	if (slot_place_has_interface(path)) {
		*ret_allowed = "the ID_PATH without the last \":1.0\"";
		return "names an interface, not a port";
	}
	if (slot_settings_by_name(&config->slots, name))
		return "this slot name is given twice";
	if (slot_settings_by_place(&config->slots, path))
		return "this place has another name already";
	return NULL;
}

static int set_slot(struct parser *parser, const char *name, const char *path)
{
	const char *allowed, *problem = slot_problem(parser->config, name, path, &allowed);
	struct slot_setting *setting;

	if (problem)
		return fail(parser, -EINVAL, SLOTS_SECTION, name, problem, allowed);
	if (slot_settings_add(&parser->config->slots, path, name, &setting) < 0)
		return fail(parser, -ENOMEM, SLOTS_SECTION, name, "out of memory", NULL);
	return 0;
}

static bool section_is_known(const char *section)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (streq(keys[i].section, section))
			return true;
	return streq(section, SLOTS_SECTION);
}

static int set_key(struct parser *parser, const char *section, const char *name, const char *value)
{
	if (!section_is_known(section))
		return fail(parser, -EINVAL, section, name, "unknown section",
			    "daemon, automatic, read, archive, retention, hooks, slots");
	if (streq(section, SLOTS_SECTION))
		return set_slot(parser, name, value);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		int r;

		if (!streq(keys[i].section, section) || !streq(keys[i].name, name))
			continue;
		r = keys[i].set(parser->config, value);
		return r < 0 ? fail(parser, -EINVAL, section, name, reason_of(r), keys[i].allowed)
			     : 0;
	}
	return fail(parser, -EINVAL, section, name, "unknown key", NULL);
}

static int on_value(void *userdata, const char *section, const char *name, const char *value)
{
	return set_key(userdata, section, name, value ? value : "") >= 0;
}

/* An unknown section is wrong also when it is empty, which inih does not tell. */
static void check_section(struct parser *parser, const char *line)
{
	char section[LIMIT_NAME_BYTES + 1];

	if (sscanf(line, "[%64[^]\n]]", section) == 1 && !section_is_known(section))
		(void)fail(parser, -EINVAL, section, NULL, "unknown section",
			   "daemon, automatic, read, archive, retention, hooks, slots");
}

/* fgets for inih; the lines are counted here, since its handler is not told. */
static char *next_line(char *buffer, int size, void *userdata)
{
	struct parser *parser = userdata;
	size_t length = strcspn(parser->rest, "\n");

	if (parser->error || !*parser->rest)
		return NULL;
	parser->line++;
	if (length + 2 > (size_t)size) {
		(void)fail(parser, -EINVAL, "", NULL, "the line is too long", "up to 198 bytes");
		return NULL;
	}
	length += parser->rest[length] == '\n';
	memcpy(buffer, parser->rest, length);
	buffer[length] = '\0';
	parser->rest += length;
	check_section(parser, buffer);
	return parser->error ? NULL : buffer;
}

static int parse_text(struct parser *parser)
{
	int r = ini_parse_stream(next_line, parser, on_value, parser);

	/* A line that inih itself does not understand; it reads on, to what we refused. */
	if (r > 0 && (!parser->error || r < parser->line)) {
		free(TAKE_PTR(parser->problem));
		parser->error = 0;
		parser->line = r;
		return fail(parser, -EINVAL, "", NULL, "neither [section] nor key=value", NULL);
	}
	if (r < 0 && !parser->error)
		return -ENOMEM;
	return parser->error;
}

static int load_file(struct config *config, const char *path, char **ret_error)
{
	struct parser parser = { .config = config, .path = path };
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r;

	r = fd_read_file(AT_FDCWD, path, FILE_BYTES, &text, &size);
	if (r < 0) {
		*ret_error = str_format("%s: cannot be read: %s", path, strerror(-r));
		return r;
	}
	if (!is_utf8(text, size)) {
		*ret_error = str_format("%s: is not UTF-8 text", path);
		return -EINVAL;
	}
	parser.rest = text;
	r = parse_text(&parser);
	if (r < 0)
		*ret_error = parser.problem;
	return r;
}

static int is_drop_in(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return entry->d_name[0] != '.' && n > 5 && streq(entry->d_name + n - 5, ".conf");
}

/* By bytes, whatever the locale says. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_drop_in(struct config *config, const char *directory, const char *name,
			char **ret_error)
{
	_cleanup_free_ char *path = str_format("%s/%s", directory, name);

	return path ? load_file(config, path, ret_error) : -ENOMEM;
}

static int load_drop_ins(struct config *config, const char *path, char **ret_error)
{
	_cleanup_free_ char *directory = str_format("%s.d", path);
	struct dirent **entries;
	int n, r = 0;

	if (!directory)
		return -ENOMEM;
	n = scandir(directory, &entries, is_drop_in, compare_names);
	if (n < 0) {
		r = -errno;
		if (r == -ENOENT)
			return 0;
		*ret_error = str_format("%s: cannot be read: %s", directory, strerror(-r));
		return r;
	}
	for (int i = 0; i < n; i++) {
		if (r >= 0)
			r = load_drop_in(config, directory, entries[i]->d_name, ret_error);
		free(entries[i]);
	}
	free(entries);
	return r;
}

static void set_defaults(struct config *config)
{
	*config = (struct config){
		.log_level = LOG_INFO,
		.workers = 64,
		.automatic = true,
		.automatic_verify = VERIFY_AUTO,
		.automatic_after = AFTER_RESET,
		.repeat_after_usec = 600 * USEC_PER_SEC,
		.handshake_timeout_usb = 5,
		.handshake_timeout_uart = 60,
		.resume_timeout_usec = 600 * USEC_PER_SEC,
		.free_space_floor = 64ULL << 20,
		.hooks = { .enabled = true, .timeout = 60 },
	};
}

int config_load(const char *path, bool required, struct config *ret, char **ret_error)
{
	struct config config;
	char *error = NULL;
	int r;

	set_defaults(&config);
	r = load_file(&config, path, &error);
	if (r == -ENOENT && !required) {
		free(TAKE_PTR(error));
		r = 0;
	}
	if (r >= 0)
		r = load_drop_ins(&config, path, &error);
	if (r >= 0)
		r = config_default_hooks(&config, path);
	if (r < 0) {
		config_clear(&config);
		*ret_error = error;
		return r;
	}
	*ret = config;
	return 0;
}

void config_clear(struct config *config)
{
	slot_settings_clear(&config->slots);
	retention_rules_clear(&config->retention);
	free(config->hooks.directory);
	*config = (struct config){ 0 };
}
