/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/batch/scan.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "client/batch/jobs.h"
#include "client/batch/news.h"
#include "client/calls/request.h"
#include "client/calls/submission.h"
#include "client/client.h"
#include "client/output/lines.h"
#include "client/output/print.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/batch.h"
#include "protocol/control/message.h"

/* A daemon that is restarted by hand or by its watchdog is back long before. */
#define PATIENCE_SECONDS 30U
#define RETRY_MS         250

struct session {
	struct client *client;
	const struct batch_scan *scan;
	struct batch_news *news;
	struct lines lines;
	bool prompts;  /* a person types at a terminal */
	bool prompted; /* the prompt stands there */
	char *slot;    /* that the next ticket is bound to; NULL: none */
	size_t slot_line;
	size_t taken, refused; /* lines */
	bool away;             /* the daemon is, and this was said */
};

static void session_clear(struct session *session)
{
	batch_news_free(session->news);
	free(session->slot);
}

/* "line 3: …" on stderr, and counts it. */
_printf_(2, 3) static void refuse(struct session *session, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	session->refused++;
	print_failure(session->client, "line %zu: %s", session->lines.number,
		      text ? text : "out of memory");
}

/* ---- The daemon, which may be started again meanwhile ---- */

/* False when this is no case for patience, or there was enough of it. */
static bool wait_for_daemon(struct session *session, int r, const struct complaint *complaint,
			    uint64_t deadline)
{
	const struct timespec moment = { 0, RETRY_MS * 1000000L };

	if (r != -ECANCELED || complaint->status != STATUS_NO_DAEMON || time_now() >= deadline)
		return false;
	if (!session->away)
		print_note(session->client,
			   "The daemon went away; trying for %u s to reach it again.",
			   PATIENCE_SECONDS);
	session->away = true;
	(void)nanosleep(&moment, NULL);
	return true;
}

static void daemon_answered(struct session *session)
{
	if (session->away)
		print_note(session->client, "The daemon is back.");
	session->away = false;
}

/* As batch_jobs_of_ticket, but waits until deadline for a daemon that is away. */
static int find_ticket(struct session *session, const char *ticket, uint64_t deadline, int64_t *ret,
		       struct complaint *complaint)
{
	int r;

	do {
		r = batch_jobs_of_ticket(session->client, session->scan->name, ticket, ret,
					 complaint);
	} while (wait_for_daemon(session, r, complaint, deadline));
	if (r >= 0)
		daemon_answered(session);
	return r;
}

/*
 * Submits once: when the daemon goes away before it answers, only the batch itself can say whether
 * the job is there. known is the newest job of the ticket before.
 */
static int submit(struct session *session, const char *ticket, const struct job_request *job,
		  int64_t known, int64_t *ret, struct complaint *complaint)
{
	uint64_t deadline = time_now() + PATIENCE_SECONDS * USEC_PER_SEC;

	for (;;) {
		_cleanup_(submission_clear) struct submission submission = { 0 };
		int64_t newest = 0;
		int r = submission_send(session->client, session->scan->request, job, &submission,
					complaint);

		if (r >= 0) {
			*ret = submission.ids[0];
			return 0;
		}
		if (!wait_for_daemon(session, r, complaint, deadline))
			return r;
		r = find_ticket(session, ticket, deadline, &newest, complaint);
		if (r < 0)
			return r;
		if (newest > known) {
			*ret = newest;
			return 0;
		}
	}
}

/* ---- A line ---- */

/* What the options say, and then the line, whose words come first. */
static int make_job(const struct batch_scan *scan, const struct ticket *ticket, const char *slot,
		    struct job_request *ret)
{
	const struct job_request *options = &scan->request->job;
	_cleanup_(job_request_clear) struct job_request job = { 0 };
	int r = job_request_copy(options, &job);

	if (r < 0)
		return r;
	labels_free(job.labels, job.n_labels);
	job.labels = NULL;
	job.n_labels = 0;
	r = job_request_add_label(&job, LABEL_BATCH, scan->name);
	for (size_t i = 0; i < ticket->n_labels && r >= 0; i++)
		r = job_request_add_label(&job, ticket->labels[i].key, ticket->labels[i].value);
	for (size_t i = 0; i < options->n_labels && r >= 0; i++) {
		r = job_request_add_label(&job, options->labels[i].key, options->labels[i].value);
		r = r == -EEXIST ? 0 : r;
	}
	if (r >= 0 && slot)
		r = str_replace(&job.slot, slot);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(job);
	return 0;
}

