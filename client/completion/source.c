/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/completion/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/calls/connection.h"
#include "client/client.h"
#include "client/view/explanation.h"
#include "protocol/base/strings.h"
#include "protocol/control/message.h"
#include "protocol/device/chips.h"

#define NEWEST "{\"limit\":100}" /* more than that nobody looks through */

struct source {
	const char *kind;
	const char *method, *parameters, *array;
	const char *word;     /* member: a string, a number, or labels */
	const char *key;      /* only the value of this label */
	const char *about[2]; /* members; NULL: no more */
};

static const struct source sources[] = {
	{ "jobs", "ListJobs", NEWEST, "jobs", "id", NULL, { "state", "backup" } },
	{ "unfinished",
	  "ListJobs",
	  "{\"limit\":100,\"states\":[\"queued\",\"running\",\"waiting\"]}",
	  "jobs",
	  "id",
	  NULL,
	  { "state", "created" } },
	{ "ended",
	  "ListJobs",
	  "{\"limit\":100,\"states\":[\"failed\",\"cancelled\"]}",
	  "jobs",
	  "id",
	  NULL,
	  { "state", "created" } },
	{ "backups", "ListBackups", NEWEST, "backups", "id", NULL, { "chip", "meid" } },
	{ "batches", "ListBatches", NEWEST, "batches", "name", NULL, { "created" } },
	{ "meids", "ListBackups", NEWEST, "backups", "meid", NULL, { "chip" } },
	{ "firmwares", "ListBackups", NEWEST, "backups", "firmware", NULL, { "chip" } },
	{ "labels", "ListBackups", NEWEST, "backups", "labels", NULL, { NULL } },
	{ "labels", "ListSlots", "{}", "slots", "labels", NULL, { NULL } },
	{ "tickets", "ListBackups", NEWEST, "backups", "labels", "ticket", { NULL } },
	{ "slots", "ListSlots", "{}", "slots", "name", NULL, { "path", "rule" } },
	{ "rules", "ExplainRules", "{}", "rules", "name", NULL, { "action" } },
	{ "devices", "ListPorts", "{}", "ports", "device", NULL, { "slot", "state" } },
	{ "agents", "ListAgents", "{}", "agents", "name", NULL, { NULL } },
};

/* What was put already; a list is never long. */
struct seen {
	completion_put put;
	void *userdata;
	const char *key;
	char **words;
	size_t n;
};

static void seen_clear(struct seen *seen)
{
	for (size_t i = 0; i < seen->n; i++)
		free(seen->words[i]);
	free(seen->words);
}

static void put_once(struct seen *seen, const char *word, const char *about)
{
	char **words;

	for (size_t i = 0; i < seen->n; i++)
		if (streq(seen->words[i], word))
			return;
	words = reallocarray(seen->words, seen->n + 1, sizeof(*words));
	if (!words)
		return;
	seen->words = words;
	words[seen->n] = strdup(word);
	if (!words[seen->n])
		return;
	seen->n++;
	seen->put(word, about, seen->userdata);
}

static int put_label(const char *key, struct json_object *value, void *userdata)
{
	const char *text = message_string(value);
	struct seen *seen = userdata;
	_cleanup_free_ char *word = str_format("%s=%s", key, text ?: "");

	if (seen->key && streq(seen->key, key) && text)
		put_once(seen, text, NULL);
	else if (!seen->key && word)
		put_once(seen, word, NULL);
	return 0;
}

static void put_row(const struct source *source, struct json_object *row, struct seen *seen)
{
	struct json_object *word = message_member(row, source->word);
	const char *about[] = { "", "" };
	_cleanup_free_ char *text = NULL;
	char number[24];
	int64_t id;

	for (size_t i = 0; i < ARRAY_SIZE(about) && source->about[i]; i++)
		about[i] = message_string(message_member(row, source->about[i])) ?: "";
	text = str_format("%s%s%s", about[0], *about[0] && *about[1] ? ", " : "", about[1]);
	if (message_string(word)) {
		put_once(seen, message_string(word), text);
	} else if (message_int(word, &id) >= 0) {
		(void)snprintf(number, sizeof(number), "%" PRId64, id);
		put_once(seen, number, text);
	} else if (message_is_object(word)) {
		(void)message_each(word, put_label, seen);
	}
}

/* A daemon's error is no news to somebody who types. */
static void ask(struct connection *connection, const struct source *source, struct seen *seen)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	_cleanup_message_ struct json_object *reply = NULL;
	struct json_object *parameters, *array;

	if (message_parse(source->parameters, strlen(source->parameters), &parameters) < 0 ||
	    connection_call(connection, source->method, parameters, &reply, &complaint) < 0)
		return;
	array = message_member(reply, source->array);
	seen->key = source->key;
	for (size_t i = 0; message_is_array(array) && i < message_length(array); i++)
		put_row(source, message_at(array, i), seen);
}

static void ask_daemon(const struct client *client, const char *kind, struct seen *seen)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	_cleanup_(connection_freep) struct connection *connection = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		if (!streq(sources[i].kind, kind))
			continue;
		if (!connection &&
		    connection_open(client->socket_path, &connection, &complaint) < 0)
			return;
		ask(connection, &sources[i], seen);
	}
}

static void put_chips(struct seen *seen)
{
	size_t n;
	const struct chip *chips = chip_table(&n);

	for (size_t i = 0; i < n; i++)
		put_once(seen, chips[i].name, chips[i].readable ? NULL : "known, not readable");
}

static void put_errors(struct seen *seen)
{
	for (size_t i = 0; i < explanation_count(); i++) {
		struct explanation explanation = explanation_at(i);

		put_once(seen, explanation_name(&explanation), explanation_meaning(&explanation));
	}
}

void completion_source(const struct client *client, const char *kind, completion_put put,
		       void *userdata)
{
	_cleanup_(seen_clear) struct seen seen = { .put = put, .userdata = userdata };

	if (streq(kind, "chips"))
		put_chips(&seen);
	else if (streq(kind, "errors"))
		put_errors(&seen);
	else if (!client->host)
		ask_daemon(client, kind, &seen);
}
