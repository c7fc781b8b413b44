/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdbool.h>

#include "tests/integration/faults/watch-log.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/strings.h"

#define FLASH_WINDOW 0x10000000U

static bool register_is_allowed(unsigned int address, unsigned int value)
{
	static const unsigned int power[] = {
		0xA0510000, 0xA0700A00, 0xA0700A08, 0xA0700A14, 0xA0700A24, 0xA0700A28, 0xA0710000,
		0xA0710008, 0xA071000C, 0xA0710010, 0xA0710050, 0xA0710054, 0xA0710068, 0xA0710074,
	};

	if (address == 0xA0030000)
		return value == 0x2200;
	if (address == 0xA003001C)
		return value == 0x1209;
	for (size_t i = 0; i < ARRAY_SIZE(power); i++)
		if (address == power[i])
			return true;
	return false;
}

/*
 * What the watch says of itself counts with what it was told to do. It ignores the bytes of a packet
 * length (00, 04, 10) that came with a read it refused, and the A5 that asks where it stands: these
 * are no commands of any agent known.
 */
static bool agent_is_allowed(const char *what)
{
	static const char *const words[] = {
		"started",    "configured", "knows",      "speed",  "read ",
		"refuses",    "repeats",    "finish",     "resets", "ignores 00",
		"ignores 04", "ignores 10", "ignores a5",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strafter(what, words[i]))
			return true;
	return false;
}

static bool is_write(const char *line)
{
	return strafter(line, "write") || strafter(line, "bad-write") ||
	       strafter(line, "send-da") || strafter(line, "jump-da") || strafter(line, "agent ");
}

static bool is_allowed(const char *line, bool agent)
{
	unsigned int address, value;
	const char *what = strafter(line, "agent ");

	if (what)
		return agent && agent_is_allowed(what);
	if (strafter(line, "send-da") || strafter(line, "jump-da"))
		return agent;
	if (sscanf(line, "write16 %x %x", &address, &value) == 2 ||
	    sscanf(line, "write32 %x %x", &address, &value) == 2)
		return register_is_allowed(address, value);
	return false;
}

void writes_count(struct writes *writes, const char *log, bool agent)
{
	FILE *file = fopen(log, "re");
	char line[256];

	writes->logs += file != NULL;
	while (file && fgets(line, sizeof(line), file)) {
		if (!is_write(line))
			continue;
		writes->commands++;
		if (is_allowed(line, agent))
			continue;
		if (writes->outside++ == 0)
			(void)snprintf(writes->first, sizeof(writes->first), "%.*s",
				       (int)strcspn(line, "\n"), line);
	}
	if (file)
		fclose(file);
}

struct reading_run watch_log_run(const char *log)
{
	struct reading_run run = { 0 };
	FILE *file = fopen(log, "re");
	uint64_t end = UINT64_MAX;
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		unsigned int address, count, length;

		if (sscanf(line, "read32 %x %x", &address, &count) == 2 && address < FLASH_WINDOW)
			length = count * 4;
		else if (sscanf(line, "agent read %x %x", &address, &length) != 2)
			continue;
		if (address != end)
			run.start = address;
		run.last = address;
		end = (uint64_t)address + length;
	}
	if (file)
		fclose(file);
	return run;
}
