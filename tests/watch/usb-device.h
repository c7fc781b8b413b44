/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The watch as a USB device: the descriptors of the MT6261 boot ROM, byte for byte as captured, and
 * what it answers to control requests. No I/O, no clock.
 *
 * It knows what the capture shows: descriptors without strings, one configuration, and of CDC ACM
 * the line coding, the control lines and the break. All else is a STALL. No preloader was captured:
 * it is the same device under the id of a preloader, 0e8d:2000.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

#define USB_VENDOR            0x0E8D
#define USB_PRODUCT_BOOT_ROM  0x0003
#define USB_PRODUCT_PRELOADER 0x2000
#define USB_VERSION           0x0100 /* bcdDevice */

#define USB_DEVICE_SIZE        18 /* the device descriptor */
#define USB_CONFIGURATION_SIZE 67 /* the configuration with all that belongs to it */
#define USB_ANSWER_MAX         USB_CONFIGURATION_SIZE

#define USB_CONTROL_SIZE   64 /* of a packet on endpoint 0 */
#define USB_BULK_IN        0x81
#define USB_BULK_OUT       0x01
#define USB_BULK_SIZE      64
#define USB_INTERRUPT_IN   0x83
#define USB_INTERRUPT_SIZE 16

#define USB_N_INTERFACES 2

/* A row of the interface table: what a host asks to be told before it reads descriptors. */
struct usb_interface {
	uint8_t class, subclass, protocol;
};
extern const struct usb_interface usb_interfaces[USB_N_INTERFACES];

struct usb_setup {
	uint8_t type; /* bmRequestType */
	uint8_t request;
	uint16_t value, index, length;
};

struct usb_device {
	uint16_t product;
	uint8_t configuration; /* 0 before the host has chosen the only one, 1 */
	uint8_t halted;        /* endpoints that the host has stopped, see usb-device.c */
	uint8_t line_coding[7];
	uint8_t control_lines; /* bit 0 DTR, bit 1 RTS */
};

/* As after power-on: the host has to configure it. */
void usb_device_init(struct usb_device *device, uint16_t product);

/* The host resets the bus: as above, but the device stays what it is and keeps its line coding. */
void usb_device_reset(struct usb_device *device);

/*
 * One control transfer. data are the size bytes that came with it. The answer, at most setup->length
 * and USB_ANSWER_MAX bytes, goes to ret_answer. -EPIPE: STALL, and nothing has changed.
 */
_must_check_ int usb_device_control(struct usb_device *device, const struct usb_setup *setup,
				    const uint8_t *data, size_t size,
				    uint8_t ret_answer[USB_ANSWER_MAX], size_t *ret_size);

/* SET_CONFIGURATION and SET_INTERFACE, for hosts that say them in another way. -EPIPE: STALL. */
_must_check_ int usb_device_set_configuration(struct usb_device *device, uint16_t configuration);
_must_check_ int usb_device_set_interface(struct usb_device *device, uint16_t interface,
					  uint16_t setting);

/* The endpoint can carry data: it is there, configured and not halted. */
bool usb_device_has_endpoint(const struct usb_device *device, uint8_t endpoint);
