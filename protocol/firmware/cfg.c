/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/firmware/cfg.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/strings.h"
#include "protocol/firmware/scatter.h"

#define FLASH_TYPE_SERIAL 3U
#define FLASH_TYPE_WORD   "SF"

/* The tool only looks at the class of memory; vendors of these chips write this one. */
#define MEMORY_TYPE "PSRAM_130MHz"

#define REGION_BOOT "boot_region"
#define REGION_MAIN "main_region"

const char *cfg_flashes_problem(const struct flash_part *flashes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (flashes[i].type != FLASH_TYPE_SERIAL)
			return "a flash of a kind that has no known word";
		if (flashes[i].id_length == 0 || flashes[i].id_length > sizeof(flashes[i].id))
			return "a flash with an id of impossible length";
	}
	return NULL;
}

static bool names_are_plain(const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_plain_name(names[i], SCATTER_TEXT_MAX))
			return false;
	return true;
}

static void print_region(FILE *out, const char *region, const char *const *names, size_t n)
{
	fprintf(out, "%s:\n", region);
	if (n > 0)
		fprintf(out, "  alignment: block\n");
	fprintf(out, "  rom:\n");
	for (size_t i = 0; i < n; i++)
		fprintf(out, "    - file: %s\n", names[i]);
	fprintf(out, "\n");
}

static void print_flash(FILE *out, const struct flash_part *flash)
{
	fprintf(out,
		"      - flash_info:\n"
		"            flash_type: " FLASH_TYPE_WORD "\n"
		"            id_length: %u\n"
		"            flash_id:  [",
		flash->id_length);
	for (size_t i = 0; i < sizeof(flash->id); i++)
		fprintf(out, "%s0x%02X", i > 0 ? ", " : "", flash->id[i]);
	fprintf(out, "]\n"
		     "        memory_type: " MEMORY_TYPE "\n"
		     "        EMI_Setting:\n");
}

static void print_cfg(FILE *out, const struct cfg *cfg)
{
	const char *platform = cfg->platform ? cfg->platform : "";

	/* The blank before the colon is in every vendor's file. */
	fprintf(out, "general:\n    config_version : alpha\n    platform:%s%s\n\n",
		*platform ? " " : "", platform);
	print_region(out, REGION_BOOT, cfg->boot, cfg->n_boot);
	print_region(out, "control_block_region", NULL, 0);
	print_region(out, REGION_MAIN, cfg->main, cfg->n_main);
	print_region(out, "file_system_region", NULL, 0);
	if (cfg->n_flashes == 0)
		return;
	fprintf(out, "external_memory:\n    parameters_version: v1\n    parameters:\n");
	for (size_t i = 0; i < cfg->n_flashes; i++)
		print_flash(out, &cfg->flashes[i]);
}

int cfg_to_text(const struct cfg *cfg, char **ret)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out;

	if (cfg_flashes_problem(cfg->flashes, cfg->n_flashes) ||
	    !names_are_plain(cfg->boot, cfg->n_boot) || !names_are_plain(cfg->main, cfg->n_main) ||
	    (cfg->platform && *cfg->platform && !is_plain_name(cfg->platform, SCATTER_TEXT_MAX)))
		return -EINVAL;
	out = open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	print_cfg(out, cfg);
	if (fclose(out) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}

/* ---- Reading it again ---- */

_printf_(2, 3) static int differs(char **ret_why, const char *format, ...)
{
	va_list ap;
	char *why;

	va_start(ap, format);
	if (vasprintf(&why, format, ap) < 0)
		why = NULL;
	va_end(ap);
	*ret_why = why;
	return -EBADMSG;
}

static int compare_files(const struct scatter *scatter, const char *region,
			 const char *const *names, size_t n, char **ret_why)
{
	size_t found = 0;

	for (size_t i = 0; i < scatter->n_parts; i++) {
		if (!scatter_part_in(&scatter->parts[i], region))
			continue;
		if (found == n || !streq(scatter->parts[i].name, names[found]))
			return differs(ret_why, "%s names %s where %s should be", region,
				       scatter->parts[i].name,
				       found < n ? names[found] : "nothing");
		found++;
	}
	return found == n ? 0 : differs(ret_why, "%s lacks %s", region, names[found]);
}

static int compare_flashes(const struct scatter *scatter, const struct cfg *cfg, char **ret_why)
{
	if (scatter->n_flashes != cfg->n_flashes)
		return differs(ret_why, "%zu flash parts instead of %zu", scatter->n_flashes,
			       cfg->n_flashes);
	for (size_t i = 0; i < cfg->n_flashes; i++) {
		const struct scatter_flash *read = &scatter->flashes[i];
		const struct flash_part *part = &cfg->flashes[i];

		if (!streq_ptr(read->type, FLASH_TYPE_WORD) || read->id_length != part->id_length ||
		    memcmp(read->id, part->id, sizeof(part->id)) != 0)
			return differs(ret_why, "flash part %zu differs", i + 1);
	}
	return 0;
}

static int compare_all(const struct scatter *scatter, const struct cfg *cfg, char **ret_why)
{
	int r;

	if (scatter->form != SCATTER_CFG)
		return differs(ret_why, "it is not of the form for feature phones");
	if (!streq(scatter->platform ? scatter->platform : "", cfg->platform ? cfg->platform : ""))
		return differs(ret_why, "its platform is %s",
			       scatter->platform ? scatter->platform : "blank");
	if (scatter->n_parts != cfg->n_boot + cfg->n_main)
		return differs(ret_why, "%zu files instead of %zu", scatter->n_parts,
			       cfg->n_boot + cfg->n_main);
	r = compare_files(scatter, REGION_BOOT, cfg->boot, cfg->n_boot, ret_why);
	if (r >= 0)
		r = compare_files(scatter, REGION_MAIN, cfg->main, cfg->n_main, ret_why);
	return r < 0 ? r : compare_flashes(scatter, cfg, ret_why);
}

int cfg_compare(const struct cfg *cfg, const char *text, size_t size, char **ret_why)
{
	_cleanup_(scatter_freep) struct scatter *scatter = NULL;
	struct scatter_error error = { 0 };
	int r = scatter_parse(text, size, &scatter, &error);

	if (r == -EBADMSG)
		return differs(ret_why, "line %u: %s", error.line, error.text);
	return r < 0 ? r : compare_all(scatter, cfg, ret_why);
}
