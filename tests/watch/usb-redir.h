/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The usbredir protocol on a stream socket, from the side that has the device: the USB device of a
 * watch, whose bulk endpoints carry what the boot ROM and the host say to each other. The far end
 * is a virtual machine (qemu -device usb-redir) and is not trusted: a packet that is too long, or is
 * none, ends it.
 *
 * As on a bus, the host moves the data: bytes for it wait until it asks (a NAK), and its own wait
 * until they are read here. The interrupt endpoint stays silent.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol/base/cleanup.h"

struct usb_redir;

/* Greets the far end of a socket, which is closed by usb_redir_free(); also when this fails: -ENOMEM. */
_must_check_ int usb_redir_new(int socket, struct usb_redir **ret);

/* Unplugs and closes the socket. */
void usb_redir_free(struct usb_redir *redir);
DEFINE_CLEANUP(struct usb_redir *, usb_redir_free);
#define _cleanup_usb_redir_ _cleanup_(usb_redir_freep)

/* Plugs a device with this product id in, as soon as the far end has greeted and let go of the last. */
void usb_redir_plug(struct usb_redir *redir, uint16_t product);

/* The host sees it leave; what was under way is lost. */
void usb_redir_unplug(struct usb_redir *redir);

/* What to poll for. */
int usb_redir_fd(const struct usb_redir *redir);
short usb_redir_events(const struct usb_redir *redir);

/*
 * Serves what poll() said. -EPIPE when the far end has closed, -EPROTO when it does not speak
 * usbredir, -EACCES when it has a filter that this device does not pass; each of them is final.
 */
_must_check_ int usb_redir_dispatch(struct usb_redir *redir, short revents);

/* POLLIN when the host has sent something, POLLOUT when it waits for something. */
short usb_redir_ready(const struct usb_redir *redir);

/* Bytes of the oldest transfer that the host sent; 0 for none. */
size_t usb_redir_read(struct usb_redir *redir, void *data, size_t size);

/* Gives the host bytes in packets of 64, as many as it waits for. A short one ends a transfer. */
size_t usb_redir_write(struct usb_redir *redir, const void *data, size_t size);
