/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/scatter-ranges.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>

#include "protocol/base/fd.h"
#include "protocol/base/flash-ids.h"
#include "protocol/base/strings.h"
#include "protocol/control/file-ref.h"
#include "protocol/control/limits.h"
#include "protocol/firmware/gfh.h"

#define HINT_OTHER "submit without --scatter, or with the file of this watch's own firmware"

static int refuse(struct failure *failure, const char *what)
{
	failure_set(failure, FAILURE_SCATTER_MISMATCH, HINT_OTHER, "%s", what ?: "out of memory");
	return -EPERM;
}

int scatter_ranges_load(int fd, const char *name, struct scatter **ret, struct failure *failure)
{
	_cleanup_free_ char *text = NULL;
	struct scatter_error error;
	struct stat status;
	int r = fstat(fd, &status) < 0 ? -errno : 0;

	if (r >= 0 && status.st_size > SCATTER_BYTES_MAX)
		r = -EFBIG;
	if (r >= 0) {
		text = malloc((size_t)status.st_size + 1);
		r = text ? fd_pread_all(fd, text, (size_t)status.st_size, 0) : -ENOMEM;
	}
	if (r < 0) {
		failure_set(failure, FAILURE_SCATTER_MISMATCH, NULL, "%s cannot be read: %s", name,
			    strerror(-r));
		return r;
	}
	r = scatter_parse(text, (size_t)status.st_size, ret, &error);
	if (r == -EBADMSG)
		failure_set(failure, FAILURE_SCATTER_MISMATCH,
			    "correct that line, or submit without --scatter", "%s:%u: %s", name,
			    error.line, error.text);
	return r;
}

/* ---- Is it for this watch? ---- */

/* "MT6260A" and "MT6261_Dev" as "MT6260" and "MT6261": tools differ in what they put behind. */
static size_t platform_length(const char *name)
{
	size_t n = strafter(name, "MT") || strafter(name, "mt") ? 2 : 0;

	while (n > 0 && isdigit((unsigned char)name[n]))
		n++;
	return n;
}

/* Firmware for an MT2503 calls itself MT2502, and MT2501 and MT2502 cannot be told apart. */
static bool is_mt250x(const char *name)
{
	return strncasecmp(name, "MT2501", 6) == 0 || strncasecmp(name, "MT2502", 6) == 0 ||
	       strncasecmp(name, "MT2503", 6) == 0;
}

static bool same_platform(const char *platform, const char *chip)
{
	size_t n = platform_length(platform);

	if (is_mt250x(platform) && is_mt250x(chip))
		return true;
	return n > 0 && n == platform_length(chip) && strncasecmp(platform, chip, n) == 0;
}

static bool same_id(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length)
{
	return a_length == b_length && memcmp(a, b, a_length) == 0;
}

static bool scatter_has(const struct scatter *scatter, const uint8_t *id, size_t length)
{
	for (size_t i = 0; i < scatter->n_flashes; i++)
		if (same_id(scatter->flashes[i].id, scatter->flashes[i].id_length, id, length))
			return true;
	return false;
}

static bool facts_have(const struct flash_facts *facts, const uint8_t *id, size_t length)
{
	for (size_t i = 0; i < facts->n_parts; i++)
		if (same_id(facts->parts[i].id, facts->parts[i].id_length, id, length))
			return true;
	return false;
}

/* FlashTool refuses a .cfg whose list is not the firmware's; the order we do not mind. */
static bool same_flashes(const struct scatter *scatter, const struct flash_facts *facts)
{
	for (size_t i = 0; i < scatter->n_flashes; i++)
		if (!facts_have(facts, scatter->flashes[i].id, scatter->flashes[i].id_length))
			return false;
	for (size_t i = 0; i < facts->n_parts; i++)
		if (!scatter_has(scatter, facts->parts[i].id, facts->parts[i].id_length))
			return false;
	return true;
}

static char *list_flashes(const struct scatter *scatter)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; out && i < scatter->n_flashes; i++) {
		char hex[17];

		hex_encode(scatter->flashes[i].id, scatter->flashes[i].id_length, hex);
		fprintf(out, "%s%s", i > 0 ? " " : "", hex);
	}
	return out && fclose(out) == 0 ? text : NULL;
}

