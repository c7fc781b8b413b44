/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `mtkrb-watch --usbredir`, from the side of the virtual machine: the host's half of the protocol
 * over a real socket, and what no host would say.
 */

#include "tests/integration/usb-host.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include <usbredirparser.h>

#include "protocol/base/bytes.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define FLASH_SIZE (1U << 20)
#define BLOCK_SIZE 1024U

static void test_enumeration(void **state)
{
	static const char *const configuration =
		"09024300020100800009040000020a0000010705810240000007050102400000090401000102020102"
		"05"
		"240010010424020f0524060100052401030007058303100001";
	struct usb_host *host = *state;
	struct usb_answer answer;

	usb_host_start(host, "--flash=new:1M", NULL);
	usb_host_expect_device(host, 0x0003);
	assert_int_equal(host->device.speed, usb_redir_speed_full);
	assert_int_equal(host->interfaces.interface_count, 2);
	assert_int_equal(host->interfaces.interface_class[0], 0x0A);
	assert_int_equal(host->interfaces.interface_class[1], 0x02);
	assert_int_equal(host->endpoints.type[0x11], usb_redir_type_bulk);
	assert_int_equal(host->endpoints.max_packet_size[0x11], 64);
	assert_int_equal(host->endpoints.type[0x13], usb_redir_type_interrupt);
	assert_int_equal(host->endpoints.type[0x02], usb_redir_type_invalid);

	answer = usb_host_control(host, 0x80, 6, 0x0100, 0, 18);
	usb_answer_expect(&answer, "12011001020000408d0e0300000100000001");
	answer = usb_host_control(host, 0x80, 6, 0x0200, 0, 9);
	usb_answer_expect(&answer, "090243000201008000");
	answer = usb_host_control(host, 0x80, 6, 0x0200, 0, 255);
	usb_answer_expect(&answer, configuration);
	answer = usb_host_control(host, 0x80, 6, 0x0300, 0, 255);
	assert_int_equal(answer.status, usb_redir_stall);

	/* Bulk endpoints are there once it is configured. */
	answer = usb_host_receive(host, 64);
	assert_int_equal(answer.status, usb_redir_stall);
	usb_host_configure(host);
	answer = usb_host_control(host, 0xA1, 0x21, 0, 1, 7);
	usb_answer_expect(&answer, "00c20100000008");
	usb_host_stop(host);
	assert_true(host->gone);
}

/* Nothing to say is no answer, until there is something or the host gives up. */
static void test_waiting(void **state)
{
	struct usb_host *host = *state;
	struct usb_answer answer;
	uint64_t first, second;

	usb_host_start(host, "--flash=new:1M", NULL);
	usb_host_expect_device(host, 0x0003);
	usb_host_configure(host);
	first = usb_host_ask(host, 64);
	second = usb_host_ask(host, 64);
	(void)usb_host_control(host, 0x80, 0, 0, 0, 2);
	assert_false(usb_host_answered(host, first));
	usb_host_cancel(host, first);
	answer = usb_host_take(host, first);
	assert_int_equal(answer.status, usb_redir_cancelled);
	usb_host_send(host, "a0");
	answer = usb_host_take(host, second);
	usb_answer_expect(&answer, "5f");
	/* Has been answered: nothing happens. */
	usb_host_cancel(host, second);
	usb_host_talk(host, "0a", "f5");
}

static void read_block(struct usb_host *host, uint32_t address, uint8_t *data)
{
	char command[19], echo[19];
	uint8_t status[2];

	(void)snprintf(command, sizeof(command), "d1%08x%08x", address, BLOCK_SIZE / 4);
	usb_host_send(host, command);
	usb_host_gather(host, (uint8_t *)echo, 9);
	usb_host_gather(host, status, sizeof(status));
	assert_int_equal(get_be16(status), 0);
	usb_host_gather(host, data, BLOCK_SIZE);
	usb_host_gather(host, status, sizeof(status));
	assert_int_equal(get_be16(status), 0);
	bytes_swap_words(data, BLOCK_SIZE);
}

static void test_reading(void **state)
{
	struct usb_host *host = *state;
	char path[128], option[160];
	_cleanup_free_ char *image = NULL;
	uint8_t data[BLOCK_SIZE];
	size_t size;

	rig_make_image(&host->rig, "image", "1M", path);
	assert_int_equal(fd_read_file(AT_FDCWD, path, FLASH_SIZE, &image, &size), 0);
	(void)snprintf(option, sizeof(option), "--flash=%s", path);
	usb_host_start(host, option, "--rate=1000000", NULL);
	usb_host_expect_device(host, 0x0003);
	usb_host_configure(host);
	usb_host_open_flash(host);
	for (uint32_t block = 0; block < 8; block++) {
		uint32_t address = block * (FLASH_SIZE / 8);

		read_block(host, address, data);
		assert_memory_equal(data, image + address, BLOCK_SIZE);
	}
}

