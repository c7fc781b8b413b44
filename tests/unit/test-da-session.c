/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A session with a download agent, against a watch that follows a script to the byte. */

#include "tests/unit/brom-script.h"

#include <sys/mman.h>

#include "protocol/base/bytes.h"
#include "protocol/base/fd.h"
#include "protocol/device/da-session.h"
#include "protocol/device/da-upload.h"
#include "protocol/device/da-wire.h"
#include "tests/da-image.h"

#define CAPTURE MTKRB_TEST_DATA "/captures/mt6261-flashtool.txt"

#define IMAGE_1 "045E40E28CB8DE74121074DAB886ED4022FC264B"
#define IMAGE_2 "095BBDE781A3C57F192B71D7BD9BE84F25032144E98BB5DF70130D77DABC81EF45"

#define SEND(address, length, status)                                                       \
	"> D7", "< D7", "> " address, "< " address, "> " length, "< " length, "> 00000010", \
		"< 00000010", "< " status
#define SEND_1 SEND("70007000", "00000014", "0000"), "> " IMAGE_1
#define SEND_2 SEND("10020000", "00000021", "0000"), "> " IMAGE_2
#define UPLOAD SEND_1, "< CB21", "< 0000", SEND_2, "< 6CF6", "< 0000"
#define JUMP   "> D5", "< D5", "> 70007000", "< 70007000", "< 0000"

/* The first two rows that FlashTool offered, and the end of the table. */
#define ROW_1   "> D2000000DC17041064010410000000000100BF0026000100000000006817041000000000"
#define ROW_2   "> D30000001C18041064010410000000000100BF0026000200000000006817041000000000"
#define ROW_END "> FFFF00000000000000000000000000000000000000000000000000000000000000000000"
#define CONFIG  "> 5A05FE0008007007FFFF0200000003", "< 5A"
#define TABLE   CONFIG, ROW_1, "< 69", ROW_2, "< 5A", "< A5"

#define NOR(status, size)                                                                          \
	"< 00000CA2 " status " 0008 0112 " size " " size " 00C2 0020 0016 0000 00000C02 000001C0", \
		"< FFFF 00000000 0000000000000000 00000C01 00000000"
#define ZEROS_8 "0000000000000000"
#define NAND_EMMC                                                 \
	"< 00000BEB 00 FFFF " ZEROS_8 ZEROS_8 ZEROS_8 "00000000", \
		"< 00000C6B " ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8
#define RAM    "< 00000000 0000D000 00000000 01 01 00400000 FFFFFFC22016000000000000"
#define END    "< 5A5A 00000000 00000407 C1"
#define EXTRA  "< ABABABAB " ZEROS_8 ZEROS_8 "00000000"
#define REPORT "> 00000000", NOR("00000000", "00400000"), NAND_EMMC, RAM, END
#define NEWER  "> 00000000", NOR("00000000", "00400000"), NAND_EMMC, RAM, EXTRA, END

#define STARTED READY, UPLOAD, JUMP, "< C003028E", TABLE, REPORT

#define READ(address, length, packet) "> D600" address length packet, "< 5A"
/* The last answer of a read is not answered itself: the next command may be right behind it. */
#define NEXT(address, length, packet) "> 5AD600" address length packet, "< 5A"
#define SUM                           "< FE00"
#define NOTHING                       "> D6000000000000000000", "< A500000BDF"

struct conversation {
	struct session session;
	struct brom_identity identity;
	struct da_file *file;
	size_t n_entries;
	const struct da_entry *entries;
	struct da_session *agent;
	uint64_t uploaded, upload_total;
	int fd;
};

static void on_progress(void *userdata, uint64_t done, uint64_t total)
{
	struct conversation *c = userdata;

	c->uploaded = done;
	c->upload_total = total;
}

