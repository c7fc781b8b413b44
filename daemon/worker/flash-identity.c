/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/flash-identity.h"

#include <errno.h>
#include <string.h>

#include "protocol/base/flash-ids.h"
#include "protocol/base/strings.h"

static uint64_t jedec_size(const struct sfi_identity *identity)
{
	return identity->has_jedec ? flash_id_size(identity->jedec) : 0;
}

int flash_identity_describe(const struct sfi_identity *identity, struct evidence_list *list)
{
	char words[FLASH_ID_TEXT_SIZE], bytes[16];
	int r;

	if (identity->has_jedec)
		r = evidence_add(list, "jedec", jedec_size(identity), "the flash answers %s",
				 flash_id_describe(identity->jedec, 3, words));
	else
		r = evidence_add(list, "jedec", 0, "the flash does not tell its id");
	if (r < 0)
		return r;
	if (identity->sfdp_size > 0)
		return evidence_add(list, "sfdp", identity->sfdp_size,
				    "the flash's parameters say %s",
				    format_bytes(identity->sfdp_size, bytes));
	return evidence_add(list, "sfdp", 0, "the flash has no parameters that tell its size");
}

static bool facts_allow(const struct flash_facts *facts, uint64_t size)
{
	bool any = false;

	for (size_t i = 0; i < facts->n_parts; i++) {
		if (facts->parts[i].size == size)
			return true;
		any |= facts->parts[i].size > 0;
	}
	return !any;
}

/* What speaks against a size that the flash gave, NULL: nothing. */
static const char *find_objection(const struct flash_evidence *evidence, uint64_t size)
{
	if (evidence->verdict == FLASH_SIZE_AGREED && evidence->size != size)
		return "the flash's own answer is not the size that was found";
	if (evidence->alias.size > 0 && evidence->alias.size != size)
		return "the flash begins again at another size than it answers itself";
	if (flash_facts_lower_bound(&evidence->facts) > size)
		return "the firmware reaches behind the end that the flash's own answer gives";
	if (!facts_allow(&evidence->facts, size))
		return "no part of the firmware's list has the size that the flash answers itself";
	return NULL;
}

void flash_identity_judge(const struct sfi_identity *identity, struct flash_evidence *evidence)
{
	const uint64_t jedec = jedec_size(identity), sfdp = identity->sfdp_size;
	const uint64_t size = jedec > 0 ? jedec : sfdp;
	const char *objection = size > 0 ? find_objection(evidence, size) : NULL;

	if (jedec > 0 && sfdp > 0 && jedec != sfdp)
		objection = "the flash's id and its parameters give different sizes";
	if (objection) {
		evidence->verdict = FLASH_SIZE_CONTRADICTED;
		evidence->reason = objection;
	} else if (size > 0 && evidence->verdict == FLASH_SIZE_UNKNOWN) {
		evidence->verdict = FLASH_SIZE_AGREED;
		evidence->size = size;
		evidence->reason = "the flash's own answer, and nothing speaks against it";
	} else if (size > 0 && evidence->verdict == FLASH_SIZE_AGREED) {
		evidence->reason = "the flash's own answer and all other evidence agree";
	}
}

/* The command that failed may have left the line out of step. */
static int go_without(struct session *session, int error, struct evidence_list *list,
		      struct failure *failure)
{
	int r = error;

	if (error == -ETIMEDOUT || error == -EPROTO)
		r = brom_resync(session->brom);
	else if (error != -ENODEV && error != -ECANCELED)
		r = 0;
	if (r < 0)
		return session_explain(session, r, "asking the flash for its id", failure);
	return evidence_add(list, "jedec", 0, "the flash controller did not serve: %s",
			    strerror(-error));
}

int flash_identity_ask(struct session *session, struct evidence_list *list,
		       struct flash_evidence *evidence, struct sfi_identity *ret,
		       struct failure *failure)
{
	struct sfi_identity identity = { 0 };
	int r;

	*ret = identity;
	/* The boot ROM is gone; the agent's report has the id. */
	if (session->agent)
		return 0;
	r = sfi_identify(session->brom, &identity);
	if (r < 0)
		return go_without(session, r, list, failure);
	r = flash_identity_describe(&identity, list);
	if (r < 0)
		return r;
	flash_identity_judge(&identity, evidence);
	*ret = identity;
	return 0;
}
