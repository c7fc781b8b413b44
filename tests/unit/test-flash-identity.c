/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/worker/flash-identity.h"
#include "protocol/base/strings.h"

#define M(n) ((uint64_t)(n) << 20)

static const struct sfi_identity four = { .jedec = { 0xC2, 0x25, 0x36 },
					  .has_jedec = true,
					  .sfdp_size = M(4) };

static void judge(const struct sfi_identity *identity, struct flash_evidence evidence,
		  enum flash_size_verdict verdict, const char *words)
{
	flash_identity_judge(identity, &evidence);
	assert_int_equal(evidence.verdict, verdict);
	if (verdict == FLASH_SIZE_AGREED)
		assert_int_equal(evidence.size, M(4));
	if (!strstr(evidence.reason, words))
		fail_msg("%s", evidence.reason);
}

static void test_agreement(void **state _unused_)
{
	judge(&four,
	      (struct flash_evidence){ .verdict = FLASH_SIZE_AGREED, .size = M(4), .reason = "" },
	      FLASH_SIZE_AGREED, "all other evidence agree");
	judge(&four, (struct flash_evidence){ .verdict = FLASH_SIZE_UNKNOWN, .reason = "" },
	      FLASH_SIZE_AGREED, "nothing speaks against it");
}

static void test_contradictions(void **state _unused_)
{
	const struct sfi_identity split = { .jedec = { 0xC2, 0x25, 0x36 },
					    .has_jedec = true,
					    .sfdp_size = M(8) };
	struct flash_evidence parts = { .verdict = FLASH_SIZE_UNKNOWN, .reason = "" };

	parts.facts.n_parts = 1;
	parts.facts.parts[0].size = M(16);
	judge(&four, parts, FLASH_SIZE_CONTRADICTED, "no part of the firmware's list");
	judge(&four,
	      (struct flash_evidence){ .verdict = FLASH_SIZE_AGREED, .size = M(8), .reason = "" },
	      FLASH_SIZE_CONTRADICTED, "not the size that was found");
	judge(&four,
	      (struct flash_evidence){
		      .verdict = FLASH_SIZE_UNKNOWN, .alias.size = M(1), .reason = "" },
	      FLASH_SIZE_CONTRADICTED, "begins again");
	judge(&four,
	      (struct flash_evidence){
		      .verdict = FLASH_SIZE_UNKNOWN, .facts.user_end = M(5), .reason = "" },
	      FLASH_SIZE_CONTRADICTED, "reaches behind");
	judge(&split, (struct flash_evidence){ .verdict = FLASH_SIZE_UNKNOWN, .reason = "" },
	      FLASH_SIZE_CONTRADICTED, "different sizes");
}

/* A flash that says nothing changes nothing. */
static void test_silence(void **state _unused_)
{
	const struct sfi_identity nothing = { 0 };

	judge(&nothing,
	      (struct flash_evidence){ .verdict = FLASH_SIZE_UNKNOWN, .reason = "as was" },
	      FLASH_SIZE_UNKNOWN, "as was");
	judge(&nothing,
	      (struct flash_evidence){
		      .verdict = FLASH_SIZE_AGREED, .size = M(4), .reason = "as was" },
	      FLASH_SIZE_AGREED, "as was");
}

static void test_words(void **state _unused_)
{
	struct evidence_list list = { 0 };

	assert_int_equal(flash_identity_describe(&four, &list), 0);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.items[0].source, "jedec");
	assert_string_equal(list.items[0].text,
			    "the flash answers c22536 = Macronix MX25U3235E/F, 4.0 MiB");
	assert_int_equal(list.items[1].size, M(4));
	evidence_clear(&list);
	assert_int_equal(flash_identity_describe(&(struct sfi_identity){ 0 }, &list), 0);
	assert_int_equal(list.items[0].size, 0);
	evidence_clear(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agreement),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