/* A cable that is pulled is a disconnect; the machine stays, and the watch comes back to it. */
static void test_unplug(void **state)
{
	struct usb_host *host = *state;
	struct usb_answer answer;
	uint64_t id;

	usb_host_start(host, "--flash=new:1M", "--fault=unplug@64K", "--replug=100",
		       "--replug-as=preloader", NULL);
	usb_host_expect_device(host, 0x0003);
	usb_host_configure(host);
	usb_host_open_flash(host);
	usb_host_send(host, "d10000fffc00000100");
	do {
		id = usb_host_ask(host, 128);
		answer = usb_host_take(host, id);
	} while (answer.status == usb_redir_success);
	assert_int_equal(answer.status, usb_redir_cancelled);
	usb_host_expect_disconnect(host);
	usb_host_expect_device(host, 0x2000);
	answer = usb_host_control(host, 0x80, 8, 0, 0, 1);
	usb_answer_expect(&answer, "00");
	usb_host_configure(host);
	usb_host_talk(host, NULL, "5245414459"); /* READY */
	assert_false(host->gone);
}

/* The host resets the bus: what was asked for is off, and the device is as it was found. */
static void test_reset(void **state)
{
	struct usb_host *host = *state;
	struct usb_answer answer;
	uint64_t id;

	usb_host_start(host, "--flash=new:1M", NULL);
	usb_host_expect_device(host, 0x0003);
	usb_host_configure(host);
	id = usb_host_ask(host, 64);
	usb_host_reset(host);
	answer = usb_host_take(host, id);
	assert_int_equal(answer.status, usb_redir_cancelled);
	answer = usb_host_control(host, 0x80, 8, 0, 0, 1);
	usb_answer_expect(&answer, "00");
	usb_host_configure(host);
	usb_host_talk(host, "a00a5005", "5ff5affa");
}

/* More than any host has under way is refused, and what fits is served. */
static void test_flood(void **state)
{
	struct usb_host *host = *state;
	struct usb_answer answer;
	uint64_t ids[300];

	usb_host_start(host, "--flash=new:1M", NULL);
	usb_host_expect_device(host, 0x0003);
	usb_host_configure(host);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		ids[i] = usb_host_ask(host, 1U << 20);
	for (size_t i = 256; i < ARRAY_SIZE(ids); i++) {
		answer = usb_host_take(host, ids[i]);
		assert_int_equal(answer.status, usb_redir_ioerror);
	}
	usb_host_send(host, "a0");
	answer = usb_host_take(host, ids[0]);
	usb_answer_expect(&answer, "5f");
	usb_host_cancel(host, ids[200]);
	answer = usb_host_take(host, ids[200]);
	assert_int_equal(answer.status, usb_redir_cancelled);
}

/* Requests for what this device has not. */
static void test_refusals(void **state)
{
	struct usb_host *host = *state;
	struct usb_answer answer;

	usb_host_start(host, "--flash=new:1M", NULL);
	usb_host_expect_device(host, 0x0003);
	assert_int_equal(usb_host_set_configuration(host, 2), usb_redir_stall);
	assert_int_equal(usb_host_start_interrupt(host, 0x83), usb_redir_stall);
	usb_host_configure(host);
	assert_int_equal(usb_host_set_setting(host, 1, 1), usb_redir_stall);
	assert_int_equal(usb_host_set_setting(host, 1, 0), usb_redir_success);
	assert_int_equal(usb_host_start_interrupt(host, 0x83), usb_redir_success);
	assert_int_equal(usb_host_start_interrupt(host, 0x84), usb_redir_stall);
	assert_int_equal(usb_host_start_iso(host, 0x81), usb_redir_inval);
	answer = usb_host_control(host, 0x21, 0x22, 3, 1, 0);
	assert_int_equal(answer.status, usb_redir_success);
	answer = usb_host_control(host, 0xC0, 0x33, 0, 0, 64);
	assert_int_equal(answer.status, usb_redir_stall);
}

static void expect_end(struct usb_host *host, const char *what, const char *hint)
{
	struct output output = usb_host_output(host);

	assert_int_equal(output.status, 1);
	assert_non_null(strstr(output.err, "mtkrb-watch: --usbredir="));
	assert_non_null(strstr(output.err, what));
	assert_non_null(strstr(output.err, hint));
	output_clear(&output);
}

static void test_filter(void **state)
{
	struct usb_host *host = *state;

	host->filter = "-1,0x0e8d,0x0004,-1,1";
	usb_host_start(host, "--flash=new:1M", NULL);
	expect_end(host, "Permission denied", "filter=");
}

