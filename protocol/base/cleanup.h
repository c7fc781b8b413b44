/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The one cleanup style of the project: a local that owns something says so where it is declared,
 * and gives it away with TAKE_PTR or TAKE_FD. Function attributes live here too.
 */

#include <stddef.h>
#include <stdlib.h>

#define _cleanup_(f)	 __attribute__((cleanup(f)))
#define _must_check_	 __attribute__((warn_unused_result))
#define _printf_(a, b)	 __attribute__((format(printf, a, b)))
#define _noreturn_	 __attribute__((noreturn))
#define _unused_	 __attribute__((unused))

#define ARRAY_SIZE(a)	 (sizeof(a) / sizeof((a)[0]))
#define MIN_OF(a, b)	 ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b)	 ((a) > (b) ? (a) : (b))

#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		__typeof__(p) _taken = (p);                                                        \
		(p) = NULL;                                                                        \
		_taken;                                                                            \
	})

/* The same for a whole structure, which is then as if it had just been made. */
#define TAKE_STRUCT(s)                                                                             \
	({                                                                                         \
		__typeof__(s) _taken = (s);                                                        \
		(s) = (__typeof__(s)){ 0 };                                                        \
		_taken;                                                                            \
	})

#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int _taken = (fd);                                                                 \
		(fd) = -1;                                                                         \
		_taken;                                                                            \
	})

/* Defines func##p() for _cleanup_(): calls func on the variable's value unless it is NULL. */
#define DEFINE_CLEANUP(type, func)                                                                 \
	static inline void func##p(type *p)                                                        \
	{                                                                                          \
		if (*p)                                                                            \
			func(*p);                                                                  \
	}                                                                                          \
	struct cleanup_##func##_end

static inline void freep(void *p)
{
	free(*(void **)p);
}
#define _cleanup_free_ _cleanup_(freep)
