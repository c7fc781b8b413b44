/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the two halves of usb-redir share: transfers of data, and requests to the device. */

#include <usbredirparser.h>

#include "tests/watch/usb-device.h"
#include "tests/watch/usb-redir.h"
#include "tests/watch/usb-stream.h"

/* Transfers that the far end may have under way on an endpoint; Linux has 16. */
#define TRANSFERS_MAX 256

struct transfer {
	uint64_t id;
	struct usb_redir_bulk_packet_header header;
	uint8_t *data; /* of the host; owned */
	size_t size, done;
};

/* Oldest first. */
struct transfers {
	struct transfer items[TRANSFERS_MAX];
	size_t n_items;
};

struct usb_redir {
	struct usb_stream stream;
	struct usbredirparser *parser;
	struct usb_device device;
	int error; /* of what was said: -EPROTO, -EACCES */

	bool plugged;  /* by the watch */
	bool greeted;  /* by the far end */
	bool present;  /* the far end was told of the device */
	bool in_doubt; /* it has not yet said that it let go of the last one */

	struct transfers out; /* of the host */
	struct transfers in;  /* for the host */
};

/* Has the parser call what answers requests; all but the bulk packets. */
void usb_redir_serve_requests(struct usb_redir *redir);

/* Tells the far end of the device, once it is plugged in and can be told. */
void usb_redir_announce(struct usb_redir *redir);

/* Answers all transfers that wait with "cancelled". */
void usb_redir_cancel_transfers(struct usb_redir *redir);
