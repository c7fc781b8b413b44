/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/usb-redir-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <usbredirfilter.h>

/* The place of an endpoint in the tables of the protocol: OUT first, IN behind them. */
#define ENDPOINTS_MAX            32
#define ENDPOINT_PLACE(endpoint) (((endpoint)&0x80) >> 3 | ((endpoint)&0x0F))

static void send_interfaces(struct usb_redir *redir)
{
	struct usb_redir_interface_info_header info = { .interface_count = USB_N_INTERFACES };

	for (uint8_t i = 0; i < USB_N_INTERFACES; i++) {
		info.interface[i] = i;
		info.interface_class[i] = usb_interfaces[i].class;
		info.interface_subclass[i] = usb_interfaces[i].subclass;
		info.interface_protocol[i] = usb_interfaces[i].protocol;
	}
	usbredirparser_send_interface_info(redir->parser, &info);
}

static void send_endpoints(struct usb_redir *redir)
{
	static const struct {
		uint8_t address, type, interface, interval;
		uint16_t size;
	} endpoints[] = {
		{ 0x00, usb_redir_type_control, 0, 0, USB_CONTROL_SIZE },
		{ 0x80, usb_redir_type_control, 0, 0, USB_CONTROL_SIZE },
		{ USB_BULK_IN, usb_redir_type_bulk, 0, 0, USB_BULK_SIZE },
		{ USB_BULK_OUT, usb_redir_type_bulk, 0, 0, USB_BULK_SIZE },
		{ USB_INTERRUPT_IN, usb_redir_type_interrupt, 1, 1, USB_INTERRUPT_SIZE },
	};
	struct usb_redir_ep_info_header info = { 0 };

	memset(info.type, usb_redir_type_invalid, sizeof(info.type));
	for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++) {
		size_t place = ENDPOINT_PLACE(endpoints[i].address);

		info.type[place] = endpoints[i].type;
		info.interval[place] = endpoints[i].interval;
		info.interface[place] = endpoints[i].interface;
		info.max_packet_size[place] = endpoints[i].size;
	}
	usbredirparser_send_ep_info(redir->parser, &info);
}

void usb_redir_announce(struct usb_redir *redir)
{
	struct usb_redir_device_connect_header connect = {
		.speed = usb_redir_speed_full,
		.device_class = 0x02,
		.vendor_id = USB_VENDOR,
		.product_id = redir->device.product,
		.device_version_bcd = USB_VERSION,
	};

	if (!redir->plugged || !redir->greeted || redir->in_doubt || redir->present)
		return;
	send_interfaces(redir);
	send_endpoints(redir);
	usbredirparser_send_device_connect(redir->parser, &connect);
	redir->present = true;
}

static void on_hello(void *priv, _unused_ struct usb_redir_hello_header *hello)
{
	struct usb_redir *redir = priv;

	redir->greeted = true;
	usb_redir_announce(redir);
}

static void on_device_disconnect_ack(void *priv)
{
	struct usb_redir *redir = priv;

	redir->in_doubt = false;
	usb_redir_announce(redir);
}

static void on_filter_reject(void *priv)
{
	struct usb_redir *redir = priv;

	redir->error = -EACCES;
}

/* What the far end would refuse is not offered. */
static void on_filter_filter(void *priv, struct usbredirfilter_rule *rules, int n_rules)
{
	struct usb_redir *redir = priv;
	uint8_t class[USB_N_INTERFACES], subclass[USB_N_INTERFACES], protocol[USB_N_INTERFACES];

	for (size_t i = 0; i < USB_N_INTERFACES; i++) {
		class[i] = usb_interfaces[i].class;
		subclass[i] = usb_interfaces[i].subclass;
		protocol[i] = usb_interfaces[i].protocol;
	}
	if (usbredirfilter_check(rules, n_rules, 0x02, 0, 0, class, subclass, protocol,
				 USB_N_INTERFACES, USB_VENDOR, redir->device.product, USB_VERSION,
				 0) != 0)
		redir->error = -EACCES;
	usbredirfilter_free(rules);
}

static void on_reset(void *priv)
{
	struct usb_redir *redir = priv;

	usb_redir_cancel_transfers(redir);
	usb_device_reset(&redir->device);
}

static void send_configuration(struct usb_redir *redir, uint64_t id, int r)
{
	struct usb_redir_configuration_status_header status = {
		.status = r < 0 ? usb_redir_stall : usb_redir_success,
		.configuration = redir->device.configuration,
	};

	if (redir->present)
		usbredirparser_send_configuration_status(redir->parser, id, &status);
}

static void on_set_configuration(void *priv, uint64_t id,
				 struct usb_redir_set_configuration_header *set)
{
	struct usb_redir *redir = priv;
	int r = usb_device_set_configuration(&redir->device, set->configuration);

	if (r >= 0 && redir->present) {
		usb_redir_cancel_transfers(redir);
		send_interfaces(redir);
		send_endpoints(redir);
	}
	send_configuration(redir, id, r);
}

static void on_get_configuration(void *priv, uint64_t id)
{
	send_configuration(priv, id, 0);
}

static void send_setting(struct usb_redir *redir, uint64_t id, uint8_t interface, int r)
{
	struct usb_redir_alt_setting_status_header status = {
		.status = r < 0 ? usb_redir_stall : usb_redir_success,
		.interface = interface,
	};

	if (redir->present)
		usbredirparser_send_alt_setting_status(redir->parser, id, &status);
}

static void on_set_alt_setting(void *priv, uint64_t id,
			       struct usb_redir_set_alt_setting_header *set)
{
	struct usb_redir *redir = priv;

	send_setting(redir, id, set->interface,
		     usb_device_set_interface(&redir->device, set->interface, set->alt));
}

