/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/arguments.h"
#include "client/calls/catalogue.h"
#include "client/client.h"
#include "client/export/export.h"
#include "client/output/print.h"
#include "client/verb.h"
#include "protocol/base/strings.h"
#include "protocol/control/manifest.h"
#include "protocol/control/message.h"

enum export_form {
	EXPORT_FOLDER,
	EXPORT_TAR,
	EXPORT_TAR_ZSTD,
	EXPORT_STREAM,
};

static bool export_ends_with(const char *path, const char *end)
{
	size_t n = strlen(path), m = strlen(end);

	return n > m && streq(path + n - m, end);
}

/* Somebody who names one of these does not want a folder of that name. */
static bool export_is_foreign(const char *path)
{
	static const char *const ends[] = { ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".zip" };
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (export_ends_with(path, ends[i]))
			return stat(path, &st) < 0;
	return false;
}

/* By the name; a folder that is called something.tar is a folder all the same. */
static enum export_form export_form_of(const char *path)
{
	struct stat st;

	if (streq(path, "-"))
		return EXPORT_STREAM;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return EXPORT_FOLDER;
	if (export_ends_with(path, ".tar.zst") || export_ends_with(path, ".tzst"))
		return EXPORT_TAR_ZSTD;
	return export_ends_with(path, ".tar") ? EXPORT_TAR : EXPORT_FOLDER;
}

static int export_tell_json(const struct export_source *source, const char *path)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r = message_build(
		&object, MEMBERS(M_STRING("id", source->backup.id),
				 M_STRING_OPT("path", is_utf8(path, strlen(path)) ? path : NULL),
				 M_INT("files", source->sums.n), M_INT("bytes", source->bytes)));

	return r < 0 ? r : print_json_line(object);
}

static int export_tell(const struct client *client, const struct export_source *source,
		       const char *path)
{
	char bytes[16];

	if (client->json)
		return export_tell_json(source, path);
	if (!client->quiet)
		print_line("%s: %zu files, %s, copied to %s and read back", source->backup.id,
			   source->sums.n, format_bytes(source->bytes, bytes), path);
	return 0;
}

static int export_write(const struct client *client, const struct export_source *sources, size_t n,
			const char *path, struct complaint *complaint)
{
	enum export_form form = export_form_of(path);
	sigset_t before;
	int r = 0;

	if (form == EXPORT_STREAM)
		return export_to_stream(sources, n, STDOUT_FILENO, complaint);
	export_hold_signals(&before);
	if (form != EXPORT_FOLDER)
		r = export_to_tar(sources, n, path, form == EXPORT_TAR_ZSTD, complaint);
	for (size_t i = 0; i < n && r >= 0; i++) {
		if (form == EXPORT_FOLDER)
			r = export_to_folder(&sources[i], path, complaint);
		if (r >= 0)
			r = export_tell(client, &sources[i], path);
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

/* fetched: where backups of another machine lie, NULL for those of this one. */
static int export_find(struct client *client, const char *fetched, const char *id,
		       struct export_source *ret, struct complaint *complaint)
{
	_cleanup_(backup_clear) struct backup backup = { 0 };
	int r = fetched ? STATUS_DONE : catalogue_get(client, id, &backup);

	if (r != STATUS_DONE)
		return r;
	r = fetched ? export_open_fetched(fetched, id, ret, complaint)
		    : export_open(&backup, ret, complaint);
	return r < 0 ? client_complain(client, r, complaint) : STATUS_DONE;
}

static int export_compare_ids(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of their ids, each once: the same set makes the same archive. */
static size_t export_order(char **ids, size_t n)
{
	size_t kept = 0;

	qsort(ids, n, sizeof(*ids), export_compare_ids);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || !streq(ids[i], ids[kept - 1]))
			ids[kept++] = ids[i];
	return kept;
}

static int export_all(struct client *client, const char *fetched, char **ids, size_t n,
		      const char *path)
{
	_cleanup_free_ struct export_source *sources = calloc(n, sizeof(*sources));
	_cleanup_complaint_ struct complaint complaint = { 0 };
	int status = STATUS_DONE, r;
	size_t found = 0;

	if (!sources)
		return client_status(client, -ENOMEM);
	while (status == STATUS_DONE && found < n) {
		status = export_find(client, fetched, ids[found], &sources[found], &complaint);
		found += status == STATUS_DONE;
	}
	if (status == STATUS_DONE) {
		r = export_write(client, sources, n, path, &complaint);
		status = r < 0 ? client_complain(client, r, &complaint) : STATUS_DONE;
	}
	for (size_t i = 0; i < found; i++)
		export_source_clear(&sources[i]);
	return status;
}

/* Known before the long way of the backups, too: what is there is not overwritten. */
static int export_find_room(char *const *ids, size_t n, const char *path,
			    struct complaint *complaint)
{
	if (export_form_of(path) != EXPORT_FOLDER)
		return access(path, F_OK) == 0 ? export_failed(-EEXIST, path, complaint) : 0;
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *place = str_format("%s/%s", path, ids[i]);

		if (!place)
			return -ENOMEM;
		if (access(place, F_OK) == 0)
			return export_failed(-EEXIST, place, complaint);
	}
	return 0;
}

/* From another machine: read where they lie, written here as if they lay here. */
static int export_from_host(struct client *client, char **ids, size_t n, const char *path)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	_cleanup_(export_forgetp) char *fetched = NULL;
	int r = export_find_room(ids, n, path, &complaint);

	if (r >= 0)
		r = export_fetch(client->host, ids, n, &fetched, &complaint);
	return r < 0 ? client_complain(client, r, &complaint)
		     : export_all(client, fetched, ids, n, path);
}

