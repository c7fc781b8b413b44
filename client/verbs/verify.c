/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "client/arguments.h"
#include "client/calls/catalogue.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/output/when.h"
#include "client/verb.h"
#include "protocol/base/strings.h"
#include "protocol/control/message.h"

#define PAGE 100                    /* of those that are due, asked for at a time */
#define EVER "9999-12-31T23:59:59Z" /* nothing was verified later, by whatever clock */

enum { KEY_ALL = 1, KEY_OLDER_THAN, KEY_LIMIT };

struct verdict {
	bool ok;
	char *detail;
};

static void verdict_clear(struct verdict *verdict)
{
	free(verdict->detail);
}

static const struct field verdict_fields[] = {
	{ .name = "ok",
	  .type = FIELD_BOOL,
	  .offset = offsetof(struct verdict, ok),
	  .flags = FIELD_REQUIRED },
	{ .name = "detail", .type = FIELD_STRING, .offset = offsetof(struct verdict, detail) },
};

static int verify_tell(struct client *client, const char *id, const struct verdict *verdict)
{
	if (verdict->ok) {
		if (!client->json && !client->quiet)
			print_line("%s: ok", id);
		return STATUS_DONE;
	}
	print_failure(client, "backup %s is damaged: %s", id,
		      verdict->detail ? verdict->detail : "its files are not what was read");
	print_hint(client,
		   "read the watch again; 'mtkrbctl backup %s' names the damaged files' place", id);
	return STATUS_FAILED;
}

/* STATUS_DONE whole, STATUS_FAILED damaged; anything else: no verdict. */
static int verify_one(struct client *client, const char *id)
{
	_cleanup_message_ struct json_object *reply = NULL;
	_cleanup_(verdict_clear) struct verdict verdict = { 0 };
	struct problem problem = { 0 };
	int r = catalogue_call(client, "VerifyBackup", id, &reply);

	if (r != STATUS_DONE)
		return r;
	r = message_read_known(reply, verdict_fields, ARRAY_SIZE(verdict_fields), &verdict,
			       &problem);
	if (r < 0)
		return client_bad_reply(client, r, "VerifyBackup", &problem);
	if (client->json) {
		r = message_add(reply, M_STRING("id", id));
		if (r >= 0)
			r = print_json_line(reply);
		if (r < 0)
			return client_status(client, r);
	}
	return verify_tell(client, id, &verdict);
}

/* ---- those that are named ---- */

static int verify_named(struct client *client, char *const *ids, size_t n)
{
	int status = STATUS_DONE;

	for (size_t i = 0; i < n; i++) {
		int r = verify_one(client, ids[i]);

		if (status == STATUS_DONE)
			status = r;
		if (r == STATUS_NO_DAEMON)
			break;
	}
	return status;
}

/* ---- those that are due ---- */

struct verify_run {
	struct client *client;
	int64_t limit; /* 0: none */
	bool all;
	int64_t done, damaged;
	void *seen; /* a tree of the ids that had their turn */
};

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void verify_run_clear(struct verify_run *run)
{
	tdestroy(run->seen, free);
}

/* 1 when it is new to this run. */
static int verify_take_turn(struct verify_run *run, const char *id)
{
	_cleanup_free_ char *copy = strdup(id);
	char *const *node = copy ? tsearch(copy, &run->seen, compare_ids) : NULL;

	if (!node)
		return -ENOMEM;
	if (*node != copy)
		return 0;
	copy = NULL;
	return 1;
}

static bool verify_is_over(const struct verify_run *run)
{
	return run->limit > 0 && run->done >= run->limit;
}

/* One that was removed meanwhile is none of our business; what else has no verdict ends the run. */
static int verify_row(struct verify_run *run, const char *id)
{
	int r = verify_one(run->client, id);

	if (r == STATUS_NOT_FOUND)
		return STATUS_DONE;
	if (r != STATUS_DONE && r != STATUS_FAILED)
		return r;
	run->done++;
	run->damaged += r == STATUS_FAILED;
	return STATUS_DONE;
}

