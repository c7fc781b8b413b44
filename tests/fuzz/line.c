/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/line.h"

#include <errno.h>

#include "protocol/base/time.h"
#include "tests/fuzz/fuzz.h"

#define HEARD_MAX     8192U
#define BYTE_USEC     10U
#define REPEAT_FACTOR 8U

struct transport {
	const uint8_t *script;
	size_t size, at;
	enum line_end end;
	uint8_t what;             /* of the step we are in */
	size_t left;              /* bytes of it */
	uint8_t heard[HEARD_MAX]; /* what the host sent and was not given back */
	size_t begin, n_heard;
};

/* The only clock of a run; the linker has no place for an argument. */
static uint64_t clock_usec = 1;

uint64_t __wrap_time_now(void)
{
	return ++clock_usec;
}

struct transport *line_new(const uint8_t *script, size_t size)
{
	struct transport *line = calloc(1, sizeof(*line));

	fuzz_require(line);
	*line = (struct transport){ .script = script, .size = size };
	if (size > 0)
		line->end = script[line->at++] % _LINE_END_MAX;
	return line;
}

void transport_free(struct transport *line)
{
	free(line);
}

enum line_kind transport_kind(const struct transport *line _unused_)
{
	return LINE_USB;
}

int transport_set_speed(struct transport *line _unused_, uint32_t baud _unused_)
{
	return 0;
}

int transport_write(struct transport *line, const void *data, size_t size,
		    uint64_t timeout_usec _unused_)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < size; i++) {
		line->heard[(line->begin + line->n_heard) % HEARD_MAX] = p[i];
		if (line->n_heard < HEARD_MAX)
			line->n_heard++;
		else
			line->begin++;
	}
	clock_usec += size;
	return 0;
}

static int give_back(struct transport *line, uint8_t *ret)
{
	if (line->n_heard == 0)
		return 0;
	*ret = line->heard[line->begin++ % HEARD_MAX];
	line->n_heard--;
	return 1;
}

static int at_the_end(struct transport *line, uint8_t *ret)
{
	switch (line->end) {
	case LINE_ENDS_STREAMING:
		*ret = 0xff;
		return 1;
	case LINE_ENDS_ECHOING:
		return give_back(line, ret);
	case LINE_ENDS_SILENT:
		return 0;
	default:
		return -ENODEV;
	}
}

/* Enters the next step; false at the end of the script. */
static bool next_step(struct transport *line)
{
	uint8_t step;

	if (line->at == line->size)
		return false;
	step = line->script[line->at++];
	line->what = step & 0xc0;
	line->left = (size_t)(step & 0x3f) + 1;
	if (line->what == LINE_SILENCE) {
		line->what = step & 0xe0;
		line->left = line->what == LINE_SILENCE ? 1 : line->n_heard;
	} else if (line->what == LINE_REPEAT) {
		line->left *= REPEAT_FACTOR;
	}
	return true;
}

/* The next byte: 1; 0: silence; -ENODEV. */
static int next_byte(struct transport *line, uint8_t *ret)
{
	while (line->left == 0)
		if (!next_step(line))
			return at_the_end(line, ret);
	line->left--;
	if (line->what == LINE_SILENCE)
		return 0;
	if (line->what == LINE_ECHO || line->what == LINE_MIRROR)
		return give_back(line, ret);
	if (line->at == line->size)
		return at_the_end(line, ret);
	*ret = line->script[line->at];
	if (line->what == LINE_SAY || line->left == 0)
		line->at++;
	return 1;
}

static bool is_streaming(const struct transport *line)
{
	return line->left == 0 && line->at == line->size && line->end == LINE_ENDS_STREAMING;
}

int transport_read(struct transport *line, void *data, size_t size, uint64_t silence_usec,
		   size_t *ret_got)
{
	uint8_t *p = data;
	size_t got = 0;
	int r = 1;

	/* A stream without an end is long: not byte by byte. */
	if (is_streaming(line)) {
		memset(p, 0xff, size);
		got = size;
	}
	while (got < size && r > 0) {
		r = next_byte(line, &p[got]);
		if (r > 0)
			got++;
	}
	clock_usec += got * BYTE_USEC;
	if (r == 0) {
		clock_usec += silence_usec;
		r = -ETIMEDOUT;
	}
	if (ret_got)
		*ret_got = got;
	return MIN_OF(r, 0);
}

int transport_read_some(struct transport *line, void *data, size_t size, uint64_t timeout_usec)
{
	size_t more, got = 0;
	int r;

	if (size == 0)
		return -EINVAL;
	/* One write of the watch at a time: a step, as its bytes would arrive. */
	r = transport_read(line, data, 1, timeout_usec, &got);
	if (r < 0)
		return r;
	more = is_streaming(line) ? size - 1 : MIN_OF(line->left, size - 1);
	r = transport_read(line, (uint8_t *)data + 1, more, 0, &got);
	return (int)(1 + got);
}

int transport_drain(struct transport *line, uint64_t silence_usec, size_t limit_bytes,
		    uint64_t limit_usec)
{
	uint64_t limit = clock_usec + limit_usec;
	size_t total = 0;

	for (;;) {
		uint8_t scrap[4096];
		int n = transport_read_some(line, scrap, sizeof(scrap), silence_usec);

		if (n == -ETIMEDOUT)
			return 0;
		if (n < 0)
			return n;
		total += (size_t)n;
		if (total > limit_bytes || clock_usec > limit)
			return -EOVERFLOW;
	}
}