static void open_agent(struct conversation *c)
{
	struct da_image image = { .hw_code = 0x6261, .first_size = 20, .second_size = 33 };
	char why[DA_WHY_SIZE];

	assert_true(da_image_add_rows(&image, CAPTURE) == 18);
	image.n_rows = 2;
	memset(image.rows[2], 0, DA_IMAGE_ROW);
	put_le16(image.rows[image.n_rows++], 0xFFFF);
	c->fd = memfd_create("agent", MFD_CLOEXEC);
	assert_int_equal(da_image_write(&image, c->fd), 0);
	assert_int_equal(da_file_open(c->fd, NULL, &c->file, why), 0);
	c->entries = da_file_entries(c->file, &c->n_entries);
	assert_int_equal(c->n_entries, 1);
}

static int start(struct conversation *c, const struct script *script)
{
	struct da_session_source source = {
		.identity = &c->identity,
		.progress = on_progress,
		.userdata = c,
	};

	*c = (struct conversation){ .fd = -1 };
	open_agent(c);
	begin_identified(&c->session, script, &c->identity);
	assert_int_equal(da_session_new(c->session.transport, &c->agent), 0);
	source.brom = c->session.brom;
	source.file = c->file;
	source.entry = c->entries;
	return da_session_start(c->agent, &source);
}

static void finish(struct conversation *c)
{
	da_session_free(c->agent);
	da_file_free(c->file);
	fd_close(c->fd);
	end(&c->session);
}

static void expect_words(struct conversation *c, int error, const char *words)
{
	char text[256];

	da_session_describe(c->agent, error, text, sizeof(text));
	if (!strstr(text, words))
		fail_msg("\"%s\" does not say \"%s\"", text, words);
}

/* ---- start ---- */

static void test_start(void **state)
{
	static const struct script script = { { STARTED } };
	struct conversation c;

	(void)state;
	assert_int_equal(start(&c, &script), 0);
	assert_int_equal(da_session_stage(c.agent), DA_STAGE_READY);
	assert_int_equal(da_session_report(c.agent)->nor.size, 4 << 20);
	assert_int_equal(c.uploaded, 53);
	assert_int_equal(c.upload_total, 53);
	finish(&c);
}

/* Newer builds: 69 behind the A5 (at once, or after our word), and a longer report. */
static void test_newer_build(void **state)
{
	static const struct script scripts[] = {
		{ { READY, UPLOAD, JUMP, "< C003028E", TABLE, "< 69", NEWER } },
		{ { READY, UPLOAD, JUMP, "< C003028E", TABLE, "> 00000000", "< 69",
		    NOR("00000000", "00400000"), NAND_EMMC, RAM, EXTRA, END } },
	};
	struct conversation c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		assert_int_equal(start(&c, &scripts[i]), 0);
		assert_int_equal(da_session_report(c.agent)->nor.size, 4 << 20);
		assert_int_equal(da_session_report(c.agent)->boot_style, 1031);
		finish(&c);
	}
}

static void test_damaged_upload(void **state)
{
	static const struct script once = { { READY, SEND_1, "< CB20", "< 0000", UPLOAD, JUMP,
					      "< C003028E", TABLE, REPORT } };
	static const struct script always = { { READY, SEND_1, "< 0000", "< 0000", SEND_1, "< 0000",
						"< 0000", SEND_1, "< 0000", "< 0000" } };
	struct conversation c;

	(void)state;
	assert_int_equal(start(&c, &once), 0);
	finish(&c);
	assert_int_equal(start(&c, &always), -EBADMSG);
	assert_int_equal(da_session_stage(c.agent), DA_STAGE_UPLOAD);
	finish(&c);
}

