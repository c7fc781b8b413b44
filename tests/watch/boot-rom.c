/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/boot-rom.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "protocol/base/bytes.h"
#include "protocol/base/time.h"
#include "tests/watch/boot-rom-internal.h"
#include "tests/watch/command.h"

void boot_rom_trace(const struct boot_rom *rom, const char *format, ...)
{
	char line[128];
	va_list ap;

	if (!rom->config.log)
		return;
	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	rom->config.log(rom->config.userdata, line);
}

void boot_rom_happens(const struct boot_rom *rom, struct fault *fault)
{
	const char *name = fault_name(fault);

	if (!fault->told)
		boot_rom_trace(rom, "fault %.*s", (int)strcspn(name, "@="), name);
	fault->told = true;
}

bool boot_rom_has(const struct boot_rom *rom, enum fault_kind kind)
{
	struct fault *fault = faults_find(rom->config.faults, kind);

	if (fault)
		boot_rom_happens(rom, fault);
	return fault;
}

void boot_rom_emit(struct boot_rom *rom, const void *data, size_t size)
{
	memcpy(rom->out + rom->out_end, data, size);
	rom->out_end += size;
}

static void emit8(struct boot_rom *rom, uint8_t value)
{
	boot_rom_emit(rom, &value, 1);
}

void boot_rom_emit16(struct boot_rom *rom, uint16_t value)
{
	uint8_t data[2];

	put_be16(data, value);
	boot_rom_emit(rom, data, sizeof(data));
}

void boot_rom_go_down(struct boot_rom *rom, const char *why)
{
	boot_rom_trace(rom, "%s", why);
	rom->up = false;
}

static void start_watchdog(struct boot_rom *rom)
{
	uint64_t usec = rom->config.watchdog_usec;

	rom->watchdog_at = usec ? rom->now + usec : USEC_NEVER;
}

static void emit_garbage(struct boot_rom *rom)
{
	static const uint8_t noise[] = { 0x00, 0xFE, 0x13, 0x37, 0xC0, 0x80, 0x00, 0x41,
					 0x54, 0x0D, 0x0A, 0xFF, 0x7E, 0xE0, 0x1B };

	if (!rom->garbage_sent && boot_rom_has(rom, FAULT_GARBAGE))
		boot_rom_emit(rom, noise, sizeof(noise));
	rom->garbage_sent = true;
}

static void take_handshake(struct boot_rom *rom, uint8_t byte)
{
	static const uint8_t expected[] = { 0xA0, 0x0A, 0x50, 0x05 };

	if (boot_rom_has(rom, FAULT_ECHO))
		emit8(rom, byte);
	if (byte != expected[rom->handshake])
		rom->handshake = 0;
	if (byte != expected[rom->handshake]) {
		boot_rom_trace(rom, "unknown %02x", byte);
		return;
	}
	if (rom->handshake++ == 0) {
		emit_garbage(rom);
		if (rom->watchdog_at == USEC_NEVER)
			start_watchdog(rom);
	}
	emit8(rom, (uint8_t)~byte);
	if (rom->handshake == ARRAY_SIZE(expected)) {
		boot_rom_trace(rom, "handshake");
		rom->state = STATE_COMMAND;
	}
}

static void take_command(struct boot_rom *rom, uint8_t byte)
{
	rom->command = command_find(byte);
	if (!rom->command) {
		boot_rom_trace(rom, "echo %02x", byte);
		emit8(rom, byte);
		return;
	}
	if (!rom->command->silent)
		emit8(rom, byte);
	rom->n_arguments = 0;
	rom->field_size = 0;
	if (rom->command->n_arguments > 0)
		rom->state = STATE_ARGUMENTS;
	else
		rom->command->run(rom);
}

/* Collects a field; true when it is complete, and echoed. */
static bool take_field(struct boot_rom *rom, uint8_t byte, unsigned int width)
{
	rom->field[rom->field_size++] = byte;
	if (rom->field_size < width)
		return false;
	boot_rom_emit(rom, rom->field, width);
	rom->field_size = 0;
	return true;
}

static void take_argument(struct boot_rom *rom, uint8_t byte)
{
	if (!take_field(rom, byte, 4))
		return;
	rom->arguments[rom->n_arguments++] = get_be32(rom->field);
	if (rom->n_arguments == rom->command->n_arguments)
		rom->command->run(rom);
}

