/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/sandbox.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/control/limits.h"

#define FILES_MAX  (LIMIT_RANGES + 64U) /* an image of each range, and some */
#define MEMORY_MAX (3U << 30) /* an image of the largest flash and its parts, many times */

static int limit(unsigned int resource, rlim_t value)
{
	struct rlimit old, new = { value, value };

	if (getrlimit(resource, &old) < 0)
		return -errno;
	new.rlim_cur = new.rlim_max = MIN_OF(value, old.rlim_max);
	return setrlimit(resource, &new) < 0 ? -errno : 0;
}

static int limit_resources(void)
{
	static const struct {
		unsigned int resource;
		rlim_t value;
	} limits[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_NPROC, 0 }, /* which root does not heed */
		{ RLIMIT_NOFILE, FILES_MAX },
		{ RLIMIT_FSIZE, LIMIT_READ_BYTES }, /* no paper is larger than an image */
		{ RLIMIT_AS, MEMORY_MAX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		int r = limit(limits[i].resource, limits[i].value);

		if (r < 0)
			return r;
	}
	/* A file that grows too large is an error to tell of, not a crash. */
	return signal(SIGXFSZ, SIG_IGN) == SIG_ERR ? -errno : 0;
}

/* ---- Paths ---- */

/*
 * Kernel headers may be older than the kernel. The numbers are those of linux/landlock.h: rights on
 * files by the version of Landlock that brought them, rights on ports (4), scopes (6).
 */
#define FS_OF_VERSION_1 ((1ULL << 13) - 1)
#define FS_REFER        (1ULL << 13)
#define FS_TRUNCATE     (1ULL << 14)
#define FS_IOCTL_DEV    (1ULL << 15)
#define NET_TCP         3ULL
#define SCOPE_ALL       3ULL

/* struct landlock_ruleset_attr; an older kernel takes it where what it does not know is zero. */
struct ruleset {
	uint64_t fs, net, scoped;
};

#define RIGHTS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RIGHTS_WRITE                                                     \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |  \
	 LANDLOCK_ACCESS_FS_MAKE_REG | FS_TRUNCATE)

/* All that this kernel can refuse; -EOPNOTSUPP when it has no Landlock. */
static int refuse_all(struct ruleset *ret)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	/* EPERM: a container that does not let us ask. */
	if (version < 0)
		return errno == ENOSYS || errno == EPERM ? -EOPNOTSUPP : -errno;
	*ret = (struct ruleset){
		.fs = FS_OF_VERSION_1 | (version >= 2 ? FS_REFER : 0) |
		      (version >= 3 ? FS_TRUNCATE : 0) | (version >= 5 ? FS_IOCTL_DEV : 0),
		.net = version >= 4 ? NET_TCP : 0,
		.scoped = version >= 6 ? SCOPE_ALL : 0,
	};
	return 0;
}

static int allow_below(int ruleset, int directory, uint64_t rights)
{
	const struct landlock_path_beneath_attr rule = {
		.allowed_access = rights,
		.parent_fd = directory,
	};

	if (directory < 0)
		return 0;
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0
		       ? -errno
		       : 0;
}

static int shut_paths(const struct sandbox_paths *paths)
{
	const uint64_t rights = paths->writable ? RIGHTS_READ | RIGHTS_WRITE : RIGHTS_READ;
	_cleanup_close_ int ruleset = -1;
	struct ruleset all;
	int r = refuse_all(&all);

	if (r < 0)
		return r;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (ruleset < 0)
		return -errno;
	r = allow_below(ruleset, paths->directory, rights & all.fs);
	if (r >= 0)
		r = allow_below(ruleset, paths->agents, RIGHTS_READ);
	if (r >= 0)
		r = allow_below(ruleset, paths->twin, RIGHTS_READ);
	if (r >= 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		r = -errno;
	return r;
}

/* ---- System calls ---- */

DEFINE_CLEANUP(scmp_filter_ctx, seccomp_release);

/*
 * What a worker uses between its cage and its end, with the C library's of Debian 12 and 13, and the
 * names by which 32-bit machines know the same.
 */
static const int calls[] = {
	/* files that are open */
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(close),
	SCMP_SYS(lseek),
	SCMP_SYS(_llseek),
	SCMP_SYS(fstat),
	SCMP_SYS(fstat64),
	SCMP_SYS(fstatfs),
	SCMP_SYS(fstatfs64),
	SCMP_SYS(ftruncate),
	SCMP_SYS(ftruncate64),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(sync_file_range),
	SCMP_SYS(sync_file_range2),
	SCMP_SYS(getdents64),
	SCMP_SYS(fadvise64),
	SCMP_SYS(fadvise64_64),
	SCMP_SYS(arm_fadvise64_64),
	/* files by name, where Landlock lets it */
	SCMP_SYS(openat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fstatat64),
	SCMP_SYS(statx),
	SCMP_SYS(mkdirat),
	SCMP_SYS(unlinkat),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	/* the daemon's socket */
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg),
	/* waiting and time */
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(ppoll_time64),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_nanosleep_time64),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_gettime64),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(restart_syscall),
	/* memory */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	/* what the C library does by itself: sorting, locks, abort(), the end */
	SCMP_SYS(sysinfo),
	SCMP_SYS(getrandom),
	SCMP_SYS(futex),
	SCMP_SYS(futex_time64),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigreturn),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	/* a second, narrower cage */
	SCMP_SYS(landlock_create_ruleset),
	SCMP_SYS(landlock_add_rule),
	SCMP_SYS(landlock_restrict_self),
};

