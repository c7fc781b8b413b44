/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/usb-device.h"

#include <errno.h>
#include <string.h>

#include "protocol/base/bytes.h"

#define TYPE_IN        0x80
#define TYPE_CLASS     0x20
#define TYPE_DEVICE    0x00
#define TYPE_INTERFACE 0x01
#define TYPE_ENDPOINT  0x02

enum { /* USB 2.0, table 9-4 */
       GET_STATUS = 0,
       CLEAR_FEATURE = 1,
       SET_FEATURE = 3,
       GET_DESCRIPTOR = 6,
       GET_CONFIGURATION = 8,
       SET_CONFIGURATION = 9,
       GET_INTERFACE = 10,
       SET_INTERFACE = 11,
};

enum { /* USB CDC PSTN 1.2, table 13 */
       SET_LINE_CODING = 0x20,
       GET_LINE_CODING = 0x21,
       SET_CONTROL_LINE_STATE = 0x22,
       SEND_BREAK = 0x23,
};

#define DESCRIPTOR_DEVICE        1
#define DESCRIPTOR_CONFIGURATION 2
#define FEATURE_ENDPOINT_HALT    0
#define COMM_INTERFACE           1 /* data comes first, which is unusual */
#define CONTROL_LINES            0x03

/* Both as the FlashTool capture has them, packets 1 and 7; the product is put in. */
static const uint8_t device_descriptor[USB_DEVICE_SIZE] = {
	0x12, 0x01, 0x10, 0x01, 0x02, 0x00, 0x00, 0x40, 0x8D,
	0x0E, 0x03, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01,
};
#define PRODUCT_OFFSET 10

static const uint8_t configuration_descriptor[USB_CONFIGURATION_SIZE] = {
	0x09, 0x02, 0x43, 0x00, 0x02, 0x01, 0x00, 0x80, 0x00, /* bus powered, 0 mA */
	0x09, 0x04, 0x00, 0x00, 0x02, 0x0A, 0x00, 0x00, 0x01, /* CDC data */
	0x07, 0x05, 0x81, 0x02, 0x40, 0x00, 0x00,             /* bulk IN */
	0x07, 0x05, 0x01, 0x02, 0x40, 0x00, 0x00,             /* bulk OUT */
	0x09, 0x04, 0x01, 0x00, 0x01, 0x02, 0x02, 0x01, 0x02, /* CDC ACM */
	0x05, 0x24, 0x00, 0x10, 0x01,                         /* header */
	0x04, 0x24, 0x02, 0x0F,                               /* ACM */
	0x05, 0x24, 0x06, 0x01, 0x00,                         /* union: 1 is master of 0 */
	0x05, 0x24, 0x01, 0x03, 0x00,             /* calls are managed over interface 0 */
	0x07, 0x05, 0x83, 0x03, 0x10, 0x00, 0x01, /* interrupt IN */
};

const struct usb_interface usb_interfaces[USB_N_INTERFACES] = {
	{ .class = 0x0A },
	{ .class = 0x02, .subclass = 0x02, .protocol = 0x01 },
};

static const uint8_t endpoints[] = { USB_BULK_IN, USB_BULK_OUT, USB_INTERRUPT_IN };

/* 115200 8N1, which is what it says before anybody has asked for something else. */
static const uint8_t line_coding[] = { 0x00, 0xC2, 0x01, 0x00, 0x00, 0x00, 0x08 };

void usb_device_init(struct usb_device *device, uint16_t product)
{
	*device = (struct usb_device){ .product = product };
	memcpy(device->line_coding, line_coding, sizeof(line_coding));
}

void usb_device_reset(struct usb_device *device)
{
	device->configuration = 0;
	device->halted = 0;
}

/* The bit of an endpoint in halted; 0 when there is none of this address. */
static uint8_t endpoint_bit(uint16_t endpoint)
{
	for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++) {
		if (endpoints[i] == endpoint)
			return (uint8_t)(1U << i);
	}
	return 0;
}

bool usb_device_has_endpoint(const struct usb_device *device, uint8_t endpoint)
{
	uint8_t bit = endpoint_bit(endpoint);

	return device->configuration != 0 && bit != 0 && !(device->halted & bit);
}

int usb_device_set_configuration(struct usb_device *device, uint16_t configuration)
{
	if (configuration > 1)
		return -EPIPE;
	device->configuration = (uint8_t)configuration;
	device->halted = 0;
	return 0;
}

int usb_device_set_interface(struct usb_device *device, uint16_t interface, uint16_t setting)
{
	if (device->configuration == 0 || interface >= USB_N_INTERFACES || setting != 0)
		return -EPIPE;
	device->halted = 0;
	return 0;
}

static int get_descriptor(const struct usb_device *device, uint16_t value, uint8_t *answer,
			  size_t *ret_size)
{
	switch (value) { /* the type, and which of them: there is one of each */
	case DESCRIPTOR_DEVICE << 8:
		memcpy(answer, device_descriptor, sizeof(device_descriptor));
		put_le16(answer + PRODUCT_OFFSET, device->product);
		*ret_size = sizeof(device_descriptor);
		return 0;
	case DESCRIPTOR_CONFIGURATION << 8:
		memcpy(answer, configuration_descriptor, sizeof(configuration_descriptor));
		*ret_size = sizeof(configuration_descriptor);
		return 0;
	default:
		return -EPIPE;
	}
}

