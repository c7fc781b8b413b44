/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/bytes.h"
#include "tests/watch/boot-rom-internal.h"

#define ACK      0x5A
#define NACK     0xA5
#define CONTINUE 0x69
#define SYNC     0xC0

#define CONFIGURATION_SIZE 15
#define STORAGE_NOR        0x00
#define PROJECT_ID_SIZE    64U

/* Codes by which it refuses or tells how far a memory test is. */
#define CODE_TIMEOUT  3020U
#define CODE_WORKING  3021U
#define CODE_RANGE    3039U
#define CODE_NO_FAT   3070U
#define CODE_SECURITY 6012U

/* Kinds of memory test, the fifth word of FE (capture). */
#define TEST_ADDRESS_LINES 3U
#define TEST_DATA_LINES    4U
#define DATA_LINES         16U

static void say8(struct boot_rom *rom, uint8_t value)
{
	boot_rom_emit(rom, &value, 1);
}

static void say32(struct boot_rom *rom, uint32_t value)
{
	uint8_t data[4];

	put_be32(data, value);
	boot_rom_emit(rom, data, sizeof(data));
}

static void refuse(struct boot_rom *rom, uint32_t code)
{
	boot_rom_trace(rom, "agent refuses %u", code);
	say8(rom, NACK);
	say32(rom, code);
}

/* The next so many bytes of the host belong together. */
static void expect(struct agent *agent, enum agent_state state, unsigned int bytes)
{
	agent->state = state;
	agent->n_field = 0;
	agent->wanted = bytes;
}

static void listen(struct agent *agent)
{
	expect(agent, AGENT_COMMAND, 1);
}

void agent_start(struct boot_rom *rom)
{
	static const uint8_t v32[] = { SYNC, 0x03, 0x02, 0x8E };
	static const uint8_t smartphone[] = { SYNC, 0x00, 0x00, 0x0B };
	bool other = boot_rom_has(rom, FAULT_DA_STAGE);

	rom->agent = (struct agent){ .id = 0xFFFF };
	expect(&rom->agent, AGENT_CONFIGURATION, CONFIGURATION_SIZE);
	boot_rom_trace(rom, "agent started");
	boot_rom_emit(rom, other ? smartphone : v32, sizeof(v32));
}

bool agent_listens(const struct boot_rom *rom)
{
	return rom->agent.state != AGENT_SENDING && rom->agent.state != AGENT_LEAVING;
}

/* ---- start ---- */

static void configure(struct boot_rom *rom)
{
	struct agent *agent = &rom->agent;

	agent->rows = get_be32(agent->field + 11);
	boot_rom_trace(rom, "agent configured, %u rows", agent->rows);
	say8(rom, ACK);
	expect(agent, AGENT_TABLE, AGENT_ROW_SIZE);
}

/* Behind the table: no NAND controller; newer builds say that they go on. */
static void end_table(struct boot_rom *rom)
{
	say8(rom, NACK);
	if (rom->config.agent.newer)
		say8(rom, CONTINUE);
	expect(&rom->agent, AGENT_BMT, 4);
}

/* The JEDEC id is in three halfwords behind the number of dies. */
static bool fits(const struct boot_rom *rom)
{
	const uint8_t *row = rom->agent.field;

	if (boot_rom_has(rom, FAULT_DA_UNKNOWN_FLASH))
		return false;
	for (size_t i = 0; i < AGENT_JEDEC_SIZE; i++)
		if (get_le16(row + 18 + 2 * i) != rom->config.agent.jedec[i])
			return false;
	return true;
}

static void take_row(struct boot_rom *rom)
{
	struct agent *agent = &rom->agent;

	if (fits(rom)) {
		agent->matched = true;
		agent->id = get_le16(agent->field);
		for (size_t i = 0; i < 3; i++)
			agent->codes[i] = get_le16(agent->field + 18 + 2 * i);
		boot_rom_trace(rom, "agent knows its flash by row %04x", agent->id);
		say8(rom, ACK);
		end_table(rom);
		return;
	}
	say8(rom, CONTINUE);
	expect(agent, AGENT_TABLE, AGENT_ROW_SIZE);
	if (agent->rows > 0 && --agent->rows == 0)
		end_table(rom);
}

static void take_bmt(struct boot_rom *rom)
{
	uint8_t report[AGENT_REPORT_SIZE + AGENT_EXTRA_SIZE];

	boot_rom_emit(rom, report, agent_report(rom, report));
	listen(&rom->agent);
}

