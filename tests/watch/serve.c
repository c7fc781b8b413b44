/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/serve.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <time.h>

#include "protocol/base/time.h"

/* More than a pty takes at once: few system calls for large reads. */
#define BUFFER_SIZE 65536
#define STEPS_BETWEEN_LOOKS 8 /* at signals and the host's side, while there is something to do */
#define RETRY_NSEC  (NSEC_PER_SEC / 10) /* between attempts to open a tty that is away */

struct serve {
	struct serve_config config;
	uint64_t now;       /* nanoseconds */
	uint64_t plug_at;   /* when the line comes back; UINT64_MAX: it does not */
	uint64_t answer_at; /* the earliest begin of the answer to what was read last */
	uint64_t write_at;
	bool flowing; /* the piece before this one ended just now */
	bool blocked; /* the line was full */

	uint8_t in[BUFFER_SIZE];
	size_t in_begin, in_end;
	uint8_t out[BUFFER_SIZE];
	size_t out_begin, out_end;
};

static uint64_t to_nsec(uint64_t usec)
{
	return usec > UINT64_MAX / NSEC_PER_USEC ? UINT64_MAX : usec * NSEC_PER_USEC;
}

static bool is_plugged(const struct serve *s)
{
	return line_is_up(s->config.line);
}

static void unplug(struct serve *s)
{
	uint64_t after = s->config.replug_nsec;

	line_hang_up(s->config.line);
	s->plug_at = after == UINT64_MAX ? UINT64_MAX : s->now + after;
}

static int plug_in(struct serve *s)
{
	int r;

	r = line_open(s->config.line, boot_rom_is_preloader(s->config.rom));
	if (r < 0)
		return r;
	s->plug_at = UINT64_MAX;
	s->answer_at = s->write_at = 0;
	s->flowing = s->blocked = false;
	s->in_begin = s->in_end = s->out_begin = s->out_end = 0;
	s->config.plugged(line_device(s->config.line));
	return 0;
}

/* A tty that is not ours may not be back yet. */
static void plug_in_again(struct serve *s)
{
	boot_rom_power_on(s->config.rom);
	if (plug_in(s) < 0)
		s->plug_at = s->now + MAX_OF(s->config.replug_nsec, RETRY_NSEC);
}

/*
 * When the next piece could begin: after the latency for what the host just wrote, at once for what
 * comes after a silence, and right behind the piece before it (however late we are) otherwise.
 */
static uint64_t ready_at(const struct serve *s)
{
	if (s->answer_at > 0)
		return s->answer_at;
	return s->flowing ? 0 : s->now;
}

/* Lets the boot ROM take what has come and say what it has to. */
static void turn(struct serve *s)
{
	struct boot_rom *rom = s->config.rom;
	size_t piece = line_piece(s->config.line, sizeof(s->out));
	size_t n, taken;

	n = boot_rom_pull(rom, s->out, piece);
	while (n == 0 && s->in_begin < s->in_end) {
		taken = boot_rom_push(rom, s->in + s->in_begin, s->in_end - s->in_begin);
		s->in_begin += taken;
		n = boot_rom_pull(rom, s->out, piece);
		if (taken == 0)
			break;
	}
	s->out_begin = 0;
	s->out_end = n;
	if (n > 0) {
		s->write_at = line_take(s->config.line, ready_at(s), n);
		s->answer_at = 0;
	}
	s->flowing = n > 0;
}

/* 1 when something was written, 0 when it is too early or the line is full. */
static int write_out(struct serve *s)
{
	ssize_t n;

	if (s->now < s->write_at)
		return 0;
	n = line_write(s->config.line, s->out + s->out_begin, s->out_end - s->out_begin);
	if (n < 0)
		return (int)n;
	s->out_begin += (size_t)n;
	if (s->blocked || s->out_begin < s->out_end)
		line_blocked(s->config.line);
	s->blocked = s->out_begin < s->out_end;
	return n > 0;
}

static int read_in(struct serve *s)
{
	ssize_t n = line_read(s->config.line, s->in, sizeof(s->in));

	if (n < 0)
		return (int)n;
	s->in_begin = 0;
	s->in_end = (size_t)n;
	if (n > 0)
		s->answer_at = line_now() + s->config.latency_nsec;
	return 0;
}

static bool has_out(const struct serve *s)
{
	return s->out_begin < s->out_end;
}

/* Does what can be done now; 1 when there may be more of it, 0 when it is time to wait. */
static int step(struct serve *s)
{
	s->now = line_now();
	if (!is_plugged(s)) {
		if (s->now < s->plug_at)
			return 0;
		plug_in_again(s);
		return 0;
	}
	boot_rom_tick(s->config.rom, s->now / NSEC_PER_USEC);
	if (!has_out(s))
		turn(s);
	if (has_out(s) && (boot_rom_is_up(s->config.rom) || !s->blocked))
		return write_out(s);
	if (!boot_rom_is_up(s->config.rom))
		unplug(s);
	return 0;
}

static uint64_t next_deadline(const struct serve *s)
{
	uint64_t at;

	if (!is_plugged(s))
		return s->plug_at;
	at = to_nsec(boot_rom_deadline(s->config.rom));
	if (has_out(s) && !s->blocked)
		at = MIN_OF(at, s->write_at);
	return at;
}

/* What has to become possible before there is something to do. */
static short wanted_events(const struct serve *s)
{
	if (!is_plugged(s))
		return 0;
	if (has_out(s))
		return s->blocked ? POLLOUT : 0;
	return s->in_begin == s->in_end ? POLLIN : 0;
}

static int wait_for(struct serve *s, bool wait)
{
	struct line *line = s->config.line;
	short wanted = wanted_events(s);
	uint64_t at = next_deadline(s), now = line_now();
	uint64_t left = !wait || at <= now || (line_ready(line) & wanted) ? 0 : at - now;
	struct timespec timeout = { .tv_sec = (time_t)(left / NSEC_PER_SEC),
				    .tv_nsec = (long)(left % NSEC_PER_SEC) };
	struct pollfd fds[] = {
		{ .fd = s->config.signal_fd, .events = POLLIN },
		{ .fd = line_fd(line), .events = line_events(line, wanted) },
	};
	bool for_ever = left > 0 && at == UINT64_MAX;
	int r;

	if (ppoll(fds, ARRAY_SIZE(fds), for_ever ? NULL : &timeout, NULL) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[0].revents)
		return 1;
	r = line_dispatch(line, fds[1].revents);
	if (r < 0)
		return r;
	return r & wanted & POLLIN ? read_in(s) : 0;
}

int serve(const struct serve_config *config)
{
	_cleanup_free_ struct serve *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->config = *config;
	r = plug_in(s);
	if (r < 0)
		return r;
	for (unsigned int busy = 1;; busy++) {
		r = step(s);
		/* As long as there is something to do others need not be asked each time. */
		if (r == 0 || (r > 0 && busy % STEPS_BETWEEN_LOOKS == 0))
			r = wait_for(s, r == 0);
		else if (r > 0)
			continue;
		if (r == 1)
			return 0;
		if ((r == -EPIPE || r == -EPROTO) && config->replug_nsec != UINT64_MAX)
			unplug(s);
		else if (r < 0)
			return r;
	}
}
