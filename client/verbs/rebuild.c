/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/image-file.h"
#include "client/output/print.h"
#include "client/verb.h"
#include "client/view/rebuild.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/layout-json.h"
#include "protocol/control/message.h"
#include "protocol/firmware/health.h"
#include "protocol/firmware/rebuild.h"

#define DEFAULT_DIRECTORY "firmware"

enum { KEY_NAMES = 1, KEY_CHECK, KEY_FORCE, KEY_OUTPUT = 'o' };

struct rebuild_job {
	const char *file;
	char *directory;
	enum rebuild_names names;
	bool check, force;
	struct image_file image;
	struct layout *layout;
	struct health_report *health;
};

static void rebuild_job_clear(struct rebuild_job *job)
{
	health_report_free(job->health);
	layout_free(job->layout);
	image_file_clear(&job->image);
	free(job->directory);
}

/* ---- The command line ---- */

static int rebuild_option(struct arguments *arguments, struct rebuild_job *job, int key,
			  const char *value)
{
	switch (key) {
	case KEY_NAMES:
		if (!streq(value, "standard") && !streq(value, "extractor"))
			return arguments_wrong(arguments, "--names=%s: not standard or extractor",
					       value);
		job->names =
			streq(value, "standard") ? REBUILD_NAMES_STANDARD : REBUILD_NAMES_EXTRACTOR;
		return 0;
	case KEY_CHECK:
		job->check = true;
		return 0;
	case KEY_FORCE:
		job->force = true;
		return 0;
	default:
		if (!*value)
			return arguments_wrong(arguments, "--output needs a directory");
		return str_replace(&job->directory, value);
	}
}

/* Beside the image, unless told otherwise. */
static int rebuild_default_directory(struct rebuild_job *job)
{
	_cleanup_free_ char *copy = strdup(job->file);

	if (!copy)
		return -ENOMEM;
	job->directory = str_format("%s/" DEFAULT_DIRECTORY, dirname(copy));
	return job->directory ? 0 : -ENOMEM;
}

static int rebuild_parse(struct arguments *arguments, struct rebuild_job *job)
{
	const char *value;
	char **operands;
	size_t n;
	int key;

	while ((key = arguments_next(arguments, &value)) > 0)
		if (rebuild_option(arguments, job, key, value) < 0)
			return -EINVAL;
	if (key < 0 || arguments_operands(arguments, 1, 1, &operands, &n) < 0)
		return -EINVAL;
	job->file = operands[0];
	if (job->directory || rebuild_default_directory(job) >= 0)
		return 0;
	arguments->status = client_status(arguments->client, -ENOMEM);
	return -ENOMEM;
}

/* ---- What is there ---- */

static int open_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* The layout.json of a set. -EBADMSG with *problem, or the error of the file. */
static int load_description(int dir, struct layout_json *ret, struct problem *problem)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	int r = fd_read_file(dir, REBUILD_DESCRIPTION, LAYOUT_JSON_BYTES_MAX, &text, &size);

	if (r < 0)
		return r;
	if (strlen(text) != size)
		return problem_set(problem, "", "is not a text");
	return layout_json_from_text(text, ret, problem);
}

/* ---- --check ---- */

static int check_cfg(int dir, const struct layout_json *layout, char **ret_why)
{
	_cleanup_free_ char *text = NULL;
	char sha256[DIGEST_HEX_SIZE];
	size_t size = 0;
	int r = fd_read_file(dir, layout->cfg_file, LAYOUT_JSON_BYTES_MAX, &text, &size);

	if (r >= 0)
		r = digest_memory(text, size, sha256);
	if (r >= 0 && streq(sha256, layout->cfg_sha256))
		return 0;
	*ret_why = str_format("%s: %s", layout->cfg_file,
			      r < 0 ? strerror(-r) : "not as it was written");
	return -EBADMSG;
}