static void apply(struct boot_rom *rom, enum registers_effect effect)
{
	switch (effect) {
	case REGISTERS_NOTHING:
		break;
	case REGISTERS_WATCHDOG_OFF:
		rom->watchdog_at = USEC_NEVER;
		break;
	case REGISTERS_WATCHDOG_ON:
		start_watchdog(rom);
		break;
	case REGISTERS_WATCHDOG_KICK:
		if (rom->watchdog_at != USEC_NEVER)
			start_watchdog(rom);
		break;
	case REGISTERS_RESET:
		boot_rom_go_down(rom, "reset");
		break;
	}
}

static void take_value(struct boot_rom *rom, uint8_t byte)
{
	unsigned int width = rom->command->width;
	uint32_t value;

	if (!take_field(rom, byte, width))
		return;
	value = width == 4 ? get_be32(rom->field) : get_be16(rom->field);
	boot_rom_trace(rom, "%s %08x %0*x", rom->command->name, rom->address, (int)width * 2,
		       value);
	apply(rom, memory_write(&rom->memory, rom->address, value, width));
	rom->address += width;
	if (--rom->remaining > 0 || !rom->up)
		return;
	if (rom->command->statuses)
		boot_rom_emit16(rom, STATUS_WRITTEN);
	rom->state = STATE_COMMAND;
}

/* The checksum is the exclusive or of all little-endian halfwords (FlashTool capture). */
static size_t take_image(struct boot_rom *rom, const uint8_t *data, size_t size)
{
	uint32_t n = (uint32_t)MIN_OF(size, rom->remaining);
	uint8_t *ram = memory_ram(&rom->memory, rom->address, n);

	if (ram)
		memcpy(ram, data, n);
	for (uint32_t i = 0; i < n; i++) {
		bool upper = (rom->arguments[1] - rom->remaining + i) & 1;

		rom->checksum ^= (uint16_t)(upper ? data[i] << 8 : data[i]);
	}
	rom->address += n;
	rom->remaining -= n;
	if (rom->remaining == 0) {
		boot_rom_emit16(rom, rom->checksum);
		boot_rom_emit16(rom, STATUS_READ);
		rom->images[rom->n_images++ % BOOT_ROM_IMAGES_MAX] = rom->arguments[0];
		rom->state = STATE_COMMAND;
	}
	return n;
}

static void take_byte(struct boot_rom *rom, uint8_t byte)
{
	switch (rom->state) {
	case STATE_HANDSHAKE:
		take_handshake(rom, byte);
		break;
	case STATE_COMMAND:
		take_command(rom, byte);
		break;
	case STATE_ARGUMENTS:
		take_argument(rom, byte);
		break;
	case STATE_WRITE:
		take_value(rom, byte);
		break;
	case STATE_AGENT:
		agent_take(rom, byte);
		break;
	case STATE_IMAGE:
	case STATE_STREAM:
		break;
	}
}

/* True when the watch has room for the answer to one more byte, and is not busy sending. */
static bool listens(const struct boot_rom *rom)
{
	if (rom->state == STATE_AGENT && !agent_listens(rom))
		return false;
	return rom->state != STATE_STREAM && OUT_SIZE - rom->out_end >= OUT_RESERVE;
}

/* With no-combine, the end of a field is the end of what the watch sees of a write. */
static bool drops_rest(const struct boot_rom *rom)
{
	return rom->state != STATE_HANDSHAKE && rom->state != STATE_AGENT && rom->field_size == 0 &&
	       boot_rom_has(rom, FAULT_NO_COMBINE);
}

static bool is_deaf(const struct boot_rom *rom)
{
	return !rom->up || boot_rom_has(rom, FAULT_MUTE);
}

size_t boot_rom_push(struct boot_rom *rom, const uint8_t *data, size_t size)
{
	size_t i = 0;

	while (i < size && listens(rom)) {
		if (is_deaf(rom))
			return size;
		if (boot_rom_has(rom, FAULT_FF)) {
			emit8(rom, 0xFF);
			i++;
		} else if (rom->state == STATE_IMAGE) {
			i += take_image(rom, data + i, size - i);
		} else {
			take_byte(rom, data[i++]);
			if (drops_rest(rom))
				return size;
		}
	}
	return i;
}

static size_t pull_out(struct boot_rom *rom, uint8_t *data, size_t size)
{
	size_t n = MIN_OF(size, rom->out_end - rom->out_begin);

	memcpy(data, rom->out + rom->out_begin, n);
	rom->out_begin += n;
	if (rom->out_begin == rom->out_end)
		rom->out_begin = rom->out_end = 0;
	return n;
}

