/*
 * SHA-256 against the published vectors (FIPS 180-4's examples, NIST CAVP SHA256ShortMsg
 * and LongMsg), and the padding at every length around a block.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/constant_time.h"
#include "base/random.h"
#include "base/sha256.h"

static const char *hex_of(const void *bytes, size_t size)
{
	static char text[2 * ZGI_SHA256_SIZE + 1];
	uint8_t digest[ZGI_SHA256_SIZE];

	zgi_sha256(bytes, size, digest);
	for (size_t index = 0; index < sizeof(digest); index++)
		snprintf(text + 2 * index, 3, "%02x", digest[index]);
	return text;
}

static void messages_have_their_published_digests(void **state)
{
	static const struct {
		const char *message;
		const char *digest;
	} rows[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"\xd3", "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqk"
		 "lmnopqrlmnopqrsmnopqrstnopqrstu",
		 "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
	};

	(void)state;
	for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++)
		assert_string_equal(hex_of(rows[index].message, strlen(rows[index].message)),
				    rows[index].digest);
}

static void a_million_letters_have_theirs(void **state)
{
	static char letters[1000000];

	(void)state;
	memset(letters, 'a', sizeof(letters));
	assert_string_equal(hex_of(letters, sizeof(letters)),
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* The digest of the digests of 0 to 129 zero bytes: one wrong padding changes it. */
static void every_length_around_a_block_is_padded_rightly(void **state)
{
	static const uint8_t zeros[130];
	uint8_t digests[130][ZGI_SHA256_SIZE];

	(void)state;
	for (size_t size = 0; size < 130; size++)
		zgi_sha256(zeros, size, digests[size]);
	assert_string_equal(hex_of(digests, sizeof(digests)),
			    "d26cf8eafa144521d64bdc66b8314175fd9e78310979a068c8b8b2ea18636450");
}

static void equal_bytes_are_equal_and_any_difference_is_seen(void **state)
{
	uint8_t a[40] = {1, 2, 3};
	uint8_t b[40] = {1, 2, 3};

	(void)state;
	assert_true(zgi_equal_constant_time(a, b, sizeof(a)));
	assert_true(zgi_equal_constant_time(NULL, NULL, 0));
	for (size_t index = 0; index < sizeof(b); index++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			b[index] ^= (uint8_t)(1U << bit);
			assert_false(zgi_equal_constant_time(a, b, sizeof(a)));
			b[index] ^= (uint8_t)(1U << bit);
		}
	}
}

static void random_bytes_are_no_two_times_the_same(void **state)
{
	uint8_t first[ZGI_RANDOM_SIZE_MAX] = {0};
	uint8_t second[ZGI_RANDOM_SIZE_MAX] = {0};
	unsigned int seen[8] = {0};

	(void)state;
	zgi_random_fill(first, sizeof(first));
	zgi_random_fill(second, sizeof(second));
	assert_memory_not_equal(first, second, sizeof(first));
	/* Every bit is set in some bytes, up to the last. */
	for (size_t index = sizeof(first) / 2; index < sizeof(first); index++)
		for (unsigned int bit = 0; bit < 8; bit++)
			seen[bit] += first[index] >> bit & 1;
	for (unsigned int bit = 0; bit < 8; bit++)
		assert_in_range(seen[bit], 20, 108);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_have_their_published_digests),
		cmocka_unit_test(a_million_letters_have_theirs),
		cmocka_unit_test(every_length_around_a_block_is_padded_rightly),
		cmocka_unit_test(equal_bytes_are_equal_and_any_difference_is_seen),
		cmocka_unit_test(random_bytes_are_no_two_times_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
