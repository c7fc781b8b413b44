/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "client/arguments.h"
#include "client/calls/catalogue.h"
#include "client/calls/query.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/output/when.h"
#include "client/verb.h"
#include "client/view/backup.h"
#include "protocol/base/strings.h"
#include "protocol/control/limits.h"
#include "protocol/control/manifest.h"
#include "protocol/control/message.h"

#define DIGEST_DIGITS_MIN 8U /* as the daemon wants them */

enum {
	KEY_LABEL = 1,
	KEY_TICKET,
	KEY_CHIP,
	KEY_MEID,
	KEY_FIRMWARE,
	KEY_DIGEST,
	KEY_SINCE,
	KEY_UNTIL,
	KEY_MIN_HEALTH,
	KEY_MAX_HEALTH,
	KEY_DAMAGED,
	KEY_LIMIT,
	KEY_BEFORE,
	KEY_ALL,
};

struct backups_request {
	struct catalogue_query query;
	bool all;
};

static void backups_request_clear(struct backups_request *request)
{
	catalogue_query_clear(&request->query);
}

static int backups_ticket(struct arguments *arguments, struct catalogue_query *query,
			  const char *value)
{
	_cleanup_free_ char *label = str_format("ticket=%s", value);

	return label ? query_add_label(arguments, &query->labels, label)
		     : arguments_wrong(arguments, "--ticket=%s: out of memory", value);
}

static int backups_time(struct arguments *arguments, const char *option, const char *value,
			char ret[TIME_TEXT_SIZE])
{
	uint64_t usec;

	if (when_parse(value, &usec) < 0)
		return arguments_wrong(arguments, "--%s=%s: not " WHEN_FORMS, option, value);
	time_format(usec, ret);
	return 0;
}

static int backups_number(struct arguments *arguments, const char *option, const char *value,
			  int64_t min, int64_t max, int64_t *ret)
{
	return parse_int(value, min, max, ret) < 0
		       ? arguments_wrong(arguments, "--%s=%s: not a number from %d to %d", option,
					 value, (int)min, (int)max)
		       : 0;
}

static int backups_digest(struct arguments *arguments, const char *value)
{
	size_t n = strlen(value);

	if (n < DIGEST_DIGITS_MIN || n >= DIGEST_HEX_SIZE ||
	    strspn(value, "0123456789abcdefABCDEF") != n)
		return arguments_wrong(arguments,
				       "--digest=%s: not a SHA-256 in hexadecimal, nor its first "
				       "%u digits or more",
				       value, DIGEST_DIGITS_MIN);
	return 0;
}

static int backups_option(struct arguments *arguments, struct backups_request *request, int key,
			  const char *value)
{
	struct catalogue_query *query = &request->query;

	switch (key) {
	case KEY_LABEL:
		return query_add_label(arguments, &query->labels, value);
	case KEY_TICKET:
		return backups_ticket(arguments, query, value);
	case KEY_CHIP:
		query->chip = value;
		return 0;
	case KEY_MEID:
		query->meid = value;
		return 0;
	case KEY_FIRMWARE:
		query->firmware = value;
		return 0;
	case KEY_DIGEST:
		query->sha256 = value;
		return backups_digest(arguments, value);
	case KEY_SINCE:
		return backups_time(arguments, "since", value, query->since);
	case KEY_UNTIL:
		return backups_time(arguments, "until", value, query->until);
	case KEY_MIN_HEALTH:
		query->has_min_health = true;
		return backups_number(arguments, "min-health", value, 0, 100, &query->min_health);
	case KEY_MAX_HEALTH:
		query->has_max_health = true;
		return backups_number(arguments, "max-health", value, 0, 100, &query->max_health);
	case KEY_DAMAGED:
		query->damaged = true;
		return 0;
	case KEY_BEFORE:
		query->before = value;
		return backup_id_is_valid(value)
			       ? 0
			       : arguments_wrong(arguments, "--before=%s: not the id of a backup",
						 value);
	case KEY_ALL:
		request->all = true;
		return 0;
	default:
		return backups_number(arguments, "limit", value, 1, LIMIT_LIST, &query->limit);
	}
}

