/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/flash-search.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/worker/flash-evidence.h"
#include "daemon/worker/flash-identity.h"
#include "daemon/worker/scatter-ranges.h"
#include "protocol/base/strings.h"

/* Noted before a probe, so that the next attempt knows which one the watch did not survive. */
static int note_probe(void *userdata, uint64_t address)
{
	struct flash_search *search = userdata;
	int r;

	if (search->staging->state.probing == address)
		return 0;
	search->staging->state.probing = address;
	r = staging_save_state(search->staging);
	if (r < 0)
		search->file_error = r;
	return r;
}

/* End of everything wanted, 0 when one range goes up to the flash's end. */
static uint64_t wanted_end(const struct staging_state *state)
{
	uint64_t end = 0;

	for (size_t i = 0; i < state->n_ranges; i++) {
		if (state->ranges[i].asked == RANGE_AUTO)
			return 0;
		end = MAX_OF(end, state->ranges[i].start + state->ranges[i].asked);
	}
	return end;
}

static int explain_gathering(struct flash_search *search, int error)
{
	if (search->file_error < 0)
		return staging_explain(search->file_error, STAGING_STATE_FILE, search->failure);
	if (error == -EHOSTDOWN && search->staging->state.probing > 0) {
		failure_set(search->failure, FAILURE_DEVICE_LOST,
			    "unplug the watch and plug it in again; the job goes on without asking "
			    "there",
			    "the watch stopped answering when it was asked for 0x%" PRIx64
			    ", maybe past the end of its flash",
			    search->staging->state.probing);
		return error;
	}
	if (error == -EIO && search->session->agent && da_session_code(search->session->agent))
		return session_explain_refusal(search->session, error, search->failure);
	if (error == -EIO && session_is_secured(search->session))
		return session_explain(search->session, -EREMOTEIO, "reading the flash",
				       search->failure);
	if (error == -EIO) {
		failure_set(search->failure, FAILURE_READ_FAILED, NULL,
			    "the first 512 KiB of the flash cannot be read");
		return error;
	}
	return session_explain(search->session, error, "looking for the size of the flash",
			       search->failure);
}

static int refuse_size(struct flash_search *search, const char *hint, const char *why)
{
	_cleanup_free_ char *evidence = evidence_to_line(&search->staging->state.evidence);

	failure_set(search->failure, FAILURE_SIZE_MISMATCH, hint, "%s: %s", why,
		    evidence ? evidence : "out of memory");
	return -ERANGE;
}

/* Every range gets its length, and none may reach behind the flash's end where that is known. */
static int resolve_ranges(struct flash_search *search, const struct flash_evidence *evidence)
{
	struct staging_state *state = &search->staging->state;
	uint64_t size = evidence->verdict == FLASH_SIZE_AGREED ? evidence->size : 0;

	for (size_t i = 0; i < state->n_ranges; i++) {
		struct state_range *range = &state->ranges[i];
		_cleanup_free_ char *why = NULL;

		if (range->asked != RANGE_AUTO)
			range->length = range->asked;
		else if (size > range->start)
			range->length = size - range->start;
		if (range->length == 0)
			why = str_format("%s begins at 0x%" PRIx64 ", the flash ends at 0x%" PRIx64,
					 range->name, range->start, size);
		else if (size > 0 && search->session->agent && range->start + range->length > size)
			why = str_format("%s ends at 0x%" PRIx64 ", the flash at 0x%" PRIx64,
					 range->name, range->start + range->length, size);
		else if (evidence->alias.size > 0 &&
			 range->start + range->length > evidence->alias.size)
			why = str_format("%s ends at 0x%" PRIx64 ", but the flash repeats itself "
					 "from 0x%" PRIx64,
					 range->name, range->start + range->length,
					 evidence->alias.size);
		else
			continue;
		return refuse_size(search, "--length=auto reads up to the flash's end",
				   why ? why : "out of memory");
	}
	return 0;
}

