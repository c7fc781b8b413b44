/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/integration/watch-log.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/strings.h"

#define FLASH_WINDOW 0x10000000U

/* Whole lines: each register takes these values and no others. */
static const char *const writes_allowed[] = {
	/* watchdog off, reset, flash map */
	"write16 a0030000 2200",
	"write16 a003001c 1209",
	"write32 a0510000 00000002",
	/* charger */
	"write16 a0700a00 f27a",
	"write16 a0700a08 010b",
	"write16 a0700a14 6001",
	"write16 a0700a14 6049",
	"write16 a0700a24 0015",
	"write16 a0700a28 8010",
	/* power latch */
	"write16 a0710000 430e",
	"write16 a0710008 0000",
	"write16 a071000c 0000",
	"write16 a0710010 0000",
	"write16 a0710050 a357",
	"write16 a0710054 67d2",
	"write16 a0710068 586a",
	"write16 a0710068 9136",
	"write16 a0710074 0001",
};

/*
 * Beginnings of lines: what changes nothing, and what the watch says of itself. Of the bytes that are
 * no command it knows, A0 asks whether it listens, and 00 ends a read whose arguments were lost.
 */
static const char *const harmless[] = {
	"handshake", "read16-legacy ", "read16 ",     "read32 ",  "get-target-config",
	"get-me-id", "get-bl-version", "get-version", "refused ", "echo a0",
	"echo 00",   "fault ", "unplug",         "reset",       "watchdog",
};

/*
 * Of an agent. It ignores the bytes of a packet length (00, 04, 10) that came with a read it refused,
 * and the A5 that asks where it stands: these are no commands of any agent known.
 */
static const char *const agent_allowed[] = {
	"agent started",    "agent configured", "agent knows",      "agent speed",
	"agent read ",      "agent refuses",    "agent repeats",    "agent finish",
	"agent resets",     "agent ignores 00", "agent ignores 04", "agent ignores 10",
	"agent ignores a5", "send-da ",         "jump-da ",
};

static bool begins_with_one(const char *line, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strafter(line, list[i]))
			return true;
	return false;
}

static bool is_one(const char *line, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (streq(line, list[i]))
			return true;
	return false;
}

static void count_line(struct writes *writes, const char *line, bool agent)
{
	if (begins_with_one(line, harmless, ARRAY_SIZE(harmless)))
		return;
	writes->commands++;
	if (is_one(line, writes_allowed, ARRAY_SIZE(writes_allowed)) ||
	    (agent && begins_with_one(line, agent_allowed, ARRAY_SIZE(agent_allowed))))
		return;
	if (writes->outside++ == 0)
		(void)snprintf(writes->first, sizeof(writes->first), "%s", line);
}

void writes_count(struct writes *writes, const char *log, bool agent)
{
	FILE *file = fopen(log, "re");
	char line[128];

	writes->logs += file != NULL;
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		count_line(writes, line, agent);
	}
	if (file)
		fclose(file);
}

struct reading_run watch_log_run(const char *log)
{
	struct reading_run run = { 0 };
	FILE *file = fopen(log, "re");
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		unsigned int address, count, length;

		if (sscanf(line, "read32 %x %x", &address, &count) == 2 && address < FLASH_WINDOW)
			length = count * 4;
		else if (sscanf(line, "agent read %x %x", &address, &length) != 2)
			continue;
		if (address != run.end)
			run.start = address;
		run.last = address;
		run.end = (uint64_t)address + length;
	}
	if (file)
		fclose(file);
	return run;
}