static int backups_print_json(const struct client *client, struct json_object *backups, bool more)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r = message_build(&object, MEMBERS(M_OBJECT("backups", message_ref(backups)),
					       more ? M_BOOL("more", true) : M_NONE));

	return client_status(client, r < 0 ? r : print_json(client, object));
}

static int backups_print(const struct client *client, struct json_object *backups, bool more)
{
	struct problem problem = { 0 };
	int r;

	if (client->json)
		return backups_print_json(client, backups, more);
	if (message_length(backups) == 0) {
		print_note(client, "No such backups.");
		return STATUS_DONE;
	}
	r = backup_view_table(&client->out, backups, &problem);
	if (r < 0)
		return client_bad_reply(client, r, "ListBackups", &problem);
	if (more)
		print_note(client, "There may be more: --all shows them, --before=ID goes on.");
	return STATUS_DONE;
}

static int backups_words(struct arguments *arguments, struct backups_request *request)
{
	char **words;
	size_t n;
	int r = arguments_operands(arguments, 0, LIMIT_WORDS, &words, &n);

	for (size_t i = 0; r >= 0 && i < n; i++)
		if (!*words[i] || catalogue_query_add_word(&request->query, words[i]) < 0)
			r = arguments_wrong(arguments, "'%s' is no text to look for", words[i]);
	return r;
}

static int backups_run(struct client *client, struct arguments *arguments)
{
	_cleanup_(backups_request_clear) struct backups_request request = { 0 };
	_cleanup_message_ struct json_object *backups = NULL;
	const char *value;
	bool more = false;
	int key, r;

	while ((key = arguments_next(arguments, &value)) > 0)
		if (backups_option(arguments, &request, key, value) < 0)
			return arguments->status;
	if (key < 0 || backups_words(arguments, &request) < 0)
		return arguments->status;
	if (request.all && request.query.limit) {
		arguments_wrong(arguments, "--all and --limit do not go together");
		return arguments->status;
	}
	r = request.all ? catalogue_list_all(client, &request.query, &backups)
			: catalogue_list(client, &request.query, &backups, &more);
	/* Who gave a limit knows that there may be more. */
	return r == STATUS_DONE ? backups_print(client, backups,
						more && (client->json || !request.query.limit))
				: r;
}

static const struct verb_option backups_options[] = {
	{ "label", KEY_LABEL, "KEY=VALUE", "only those with this label; repeatable" },
	{ "ticket", KEY_TICKET, "TICKET", "the same as --label=ticket=TICKET" },
	{ "chip", KEY_CHIP, "NAME", "only of watches with this chip" },
	{ "meid", KEY_MEID, "HEX", "only of the watch with this ME ID" },
	{ "firmware", KEY_FIRMWARE, "NAME", "only with this firmware: project and version" },
	{ "digest", KEY_DIGEST, "HEX", "only of this SHA-256, or its first 8 digits or more" },
	{ "since", KEY_SINCE, "TIME", "only newer ones: 2026-11-23, 12h, 7d" },
	{ "until", KEY_UNTIL, "TIME", "only older ones" },
	{ "min-health", KEY_MIN_HEALTH, "PERCENT", "only of this health or better" },
	{ "max-health", KEY_MAX_HEALTH, "PERCENT", "only of this health or worse" },
	{ "damaged", KEY_DAMAGED, NULL, "only those that the last verification found so" },
	{ "limit", KEY_LIMIT, "N", "the newest N (default 1000)" },
	{ "before", KEY_BEFORE, "ID", "go on behind this one" },
	{ "all", KEY_ALL, NULL, "all of them, however many" },
	{ 0 },
};

const struct verb verb_backups = {
	.name = "backups",
	.group = "Backups",
	.arguments = "[WORD...]",
	.summary = "list the backups, the newest first",
	.details = "A WORD may be anywhere in id, chip, ME ID, firmware or the value of a label; "
		   "all of\n"
		   "them must be, and all that the options say.",
	.options = backups_options,
	.run = backups_run,
};