static int get_status(const struct usb_device *device, const struct usb_setup *setup,
		      uint8_t *answer, size_t *ret_size)
{
	uint8_t bit = endpoint_bit(setup->index);
	uint8_t recipient = setup->type & ~TYPE_IN;

	if (recipient == TYPE_INTERFACE && setup->index >= USB_N_INTERFACES)
		return -EPIPE;
	if (recipient == TYPE_ENDPOINT && bit == 0 && (setup->index & ~TYPE_IN) != 0)
		return -EPIPE;
	put_le16(answer, recipient == TYPE_ENDPOINT && (device->halted & bit) ? 1 : 0);
	*ret_size = 2;
	return 0;
}

static int set_halt(struct usb_device *device, const struct usb_setup *setup, bool halt)
{
	uint8_t bit = endpoint_bit(setup->index);

	if (setup->value != FEATURE_ENDPOINT_HALT || bit == 0 || device->configuration == 0)
		return -EPIPE;
	if (halt)
		device->halted |= bit;
	else
		device->halted &= (uint8_t)~bit;
	return 0;
}

static int get_interface(const struct usb_device *device, uint16_t interface, uint8_t *answer,
			 size_t *ret_size)
{
	if (device->configuration == 0 || interface >= USB_N_INTERFACES)
		return -EPIPE;
	answer[0] = 0;
	*ret_size = 1;
	return 0;
}

static int get_configuration(const struct usb_device *device, uint8_t *answer, size_t *ret_size)
{
	answer[0] = device->configuration;
	*ret_size = 1;
	return 0;
}

static int answer_standard(struct usb_device *device, const struct usb_setup *setup,
			   uint8_t *answer, size_t *ret_size)
{
	switch (setup->type << 8 | setup->request) {
	case (TYPE_IN | TYPE_DEVICE) << 8 | GET_STATUS:
	case (TYPE_IN | TYPE_INTERFACE) << 8 | GET_STATUS:
	case (TYPE_IN | TYPE_ENDPOINT) << 8 | GET_STATUS:
		return get_status(device, setup, answer, ret_size);
	case (TYPE_IN | TYPE_DEVICE) << 8 | GET_DESCRIPTOR:
		return get_descriptor(device, setup->value, answer, ret_size);
	case (TYPE_IN | TYPE_DEVICE) << 8 | GET_CONFIGURATION:
		return get_configuration(device, answer, ret_size);
	case (TYPE_IN | TYPE_INTERFACE) << 8 | GET_INTERFACE:
		return get_interface(device, setup->index, answer, ret_size);
	case TYPE_DEVICE << 8 | SET_CONFIGURATION:
		return usb_device_set_configuration(device, setup->value);
	case TYPE_INTERFACE << 8 | SET_INTERFACE:
		return usb_device_set_interface(device, setup->index, setup->value);
	case TYPE_ENDPOINT << 8 | SET_FEATURE:
		return set_halt(device, setup, true);
	case TYPE_ENDPOINT << 8 | CLEAR_FEATURE:
		return set_halt(device, setup, false);
	default:
		return -EPIPE;
	}
}

static int set_line_coding(struct usb_device *device, const uint8_t *data, size_t size)
{
	if (size != sizeof(device->line_coding))
		return -EPIPE;
	memcpy(device->line_coding, data, size);
	return 0;
}

static int answer_class(struct usb_device *device, const struct usb_setup *setup,
			const uint8_t *data, size_t size, uint8_t *answer, size_t *ret_size)
{
	if (setup->index != COMM_INTERFACE)
		return -EPIPE;
	switch (setup->type << 8 | setup->request) {
	case (TYPE_IN | TYPE_CLASS | TYPE_INTERFACE) << 8 | GET_LINE_CODING:
		memcpy(answer, device->line_coding, sizeof(device->line_coding));
		*ret_size = sizeof(device->line_coding);
		return 0;
	case (TYPE_CLASS | TYPE_INTERFACE) << 8 | SET_LINE_CODING:
		return set_line_coding(device, data, size);
	case (TYPE_CLASS | TYPE_INTERFACE) << 8 | SET_CONTROL_LINE_STATE:
		device->control_lines = (uint8_t)(setup->value & CONTROL_LINES);
		return 0;
	case (TYPE_CLASS | TYPE_INTERFACE) << 8 | SEND_BREAK:
		return 0;
	default:
		return -EPIPE;
	}
}

int usb_device_control(struct usb_device *device, const struct usb_setup *setup,
		       const uint8_t *data, size_t size, uint8_t ret_answer[USB_ANSWER_MAX],
		       size_t *ret_size)
{
	size_t n = 0;
	int r;

	if (setup->type & TYPE_CLASS)
		r = answer_class(device, setup, data, size, ret_answer, &n);
	else
		r = answer_standard(device, setup, ret_answer, &n);
	if (r < 0)
		return r;
	*ret_size = MIN_OF(n, setup->length);
	return 0;
}
