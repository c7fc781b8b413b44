/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * report.html: what report.txt says and more, for people with a browser. One file that needs no
 * other, no script and no network; it says so to the browser too. Also of a backup without firmware.
 */

#include <stdio.h>

#include "daemon/worker/report.h"

#define REPORT_PAGE_FILE "report.html"

/*
 * Writes the page. It is bounded: of an image of noise not every region is shown. Memory beyond
 * that of out is a few KiB. Errors are those of out.
 */
void report_html_print(FILE *out, const struct manifest *manifest,
		       const struct report_notes *notes);
