/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/firmware.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

#include "protocol/base/strings.h"
#include "protocol/control/layout-json.h"
#include "protocol/firmware/layout.h"
#include "protocol/firmware/rebuild.h"

#define FLASH_BYTES_MIN (512U << 10) /* no watch has a smaller one */
#define JEDEC_SIZE      3U
#define FREE_RESERVE    (4U << 20) /* for the papers, and for what else the state directory needs */

void firmware_clear(struct firmware *firmware)
{
	free(firmware->health);
	free(firmware->detail);
	free(firmware->sums);
	health_report_free(firmware->report);
	layout_free(firmware->layout);
	if (firmware->image)
		(void)munmap((void *)firmware->image, firmware->image_size);
	*firmware = (struct firmware){ 0 };
}

/* ---- Health ---- */

static void print_failures(FILE *out, const struct health_report *report)
{
	for (size_t i = 0; i < report->n_checks; i++) {
		const struct health_check *check = &report->checks[i];

		if (check->outcome != HEALTH_FAIL)
			continue;
		fprintf(out, "  %-10s %s%s%s: %s\n", health_severity_to_string(check->severity),
			check->name, check->part ? ", " : "", check->part ? check->part : "",
			check->text);
		if (check->hint)
			fprintf(out, "             %s\n", check->hint);
	}
}

static char *describe_health(const struct health_report *report)
{
	_cleanup_free_ char *summary = health_summary(report);
	char *text = NULL;
	size_t size = 0;
	FILE *out = summary ? open_memstream(&text, &size) : NULL;

	if (!out)
		return NULL;
	fprintf(out, "  score      %u %%\n  coverage   %s\n", report->score, summary);
	print_failures(out, report);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* The first thing that keeps files from being made, as one sentence. */
static char *describe_fatal(const struct health_report *report)
{
	for (size_t i = 0; i < report->n_checks; i++) {
		const struct health_check *check = &report->checks[i];

		if (check->outcome == HEALTH_FAIL && check->severity == HEALTH_FATAL)
			return str_format("no firmware files can be made of the image: %s",
					  check->text);
	}
	return NULL;
}

/* ---- The set ---- */

static int describe_set(const struct layout *layout, const struct rebuild *rebuild, char **ret)
{
	const struct layout_json description = {
		.size = layout->size,
		.sha256 = rebuild->image_sha256,
		.effective_size = layout->effective_size,
		.project = layout->facts.project,
		.version = layout->facts.version,
		.platform = layout->platform,
		.cfg_file = rebuild->cfg_file,
		.cfg_sha256 = rebuild->cfg_file ? rebuild->cfg_sha256 : NULL,
		.pieces = rebuild->pieces,
		.n_pieces = rebuild->n_pieces,
	};

	return layout_json_to_text(&description, ret);
}

/* The digests were compared with what lies on the disk when it was written. */
static int list_sums(const struct rebuild *rebuild, const char *description, char **ret)
{
	char sha256[DIGEST_HEX_SIZE];
	size_t size = 0;
	FILE *out;
	int r = digest_memory(description, strlen(description), sha256);

	if (r < 0)
		return r;
	out = open_memstream(ret, &size);
	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < rebuild->n_pieces; i++)
		if (rebuild->pieces[i].content == IMAGE_PIECE_FILE)
			fprintf(out, "%s  " FIRMWARE_DIRECTORY "/%s\n", rebuild->pieces[i].sha256,
				rebuild->pieces[i].file);
	if (rebuild->cfg_file)
		fprintf(out, "%s  " FIRMWARE_DIRECTORY "/%s\n", rebuild->cfg_sha256,
			rebuild->cfg_file);
	fprintf(out, "%s  " FIRMWARE_DIRECTORY "/" REBUILD_DESCRIPTION "\n", sha256);
	return fclose(out) != 0 ? -ENOMEM : 0;
}

/* The set takes as much room as the image did. */
static int check_space(int dir, uint64_t size)
{
	struct statvfs status;

	if (fstatvfs(dir, &status) < 0)
		return -errno;
	return (uint64_t)status.f_bavail * status.f_frsize >= size + FREE_RESERVE ? 0 : -ENOSPC;
}