/* What the agent found, where there is one. */
static const struct flash_report *get_report(const struct session *session,
					     struct flash_report *report)
{
	uint8_t jedec[DA_REPORT_JEDEC];

	if (!session->agent)
		return NULL;
	*report = (struct flash_report){ .size = da_session_report(session->agent)->nor.size };
	if (session_jedec(session, jedec)) {
		report->part_size = flash_part_size(jedec);
		hex_encode(jedec, sizeof(jedec), report->id);
	}
	return report;
}

const uint8_t *flash_search_jedec(const struct staging_state *state, const struct session *session,
				  uint8_t buffer[DA_REPORT_JEDEC])
{
	if (state->has_jedec)
		return state->jedec;
	return session_jedec(session, buffer) ? buffer : NULL;
}

/* The ranges that the scatter file means on this watch take the place of the default one. */
static int use_scatter(struct flash_search *search, const struct flash_evidence *evidence)
{
	const struct job_request *request = search->request;
	uint8_t jedec[DA_REPORT_JEDEC];
	struct scatter_watch watch = { .chip = search->session->chip, .facts = &evidence->facts };

	if (!request->scatter)
		return 0;
	watch.jedec = flash_search_jedec(&search->staging->state, search->session, jedec);
	return scatter_ranges_use(search->scatter, request, &watch, search->staging,
				  search->failure);
}

/* Kept, so that an attempt that goes on from here knows it too. */
static int ask_flash(struct flash_search *search, struct flash_evidence *evidence)
{
	struct staging_state *state = &search->staging->state;
	struct sfi_identity identity;
	int r = flash_identity_ask(search->session, &state->evidence, evidence, &identity,
				   search->failure);

	if (r < 0)
		return r;
	state->has_jedec = identity.has_jedec;
	memcpy(state->jedec, identity.jedec, sizeof(state->jedec));
	return 0;
}

int flash_search_run(struct flash_search *search)
{
	_cleanup_free_ struct flash_evidence *evidence = calloc(1, sizeof(*evidence));
	struct staging_state *state = &search->staging->state;
	struct flash_report report;
	struct flash_evidence_query query = {
		.reader = search->session->flash,
		.report = get_report(search->session, &report),
		.end = wanted_end(state),
		.avoid = state->probing,
		.probing = note_probe,
		.userdata = search,
	};
	int r;

	if (!evidence)
		return -ENOMEM;
	/* An earlier attempt may have got as far as to disagree. */
	evidence_clear(&state->evidence);
	state->has_jedec = false;
	r = flash_evidence_gather(&query, evidence);
	if (r < 0)
		return explain_gathering(search, r);
	if (query.report)
		r = flash_size_describe_report(query.report, &state->evidence);
	if (r >= 0)
		r = flash_size_describe(&evidence->facts, &evidence->alias, &state->evidence);
	if (r >= 0 && search->request->identify_flash)
		r = ask_flash(search, evidence);
	if (r >= 0)
		r = use_scatter(search, evidence);
	query.end = wanted_end(state);
	if (r >= 0 && query.end > 0)
		r = evidence_add(&state->evidence, "request", query.end,
				 "everything asked for ends at 0x%" PRIx64, query.end);
	if (r < 0)
		return r;
	if (query.end == 0 && evidence->verdict != FLASH_SIZE_AGREED)
		return refuse_size(search,
				   "give the size of the flash with --length=", evidence->reason);
	r = resolve_ranges(search, evidence);
	if (r < 0)
		return r;
	if (evidence->verdict == FLASH_SIZE_AGREED)
		state->flash_size = evidence->size;
	else if (query.end > 0)
		state->flash_size = evidence->alias.size;
	state->resolved = true;
	r = evidence_add(&state->evidence, "verdict", state->flash_size, "%s", evidence->reason);
	if (r >= 0)
		r = staging_save_state(search->staging);
	return r < 0 ? staging_explain(r, STAGING_STATE_FILE, search->failure) : 0;
}
