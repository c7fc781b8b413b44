/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/integration/usb-host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <usbredirfilter.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define WAIT_MSEC     20000
#define ARGUMENTS_MAX 12
#define BULK_OUT      0x01
#define BULK_IN       0x81

/* ---- what the watch says ---- */

static void keep_answer(struct usb_host *host, uint64_t id, uint8_t status, uint8_t *data, int size)
{
	struct usb_answer *answer = &host->answers[host->n_answers];

	assert_true(host->n_answers < USB_ANSWERS_MAX && size <= USB_DATA_MAX);
	host->n_answers++;
	answer->id = id;
	answer->status = status;
	answer->size = (size_t)size;
	if (size > 0)
		memcpy(answer->data, data, (size_t)size);
	free(data);
}

static void on_hello(void *priv, _unused_ struct usb_redir_hello_header *hello)
{
	struct usb_host *host = priv;
	struct usbredirfilter_rule *rules;
	int n_rules;

	host->greeted = true;
	if (!host->filter)
		return;
	assert_int_equal(usbredirfilter_string_to_rules(host->filter, ",", "|", &rules, &n_rules),
			 0);
	usbredirparser_send_filter_filter(host->parser, rules, n_rules);
	usbredirfilter_free(rules);
}

static void on_connect(void *priv, struct usb_redir_device_connect_header *device)
{
	struct usb_host *host = priv;

	assert_false(host->present);
	host->present = true;
	host->device = *device;
}

static void on_disconnect(void *priv)
{
	struct usb_host *host = priv;

	assert_true(host->present);
	host->present = false;
}

static void on_interfaces(void *priv, struct usb_redir_interface_info_header *interfaces)
{
	((struct usb_host *)priv)->interfaces = *interfaces;
}

static void on_endpoints(void *priv, struct usb_redir_ep_info_header *endpoints)
{
	((struct usb_host *)priv)->endpoints = *endpoints;
}

static void on_configuration(void *priv, uint64_t id,
			     struct usb_redir_configuration_status_header *status)
{
	keep_answer(priv, id, status->status, NULL, 0);
}

static void on_setting(void *priv, uint64_t id, struct usb_redir_alt_setting_status_header *status)
{
	keep_answer(priv, id, status->status, NULL, 0);
}

static void on_interrupt(void *priv, uint64_t id,
			 struct usb_redir_interrupt_receiving_status_header *status)
{
	keep_answer(priv, id, status->status, NULL, 0);
}

static void on_iso(void *priv, uint64_t id, struct usb_redir_iso_stream_status_header *status)
{
	keep_answer(priv, id, status->status, NULL, 0);
}

static void on_control(void *priv, uint64_t id, struct usb_redir_control_packet_header *header,
		       uint8_t *data, int size)
{
	keep_answer(priv, id, header->status, data, size);
}

static void on_bulk(void *priv, uint64_t id, struct usb_redir_bulk_packet_header *header,
		    uint8_t *data, int size)
{
	keep_answer(priv, id, header->status, data, size);
}

/* ---- the socket ---- */