/* What the transport asks of a line; above all not TIOCSTI, which types into a terminal. */
static const uint32_t requests[] = {
	TCGETS,  TCSETS,  TCFLSH, TIOCOUTQ, TIOCGPTN, TIOCNXCL,
#ifdef TCGETS2
	TCGETS2, TCSETS2, /* tcgetattr() and tcsetattr() since glibc 2.42 */
#endif
};

/* Not F_SETOWN, with which the kernel sends signals in our name. */
static const uint32_t commands[] = { F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC };

/* A call that this machine does not have needs no rule. */
static int allow(scmp_filter_ctx filter, int call, unsigned int n, struct scmp_arg_cmp condition)
{
	int r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, n, &condition);

	return r == -EDOM ? 0 : r;
}

/* Allows call where its argument, of which the kernel looks at 32 bits, is one of values. */
static int allow_values(scmp_filter_ctx filter, int call, unsigned int argument,
			const uint32_t *values, size_t n)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = allow(filter, call, 1,
			  SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, UINT32_MAX, values[i]));
	return r;
}

/* This process alone, and only behind others. */
static int allow_to_step_back(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp conditions[] = {
		SCMP_A0_64(SCMP_CMP_MASKED_EQ, UINT32_MAX, PRIO_PROCESS),
		SCMP_A1_64(SCMP_CMP_MASKED_EQ, UINT32_MAX, 0),
		SCMP_A2_64(SCMP_CMP_MASKED_EQ, UINT32_MAX, SANDBOX_NICE),
	};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(setpriority),
				      ARRAY_SIZE(conditions), conditions);
}

static int allow_some(scmp_filter_ctx filter)
{
	static const int mappings[] = { SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect) };
	const uint32_t self = (uint32_t)getpid();
	int r = allow_values(filter, SCMP_SYS(ioctl), 1, requests, ARRAY_SIZE(requests));

	if (r >= 0)
		r = allow_values(filter, SCMP_SYS(fcntl), 1, commands, ARRAY_SIZE(commands));
	if (r >= 0)
		r = allow_values(filter, SCMP_SYS(fcntl64), 1, commands, ARRAY_SIZE(commands));
	if (r >= 0)
		r = allow_values(filter, SCMP_SYS(tgkill), 0, &self, 1);
	if (r >= 0)
		r = allow_to_step_back(filter);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(mappings); i++)
		r = allow(filter, mappings[i], 1, SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return r;
}

static int shut_calls(void)
{
	_cleanup_(seccomp_releasep) scmp_filter_ctx filter = NULL;
	int r = 0;

	/* Level 3 is the first at which a whole process can be killed (Linux 4.14). */
	if (seccomp_api_get() < 3)
		return -EOPNOTSUPP;
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!filter)
		return -ENOMEM;
	r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* A tree instead of a list: reading a flash is millions of calls. */
	if (r >= 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(calls); i++)
		r = allow(filter, calls[i], 0, (struct scmp_arg_cmp){ 0 });
	if (r >= 0)
		r = allow_some(filter);
	return r < 0 ? r : seccomp_load(filter);
}

/* ---- Both ---- */

static bool leave_open(void)
{
#if defined(MTKRB_OPEN_CAGE)
	return true;
#elif defined(MTKRB_TESTS)
	return getenv("UMOCKDEV_DIR") != NULL;
#else
	return false;
#endif
}

/* Notes a part that is missing, which is no reason to stop. */
static int forgive(int r, enum sandbox_part part, unsigned int *missing)
{
	if (r != -EOPNOTSUPP)
		return r;
	*missing |= part;
	return 0;
}

int sandbox_enter(const struct sandbox_paths *paths, unsigned int *ret_missing)
{
	unsigned int missing = 0;
	int r;

	if (leave_open()) {
		*ret_missing = SANDBOX_PATHS | SANDBOX_CALLS;
		return 0;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	r = limit_resources();
	if (r >= 0)
		r = forgive(shut_paths(paths), SANDBOX_PATHS, &missing);
	if (r >= 0)
		r = forgive(shut_calls(), SANDBOX_CALLS, &missing);
	if (r < 0)
		return r;
	*ret_missing = missing;
	return 0;
}

int sandbox_narrow(const struct sandbox_paths *paths)
{
	unsigned int missing = 0;

	return leave_open() ? 0 : forgive(shut_paths(paths), SANDBOX_PATHS, &missing);
}

const char *sandbox_describe(unsigned int parts)
{
	static const char *const words[] = {
		[0] = "nothing",
		[SANDBOX_PATHS] = "Landlock",
		[SANDBOX_CALLS] = "seccomp",
		[SANDBOX_PATHS | SANDBOX_CALLS] = "Landlock and seccomp",
	};

	return words[parts & (SANDBOX_PATHS | SANDBOX_CALLS)];
}
