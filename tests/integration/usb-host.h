/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The virtual machine that `mtkrb-watch --usbredir` is plugged into, played by the test: it opens the
 * socket, starts the watch and speaks the host's side of usbredir. Every wait has an end, after which
 * the test fails.
 */

#include "tests/integration/rig.h"

#include <usbredirparser.h>

#define USB_ANSWERS_MAX 512
#define USB_DATA_MAX    4096

struct usb_answer {
	uint64_t id;
	uint8_t status;
	uint8_t data[USB_DATA_MAX];
	size_t size;
};

struct usb_host {
	struct rig rig;
	const char *filter; /* rules that are sent after the hello, or NULL */
	char path[96];      /* of the socket */
	char err[96];       /* what the watch complains of */
	int listener;
	int fd;
	pid_t watch;
	struct usbredirparser *parser;
	uint64_t next_id;

	bool greeted, present, gone;
	struct usb_redir_device_connect_header device;
	struct usb_redir_interface_info_header interfaces;
	struct usb_redir_ep_info_header endpoints;

	struct usb_answer *answers; /* that nobody has taken yet */
	size_t n_answers;
	uint8_t rest[USB_DATA_MAX]; /* of what usb_host_gather() received */
	size_t rest_size;
};

int usb_host_set_up(void **state);
int usb_host_tear_down(void **state);

/* Starts the watch with options up to a NULL, takes its connection and greets; raw: does not greet. */
void usb_host_start(struct usb_host *host, ...);
void usb_host_start_raw(struct usb_host *host, ...);

/* The watch connects again. */
void usb_host_accept(struct usb_host *host);

/* Ends the watch, which ends well, and looks at what it said last. */
void usb_host_stop(struct usb_host *host);
void usb_host_hang_up(struct usb_host *host);

/* Waits for the watch to end by itself. */
struct output usb_host_output(struct usb_host *host);

/* ---- plugging ---- */

void usb_host_expect_device(struct usb_host *host, uint16_t product);
void usb_host_expect_disconnect(struct usb_host *host);
void usb_host_reset(struct usb_host *host);
void usb_host_configure(struct usb_host *host);

/* Their status. */
uint8_t usb_host_set_configuration(struct usb_host *host, uint8_t configuration);
uint8_t usb_host_set_setting(struct usb_host *host, uint8_t interface, uint8_t setting);
uint8_t usb_host_start_interrupt(struct usb_host *host, uint8_t endpoint);
uint8_t usb_host_start_iso(struct usb_host *host, uint8_t endpoint);

/* ---- transfers ---- */

struct usb_answer usb_host_control(struct usb_host *host, uint8_t type, uint8_t request,
				   uint16_t value, uint16_t index, uint16_t length);

/* Asks for bytes of the bulk endpoint; an id for the next three. */
uint64_t usb_host_ask(struct usb_host *host, uint32_t size);
bool usb_host_answered(const struct usb_host *host, uint64_t id);
struct usb_answer usb_host_take(struct usb_host *host, uint64_t id);
void usb_host_cancel(struct usb_host *host, uint64_t id);

/* Both of the above. */
struct usb_answer usb_host_receive(struct usb_host *host, uint32_t size);

/* Success, with these bytes in hexadecimal. */
void usb_answer_expect(const struct usb_answer *answer, const char *hex);

/* ---- the boot ROM, in hexadecimal ---- */

void usb_host_send(struct usb_host *host, const char *hex);

/* Receives until size bytes are there, however they are cut. */
void usb_host_gather(struct usb_host *host, uint8_t *data, size_t size);

/* Sends, unless hex is NULL, and expects an answer. */
void usb_host_talk(struct usb_host *host, const char *hex, const char *answer);

/* As a reader does: handshake, watchdog off, the flash at 0. */
void usb_host_open_flash(struct usb_host *host);

/* ---- bytes of the socket ---- */

void usb_host_send_raw(struct usb_host *host, const char *hex);
void usb_host_send_bytes(struct usb_host *host, const uint8_t *data, size_t size);