static int compare_set(const struct rebuild_job *job, size_t *ret_pieces, char **ret_why)
{
	_cleanup_close_ int dir = open_directory(job->directory);
	_cleanup_(layout_json_clear) struct layout_json layout = { 0 };
	struct problem problem = { 0 };
	int r = dir < 0 ? dir : load_description(dir, &layout, &problem);

	if (r < 0) {
		*ret_why = str_format(REBUILD_DESCRIPTION ": %s%s%s", problem.field,
				      *problem.field ? ": " : "",
				      *problem.reason ? problem.reason : strerror(-r));
		return -EBADMSG;
	}
	if (layout.size != job->image.size) {
		*ret_why = str_format("the set is of an image of %" PRIu64 " bytes, this one has "
				      "%" PRIu64,
				      layout.size, job->image.size);
		return -EBADMSG;
	}
	*ret_pieces = layout.n_pieces;
	r = file_set_compare(dir, layout.pieces, layout.n_pieces, job->image.data, job->image.size,
			     ret_why);
	return r < 0 || !layout.cfg_file ? r : check_cfg(dir, &layout, ret_why);
}

static int print_verdict(const struct client *client, const struct rebuild_job *job, size_t pieces,
			 const char *why)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r;

	if (client->json) {
		r = message_build(&object,
				  MEMBERS(M_STRING("file", job->file),
					  M_STRING("directory", job->directory), M_BOOL("ok", !why),
					  M_INT("pieces", pieces), M_STRING_OPT("detail", why)));
		if (r < 0 || print_json(client, object) < 0)
			return client_status(client, -ENOMEM);
	}
	if (why) {
		print_failure(client, "%s is not %s taken apart: %s", job->directory, job->file,
			      why);
		print_hint(client, "'mtkrbctl rebuild' without --check writes the set anew");
		return STATUS_FAILED;
	}
	if (!client->json && !client->quiet)
		print_line("%s: its %zu pieces are %s, byte for byte", job->directory, pieces,
			   job->file);
	return STATUS_DONE;
}

static int rebuild_check(const struct client *client, const struct rebuild_job *job)
{
	_cleanup_free_ char *why = NULL;
	size_t pieces = 0;
	int r = compare_set(job, &pieces, &why);

	if (r < 0 && r != -EBADMSG)
		return client_status(client, r);
	return print_verdict(client, job, pieces, r < 0 ? (why ? why : "out of memory") : NULL);
}

/* ---- Writing ---- */

static int refuse_health(const struct client *client, const struct rebuild_job *job)
{
	print_failure(client, "%s: no firmware files can be made of it", job->file);
	rebuild_view_print_failures(client, job->health, HEALTH_FATAL);
	print_hint(client, "--force cuts out what there is; 'mtkrbctl cut' takes any piece");
	return STATUS_FAILED;
}

/*
 * 1 when the directory is an older set and nothing else, 0 when there is none or it is empty,
 * -ENOTEMPTY with the name of what is in it.
 */
static int is_older_set(const char *directory, char **ret_other)
{
	_cleanup_close_ int dir = open_directory(directory);
	_cleanup_(layout_json_clear) struct layout_json layout = { 0 };
	struct file_set set = { 0 };
	struct problem problem;
	int r;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	r = file_set_is_all(dir, &set, ret_other);
	if (r != 0)
		return r < 0 ? r : 0;
	if (load_description(dir, &layout, &problem) < 0)
		return -ENOTEMPTY;
	free(TAKE_PTR(*ret_other));
	const struct file_set_text texts[] = { { .name = REBUILD_DESCRIPTION },
					       { .name = layout.cfg_file } };

	set = (struct file_set){ layout.pieces, layout.n_pieces, texts, layout.cfg_file ? 2 : 1 };
	r = file_set_is_all(dir, &set, ret_other);
	return r == 0 ? -ENOTEMPTY : r;
}

static int refuse_directory(const struct client *client, const struct rebuild_job *job, int r,
			    const char *why)
{
	if (r == -ENOTEMPTY || r == -EEXIST)
		print_failure(client, "%s: has something else in it: %s", job->directory,
			      why ? why : "files of another kind");
	else
		print_failure(client, "%s: %s", job->directory, why ? why : strerror(-r));
	if (r == -ENOTEMPTY || r == -EEXIST || r == -EACCES || r == -EROFS)
		print_hint(client, "-o names another directory");
	return r == -EACCES || r == -EPERM ? STATUS_NOT_PERMITTED : STATUS_FAILED;
}