static int write_set(int dir, const struct layout *layout, struct firmware *firmware,
		     char **ret_why)
{
	_cleanup_(rebuild_freep) struct rebuild *rebuild = NULL;
	_cleanup_free_ char *description = NULL;
	int r = check_space(dir, layout->size);

	if (r >= 0)
		r = rebuild_new(layout, REBUILD_NAMES_STANDARD, &rebuild);
	if (r >= 0)
		r = describe_set(layout, rebuild, &description);
	if (r >= 0)
		r = list_sums(rebuild, description, &firmware->sums);
	if (r >= 0)
		r = rebuild_write(rebuild, layout, dir, FIRMWARE_DIRECTORY, description, false,
				  ret_why);
	if (r < 0)
		return r;
	firmware->detail = str_format(
		"%zu files for the flasher, platform %s, %zu flash parts%s%s", rebuild->n_parts,
		*rebuild->cfg.platform ? rebuild->cfg.platform : "not told", rebuild->cfg.n_flashes,
		rebuild->no_flashes ? ": " : "", rebuild->no_flashes ? rebuild->no_flashes : "");
	return 0;
}

static void make_set(int dir, const struct layout *layout, const struct health_report *report,
		     struct firmware *firmware)
{
	_cleanup_free_ char *why = NULL;
	int r;

	if (!health_can_rebuild(report)) {
		firmware->detail = describe_fatal(report);
		return;
	}
	r = write_set(dir, layout, firmware, &why);
	firmware->rebuilt = r >= 0;
	if (r >= 0)
		return;
	free(TAKE_PTR(firmware->sums));
	file_set_remove(dir, FIRMWARE_DIRECTORY);
	firmware->detail =
		str_format("the firmware files could not be written: %s", why ? why : strerror(-r));
}

/* ---- All of it ---- */

/*
 * Where the size of the flash is not known, the firmware's own word is what there is. Without that
 * too, what is as large as a flash can be is looked at.
 */
static bool covers_flash(const struct layout *layout, uint64_t flash_size)
{
	uint64_t needed = flash_size > 0 ? flash_size : layout_needed_size(layout);

	return layout->size >= (needed > 0 ? needed : FLASH_BYTES_MIN);
}

static int examine(const struct staging *staging, const uint8_t *jedec, bool rebuild,
		   struct firmware *firmware)
{
	const struct health_options options = { .chip_id = jedec, .chip_id_length = JEDEC_SIZE };
	int r = layout_new(firmware->image, firmware->image_size, &firmware->layout);

	if (r < 0)
		return r;
	if (!covers_flash(firmware->layout, staging->state.flash_size))
		return 0;
	r = health_check(firmware->layout, &options, &firmware->report);
	if (r < 0)
		return r;
	firmware->examined = true;
	firmware->score = firmware->report->score;
	firmware->coverage = firmware->report->coverage;
	firmware->health = describe_health(firmware->report);
	firmware->tried = rebuild;
	if (rebuild)
		make_set(staging->dir, firmware->layout, firmware->report, firmware);
	return 0;
}

/* Of the ranges that begin at 0 the longest; NULL: none does. */
static const struct state_range *find_whole(const struct staging *staging, size_t *ret_index)
{
	const struct state_range *whole = NULL;

	for (size_t i = 0; i < staging->state.n_ranges; i++) {
		const struct state_range *range = &staging->state.ranges[i];

		if (range->start == 0 && range->length > (whole ? whole->length : 0)) {
			whole = range;
			*ret_index = i;
		}
	}
	return whole;
}

void firmware_make(const struct staging *staging, const uint8_t *jedec, bool rebuild,
		   struct firmware *ret)
{
	size_t index = 0;
	const struct state_range *range = find_whole(staging, &index);
	struct firmware firmware = { 0 };
	void *image;
	int r = file_set_remove(staging->dir, FIRMWARE_DIRECTORY);

	if (range && r >= 0) {
		image = mmap(NULL, range->length, PROT_READ, MAP_SHARED, staging->images[index].fd,
			     0);
		if (image == MAP_FAILED) {
			r = -errno;
		} else {
			firmware.image = image;
			firmware.image_size = range->length;
			r = examine(staging, jedec, rebuild, &firmware);
		}
	}
	if (range && r < 0) {
		firmware.tried = rebuild;
		firmware.rebuilt = false;
		free(firmware.detail);
		firmware.detail =
			str_format("the image could not be looked through: %s", strerror(-r));
	}
	*ret = firmware;
}
