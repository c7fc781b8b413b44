/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/errors.h"

#include "protocol/base/cleanup.h"

#define HINT_SECURED \
	"This watch is locked by its maker. Plain reads may still work: try --method=brom."
#define HINT_LINK    "Try another cable or USB port, then plug the watch in again."
#define HINT_PROGRAM "This is a mistake of the program that asked; please report it."
#define HINT_DA      "Use a download agent that was made for this chip, or --method=brom."

/* Numbers as in mtkclient's list; names and sentences ours. */
static const struct device_error errors[] = {
	{ 0x1A1D, "cache-problem", "The boot ROM could not set its cache as asked.", HINT_LINK },
	{ 0x1D00, "address-too-high", "The address is beyond what the boot ROM lets one reach.",
	  "Read less, or from a lower address." },
	{ 0x1D01, "bad-address", "The boot ROM does not accept this address.",
	  "Read less, or from a lower address." },
	{ 0x1D02, "bad-address", "The boot ROM does not accept this address.",
	  "Read less, or from a lower address." },
	{ 0x1D0C, "no-authentication-needed",
	  "Authentication was offered to a watch that does not ask for it.", NULL },
	{ 0x1D0D, "authentication-required",
	  "The boot ROM wants the maker's key before it does this.", HINT_SECURED },
	{ 0x1D0E, "agent-overlaps", "The download agent overlaps memory that is in use.", HINT_DA },
	{ 0x1D0F, "bad-jump", "The boot ROM does not jump to this address.", HINT_DA },
	{ 0x1D10, "too-many-blocks", "The download agent has too many parts.", HINT_DA },
	{ 0x1D11, "not-aligned", "An address or length is not a multiple of two.", HINT_PROGRAM },
	{ 0x1D12, "bad-range", "The address or length is not one the boot ROM accepts.",
	  "Read in smaller pieces, or a smaller range." },
	{ 0x1D13, "zero-length", "A length of zero was asked for.", HINT_PROGRAM },
	{ 0x1D14, "signature-too-long", "The download agent's signature is longer than the agent.",
	  HINT_DA },
	{ 0x1D15, "signature-missing",
	  "The watch accepts only signed download agents, and this one has no signature.",
	  HINT_SECURED },
	{ 0x1D16, "no-agent", "A jump was asked for, but no download agent was loaded.",
	  HINT_PROGRAM },
	{ 0x1D17, "inconsistent", "The boot ROM finds what was asked inconsistent.", HINT_PROGRAM },
	{ 0x1D21, "agent-version", "The download agent's version is not accepted.", HINT_DA },
	{ 0x2001, "signature-wrong", "The download agent's signature does not fit this watch.",
	  HINT_SECURED },
	{ 0x5A5B, "agent-refused", "The watch's maker has shut out this download agent.",
	  HINT_SECURED },
	{ 0x7000, "region-refused", "The watch does not allow access to this region.",
	  HINT_SECURED },
	{ 0x7001, "region-refused", "The watch does not allow access to this region.",
	  HINT_SECURED },
	{ 0x7002, "region-refused", "The watch does not allow access to this region.",
	  HINT_SECURED },
	{ 0x7003, "region-refused", "The watch does not allow access to this region.",
	  HINT_SECURED },
	{ 0x7004, "region-refused", "The watch does not allow access to this region.",
	  HINT_SECURED },
	{ 0x7015, "agent-unproven", "The check of the download agent's signature failed.",
	  HINT_SECURED },
	{ 0x7017, "agent-unproven", "The check of the download agent's signature failed.",
	  HINT_SECURED },
	{ 0x7024, "agent-unproven", "The check of the download agent's signature failed.",
	  HINT_SECURED },
	{ 0x703A, "not-built-in", "This boot ROM was built without that command.", NULL },
	{ 0x7054, "not-built-in", "This boot ROM was built without that command.", NULL },
};

const struct device_error *device_error_find(uint16_t status)
{
	static const struct device_error success = { 0, "success", "The command succeeded.", NULL };
	static const struct device_error unknown = {
		0xFFFF, "unknown-status",
		"The watch refused with a status that no source explains.", HINT_LINK
	};

	if (status < 0x0100)
		return &success;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		if (errors[i].status == status)
			return &errors[i];
	}
	return &unknown;
}