/* One step of the answer to a read: the bytes that went to data, not by way of out. */
static size_t pull_reading(struct boot_rom *rom, uint8_t *data, size_t size)
{
	bool direct = size >= READING_SIZE_MIN;
	uint8_t *to = direct ? data : rom->out;
	uint64_t value = 0;

	switch (reading_next(&rom->reading, &rom->memory, rom->config.faults, to,
			     direct ? size : READING_SIZE_MIN, &value)) {
	case READING_DATA:
		if (direct)
			return value;
		rom->out_end = value;
		break;
	case READING_END:
		if (rom->command->statuses)
			boot_rom_emit16(rom, STATUS_READ);
		rom->state = STATE_COMMAND;
		break;
	case READING_STALL:
		rom->stalled_until = value > USEC_NEVER - rom->now ? USEC_NEVER : rom->now + value;
		break;
	case READING_UNPLUG:
		boot_rom_go_down(rom, "unplug");
		break;
	}
	return 0;
}

/* Something long is on its way to the host. */
static bool is_sending(const struct boot_rom *rom)
{
	if (!rom->up || rom->now < rom->stalled_until)
		return false;
	return rom->state == STATE_STREAM ||
	       (rom->state == STATE_AGENT && rom->agent.state == AGENT_SENDING);
}

static void tell_spent(const struct boot_rom *rom)
{
	struct faults *faults = rom->config.faults;

	for (size_t i = 0; i < faults->n_items; i++)
		if (faults->items[i].spent)
			boot_rom_happens(rom, &faults->items[i]);
}

size_t boot_rom_pull(struct boot_rom *rom, uint8_t *data, size_t size)
{
	size_t n = 0;

	while (n < size) {
		if (rom->out_end > 0)
			n += pull_out(rom, data + n, size - n);
		else if (is_sending(rom) && rom->state == STATE_AGENT)
			n += agent_pull(rom, data + n, size - n);
		else if (is_sending(rom))
			n += pull_reading(rom, data + n, size - n);
		else
			break;
	}
	tell_spent(rom);
	if (n == 0 && rom->up && rom->state == STATE_AGENT && rom->agent.state == AGENT_LEAVING)
		boot_rom_go_down(rom, "reset");
	return n;
}

void boot_rom_tick(struct boot_rom *rom, uint64_t now)
{
	rom->now = now;
	if (rom->up && now >= rom->watchdog_at) {
		rom->out_begin = rom->out_end = 0;
		boot_rom_go_down(rom, "watchdog");
	}
}

uint64_t boot_rom_deadline(const struct boot_rom *rom)
{
	uint64_t at = rom->watchdog_at;

	if (!rom->up)
		return USEC_NEVER;
	if (rom->stalled_until > rom->now)
		at = MIN_OF(at, rom->stalled_until);
	return at;
}

bool boot_rom_is_up(const struct boot_rom *rom)
{
	return rom->up;
}

bool boot_rom_is_preloader(const struct boot_rom *rom)
{
	return boot_rom_has(rom, FAULT_PRELOADER) ||
	       (rom->config.replug_as_preloader && rom->power_ons > 1);
}

void boot_rom_power_on(struct boot_rom *rom)
{
	static const char ready[] = { 'R', 'E', 'A', 'D', 'Y' };

	memory_reset(&rom->memory, &rom->config.chip);
	rom->watchdog_at = USEC_NEVER;
	rom->stalled_until = 0;
	rom->up = true;
	rom->power_ons++;
	rom->state = STATE_HANDSHAKE;
	rom->handshake = 0;
	rom->garbage_sent = false;
	rom->n_images = 0;
	rom->out_begin = rom->out_end = 0;
	if (boot_rom_is_preloader(rom) && !boot_rom_has(rom, FAULT_MUTE))
		boot_rom_emit(rom, ready, sizeof(ready));
}

int boot_rom_new(const struct boot_rom_config *config, struct boot_rom **ret)
{
	struct fault *alias = faults_find(config->faults, FAULT_ALIAS);
	struct boot_rom *rom;
	int r;

	rom = calloc(1, sizeof(*rom));
	if (!rom)
		return -ENOMEM;
	rom->config = *config;
	rom->flash = (struct flash){
		.data = config->flash,
		.size = config->flash_size,
		.period = config->past_end == FLASH_WRAP ? config->flash_size : FLASH_SIZE_MAX,
		.past_end = config->past_end,
	};
	if (alias) {
		boot_rom_happens(rom, alias);
		rom->flash.period = alias->value;
	}
	r = memory_init(&rom->memory, &rom->flash);
	if (r < 0) {
		free(rom);
		return r;
	}
	boot_rom_power_on(rom);
	*ret = rom;
	return 0;
}

void boot_rom_free(struct boot_rom *rom)
{
	if (!rom)
		return;
	memory_done(&rom->memory);
	free(rom);
}
