/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdbool.h>
#include <sys/stat.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/image-file.h"
#include "client/output/print.h"
#include "client/verb.h"
#include "client/view/check-json.h"
#include "client/view/check.h"
#include "protocol/control/message.h"
#include "protocol/firmware/health.h"

static int check_print(const struct client *client, const char *path, const struct layout *layout,
		       const struct health_report *report)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r;

	if (!client->json)
		return check_view_print(client, path, layout, report);
	r = check_to_json(path, layout, report, &object);
	return r < 0 ? r : print_json(client, object);
}

/* The worst failure that was found first, NULL when there is none that counts. */
static const struct health_check *check_worst(const struct health_report *report)
{
	for (enum health_severity severity = HEALTH_FATAL; severity <= HEALTH_ERROR; severity++)
		for (size_t i = 0; i < report->n_checks; i++)
			if (report->checks[i].outcome == HEALTH_FAIL &&
			    report->checks[i].severity == severity)
				return &report->checks[i];
	return NULL;
}

static int check_verdict(const struct client *client, const char *path,
			 const struct health_report *report)
{
	const struct health_check *worst = check_worst(report);
	size_t n = report->n_failed[HEALTH_FATAL] + report->n_failed[HEALTH_ERROR];

	if (!worst)
		return STATUS_DONE;
	print_failure(client, "%s: %zu check%s failed: %s: %s", path, n, n == 1 ? "" : "s",
		      worst->name, worst->text);
	if (worst->hint)
		print_hint(client, "%s", worst->hint);
	return STATUS_FAILED;
}

static int check_image(const struct client *client, const char *path,
		       const struct image_file *image, const struct image_file *second)
{
	_cleanup_(health_report_freep) struct health_report *report = NULL;
	_cleanup_(layout_freep) struct layout *layout = NULL;
	const struct health_options options = {
		.second = second->data,
		.second_size = second->size,
	};
	int r = layout_new(image->data, image->size, &layout);

	if (r >= 0)
		r = health_check(layout, &options, &report);
	if (r >= 0)
		r = check_print(client, path, layout, report);
	return r < 0 ? client_status(client, r) : check_verdict(client, path, report);
}

/* A file is no second readback of itself. */
static bool check_is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int check_run(struct client *client, struct arguments *arguments)
{
	_cleanup_(image_file_clear) struct image_file image = { 0 };
	_cleanup_(image_file_clear) struct image_file second = { 0 };
	char **paths;
	size_t n;
	int r;

	if (arguments_only_operands(arguments, 1, 2, &paths, &n) < 0)
		return arguments->status;
	if (n == 2 && check_is_same_file(paths[0], paths[1])) {
		arguments_wrong(arguments, "%s and %s are the same file", paths[0], paths[1]);
		return arguments->status;
	}
	r = image_file_read(client, paths[0], &image);
	if (r == STATUS_DONE && n == 2)
		r = image_file_read(client, paths[1], &second);
	return r == STATUS_DONE ? check_image(client, paths[0], &image, &second) : r;
}

const struct verb verb_check = {
	.name = "check",
	.group = "Images",
	.host = HOST_REFUSED,
	.arguments = "FILE [FILE2]",
	.summary = "health report of a flash image; of two: compared below the user area",
	.details = "Needs no daemon. Most of a firmware has no digest: only a second readback that "
		   "is\n"
		   "the same below the user area proves it.",
	.run = check_run,
};
