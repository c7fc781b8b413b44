/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The flash's own answer to who it is (sfi.h) among the other evidence of its size. It is never
 * believed against any of the others.
 */

#include "daemon/worker/flash-evidence.h"
#include "daemon/worker/session.h"
#include "protocol/base/cleanup.h"
#include "protocol/device/sfi.h"

/*
 * Asks the flash through the boot ROM, adds what it said to the list and judges by it. What it does
 * not answer is no failure but evidence too; only a watch that is lost is (*failure says so).
 */
_must_check_ int flash_identity_ask(struct session *session, struct evidence_list *list,
				    struct flash_evidence *evidence, struct sfi_identity *ret,
				    struct failure *failure);

/* Puts it in words. -ENOMEM. */
_must_check_ int flash_identity_describe(const struct sfi_identity *identity,
					 struct evidence_list *list);

/*
 * Changes the verdict: contradicted where the answer differs from the size that was found, from the
 * wrap of the addresses or from the firmware's tables; agreed where only it was missing.
 */
void flash_identity_judge(const struct sfi_identity *identity, struct flash_evidence *evidence);
