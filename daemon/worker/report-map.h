/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The flash map of report.html as inline SVG. Places are in percent and letters in pixels, so that
 * a drawing is as wide as the page while its text stays readable on a phone. Colours are classes
 * that report-style.c knows.
 */

#include <stdint.h>
#include <stdio.h>

#include "daemon/worker/image-profile.h"
#include "protocol/firmware/layout.h"

/* Class of a region's colour, and a few words on what it is; both static. */
const char *report_map_class(const struct layout *layout, const struct layout_region *region);
const char *report_map_meaning(const struct layout *layout, const struct layout_region *region);

/* Regions with names and sizes, entropy and erased pages below, a scale; of the whole image. */
void report_map_draw(FILE *out, const struct layout *layout, const struct image_profile *profile);

/*
 * The same without profile for the part below end, where small regions crowd; 0 when they do not:
 * report_map_crowd says up to where it would help.
 */
uint64_t report_map_crowd(const struct layout *layout);
void report_map_draw_begin(FILE *out, const struct layout *layout, uint64_t end);
