/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/da-upload.h"

#include <errno.h>

#include "protocol/base/bytes.h"
#include "protocol/base/time.h"
#include "protocol/device/brom-internal.h"

enum { JUMP_DA = 0xD5, SEND_DA = 0xD7 };

#define IMAGE_MAX_BYTES (4U << 20) /* the RAM of these chips; real agents have up to 126 kB */
#define PIECE_BYTES     1024U      /* as FlashTool and all open tools write it */
#define TRIES           3U         /* of an image that arrives damaged */

/* A UART takes 10 s for a large agent at 115200, and the kernel buffers 4 KiB of it. */
#define PIECE_USEC (5 * USEC_PER_SEC)

uint16_t da_upload_checksum(const uint8_t *data, size_t size)
{
	uint16_t sum = 0;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum ^= get_le16(data + i);
	return size % 2 ? sum ^ data[size - 1] : sum;
}

/* Whatever is missing would be filled by our next bytes, so a failure here is for good. */
static int send_field(struct brom_wire *wire, uint32_t value)
{
	int r = brom_wire_value(wire, value, 4);

	wire->debt = BROM_WIRE_WRITE;
	return r;
}

static int send_command(struct brom_wire *wire, const struct da_region *region)
{
	int r = brom_wire_opcode(wire, SEND_DA);

	if (r >= 0)
		r = send_field(wire, region->load_address);
	if (r >= 0)
		r = send_field(wire, region->length);
	if (r >= 0)
		r = send_field(wire, region->signature_length);
	if (r >= 0)
		r = brom_wire_status(wire);
	if (r == -EREMOTEIO)
		wire->debt = BROM_WIRE_NOTHING;
	return r;
}

static int send_bytes(struct brom_wire *wire, const uint8_t *data, size_t size, da_upload_sent sent,
		      void *userdata)
{
	for (size_t at = 0; at < size; at += PIECE_BYTES) {
		size_t n = MIN_OF(size - at, PIECE_BYTES);
		int r = transport_write(wire->transport, data + at, n, PIECE_USEC);

		if (r < 0)
			return r;
		sent(userdata, at + n);
	}
	return 0;
}

/* The answer to an image; its first word is the boot ROM's own checksum of it. */
static int take_answer(struct brom_wire *wire, uint16_t *ret_checksum)
{
	uint8_t answer[2];
	int r = transport_read(wire->transport, answer, sizeof(answer), PIECE_USEC, NULL);

	if (r < 0)
		return r;
	wire->debt = BROM_WIRE_NOTHING;
	*ret_checksum = get_be16(answer);
	return brom_wire_status(wire);
}

static int send_image(struct brom_wire *wire, const struct da_region *region, const uint8_t *data,
		      da_upload_sent sent, void *userdata)
{
	uint16_t checksum = 0;
	int r = send_command(wire, region);

	if (r >= 0)
		r = send_bytes(wire, data, region->length, sent, userdata);
	if (r >= 0)
		r = take_answer(wire, &checksum);
	if (r < 0)
		return r;
	return checksum == da_upload_checksum(data, region->length) ? 0 : -EBADMSG;
}

int da_upload_region(struct brom *brom, const struct da_file *file, const struct da_region *region,
		     da_upload_sent sent, void *userdata)
{
	struct brom_wire *wire = brom_internal_wire(brom);
	_cleanup_free_ uint8_t *data = NULL;
	int r;

	/* On a line that gives our bytes back, megabytes of echo would have to be told apart. */
	if (wire->line_echoes)
		return -EOPNOTSUPP;
	r = da_file_load(file, region, IMAGE_MAX_BYTES, &data);
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < TRIES; i++) {
		r = send_image(wire, region, data, sent, userdata);
		if (r != -EBADMSG)
			break;
	}
	return r;
}

int da_upload_jump(struct brom *brom, uint32_t address)
{
	struct brom_wire *wire = brom_internal_wire(brom);
	int r = brom_wire_opcode(wire, JUMP_DA);

	if (r >= 0)
		r = send_field(wire, address);
	if (r >= 0)
		r = brom_wire_status(wire);
	if (r == -EREMOTEIO)
		wire->debt = BROM_WIRE_NOTHING;
	return r;
}
