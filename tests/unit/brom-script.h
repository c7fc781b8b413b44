/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A boot ROM that follows a script, for tests of the host's side: a child on a socketpair, which
 * fails when the host sends anything that the script does not name, also after its end. The words
 * are those of the FlashTool capture where there is one.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/device/brom.h"

#define BLOCK 1024U

/*
 * Steps: "> hex" the host sends exactly this; "< hex" the watch answers; "block" it sends a block
 * of counted words and "short" one that is a byte too short; "handshake", "echo" (of every byte),
 * "garbage" (before it), "wrong" (one bad answer first); "synchronised" answers A0 and FF.
 */
struct script {
	const char *steps[800];
};

#define FIELDS(op, address)     "> " op, "< " op, "> " address, "< " address, "> 00000001", "< 00000001"
#define READ16(address, value)  FIELDS("D0", address), "< 0000", "< " value, "< 0000"
#define READ32(address, value)  FIELDS("D1", address), "< 0000", "< " value, "< 0000"
#define WRITE16(address, value) FIELDS("D2", address), "< 0001", "> " value, "< " value, "< 0001"
#define WRITE32(address, value) FIELDS("D4", address), "< 0001", "> " value, "< " value, "< 0001"
#define LEGACY(address, value)  FIELDS("A2", address), "< " value

#define COMBINED(address, count) "> D1 " address count, "< D1 " address count
#define MEID                     "F81DA2153082CC5E21AC5236876844C2"
#define ASK_MEID                 "> E1", "< E1", "< 00000010", "< " MEID, "< 0000"
#define WATCHDOG_OFF             WRITE16("A0030000", "2200")
#define IDS                      LEGACY("80000000", "CB01"), LEGACY("8000000C", "8000"), LEGACY("80000004", "0001")
#define QUESTIONS                "> FF", "< 05", "> FE", "< FE", ASK_MEID, "> D8", "< D8", "< 00000000", "< 0000"
#define FUSE(word)               READ32("A01C0108", word)
#define IDENTIFY                 LEGACY("80000008", "6261"), WATCHDOG_OFF, IDS, FUSE("35C00000"), QUESTIONS
#define MAP                                                                                  \
	COMBINED("A0510000", "00000001"), "< 0000", "< 00000000", "< 0000",                  \
		WRITE32("A0510000", "00000002"), COMBINED("A0510000", "00000001"), "< 0000", \
		"< 00000002", "< 0000"
#define READY             "handshake", IDENTIFY, MAP
#define BLOCK_AT(address) COMBINED(address, "00000100"), "< 0000", "block", "< 0000"

static size_t parse(const char *hex, uint8_t *ret)
{
	size_t n = 0;

	for (; *hex; hex++) {
		unsigned int byte;

		if (!isxdigit((unsigned char)*hex))
			continue;
		if (sscanf(hex, "%2x", &byte) != 1)
			_exit(9);
		ret[n++] = (uint8_t)byte;
		hex++;
	}
	return n;
}

/* The next byte of the host, -1 when it hung up or waits for us. */
static int next(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint8_t byte;

	if (poll(&pfd, 1, timeout_ms) <= 0 || read(fd, &byte, 1) != 1)
		return -1;
	return byte;
}

static void say(int fd, const void *data, size_t size)
{
	if (send(fd, data, size, MSG_NOSIGNAL) != (ssize_t)size)
		_exit(2);
}

static void say8(int fd, uint8_t byte)
{
	say(fd, &byte, 1);
}

static void expect(int fd, const char *hex)
{
	uint8_t wanted[64];
	size_t n = parse(hex, wanted);

	for (size_t i = 0; i < n; i++) {
		int byte = next(fd, 5000);

		if (byte != wanted[i]) {
			fprintf(stderr, "watch: wanted %s, byte %zu is %x\n", hex, i, byte);
			_exit(3);
		}
	}
	/* Whatever comes in the same write was sent without waiting for the echo. */
	if (next(fd, 0) >= 0)
		_exit(4);
}

static void send_block(int fd, size_t size)
{
	uint8_t data[BLOCK];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	say(fd, data, size);
}

/* As a boot ROM: a wrong byte begins it anew, and A0 is always a beginning. */
static void shake(int fd, const char *variant)
{
	static const uint8_t expected[] = { 0xA0, 0x0A, 0x50, 0x05 };
	bool echo = streq(variant, "echo"), wrong = streq(variant, "wrong");
	size_t at = 0;

	if (streq(variant, "garbage"))
		say(fd, "\x00\xFFREADY\x5F\x13READY", 15);
	while (at < sizeof(expected)) {
		int byte = next(fd, 5000);

		if (byte < 0)
			_exit(5);
		if (echo)
			say8(fd, (uint8_t)byte);
		if (byte != expected[at])
			at = 0;
		if (byte != expected[at])
			continue;
		if (at == 2 && wrong) {
			wrong = false;
			at = 0;
			say8(fd, 0x11);
			continue;
		}
		say8(fd, (uint8_t)~byte);
		at++;
	}
}

static void be_synchronised(int fd)
{
	for (;;) {
		int byte = next(fd, 5000);

		if (byte != 0xA0 && byte != 0xFF)
			_exit(6);
		say8(fd, byte == 0xA0 ? 0xA0 : 0x05);
		if (byte == 0xFF)
			return;
	}
}

static void play(int fd, const struct script *script)
{
	for (size_t i = 0; i < ARRAY_SIZE(script->steps) && script->steps[i]; i++) {
		const char *step = script->steps[i];
		uint8_t data[64];

		if (step[0] == '>')
			expect(fd, step + 1);
		else if (step[0] == '<')
			say(fd, data, parse(step + 1, data));
		else if (streq(step, "block"))
			send_block(fd, BLOCK);
		else if (streq(step, "short"))
			send_block(fd, BLOCK - 1);
		else if (streq(step, "synchronised"))
			be_synchronised(fd);
		else
			shake(fd, step);
	}
	/* The end: the host may only hang up. */
	_exit(next(fd, 10000) < 0 ? 0 : 7);
}

struct session {
	pid_t watch;
	struct transport *transport;
	struct brom *brom;
};

static void begin(struct session *session, const struct script *script)
{
	int fds[2];

	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), errno);
	session->watch = fork();
	assert_true(session->watch >= 0);
	if (session->watch == 0) {
		close(fds[0]);
		play(fds[1], script);
	}
	close(fds[1]);
	assert_int_equal(transport_new(fds[0], -1, LINE_USB, &session->transport), 0);
	assert_int_equal(brom_new(session->transport, &session->brom), 0);
}

/* Ends the session; the watch must have seen its whole script and nothing else. */
static void end(struct session *session)
{
	int status;

	brom_free(session->brom);
	transport_free(session->transport);
	assert_int_equal(waitpid(session->watch, &status, 0), session->watch);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void begin_identified(struct session *session, const struct script *script,
			     struct brom_identity *identity)
{
	begin(session, script);
	assert_int_equal(brom_handshake(session->brom, 3 * USEC_PER_SEC), 0);
	assert_int_equal(brom_identify(session->brom, identity), 0);
}
