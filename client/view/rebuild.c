/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/view/rebuild.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/output/facts.h"
#include "client/output/print.h"
#include "client/output/table.h"
#include "protocol/base/strings.h"
#include "protocol/control/message.h"

#define DIGEST_SHOWN 16 /* digits; the JSON and layout.json have all */

/* ---- For people ---- */

static const char *remark_on(const struct image_piece *piece, bool is_part)
{
	if (piece->content == IMAGE_PIECE_ERASED)
		return "erased, nothing to keep";
	if (piece->content == IMAGE_PIECE_REPEATED)
		return "the flash once more, nothing to keep";
	if (piece->device_specific)
		return "of this one watch, never for another";
	return is_part && !piece->listed ? "not in the .cfg" : "";
}

static void add_piece(struct table *table, const struct image_piece *piece)
{
	bool is_part = streq(piece->kind, layout_region_kind_to_string(REGION_FILE));

	table_add(table, is_part ? TINT_GOOD : TINT_NONE, piece->file);
	table_addf(table, TINT_NONE, "0x%08" PRIx64, piece->offset);
	table_addf(table, TINT_NONE, "%" PRIu64, piece->length);
	table_addf(table, TINT_NONE, "%04x", piece->sum);
	table_addf(table, TINT_FAINT, "%.*s", DIGEST_SHOWN, piece->sha256);
	table_add(table, TINT_NONE, piece->kind);
	table_add(table, TINT_NONE, remark_on(piece, is_part));
}

static int print_pieces(const struct client *client, const struct rebuild *rebuild)
{
	static const struct column columns[] = {
		{ .title = "FILE" },
		{ .title = "OFFSET", .right = true },
		{ .title = "BYTES", .right = true },
		{ .title = "SUM", .right = true, .drop = 2 },
		{ .title = "SHA-256", .drop = 3 },
		{ .title = "KIND", .drop = 1 },
		{ .title = "REMARK", .cut = CUT_END },
	};
	_cleanup_(table_freep) struct table *table = NULL;
	int r = table_new(columns, ARRAY_SIZE(columns), &table);

	for (size_t i = 0; r >= 0 && i < rebuild->n_pieces; i++)
		add_piece(table, &rebuild->pieces[i]);
	return r < 0 ? r : table_print(table, &client->out, stdout);
}

/* "A, B"; NULL: no memory. */
static char *join_names(const char *const *names, size_t n)
{
	char *text = strdup("");

	for (size_t i = 0; text && i < n; i++) {
		char *longer = str_format("%s%s%s", text, i > 0 ? ", " : "", names[i]);

		free(text);
		text = longer;
	}
	return text;
}

/* "C2 25 36, EF 40 16"; NULL: no memory. */
static char *join_flashes(const struct cfg *cfg)
{
	char *text = strdup("");

	for (size_t i = 0; text && i < cfg->n_flashes; i++) {
		char hex[2 * sizeof(cfg->flashes[i].id) + 1], *longer;

		hex_encode(cfg->flashes[i].id, cfg->flashes[i].id_length, hex);
		longer = str_format("%s%s%s", text, i > 0 ? ", " : "", hex);
		free(text);
		text = longer;
	}
	return text;
}

static int print_facts(const struct client *client, const struct rebuild_view *view)
{
	const struct cfg *cfg = &view->rebuild->cfg;
	_cleanup_free_ char *boot = join_names(cfg->boot, cfg->n_boot);
	_cleanup_free_ char *main = join_names(cfg->main, cfg->n_main);
	_cleanup_free_ char *flashes = join_flashes(cfg);
	_cleanup_free_ char *health = health_summary(view->health);
	_cleanup_(table_freep) struct table *table = NULL;
	int r = facts_new(&table);

	if (r < 0)
		return r;
	facts_add(table, "directory", TINT_HEADER, "%s", view->directory);
	facts_add_known(table, "project",
			*view->layout->facts.project ? view->layout->facts.project : NULL);
	facts_add_known(table, "version",
			*view->layout->facts.version ? view->layout->facts.version : NULL);
	facts_add(table, ".cfg", view->rebuild->cfg_file ? TINT_NONE : TINT_WARN, "%s",
		  view->rebuild->cfg_file ? view->rebuild->cfg_file
					  : "none: no file is fit for a flasher");
	facts_add(table, "platform", TINT_NONE, "%s", *cfg->platform ? cfg->platform : "blank");
	facts_add_known(table, "boot region", boot);
	facts_add_known(table, "main region", main);
	if (view->rebuild->no_flashes)
		facts_add(table, "flash list", TINT_WARN, "left out: %s",
			  view->rebuild->no_flashes);
	else
		facts_add_known(table, "flash list", flashes);
	facts_add(table, "health", health_is_good(view->health) ? TINT_GOOD : TINT_WARN, "%s",
		  health ? health : "out of memory");
	return table_print(table, &client->out, stdout);
}