static void test_boot_rom_refuses(void **state)
{
	static const struct {
		struct script script;
		enum da_stage stage;
		uint32_t code;
	} cases[] = {
		{ { { READY, SEND("70007000", "00000014", "1D0D") } }, DA_STAGE_UPLOAD, 0x1D0D },
		{ { { READY, SEND_1, "< CB21", "< 2001" } }, DA_STAGE_UPLOAD, 0x2001 },
		{ { { READY, UPLOAD, "> D5", "< D5", "> 70007000", "< 70007000", "< 1D0F" } },
		  DA_STAGE_JUMP,
		  0x1D0F },
	};
	struct conversation c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(start(&c, &cases[i].script), -EREMOTEIO);
		assert_int_equal(da_session_stage(c.agent), cases[i].stage);
		assert_int_equal(da_session_code(c.agent), cases[i].code);
		expect_words(&c, -EREMOTEIO, "status ");
		finish(&c);
	}
}

/* What starts is something else: nothing more is said to it. */
static void test_other_agents(void **state)
{
	static const struct {
		struct script script;
		const char *words;
	} cases[] = {
		{ { { READY, UPLOAD, JUMP, "< C000000BC4" } }, "smartphones" },
		{ { { READY, UPLOAD, JUMP, "< C0" } }, "MT2523 or MT2625" },
		{ { { READY, UPLOAD, JUMP, "< C003018B" } }, "version 3.1 for chip 8B" },
		{ { { READY, UPLOAD, JUMP, "< 48454C50" } }, "48454c50" },
		{ { { READY, UPLOAD, JUMP } }, "does not start" },
	};
	struct conversation c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(start(&c, &cases[i].script), -EPROTONOSUPPORT);
		expect_words(&c, -EPROTONOSUPPORT, cases[i].words);
		finish(&c);
	}
}

static void test_unknown_flash(void **state)
{
	static const struct script script = {
		{ READY, UPLOAD, JUMP, "< C003028E", CONFIG, ROW_1, "< 69", ROW_2, "< 69", ROW_END,
		  "< 69", "< A5", "> 00000000", NOR("00000BC1", "00000000"), NAND_EMMC, RAM, END }
	};
	struct conversation c;

	(void)state;
	assert_int_equal(start(&c, &script), -EREMOTEIO);
	assert_int_equal(da_session_stage(c.agent), DA_STAGE_REPORT);
	assert_int_equal(da_session_code(c.agent), 3009);
	expect_words(&c, -EREMOTEIO, "code 3009");
	finish(&c);
}

static void test_odd_starts(void **state)
{
	static const struct {
		struct script script;
		int error;
		const char *words;
	} cases[] = {
		{ { { READY, UPLOAD, JUMP, "< C003028E", CONFIG, ROW_1, "< 5A", "< 5A" } },
		  -EOPNOTSUPP,
		  "NAND" },
		{ { { READY, UPLOAD, JUMP, "< C003028E", CONFIG, ROW_1, "< 13" } }, -EPROTO, "13" },
		{ { { READY, UPLOAD, JUMP, "< C003028E", TABLE, "> 00000000",
		      NOR("00000000", "00400000"), NAND_EMMC, RAM, EXTRA,
		      "< 5A5A 00000000 00000407 C2" } },
		  -EPROTO,
		  "no end" },
		{ { { READY, UPLOAD, JUMP, "< C003028E", TABLE, "> 00000000",
		      NOR("00000000", "00400000"), NAND_EMMC, RAM,
		      "< 5A5A 00000000 00000407 CF" } },
		  -EOPNOTSUPP,
		  "does not support this chip" },
		{ { { READY, UPLOAD, JUMP, "< C003028E", TABLE, "> 00000000",
		      NOR("00000000", "00000000"), NAND_EMMC, RAM, END } },
		  -EPROTO,
		  "0 bytes" },
	};
	struct conversation c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(start(&c, &cases[i].script), cases[i].error);
		expect_words(&c, cases[i].error, cases[i].words);
		finish(&c);
	}
}

/* ---- reading ---- */

static void expect_block(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] != (uint8_t)(i * 7 + i / 256))
			fail_msg("byte %zu is %02x", i, data[i]);
}

