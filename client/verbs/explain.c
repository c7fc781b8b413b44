/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/output/facts.h"
#include "client/output/print.h"
#include "client/verb.h"
#include "client/view/explanation.h"
#include "protocol/base/strings.h"
#include "protocol/control/message.h"

#define SUGGESTIONS 4U

static int add_json(struct json_object *array, const struct explanation *explanation)
{
	struct json_object *object;
	int r = explanation_to_json(explanation, &object);

	return r < 0 ? r : message_append(array, object);
}

static int show(const struct client *client, const struct explanation *explanation)
{
	_cleanup_(table_freep) struct table *table = NULL;
	const struct device_error *error = explanation->error;
	char code[EXPLANATION_CODE_SIZE];
	int r = facts_new(&table);

	if (r < 0)
		return r;
	if (error) {
		facts_add(table, "code", TINT_HEADER, "%s", explanation_code(explanation, code));
		facts_add(table, "number", TINT_NONE, "%u, 0x%04X%s", error->first, error->first,
			  error->first == error->last ? "" : " and those behind it");
	}
	facts_add(table, "name", error ? TINT_NONE : TINT_HEADER, "%s",
		  explanation_name(explanation));
	if (error)
		facts_add_known(table, "symbol", error->symbol);
	facts_add(table, "from", TINT_NONE, "%s%s%s", explanation_family(explanation),
		  error ? ", " : " (our own word)",
		  error ? device_error_proof_to_string(error->proof) : "");
	facts_add(table, "meaning", TINT_NONE, "%s", explanation_meaning(explanation));
	facts_add_known(table, "do", explanation_hint(explanation));
	return table_print(table, &client->out, stdout);
}

/* What one operand means; STATUS_NOT_FOUND when it means nothing. */
static int explain(const struct client *client, const char *typed, bool *first,
		   struct json_object *array)
{
	struct explanation found[EXPLANATION_MATCHES_MAX];
	const char *near[SUGGESTIONS];
	size_t n = explanation_find(typed, found), n_near;

	for (size_t i = 0; i < n; i++) {
		int r = 0;

		if (array)
			r = add_json(array, &found[i]);
		else if (!*first)
			putchar('\n');
		if (!array && r >= 0)
			r = show(client, &found[i]);
		if (r < 0)
			return client_status(client, r);
		*first = false;
	}
	if (n > 0)
		return STATUS_DONE;
	n_near = explanation_suggest(typed, near, SUGGESTIONS);
	print_failure(client, "no such code or symbol: %s", typed);
	if (n_near == 0)
		print_hint(client, "'mtkrbctl explain' alone lists all that are known");
	else
		print_hint(client, "did you mean %s%s%s%s%s%s%s?", near[0], n_near > 1 ? ", " : "",
			   n_near > 1 ? near[1] : "", n_near > 2 ? ", " : "",
			   n_near > 2 ? near[2] : "", n_near > 3 ? ", " : "",
			   n_near > 3 ? near[3] : "");
	return STATUS_NOT_FOUND;
}

static int list_all(const struct client *client)
{
	static const struct column columns[] = {
		{ .title = "FAMILY" },
		{ .title = "CODE", .right = true },
		{ .title = "NAME", .cut = CUT_END },
		{ .title = "MEANING", .cut = CUT_END, .drop = 1 },
	};
	_cleanup_(table_freep) struct table *table = NULL;
	int r = table_new(columns, ARRAY_SIZE(columns), &table);

	if (r < 0)
		return r;
	for (size_t i = 0; i < explanation_count(); i++) {
		struct explanation explanation = explanation_at(i);
		char code[EXPLANATION_CODE_SIZE];

		table_add(table, TINT_FAINT, explanation_family(&explanation));
		table_add(table, TINT_NONE, explanation_code(&explanation, code));
		table_add(table, TINT_NONE, explanation_name(&explanation));
		table_add(table, TINT_NONE, explanation_meaning(&explanation));
	}
	return table_print(table, &client->out, stdout);
}

static int add_all(struct json_object *array)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < explanation_count(); i++) {
		struct explanation explanation = explanation_at(i);

		r = add_json(array, &explanation);
	}
	return r;
}

static int print_array(const struct client *client, struct json_object **array)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r = message_build(&object, MEMBERS(M_OBJECT("explanations", TAKE_PTR(*array))));

	return r < 0 ? r : print_json(client, object);
}

static int explain_run(struct client *client, struct arguments *arguments)
{
	_cleanup_message_ struct json_object *array = NULL;
	int status = STATUS_DONE, r = 0;
	char **operands;
	bool first = true;
	size_t n;

	if (arguments_only_operands(arguments, 0, SIZE_MAX, &operands, &n) < 0)
		return arguments->status;
	if (client->json)
		r = message_new_array(&array);
	if (r >= 0 && n == 0)
		r = array ? add_all(array) : list_all(client);
	if (r < 0)
		return client_status(client, r);
	for (size_t i = 0; i < n; i++) {
		int s = explain(client, operands[i], &first, array);

		status = s == STATUS_DONE ? status : s;
	}
	if (array && client_status(client, print_array(client, &array)) != STATUS_DONE)
		status = STATUS_FAILED;
	return status;
}

const struct verb verb_explain = {
	.name = "explain",
	.group = "Help in need",
	.host = HOST_REFUSED,
	.arguments = "[CODE|SYMBOL...]",
	.summary = "what an error's number or name means and what to do",
	.details =
		"Numbers of boot ROMs, download agents, FlashTool and SP Flash Tool, and our own\n"
		"words. The same number means different things in different families: all are\n"
		"shown. Without an argument everything that is known is listed. No daemon needed.",
	.run = explain_run,
};
