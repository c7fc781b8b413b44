/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lines of a batch. What one says can be said again. */

#include "client/batch/ticket.h"
#include "protocol/base/strings.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct ticket_format *format, const struct ticket *ticket)
{
	_cleanup_(ticket_clear) struct ticket again = { 0 };
	_cleanup_free_ char *line = NULL;
	char why[TICKET_WHY_SIZE];
	size_t size;
	FILE *out = open_memstream(&line, &size);

	fuzz_require(out && !ticket->name == (ticket->n_labels == 0));
	/* The blank keeps a byte order mark that belongs to the ticket from the start of the line. */
	fprintf(out, ticket->slot ? "@%s " : " ", ticket->slot);
	for (size_t i = 0; i < format->n; i++) {
		const char *value = labels_get(ticket->labels, ticket->n_labels, format->keys[i]);

		fprintf(out, "%s%s", i > 0 ? "\t" : "", value ? value : "");
	}
	fuzz_require(fclose(out) == 0);
	fuzz_require(ticket_parse(format, line, size, &again, why) == 0);
	fuzz_require(streq_ptr(ticket->slot, again.slot) && ticket->n_labels == again.n_labels);
	for (size_t i = 0; i < ticket->n_labels; i++)
		fuzz_require(streq(ticket->labels[i].value, again.labels[i].value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(ticket_format_clear) struct ticket_format format = { 0 };
	char why[TICKET_WHY_SIZE];
	size_t at = 0;

	fuzz_require(ticket_format_parse(TICKET_FIELDS, &format, why) == 0);
	while (at < size) {
		_cleanup_(ticket_clear) struct ticket ticket = { 0 };
		const uint8_t *newline = memchr(data + at, '\n', size - at);
		size_t n = newline ? (size_t)(newline - data) - at : size - at;

		if (ticket_parse(&format, (const char *)data + at, n, &ticket, why) == 0)
			check(&format, &ticket);
		at += n + 1;
	}
	return 0;
}
