/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config/internal.h"

#include <errno.h>
#include <string.h>

#include "protocol/base/strings.h"
#include "protocol/control/limits.h"

#define NAME_ALLOWED "names of up to 64 letters, digits and ._+-"

static const char *name_problem(const char *name)
{
	/* It would be mistaken for a place that is called as it is. */
	return is_plain_name(name, LIMIT_NAME_BYTES) && !slot_place_is_path(name)
		       ? NULL
		       : "not a slot name";
}

static const char *place_problem(const struct slot_settings *slots, const char *place,
				 const char **ret_allowed)
{
	*ret_allowed = NULL;
	if (!is_plain_name(place, CONFIG_PLACE_BYTES)) {
		*ret_allowed = "the ID_PATH of a USB port, as pci-0000:00:14.0-usb-0:2.3";
		return "not a place";
	}
	if (slot_place_has_interface(place)) {
		*ret_allowed = "the ID_PATH without the last \":1.0\"";
		return "names an interface, not a port";
	}
	if (slot_settings_by_place(slots, place))
		return "this place has another name already";
	return NULL;
}

/* The setting of that name, new where there is none. */
static int named_setting(struct config_parser *parser, const char *section, const char *key,
			 const char *name, struct slot_setting **ret)
{
	struct slot_settings *slots = &parser->config->slots;
	const char *problem = name_problem(name);

	if (problem)
		return config_fail(parser, -EINVAL, section, key, problem, NAME_ALLOWED);
	*ret = slot_settings_by_name(slots, name);
	if (!*ret && slot_settings_add(slots, NULL, name, ret) < 0)
		return config_refuse(parser, -ENOMEM, section, key, NULL);
	return 0;
}

static int set_place(struct config_parser *parser, const char *section, const char *key,
		     struct slot_setting *setting, const char *place)
{
	const char *allowed, *problem;

	if (setting->place)
		return config_fail(parser, -EINVAL, section, key, "this slot name is given twice",
				   NULL);
	problem = place_problem(&parser->config->slots, place, &allowed);
	if (problem)
		return config_fail(parser, -EINVAL, section, key, problem, allowed);
	if (str_replace(&setting->place, place) < 0)
		return config_refuse(parser, -ENOMEM, section, key, NULL);
	return 0;
}

int config_slots_set(struct config_parser *parser, const char *section,
		     _unused_ const char *no_name, const char *name, const char *place)
{
	struct slot_setting *setting = NULL;
	int r = named_setting(parser, section, name, name, &setting);

	return setting ? set_place(parser, section, name, setting, place) : r;
}

int config_slot_begin(struct config_parser *parser, const char *section, const char *name)
{
	struct slot_setting *setting;

	return named_setting(parser, section, NULL, name, &setting);
}

static int set_excluded(struct slot_setting *setting, const char *value)
{
	bool excluded;
	int r = parse_bool(value, &excluded);

	if (r >= 0)
		setting->exclusion = excluded ? SLOT_EXCLUDED : SLOT_INCLUDED;
	return r;
}

static int set_rule(struct config_parser *parser, struct slot_setting *setting, const char *value)
{
	_cleanup_free_ char *from = str_format("%s:%d", parser->path, parser->line);

	if (!is_plain_name(value, LIMIT_NAME_BYTES))
		return -EINVAL;
	if (!from || str_replace(&setting->rule, value) < 0)
		return -ENOMEM;
	free(setting->rule_from);
	setting->rule_from = TAKE_PTR(from);
	return 0;
}

static int set_label(struct slot_setting *setting, const char *value)
{
	int r = config_label(value, &setting->labels, &setting->n_labels);

	return r >= 0 && setting->n_labels > LIMIT_SLOT_LABELS ? -ERANGE : r;
}

int config_slot_set(struct config_parser *parser, const char *section, const char *name,
		    const char *key, const char *value)
{
	struct slot_setting *setting = NULL;
	const char *allowed = NULL;
	int r = named_setting(parser, section, NULL, name, &setting);

	if (!setting)
		return r;
	if (streq(key, "path"))
		return set_place(parser, section, key, setting, value);
	if (streq(key, "excluded")) {
		allowed = "yes, no";
		r = set_excluded(setting, value);
	} else if (streq(key, "rule")) {
		allowed = "the NAME of a section [rule NAME], or automatic";
		r = set_rule(parser, setting, value);
	} else if (streq(key, "label")) {
		allowed = "KEY=VALUE, up to 8 of them";
		r = set_label(setting, value);
	} else {
		return config_fail(parser, -EINVAL, section, key, "unknown key",
				   "path, excluded, rule, label");
	}
	return r < 0 ? config_refuse(parser, r, section, key, allowed) : 0;
}

int config_slots_complete(struct config *config, char **ret_error)
{
	for (size_t i = 0; i < config->slots.n; i++) {
		struct slot_setting *setting = &config->slots.list[i];

		if (!setting->place && str_replace(&setting->place, setting->name) < 0)
			return -ENOMEM;
		if (!setting->rule || rules_find(&config->rules, setting->rule))
			continue;
		*ret_error = str_format("%s: [slot %s] rule: there is no [rule %s]",
					setting->rule_from, setting->name, setting->rule);
		return *ret_error ? -EINVAL : -ENOMEM;
	}
	return 0;
}
