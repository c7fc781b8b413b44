/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "daemon/config/internal.h"
#include "protocol/base/strings.h"

#define TIMEOUT_MIN_SECS 1.0
#define TIMEOUT_MAX_SECS 3600.0

int config_set_hooks_enabled(struct config *config, const char *value)
{
	return parse_bool(value, &config->hooks.enabled);
}

int config_set_hooks_timeout(struct config *config, const char *value)
{
	double seconds;
	int r = parse_duration(value, &seconds);

	if (r < 0)
		return r;
	if (seconds < TIMEOUT_MIN_SECS || seconds > TIMEOUT_MAX_SECS)
		return -ERANGE;
	config->hooks.timeout = seconds;
	return 0;
}

int config_set_hooks_directory(struct config *config, const char *value)
{
	return value[0] == '/' ? str_replace(&config->hooks.directory, value) : -EINVAL;
}

int config_default_hooks(struct config *config, const char *path)
{
	_cleanup_free_ char *absolute = realpath(path, NULL);
	const char *file = absolute ?: path, *slash = strrchr(file, '/');

	if (config->hooks.directory)
		return 0;
	config->hooks.directory =
		str_format("%.*shooks.d", slash ? (int)(slash + 1 - file) : 0, file);
	return config->hooks.directory ? 0 : -ENOMEM;
}
