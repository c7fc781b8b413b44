/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "client/batch/ticket.h"
#include "protocol/base/strings.h"

static struct ticket_format format_of(const char *text)
{
	struct ticket_format format = { 0 };
	char why[TICKET_WHY_SIZE];

	assert_int_equal(ticket_format_parse(text, &format, why), 0);
	return format;
}

/* "slot|key=value|…" of what a line says, or "! why". */
static char *read_with(const char *fields, const char *line, size_t size)
{
	_cleanup_(ticket_format_clear) struct ticket_format format = format_of(fields);
	_cleanup_(ticket_clear) struct ticket ticket = { 0 };
	char why[TICKET_WHY_SIZE] = "", *text;
	int r = ticket_parse(&format, line, size, &ticket, why);

	if (r < 0) {
		assert_int_equal(r, -EINVAL);
		assert_null(ticket.slot);
		return str_format("! %s", why);
	}
	text = str_format("%s", ticket.slot ? ticket.slot : "");
	for (size_t i = 0; i < ticket.n_labels; i++) {
		char *longer =
			str_format("%s|%s=%s", text, ticket.labels[i].key, ticket.labels[i].value);

		free(text);
		text = longer;
	}
	assert_true(!ticket.name == (ticket.n_labels == 0));
	return text;
}

static void assert_read(const char *line, const char *expected)
{
	_cleanup_free_ char *read = read_with(TICKET_FIELDS, line, strlen(line));

	assert_string_equal(read, expected);
}

static void assert_read_as(const char *fields, const char *line, const char *expected)
{
	_cleanup_free_ char *read = read_with(fields, line, strlen(line));

	assert_string_equal(read, expected);
}

static void test_fields(void **state _unused_)
{
	assert_read("4711", "|ticket=4711");
	assert_read("4711\r", "|ticket=4711");
	assert_read("  4711  ;  Ms. O'Hara ;", "|ticket=4711|customer=Ms. O'Hara");
	assert_read("4711;;490154203237518", "|ticket=4711|imei=490154203237518");
	assert_read("4711;;;a; b", "! field 5 is one too many: \"b\"");
	assert_read("4711;;;;;;", "|ticket=4711");
	/* With tabs, a semicolon is text. */
	assert_read("4711\tÄnne\t\tred; wet", "|ticket=4711|customer=Änne|note=red; wet");
	assert_read("47;11\t", "|ticket=47;11");
	assert_read("\xef\xbb\xbf"
		    "4711;x",
		    "|ticket=4711|customer=x");
	assert_read("", "");
	assert_read(" \t \r", "");
	assert_read(";Ms. O'Hara", "! the ticket is missing");
	assert_read("\tMs. O'Hara", "! the ticket is missing");
}

static void test_slots(void **state _unused_)
{
	assert_read("@A1", "A1");
	assert_read(" @A1 \r", "A1");
	assert_read("@A1 4711", "A1|ticket=4711");
	assert_read("@usb-0:1.2   4711;x", "usb-0:1.2|ticket=4711|customer=x");
	assert_read("@A1\t4711\tx; y", "A1|ticket=4711|customer=x; y");
	assert_read("@A1;4711;x", "A1|ticket=4711|customer=x");
	assert_read("4711;@A1", "|ticket=4711|customer=@A1");
	assert_read("@", "! \"@\" does not name a slot");
	assert_read("@ 4711", "! \"@\" does not name a slot");
	assert_read("@../x 4711", "! \"@../x\" does not name a slot");
	assert_read("@A1 ;x", "! the ticket is missing");
}

static void test_wrong_text(void **state _unused_)
{
	static const char nul[] = "47\0"
				  "11";
	_cleanup_free_ char *read = read_with(TICKET_FIELDS, nul, sizeof(nul) - 1);
	char longest[LIMIT_LABEL_BYTES + 2];

	assert_string_equal(read, "! this is not UTF-8 text");
	assert_read("47\xff", "! this is not UTF-8 text");
	assert_read("47\033[2J", "! ticket has control characters or more than 512 bytes");
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_read(longest, "! ticket has control characters or more than 512 bytes");
}

static void test_other_fields(void **state _unused_)
{
	assert_read_as("ticket", "4711", "|ticket=4711");
	assert_read_as("imei,-,ticket", "1;x;4711", "|imei=1|ticket=4711");
	assert_read_as("ticket,model", "4711;Watch 2", "|ticket=4711|model=Watch 2");
	assert_read_as("-,ticket", "4711", "! the ticket is missing");
}

static void assert_no_format(const char *text, const char *expected)
{
	struct ticket_format format = { 0 };
	char why[TICKET_WHY_SIZE];

	assert_int_equal(ticket_format_parse(text, &format, why), -EINVAL);
	assert_int_equal(format.n, 0);
	assert_string_equal(why, expected);
}

static void test_wrong_formats(void **state _unused_)
{
	char many[3 * LIMIT_LABELS + 8] = "ticket";

	assert_no_format("", "\"\" cannot be the name of a field");
	assert_no_format("ticket,", "\"\" cannot be the name of a field");
	assert_no_format("ticket,a b", "\"a b\" cannot be the name of a field");
	assert_no_format("customer,imei", "there is no ticket among them");
	assert_no_format("ticket,imei,ticket", "ticket is there twice");
	assert_no_format("ticket,batch", "the batch is said once, not in each line");
	for (size_t i = 0; i < LIMIT_LABELS; i++)
		strcat(many, ",-");
	assert_no_format(many, "more than 32 fields");
}

static void test_imei(void **state _unused_)
{
	/* Two that others print as examples. */
	assert_null(ticket_doubt_imei("490154203237518"));
	assert_null(ticket_doubt_imei("356938035643809"));
	assert_string_equal(ticket_doubt_imei("490154203237517"),
			    "its last digit does not agree with the others");
	assert_string_equal(ticket_doubt_imei("490154203273518"),
			    "its last digit does not agree with the others");
	assert_string_equal(ticket_doubt_imei("49015420323751"), "an IMEI has 15 digits");
	assert_string_equal(ticket_doubt_imei("4901542032375180"), "an IMEI has 15 digits");
	assert_string_equal(ticket_doubt_imei("49015420323751x"), "an IMEI has 15 digits");
	assert_string_equal(ticket_doubt_imei(""), "an IMEI has 15 digits");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),        cmocka_unit_test(test_slots),
		cmocka_unit_test(test_wrong_text),    cmocka_unit_test(test_other_fields),
		cmocka_unit_test(test_wrong_formats), cmocka_unit_test(test_imei),
	};

	return cmocka_run_group_tests_name("client-ticket", tests, NULL, NULL);
}