static char *list_parts(const struct flash_facts *facts)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; out && i < facts->n_parts; i++) {
		char hex[17];

		hex_encode(facts->parts[i].id, facts->parts[i].id_length, hex);
		fprintf(out, "%s%s", i > 0 ? " " : "", hex);
	}
	return out && fclose(out) == 0 ? text : NULL;
}

static int check_watch(const struct scatter *scatter, const struct scatter_watch *watch,
		       struct failure *failure)
{
	_cleanup_free_ char *what = NULL, *listed = NULL, *built = NULL;
	char words[FLASH_ID_TEXT_SIZE];

	if (scatter->platform && !same_platform(scatter->platform, watch->chip)) {
		what = str_format("the scatter file is for %s, the watch is an %s",
				  scatter->platform, watch->chip);
		return refuse(failure, what);
	}
	if (scatter->n_flashes == 0)
		return 0;
	listed = list_flashes(scatter);
	if (watch->jedec && !scatter_has(scatter, watch->jedec, 3)) {
		what = str_format("the scatter file is for the flash parts %s, the watch has %s",
				  listed ?: "?", flash_id_describe(watch->jedec, 3, words));
		return refuse(failure, what);
	}
	if (watch->facts->n_parts == 0 || same_flashes(scatter, watch->facts))
		return 0;
	built = list_parts(watch->facts);
	what = str_format("the scatter file is for the flash parts %s, the watch's firmware for %s",
			  listed ?: "?", built ?: "?");
	return refuse(failure, what);
}

/* ---- Where is each part? ---- */

struct making {
	const struct scatter *scatter;
	const struct scatter_watch *watch;
	struct range *ranges;
	size_t n;
	struct failure *failure;
};

static bool name_is_taken(const struct making *making, const char *name)
{
	for (size_t i = 0; i < making->n; i++)
		if (streq(making->ranges[i].name, name))
			return true;
	return staging_name_is_reserved(name);
}

/* A name for a file: of plain characters, short, not taken. */
static char *make_name(const struct making *making, const char *wanted)
{
	char name[LIMIT_NAME_BYTES - 4];

	(void)snprintf(name, sizeof(name), "%s", wanted);
	for (char *s = name; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("._+-", *s))
			*s = '_';
	if (*name == '.')
		*name = '_';
	if (!name_is_taken(making, name))
		return strdup(name);
	for (unsigned int i = 2; i <= LIMIT_RANGES + 1; i++) {
		char *numbered = str_format("%s_%u", name, i);

		if (!numbered || !name_is_taken(making, numbered))
			return numbered;
		free(numbered);
	}
	return NULL;
}

static int add_range(struct making *making, const struct scatter_part *part, uint64_t start,
		     uint64_t length)
{
	struct range *grown;
	_cleanup_free_ char *what = NULL;
	char *name;

	if (start >= LIMIT_READ_BYTES || making->n == LIMIT_RANGES ||
	    (length != RANGE_AUTO && length > LIMIT_READ_BYTES - start)) {
		what = str_format("line %u: %s at 0x%" PRIx64 " is beyond what can be read",
				  part->line, part->name, start);
		return refuse(making->failure, what);
	}
	name = make_name(making, scatter_part_base(part));
	grown = name ? reallocarray(making->ranges, making->n + 1, sizeof(*grown)) : NULL;
	if (!grown) {
		free(name);
		return -ENOMEM;
	}
	making->ranges = grown;
	grown[making->n++] = (struct range){ .name = name, .start = start, .length = length };
	return 0;
}

static bool is_boot_loader(uint16_t type)
{
	return type == GFH_FILE_ARM_BL || type == GFH_FILE_ARM_EXT_BL;
}

/* The file with the index-th lowest address among boot loaders, or among the others. */
static const struct flash_fact_file *file_at(const struct flash_facts *facts, bool boot,
					     size_t index)
{
	for (size_t i = 0; i < facts->n_files; i++) {
		size_t below = 0;

		if (is_boot_loader(facts->files[i].type) != boot)
			continue;
		for (size_t j = 0; j < facts->n_files; j++)
			below += is_boot_loader(facts->files[j].type) == boot &&
				 facts->files[j].begin < facts->files[i].begin;
		if (below == index)
			return &facts->files[i];
	}
	return NULL;
}

/* True when the region names the same file further up: some lists repeat themselves. */
static bool is_repeated(const struct scatter *scatter, size_t index)
{
	const struct scatter_part *part = &scatter->parts[index];

	for (size_t i = 0; i < index; i++)
		if (streq_ptr(scatter->parts[i].region, part->region) &&
		    streq(scatter->parts[i].name, part->name))
			return true;
	return false;
}

