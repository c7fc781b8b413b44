/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The boot ROM's language, the host's side: against the script of a watch (brom-script.h). */

#include "tests/unit/brom-script.h"

#include <signal.h>

#include "protocol/device/brom-reader.h"

static void begin_mapped(struct session *session, const struct script *script)
{
	struct brom_identity identity;

	begin_identified(session, script, &identity);
	assert_int_equal(brom_map_flash(session->brom), 0);
}

static void test_handshake_variants(void **state)
{
	static const struct script scripts[] = {
		{ { "handshake" } },
		{ { "echo", "> FF", "< 05" } },         /* until the line was raw */
		{ { "echo", "> FF", "< FF", "< 05" } }, /* for good */
		{ { "garbage" } },
		{ { "wrong" } },
		{ { "synchronised" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		struct session session;

		begin(&session, &scripts[i]);
		assert_int_equal(brom_handshake(session.brom, 5 * USEC_PER_SEC), 0);
		end(&session);
	}
}

static void test_line_that_echoes(void **state)
{
	/* Every byte comes back once from the line and once from the watch. */
	static const struct script script = { { "echo", "> FF", "< FF", "< 05", "> A2", "< A2A2",
						"> 80000008", "< 8000000880000008", "> 00000001",
						"< 0000000100000001", "< 1234", "> FE",
						"< FEFE" } };
	struct brom_identity identity;
	struct session session;

	(void)state;
	begin_identified(&session, &script, &identity);
	assert_int_equal(identity.hw_code, 0x1234);
	assert_int_equal(identity.mode, BROM_MODE_BROM);
	end(&session);
}

/* A line that answers every byte by itself, and nobody behind it. */
static void test_handshake_with_nobody(void **state)
{
	_cleanup_(transport_freep) struct transport *transport = NULL;
	_cleanup_(brom_freep) struct brom *brom = NULL;
	int fds[2];
	pid_t child;

	(void)state;
	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), errno);
	assert_int_equal(transport_new(fds[0], -1, LINE_UART, &transport), 0);
	assert_int_equal(brom_new(transport, &brom), 0);
	assert_int_equal(brom_handshake(brom, 100 * USEC_PER_MSEC), -ETIMEDOUT);
	child = fork();
	if (child == 0) {
		for (int byte; (byte = next(fds[1], 2000)) >= 0;)
			say8(fds[1], (uint8_t)byte);
		_exit(0);
	}
	assert_int_equal(brom_handshake(brom, 300 * USEC_PER_MSEC), -ETIMEDOUT);
	close(fds[1]);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(brom_handshake(brom, 300 * USEC_PER_MSEC), -ENODEV);
}

static void check_identity(const struct script *script, const char *chip, uint16_t fuse)
{
	struct brom_identity identity;
	struct session session;

	begin_identified(&session, script, &identity);
	assert_non_null(identity.chip);
	assert_string_equal(identity.chip->name, chip);
	assert_ptr_equal(brom_chip(session.brom), identity.chip);
	assert_int_equal(identity.fuse, fuse);
	assert_int_equal(identity.hw_version, 0xCB01);
	assert_int_equal(identity.hw_sub, 0x8000);
	assert_int_equal(identity.sw_version, 0x0001);
	assert_int_equal(identity.brom_version, 5);
	assert_int_equal(identity.bootloader_version, 0xFE);
	assert_int_equal(identity.mode, BROM_MODE_BROM);
	assert_true(identity.has_meid);
	assert_memory_equal(identity.meid, "\xF8\x1D\xA2\x15\x30\x82\xCC\x5E", 8);
	assert_true(brom_combines(session.brom));
	end(&session);
}

