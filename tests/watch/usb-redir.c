/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/usb-redir.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/fd.h"
#include "tests/watch/usb-redir-internal.h"

/* ---- transfers ---- */

/* Without data, size is how much of the host's was taken. */
static void answer_bulk(struct usb_redir *redir, const struct transfer *transfer, uint8_t status,
			const uint8_t *data, size_t size)
{
	struct usb_redir_bulk_packet_header header = transfer->header;

	header.status = status;
	header.length = (uint16_t)size;
	header.length_high = (uint16_t)(size >> 16);
	usbredirparser_send_bulk_packet(redir->parser, transfer->id, &header, (uint8_t *)data,
					data ? (int)size : 0);
}

static void transfers_remove(struct transfers *transfers, size_t i)
{
	free(transfers->items[i].data);
	transfers->n_items--;
	memmove(transfers->items + i, transfers->items + i + 1,
		(transfers->n_items - i) * sizeof(*transfers->items));
}

static void transfers_cancel(struct usb_redir *redir, struct transfers *transfers)
{
	while (transfers->n_items > 0) {
		answer_bulk(redir, &transfers->items[0], usb_redir_cancelled, NULL, 0);
		transfers_remove(transfers, 0);
	}
}

void usb_redir_cancel_transfers(struct usb_redir *redir)
{
	transfers_cancel(redir, &redir->in);
	transfers_cancel(redir, &redir->out);
}

/* Takes data. */
static void on_bulk_packet(void *priv, uint64_t id, struct usb_redir_bulk_packet_header *header,
			   uint8_t *data, int size)
{
	struct usb_redir *redir = priv;
	bool in = header->endpoint == USB_BULK_IN;
	struct transfers *transfers = in ? &redir->in : &redir->out;
	struct transfer transfer = { .id = id, .header = *header, .data = data };

	transfer.size = in ? (size_t)header->length_high << 16 | header->length : (size_t)size;
	if (!redir->present) {
		free(data);
	} else if ((!in && header->endpoint != USB_BULK_OUT) ||
		   !usb_device_has_endpoint(&redir->device, header->endpoint)) {
		answer_bulk(redir, &transfer, usb_redir_stall, NULL, 0);
		free(data);
	} else if (transfers->n_items == TRANSFERS_MAX) {
		answer_bulk(redir, &transfer, usb_redir_ioerror, NULL, 0);
		free(data);
	} else {
		transfers->items[transfers->n_items++] = transfer;
	}
}

static bool cancel_one(struct usb_redir *redir, struct transfers *transfers, uint64_t id)
{
	for (size_t i = 0; i < transfers->n_items; i++) {
		if (transfers->items[i].id != id)
			continue;
		answer_bulk(redir, &transfers->items[i], usb_redir_cancelled, NULL, 0);
		transfers_remove(transfers, i);
		return true;
	}
	return false;
}

/* One that is not there has been answered already. */
static void on_cancel_data_packet(void *priv, uint64_t id)
{
	struct usb_redir *redir = priv;

	if (!cancel_one(redir, &redir->in, id))
		(void)cancel_one(redir, &redir->out, id);
}

/* ---- the whole ---- */

static size_t header_size(const struct usb_redir *redir)
{
	bool wide = redir->greeted &&
		    usbredirparser_peer_has_cap(redir->parser, usb_redir_cap_64bits_ids);

	return wide ? USB_STREAM_HEADER_MAX : USB_STREAM_HEADER_MAX - sizeof(uint32_t);
}

static int on_read(void *priv, uint8_t *data, int count)
{
	struct usb_redir *redir = priv;

	if (redir->error < 0)
		return -1;
	return usb_stream_read(&redir->stream, data, (size_t)count, header_size(redir));
}

/* All is taken: told to wait, the parser would sleep. */
static int on_write(void *priv, uint8_t *data, int count)
{
	struct usb_redir *redir = priv;

	return usb_stream_write(&redir->stream, data, (size_t)count) < 0 ? -1 : count;
}

/* What the parser complains of comes back as an error, too. */
static void on_log(_unused_ void *priv, _unused_ int level, _unused_ const char *message)
{
}

static void set_callbacks(struct usb_redir *redir)
{
	struct usbredirparser *parser = redir->parser;

	parser->priv = redir;
	parser->log_func = on_log;
	parser->read_func = on_read;
	parser->write_func = on_write;
	parser->cancel_data_packet_func = on_cancel_data_packet;
	parser->bulk_packet_func = on_bulk_packet;
	usb_redir_serve_requests(redir);
}