/* How many other parts of the region stand before this one. */
static size_t place_of(const struct scatter *scatter, size_t index)
{
	size_t place = 0;

	for (size_t i = 0; i < index; i++)
		place += streq_ptr(scatter->parts[i].region, scatter->parts[index].region) &&
			 !is_repeated(scatter, i);
	return place;
}

static int refuse_part(struct making *making, const struct scatter_part *part)
{
	_cleanup_free_ char *what = str_format(
		"line %u: the scatter file names %s in its %s, the watch has no such file (%zu "
		"firmware files were found)",
		part->line, part->name, part->region, making->watch->facts->n_files);

	return refuse(making->failure, what);
}

static int add_area(struct making *making, const struct scatter_part *part, uint64_t begin,
		    uint64_t end)
{
	return end > begin ? add_range(making, part, begin, end - begin)
			   : refuse_part(making, part);
}

/* A part of a .cfg. Those of other regions (GPS module, Linux) are not in this flash. */
static int add_named(struct making *making, size_t index)
{
	const struct scatter_part *part = &making->scatter->parts[index];
	const struct flash_facts *facts = making->watch->facts;
	const bool boot = scatter_part_in(part, "boot_region");
	const struct flash_fact_file *file;

	if (is_repeated(making->scatter, index))
		return 0;
	if (scatter_part_in(part, "control_block_region"))
		return add_area(making, part, facts->control_begin, facts->control_end);
	if (scatter_part_in(part, "file_system_region"))
		return add_area(making, part, facts->user_begin, facts->user_end);
	if (!boot && !scatter_part_in(part, "main_region"))
		return 0;
	file = file_at(facts, boot, place_of(making->scatter, index));
	return file ? add_area(making, part, file->begin, file->end) : refuse_part(making, part);
}

void scatter_ranges_free(struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(ranges[i].name);
	free(ranges);
}

static int add_all(struct making *making)
{
	const struct scatter *scatter = making->scatter;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < scatter->n_parts; i++) {
		const struct scatter_part *part = &scatter->parts[i];

		if (scatter->form == SCATTER_CFG)
			r = add_named(making, i);
		else if (part->placed)
			r = add_range(making, part, part->start,
				      part->length > 0 ? part->length : RANGE_AUTO);
	}
	if (r >= 0 && making->n == 0)
		r = refuse(making->failure,
			   "the scatter file names no part that lies in this flash");
	return r;
}

int scatter_ranges_make(const struct scatter *scatter, const struct scatter_watch *watch,
			struct range **ret, size_t *ret_n, struct failure *failure)
{
	struct making making = { .scatter = scatter, .watch = watch, .failure = failure };
	int r = check_watch(scatter, watch, failure);

	if (r >= 0)
		r = add_all(&making);
	if (r < 0) {
		scatter_ranges_free(making.ranges, making.n);
		return r;
	}
	*ret = making.ranges;
	*ret_n = making.n;
	return 0;
}

/* True for the one range that a request has which names none. */
static bool is_default(const struct job_request *request)
{
	return request->n_ranges == 1 && streq(request->ranges[0].name, "ROM_0") &&
	       request->ranges[0].start == 0 && request->ranges[0].length == RANGE_AUTO;
}

static const char *scatter_name(const struct job_request *request)
{
	const char *name = NULL;
	size_t index;

	if (file_ref_parse(request->scatter, &index, &name) < 0 || !name)
		return "the scatter file";
	return name;
}

int scatter_ranges_use(int fd, const struct job_request *request, const struct scatter_watch *watch,
		       struct staging *staging, struct failure *failure)
{
	_cleanup_(scatter_freep) struct scatter *scatter = NULL;
	struct range *ranges = NULL;
	size_t n = 0;
	int r;

	if (!is_default(request)) {
		failure_set(failure, FAILURE_SCATTER_MISMATCH, "give one of the two",
			    "ranges and a scatter file do not go together");
		return -EINVAL;
	}
	r = scatter_ranges_load(fd, scatter_name(request), &scatter, failure);
	if (r >= 0)
		r = scatter_ranges_make(scatter, watch, &ranges, &n, failure);
	if (r >= 0)
		r = staging_replace_ranges(staging, ranges, n);
	scatter_ranges_free(ranges, n);
	return r;
}
