/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The style sheet of report.html: a phone, a wide page, paper; light and dark. */

extern const char report_style[];