static void test_identify_family(void **state)
{
	static const struct script mt6261 = { { "handshake", IDENTIFY } };
	static const struct script mt6261ma = { { "handshake", LEGACY("80000008", "6261"),
						  WATCHDOG_OFF, IDS, FUSE("12340000"),
						  QUESTIONS } };
	static const struct script mt2502 = { { "handshake", LEGACY("80000008", "6261"),
						WATCHDOG_OFF, IDS, FUSE("26400000"), QUESTIONS } };
	static const struct script mt2503 = { { "handshake", LEGACY("80000008", "6261"),
						WATCHDOG_OFF, IDS, FUSE("36000000"), QUESTIONS } };
	static const struct script mt2503dv = { { "handshake", LEGACY("80000008", "6261"),
						  WATCHDOG_OFF, IDS, FUSE("76400000"),
						  QUESTIONS } };
	static const struct script mt6260 = { { "handshake", LEGACY("80000008", "6260"),
						WATCHDOG_OFF, IDS, QUESTIONS } };

	(void)state;
	check_identity(&mt6261, "MT6261", 0x35C0);
	check_identity(&mt6261ma, "MT6261", 0x1234);
	check_identity(&mt2502, "MT2502", 0x2640);
	check_identity(&mt2503, "MT2503", 0x3600);
	check_identity(&mt2503dv, "MT2503", 0x7640);
	check_identity(&mt6260, "MT6260", 0);
}

/* Nothing is written on a chip that is unknown, or known to be another kind. */
static void test_identify_others(void **state)
{
	static const struct script unknown = { { "handshake", LEGACY("80000008", "1234"), "> FE",
						 "< FE" } };
	static const struct script iot = { { "handshake", LEGACY("80000008", "2523"), "> FE",
					     "< FE" } };
	static const struct script phone = { { "handshake", "> A2", "> FD", "< FD", "< 6580CA00",
					       "> FC", "< FC", "< 8A00CA00", "< 0001", "< 0000",
					       "> FE", "< 01" } };
	struct brom_identity identity;
	struct session session;

	(void)state;
	begin_identified(&session, &unknown, &identity);
	assert_null(identity.chip);
	assert_int_equal(identity.hw_code, 0x1234);
	assert_int_equal(brom_map_flash(session.brom), -EOPNOTSUPP);
	assert_int_equal(brom_keep_power(session.brom), -EOPNOTSUPP);
	assert_int_equal(brom_reset(session.brom), -EOPNOTSUPP);
	assert_int_equal(brom_write16(session.brom, 0xA0030000, 0x2200), -EPERM);
	end(&session);

	begin_identified(&session, &iot, &identity);
	assert_string_equal(identity.chip->name, "MT2523");
	assert_int_equal(brom_map_flash(session.brom), -EOPNOTSUPP);
	end(&session);

	begin_identified(&session, &phone, &identity);
	assert_string_equal(identity.chip->name, "MT6580");
	assert_int_equal(identity.mode, BROM_MODE_PRELOADER);
	assert_int_equal(identity.hw_sub, 0x8A00);
	end(&session);
}

/* A watch that took A2 and then says nothing is not asked anything else. */
static void test_identify_silent(void **state)
{
	static const struct script script = { { "handshake", "> A2", "< A2", "> 80000008" } };
	struct brom_identity identity = { .hw_code = 0x4711 };
	struct session session;

	(void)state;
	begin(&session, &script);
	assert_int_equal(brom_handshake(session.brom, 3 * USEC_PER_SEC), 0);
	assert_int_equal(brom_identify(session.brom, &identity), -ETIMEDOUT);
	assert_int_equal(identity.hw_code, 0x4711);
	end(&session);
}

