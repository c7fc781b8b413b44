/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/doctor/doctor.h"
#include "client/output/print.h"
#include "client/verb.h"
#include "protocol/base/strings.h"
#include "protocol/control/message.h"

#define WATCH_MAX 600

enum { KEY_WATCH = 1 };

static const struct verb_option doctor_options[] = {
	{ "watch", KEY_WATCH, "SECONDS", "look for so long for a watch that comes and goes" },
	{ 0 },
};

static int append_finding(struct json_object *array, const struct doctor_finding *finding)
{
	struct json_object *object;
	int r = message_build(&object,
			      MEMBERS(M_STRING("cause", doctor_cause_to_string(finding->cause)),
				      M_STRING_OPT("device", finding->device),
				      M_STRING("what", finding->what),
				      M_STRING("advice", finding->advice)));

	return r < 0 ? r : message_append(array, object);
}

static int doctor_print_json(const struct client *client, const struct doctor_report *report)
{
	_cleanup_message_ struct json_object *array = NULL, *object = NULL;
	int r = message_new_array(&array);

	for (size_t i = 0; r >= 0 && i < report->n_findings; i++)
		r = append_finding(array, &report->findings[i]);
	if (r >= 0)
		r = message_build(&object, MEMBERS(M_BOOL("ok", report->n_findings == 0),
						   M_INT("ports", report->n_ports),
						   M_BOOL("complete", !report->blind),
						   M_OBJECT("findings", TAKE_PTR(array))));
	return r < 0 ? r : print_json(client, object);
}

static void print_finding(const struct doctor_finding *finding)
{
	print_line("  %s: %s", doctor_cause_to_string(finding->cause), finding->what);
	print_line("      do: %s", finding->advice);
}

static void doctor_print(const struct client *client, const struct doctor_report *report)
{
	if (report->n_findings == 0)
		print_line("Nothing wrong was found: %zu MediaTek port%s.", report->n_ports,
			   report->n_ports == 1 ? "" : "s");
	for (size_t i = 0; i < report->n_findings; i++) {
		if (i < 2)
			print_line(i == 0 ? "Do this first:" : "Then:");
		print_finding(&report->findings[i]);
	}
	if (report->blind)
		print_note(client, "Other users' programs could not be looked at: as root more is "
				   "seen.");
}

/* It looks at a machine, not at a daemon: so it has to run on that one. */
static int doctor_run_there(const struct client *client, unsigned int seconds)
{
	const char *words[1];
	char watch[32];

	(void)snprintf(watch, sizeof(watch), "--watch=%u", seconds);
	words[0] = watch;
	return client_run_there(client, "doctor", words, seconds > 0);
}

static int doctor_run(struct client *client, struct arguments *arguments)
{
	struct doctor_options options = { .root = "", .socket_path = client->socket_path };
	struct doctor_report report = { 0 };
	const char *value;
	char **operands;
	int64_t seconds;
	size_t n;
	int r, status;

	while ((r = arguments_next(arguments, &value)) > 0) {
		if (parse_int(value, 1, WATCH_MAX, &seconds) < 0)
			return arguments_wrong(arguments,
					       "--watch=%s: not a number of seconds from 1 to %d",
					       value, WATCH_MAX),
			       arguments->status;
		options.watch_seconds = (unsigned int)seconds;
	}
	if (r < 0 || arguments_operands(arguments, 0, 0, &operands, &n) < 0)
		return arguments->status;
	if (client->host)
		return doctor_run_there(client, options.watch_seconds);
	if (options.watch_seconds > 0)
		print_note(client, "Plug in the watch; looking for %u s.", options.watch_seconds);
	r = doctor_examine(&options, &report);
	if (r >= 0 && client->json)
		r = doctor_print_json(client, &report);
	else if (r >= 0)
		doctor_print(client, &report);
	status = r < 0                   ? client_status(client, r)
		 : report.n_findings > 0 ? STATUS_FAILED
					 : STATUS_DONE;
	doctor_report_clear(&report);
	return status;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.group = "Help in need",
	.host = HOST_RUNS,
	.arguments = "",
	.summary = "why a watch is not seen or cannot be read",
	.details =
		"Looks at the daemon, the udev rules, USB devices, drivers, rights, other "
		"programs\n"
		"and the kernel's log, and says what to do first. Changes nothing and opens no\n"
		"port. Needs neither root nor a daemon, but sees more as root. Exit status 1 when\n"
		"something was found.",
	.options = doctor_options,
	.run = doctor_run,
};
