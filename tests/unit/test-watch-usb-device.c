/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The virtual watch as a USB device: what the captured one answered, and STALL for the rest. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "protocol/base/bytes.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "tests/watch/usb-device.h"

#define CAPTURE     MTKRB_TEST_DATA "/captures/mt6261-control.txt"
#define CAPTURE_MAX 65536
#define SETUP_SIZE  8
#define DATA_MAX    128
#define IN          0x80

struct packet {
	uint8_t data[DATA_MAX];
	size_t size;
};

/* The bytes of the next packet of the capture; false behind the last. */
static bool next_packet(const char **text, struct packet *packet)
{
	const char *line = *text;

	for (;; line = strchr(line, '\n') + 1) {
		const char *hex = strpbrk(line, "<>\n");
		size_t n;

		if (!hex)
			return false;
		if (*hex == '\n' || *line == '#')
			continue;
		hex += 2;
		n = strcspn(hex, "\n");
		packet->size = n / 2;
		assert_true(packet->size <= DATA_MAX);
		{
			_cleanup_free_ char *digits = strndup(hex, n);

			assert_int_equal(hex_decode(digits, packet->data, packet->size), 0);
		}
		*text = hex + n + 1;
		return true;
	}
}

static struct usb_setup setup_of(const struct packet *packet)
{
	const uint8_t *p = packet->data;

	assert_int_equal(packet->size, SETUP_SIZE);
	return (struct usb_setup){ .type = p[0],
				   .request = p[1],
				   .value = get_le16(p + 2),
				   .index = get_le16(p + 4),
				   .length = get_le16(p + 6) };
}

static void replay_transfer(struct usb_device *device, const char **text,
			    const struct packet *first)
{
	struct usb_setup setup = setup_of(first);
	struct packet data = { 0 };
	uint8_t answer[USB_ANSWER_MAX];
	size_t n = 0;

	/* As the sniffer writes it; on the wire its recipient is the interface. */
	if (setup.type == 0 && setup.request == 11)
		setup.type = 1;
	if (setup.length > 0)
		assert_true(next_packet(text, &data));
	assert_int_equal(usb_device_control(device, &setup, data.data,
					    setup.type & IN ? 0 : data.size, answer, &n),
			 0);
	if (!(setup.type & IN))
		return;
	assert_int_equal(n, data.size);
	assert_memory_equal(answer, data.data, n);
}

/* Every request of the capture gets the answer that it got there. */
static void test_capture(_unused_ void **state)
{
	_cleanup_free_ char *data = NULL;
	const char *text;
	struct usb_device device;
	struct packet packet;
	int transfers = 0;

	assert_int_equal(fd_read_file(AT_FDCWD, CAPTURE, CAPTURE_MAX, &data, NULL), 0);
	text = data;
	usb_device_init(&device, USB_PRODUCT_BOOT_ROM);
	while (next_packet(&text, &packet)) {
		/* It has left and come back: the host reads the device descriptor first. */
		if (packet.data[0] == IN && packet.data[1] == 6 && packet.data[3] == 1)
			usb_device_init(&device, USB_PRODUCT_BOOT_ROM);
		replay_transfer(&device, &text, &packet);
		transfers++;
	}
	assert_int_equal(transfers, 60);
	assert_int_equal(device.configuration, 1);
	assert_int_equal(device.control_lines, 2);
}

static int ask(struct usb_device *device, uint8_t type, uint8_t request, uint16_t value,
	       uint16_t index, uint16_t length)
{
	struct usb_setup setup = { type, request, value, index, length };
	uint8_t answer[USB_ANSWER_MAX];
	size_t n = 0;
	int r = usb_device_control(device, &setup, NULL, 0, answer, &n);

	return r < 0 ? r : (int)n;
}

static void test_stalls(_unused_ void **state)
{
	struct usb_device device;

	usb_device_init(&device, USB_PRODUCT_BOOT_ROM);
	assert_int_equal(ask(&device, 0x80, 6, 0x0300, 0, 255), -EPIPE); /* strings */
	assert_int_equal(ask(&device, 0x80, 6, 0x0302, 0x0409, 255), -EPIPE);
	assert_int_equal(ask(&device, 0x80, 6, 0x0600, 0, 10), -EPIPE); /* high speed */
	assert_int_equal(ask(&device, 0x80, 6, 0x0201, 0, 9), -EPIPE);  /* second configuration */
	assert_int_equal(ask(&device, 0x00, 9, 2, 0, 0), -EPIPE);
	assert_int_equal(ask(&device, 0x01, 11, 0, 0, 0), -EPIPE); /* not configured */
	assert_int_equal(ask(&device, 0x00, 9, 1, 0, 0), 0);
	assert_int_equal(ask(&device, 0x01, 11, 1, 0, 0), -EPIPE); /* setting 1 */
	assert_int_equal(ask(&device, 0x01, 11, 0, 2, 0), -EPIPE); /* interface 2 */
	assert_int_equal(ask(&device, 0x81, 10, 0, 1, 1), 1);
	assert_int_equal(ask(&device, 0x00, 3, 1, 0, 0), -EPIPE);    /* remote wake-up */
	assert_int_equal(ask(&device, 0x21, 0x22, 3, 0, 0), -EPIPE); /* lines of the data */
	assert_int_equal(ask(&device, 0x21, 0x02, 1, 1, 2), -EPIPE); /* SET_COMM_FEATURE */
	assert_int_equal(ask(&device, 0x21, 0x20, 0, 1, 7), -EPIPE); /* a coding of 0 bytes */
	assert_int_equal(ask(&device, 0xC0, 1, 0, 4, 16), -EPIPE);   /* vendor */
	assert_int_equal(ask(&device, 0x80, 6, 0x0100, 0, 8), 8);    /* as much as was asked for */
}

static void test_halt(_unused_ void **state)
{
	struct usb_device device;

	usb_device_init(&device, USB_PRODUCT_PRELOADER);
	assert_false(usb_device_has_endpoint(&device, USB_BULK_IN));
	assert_int_equal(ask(&device, 0x00, 9, 1, 0, 0), 0);
	assert_true(usb_device_has_endpoint(&device, USB_BULK_IN));
	assert_int_equal(ask(&device, 0x02, 3, 0, USB_BULK_IN, 0), 0);
	assert_false(usb_device_has_endpoint(&device, USB_BULK_IN));
	assert_true(usb_device_has_endpoint(&device, USB_BULK_OUT));
	assert_int_equal(ask(&device, 0x02, 3, 0, 0x82, 0), -EPIPE);
	assert_int_equal(ask(&device, 0x02, 1, 0, USB_BULK_IN, 0), 0);
	assert_true(usb_device_has_endpoint(&device, USB_BULK_IN));
	usb_device_reset(&device);
	assert_false(usb_device_has_endpoint(&device, USB_BULK_IN));
	assert_int_equal(device.product, USB_PRODUCT_PRELOADER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capture),
		cmocka_unit_test(test_stalls),
		cmocka_unit_test(test_halt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