static void test_meid_that_is_none(void **state)
{
	static const struct script eight = {
		{ "handshake", LEGACY("80000008", "6261"), WATCHDOG_OFF, IDS, FUSE("35C00000"),
		  "> FF", "< 05", "> FE", "< FE", "> E1", "< E1", "< 00000008",
		  "< 0102030405060708", "< 0000", "> D8", "< D8", "< 00000006", "< 0000" }
	};
	static const struct script huge = { { "handshake", LEGACY("80000008", "6261"), WATCHDOG_OFF,
					      IDS, FUSE("35C00000"), "> FF", "< 05", "> FE", "< FE",
					      "> E1", "< E1", "< FFFFFFFF", "synchronised", "> D8",
					      "< D8", "< 00000006", "< 0000" } };
	static const struct script blank = { { "handshake", LEGACY("80000008", "6261"),
					       WATCHDOG_OFF, IDS, FUSE("35C00000"), "> FF", "< 05",
					       "> FE", "< FE", "> E1", "< E1", "< 00000010",
					       "< FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "< 0000",
					       "> D8", "< D8", "< 00000006", "< 0000" } };
	const struct script *scripts[] = { &eight, &huge, &blank };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		struct brom_identity identity;
		struct session session;

		begin_identified(&session, scripts[i], &identity);
		assert_false(identity.has_meid);
		assert_int_equal(identity.target_config, BROM_CONFIG_SLA | BROM_CONFIG_DAA);
		end(&session);
	}
}

static void assert_block(const uint8_t *data)
{
	for (size_t i = 0; i < BLOCK; i++) {
		size_t sent = i ^ 3; /* words come big-endian */

		assert_int_equal(data[i], (uint8_t)(sent * 7 + sent / 256));
	}
}

static void test_read(void **state)
{
	static const struct script script = { { READY, BLOCK_AT("00000000"), MAP,
						BLOCK_AT("00010400") } };
	struct brom_reader reader;
	struct session session;
	uint8_t data[BLOCK];

	(void)state;
	begin_mapped(&session, &script);
	assert_int_equal(brom_read_flash(session.brom, 0, data, sizeof(data)), 0);
	assert_block(data);
	assert_int_equal(brom_read_flash(session.brom, 2, data, 4), -EINVAL);
	assert_int_equal(brom_read_flash(session.brom, 0, data, 6), -EINVAL);
	assert_int_equal(brom_read_flash(session.brom, 0, data, 0), -EINVAL);
	assert_int_equal(brom_read_flash(session.brom, 0, data, BROM_BLOCK_MAX + 4), -EINVAL);
	assert_int_equal(brom_read_flash(session.brom, 0x0FFFFFFC, data, 8), -ERANGE);
	assert_int_equal(brom_reader_open(&reader, session.brom), 0);
	assert_string_equal(reader.reader.class->method, "brom");
	assert_int_equal(reader_read(&reader.reader, 1ULL << 32, data, 4), -ERANGE);
	assert_int_equal(reader_read(&reader.reader, 0x10400, data, sizeof(data)), 0);
	assert_block(data);
	end(&session);
}

static void test_read_refused(void **state)
{
	static const struct script script = { { READY, MAP, COMBINED("00400000", "00000100"),
						"< 1D12", "synchronised", BLOCK_AT("00000000") } };
	struct brom_reader reader;
	struct session session;
	uint8_t data[BLOCK];
	char line[80];

	(void)state;
	begin_mapped(&session, &script);
	assert_int_equal(brom_reader_open(&reader, session.brom), 0);
	assert_int_equal(reader_read(&reader.reader, 0x400000, data, sizeof(data)), -EREMOTEIO);
	assert_int_equal(brom_status(session.brom), 0x1D12);
	assert_string_equal(
		reader.reader.class->describe(&reader.reader, -EREMOTEIO, line, sizeof(line)),
		"status 1D12 bad-range");
	assert_int_equal(reader_resync(&reader.reader), 0);
	assert_int_equal(reader_read(&reader.reader, 0, data, sizeof(data)), 0);
	assert_block(data);
	end(&session);
}

static void test_read_short(void **state)
{
	static const struct script script = { { READY, COMBINED("00000000", "00000100"), "< 0000",
						"short", "< 0000", "synchronised",
						BLOCK_AT("00000000") } };
	struct session session;
	uint8_t data[BLOCK];

	(void)state;
	begin_mapped(&session, &script);
	assert_int_equal(brom_read_flash(session.brom, 0, data, sizeof(data)), -ETIMEDOUT);
	assert_int_equal(brom_resync(session.brom), 0);
	assert_true(brom_combines(session.brom));
	assert_int_equal(brom_read_flash(session.brom, 0, data, sizeof(data)), 0);
	assert_block(data);
	end(&session);
}

