/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/bytes.h"
#include "protocol/base/time.h"
#include "tests/watch/boot-rom-internal.h"

#define FLIPPED_BIT   0x10
#define INSERTED_BYTE 0xA7
#define SUM_SIZE      2U

/* Bytes of the flash; an address that the host asks for twice is looked up twice. */
static void copy_flash(const struct boot_rom *rom, uint64_t offset, uint8_t *data, size_t size)
{
	while (size > 0) {
		uint64_t length = 0;
		const uint8_t *from = flash_at(&rom->flash, offset, &length);
		size_t n = (size_t)MIN_OF(size, length);

		if (from)
			memcpy(data, from, n);
		else
			memset(data, 0xFF, n);
		offset += n;
		data += n;
		size -= n;
	}
}

static void add_to_sum(struct agent *agent, const uint8_t *data, size_t size)
{
	uint32_t sum = agent->sum;

	for (size_t i = 0; i < size; i++)
		sum += data[i];
	agent->sum = (uint16_t)sum;
}

/* A fault lies at the next byte. Returns how many bytes are in data. */
static size_t apply(struct boot_rom *rom, struct fault *fault, uint8_t *data)
{
	struct agent *agent = &rom->agent;

	fault->spent = true;
	if (fault->kind == FAULT_UNPLUG) {
		boot_rom_go_down(rom, "unplug");
		return 0;
	}
	if (fault->kind == FAULT_STALL) {
		rom->stalled_until =
			fault->usec > USEC_NEVER - rom->now ? USEC_NEVER : rom->now + fault->usec;
		return 0;
	}
	if (fault->kind == FAULT_INSERT) {
		data[0] = INSERTED_BYTE;
		return 1;
	}
	copy_flash(rom, agent->address + agent->at, data, 1);
	add_to_sum(agent, data, 1);
	agent->at++;
	if (fault->kind == FAULT_SHORT) {
		fault->value++;
		fault->spent = --fault->bytes == 0;
		return 0;
	}
	data[0] ^= FLIPPED_BIT;
	return 1;
}

/* What lies in the flash; the rest of a last packet is filled with zeros (disassembly). */
static size_t pull_data(struct boot_rom *rom, uint8_t *data, size_t size)
{
	struct agent *agent = &rom->agent;
	uint32_t real = MIN_OF(agent->packet, agent->left);
	uint64_t offset = (uint64_t)agent->address + agent->at;
	size_t n = MIN_OF(size, agent->packet - agent->at);
	struct fault *fault;

	if (agent->at >= real) {
		memset(data, 0, n);
		agent->at += (uint32_t)n;
		return n;
	}
	n = MIN_OF(n, real - agent->at);
	fault = faults_in_stream(rom->config.faults, offset, n);
	if (fault && fault->value == offset)
		return apply(rom, fault, data);
	if (fault)
		n = (size_t)(fault->value - offset);
	copy_flash(rom, offset, data, n);
	add_to_sum(agent, data, n);
	agent->at += (uint32_t)n;
	return n;
}

/* True once for the N-th packet. */
static bool is_spoilt(struct boot_rom *rom)
{
	struct faults *faults = rom->config.faults;

	for (size_t i = 0; i < faults->n_items; i++) {
		struct fault *f = &faults->items[i];

		if (f->kind != FAULT_DA_SUM || f->spent || f->value != rom->agent.n_packets)
			continue;
		f->spent = true;
		return true;
	}
	return false;
}

static size_t pull_sum(struct boot_rom *rom, uint8_t *data, size_t size)
{
	struct agent *agent = &rom->agent;
	uint8_t sum[SUM_SIZE];
	size_t done = agent->at - agent->packet, n = MIN_OF(size, SUM_SIZE - done);

	if (done == 0 && is_spoilt(rom))
		agent->sum ^= 1;
	put_be16(sum, agent->sum);
	memcpy(data, sum + done, n);
	agent->at += (uint32_t)n;
	if (agent->at == agent->packet + SUM_SIZE)
		agent->state = AGENT_WAITING;
	return n;
}

size_t agent_pull(struct boot_rom *rom, uint8_t *data, size_t size)
{
	const struct agent *agent = &rom->agent;

	if (agent->at < agent->packet)
		return pull_data(rom, data, size);
	return pull_sum(rom, data, size);
}
