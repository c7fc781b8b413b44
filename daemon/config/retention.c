/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "daemon/config/internal.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/limits.h"

#define KEEP_LAST_MAX 1000000
#define KEEP_FOR_MAX  (100 * 365 * 86400.0)

int config_set_keep_last(struct config *config, const char *value)
{
	int64_t n;
	int r = parse_int(value, 0, KEEP_LAST_MAX, &n);

	if (r >= 0)
		config->retention.keep_last = (uint64_t)n;
	return r;
}

int config_set_keep_for(struct config *config, const char *value)
{
	double seconds;
	int r = parse_duration(value, &seconds);

	if (r < 0)
		return r;
	if (seconds > KEEP_FOR_MAX)
		return -ERANGE;
	config->retention.keep_for_usec = (uint64_t)(seconds * (double)USEC_PER_SEC);
	return 0;
}

/* "ticket", or "ticket=4711". */
int config_add_keep_label(struct config *config, const char *value)
{
	struct retention_rules *rules = &config->retention;
	const char *equals = strchr(value, '=');
	struct label *grown, label;

	label.key = equals ? strndup(value, (size_t)(equals - value)) : strdup(value);
	label.value = equals ? strdup(equals + 1) : NULL;
	grown = reallocarray(rules->keep_labels, rules->n_keep_labels + 1, sizeof(*grown));
	if (grown)
		rules->keep_labels = grown;
	if (!grown || !label.key || (equals && !label.value) ||
	    !is_plain_name(label.key, LIMIT_NAME_BYTES)) {
		free(label.key);
		free(label.value);
		return -EINVAL;
	}
	grown[rules->n_keep_labels++] = label;
	return 0;
}

int config_set_make_room(struct config *config, const char *value)
{
	return parse_bool(value, &config->retention.make_room);
}
