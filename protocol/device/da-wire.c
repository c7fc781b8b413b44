/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/da-wire.h"

#include <errno.h>

#include "protocol/base/bytes.h"

#define ARGUMENTS_MAX 16

bool da_wire_allows(uint8_t command)
{
	switch (command) {
	case DA_COMMAND_SPEED:
	case DA_COMMAND_READ:
	case DA_COMMAND_FINISH:
	case DA_COMMAND_DSP_VERSION:
	case DA_COMMAND_WATCHDOG:
	case DA_COMMAND_POWER_LATCH:
	case DA_COMMAND_USB_CLOSE:
	case DA_COMMAND_PROJECT_ID:
	case DA_COMMAND_FAT_INFO:
		return true;
	default:
		return false;
	}
}

int da_wire_command(struct transport *transport, uint8_t command, const void *arguments,
		    size_t size)
{
	uint8_t bytes[1 + ARGUMENTS_MAX] = { command };

	if (!da_wire_allows(command))
		return -EPERM;
	if (size > ARGUMENTS_MAX)
		return -EINVAL;
	if (size > 0)
		memcpy(bytes + 1, arguments, size);
	return transport_write(transport, bytes, 1 + size, DA_WIRE_SILENCE_USEC);
}

int da_wire_answer(struct transport *transport, bool good)
{
	const uint8_t answer = good ? DA_WIRE_ACK : DA_WIRE_NACK;

	return transport_write(transport, &answer, 1, DA_WIRE_SILENCE_USEC);
}

int da_wire_get8(struct transport *transport, uint8_t *ret)
{
	return transport_read(transport, ret, 1, DA_WIRE_SILENCE_USEC, NULL);
}

int da_wire_accepted(struct transport *transport, uint32_t *ret_code)
{
	uint8_t answer = 0, code[4];
	int r = da_wire_get8(transport, &answer);

	if (r < 0 || answer == DA_WIRE_ACK)
		return r;
	if (answer != DA_WIRE_NACK)
		return -EPROTO;
	r = transport_read(transport, code, sizeof(code), DA_WIRE_SILENCE_USEC, NULL);
	if (r < 0)
		return r;
	*ret_code = get_be32(code);
	return -EREMOTEIO;
}

uint16_t da_wire_sum(const uint8_t *data, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += data[i];
	return (uint16_t)sum;
}
