/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The walk over packed code: good streams pass, damage of a size is found, harm does no harm. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"
#include "protocol/firmware/alice.h"
#include "tests/watch/alice-image.h"

#define ADDRESS 0x10123454U

/* Exactly as long as what is in it, so that reading behind it is seen. */
struct packed {
	uint8_t *data;
	uint64_t size;
};

static void packed_clear(struct packed *packed)
{
	free(packed->data);
}
#define _cleanup_packed_ _cleanup_(packed_clear)

static struct packed pack(size_t target, bool second)
{
	struct noise noise = { 99 + target };
	uint8_t *data = malloc(target + ALICE_IMAGE_OVERHEAD);
	struct packed packed;

	assert_non_null(data);
	packed.size = alice_image_make(data, target, ADDRESS, second, &noise);
	assert_true(packed.size > 0);
	packed.data = realloc(data, packed.size);
	assert_non_null(packed.data);
	return packed;
}

static enum alice_state state_of(const struct packed *packed)
{
	struct alice alice;

	return alice_parse(packed->data, packed->size, ADDRESS, &alice);
}

/* Groups that the walk finds bad. */
static uint64_t damage_of(const struct packed *packed, struct alice_walk *ret)
{
	struct alice alice;

	assert_int_equal(alice_parse(packed->data, packed->size, ADDRESS, &alice), ALICE_GOOD);
	alice_walk(&alice, packed->data, ret);
	return ret->n_bad;
}

static void passes_good_streams(void **state)
{
	static const size_t targets[] = { 1, 57, 1000, 4096, 65536, 1 << 20 };

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(targets); i++) {
		_cleanup_packed_ struct packed packed = pack(targets[i / 2], i % 2);
		struct alice_walk walk;
		struct alice alice;

		assert_int_equal(alice_parse(packed.data, packed.size, ADDRESS, &alice),
				 ALICE_GOOD);
		assert_int_equal(alice.generation, 1 + i % 2);
		assert_int_equal(alice.end, packed.size);
		assert_int_equal(alice.widths[0], 4);
		assert_int_equal(alice.widths[6], 10);
		assert_true(alice.n_groups >= 1);
		assert_int_equal(alice.dictionary - alice.map, 4 * alice.n_groups + 4);
		assert_int_equal(damage_of(&packed, &walk), 0);
	}
}

static void says_what_is_wrong(void **state)
{
	static const struct {
		unsigned int offset;
		uint8_t byte;
		enum alice_state state;
	} cases[] = {
		{ 0, 'a', ALICE_NO_MARK },       { 6, '3', ALICE_NO_MARK },
		{ 7, 1, ALICE_NO_MARK },         { 0x14, 17, ALICE_WIDTHS },
		{ 0x21, 1, ALICE_WIDTHS },       { 0x08, 1, ALICE_ADDRESSES },
		{ 0x0f, 0xff, ALICE_ADDRESSES }, { 0x0f, 0, ALICE_ADDRESSES },
		{ 0x13, 0xff, ALICE_ADDRESSES }, { 0x13, 0, ALICE_ADDRESSES },
		{ 0x14, 5, ALICE_DICTIONARY },   { 0x20, 11, ALICE_DICTIONARY },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_packed_ struct packed packed = pack(4096, true);

		assert_int_not_equal(packed.data[cases[i].offset], cases[i].byte);
		packed.data[cases[i].offset] = cases[i].byte;
		assert_int_equal(state_of(&packed), cases[i].state);
		assert_non_null(alice_state_to_string(cases[i].state));
	}
}

static void wants_all_of_it(void **state)
{
	_cleanup_packed_ struct packed packed = pack(4096, false);
	uint64_t size = packed.size;

	(void)state;
	for (packed.size = 0; packed.size < size; packed.size += packed.size < 64 ? 1 : 211) {
		_cleanup_free_ uint8_t *copy = malloc(MAX_OF(packed.size, 1U));
		struct packed cut = { copy, packed.size };

		assert_non_null(copy);
		memcpy(copy, packed.data, packed.size);
		assert_int_not_equal(state_of(&cut), ALICE_GOOD);
	}
}

