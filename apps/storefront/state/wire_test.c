/*
 * Wire: what is written is read again, in a layout that other machines read, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "state/hash.h"
#include "state/wire.h"

struct sample {
	uint8_t small;
	uint16_t two;
	uint32_t four;
	uint64_t eight;
	int64_t negative;
	char name[8];
};

static const struct sample sample = {1,	 0x0203, 0x04050607, UINT64_C(0x08090a0b0c0d0e0f),
				     -2, "mug"};

static void describe(struct shop_wire *wire, struct sample *fields)
{
	shop_wire_u8(wire, &fields->small);
	shop_wire_u16(wire, &fields->two);
	shop_wire_u32(wire, &fields->four);
	shop_wire_u64(wire, &fields->eight);
	shop_wire_i64(wire, &fields->negative);
	shop_wire_text(wire, fields->name, sizeof(fields->name));
}

static void numbers_are_little_endian_and_close_together(void **state)
{
	static const unsigned char expected[] = {1,    3,    2,	   7,	 6,    5, 4,	15,   14,
						 13,   12,   11,   10,	 9,    8, 0xfe, 0xff, 0xff,
						 0xff, 0xff, 0xff, 0xff, 0xff, 3, 'm',	'u',  'g'};
	struct sample fields = sample;
	unsigned char bytes[64];
	struct shop_wire wire = shop_wire_writer(bytes, sizeof(bytes));

	(void)state;
	describe(&wire, &fields);
	assert_false(wire.is_failed);
	assert_int_equal(wire.size, sizeof(expected));
	assert_memory_equal(bytes, expected, sizeof(expected));
}

static void what_was_written_is_read(void **state)
{
	struct sample fields = sample;
	struct sample again;
	unsigned char bytes[64];
	struct shop_wire wire = shop_wire_writer(bytes, sizeof(bytes));

	(void)state;
	describe(&wire, &fields);
	wire = shop_wire_reader(bytes, wire.size);
	memset(&again, 0xff, sizeof(again));
	describe(&wire, &again);
	assert_true(shop_wire_is_whole(&wire));
	assert_int_equal(again.negative, sample.negative);
	assert_int_equal(again.eight, sample.eight);
	assert_memory_equal(again.name, sample.name, sizeof(sample.name));
}

static void too_few_bytes_fail_and_read_as_nothing(void **state)
{
	struct sample fields = sample;
	unsigned char bytes[64];
	struct shop_wire wire = shop_wire_writer(bytes, sizeof(bytes));
	size_t size;

	(void)state;
	describe(&wire, &fields);
	size = wire.size;
	for (size_t cut = 0; cut < size; ++cut) {
		wire = shop_wire_reader(bytes, cut);
		describe(&wire, &fields);
		assert_true(wire.is_failed);
		wire = shop_wire_writer(bytes, cut);
		fields = sample;
		describe(&wire, &fields);
		assert_true(wire.is_failed);
		assert_true(wire.size <= cut);
	}
}

static void a_text_longer_than_its_field_or_with_a_nul_inside_is_refused(void **state)
{
	char name[8];
	struct shop_wire wire = shop_wire_reader("\010abcdefgh", 9);

	(void)state;
	shop_wire_text(&wire, name, sizeof(name));
	assert_true(wire.is_failed);
	wire = shop_wire_reader("\003a\0b", 4);
	shop_wire_text(&wire, name, sizeof(name));
	assert_true(wire.is_failed);
	wire = shop_wire_reader("\007abcdefg", 8);
	shop_wire_text(&wire, name, sizeof(name));
	assert_true(shop_wire_is_whole(&wire));
	assert_string_equal(name, "abcdefg");
}

static void a_field_has_its_whole_size_and_zeros_behind_its_text(void **state)
{
	char name[8] = "mug\0xyz";
	unsigned char bytes[8];
	struct shop_wire wire = shop_wire_writer(bytes, sizeof(bytes));

	(void)state;
	shop_wire_field(&wire, name, sizeof(name));
	assert_true(shop_wire_is_whole(&wire));
	assert_memory_equal(bytes, "mug\0\0\0\0\0", 8);
	wire = shop_wire_reader("mug\0\0\0\0\0", 8);
	shop_wire_field(&wire, name, sizeof(name));
	assert_true(shop_wire_is_whole(&wire));
	assert_string_equal(name, "mug");
	wire = shop_wire_reader("mug\0xyz\0", 8);
	shop_wire_field(&wire, name, sizeof(name));
	assert_true(wire.is_failed);
	wire = shop_wire_reader("mugmugmu", 8);
	shop_wire_field(&wire, name, sizeof(name));
	assert_true(wire.is_failed);
}

static void a_hash_tells_any_field_apart(void **state)
{
	struct sample fields = sample;
	struct shop_wire wire = shop_wire_hasher(1);
	uint64_t hash;

	(void)state;
	describe(&wire, &fields);
	hash = wire.hash;
	fields.name[2] = 'd';
	wire = shop_wire_hasher(1);
	describe(&wire, &fields);
	assert_true(wire.hash != hash);
	fields = sample;
	wire = shop_wire_hasher(1);
	describe(&wire, &fields);
	assert_true(wire.hash == hash);
}

/* RFC 3720, appendix B.4. */
static void the_checksum_is_castagnolis(void **state)
{
	unsigned char bytes[32] = {0};

	(void)state;
	assert_int_equal(shop_crc32c(bytes, sizeof(bytes)), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(shop_crc32c(bytes, sizeof(bytes)), 0x62a8ab43);
	for (unsigned index = 0; index < sizeof(bytes); ++index)
		bytes[index] = (unsigned char)index;
	assert_int_equal(shop_crc32c(bytes, sizeof(bytes)), 0x46dd794e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_little_endian_and_close_together),
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(too_few_bytes_fail_and_read_as_nothing),
		cmocka_unit_test(a_text_longer_than_its_field_or_with_a_nul_inside_is_refused),
		cmocka_unit_test(a_field_has_its_whole_size_and_zeros_behind_its_text),
		cmocka_unit_test(a_hash_tells_any_field_apart),
		cmocka_unit_test(the_checksum_is_castagnolis),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