static void test_read(void **state)
{
	static const struct script script = {
		{ STARTED, READ("00001000", "00000800", "00000400"), "block", SUM, "> 5A", "block",
		  SUM,
		  /* not whole packets: the last one is longer than what is wanted */
		  NEXT("003FFA24", "000005DC", "00000400"), "block", SUM, "> 5A", "block", SUM,
		  /* longer packets where they fit */
		  NEXT("00000000", "00001000", "00001000"), "block", "block", "block", "block",
		  "< F800", "> 5A" }
	};
	uint8_t data[4 * BLOCK];
	struct conversation c;

	(void)state;
	assert_int_equal(start(&c, &script), 0);
	assert_int_equal(da_session_read(c.agent, 0x1000, data, 2 * BLOCK), 0);
	expect_block(data, BLOCK);
	expect_block(data + BLOCK, BLOCK);
	memset(data, 0xEE, sizeof(data));
	assert_int_equal(da_session_read(c.agent, 0x3FFA24, data, 1500), 0);
	expect_block(data, BLOCK);
	expect_block(data + BLOCK, 1500 - BLOCK);
	assert_int_equal(data[1500], 0xEE);
	assert_int_equal(da_session_read(c.agent, 0, data, 4 * BLOCK), 0);
	expect_block(data + 3 * BLOCK, BLOCK);
	assert_int_equal(da_session_repeated(c.agent), 0);
	assert_int_equal(da_session_read(c.agent, 0xFFFFFFFF, data, 2), -ERANGE);
	assert_int_equal(da_session_read(c.agent, 0, data, 0), -ERANGE);
	finish(&c);
}

/* A packet whose sum is wrong, and one that lost a byte, are asked for again. */
static void test_damaged_packets(void **state)
{
	static const struct script script = { { STARTED, READ("00000000", "00000800", "00000400"),
						"block", "< FE01", "> A5", "block", SUM, "> 5A",
						"short", SUM, "> A5", "block", "< 00FE", "> A5",
						"block", SUM, "> 5A" } };
	uint8_t data[2 * BLOCK];
	struct conversation c;

	(void)state;
	assert_int_equal(start(&c, &script), 0);
	assert_int_equal(da_session_read(c.agent, 0, data, sizeof(data)), 0);
	expect_block(data, BLOCK);
	expect_block(data + BLOCK, BLOCK);
	assert_int_equal(da_session_repeated(c.agent), 3);
	finish(&c);
}

/* A sound packet that is followed by one more copy of it belongs to an answer given too often. */
static void test_copy_too_many(void **state)
{
	static const struct script script = { { STARTED, READ("00000000", "00000400", "00000400"),
						"block", "< FE01", "> A5", "block", SUM, "block",
						SUM, "> A5", "block", SUM, "> 5A" } };
	uint8_t data[BLOCK];
	struct conversation c;

	(void)state;
	assert_int_equal(start(&c, &script), 0);
	assert_int_equal(da_session_read(c.agent, 0, data, sizeof(data)), 0);
	expect_block(data, BLOCK);
	finish(&c);
}

/* It stays damaged: the read is given up, and the agent is led out of it. */
static void test_never_sound(void **state)
{
	static const struct script script = {
		{ STARTED, READ("00000000", "00000800", "00000400"), "block", "< 0000", "> A5",
		  "block", "< 0000", "> A5", "block", "< 0000", "> A5", "block", "< 0000",
		  /* it still awaits an answer, and ignores the question */
		  "> D6000000000000000000", "> A5", "block", "< 0000", "> 5A", "block", SUM, "> 5A",
		  NOTHING, READ("00000000", "00000400", "00000400"), "block", SUM, "> 5A" }
	};
	uint8_t data[2 * BLOCK];
	struct conversation c;

	(void)state;
	assert_int_equal(start(&c, &script), 0);
	assert_int_equal(da_session_read(c.agent, 0, data, sizeof(data)), -EBADMSG);
	assert_int_equal(da_session_resync(c.agent), 0);
	assert_int_equal(da_session_read(c.agent, 0, data, BLOCK), 0);
	expect_block(data, BLOCK);
	finish(&c);
}

