/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/conversation.h"

#include <errno.h>
#include <sys/mman.h>

#include "protocol/base/fd.h"
#include "protocol/base/time.h"
#include "protocol/device/address-alias.h"
#include "protocol/device/brom-reader.h"
#include "protocol/device/da-reader.h"
#include "protocol/device/da-session.h"
#include "protocol/device/readback.h"
#include "protocol/device/sfi.h"
#include "tests/da-image.h"
#include "tests/fuzz/fuzz.h"

#define HANDSHAKE_USEC (3 * USEC_PER_SEC)
#define READ_BYTES     (2 * CONVERSATION_BYTES) /* once, and once more to verify */
#define AGENT_ROWS     3U
#define ROW_CODES      18U /* where a row of the table has the codes of its flash */

/* ---- Where the flash goes ---- */

static int keep(void *userdata, uint64_t offset, const void *data, size_t size)
{
	fuzz_require(bytes_inside(CONVERSATION_BYTES, offset, size));
	memcpy((uint8_t *)userdata + offset, data, size);
	return 0;
}

static int load(void *userdata, uint64_t offset, void *data, size_t size)
{
	fuzz_require(bytes_inside(CONVERSATION_BYTES, offset, size));
	memcpy(data, (const uint8_t *)userdata + offset, size);
	return 0;
}

static int checkpoint(void *userdata _unused_)
{
	return 0;
}

static void show(void *userdata _unused_, uint64_t done, uint64_t rate _unused_, double eta)
{
	fuzz_require(done <= READ_BYTES);
	fuzz_require(eta >= -1);
}

/* Reads and verifies; what is reported as done was written. */
static int read_flash(struct reader *reader)
{
	static const struct readback_target target = { keep, load, checkpoint, show };
	_cleanup_(readback_freep) struct readback *readback = NULL;
	_cleanup_(read_map_freep) struct read_map *map = NULL, *verified = NULL;
	uint8_t flash[CONVERSATION_BYTES];
	int r = readback_new(reader, &target, flash, &readback);

	if (r == 0)
		r = read_map_new(sizeof(flash), &map);
	if (r == 0)
		r = read_map_new(sizeof(flash), &verified);
	if (r < 0)
		return r;
	memset(flash, 0, sizeof(flash));
	readback_begin(readback, READ_BYTES, 0);
	r = readback_read(readback, 0, map);
	fuzz_require((r == 0) == read_map_covers(map, 0, sizeof(flash)));
	return r < 0 ? r : readback_verify(readback, 0, verified);
}

/* ---- The boot ROM ---- */

static int meet(struct brom *brom, struct brom_identity *identity)
{
	int r = brom_handshake(brom, HANDSHAKE_USEC);

	if (r == 0)
		r = brom_identify(brom, identity);
	/* After a failure a watch is asked whether it can be had back. */
	return r < 0 && r != -ENODEV ? brom_resync(brom) : r;
}

static int look_for_size(struct brom_reader *reader)
{
	struct address_alias_limits limits = { .last = 2 * ADDRESS_ALIAS_FIRST };
	struct address_alias alias = { 0 };
	int r = address_alias_find(&reader->reader, &limits, &alias);

	if (r == 0)
		fuzz_require(alias.places <= ADDRESS_ALIAS_PLACES && alias.size <= limits.last);
	return r;
}

void conversation_with_brom(struct transport *transport)
{
	_cleanup_(transport_freep) struct transport *line = transport;
	_cleanup_(brom_freep) struct brom *brom = NULL;
	struct brom_identity identity = { 0 };
	struct brom_reader reader;
	struct sfi_identity flash;
	int r;

	fuzz_require(brom_new(line, &brom) == 0);
	if (meet(brom, &identity) < 0)
		return;
	if (sfi_identify(brom, &flash) < 0 && brom_resync(brom) < 0)
		return;
	if (brom_keep_power(brom) < 0 && brom_resync(brom) < 0)
		return;
	if (brom_reader_open(&reader, brom) < 0)
		return;
	r = read_flash(&reader.reader);
	if (r == 0)
		r = look_for_size(&reader);
	if (r == 0)
		r = brom_reset(brom);
	fuzz_require(r <= 0);
}

/* ---- The agent ---- */

static struct da_file *make_agent(int *ret_fd)
{
	static const uint8_t codes[AGENT_ROWS - 1][3] = { { 0xBF, 0x26, 0x01 },
							  CONVERSATION_JEDEC };
	struct da_image image = {
		.hw_code = 0x6261,
		.first_size = 20,
		.second_size = 33,
		.n_rows = AGENT_ROWS,
	};
	struct da_file *file = NULL;
	char why[DA_WHY_SIZE];
	int fd = memfd_create("agent", MFD_CLOEXEC);

	/* Two flashes, then the end of the table. */
	for (size_t i = 0; i + 1 < AGENT_ROWS; i++)
		for (size_t j = 0; j < sizeof(codes[i]); j++)
			put_le16(image.rows[i] + ROW_CODES + 2 * j, codes[i][j]);
	put_le16(image.rows[AGENT_ROWS - 1], 0xFFFF);
	fuzz_require(fd >= 0 && da_image_write(&image, fd) == 0);
	fuzz_require(da_file_open(fd, NULL, &file, why) == 0);
	*ret_fd = fd;
	return file;
}

static void talk_to_agent(struct transport *line, const struct da_session_source *source)
{
	_cleanup_(da_session_freep) struct da_session *session = NULL;
	struct da_reader reader;
	char words[256];
	int r;

	fuzz_require(da_session_new(line, &session) == 0);
	r = da_session_start(session, source);
	if (r < 0) {
		fuzz_require(da_session_describe(session, r, words, sizeof(words))[0] != '\0');
		return;
	}
	fuzz_require(da_session_stage(session) == DA_STAGE_READY);
	da_reader_open(&reader, session);
	r = read_flash(&reader.reader);
	if (r == 0 || da_session_resync(session) == 0)
		r = da_session_finish(session, DA_LEAVE_OFF);
	fuzz_require(r <= 0);
}

void conversation_with_agent(struct transport *transport)
{
	_cleanup_(transport_freep) struct transport *line = transport;
	_cleanup_(brom_freep) struct brom *brom = NULL;
	_cleanup_close_ int fd = -1;
	_cleanup_(da_file_freep) struct da_file *file = make_agent(&fd);
	struct brom_identity identity = { 0 };
	struct da_session_source source = { .identity = &identity, .file = file };
	size_t n;

	fuzz_require(brom_new(line, &brom) == 0);
	source.brom = brom;
	source.entry = da_file_entries(file, &n);
	if (brom_handshake(brom, HANDSHAKE_USEC) == 0 && brom_identify(brom, &identity) == 0)
		talk_to_agent(line, &source);
}