/* ---- reading ---- */

/* The code by which a read is refused, 0: it is not. */
static uint32_t refusal(const struct boot_rom *rom)
{
	struct faults *faults = rom->config.faults;
	const struct agent *agent = &rom->agent;

	if (agent->left == 0)
		return CODE_RANGE;
	for (size_t i = 0; i < faults->n_items; i++) {
		if (faults->items[i].kind != FAULT_DA_NACK ||
		    faults->items[i].value != agent->n_reads)
			continue;
		boot_rom_happens(rom, &faults->items[i]);
		return CODE_TIMEOUT;
	}
	if (boot_rom_has(rom, FAULT_DA_RANGE) || !agent->matched ||
	    !bytes_inside(agent_nor_size(rom), agent->address, agent->left))
		return CODE_RANGE;
	return boot_rom_has(rom, FAULT_DA_SECURITY) ? CODE_SECURITY : 0;
}

static void run_read(struct boot_rom *rom)
{
	struct agent *agent = &rom->agent;
	uint32_t code;

	agent->address = get_be32(agent->field + 1);
	agent->left = get_be32(agent->field + 5);
	boot_rom_trace(rom, "agent read %08x %08x", agent->address, agent->left);
	listen(agent);
	if (agent->field[0] != STORAGE_NOR)
		return;
	if (agent->left > 0)
		agent->n_reads++;
	code = refusal(rom);
	if (code) {
		refuse(rom, code);
		return;
	}
	say8(rom, ACK);
	expect(agent, AGENT_PACKET_LENGTH, 4);
}

static void send_packet(struct agent *agent)
{
	agent->at = 0;
	agent->sum = 0;
	agent->state = AGENT_SENDING;
}

static void take_packet_length(struct boot_rom *rom)
{
	struct agent *agent = &rom->agent;

	agent->packet = get_be32(agent->field);
	listen(agent);
	if (agent->packet == 0 || agent->packet > AGENT_PACKET_MAX)
		return;
	agent->n_packets++;
	send_packet(agent);
}

/* 5A: the next packet; A5: the same again; other bytes are ignored. */
static void take_answer(struct boot_rom *rom, uint8_t byte)
{
	struct agent *agent = &rom->agent;
	uint32_t done = MIN_OF(agent->packet, agent->left);

	if (byte == NACK) {
		boot_rom_trace(rom, "agent repeats %08x", agent->address);
		send_packet(agent);
	}
	if (byte != ACK)
		return;
	agent->address += done;
	agent->left -= done;
	if (agent->left == 0) {
		listen(agent);
		return;
	}
	agent->n_packets++;
	send_packet(agent);
}

/* ---- other commands ---- */

static void say_line(struct boot_rom *rom)
{
	struct agent *agent = &rom->agent;

	if (agent->next > agent->last) {
		say32(rom, 0);
		listen(agent);
		return;
	}
	say32(rom, CODE_WORKING);
	say32(rom, agent->next++);
	agent->state = AGENT_TESTING;
}

/* The tests of lines tell about each; those of the content only how they end. */
static void run_memory_test(struct boot_rom *rom)
{
	struct agent *agent = &rom->agent;
	uint32_t kind = get_be32(agent->field + 16);

	boot_rom_trace(rom, "agent memory test %u", kind);
	say8(rom, ACK);
	agent->next = 1;
	agent->last = 0;
	if (kind == TEST_DATA_LINES) {
		agent->next = 0;
		agent->last = DATA_LINES - 1;
	} else if (kind == TEST_ADDRESS_LINES) {
		agent->last = 21; /* of 4 MiB */
	}
	say_line(rom);
}

static void run_speed(struct boot_rom *rom)
{
	struct agent *agent = &rom->agent;
	uint8_t id = agent->field[0];

	boot_rom_trace(rom, "agent speed %u", id);
	if (id == 0 || id > 0x0E) {
		say8(rom, NACK);
		listen(agent);
		return;
	}
	agent->proofs = 256U * agent->field[1];
	say8(rom, ACK);
	expect(agent, AGENT_MEETING, 1);
}

static void run_project_id(struct boot_rom *rom)
{
	uint8_t id[PROJECT_ID_SIZE] = "MTKRB-WATCH";

	say32(rom, 0);
	boot_rom_emit(rom, id, sizeof(id));
	listen(&rom->agent);
}

