/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/calls/ssh.h"
#include "client/export/export.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

#define OPEN_FOLDERS 8 /* that nftw may have open at once */

/* What the machine there is to run; its words are borrowed. NULL: no memory. */
static const char **command_of(char *const *ids, size_t n)
{
	static const char *const begin[] = { "mtkrbctl", "export", "--" };
	const char **argv = calloc(ARRAY_SIZE(begin) + n + 2, sizeof(*argv));

	if (!argv)
		return NULL;
	memcpy(argv, begin, sizeof(begin));
	memcpy(argv + ARRAY_SIZE(begin), ids, n * sizeof(*ids));
	argv[ARRAY_SIZE(begin) + n] = "-";
	return argv;
}

int export_pass(const char *host, char *const *ids, size_t n, struct complaint *complaint)
{
	_cleanup_free_ const char **argv = command_of(ids, n);

	return argv ? ssh_run(host, argv, complaint) : -ENOMEM;
}

/* How it ended there says more than what did not come. */
static int end(const char *host, pid_t pid, int r, struct complaint *complaint)
{
	int status = ssh_wait(pid, host, complaint);

	if (status < 0)
		return status;
	if (status > 0)
		return complaint_set(complaint,
				     status <= STATUS_REFUSED ? (enum exit_status)status
							      : STATUS_FAILED,
				     NULL, "%s did not send all of it: it says why above", host);
	if (r < 0)
		return complaint_set(complaint, STATUS_FAILED,
				     "a login there that prints anything by itself spoils it",
				     "what came from %s is no archive of backups", host);
	return 0;
}

static int fetch(const char *host, const char *const *argv, const char *folder,
		 struct complaint *complaint)
{
	_cleanup_close_ int place = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int fd = -1;
	pid_t pid;
	int r;

	if (place < 0)
		return export_failed(-errno, folder, complaint);
	r = ssh_start(host, argv, &pid, &fd, complaint);
	if (r < 0)
		return r;
	r = export_unpack(fd, place, complaint);
	if (r >= 0 || r == -EBADMSG)
		return end(host, pid, r, complaint);
	ssh_stop(pid);
	return r == -ECANCELED ? r : export_failed(r, folder, complaint);
}

int export_fetch(const char *host, char *const *ids, size_t n, char **ret_folder,
		 struct complaint *complaint)
{
	const char *parent = getenv("TMPDIR");
	_cleanup_free_ const char **argv = command_of(ids, n);
	_cleanup_free_ char *name =
		str_format("%s/mtkrbctl-XXXXXX", parent && *parent ? parent : "/var/tmp");
	_cleanup_(export_forgetp) char *folder = NULL;
	int r;

	if (!argv || !name)
		return -ENOMEM;
	if (!mkdtemp(name))
		return export_failed(-errno, name, complaint);
	folder = TAKE_PTR(name);
	r = fetch(host, argv, folder, complaint);
	if (r < 0)
		return r;
	*ret_folder = TAKE_PTR(folder);
	return 0;
}

int export_open_fetched(const char *folder, const char *id, struct export_source *ret,
			struct complaint *complaint)
{
	struct backup backup = { .id = strdup(id), .path = str_format("%s/%s", folder, id) };
	_cleanup_free_ char *list = str_format("%s/%s/" SUMS_FILE, folder, id);
	struct stat st;

	if (!backup.id || !backup.path || !list) {
		backup_clear(&backup);
		return -ENOMEM;
	}
	/* All files of an export have the time of their backup. */
	if (stat(list, &st) < 0) {
		backup_clear(&backup);
		return complaint_set(complaint, STATUS_FAILED, NULL,
				     "backup %s came without its " SUMS_FILE, id);
	}
	backup.created = (uint64_t)st.st_mtime * USEC_PER_SEC;
	return export_open(&backup, ret, complaint);
}

static int remove_one(const char *path, _unused_ const struct stat *st, _unused_ int kind,
		      _unused_ struct FTW *where)
{
	(void)remove(path);
	return 0;
}

void export_forget(char *folder)
{
	(void)nftw(folder, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
	free(folder);
}
