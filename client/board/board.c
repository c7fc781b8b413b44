/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/board/board.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "client/board/internal.h"
#include "client/board/paint.h"
#include "client/board/panel.h"
#include "client/board/screen.h"
#include "client/board/words.h"
#include "client/calls/events.h"
#include "client/client.h"
#include "client/output/when.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

#define FRAME_USEC   (100 * USEC_PER_MSEC) /* a screen at most that often */
#define RETRY_USEC   (1 * USEC_PER_SEC)    /* between attempts to reach the daemon */
#define MESSAGE_USEC (6 * USEC_PER_SEC)
#define SLOW_USEC    (2 * USEC_PER_SEC) /* an answer that takes longer is mentioned */
#define EVENTS_MAX   500                /* taken at once, so that keys are not kept waiting */

void board_say(struct board *board, enum tint tint, const char *format, ...)
{
	char *message;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&message, format, ap) < 0)
		message = NULL;
	va_end(ap);
	free(board->message);
	board->message = message;
	board->message_tint = tint;
	board->message_until_at = time_now() + MESSAGE_USEC;
	board->dirty = true;
}

const struct board_tile *board_selected(const struct board *board)
{
	return board->selected < board->n_tiles ? &board->tiles[board->selected] : NULL;
}

void board_ask_all(struct board *board)
{
	board->lists_jobs = true;
	board->jobs_before = 0;
	board->slots_at = board->status_at = board->pause_at = 0;
}

bool board_is_connected(const struct board *board)
{
	return !board->lost_since || board->reaching;
}

/* ---- the daemon ---- */

/* That there is none is said anyway. */
static void set_trouble(struct board *board, const struct complaint *complaint)
{
	bool known = complaint->message && complaint->status != STATUS_NO_DAEMON;

	free(board->trouble);
	board->trouble = known ? strdup(complaint->message) : NULL;
}

/* What it says, it says on our screen. */
static void repaint_after_ssh(const struct board *board)
{
	if (board->client->host)
		board_screen_repaint();
}

void board_lost(struct board *board, const struct complaint *complaint)
{
	/* The other connection has the same daemon at its end. */
	question_hang_up(board->question);
	board->asked = ASK_NOTHING;
	board->reaching = false;
	if (!board->lost_since)
		board->lost_since = time_real();
	board->retry_at = time_now() + RETRY_USEC;
	board_model_lost(board->model);
	set_trouble(board, complaint);
	repaint_after_ssh(board);
	board->dirty = true;
}

static void daemon_retry(struct board *board)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };

	if (!board->lost_since || board->reaching || time_now() < board->retry_at)
		return;
	if (events_retry(board->events, &complaint) != EVENTS_NEXT) {
		board_lost(board, &complaint);
		return;
	}
	/* Through ssh that says nothing yet: only an answer does. */
	board->reaching = true;
	board_ask_all(board);
}

void board_reached(struct board *board)
{
	if (!board->reaching)
		return;
	board->reaching = false;
	board->lost_since = 0;
	repaint_after_ssh(board);
	board_say(board, TINT_GOOD, "The daemon is back.");
}

static int take_event(struct board *board, struct event *event)
{
	int r = 0;

	if (event->has_port) {
		r = board_model_set_port(board->model, &event->port);
		/* Only the list tells whether it has just come or gone. */
		board->slots_at = 0;
	}
	if (r >= 0 && event->has_job)
		r = board_model_set_job(board->model, &event->job, true);
	if (event->has_job && event->job.id == board->detail.id) {
		job_clear(&board->detail);
		board->detail = event->job;
		event->job = (struct job){ 0 };
	}
	return r;
}

static int take_events(struct board *board)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	int r = EVENTS_NEXT;

	board->more_events = false;
	for (int i = 0; i < EVENTS_MAX && r == EVENTS_NEXT && board_is_connected(board); i++) {
		struct event event;

		r = events_poll(board->events, &event, &complaint);
		if (r == EVENTS_NEXT) {
			int taken = take_event(board, &event);

			event_clear(&event);
			board->dirty = true;
			board_reached(board);
			if (taken < 0)
				return taken;
		} else if (r != EVENTS_NOTHING) {
			board_lost(board, &complaint);
		}
	}
	board->more_events = r == EVENTS_NEXT;
	return 0;
}

/* ---- the screen ---- */