static int on_read(void *priv, uint8_t *data, int count)
{
	struct usb_host *host = priv;
	ssize_t n = recv(host->fd, data, (size_t)count, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return 0;
	host->gone = n <= 0;
	return host->gone ? -1 : (int)n;
}

static int on_write(void *priv, uint8_t *data, int count)
{
	struct usb_host *host = priv;

	/* A watch that has gone needs no answer. */
	if (send(host->fd, data, (size_t)count, MSG_NOSIGNAL) != count)
		host->gone = true;
	return count;
}

static void on_log(_unused_ void *priv, _unused_ int level, _unused_ const char *message)
{
}

static void greet(struct usb_host *host)
{
	static const int capabilities[] = {
		usb_redir_cap_connect_device_version,  usb_redir_cap_filter,
		usb_redir_cap_device_disconnect_ack,   usb_redir_cap_64bits_ids,
		usb_redir_cap_ep_info_max_packet_size, usb_redir_cap_32bits_bulk_length,
	};
	uint32_t bits[USB_REDIR_CAPS_SIZE] = { 0 };
	struct usbredirparser *parser = usbredirparser_create();

	assert_non_null(parser);
	host->parser = parser;
	parser->priv = host;
	parser->log_func = on_log;
	parser->read_func = on_read;
	parser->write_func = on_write;
	parser->hello_func = on_hello;
	parser->device_connect_func = on_connect;
	parser->device_disconnect_func = on_disconnect;
	parser->interface_info_func = on_interfaces;
	parser->ep_info_func = on_endpoints;
	parser->configuration_status_func = on_configuration;
	parser->alt_setting_status_func = on_setting;
	parser->interrupt_receiving_status_func = on_interrupt;
	parser->iso_stream_status_func = on_iso;
	parser->control_packet_func = on_control;
	parser->bulk_packet_func = on_bulk;
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
		usbredirparser_caps_set_cap(bits, capabilities[i]);
	usbredirparser_init(parser, "test", bits, USB_REDIR_CAPS_SIZE, 0);
}

/* Sends what is to be sent and takes what has come, waiting for it. */
static void turn(struct usb_host *host)
{
	struct pollfd fd = { .fd = host->fd, .events = POLLIN };

	if (usbredirparser_has_data_to_write(host->parser))
		assert_int_equal(usbredirparser_do_write(host->parser), 0);
	assert_int_equal(poll(&fd, 1, WAIT_MSEC), 1);
	assert_int_not_equal(usbredirparser_do_read(host->parser), usbredirparser_read_parse_error);
	if (usbredirparser_has_data_to_write(host->parser))
		assert_int_equal(usbredirparser_do_write(host->parser), 0);
}

static void await(struct usb_host *host, const bool *flag, bool value)
{
	while (*flag != value) {
		assert_false(host->gone);
		turn(host);
	}
}

/* ---- the watch ---- */

static void start(struct usb_host *host, va_list ap)
{
	const char *arguments[ARGUMENTS_MAX] = { "mtkrb-watch" };
	_cleanup_free_ char *program = str_format("%s/mtkrb-watch", getenv("MTKRB_BIN_DIR"));
	_cleanup_free_ char *option = str_format("--usbredir=%s", host->path);
	size_t n = 1;

	assert_true(program && option);
	while ((arguments[n] = va_arg(ap, const char *)))
		assert_true(++n < ARGUMENTS_MAX - 2);
	arguments[n] = option;
	host->watch = fork();
	assert_true(host->watch >= 0);
	if (host->watch == 0) {
		int err = open(host->err, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (err < 0 || dup2(err, STDERR_FILENO) < 0 || dup2(err, STDOUT_FILENO) < 0)
			_exit(127);
		execv(program, (char *const *)arguments);
		_exit(127);
	}
}

static void take_connection(struct usb_host *host)
{
	struct pollfd fd = { .fd = host->listener, .events = POLLIN };

	assert_int_equal(poll(&fd, 1, WAIT_MSEC), 1);
	host->fd = accept4(host->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(host->fd >= 0);
	host->greeted = host->present = host->gone = false;
	host->n_answers = host->rest_size = 0;
}

void usb_host_accept(struct usb_host *host)
{
	take_connection(host);
	greet(host);
	await(host, &host->greeted, true);
}

void usb_host_start(struct usb_host *host, ...)
{
	va_list ap;

	va_start(ap, host);
	start(host, ap);
	va_end(ap);
	usb_host_accept(host);
}

void usb_host_start_raw(struct usb_host *host, ...)
{
	va_list ap;

	va_start(ap, host);
	start(host, ap);
	va_end(ap);
	take_connection(host);
}

void usb_host_hang_up(struct usb_host *host)
{
	if (host->parser)
		usbredirparser_destroy(host->parser);
	host->parser = NULL;
	host->fd = fd_close(host->fd);
}

static int wait_for(struct usb_host *host)
{
	int status;

	assert_int_equal(waitpid(host->watch, &status, 0), host->watch);
	host->watch = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void usb_host_stop(struct usb_host *host)
{
	assert_int_equal(kill(host->watch, SIGTERM), 0);
	while (!host->gone)
		turn(host);
	assert_false(host->present);
	assert_int_equal(wait_for(host), 0);
}

struct output usb_host_output(struct usb_host *host)
{
	struct output output = { .status = wait_for(host) };

	assert_int_equal(fd_read_file(AT_FDCWD, host->err, 65536, &output.err, NULL), 0);
	usb_host_hang_up(host);
	return output;
}

int usb_host_set_up(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct usb_host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	host->answers = calloc(USB_ANSWERS_MAX, sizeof(*host->answers));
	assert_non_null(host->answers);
	host->fd = -1;
	host->next_id = 1ULL << 40; /* as a machine with much memory numbers them */
	rig_set_up(&host->rig, NULL);
	(void)snprintf(host->path, sizeof(host->path), "%s/usb", host->rig.directory);
	(void)snprintf(host->err, sizeof(host->err), "%s/watch.err", host->rig.directory);
	memcpy(address.sun_path, host->path, strlen(host->path));
	host->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(host->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(host->listener, 4), 0);
	*state = host;
	return 0;
}

int usb_host_tear_down(void **state)
{
	struct usb_host *host = *state;

	if (host->watch > 0) {
		assert_int_equal(kill(host->watch, SIGTERM), 0);
		assert_int_equal(wait_for(host), 0);
	}
	usb_host_hang_up(host);
	fd_close(host->listener);
	rig_tear_down(&host->rig);
	free(host->answers);
	free(host);
	return 0;
}

/* ---- plugging ---- */

void usb_host_expect_device(struct usb_host *host, uint16_t product)
{
	await(host, &host->present, true);
	assert_int_equal(host->device.vendor_id, 0x0E8D);
	assert_int_equal(host->device.product_id, product);
	assert_int_equal(host->device.device_version_bcd, 0x0100);
}

void usb_host_expect_disconnect(struct usb_host *host)
{
	await(host, &host->present, false);
}

void usb_host_reset(struct usb_host *host)
{
	usbredirparser_send_reset(host->parser);
}

uint8_t usb_host_set_configuration(struct usb_host *host, uint8_t configuration)
{
	struct usb_redir_set_configuration_header set = { configuration };

	usbredirparser_send_set_configuration(host->parser, host->next_id, &set);
	return usb_host_take(host, host->next_id++).status;
}

uint8_t usb_host_set_setting(struct usb_host *host, uint8_t interface, uint8_t setting)
{
	struct usb_redir_set_alt_setting_header set = { interface, setting };

	usbredirparser_send_set_alt_setting(host->parser, host->next_id, &set);
	return usb_host_take(host, host->next_id++).status;
}

uint8_t usb_host_start_interrupt(struct usb_host *host, uint8_t endpoint)
{
	struct usb_redir_start_interrupt_receiving_header start_header = { endpoint };

	usbredirparser_send_start_interrupt_receiving(host->parser, host->next_id, &start_header);
	return usb_host_take(host, host->next_id++).status;
}

uint8_t usb_host_start_iso(struct usb_host *host, uint8_t endpoint)
{
	struct usb_redir_start_iso_stream_header start_header = { .endpoint = endpoint };

	usbredirparser_send_start_iso_stream(host->parser, host->next_id, &start_header);
	return usb_host_take(host, host->next_id++).status;
}

void usb_host_configure(struct usb_host *host)
{
	assert_int_equal(usb_host_set_configuration(host, 1), usb_redir_success);
}

/* ---- transfers ---- */

struct usb_answer usb_host_control(struct usb_host *host, uint8_t type, uint8_t request,
				   uint16_t value, uint16_t index, uint16_t length)
{
	struct usb_redir_control_packet_header header = { .endpoint = type & 0x80,
							  .request = request,
							  .requesttype = type,
							  .value = value,
							  .index = index,
							  .length = length };

	usbredirparser_send_control_packet(host->parser, host->next_id, &header, NULL, 0);
	return usb_host_take(host, host->next_id++);
}

uint64_t usb_host_ask(struct usb_host *host, uint32_t size)
{
	struct usb_redir_bulk_packet_header header = { .endpoint = BULK_IN,
						       .length = (uint16_t)size,
						       .length_high = (uint16_t)(size >> 16) };

	usbredirparser_send_bulk_packet(host->parser, host->next_id, &header, NULL, 0);
	return host->next_id++;
}

static size_t find_answer(const struct usb_host *host, uint64_t id)
{
	size_t i = 0;

	while (i < host->n_answers && host->answers[i].id != id)
		i++;
	return i;
}

bool usb_host_answered(const struct usb_host *host, uint64_t id)
{
	return find_answer(host, id) < host->n_answers;
}

struct usb_answer usb_host_take(struct usb_host *host, uint64_t id)
{
	struct usb_answer answer;
	size_t i;

	while (!usb_host_answered(host, id)) {
		assert_false(host->gone);
		turn(host);
	}
	i = find_answer(host, id);
	answer = host->answers[i];
	host->n_answers--;
	memmove(host->answers + i, host->answers + i + 1,
		(host->n_answers - i) * sizeof(*host->answers));
	return answer;
}

void usb_host_cancel(struct usb_host *host, uint64_t id)
{
	usbredirparser_send_cancel_data_packet(host->parser, id);
}

struct usb_answer usb_host_receive(struct usb_host *host, uint32_t size)
{
	return usb_host_take(host, usb_host_ask(host, size));
}

void usb_answer_expect(const struct usb_answer *answer, const char *hex)
{
	char got[2 * USB_DATA_MAX + 1];

	assert_int_equal(answer->status, usb_redir_success);
	hex_encode(answer->data, answer->size, got);
	assert_string_equal(got, hex);
}

/* ---- the boot ROM ---- */

void usb_host_send(struct usb_host *host, const char *hex)
{
	uint8_t data[64];
	size_t size = strlen(hex) / 2;
	struct usb_redir_bulk_packet_header header = { .endpoint = BULK_OUT,
						       .length = (uint16_t)size };

	assert_true(size <= sizeof(data));
	assert_int_equal(hex_decode(hex, data, size), 0);
	usbredirparser_send_bulk_packet(host->parser, host->next_id, &header, data, (int)size);
	assert_int_equal(usb_host_take(host, host->next_id++).status, usb_redir_success);
}

void usb_host_gather(struct usb_host *host, uint8_t *data, size_t size)
{
	while (host->rest_size < size) {
		struct usb_answer answer = usb_host_receive(host, 128);

		assert_int_equal(answer.status, usb_redir_success);
		assert_true(host->rest_size + answer.size <= sizeof(host->rest));
		memcpy(host->rest + host->rest_size, answer.data, answer.size);
		host->rest_size += answer.size;
	}
	memcpy(data, host->rest, size);
	host->rest_size -= size;
	memmove(host->rest, host->rest + size, host->rest_size);
}

void usb_host_talk(struct usb_host *host, const char *hex, const char *answer)
{
	size_t size = strlen(answer) / 2;
	uint8_t data[64];
	char got[2 * sizeof(data) + 1];

	assert_true(size <= sizeof(data));
	if (hex)
		usb_host_send(host, hex);
	usb_host_gather(host, data, size);
	hex_encode(data, size, got);
	assert_string_equal(got, answer);
}

void usb_host_open_flash(struct usb_host *host)
{
	usb_host_talk(host, "a00a5005", "5ff5affa");
	usb_host_talk(host, "d2a0030000000000012200",
		      "d2a00300000000000100012200"
		      "0001");
	usb_host_talk(host, "d4a05100000000000100000002",
		      "d4a0510000000000010001"
		      "00000002"
		      "0001");
}

/* ---- bytes of the socket ---- */

void usb_host_send_bytes(struct usb_host *host, const uint8_t *data, size_t size)
{
	/* It may have had enough already. */
	ssize_t n = send(host->fd, data, size, MSG_NOSIGNAL);

	assert_true(n == (ssize_t)size || errno == EPIPE || errno == ECONNRESET);
}

void usb_host_send_raw(struct usb_host *host, const char *hex)
{
	uint8_t data[256];
	size_t size = strlen(hex) / 2;

	assert_true(size <= sizeof(data));
	assert_int_equal(hex_decode(hex, data, size), 0);
	usb_host_send_bytes(host, data, size);
}