/* The job's number, the ticket and the slot it is bound to, on stdout. */
static int acknowledge(struct session *session, int64_t id, const char *ticket, const char *slot)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r;

	session->taken++;
	if (!session->client->json) {
		print_line("job %" PRId64 ": ticket %s%s%s", id, ticket, slot ? ", slot " : "",
			   slot ? slot : "");
		fflush(stdout);
		return 0;
	}
	r = message_build(&object, MEMBERS(M_INT("job", id), M_STRING("ticket", ticket),
					   M_STRING_OPT("slot", slot),
					   M_INT("line", session->lines.number)));
	return r < 0 ? r : print_json_line(object);
}

/* True when nothing can be taken any more: *ret_status says how it ends. */
static bool give_up(struct session *session, int r, const char *ticket,
		    const struct complaint *complaint, int *ret_status)
{
	if (r == -E2BIG) {
		refuse(session, "ticket %s: more than %u labels", ticket, LIMIT_LABELS);
		return false;
	}
	if (r != -ECANCELED || complaint->status == STATUS_NO_DAEMON ||
	    complaint->status == STATUS_NOT_PERMITTED) {
		*ret_status = client_complain(session->client, r, complaint);
		print_failure(session->client, "line %zu: ticket %s was not queued",
			      session->lines.number, ticket);
		return true;
	}
	refuse(session, "ticket %s: %s", ticket,
	       complaint->message ? complaint->message : "out of memory");
	if (complaint->hint)
		print_hint(session->client, "%s", complaint->hint);
	return false;
}

static void doubt_imei(const struct session *session, const struct ticket *ticket)
{
	const char *imei = labels_get(ticket->labels, ticket->n_labels, LABEL_IMEI);
	const char *doubt = imei ? ticket_doubt_imei(imei) : NULL;

	if (doubt)
		print_note(session->client, "line %zu: ticket %s: IMEI %s: %s",
			   session->lines.number, ticket->name, imei, doubt);
}

/* 0 also when it was refused. */
static int queue_ticket(struct session *session, const struct ticket *ticket, const char *slot,
			struct complaint *complaint)
{
	_cleanup_(job_request_clear) struct job_request job = { 0 };
	const struct batch_scan *scan = session->scan;
	int64_t known = 0, id = 0;
	int r = find_ticket(session, ticket->name, time_now() + PATIENCE_SECONDS * USEC_PER_SEC,
			    &known, complaint);

	if (r < 0)
		return r;
	if (known && !scan->again) {
		refuse(session, "ticket %s is in batch %s already, as job %" PRId64, ticket->name,
		       scan->name, known);
		print_hint(session->client,
			   "'mtkrbctl retry %" PRId64 "' tries it again; --again takes a ticket "
			   "twice",
			   known);
		return 0;
	}
	r = make_job(scan, ticket, slot, &job);
	if (r >= 0)
		r = submit(session, ticket->name, &job, known, &id, complaint);
	if (r < 0)
		return r;
	doubt_imei(session, ticket);
	return acknowledge(session, id, ticket->name, job.slot);
}

/* A slot that was named before waits on for a ticket that is taken. The exit status. */
static int take_ticket(struct session *session, const struct ticket *ticket)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	size_t taken = session->taken;
	int r, status = STATUS_DONE;

	if (session->slot && ticket->slot) {
		print_note(session->client, "line %zu: slot %s of line %zu is not used",
			   session->lines.number, session->slot, session->slot_line);
		free(TAKE_PTR(session->slot));
	}
	r = queue_ticket(session, ticket, ticket->slot ? ticket->slot : session->slot, &complaint);
	if (session->taken > taken)
		free(TAKE_PTR(session->slot));
	if (r < 0 && give_up(session, r, ticket->name, &complaint, &status))
		return status;
	return STATUS_DONE;
}