/* A watch that sees only the first field of a write gets zeros for the rest, then one by one. */
static void test_fall_back_to_fields(void **state)
{
	static const struct script script = {
		{ READY, "> D1 00000000 00000100", "< D1", "> 00000000", "< 00000000", "> 00000000",
		  "< 00000000", "< 1D13", "synchronised", "> D1", "< D1", "> 00000000",
		  "< 00000000", "> 00000100", "< 00000100", "< 0000", "block", "< 0000" }
	};
	struct session session;
	uint8_t data[BLOCK];

	(void)state;
	begin_mapped(&session, &script);
	assert_int_equal(brom_read_flash(session.brom, 0, data, sizeof(data)), 0);
	assert_false(brom_combines(session.brom));
	assert_block(data);
	end(&session);
}

/* A wrong echo in a write command: no value follows, and no later byte can become one. */
static void test_write_gone_wrong(void **state)
{
	static const struct script script = { { "handshake", IDENTIFY, "> D2", "< D2", "> A0030000",
						"< A0030001" } };
	struct brom_identity identity;
	struct session session;

	(void)state;
	begin_identified(&session, &script, &identity);
	assert_int_equal(brom_write32(session.brom, 0x00000000, 0), -EPERM);
	assert_int_equal(brom_write32(session.brom, 0xA0510004, 2), -EPERM);
	assert_int_equal(brom_write16(session.brom, 0xA0030000, 0x2200), -EPROTO);
	assert_int_equal(brom_resync(session.brom), -EPROTO);
	end(&session);
}

#define RESTORE(meid)                                                                        \
	"handshake", LEGACY("80000008", "6261"), WATCHDOG_OFF, "> E1", "< E1", "< 00000010", \
		"< " meid, "< 0000"

/* Over a UART a restart is not seen: the same watch is brought back, another one is refused. */
static void test_restart(void **state)
{
	static const struct script same = {
		{ READY, COMBINED("00000000", "00000100"), "< 0000", RESTORE(MEID),
		  READ32("A0510000", "00000000"), WRITE32("A0510000", "00000002"),
		  READ32("A0510000", "00000002"), BLOCK_AT("00000000") }
	};
	static const struct script other = { { READY, COMBINED("00000000", "00000100"), "< 0000",
					       RESTORE("00112233445566778899AABBCCDDEEFF") } };
	struct session session;
	uint8_t data[BLOCK];

	(void)state;
	begin_mapped(&session, &same);
	assert_int_equal(brom_read_flash(session.brom, 0, data, sizeof(data)), -ETIMEDOUT);
	assert_int_equal(brom_resync(session.brom), 0);
	assert_int_equal(brom_read_flash(session.brom, 0, data, sizeof(data)), 0);
	assert_block(data);
	end(&session);

	begin_mapped(&session, &other);
	assert_int_equal(brom_read_flash(session.brom, 0, data, sizeof(data)), -ETIMEDOUT);
	assert_int_equal(brom_resync(session.brom), -ENODEV);
	end(&session);
}

static void test_reset(void **state)
{
	static const struct script script = { { "handshake", IDENTIFY, FIELDS("D2", "A003001C"),
						"< 0001", "> 1209" } };
	struct brom_identity identity;
	struct session session;

	(void)state;
	begin_identified(&session, &script, &identity);
	assert_int_equal(brom_reset(session.brom), 0);
	end(&session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handshake_variants),
		cmocka_unit_test(test_line_that_echoes),
		cmocka_unit_test(test_handshake_with_nobody),
		cmocka_unit_test(test_identify_family),
		cmocka_unit_test(test_identify_others),
		cmocka_unit_test(test_identify_silent),
		cmocka_unit_test(test_meid_that_is_none),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_refused),
		cmocka_unit_test(test_read_short),
		cmocka_unit_test(test_fall_back_to_fields),
		cmocka_unit_test(test_write_gone_wrong),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
