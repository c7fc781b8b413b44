/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* FlashTool's charger and power-latch writes: the order and values of the capture, nothing else. */

#include "tests/unit/brom-script.h"

#define LOOK(address, value) \
	"> D0 " address " 00000001", "< D0 " address " 00000001", "< 0000", "< " value, "< 0000"
#define COMMIT WRITE16("A0710074", "0001"), LOOK("A0710000", "0005")

#define CHARGER                                                                          \
	LOOK("A0700A24", "0010"), WRITE16("A0700A24", "0015"), LOOK("A0700A14", "6101"), \
		WRITE16("A0700A14", "6001"), LOOK("A0700A14", "6009"),                   \
		WRITE16("A0700A14", "6049"), LOOK("A0700A08", "000F"),                   \
		WRITE16("A0700A08", "010B"), LOOK("A0700A00", "F262"),                   \
		WRITE16("A0700A00", "F27A"), LOOK("A0700A28", "0010"),                   \
		WRITE16("A0700A28", "8010"), WATCHDOG_OFF
#define LATCH_CLEARED                                                                 \
	LOOK("A0710000", "0005"), LOOK("A0710050", "FF5F"), LOOK("A0710054", "FDDE"), \
		WRITE16("A0710010", "0000"), WRITE16("A0710008", "0000"),             \
		WRITE16("A071000C", "0000")
#define LATCH_HELD                                                                        \
	COMMIT, WRITE16("A0710050", "A357"), WRITE16("A0710054", "67D2"), COMMIT,         \
		WRITE16("A0710068", "586A"), COMMIT, WRITE16("A0710068", "9136"), COMMIT, \
		WRITE16("A0710000", "430E"), WRITE16("A0710074", "0001"), LOOK("A0710000", "000E")

static void test_capture(void **state)
{
	static const struct script script = { { "handshake", IDENTIFY, CHARGER, LATCH_CLEARED,
						LATCH_HELD } };
	struct brom_identity identity;
	struct session session;

	(void)state;
	begin_identified(&session, &script, &identity);
	assert_int_equal(brom_keep_power(session.brom), 0);
	end(&session);
}

/* The RTC is busy while bit 6 is set: it is asked again, and nothing is written meanwhile. */
static void test_busy(void **state)
{
	static const struct script script = {
		{ "handshake", IDENTIFY, CHARGER, LATCH_CLEARED, WRITE16("A0710074", "0001"),
		  LOOK("A0710000", "0045"), LOOK("A0710000", "0045"), LOOK("A0710000", "0005"),
		  "> D2", "< D2", "> A0710050", "< A0710050", "> 00000001", "< 00000001", "< 1D01" }
	};
	struct brom_identity identity;
	struct session session;

	(void)state;
	begin_identified(&session, &script, &identity);
	assert_int_equal(brom_keep_power(session.brom), -EREMOTEIO);
	assert_int_equal(brom_status(session.brom), 0x1D01);
	end(&session);
}

/* Not confirmed for an MT2502: nothing is sent at all. */
static void test_other_chip(void **state)
{
	static const struct script script = { { "handshake", LEGACY("80000008", "6261"),
						WATCHDOG_OFF, IDS, FUSE("26400000"), QUESTIONS } };
	struct brom_identity identity;
	struct session session;

	(void)state;
	begin_identified(&session, &script, &identity);
	assert_int_equal(brom_keep_power(session.brom), -EOPNOTSUPP);
	assert_int_equal(brom_write16(session.brom, 0xA0700A24, 0x0015), -EPERM);
	end(&session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capture),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_other_chip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