/* After 5A nothing comes: A5 could bring the wrong packet, so none is sent. */
static void test_silence_in_a_read(void **state)
{
	static const struct script script = { { STARTED, READ("00000000", "00000800", "00000400"),
						"block", SUM, "> 5A", NOTHING } };
	uint8_t data[2 * BLOCK];
	struct conversation c;

	(void)state;
	assert_int_equal(start(&c, &script), 0);
	assert_int_equal(da_session_read(c.agent, 0, data, sizeof(data)), -ETIMEDOUT);
	assert_int_equal(da_session_resync(c.agent), 0);
	finish(&c);
}

static void test_refused_reads(void **state)
{
	static const struct script script = { { STARTED, "> D600004000000000040000000400",
						"< A500000BDF", "> D600000000000000040000000400",
						"< A50000177C", "> D600000000000000040000000400",
						"< 13", NOTHING } };
	uint8_t data[BLOCK];
	struct conversation c;

	(void)state;
	assert_int_equal(start(&c, &script), 0);
	assert_int_equal(da_session_read(c.agent, 0x400000, data, BLOCK), -EREMOTEIO);
	assert_int_equal(da_session_code(c.agent), 3039);
	expect_words(&c, -EREMOTEIO, "code 3039");
	assert_int_equal(da_session_read(c.agent, 0, data, BLOCK), -EREMOTEIO);
	assert_int_equal(da_session_code(c.agent), 6012);
	assert_int_equal(da_session_read(c.agent, 0, data, BLOCK), -EPROTO);
	assert_int_equal(da_session_resync(c.agent), 0);
	finish(&c);
}

/* ---- the rest ---- */

static void test_only_what_reads(void **state)
{
	static const uint8_t allowed[] = { 0xB9, 0xC9, 0xD2, 0xD6, 0xD9, 0xDA, 0xDB, 0xEF, 0xF0 };
	static const struct script script = { { "handshake" } };
	struct session session;
	size_t n = 0;

	(void)state;
	begin(&session, &script);
	assert_int_equal(brom_handshake(session.brom, 3 * USEC_PER_SEC), 0);
	for (unsigned int i = 0; i <= UINT8_MAX; i++) {
		if (n < sizeof(allowed) && allowed[n] == i) {
			assert_true(da_wire_allows((uint8_t)i));
			n++;
			continue;
		}
		assert_false(da_wire_allows((uint8_t)i));
		/* The script ends here: a byte that got out would fail the test. */
		assert_int_equal(da_wire_command(session.transport, (uint8_t)i, NULL, 0), -EPERM);
	}
	assert_int_equal(n, sizeof(allowed));
	end(&session);
}

static void test_leaving(void **state)
{
	static const struct {
		struct script script;
		enum da_leave leave;
	} cases[] = {
		{ { { STARTED, "> D9", "< 5A", "> 00000000", "< A5" } }, DA_LEAVE_RUNNING },
		{ { { STARTED, "> D9", "< 5A", "> 00000000", "< 5A", "> DB014000000000", "< 5A" } },
		  DA_LEAVE_RESET },
		{ { { STARTED, "> D9", "< 5A", "> 00000000", "< A5", "> B9", "< 5A", "> C9", "< 5A",
		      "> DB014000000000" } },
		  DA_LEAVE_OFF },
	};
	struct conversation c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(start(&c, &cases[i].script), 0);
		assert_int_equal(da_session_finish(c.agent, cases[i].leave), 0);
		finish(&c);
	}
}

#define BYTE(n) "> " n, "< " n
#define ROW(h)                                                                                     \
	BYTE(h "0"), BYTE(h "1"), BYTE(h "2"), BYTE(h "3"), BYTE(h "4"), BYTE(h "5"), BYTE(h "6"), \
		BYTE(h "7"), BYTE(h "8"), BYTE(h "9"), BYTE(h "A"), BYTE(h "B"), BYTE(h "C"),      \
		BYTE(h "D"), BYTE(h "E"), BYTE(h "F")
