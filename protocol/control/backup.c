/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/backup.h"

#include <errno.h>
#include <limits.h>

#include "protocol/base/digest.h"
#include "protocol/base/time.h"
#include "protocol/control/message.h"

void backup_clear(struct backup *backup)
{
	free(backup->id);
	free(backup->path);
	free(backup->chip);
	free(backup->meid);
	free(backup->firmware);
	free(backup->sha256);
	free(backup->identical_to);
	labels_free(backup->labels, backup->n_labels);
	*backup = (struct backup){ 0 };
}

int backup_to_json(const struct backup *backup, struct json_object **ret)
{
	char created[TIME_TEXT_SIZE], verified[TIME_TEXT_SIZE];
	struct json_object *labels;
	int r;

	r = labels_to_json(backup->labels, backup->n_labels, &labels);
	if (r < 0)
		return r;
	return message_build(
		ret,
		MEMBERS(M_STRING("id", backup->id), M_STRING("path", backup->path),
			M_STRING("created", time_format(backup->created, created)),
			M_STRING_OPT("chip", backup->chip), M_STRING_OPT("meid", backup->meid),
			M_STRING_OPT("firmware", backup->firmware), M_INT("size", backup->size),
			M_STRING("sha256", backup->sha256),
			M_INT_IF(backup->health >= 0, "health", backup->health),
			M_OBJECT("labels", labels), M_INT_IF(backup->job > 0, "job", backup->job),
			M_STRING_OPT("identical_to", backup->identical_to),
			M_STRING_OPT("verified", backup->verified > 0
							 ? time_format(backup->verified, verified)
							 : NULL),
			backup->damaged ? M_BOOL("damaged", true) : M_NONE));
}

static int read_labels(struct json_object *value, void *target, struct problem *problem)
{
	struct backup *backup = target;

	return labels_from_json(value, &backup->labels, &backup->n_labels, problem);
}

static const struct field fields[] = {
	{ .name = "id",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct backup, id),
	  .flags = FIELD_REQUIRED | FIELD_CLEAN,
	  .min = 1,
	  .max = NAME_MAX },
	{ .name = "path",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct backup, path),
	  .flags = FIELD_REQUIRED | FIELD_CLEAN,
	  .min = 1,
	  .max = PATH_MAX },
	{ .name = "created",
	  .type = FIELD_TIME,
	  .offset = offsetof(struct backup, created),
	  .flags = FIELD_REQUIRED },
	{ .name = "chip",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct backup, chip),
	  .flags = FIELD_CLEAN },
	{ .name = "meid",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct backup, meid),
	  .flags = FIELD_CLEAN },
	{ .name = "firmware",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct backup, firmware),
	  .flags = FIELD_CLEAN },
	{ .name = "size",
	  .type = FIELD_UINT,
	  .offset = offsetof(struct backup, size),
	  .flags = FIELD_REQUIRED },
	{ .name = "sha256",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct backup, sha256),
	  .flags = FIELD_REQUIRED | FIELD_NAME,
	  .min = DIGEST_HEX_SIZE - 1,
	  .max = DIGEST_HEX_SIZE - 1 },
	{ .name = "health",
	  .type = FIELD_INT,
	  .offset = offsetof(struct backup, health),
	  .min = 0,
	  .max = 100 },
	{ .name = "labels", .type = FIELD_CUSTOM, .flags = FIELD_REQUIRED, .read = read_labels },
	{ .name = "job",
	  .type = FIELD_INT,
	  .offset = offsetof(struct backup, job),
	  .min = 1,
	  .max = INT64_MAX },
	{ .name = "identical_to",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct backup, identical_to),
	  .flags = FIELD_CLEAN,
	  .min = 1,
	  .max = NAME_MAX },
	{ .name = "verified", .type = FIELD_TIME, .offset = offsetof(struct backup, verified) },
	{ .name = "damaged", .type = FIELD_BOOL, .offset = offsetof(struct backup, damaged) },
};

int backup_from_json(struct json_object *object, struct backup *ret, struct problem *problem)
{
	_cleanup_(backup_clear) struct backup backup = { .health = -1 };
	int r;

	r = message_read_known(object, fields, ARRAY_SIZE(fields), &backup, problem);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(backup);
	return 0;
}
