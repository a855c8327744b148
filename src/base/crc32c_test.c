/*
 * CRC32C: the published checksums, and that both ways to one agree on bytes of any number at any
 * address.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"

typedef uint32_t crc_way(uint32_t seed, const void *bytes, size_t size);

static crc_way *const ways[] = {zgi_crc32c, zgi_crc32c_portable};

#define FOR_EACH_WAY(way) \
	for (crc_way *const *way = ways; way < ways + sizeof(ways) / sizeof(ways[0]); way++)

/* RFC 3720, appendix B.4, which lists a checksum's bytes in the order they are sent. */
static void checksums_are_those_that_are_published(void **state)
{
	unsigned char bytes[32];

	(void)state;
	FOR_EACH_WAY(way)
	{
		assert_int_equal((*way)(0, "123456789", 9), 0xE3069283);
		memset(bytes, 0, sizeof(bytes));
		assert_int_equal((*way)(0, bytes, sizeof(bytes)), 0x8A9136AA);
		memset(bytes, 0xFF, sizeof(bytes));
		assert_int_equal((*way)(0, bytes, sizeof(bytes)), 0x62A8AB43);
		for (size_t index = 0; index < sizeof(bytes); index++)
			bytes[index] = (unsigned char)index;
		assert_int_equal((*way)(0, bytes, sizeof(bytes)), 0x46DD794E);
		for (size_t index = 0; index < sizeof(bytes); index++)
			bytes[index] = (unsigned char)(31 - index);
		assert_int_equal((*way)(0, bytes, sizeof(bytes)), 0x113FDB5C);
	}
}

/* Bit by bit, as the polynomial is defined. */
static uint32_t crc_by_definition(const unsigned char *bytes, size_t size)
{
	uint32_t crc = UINT32_MAX;

	for (size_t index = 0; index < size; index++) {
		crc ^= bytes[index];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? crc >> 1 ^ UINT32_C(0x82F63B78) : crc >> 1;
	}
	return ~crc;
}

static void fill(unsigned char *bytes, size_t size)
{
	uint64_t random = 1;

	for (size_t index = 0; index < size; index++) {
		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		bytes[index] = (unsigned char)(random >> 56);
	}
}

static void both_ways_follow_the_definition_at_any_size_and_address(void **state)
{
	unsigned char bytes[100];

	(void)state;
	fill(bytes, sizeof(bytes));
	FOR_EACH_WAY(way)
	for (size_t first = 0; first < 9; first++)
		for (size_t size = 0; first + size <= sizeof(bytes); size++)
			assert_int_equal((*way)(0, bytes + first, size),
					 crc_by_definition(bytes + first, size));
}

static void checksum_goes_on_where_another_ended(void **state)
{
	unsigned char bytes[64];

	(void)state;
	fill(bytes, sizeof(bytes));
	FOR_EACH_WAY(way)
	for (size_t cut = 0; cut <= sizeof(bytes); cut++)
		assert_int_equal((*way)((*way)(0, bytes, cut), bytes + cut, sizeof(bytes) - cut),
				 crc_by_definition(bytes, sizeof(bytes)));
}

static void no_bytes_leave_the_seed(void **state)
{
	(void)state;
	FOR_EACH_WAY(way)
	{
		assert_int_equal((*way)(0, NULL, 0), 0);
		assert_int_equal((*way)(0x12345678, NULL, 0), 0x12345678);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksums_are_those_that_are_published),
		cmocka_unit_test(both_ways_follow_the_definition_at_any_size_and_address),
		cmocka_unit_test(checksum_goes_on_where_another_ended),
		cmocka_unit_test(no_bytes_leave_the_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