/* The share of damages of n bytes, in percent, that the walk finds. */
static unsigned int share_found(struct packed *packed, size_t n, unsigned int tries)
{
	struct noise noise = { 7 + n };
	unsigned int found = 0;
	struct alice alice;

	assert_int_equal(alice_parse(packed->data, packed->size, ADDRESS, &alice), ALICE_GOOD);
	for (unsigned int i = 0; i < tries; i++) {
		uint64_t at =
			alice.stream + noise_next(&noise) % (alice.map - alice.stream - n - 200);
		_cleanup_free_ uint8_t *old = malloc(n);
		struct alice_walk walk;

		assert_non_null(old);
		memcpy(old, packed->data + at, n);
		noise_fill(&noise, packed->data + at, n);
		found += damage_of(packed, &walk) > 0;
		if (walk.n_bad > 0) {
			assert_true(walk.first_bad + 300 > at && walk.first_bad <= at + n);
			assert_true(walk.last_bad >= walk.first_bad && walk.last_bad <= at + n);
		}
		memcpy(packed->data + at, old, n);
	}
	return found * 100 / tries;
}

static void finds_damage(void **state)
{
	_cleanup_packed_ struct packed packed = pack(65536, true);

	(void)state;
	/* What was measured on real firmware: 68, 96 and 100. */
	assert_in_range(share_found(&packed, 4, 400), 50, 99);
	assert_in_range(share_found(&packed, 64, 400), 90, 100);
	assert_int_equal(share_found(&packed, 256, 400), 100);
	assert_int_equal(share_found(&packed, 4096, 50), 100);
}

static void counts_an_erased_page(void **state)
{
	_cleanup_packed_ struct packed packed = pack(65536, true);
	struct alice_walk walk;

	(void)state;
	memset(packed.data + 8192, 0xff, 4096);
	/* A group has about 90 bytes. */
	assert_in_range(damage_of(&packed, &walk), 40, 60);
	assert_in_range(walk.first_bad, 8192 - 152, 8192);
	assert_in_range(walk.last_bad, 8192 + 4096 - 152, 8192 + 4096);
}

static void finds_a_damaged_map(void **state)
{
	_cleanup_packed_ struct packed packed = pack(4096, true);
	struct alice_walk walk;
	struct alice alice;

	(void)state;
	assert_int_equal(alice_parse(packed.data, packed.size, ADDRESS, &alice), ALICE_GOOD);
	for (uint64_t at = alice.map; at < alice.dictionary; at += 4)
		for (unsigned int bit = 0; bit < 32; bit++) {
			/* The sentinel's length of a first half is not looked at. */
			if (at + 4 == alice.dictionary && bit >= 26)
				continue;
			put_le32(packed.data + at, get_le32(packed.data + at) ^ 1U << bit);
			assert_true(damage_of(&packed, &walk) > 0);
			put_le32(packed.data + at, get_le32(packed.data + at) ^ 1U << bit);
		}
	assert_int_equal(damage_of(&packed, &walk), 0);
}

/* Every byte of header and map taken, every length in between: nothing is read outside. */
static void stands_noise(void **state)
{
	struct noise noise = { 31337 };

	(void)state;
	for (unsigned int i = 0; i < 300; i++) {
		_cleanup_packed_ struct packed packed = pack(600, i % 2);
		struct alice_walk walk;
		struct alice alice;

		for (unsigned int j = 0; j <= i % 5; j++) {
			uint64_t at = 8 + noise_next(&noise) % (packed.size - 8);

			packed.data[at] = (uint8_t)noise_next(&noise);
		}
		if (alice_parse(packed.data, packed.size, ADDRESS, &alice) != ALICE_GOOD)
			continue;
		noise_fill(&noise, packed.data + alice.map, alice.dictionary - alice.map);
		alice_walk(&alice, packed.data, &walk);
		assert_true(walk.n_bad > 0);
		assert_true(walk.last_bad < alice.end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_good_streams),   cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(wants_all_of_it),       cmocka_unit_test(finds_damage),
		cmocka_unit_test(counts_an_erased_page), cmocka_unit_test(finds_a_damaged_map),
		cmocka_unit_test(stands_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