void rebuild_view_print_failures(const struct client *client, const struct health_report *health,
				 enum health_severity worst)
{
	for (size_t i = 0; i < health->n_checks; i++) {
		const struct health_check *check = &health->checks[i];

		if (check->outcome != HEALTH_FAIL || check->severity > worst)
			continue;
		print_failure(client, "%s: %s%s%s", check->name, check->part ? check->part : "",
			      check->part ? ": " : "", check->text);
		if (check->hint)
			print_hint(client, "%s", check->hint);
	}
}

/* ---- For programs ---- */

static int names_to_json(const char *const *names, size_t n, struct json_object **ret)
{
	_cleanup_message_ struct json_object *array = NULL;
	int r = message_new_array(&array);

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = message_append_string(array, names[i]);
	if (r >= 0)
		*ret = TAKE_PTR(array);
	return r;
}

static int flashes_to_json(const struct cfg *cfg, struct json_object **ret)
{
	_cleanup_message_ struct json_object *array = NULL;
	int r = message_new_array(&array);

	for (size_t i = 0; r >= 0 && i < cfg->n_flashes; i++) {
		char hex[2 * sizeof(cfg->flashes[i].id) + 1];

		hex_encode(cfg->flashes[i].id, cfg->flashes[i].id_length, hex);
		r = message_append_string(array, hex);
	}
	if (r >= 0)
		*ret = TAKE_PTR(array);
	return r;
}

static int cfg_to_json(const struct rebuild *rebuild, struct json_object **ret)
{
	_cleanup_message_ struct json_object *boot = NULL, *main = NULL, *flashes = NULL;
	const struct cfg *cfg = &rebuild->cfg;
	int r = names_to_json(cfg->boot, cfg->n_boot, &boot);

	if (r >= 0)
		r = names_to_json(cfg->main, cfg->n_main, &main);
	if (r >= 0 && !rebuild->no_flashes)
		r = flashes_to_json(cfg, &flashes);
	if (r < 0)
		return r;
	return message_build(
		ret, MEMBERS(M_STRING_OPT("file", rebuild->cfg_file),
			     M_STRING_OPT("platform", *cfg->platform ? cfg->platform : NULL),
			     M_OBJECT("boot", TAKE_PTR(boot)), M_OBJECT("main", TAKE_PTR(main)),
			     M_OBJECT("flashes", TAKE_PTR(flashes)),
			     M_STRING_OPT("no_flashes", rebuild->no_flashes)));
}

static int print_document(const struct client *client, const struct rebuild_view *view)
{
	_cleanup_message_ struct json_object *layout = NULL, *cfg = NULL, *document = NULL;
	int r = message_parse(view->description, strlen(view->description), &layout);

	if (r >= 0)
		r = cfg_to_json(view->rebuild, &cfg);
	if (r >= 0)
		r = message_build(&document, MEMBERS(M_STRING("directory", view->directory),
						     M_INT("health", view->health->score),
						     M_BOOL("good", health_is_good(view->health)),
						     M_OBJECT("cfg", TAKE_PTR(cfg)),
						     M_OBJECT("layout", TAKE_PTR(layout))));
	return r < 0 ? r : print_json(client, document);
}

int rebuild_view_print(const struct client *client, const struct rebuild_view *view)
{
	int r;

	if (client->json)
		return print_document(client, view);
	if (client->quiet)
		return 0;
	r = print_pieces(client, view->rebuild);
	if (r < 0)
		return r;
	putchar('\n');
	return print_facts(client, view);
}
