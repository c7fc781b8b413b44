/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/doctor/internal.h"
#include "protocol/base/strings.h"

#define GROUPS_MAX 256U

static bool is_mediatek_port(const struct doctor_usb *usb, const char *path)
{
	const char *name = strafter(path, "/dev/");

	for (size_t i = 0; name && i < usb->n_ports; i++)
		if (streq(usb->ports[i].name, name))
			return true;
	return false;
}

/* The first serial port of USB that a process has open, NULL when there is none. */
static char *find_held(const char *root, int pid, const struct doctor_usb *usb, bool *blind)
{
	_cleanup_directory_ DIR *directory = doctor_open_directory(root, "/proc/%d/fd", pid);
	struct dirent *entry;

	if (!directory && (errno == EACCES || errno == EPERM))
		*blind = true;
	while (directory && (entry = readdir(directory))) {
		_cleanup_free_ char *target =
			doctor_read_link(root, "/proc/%d/fd/%s", pid, entry->d_name);

		if (target && is_mediatek_port(usb, target))
			return TAKE_PTR(target);
	}
	return NULL;
}

static int add_process(struct doctor_processes *processes, int pid, const char *name, char *holds)
{
	struct doctor_process *grown =
		reallocarray(processes->items, processes->n + 1, sizeof(*grown));

	if (!grown) {
		free(holds);
		return -ENOMEM;
	}
	processes->items = grown;
	grown[processes->n] = (struct doctor_process){ .pid = pid, .holds = holds };
	(void)snprintf(grown[processes->n].name, sizeof(grown[processes->n].name), "%s", name);
	processes->n++;
	return 0;
}

static int read_process(const char *root, int pid, const struct doctor_usb *usb,
			struct doctor_processes *processes)
{
	_cleanup_free_ char *name = doctor_read_line(root, "/proc/%d/comm", pid);
	_cleanup_free_ char *holds = NULL;

	if (!name)
		return 0;
	/* The name is cut to 15 bytes, so the worker's is whole. */
	if (streq(name, "mtkrbd"))
		processes->daemon = pid;
	if (strafter(name, "mtkrbd"))
		return 0;
	if (usb->n_ports > 0)
		holds = find_held(root, pid, usb, &processes->blind);
	if (!holds && !streq(name, "ModemManager") && !streq(name, "brltty"))
		return 0;
	return add_process(processes, pid, name, TAKE_PTR(holds));
}

int doctor_processes_read(const char *root, const struct doctor_usb *usb,
			  struct doctor_processes *ret)
{
	_cleanup_directory_ DIR *directory = doctor_open_directory(root, "/proc");
	struct doctor_processes processes = { 0 };
	struct dirent *entry;
	int64_t pid;
	int r = 0;

	while (directory && r >= 0 && (entry = readdir(directory)))
		if (parse_int(entry->d_name, 1, INT_MAX, &pid) >= 0)
			r = read_process(root, (int)pid, usb, &processes);
	if (r < 0)
		doctor_processes_clear(&processes);
	else
		*ret = processes;
	return r;
}

void doctor_processes_clear(struct doctor_processes *processes)
{
	for (size_t i = 0; i < processes->n; i++)
		free(processes->items[i].holds);
	free(processes->items);
	*processes = (struct doctor_processes){ 0 };
}

const struct doctor_process *doctor_processes_find(const struct doctor_processes *processes,
						   const char *name)
{
	for (size_t i = 0; i < processes->n; i++)
		if (streq(processes->items[i].name, name))
			return &processes->items[i];
	return NULL;
}

/* ---- Rights ---- */

struct identity {
	uid_t user;
	gid_t groups[GROUPS_MAX];
	size_t n_groups;
};

/* Numbers behind a key of /proc/PID/status: "Groups:\t4 20 ". */
static size_t read_status_numbers(const char *status, const char *key, unsigned int *ret,
				  size_t max)
{
	const char *at = strstr(status, key);
	size_t n = 0;

	if (!at)
		return 0;
	at += strlen(key);
	while (n < max) {
		while (*at == ' ' || *at == '\t')
			at++;
		if (!isdigit((unsigned char)*at))
			break;
		ret[n++] = (unsigned int)strtoul(at, (char **)&at, 10);
	}
	return n;
}

/* Effective user, effective and further groups. */
static bool read_identity(const char *root, int pid, struct identity *ret)
{
	_cleanup_free_ char *status = doctor_read_text(root, "/proc/%d/status", pid);
	unsigned int ids[4];

	if (!status || read_status_numbers(status, "\nUid:", ids, 4) < 2)
		return false;
	ret->user = ids[1];
	if (read_status_numbers(status, "\nGid:", ids, 4) < 2)
		return false;
	ret->n_groups = read_status_numbers(status, "\nGroups:", ret->groups, GROUPS_MAX - 1);
	ret->groups[ret->n_groups++] = ids[1];
	return true;
}

static bool in_group(const struct identity *identity, gid_t group)
{
	for (size_t i = 0; i < identity->n_groups; i++)
		if (identity->groups[i] == group)
			return true;
	return false;
}

bool doctor_may_open(const char *root, int pid, const char *path)
{
	_cleanup_free_ char *full = str_format("%s%s", root, path);
	struct identity identity = { 0 };
	struct stat status;
	unsigned int bits;

	if (!full || stat(full, &status) < 0)
		return true;
	if (pid == 0)
		return access(full, R_OK | W_OK) == 0;
	if (!read_identity(root, pid, &identity) || identity.user == 0)
		return true;
	if (status.st_uid == identity.user)
		bits = status.st_mode >> 6;
	else if (in_group(&identity, status.st_gid))
		bits = status.st_mode >> 3;
	else
		bits = status.st_mode;
	return (bits & 6) == 6;
}