static void send_out(struct usb_redir *redir)
{
	if (usbredirparser_has_data_to_write(redir->parser) > 0)
		(void)usbredirparser_do_write(redir->parser);
	usb_stream_flush(&redir->stream);
}

int usb_redir_new(int socket, struct usb_redir **ret)
{
	static const int capabilities[] = {
		usb_redir_cap_connect_device_version,  usb_redir_cap_filter,
		usb_redir_cap_device_disconnect_ack,   usb_redir_cap_64bits_ids,
		usb_redir_cap_ep_info_max_packet_size, usb_redir_cap_32bits_bulk_length,
	};
	uint32_t bits[USB_REDIR_CAPS_SIZE] = { 0 };
	_cleanup_usb_redir_ struct usb_redir *redir = calloc(1, sizeof(*redir));

	if (!redir) {
		fd_close(socket);
		return -ENOMEM;
	}
	usb_stream_init(&redir->stream, socket);
	redir->parser = usbredirparser_create();
	if (!redir->parser)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
		usbredirparser_caps_set_cap(bits, capabilities[i]);
	set_callbacks(redir);
	usbredirparser_init(redir->parser, "mtkrb-watch " MTKRB_VERSION, bits, USB_REDIR_CAPS_SIZE,
			    usbredirparser_fl_usb_host);
	send_out(redir);
	*ret = TAKE_PTR(redir);
	return 0;
}

void usb_redir_free(struct usb_redir *redir)
{
	if (!redir)
		return;
	if (redir->parser) {
		usb_redir_unplug(redir);
		usbredirparser_destroy(redir->parser);
	}
	usb_stream_done(&redir->stream);
	free(redir);
}

void usb_redir_plug(struct usb_redir *redir, uint16_t product)
{
	usb_device_init(&redir->device, product);
	redir->plugged = true;
	usb_redir_announce(redir);
	send_out(redir);
}

void usb_redir_unplug(struct usb_redir *redir)
{
	redir->plugged = false;
	usb_redir_cancel_transfers(redir);
	if (redir->present) {
		usbredirparser_send_device_disconnect(redir->parser);
		redir->in_doubt = usbredirparser_peer_has_cap(redir->parser,
							      usb_redir_cap_device_disconnect_ack);
	}
	redir->present = false;
	send_out(redir);
}

int usb_redir_fd(const struct usb_redir *redir)
{
	return redir->stream.fd;
}

short usb_redir_events(const struct usb_redir *redir)
{
	return usb_stream_events(&redir->stream);
}

int usb_redir_dispatch(struct usb_redir *redir, short revents)
{
	int r = 0;

	if (revents & (POLLIN | POLLHUP | POLLERR)) {
		usb_stream_begin(&redir->stream);
		r = usbredirparser_do_read(redir->parser);
	}
	if (r == usbredirparser_read_parse_error && redir->error == 0)
		redir->error = -EPROTO;
	send_out(redir);
	return redir->error < 0 ? redir->error : redir->stream.error;
}

short usb_redir_ready(const struct usb_redir *redir)
{
	return (short)((redir->out.n_items > 0 ? POLLIN : 0) |
		       (redir->in.n_items > 0 ? POLLOUT : 0));
}

size_t usb_redir_read(struct usb_redir *redir, void *data, size_t size)
{
	struct transfers *out = &redir->out;
	struct transfer *transfer = &out->items[0];
	size_t n;

	if (out->n_items == 0)
		return 0;
	n = MIN_OF(size, transfer->size - transfer->done);
	if (n > 0)
		memcpy(data, transfer->data + transfer->done, n);
	transfer->done += n;
	if (transfer->done == transfer->size) {
		answer_bulk(redir, transfer, usb_redir_success, NULL, transfer->size);
		transfers_remove(out, 0);
		send_out(redir);
	}
	return n;
}

size_t usb_redir_write(struct usb_redir *redir, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	size_t n, done = 0;

	while (done < size && redir->in.n_items > 0) {
		n = MIN_OF(redir->in.items[0].size, size - done);
		answer_bulk(redir, &redir->in.items[0], usb_redir_success, bytes + done, n);
		transfers_remove(&redir->in, 0);
		done += n;
	}
	send_out(redir);
	return done;
}