static void on_get_alt_setting(void *priv, uint64_t id,
			       struct usb_redir_get_alt_setting_header *get)
{
	struct usb_redir *redir = priv;
	bool known = redir->device.configuration != 0 && get->interface < USB_N_INTERFACES;

	send_setting(redir, id, get->interface, known ? 0 : -EPIPE);
}

static void on_control_packet(void *priv, uint64_t id,
			      struct usb_redir_control_packet_header *header, uint8_t *data,
			      int size)
{
	struct usb_redir *redir = priv;
	struct usb_redir_control_packet_header reply = *header;
	struct usb_setup setup = { .type = header->requesttype,
				   .request = header->request,
				   .value = header->value,
				   .index = header->index,
				   .length = header->length };
	bool in = header->endpoint & 0x80;
	uint8_t answer[USB_ANSWER_MAX];
	size_t n = 0;
	int r = -EPIPE;

	if (header->endpoint == (header->requesttype & 0x80))
		r = usb_device_control(&redir->device, &setup, data, (size_t)size, answer, &n);
	reply.status = r < 0 ? usb_redir_stall : usb_redir_success;
	reply.length = (uint16_t)(in ? n : (r < 0 ? 0 : (size_t)size));
	if (redir->present)
		usbredirparser_send_control_packet(redir->parser, id, &reply,
						   in && n > 0 ? answer : NULL, in ? (int)n : 0);
	free(data);
}

static void send_interrupt_status(struct usb_redir *redir, uint64_t id, uint8_t endpoint)
{
	bool known =
		endpoint == USB_INTERRUPT_IN && usb_device_has_endpoint(&redir->device, endpoint);
	struct usb_redir_interrupt_receiving_status_header status = {
		.status = known ? usb_redir_success : usb_redir_stall,
		.endpoint = endpoint,
	};

	if (redir->present)
		usbredirparser_send_interrupt_receiving_status(redir->parser, id, &status);
}

static void on_start_interrupt(void *priv, uint64_t id,
			       struct usb_redir_start_interrupt_receiving_header *start)
{
	send_interrupt_status(priv, id, start->endpoint);
}

static void on_stop_interrupt(void *priv, uint64_t id,
			      struct usb_redir_stop_interrupt_receiving_header *stop)
{
	send_interrupt_status(priv, id, stop->endpoint);
}

/* ---- what this device has not: refused ---- */

static void on_start_iso(void *priv, uint64_t id, struct usb_redir_start_iso_stream_header *start)
{
	struct usb_redir *redir = priv;
	struct usb_redir_iso_stream_status_header status = { .status = usb_redir_inval,
							     .endpoint = start->endpoint };

	usbredirparser_send_iso_stream_status(redir->parser, id, &status);
}

static void on_stop_iso(void *priv, uint64_t id, struct usb_redir_stop_iso_stream_header *stop)
{
	struct usb_redir *redir = priv;
	struct usb_redir_iso_stream_status_header status = { .status = usb_redir_inval,
							     .endpoint = stop->endpoint };

	usbredirparser_send_iso_stream_status(redir->parser, id, &status);
}

static void on_alloc_streams(void *priv, uint64_t id,
			     struct usb_redir_alloc_bulk_streams_header *alloc)
{
	struct usb_redir *redir = priv;
	struct usb_redir_bulk_streams_status_header status = { .endpoints = alloc->endpoints,
							       .no_streams = alloc->no_streams,
							       .status = usb_redir_inval };

	usbredirparser_send_bulk_streams_status(redir->parser, id, &status);
}

static void on_free_streams(void *priv, uint64_t id,
			    struct usb_redir_free_bulk_streams_header *streams)
{
	struct usb_redir *redir = priv;
	struct usb_redir_bulk_streams_status_header status = { .endpoints = streams->endpoints,
							       .status = usb_redir_inval };

	usbredirparser_send_bulk_streams_status(redir->parser, id, &status);
}

static void on_iso_packet(_unused_ void *priv, _unused_ uint64_t id,
			  _unused_ struct usb_redir_iso_packet_header *header, uint8_t *data,
			  _unused_ int size)
{
	free(data);
}

static void on_interrupt_packet(void *priv, uint64_t id,
				struct usb_redir_interrupt_packet_header *header, uint8_t *data,
				_unused_ int size)
{
	struct usb_redir *redir = priv;
	struct usb_redir_interrupt_packet_header reply = { .endpoint = header->endpoint,
							   .status = usb_redir_stall };

	if (redir->present)
		usbredirparser_send_interrupt_packet(redir->parser, id, &reply, NULL, 0);
	free(data);
}

void usb_redir_serve_requests(struct usb_redir *redir)
{
	struct usbredirparser *parser = redir->parser;

	parser->hello_func = on_hello;
	parser->reset_func = on_reset;
	parser->set_configuration_func = on_set_configuration;
	parser->get_configuration_func = on_get_configuration;
	parser->set_alt_setting_func = on_set_alt_setting;
	parser->get_alt_setting_func = on_get_alt_setting;
	parser->start_interrupt_receiving_func = on_start_interrupt;
	parser->stop_interrupt_receiving_func = on_stop_interrupt;
	parser->start_iso_stream_func = on_start_iso;
	parser->stop_iso_stream_func = on_stop_iso;
	parser->alloc_bulk_streams_func = on_alloc_streams;
	parser->free_bulk_streams_func = on_free_streams;
	parser->filter_reject_func = on_filter_reject;
	parser->filter_filter_func = on_filter_filter;
	parser->device_disconnect_ack_func = on_device_disconnect_ack;
	parser->control_packet_func = on_control_packet;
	parser->iso_packet_func = on_iso_packet;
	parser->interrupt_packet_func = on_interrupt_packet;
}
