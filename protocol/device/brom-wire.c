/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/brom-wire.h"

#include <errno.h>
#include <string.h>

#include "protocol/base/bytes.h"

#define STATUS_ERRORS 0x0100
#define COMMAND_SIZE  9 /* opcode, address, count */

int brom_wire_send(struct brom_wire *wire, const void *data, size_t size)
{
	uint8_t own[COMMAND_SIZE];
	int r;

	if (size > sizeof(own))
		return -EINVAL;
	r = transport_write(wire->transport, data, size, BROM_WIRE_SILENCE_USEC);
	if (r < 0 || !wire->line_echoes)
		return r;
	r = brom_wire_receive(wire, own, size);
	if (r < 0)
		return r;
	return memcmp(own, data, size) == 0 ? 0 : -EPROTO;
}

int brom_wire_receive(struct brom_wire *wire, void *data, size_t size)
{
	return transport_read(wire->transport, data, size, BROM_WIRE_SILENCE_USEC, NULL);
}

/* Sends data and awaits the same; *echoed tells how much came back right. */
static int echo(struct brom_wire *wire, const uint8_t *data, size_t size, size_t *echoed)
{
	uint8_t answer[COMMAND_SIZE] = { 0 };
	size_t got = 0;
	int r = brom_wire_send(wire, data, size);

	*echoed = 0;
	if (r < 0)
		return r;
	r = transport_read(wire->transport, answer, size, BROM_WIRE_SILENCE_USEC, &got);
	for (; *echoed < size && *echoed < got; (*echoed)++)
		if (answer[*echoed] != data[*echoed])
			return -EPROTO;
	return r;
}

int brom_wire_opcode(struct brom_wire *wire, uint8_t opcode)
{
	size_t echoed;

	wire->debt = BROM_WIRE_NOTHING;
	return echo(wire, &opcode, 1, &echoed);
}

int brom_wire_ask(struct brom_wire *wire, uint8_t opcode, uint8_t *ret)
{
	int r;

	wire->debt = BROM_WIRE_NOTHING;
	r = brom_wire_send(wire, &opcode, 1);
	return r < 0 ? r : brom_wire_receive(wire, ret, 1);
}

static void put_command(uint8_t command[COMMAND_SIZE], uint8_t opcode, uint32_t address,
			uint32_t count)
{
	command[0] = opcode;
	put_be32(command + 1, address);
	put_be32(command + 5, count);
}

static int send_fields(struct brom_wire *wire, const uint8_t *command, size_t *echoed)
{
	static const size_t fields[] = { 1, 4, 4 };
	size_t done = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		int r = echo(wire, command + done, fields[i], echoed);

		*echoed += done;
		if (r < 0)
			return r;
		done += fields[i];
	}
	return 0;
}

int brom_wire_read_command(struct brom_wire *wire, uint8_t opcode, uint32_t address, uint32_t count)
{
	uint8_t command[COMMAND_SIZE];
	size_t echoed;
	int r;

	put_command(command, opcode, address, count);
	if (wire->combines)
		r = echo(wire, command, sizeof(command), &echoed);
	else
		r = send_fields(wire, command, &echoed);
	/* Without the opcode's echo there is no command that could wait for arguments. */
	wire->unechoed = sizeof(command) - echoed;
	wire->debt = echoed == 0 || wire->unechoed == 0 ? BROM_WIRE_NOTHING : BROM_WIRE_READ;
	return r;
}

bool brom_wire_ignored(const struct brom_wire *wire)
{
	return wire->unechoed == COMMAND_SIZE;
}

int brom_wire_write_command(struct brom_wire *wire, uint8_t opcode, uint32_t address,
			    uint32_t count)
{
	uint8_t command[COMMAND_SIZE];
	size_t echoed;
	int r;

	put_command(command, opcode, address, count);
	wire->debt = BROM_WIRE_WRITE;
	r = send_fields(wire, command, &echoed);
	if (r < 0)
		return r;
	r = brom_wire_status(wire);
	if (r == -EREMOTEIO)
		wire->debt = BROM_WIRE_NOTHING;
	return r;
}

int brom_wire_value(struct brom_wire *wire, uint32_t value, size_t size)
{
	uint8_t field[4];
	size_t echoed;
	int r;

	if (size == 2)
		put_be16(field, (uint16_t)value);
	else
		put_be32(field, value);
	r = echo(wire, field, size, &echoed);
	if (echoed == size)
		wire->debt = BROM_WIRE_NOTHING;
	return r;
}

int brom_wire_get16(struct brom_wire *wire, uint16_t *ret)
{
	uint8_t field[2];
	int r = brom_wire_receive(wire, field, sizeof(field));

	if (r < 0)
		return r;
	*ret = get_be16(field);
	return 0;
}

int brom_wire_get32(struct brom_wire *wire, uint32_t *ret)
{
	uint8_t field[4];
	int r = brom_wire_receive(wire, field, sizeof(field));

	if (r < 0)
		return r;
	*ret = get_be32(field);
	return 0;
}

int brom_wire_status(struct brom_wire *wire)
{
	uint16_t status;
	int r = brom_wire_get16(wire, &status);

	if (r < 0)
		return r;
	if (status < STATUS_ERRORS)
		return 0;
	wire->status = status;
	return -EREMOTEIO;
}
