/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/backup-manifest.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"

/* A slot may have any name; an id only has characters that are good in a path. */
static char *make_id(const struct backup_result *result)
{
	_cleanup_free_ char *place = NULL;
	char created[TIME_TEXT_SIZE];

	place = strdup(session_meid(result->session) ? session_meid(result->session)
						     : result->read->slot);
	if (!place)
		return NULL;
	for (char *c = place; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
			*c = '-';
	return str_format("%s-%s-%s-%" PRId64, time_format_compact(result->read->created, created),
			  result->session->chip, place, result->read->job);
}

static int fill_ranges(const struct backup_result *result, struct manifest *manifest)
{
	const struct staging *staging = result->staging;
	size_t n = staging->state.n_ranges;

	manifest->read.ranges = calloc(n, sizeof(*manifest->read.ranges));
	if (!manifest->read.ranges)
		return -ENOMEM;
	manifest->read.n_ranges = n;
	for (size_t i = 0; i < n; i++) {
		struct manifest_range *range = &manifest->read.ranges[i];

		range->start = staging->state.ranges[i].start;
		range->length = staging->state.ranges[i].length;
		memcpy(range->sha256, staging->images[i].sha256, sizeof(range->sha256));
		if (str_replace(&range->name, staging->state.ranges[i].name) < 0 ||
		    str_replace(&range->file, staging->state.ranges[i].name) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int fill_labels(const struct job_request *request, struct manifest *manifest)
{
	manifest->labels = calloc(request->n_labels + 1, sizeof(*manifest->labels));
	if (!manifest->labels)
		return -ENOMEM;
	for (; manifest->n_labels < request->n_labels; manifest->n_labels++) {
		const struct label *from = &request->labels[manifest->n_labels];
		struct label *to = &manifest->labels[manifest->n_labels];

		to->key = strdup(from->key);
		to->value = strdup(from->value);
		if (!to->key || !to->value)
			return -ENOMEM;
	}
	return 0;
}

static int fill_watch(const struct backup_result *result, struct manifest *manifest)
{
	const struct brom_identity *identity = &result->session->identity;
	const struct evidence_list *evidence = &result->staging->state.evidence;
	struct evidence_list copy = { 0 };
	char hex[2 * DA_REPORT_JEDEC + 1];
	int r = 0;

	if (result->jedec) {
		hex_encode(result->jedec, DA_REPORT_JEDEC, hex);
		r = str_replace(&manifest->watch.jedec, hex);
	}
	manifest->watch.hw_code = identity->hw_code;
	manifest->watch.hw_version = identity->hw_version;
	manifest->watch.sw_version = identity->sw_version;
	manifest->watch.flash_size = result->staging->state.flash_size;
	for (size_t i = 0; r >= 0 && i < evidence->n; i++)
		r = evidence_add(&copy, evidence->items[i].source, evidence->items[i].size, "%s",
				 evidence->items[i].text);
	manifest->watch.evidence = copy.items;
	manifest->watch.n_evidence = copy.n;
	if (r < 0 || str_replace(&manifest->watch.chip, result->session->chip) < 0)
		return -ENOMEM;
	return str_replace(&manifest->watch.meid, session_meid(result->session));
}

static int fill_firmware(const struct firmware *firmware, struct manifest *manifest)
{
	char buf[FLASH_FACTS_FIRMWARE_SIZE];
	const char *id =
		firmware->layout ? flash_facts_firmware(&firmware->layout->facts, buf) : NULL;

	manifest->health = firmware->examined ? (int64_t)firmware->score : -1;
	manifest->coverage.firmware = firmware->coverage.firmware;
	manifest->coverage.digest = firmware->coverage.digest;
	manifest->coverage.structure = firmware->coverage.structure;
	manifest->coverage.unproven = firmware->coverage.unproven;
	manifest->rebuild.tried = firmware->tried;
	manifest->rebuild.ok = firmware->rebuilt;
	if (str_replace(&manifest->watch.firmware, id) < 0)
		return -ENOMEM;
	return str_replace(&manifest->rebuild.detail, firmware->detail);
}

int backup_manifest_fill(const struct backup_result *result, struct manifest *ret)
{
	int r = fill_watch(result, ret);

	if (r >= 0)
		r = fill_ranges(result, ret);
	if (r >= 0)
		r = fill_labels(&result->read->request, ret);
	if (r < 0)
		return r;
	ret->id = make_id(result);
	ret->created = result->read->created;
	ret->read.seconds = result->seconds;
	ret->read.retries = result->retries;
	ret->read.resumed = result->staging->resumed;
	ret->read.verify_bytes = result->verify_bytes;
	ret->read.verify_ok = !streq(result->verify_mode, "none");
	r = fill_firmware(result->firmware, ret);
	if (r < 0)
		return r;
	ret->job = result->read->job;
	if (!ret->id || str_replace(&ret->tool_version, MTKRB_VERSION) < 0 ||
	    str_replace(&ret->read.method, result->session->flash->class->method) < 0 ||
	    str_replace(&ret->read.verify_mode, result->verify_mode) < 0)
		return -ENOMEM;
	return str_replace(&ret->slot, result->read->slot);
}
