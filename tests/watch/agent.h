/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The download agent (v3.2) that runs in the watch after JUMP_DA. The code that the host uploads is
 * not executed: any image will do, and what answers is this model of the vendor's agent, after the
 * FlashTool capture as far as that goes (start, table, report, memory test, finish) and after the
 * disassembly of two builds for the rest. It reads nothing before the host has told it a row of the
 * flash table that has its flash's id.
 *
 * Commands: D2 D6 D9 DA DB B9 C9 EF F0 FE; any other byte is ignored, as the real one does, and
 * noted in the log. Chosen where the sources are silent: what EF, F0 and DA answer beyond their
 * form; that a read with packets of no or more than 64 KiB is forgotten; that the watch goes down
 * as soon as the answer to DB is out.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGENT_ROW_SIZE    36U /* of the flash table */
#define AGENT_JEDEC_SIZE  3U
#define AGENT_REPORT_SIZE 178U
#define AGENT_EXTRA_SIZE  24U /* more in the report of newer builds */
#define AGENT_PACKET_MAX  65536U

struct agent_config {
	bool newer; /* says 69 before it takes the BMT address, and has the longer report */
	uint8_t jedec[AGENT_JEDEC_SIZE]; /* of the flash on board */
	uint64_t nor_size;               /* that it reports; 0: the flash's own size */
};

enum agent_state {
	AGENT_CONFIGURATION,
	AGENT_TABLE,
	AGENT_BMT,
	AGENT_COMMAND,
	AGENT_ARGUMENTS,
	AGENT_PACKET_LENGTH,
	AGENT_SENDING, /* a packet */
	AGENT_WAITING, /* for the answer to it */
	AGENT_FINISHING,
	AGENT_TESTING, /* RAM, one line of an address or data bus after the other */
	AGENT_MEETING, /* at a new speed */
	AGENT_PROVING, /* it */
	AGENT_LEAVING, /* the watch goes down when all is said */
};

struct boot_rom;

struct agent {
	enum agent_state state;
	uint8_t command;
	uint8_t field[AGENT_ROW_SIZE]; /* what comes from the host, up to wanted bytes */
	unsigned int n_field, wanted;

	uint32_t rows; /* of the table, still to come */
	bool matched;
	uint16_t id; /* of the row that matched */
	uint16_t codes[4];

	uint32_t address; /* of the packet */
	uint32_t left;    /* bytes from there on */
	uint32_t packet;  /* its length */
	uint32_t at;      /* bytes of it that were sent */
	uint16_t sum;     /* of those */
	uint64_t n_reads, n_packets;

	unsigned int next, last; /* line of a memory test */
	unsigned int proofs;     /* bytes still to be echoed */
	bool latch_off;          /* B9 was said */
};

/* The agent was just started. */
void agent_start(struct boot_rom *rom);

/* Takes a byte of the host; only while agent_listens(). */
void agent_take(struct boot_rom *rom, uint8_t byte);

bool agent_listens(const struct boot_rom *rom);

/* The next bytes of a packet, at most size; 0 when it is over, stalled or the line went down. */
size_t agent_pull(struct boot_rom *rom, uint8_t *data, size_t size);

/* Puts the report into data, which has room for both sizes of it; returns its length. */
size_t agent_report(const struct boot_rom *rom, uint8_t *data);

/* How large the agent thinks the flash is. */
uint64_t agent_nor_size(const struct boot_rom *rom);