/* *ret_new: there was one that had not had its turn. */
static int verify_page(struct verify_run *run, struct json_object *backups, bool *ret_new)
{
	int r = STATUS_DONE;

	*ret_new = false;
	for (size_t i = 0; i < message_length(backups) && !verify_is_over(run) && r == STATUS_DONE;
	     i++) {
		const char *id = message_string(message_member(message_at(backups, i), "id"));
		int turn = id ? verify_take_turn(run, id) : -EBADMSG;

		if (turn < 0)
			return client_bad_reply(run->client, turn, "ListBackups", NULL);
		if (turn == 0)
			continue;
		*ret_new = true;
		r = verify_row(run, id);
	}
	return r;
}

/*
 * Each verdict moves its backup to the list's end, so the next answer begins with those that follow.
 * Whether it also takes it off the list depends on the clock of the daemon's machine.
 */
static int verify_due(struct verify_run *run, struct catalogue_query *query)
{
	bool more = true, new = true;
	int r = STATUS_DONE;

	query->limit = PAGE;
	while (r == STATUS_DONE && more && new && !verify_is_over(run)) {
		_cleanup_message_ struct json_object *backups = NULL;

		r = catalogue_list(run->client, query, &backups, &more);
		if (r == STATUS_DONE)
			r = verify_page(run, backups, &new);
	}
	if (!run->client->json && (r == STATUS_DONE || run->done > 0))
		print_note(run->client, "%" PRId64 " verified, %" PRId64 " damaged.", run->done,
			   run->damaged);
	return r == STATUS_DONE && run->damaged > 0 ? STATUS_FAILED : r;
}

static int verify_age(struct arguments *arguments, struct catalogue_query *query, const char *value)
{
	uint64_t usec;

	if (when_parse(value, &usec) < 0)
		return arguments_wrong(arguments, "--older-than=%s: not " WHEN_FORMS, value);
	time_format(usec, query->not_verified_since);
	return 0;
}

static int verify_option(struct arguments *arguments, struct verify_run *run,
			 struct catalogue_query *query, int key, const char *value)
{
	switch (key) {
	case KEY_ALL:
		run->all = true;
		return 0;
	case KEY_OLDER_THAN:
		return verify_age(arguments, query, value);
	default:
		return parse_int(value, 1, INT64_MAX, &run->limit) < 0
			       ? arguments_wrong(arguments, "--limit=%s: not a number above 0",
						 value)
			       : 0;
	}
}

static int verify_run(struct client *client, struct arguments *arguments)
{
	_cleanup_(catalogue_query_clear) struct catalogue_query query = { 0 };
	_cleanup_(verify_run_clear) struct verify_run run = { .client = client };
	const char *value;
	char **operands;
	bool due;
	size_t n;
	int key;

	while ((key = arguments_next(arguments, &value)) > 0)
		if (verify_option(arguments, &run, &query, key, value) < 0)
			return arguments->status;
	if (run.all && !*query.not_verified_since)
		strcpy(query.not_verified_since, EVER);
	due = *query.not_verified_since;
	if (key < 0 ||
	    arguments_operands(arguments, due ? 0 : 1, due ? 0 : SIZE_MAX, &operands, &n) < 0)
		return arguments->status;
	if (run.limit > 0 && !due) {
		arguments_wrong(arguments, "--limit goes with --all or --older-than");
		return arguments->status;
	}
	return due ? verify_due(&run, &query) : verify_named(client, operands, n);
}

static const struct verb_option verify_options[] = {
	{ "all", KEY_ALL, NULL, "all backups, the longest unverified first" },
	{ "older-than", KEY_OLDER_THAN, "AGE", "those not verified for so long: 30d, 12h" },
	{ "limit", KEY_LIMIT, "N", "no more than N of these" },
	{ 0 },
};

const struct verb verb_verify = {
	.name = "verify",
	.group = "Backups",
	.arguments = "[ID...]",
	.summary = "read backups again and compare the digests",
	.details =
		"What comes out is kept: 'backups --damaged' lists what was found damaged. A "
		"backup\n"
		"counts as verified when it is made, since a second process reads it back then.\n"
		"Exit status 0 when all are as they were made, 1 when one is damaged.",
	.options = verify_options,
	.run = verify_run,
};
