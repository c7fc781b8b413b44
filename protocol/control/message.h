/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * JSON, and the only place that knows json-c: everyone else sees struct json_object as an opaque
 * reference-counted value. json-c's own getters turn "12abc" into 12 and NaN into a number, so
 * nothing is read but through tables of fields that say what is allowed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

struct json_object;

/* What is wrong with a message, and where: "ranges[2].length", "must be a whole number". */
struct problem {
	char field[128]; /* empty: the message as a whole */
	char reason[160];
};

/* Fills *problem (may be NULL); always returns -EBADMSG, so that a reader can end with it. */
_printf_(3, 4) int problem_set(struct problem *problem, const char *field, const char *format, ...);

/* Puts where it happened before the field that *problem already names: "a" + "b" is "a.b". */
void problem_within(struct problem *problem, const char *member);
/* The same for an element: member "ranges", index 2 is "ranges[2]" before the field. */
void problem_within_element(struct problem *problem, const char *member, size_t index);

/* NULL is allowed in both. */
struct json_object *message_ref(struct json_object *object);
void message_unref(struct json_object *object);
DEFINE_CLEANUP(struct json_object *, message_unref);
#define _cleanup_message_ _cleanup_(message_unrefp)

/*
 * Parses exactly one JSON object of RFC 8259, at most LIMIT_JSON_DEPTH deep, with nothing behind
 * it. Refused beside anything malformed: text that is not UTF-8, NUL in a string, a lone surrogate,
 * a number that is no finite double or (without fraction and exponent) no int64_t, a member that
 * appears twice. -EBADMSG, -ENOMEM. The text needs no NUL at its end.
 */
_must_check_ int message_parse(const char *text, size_t size, struct json_object **ret);

/*
 * A value whose text, JSON that this program has made itself, is known already: it is put into what
 * is made of it as it is. Takes text, which comes from malloc, also on failure. -ENOMEM.
 */
_must_check_ int message_from_own_text(char *text, struct json_object **ret);

/* One line without a newline; the caller frees it. -ENOMEM. */
_must_check_ int message_to_text(struct json_object *object, char **ret);
/* Indented, for people. */
_must_check_ int message_to_pretty_text(struct json_object *object, char **ret);

/* ---- Reading ---- */

enum field_type {
	FIELD_STRING, /* char *: a copy, freed before by what it replaces; min to max bytes long */
	FIELD_BOOL,   /* bool */
	FIELD_INT,    /* int64_t from min to max */
	FIELD_UINT,   /* uint64_t from min to max */
	FIELD_UINT32, /* uint32_t from min to max */
	FIELD_REAL,   /* double from min to max; a whole number is one too */
	FIELD_WORD,   /* enum: the index of one of n_words words */
	FIELD_TIME,   /* uint64_t: RFC 3339 text to microseconds of real time */
	FIELD_OBJECT, /* struct json_object *: a reference to an object of min to max members */
	FIELD_ARRAY,  /* struct json_object *: a reference to an array of min to max elements */
	FIELD_CUSTOM, /* read() decides; it gets the address at offset */
};

#define FIELD_REQUIRED 1U /* absent or null is refused; else it leaves the target as it was */
#define FIELD_CLEAN    2U /* a string with control characters is refused: it ends on a terminal */
#define FIELD_NAME     4U /* a string must be a plain name (is_plain_name), as files may have it */

/* Reads one value of any type into target; -EBADMSG with *problem, field empty for value itself. */
typedef int (*field_reader)(struct json_object *value, void *target, struct problem *problem);

/*
 * min and max both 0 mean: no bound but the type's own; max below min: no upper bound but that.
 */
struct field {
	const char *name;
	enum field_type type;
	size_t offset; /* of the target in the structure */
	unsigned int flags;
	int64_t min;
	int64_t max;
	const char *const *words; /* NULL entries are no words */
	size_t n_words;
	field_reader read;
};

