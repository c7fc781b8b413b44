/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "daemon/log.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

#define WORKERS_MAX        1024
#define HANDSHAKE_MIN_SECS 0.1
#define HANDSHAKE_MAX_SECS 600.0
#define RESUME_MAX_SECS    (7 * 86400.0)
#define FLOOR_MAX_BYTES    (1ULL << 50)

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

int config_seconds(const char *value, double min, double max, double *ret)
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

int config_usec(const char *value, double max, uint64_t *ret)
{
	double seconds;
	int r = config_seconds(value, 0, max, &seconds);

	if (r >= 0)
		*ret = (uint64_t)(seconds * (double)USEC_PER_SEC);
	return r;
}

int config_label(const char *value, struct label **labels, size_t *n)
{
	const char *equals = strchr(value, '=');
	_cleanup_free_ char *key = equals ? strndup(value, (size_t)(equals - value)) : NULL;

	if (!equals || !equals[1])
		return -EINVAL;
	if (!key)
		return -ENOMEM;
	return labels_set(labels, n, key, equals + 1);
}

static int set_handshake_usb(struct config *config, const char *value)
{
	return config_seconds(value, HANDSHAKE_MIN_SECS, HANDSHAKE_MAX_SECS,
			      &config->handshake_timeout_usb);
}

static int set_handshake_uart(struct config *config, const char *value)
{
	return config_seconds(value, HANDSHAKE_MIN_SECS, HANDSHAKE_MAX_SECS,
			      &config->handshake_timeout_uart);
}

static int set_resume(struct config *config, const char *value)
{
	return config_usec(value, RESUME_MAX_SECS, &config->resume_timeout_usec);
}

static int set_deduplicate(struct config *config, const char *value)
{
	return parse_bool(value, &config->deduplicate);
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
	{ "read", "handshake-timeout-usb", "100ms to 10min, as 500ms, 5s, 1min",
	  set_handshake_usb },
	{ "read", "handshake-timeout-uart", "100ms to 10min, as 500ms, 5s, 1min",
	  set_handshake_uart },
	{ "read", "resume-timeout", "0 to 7d, as 30s, 10min, 2h, 1d", set_resume },
	{ "archive", "free-space-floor", "bytes up to 1048576G, as 1000000, 64M, 2G", set_floor },
	{ "archive", "deduplicate", "yes, no", set_deduplicate },
	{ "retention", "keep-last", "0 to 1000000", config_set_keep_last },
	{ "retention", "keep-for", "0 to 36500d, as 12h, 30d", config_set_keep_for },
	{ "retention", "keep-label", "KEY or KEY=VALUE", config_add_keep_label },
	{ "retention", "make-room", "yes, no", config_set_make_room },
	{ "hooks", "enabled", "yes, no", config_set_hooks_enabled },
	{ "hooks", "timeout", "1s to 1h, as 30s, 5min", config_set_hooks_timeout },
	{ "hooks", "directory", "an absolute path", config_set_hooks_directory },
};

/* The sections that are more than a list of keys; those with a name are "[rule NAME]". */
static const struct section {
	const char *name;
	bool named;
	int (*begin)(struct config_parser *parser, const char *section, const char *name);
	int (*set)(struct config_parser *parser, const char *section, const char *name,
		   const char *key, const char *value);
} sections[] = {
	{ "automatic", false, NULL, config_automatic_set },
	{ "slots", false, NULL, config_slots_set },
	{ "slot", true, config_slot_begin, config_slot_set },
	{ "rule", true, config_rule_begin, config_rule_set },
};

/* Which of them this is, and the name in it; NULL when it is none of them. */
static const struct section *find_section(const char *section, const char **ret_name)
{
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		const char *rest = strafter(section, sections[i].name);

		if (!rest || (sections[i].named ? *rest != ' ' : *rest))
			continue;
		*ret_name = rest + strspn(rest, " ");
		return &sections[i];
	}
	return NULL;
}

static int unknown_section(struct config_parser *parser, const char *section, const char *key)
{
	return config_fail(
		parser, -EINVAL, section, key, "unknown section",
		"daemon, automatic, rule NAME, read, archive, retention, hooks, slots, slot NAME");
}

int config_begin_section(struct config_parser *parser, const char *section)
{
	const char *name;
	const struct section *special = find_section(section, &name);

	if (special)
		return special->begin ? special->begin(parser, section, name) : 0;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (streq(keys[i].section, section))
			return 0;
	return unknown_section(parser, section, NULL);
}

int config_set_key(struct config_parser *parser, const char *section, const char *key,
		   const char *value)
{
	const char *name;
	const struct section *special = find_section(section, &name);
	bool known = false;

	if (special)
		return special->set(parser, section, name, key, value);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		int r;

		if (!streq(keys[i].section, section))
			continue;
		known = true;
		if (!streq(keys[i].name, key))
			continue;
		r = keys[i].set(parser->config, value);
		return r < 0 ? config_refuse(parser, r, section, key, keys[i].allowed) : 0;
	}
	return known ? config_fail(parser, -EINVAL, section, key, "unknown key", NULL)
		     : unknown_section(parser, section, key);
}

static int set_defaults(struct config *config)
{
	*config = (struct config){
		.log_level = LOG_INFO,
		.workers = 64,
		.handshake_timeout_usb = 5,
		.handshake_timeout_uart = 60,
		.resume_timeout_usec = 600 * USEC_PER_SEC,
		.free_space_floor = 64ULL << 20,
		.deduplicate = true,
		.hooks = { .enabled = true, .timeout = 60 },
	};
	return rules_init(&config->rules);
}

int config_load(const char *path, bool required, struct config *ret, char **ret_error)
{
	struct config config;
	char *error = NULL;
	int r;

	r = set_defaults(&config);
	if (r >= 0)
		r = config_read_file(&config, path, &error);
	if (r == -ENOENT && !required) {
		free(TAKE_PTR(error));
		r = 0;
	}
	if (r >= 0)
		r = config_read_drop_ins(&config, path, &error);
	if (r >= 0)
		r = config_default_hooks(&config, path);
	if (r >= 0)
		r = config_slots_complete(&config, &error);
	if (r >= 0)
		r = rules_complete(&config.rules);
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
	rules_clear(&config->rules);
	retention_rules_clear(&config->retention);
	free(config->hooks.directory);
	*config = (struct config){ 0 };
}