/* The directory that the new one will be in, and its name there. */
static int open_parent(const char *directory, char **ret_name)
{
	_cleanup_free_ char *real = realpath(directory, NULL);
	_cleanup_free_ char *path = strdup(real ? real : directory);
	_cleanup_free_ char *copy = path ? strdup(path) : NULL;
	const char *name;

	if (!path || !copy)
		return -ENOMEM;
	name = basename(copy);
	if (streq(name, ".") || streq(name, "..") || streq(name, "/"))
		return -ENOENT;
	*ret_name = strdup(name);
	return *ret_name ? open_directory(dirname(path)) : -ENOMEM;
}

static int write_set(const struct client *client, const struct rebuild_job *job,
		     const struct rebuild *rebuild, const char *description)
{
	_cleanup_free_ char *name = NULL, *why = NULL, *other = NULL;
	_cleanup_close_ int parent = -1;
	int replace = is_older_set(job->directory, &other), r;

	if (replace < 0)
		return refuse_directory(client, job, replace, other);
	parent = open_parent(job->directory, &name);
	if (parent < 0)
		return refuse_directory(client, job, parent, NULL);
	r = rebuild_write(rebuild, job->layout, parent, name, description, replace > 0, &why);
	return r < 0 ? refuse_directory(client, job, r, why) : STATUS_DONE;
}

static int describe(const struct rebuild_job *job, const struct rebuild *rebuild, char **ret)
{
	const struct layout_json layout = {
		.size = job->layout->size,
		.sha256 = rebuild->image_sha256,
		.effective_size = job->layout->effective_size,
		.project = job->layout->facts.project,
		.version = job->layout->facts.version,
		.platform = job->layout->platform,
		.cfg_file = rebuild->cfg_file,
		.cfg_sha256 = rebuild->cfg_sha256,
		.pieces = rebuild->pieces,
		.n_pieces = rebuild->n_pieces,
	};

	return layout_json_to_text(&layout, ret);
}

static int rebuild_make(struct client *client, struct rebuild_job *job)
{
	_cleanup_(rebuild_freep) struct rebuild *rebuild = NULL;
	_cleanup_free_ char *description = NULL;
	struct rebuild_view view;
	int r = layout_new(job->image.data, job->image.size, &job->layout);

	if (r >= 0)
		r = health_check(job->layout, NULL, &job->health);
	if (r < 0)
		return client_status(client, r);
	if (!health_can_rebuild(job->health) && !job->force)
		return refuse_health(client, job);
	r = rebuild_new(job->layout, job->names, &rebuild);
	if (r >= 0)
		r = describe(job, rebuild, &description);
	if (r < 0)
		return client_status(client, r);
	r = write_set(client, job, rebuild, description);
	if (r != STATUS_DONE)
		return r;
	view = (struct rebuild_view){
		job->directory, description, job->layout, rebuild, job->health,
	};
	r = rebuild_view_print(client, &view);
	if (!client->quiet)
		rebuild_view_print_failures(client, job->health, HEALTH_ERROR);
	return client_status(client, r);
}

static int rebuild_run(struct client *client, struct arguments *arguments)
{
	_cleanup_(rebuild_job_clear) struct rebuild_job job = { 0 };
	int r;

	if (rebuild_parse(arguments, &job) < 0)
		return arguments->status;
	r = image_file_read(client, job.file, &job.image);
	if (r != STATUS_DONE)
		return r;
	return job.check ? rebuild_check(client, &job) : rebuild_make(client, &job);
}

static const struct verb_option rebuild_options[] = {
	{ "output", KEY_OUTPUT, "DIR", "where to (default: firmware beside FILE)" },
	{ "names", KEY_NAMES, "STYLE", "standard (the default), or extractor: FILE_01_mtk, …" },
	{ "check", KEY_CHECK, NULL, "write nothing; prove that DIR holds all of FILE" },
	{ "force", KEY_FORCE, NULL, "even of an image that is too damaged" },
	{ 0 },
};

const struct verb verb_rebuild = {
	.name = "rebuild",
	.group = "Images",
	.host = HOST_REFUSED,
	.arguments = "FILE",
	.summary = "firmware files and .cfg from a flash image",
	.details =
		"Needs no daemon. The files and what is left over are the image, byte for byte;\n"
		"layout.json says where each belongs. An older set in DIR is replaced, a "
		"directory\nwith anything else in it is not touched.",
	.options = rebuild_options,
	.run = rebuild_run,
};