/*
 * Reads object into the structure at target. Strict: unknown members are refused. null is absent.
 * On failure target is partly filled and still the caller's to clear. problem may be NULL.
 * -EBADMSG, -ENOMEM.
 */
_must_check_ int message_read(struct json_object *object, const struct field *fields, size_t n,
			      void *target, struct problem *problem);

/* The same but passes over members it does not know: for replies, which may grow. */
_must_check_ int message_read_known(struct json_object *object, const struct field *fields,
				    size_t n, void *target, struct problem *problem);

/* True when s has no control characters (C0, DEL, C1). */
bool text_is_clean(const char *s);

/* Index of s among n words, -EINVAL when it is none of them. */
_must_check_ int word_find(const char *const *words, size_t n, const char *s);

/* ---- Walking; all results are borrowed from the object ---- */

bool message_is_object(struct json_object *value);
bool message_is_array(struct json_object *value);
/* Elements of an array, 0 for anything else. */
size_t message_length(struct json_object *array);
/* NULL when there is none (or it is null). */
struct json_object *message_at(struct json_object *array, size_t index);
struct json_object *message_member(struct json_object *object, const char *name);
/* NULL when value is not a string. */
const char *message_string(struct json_object *value);
/* -EBADMSG when value is not a whole number. */
_must_check_ int message_int(struct json_object *value, int64_t *ret);

/* Calls visit for each member in order until it returns non-zero, and returns that. */
typedef int (*member_visitor)(const char *name, struct json_object *value, void *userdata);
int message_each(struct json_object *object, member_visitor visit, void *userdata);

/* ---- Building ---- */

enum member_type {
	MEMBER_STRING,
	MEMBER_INT,
	MEMBER_BOOL,
	MEMBER_REAL,
	MEMBER_OBJECT,
	MEMBER_NONE, /* left out */
};

struct member {
	const char *name;
	enum member_type type;
	union {
		const char *string;
		int64_t integer;
		bool boolean;
		double real;
		struct json_object *object;
	};
};

#define M_STRING(n, v) ((struct member){ .name = (n), .type = MEMBER_STRING, .string = (v) })
#define M_INT(n, v)    ((struct member){ .name = (n), .type = MEMBER_INT, .integer = (int64_t)(v) })
#define M_BOOL(n, v)   ((struct member){ .name = (n), .type = MEMBER_BOOL, .boolean = (v) })
#define M_REAL(n, v)   ((struct member){ .name = (n), .type = MEMBER_REAL, .real = (v) })
/* Takes the reference, also when building fails; NULL leaves the member out. */
#define M_OBJECT(n, v) ((struct member){ .name = (n), .type = MEMBER_OBJECT, .object = (v) })
/* Left out when v is NULL, or when the condition does not hold. */
#define M_STRING_OPT(n, v) M_STRING(n, v)
#define M_INT_IF(c, n, v)  ((c) ? M_INT(n, v) : M_NONE)
#define M_REAL_IF(c, n, v) ((c) ? M_REAL(n, v) : M_NONE)
#define M_NONE             ((struct member){ .type = MEMBER_NONE })

#define MEMBERS(...)                            \
	(const struct member[]){ __VA_ARGS__ }, \
		sizeof((const struct member[]){ __VA_ARGS__ }) / sizeof(struct member)

/* A new object: message_build(&object, MEMBERS(M_INT("id", id), M_STRING("path", path))). -ENOMEM,
 * -EINVAL for a real that JSON cannot carry or a string that is not UTF-8. */
_must_check_ int message_build(struct json_object **ret, const struct member *members, size_t n);

/* Adds one member to an object; takes a reference in it also on failure. */
_must_check_ int message_add(struct json_object *object, struct member member);

_must_check_ int message_new_array(struct json_object **ret);
/* Takes element, also on failure; element must not be NULL. */
_must_check_ int message_append(struct json_object *array, struct json_object *element);
_must_check_ int message_append_string(struct json_object *array, const char *s);
_must_check_ int message_append_int(struct json_object *array, int64_t value);