/* The tiles as they are now; the same slot stays selected wherever it went. */
static int fold(struct board *board)
{
	struct board_tile *tiles;
	size_t n;
	int r = board_model_tiles(board->model, time_real(), &tiles, &n);

	if (r < 0)
		return r;
	free(board->tiles);
	board->tiles = tiles;
	board->n_tiles = n;
	board->selected = MIN_OF(board->selected, n > 0 ? n - 1 : 0);
	for (size_t i = 0; i < n; i++)
		if (streq_ptr(board->selected_slot, tiles[i].slot))
			board->selected = i;
	return 0;
}

/* What must be said now, NULL: nothing. */
static char *notice_text(struct board *board, enum tint *ret_tint)
{
	char when[WHEN_TEXT_SIZE];

	if (board->lost_since) {
		*ret_tint = TINT_BAD;
		return str_format("No daemon since %s, trying again.%s%s",
				  when_of_day(board->lost_since, when), board->trouble ? " " : "",
				  board->trouble ?: "");
	}
	if (board->message && time_now() >= board->message_until_at) {
		free(board->message);
		board->message = NULL;
	}
	*ret_tint = board->message_tint;
	if (board->message)
		return strdup(board->message);
	if (question_is_asked(board->question) && time_now() >= board->asked_at + SLOW_USEC) {
		*ret_tint = TINT_WARN;
		return strdup("The daemon is slow to answer.");
	}
	return NULL;
}

/* NULL: no question is put to the user. */
static char *prompt_text(const struct board *board)
{
	const struct board_tile *tile = board_selected(board);
	char who[BOARD_WORDS_SIZE] = "";

	if (!board->confirm)
		return NULL;
	if (tile && tile->job && tile->job->id == board->confirm)
		board_words_who(tile, who);
	return str_format(" Cancel job %" PRId64 "%s%s%s? y: yes, any other key: no ",
			  board->confirm, *who ? " (" : "", who, *who ? ")" : "");
}

static int paint_panel(struct board *board, struct canvas *canvas)
{
	const struct board_tile *tile = board_selected(board);
	_cleanup_(panel_freep) struct panel *panel = NULL;
	struct rect rect = board->layout.area;
	bool known = tile && tile->job && tile->job->id == board->detail.id;
	int r;

	rect.lines += rect.y - (board->layout.notice.y + 1);
	rect.y = board->layout.notice.y + 1;
	/* Another job took the slot while we look. */
	if (board->view == VIEW_SLOT && tile && tile->job && !known && board->asked != ASK_JOB)
		board->detail_due = tile->job->id;
	r = board->view == VIEW_HELP || !tile
		    ? panel_new_help(&panel)
		    : panel_new_slot(tile, known ? &board->detail : NULL, &panel);
	if (r < 0)
		return r;
	panel_paint(panel, canvas, rect, &board->skip);
	return 0;
}

static int paint(struct board *board, struct canvas *canvas)
{
	enum tint tint = TINT_NONE;
	_cleanup_free_ char *notice = notice_text(board, &tint);
	_cleanup_free_ char *prompt = prompt_text(board);
	struct board_view view = {
		.tiles = board->tiles,
		.n = board->n_tiles,
		.totals = board_model_totals(board->model),
		.now = time_real(),
		.has_free = board->has_free,
		.free = board->free,
		.selected = board->selected,
		.notice = notice,
		.notice_tint = tint,
		.prompt = prompt,
		.waits = !board->knows_slots,
	};

	if (board->view == VIEW_SLOTS || board->layout.form == BOARD_TOO_SMALL) {
		board_paint(canvas, &board->layout, &view);
		return 0;
	}
	board_paint_frame(canvas, &board->layout, &view);
	return paint_panel(board, canvas);
}

static int draw(struct board *board)
{
	_cleanup_(canvas_freep) struct canvas *canvas = NULL;
	unsigned int lines, columns;
	int r = fold(board);

	if (r < 0)
		return r;
	board_screen_measure(&lines, &columns);
	board->layout =
		board_layout(lines, columns, board->n_tiles, board->selected, board->layout.first);
	r = canvas_new(lines, columns, board->client->out.unicode, &canvas);
	if (r >= 0)
		r = paint(board, canvas);
	if (r < 0)
		return r;
	board_screen_show(canvas);
	board->dirty = false;
	board->drawn_at = time_now();
	board->drawn_second = time_real() / USEC_PER_SEC;
	return 0;
}

/* ---- the loop ---- */