static void test_filter_passes(void **state)
{
	struct usb_host *host = *state;

	host->filter = "-1,0x0e8d,0x0003,-1,1";
	usb_host_start(host, "--flash=new:1M", NULL);
	usb_host_expect_device(host, 0x0003);
	usb_host_configure(host);
	usb_host_talk(host, "a0", "5f");
}

/* Packets are type, length, an id of 32 bits, and a body. A hello, which comes first: no capabilities. */
#define ZEROES_17 "0000000000000000000000000000000000"
#define HELLO     "000000004400000000000000" ZEROES_17 ZEROES_17 ZEROES_17 ZEROES_17

static void test_malformed(void **state)
{
	static const char *const streams[] = {
		"474554202f20485454502f312e310d0a0d0a", /* GET / HTTP/1.1 */
		"000000000000000000000000",             /* a hello without a body */
		"00000000ffffffff00000000",             /* one of 4 GiB */
		"00000000ffffff7f00000000",             /* one of 2 GiB */
		"000000000100100000000000",             /* one byte longer than any may be */
		HELLO "010000000000000000000000",   /* a device, which is not for a host to say */
		HELLO "03000000050000000000000000", /* a reset with a body */
		HELLO "e70300000000000000000000",   /* no such type */
		/* 5 bytes for the device, and a bulk transfer of 64 bytes: they do not come. */
		HELLO "640000000a0000000000000000090002010000000500",
		HELLO "650000000c00000000000000010040000000000000000000",
	};
	struct usb_host *host = *state;

	for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
		usb_host_start_raw(host, "--flash=new:1M", NULL);
		usb_host_send_raw(host, streams[i]);
		expect_end(host, "Protocol error", "hint: ");
	}
}

/* Whatever comes, it ends with a word, or waits for more. */
static void test_noise(void **state)
{
	struct usb_host *host = *state;
	uint64_t seed = 1;

	for (int round = 0; round < 40; round++) {
		uint8_t noise[512];

		usb_host_start_raw(host, "--flash=new:1M", NULL);
		if (round % 2)
			usb_host_send_raw(host, HELLO);
		for (size_t i = 0; i < sizeof(noise); i++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			noise[i] = (uint8_t)(seed >> 33);
		}
		/* Half of them look like packets: a type, and a length that is there. */
		if (round % 4 > 1) {
			put_le32(noise, (uint32_t)(noise[0] % 28 + (noise[1] & 1 ? 100 : 0)));
			put_le32(noise + 4, noise[4] % 32);
		}
		usb_host_send_bytes(host, noise, sizeof(noise));
		usb_host_hang_up(host);
		expect_end(host, "", "hint: ");
	}
}

static void test_no_machine(void **state)
{
	struct usb_host *host = *state;
	struct output output = rig_run(&host->rig, "mtkrb-watch", "--flash=new:1M",
				       "--usbredir=/nowhere/at/all", NULL);

	assert_int_equal(output.status, 1);
	assert_string_equal(output.err,
			    "mtkrb-watch: --usbredir=/nowhere/at/all: No such file or directory\n"
			    "hint: start the machine first, with -chardev "
			    "socket,path=...,server=on,wait=off\n");
	output_clear(&output);
	output = rig_run(&host->rig, "mtkrb-watch", "--flash=new:1M", "--usbredir=/x", "--link=/y",
			 NULL);
	assert_int_equal(output.status, 2);
	assert_non_null(strstr(output.err, "hint: "));
	output_clear(&output);
}

/* The machine restarts: with --replug the watch waits for it. */
static void test_machine_restarts(void **state)
{
	struct usb_host *host = *state;

	usb_host_start(host, "--flash=new:1M", "--replug=50", NULL);
	usb_host_expect_device(host, 0x0003);
	usb_host_hang_up(host);
	usb_host_accept(host);
	usb_host_expect_device(host, 0x0003);
	usb_host_configure(host);
	usb_host_talk(host, "a00a5005", "5ff5affa");
}

#define USB_TEST(f) cmocka_unit_test_setup_teardown(f, usb_host_set_up, usb_host_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		USB_TEST(test_enumeration),
		USB_TEST(test_waiting),
		USB_TEST(test_reading),
		USB_TEST(test_unplug),
		USB_TEST(test_reset),
		USB_TEST(test_flood),
		USB_TEST(test_refusals),
		USB_TEST(test_filter),
		USB_TEST(test_filter_passes),
		USB_TEST(test_malformed),
		USB_TEST(test_noise),
		USB_TEST(test_no_machine),
		USB_TEST(test_machine_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
