/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/calls/query.h"

#include <errno.h>

#include "client/arguments.h"
#include "protocol/base/strings.h"
#include "protocol/control/message.h"

int query_add_label(struct arguments *arguments, struct json_object **labels, const char *value)
{
	const char *equals = strchr(value, '=');
	_cleanup_free_ char *key = NULL;
	int r = 0;

	if (!equals || equals == value)
		return arguments_wrong(arguments, "--label=%s: not KEY=VALUE", value);
	key = strndup(value, (size_t)(equals - value));
	if (!key)
		r = -ENOMEM;
	if (r >= 0 && !*labels)
		r = message_build(labels, MEMBERS(M_NONE));
	if (r >= 0)
		r = message_add(*labels, M_STRING(key, equals + 1));
	return r < 0 ? arguments_wrong(arguments, "--label=%s: not text that can be sent", value)
		     : 0;
}