static void run_fat_info(struct boot_rom *rom)
{
	say32(rom, CODE_NO_FAT);
	for (size_t i = 0; i < 6; i++)
		say32(rom, 0);
	listen(&rom->agent);
}

static void run_dsp_version(struct boot_rom *rom)
{
	say8(rom, ACK);
	boot_rom_emit16(rom, 0);
	listen(&rom->agent);
}

static void run_finish(struct boot_rom *rom)
{
	boot_rom_trace(rom, "agent finish");
	say8(rom, ACK);
	expect(&rom->agent, AGENT_FINISHING, 4);
}

static void run_watchdog(struct boot_rom *rom)
{
	boot_rom_trace(rom, "agent %s", rom->agent.latch_off ? "switches off" : "resets");
	say8(rom, ACK);
	rom->agent.state = AGENT_LEAVING;
}

static void run_power_latch(struct boot_rom *rom)
{
	boot_rom_trace(rom, "agent clears the power latch");
	rom->agent.latch_off = true;
	say8(rom, ACK);
	listen(&rom->agent);
}

static void run_usb_close(struct boot_rom *rom)
{
	boot_rom_trace(rom, "agent closes USB");
	say8(rom, ACK);
	listen(&rom->agent);
}

static const struct {
	uint8_t byte;
	uint8_t arguments; /* bytes */
	void (*run)(struct boot_rom *rom);
} commands[] = {
	{ 0xB9, 0, run_power_latch },  { 0xC9, 0, run_usb_close },  { 0xD2, 2, run_speed },
	{ 0xD6, 9, run_read },         { 0xD9, 0, run_finish },     { 0xDA, 0, run_dsp_version },
	{ 0xDB, 6, run_watchdog },     { 0xEF, 0, run_project_id }, { 0xF0, 0, run_fat_info },
	{ 0xFE, 24, run_memory_test },
};

static void take_command(struct boot_rom *rom, uint8_t byte)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].byte != byte)
			continue;
		rom->agent.command = byte;
		if (commands[i].arguments == 0)
			commands[i].run(rom);
		else
			expect(&rom->agent, AGENT_ARGUMENTS, commands[i].arguments);
		return;
	}
	boot_rom_trace(rom, "agent ignores %02x", byte);
}

static void run_command(struct boot_rom *rom)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].byte == rom->agent.command)
			commands[i].run(rom);
}

/* ---- bytes ---- */

/* At the new speed: C0 comes back until the host says 5A, then every byte does. */
static void take_meeting(struct boot_rom *rom, uint8_t byte)
{
	if (byte == SYNC)
		say8(rom, byte);
	if (byte != ACK)
		return;
	say8(rom, byte);
	rom->agent.state = AGENT_PROVING;
	if (rom->agent.proofs == 0)
		listen(&rom->agent);
}

static void take_proof(struct boot_rom *rom, uint8_t byte)
{
	say8(rom, byte);
	if (--rom->agent.proofs == 0)
		listen(&rom->agent);
}

/* A field is complete. */
static void take_field(struct boot_rom *rom)
{
	switch (rom->agent.state) {
	case AGENT_CONFIGURATION:
		configure(rom);
		break;
	case AGENT_TABLE:
		take_row(rom);
		break;
	case AGENT_BMT:
		take_bmt(rom);
		break;
	case AGENT_ARGUMENTS:
		run_command(rom);
		break;
	case AGENT_PACKET_LENGTH:
		take_packet_length(rom);
		break;
	case AGENT_FINISHING:
		/* Only one other chip says 5A here. */
		say8(rom, NACK);
		listen(&rom->agent);
		break;
	default:
		break;
	}
}

void agent_take(struct boot_rom *rom, uint8_t byte)
{
	struct agent *agent = &rom->agent;

	switch (agent->state) {
	case AGENT_COMMAND:
		take_command(rom, byte);
		return;
	case AGENT_WAITING:
		take_answer(rom, byte);
		return;
	case AGENT_TESTING:
		if (byte == ACK)
			say_line(rom);
		return;
	case AGENT_MEETING:
		take_meeting(rom, byte);
		return;
	case AGENT_PROVING:
		take_proof(rom, byte);
		return;
	default:
		break;
	}
	agent->field[agent->n_field++] = byte;
	if (agent->n_field == agent->wanted)
		take_field(rom);
}
