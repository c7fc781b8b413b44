/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The report of a download agent. */

#include "protocol/device/da-report.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct da_report report;
	uint8_t jedec[DA_REPORT_JEDEC];

	if (size >= DA_REPORT_SIZE_OLD) {
		size_t length = da_report_length(data, size);

		fuzz_require(length == DA_REPORT_SIZE_OLD || length == DA_REPORT_SIZE_NEW);
	}
	if (da_report_parse(data, size, &report) == 0)
		(void)da_report_jedec(&report, jedec);
	return 0;
}