static void take_signals(struct board *board)
{
	struct signalfd_siginfo info;

	while (read(board->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		board->dirty = true;
		if (info.ssi_signo != SIGWINCH)
			board->over = board->interrupted = true;
	}
}

static int take_keys(struct board *board, short events)
{
	int key, r = 0;

	if (events & (POLLHUP | POLLERR | POLLNVAL))
		board->over = board->interrupted = true;
	else if (events)
		r = fold(board); /* the tiles on the screen may be older than the model */
	while (events && r >= 0 && !board->over && (key = board_screen_key()) != BOARD_KEY_NONE)
		board_press(board, key);
	return r;
}

/* Milliseconds until something is due without anybody asking: a frame, or the clock's next second. */
static int time_left(const struct board *board)
{
	uint64_t now = time_now();
	uint64_t to_second = USEC_PER_SEC - time_real() % USEC_PER_SEC;
	uint64_t due = now + to_second;

	if (board->dirty)
		due = MIN_OF(due, MAX_OF(board->drawn_at + FRAME_USEC, now));
	if (!board_is_connected(board))
		due = MIN_OF(due, MAX_OF(board->retry_at, now));
	if (board->more_events)
		due = now;
	return (int)((due - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
}

static int wait_and_take(struct board *board)
{
	struct pollfd fds[] = {
		{ .fd = board->signal_fd, .events = POLLIN },
		{ .fd = board->has_keys ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = events_fd(board->events), .events = POLLIN },
		{ .fd = question_fd(board->question), .events = POLLIN },
	};
	int r;

	if (poll(fds, ARRAY_SIZE(fds), time_left(board)) < 0 && errno != EINTR)
		return -errno;
	take_signals(board);
	r = take_keys(board, fds[1].revents);
	if (r < 0)
		return r;
	board_take_answer(board);
	return take_events(board);
}

static void begin_day(struct board *board)
{
	uint64_t day = when_day_began(time_real());

	if (day == board->day)
		return;
	board->day = day;
	board_model_set_day(board->model, day);
	board_ask_all(board);
}

/* The clock runs even when nothing else happens. */
static bool draw_is_due(struct board *board)
{
	board->dirty |= board->drawn_second != time_real() / USEC_PER_SEC;
	return board->dirty && time_now() >= board->drawn_at + FRAME_USEC;
}

static int loop(struct board *board)
{
	while (!board->over) {
		int r;

		begin_day(board);
		daemon_retry(board);
		board_ask(board);
		if (draw_is_due(board)) {
			r = draw(board);
			if (r < 0)
				return r;
		}
		r = wait_and_take(board);
		if (r < 0)
			return r;
		if (board_model_take_bell(board->model))
			board_screen_bell();
	}
	return 0;
}

/* ---- beginning and end ---- */

static void board_clear(struct board *board)
{
	events_free(board->events);
	question_free(board->question);
	board_model_free(board->model);
	job_clear(&board->detail);
	free(board->tiles);
	free(board->selected_slot);
	free(board->backup);
	free(board->message);
	free(board->trouble);
	fd_close(board->signal_fd);
}

static int catch_signals(struct board *board, sigset_t *ret_old)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH };
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&mask, signals[i]);
	board->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (board->signal_fd < 0 || sigprocmask(SIG_BLOCK, &mask, ret_old) < 0)
		return -errno;
	return 0;
}

static int board_open(struct board *board, enum board_bell bell, struct complaint *complaint)
{
	int r;

	board->day = when_day_began(time_real());
	board->has_keys = isatty(STDIN_FILENO) == 1;
	board_ask_all(board);
	r = board_model_new(board->day, bell, &board->model);
	if (r >= 0)
		r = question_open(board->client->socket_path, &board->question, complaint);
	if (r >= 0)
		r = events_open_polled(board->client->socket_path, &board->events, complaint);
	return r;
}

int board_run(struct client *client, enum board_bell bell)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	_cleanup_(board_clear) struct board board = { .client = client, .signal_fd = -1 };
	sigset_t old;
	int r = board_open(&board, bell, &complaint);

	if (r < 0)
		return client_complain(client, r, &complaint);
	r = catch_signals(&board, &old);
	if (r < 0)
		return client_status(client, r);
	r = board_screen_open(client->out.colour, &complaint);
	if (r >= 0)
		r = loop(&board);
	board_screen_close();
	take_signals(&board);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (r < 0)
		return client_complain(client, r, &complaint);
	return board.interrupted ? STATUS_INTERRUPTED : STATUS_DONE;
}