static int export_far(struct client *client, char **ids, size_t n, const char *path)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	sigset_t before;
	int r;

	if (export_form_of(path) == EXPORT_STREAM) {
		r = export_pass(client->host, ids, n, &complaint);
		return r < 0 ? client_complain(client, r, &complaint) : r;
	}
	export_hold_signals(&before);
	r = export_from_host(client, ids, n, path);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

/* Before anything is asked for: what cannot work at all. */
static int export_check(const struct client *client, const char *path)
{
	bool stream = streq(path, "-");

	if (backup_id_is_valid(path)) {
		print_failure(client, "export: where to? %s is a backup", path);
		print_hint(client, "the last word is a folder, a .tar, a .tar.zst, or -");
		return STATUS_USAGE;
	}
	if (export_is_foreign(path)) {
		print_failure(client, "%s: export does not write archives of that kind", path);
		print_hint(client, "name a .tar or a .tar.zst, or compress what - writes");
		return STATUS_USAGE;
	}
	if (stream && (client->json || isatty(STDOUT_FILENO))) {
		print_failure(client, client->json ? "the archive takes standard output: no --json"
						   : "an archive is nothing for a terminal");
		print_hint(client, "name a file that ends with .tar or .tar.zst, or use a pipe");
		return STATUS_USAGE;
	}
	return STATUS_DONE;
}

static int export_run(struct client *client, struct arguments *arguments)
{
	const char *path;
	char **operands;
	size_t n;
	int r;

	if (arguments_only_operands(arguments, 2, SIZE_MAX, &operands, &n) < 0)
		return arguments->status;
	path = operands[n - 1];
	r = export_check(client, path);
	if (r != STATUS_DONE)
		return r;
	n = export_order(operands, n - 1);
	return client->host ? export_far(client, operands, n, path)
			    : export_all(client, NULL, operands, n, path);
}

const struct verb verb_export = {
	.name = "export",
	.group = "Backups",
	.host = HOST_RUNS,
	.arguments = "ID... PATH",
	.summary = "copy whole backups: into a folder, a .tar, a .tar.zst",
	.details = "PATH is a folder, made when missing, in which each backup becomes a folder; or "
		   "a file\n"
		   "that ends with .tar or .tar.zst; or - for a tar on standard output. SHA256SUMS "
		   "goes\n"
		   "along. A folder or file is read back and compared with it before it gets its "
		   "name,\n"
		   "and nothing is ever overwritten; a stream is compared while it is written. The "
		   "same\n"
		   "backups make the same archive.\n"
		   "Backups are read with your own rights: be in the group mtkrb, or root. PATH is "
		   "on\nthis machine with --host, too.",
	.run = export_run,
};