/* What the line says of a slot and of a ticket; the exit status, STATUS_DONE to go on. */
static int take_line(struct session *session, const char *line, size_t size)
{
	_cleanup_(ticket_clear) struct ticket ticket = { 0 };
	char why[TICKET_WHY_SIZE];
	int r = ticket_parse(session->scan->format, line, size, &ticket, why);

	if (r == -EINVAL) {
		refuse(session, "%s", why);
		return STATUS_DONE;
	}
	if (r < 0)
		return client_status(session->client, r);
	if (ticket.name)
		return take_ticket(session, &ticket);
	if (ticket.slot) {
		free(session->slot);
		session->slot = TAKE_PTR(ticket.slot);
		session->slot_line = session->lines.number;
	}
	return STATUS_DONE;
}

/* ---- The session ---- */

/* All lines that are there; the exit status, STATUS_DONE to go on. */
static int take_lines(struct session *session)
{
	const char *line;
	size_t size;
	int r, status = STATUS_DONE;

	while (status == STATUS_DONE && (r = lines_next(&session->lines, &line, &size)) != 0) {
		session->prompted = false;
		if (r > 0)
			status = take_line(session, line, size);
		else
			refuse(session, "longer than %u bytes", LINES_MAX_BYTES);
	}
	return status;
}

static void prompt(struct session *session)
{
	if (!session->prompts || session->prompted)
		return;
	fprintf(stderr, session->slot ? "ticket for %s> " : "ticket> ", session->slot);
	fflush(stderr);
	session->prompted = true;
}

/* For the input or the daemon's news, and takes either. Negative errno. */
static int wait_for_more(struct session *session)
{
	struct pollfd fds[] = {
		{ .fd = session->lines.fd, .events = POLLIN },
		{ .fd = batch_news_fd(session->news), .events = POLLIN },
	};
	int r = poll(fds, ARRAY_SIZE(fds), batch_news_patience(session->news));

	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[1].revents || fds[1].fd < 0) {
		r = batch_news_take(session->news);
		if (r < 0)
			return r;
	}
	return fds[0].revents ? lines_fill(&session->lines) : 0;
}

static int run(struct session *session)
{
	for (;;) {
		int r, status = take_lines(session);

		if (status != STATUS_DONE || session->lines.ended)
			return status;
		prompt(session);
		r = wait_for_more(session);
		if (r < 0)
			return client_status(session->client, r);
	}
}

/* How it went, and what comes next; the exit status. */
static int summarise(struct session *session)
{
	const struct client *client = session->client;
	const char *name = session->scan->name;

	if (session->prompted)
		fputc('\n', stderr);
	if (session->slot) {
		session->refused++;
		print_failure(client, "line %zu: no ticket follows for slot %s", session->slot_line,
			      session->slot);
	}
	print_note(client, "%zu ticket%s queued in batch %s", session->taken,
		   session->taken == 1 ? "" : "s", name);
	if (session->refused) {
		print_failure(client, "%zu line%s not taken", session->refused,
			      session->refused == 1 ? " was" : "s were");
		return STATUS_FAILED;
	}
	if (client->out.tty)
		print_note(client, "To see it through: mtkrbctl batch finish %s --wait", name);
	return STATUS_DONE;
}

/* Who wants no remarks is told nothing of the jobs either. */
static int follow_news(struct session *session)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	int r = batch_news_new(session->client, session->scan->name, &session->prompted,
			       &session->news);

	if (r >= 0 && !session->client->quiet)
		r = batch_news_follow(session->news, &complaint);
	return r < 0 ? client_complain(session->client, r, &complaint) : STATUS_DONE;
}

int batch_scan_run(struct client *client, const struct batch_scan *scan)
{
	_cleanup_(session_clear) struct session session = {
		.client = client,
		.scan = scan,
		.prompts = isatty(STDIN_FILENO) && client->err.tty,
	};
	_cleanup_message_ struct json_object *reply = NULL;
	/* Without a daemon there is no use in scanning; one that goes away later is waited for. */
	int r = client_call(client, "GetStatus", NULL, &reply);

	if (r == STATUS_DONE)
		r = follow_news(&session);
	if (r != STATUS_DONE)
		return r;
	lines_init(&session.lines, STDIN_FILENO);
	r = run(&session);
	return r == STATUS_DONE ? summarise(&session) : r;
}