#define PROOF                                                                                     \
	ROW("0"), ROW("1"), ROW("2"), ROW("3"), ROW("4"), ROW("5"), ROW("6"), ROW("7"), ROW("8"), \
		ROW("9"), ROW("A"), ROW("B"), ROW("C"), ROW("D"), ROW("E"), ROW("F")

static void test_faster(void **state)
{
	static const struct script script = { { STARTED, "> D20101", "< 5A", "> C0", "< C0", "> 5A",
						"< 5A", PROOF, NOTHING } };
	struct conversation c;

	(void)state;
	assert_int_equal(start(&c, &script), 0);
	assert_int_equal(da_session_set_speed(c.agent, 921600), 0);
	assert_int_equal(da_session_resync(c.agent), 0);
	finish(&c);
}

/* Declined, or a line that does not carry it: all is as before. */
static void test_speed(void **state)
{
	static const struct script refused = { { STARTED, "> D20101", "< A5", NOTHING } };
	static const struct script wrong = { { STARTED, "> D20201", "< 5A", "> C0", "< C0", "> 5A",
					       "< 5A", "> 00", "< 00", "> 01", "< 81", NOTHING } };
	struct conversation c;

	(void)state;
	assert_int_equal(start(&c, &refused), 0);
	assert_int_equal(da_session_set_speed(c.agent, 4800), -EINVAL);
	assert_int_equal(da_session_set_speed(c.agent, 921600), -EOPNOTSUPP);
	assert_int_equal(da_session_resync(c.agent), 0);
	finish(&c);
	assert_int_equal(start(&c, &wrong), 0);
	assert_int_equal(da_session_set_speed(c.agent, 460800), -EOPNOTSUPP);
	finish(&c);
}

/* Chips whose agents are of another kind get nothing at all. */
static void test_other_chips(void **state)
{
	static const char *const names[] = { "MT2523", "MT2625", "MT6580", "MT6225" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_non_null(da_session_refusal(chip_by_name(names[i])));
	assert_non_null(strstr(da_session_refusal(chip_by_name("MT2523")), "EPP"));
	assert_null(da_session_refusal(chip_by_name("MT6261")));
	assert_null(da_session_refusal(chip_by_name("MT6260")));
	assert_null(da_session_refusal(chip_by_name("MT2503")));
}

static void test_checksums(void **state)
{
	static const uint8_t bytes[] = { 0x01, 0x02, 0x03, 0x04, 0x05 };
	uint8_t ones[4096];

	(void)state;
	memset(ones, 0xFF, sizeof(ones));
	assert_int_equal(da_upload_checksum(bytes, 5), 0x0607);
	assert_int_equal(da_upload_checksum(bytes, 0), 0);
	assert_int_equal(da_wire_sum(ones, sizeof(ones)), 0xF000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start),           cmocka_unit_test(test_newer_build),
		cmocka_unit_test(test_damaged_upload),  cmocka_unit_test(test_boot_rom_refuses),
		cmocka_unit_test(test_other_agents),    cmocka_unit_test(test_unknown_flash),
		cmocka_unit_test(test_odd_starts),      cmocka_unit_test(test_read),
		cmocka_unit_test(test_damaged_packets), cmocka_unit_test(test_copy_too_many),
		cmocka_unit_test(test_never_sound),     cmocka_unit_test(test_silence_in_a_read),
		cmocka_unit_test(test_refused_reads),   cmocka_unit_test(test_only_what_reads),
		cmocka_unit_test(test_leaving),         cmocka_unit_test(test_faster),
		cmocka_unit_test(test_speed),
		cmocka_unit_test(test_other_chips),     cmocka_unit_test(test_checksums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
