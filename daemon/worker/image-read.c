/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/image-read.h"

#include <errno.h>
#include <inttypes.h>

#include "daemon/worker/link.h"
#include "protocol/base/fd.h"
#include "protocol/device/readback.h"

static int keep_error(struct image_read *read, int r)
{
	if (r < 0)
		read->file_error = r;
	return r;
}

static int on_write(void *userdata, uint64_t offset, const void *data, size_t size)
{
	struct image_read *read = userdata;

	return keep_error(read, staging_write(read->staging, read->index, offset, data, size));
}

static int on_load(void *userdata, uint64_t offset, void *data, size_t size)
{
	struct image_read *read = userdata;
	int fd = read->staging->images[read->index].fd;

	return keep_error(read, fd_pread_all(fd, data, size, offset));
}

static int on_checkpoint(void *userdata)
{
	struct image_read *read = userdata;

	return keep_error(read, staging_checkpoint(read->staging, read->index, read->verifying));
}

static void on_progress(void *userdata, uint64_t done, uint64_t rate, double eta)
{
	struct image_read *read = userdata;

	read->progress.done = done;
	read->progress.rate = rate;
	read->progress.eta = eta;
	link_send_progress(read->link, &read->progress);
}

static const struct readback_target target = {
	.write = on_write,
	.load = on_load,
	.checkpoint = on_checkpoint,
	.progress = on_progress,
};

static int explain_reading(struct image_read *read, int error)
{
	const struct readback_failure *where = readback_failure(read->readback);

	if (read->file_error < 0)
		return staging_explain(read->file_error,
				       read->staging->state.ranges[read->index].name,
				       read->failure);
	switch (error) {
	case -EIO:
		if (where->error == -EREMOTEIO && session_is_secured(read->session))
			return session_explain(read->session, -EREMOTEIO, "reading the flash",
					       read->failure);
		failure_set(read->failure, FAILURE_READ_FAILED,
			    "is it past the end of the flash? else try another cable, or a reset "
			    "of the watch",
			    "0x%" PRIx64 " cannot be read: %s", where->address, where->words);
		return error;
	case -EILSEQ:
		failure_set(read->failure, FAILURE_VERIFY_MISMATCH,
			    "try another cable or a shorter one; the line or the flash is not "
			    "reliable",
			    "0x%" PRIx64 ": %s", where->address, where->words);
		return error;
	case -EHOSTDOWN:
		failure_set(read->failure, FAILURE_DEVICE_LOST,
			    "unplug the watch and plug it in again; the job goes on where it "
			    "stopped",
			    "the watch stopped answering at 0x%" PRIx64 ": %s", where->address,
			    where->words);
		return error;
	default:
		return session_explain(read->session, error, "reading", read->failure);
	}
}

static void begin_phase(struct image_read *read, enum phase phase, uint64_t done, uint64_t total)
{
	read->progress =
		(struct progress){ .phase = phase, .done = done, .total = total, .eta = -1 };
	link_send_progress(read->link, &read->progress);
}

static int read_ranges(struct image_read *read)
{
	struct staging *staging = read->staging;
	int r = 0;

	begin_phase(read, PHASE_READ, staging_done(staging, false), staging_total(staging));
	readback_begin(read->readback, read->progress.total, read->progress.done);
	read->verifying = false;
	for (read->index = 0; r >= 0 && read->index < staging->state.n_ranges; read->index++) {
		r = readback_read(read->readback, staging->state.ranges[read->index].start,
				  staging->images[read->index].done);
		if (r < 0)
			return explain_reading(read, r);
	}
	return 0;
}

static uint64_t sample_total(const struct image_read *read)
{
	uint64_t total = 0;

	for (size_t i = 0; i < read->staging->state.n_ranges; i++)
		total += readback_sample_bytes(read->readback,
					       read->staging->state.ranges[i].length);
	return total;
}

static int verify_ranges(struct image_read *read, enum verify_mode mode)
{
	struct staging *staging = read->staging;
	const uint64_t total = mode == VERIFY_FULL ? staging_total(staging) : sample_total(read);
	const uint64_t done = staging_done(staging, true);

	read->verify = mode;
	read->verified = total;
	begin_phase(read, PHASE_VERIFY, MIN_OF(done, total), total);
	readback_begin(read->readback, total, read->progress.done);
	read->verifying = true;
	for (read->index = 0; read->index < staging->state.n_ranges; read->index++) {
		uint64_t start = staging->state.ranges[read->index].start;
		struct read_map *map = staging->images[read->index].verified;
		int r = mode == VERIFY_FULL ? readback_verify(read->readback, start, map)
					    : readback_sample(read->readback, start, map);

		if (r < 0)
			return explain_reading(read, r);
	}
	return 0;
}

/* A sample that differs shows a line that changes bytes: then everything is read twice. */
static int verify(struct image_read *read, enum verify_mode mode)
{
	int r;

	if (mode == VERIFY_AUTO)
		mode = transport_kind(read->session->transport) == LINE_USB ? VERIFY_FULL
									    : VERIFY_SAMPLE;
	read->verify = mode;
	if (mode == VERIFY_NONE)
		return 0;
	r = verify_ranges(read, mode);
	if (r >= 0 && mode == VERIFY_SAMPLE && readback_mismatches(read->readback) > 0)
		r = verify_ranges(read, VERIFY_FULL);
	return r;
}

int image_read_run(struct image_read *read, enum verify_mode mode)
{
	int r = readback_new(read->session->flash, &target, read, &read->readback);

	if (r >= 0)
		r = read_ranges(read);
	return r < 0 ? r : verify(read, mode);
}

uint64_t image_read_retries(const struct image_read *read)
{
	return read->readback ? readback_retries(read->readback) : 0;
}

uint64_t image_read_mismatches(const struct image_read *read)
{
	return readback_mismatches(read->readback);
}

void image_read_clear(struct image_read *read)
{
	readback_free(TAKE_PTR(read->readback));
}
