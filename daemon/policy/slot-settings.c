/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/policy/slot-settings.h"

#include <errno.h>
#include <string.h>

#include "protocol/base/strings.h"

static void setting_clear(struct slot_setting *setting)
{
	free(setting->place);
	free(setting->name);
	free(setting->rule);
	free(setting->rule_from);
	labels_free(setting->labels, setting->n_labels);
	*setting = (struct slot_setting){ 0 };
}

void slot_settings_clear(struct slot_settings *settings)
{
	for (size_t i = 0; i < settings->n; i++)
		setting_clear(&settings->list[i]);
	free(settings->list);
	*settings = (struct slot_settings){ 0 };
}

int slot_settings_copy(const struct slot_settings *from, struct slot_settings *ret)
{
	_cleanup_(slot_settings_clear) struct slot_settings copy = { 0 };

	for (size_t i = 0; i < from->n; i++) {
		const struct slot_setting *source = &from->list[i];
		struct slot_setting *target;
		int r = slot_settings_add(&copy, source->place, source->name, &target);

		if (r >= 0)
			r = str_replace(&target->rule, source->rule);
		if (r >= 0)
			r = str_replace(&target->rule_from, source->rule_from);
		if (r >= 0)
			r = labels_copy(source->labels, source->n_labels, &target->labels,
					&target->n_labels);
		if (r < 0)
			return r;
		target->exclusion = source->exclusion;
	}
	*ret = TAKE_STRUCT(copy);
	return 0;
}

struct slot_setting *slot_settings_by_place(const struct slot_settings *settings, const char *place)
{
	for (size_t i = 0; i < settings->n; i++)
		if (settings->list[i].place && streq(settings->list[i].place, place))
			return &settings->list[i];
	return NULL;
}

struct slot_setting *slot_settings_by_name(const struct slot_settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->n; i++)
		if (settings->list[i].name && streq(settings->list[i].name, name))
			return &settings->list[i];
	return NULL;
}

int slot_settings_add(struct slot_settings *settings, const char *place, const char *name,
		      struct slot_setting **ret)
{
	struct slot_setting *grown, setting = { 0 };

	grown = reallocarray(settings->list, settings->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	settings->list = grown;
	if (str_replace(&setting.place, place) < 0 || str_replace(&setting.name, name) < 0) {
		setting_clear(&setting);
		return -ENOMEM;
	}
	grown[settings->n] = setting;
	*ret = &grown[settings->n++];
	return 0;
}

void slot_settings_move(struct slot_settings *settings, size_t from, size_t before)
{
	struct slot_setting moved = settings->list[from];
	size_t to = before > from ? before - 1 : before;

	if (to > from)
		memmove(settings->list + from, settings->list + from + 1,
			(to - from) * sizeof(moved));
	else
		memmove(settings->list + to + 1, settings->list + to, (from - to) * sizeof(moved));
	settings->list[to] = moved;
}

void slot_settings_remove(struct slot_settings *settings, size_t index)
{
	setting_clear(&settings->list[index]);
	settings->n--;
	memmove(settings->list + index, settings->list + index + 1,
		(settings->n - index) * sizeof(*settings->list));
}

static const char *usb_part(const char *place)
{
	const char *usb = NULL;

	for (const char *p = place; (p = strstr(p, "usb-")); p++)
		usb = p;
	return usb;
}

/* ":1.0" behind the port; NULL where there is none. */
static const char *interface_part(const char *place)
{
	const char *usb = usb_part(place), *colon = usb ? strchr(usb, ':') : NULL;

	return colon ? strchr(colon + 1, ':') : NULL;
}

bool slot_place_has_interface(const char *place)
{
	return interface_part(place);
}

char *slot_place_of(const char *id_path)
{
	const char *tail = interface_part(id_path);

	return tail ? strndup(id_path, (size_t)(tail - id_path)) : strdup(id_path);
}

bool slot_place_is_path(const char *place)
{
	const char *usb = usb_part(place);

	return usb && (usb == place || usb[-1] == '-') && strchr(usb, ':') &&
	       !slot_place_has_interface(place);
}
