/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/firmware/layout-viva.h"

#include "protocol/base/bytes.h"

#define TABLE_SIZE 20U

/* From where an address leads to, up to the next place that another one names or the file's end. */
static struct layout_span span_of(const struct layout_part *part, const uint64_t places[5],
				  unsigned int index)
{
	uint64_t end = part->available;

	if (places[index] == 0)
		return (struct layout_span){ 0 };
	for (unsigned int i = 1; i < 5; i++)
		if (places[i] > places[index])
			end = MIN_OF(end, places[i]);
	return (struct layout_span){ part->offset + places[index], end - places[index] };
}

void layout_find_viva(struct layout *layout)
{
	struct layout_viva *viva = &layout->viva;
	const struct layout_part *part = layout_find(layout, LAYOUT_VIVA);
	uint64_t places[5] = { 0 }, table;

	viva->part = LAYOUT_NO_PART;
	if (!part)
		return;
	viva->part = (size_t)(part - layout->parts);
	table = part->gfh.content_offset;
	if (!bytes_inside(part->available, table, TABLE_SIZE))
		return;
	viva->has_table = true;
	for (unsigned int i = 0; i < 5; i++) {
		uint64_t place;

		viva->addresses[i] = get_le32(layout->image + part->offset + table + 4 * i);
		place = (viva->addresses[i] - part->gfh.load_address) & GFH_OFFSET_MASK;
		if (i > 0 && viva->addresses[i] != 0 && place >= table + TABLE_SIZE &&
		    place < part->available)
			places[i] = place;
	}
	viva->zimage = span_of(part, places, 1);
	viva->boot_zimage = span_of(part, places, 2);
	viva->dcm = span_of(part, places, 3);
	viva->alice = span_of(part, places, 4);
}
