/*
 * What a string is searched for: 16 bytes at a time must find what one at a time does,
 * and a character of UTF-8 is what the Unicode standard's table says, all 2^21 of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/json/json_scan.h"

#define SIZE_MAX_TESTED 70

static void every_byte_at_every_position_of_every_length(void **state)
{
	/* Runs end where the block ends. */
	char *data = malloc(SIZE_MAX_TESTED);

	(void)state;
	assert_non_null(data);
	memset(data, 'a', SIZE_MAX_TESTED);
	for (unsigned int byte = 0; byte < 256; byte++) {
		bool is_plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';

		assert_int_equal(zgi_json_is_plain((char)byte), is_plain);
		for (size_t size = 1; size <= SIZE_MAX_TESTED; size++) {
			char *run = data + SIZE_MAX_TESTED - size;

			for (size_t position = 0; position < size; position++) {
				size_t expected = is_plain ? size : position;

				run[position] = (char)byte;
				if (zgi_json_plain_size(run, size) != expected)
					fail_msg("byte %u at %zu of %zu", byte, position, size);
				run[position] = 'a';
			}
		}
	}
	free(data);
}

static void an_empty_run_ends_at_once(void **state)
{
	(void)state;
	assert_int_equal(zgi_json_plain_size("", 0), 0);
}

static void the_first_of_two_counts(void **state)
{
	(void)state;
	assert_int_equal(zgi_json_plain_size("0123456789\"bcdef\\", 17), 10);
	assert_int_equal(zgi_json_plain_size("0123456789abcdef0\"2\\456789abcdef0", 33), 17);
}

static int encode(uint32_t code, char bytes[4])
{
	if (code < 0x800) {
		bytes[0] = (char)(0xC0 | code >> 6);
		bytes[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		bytes[0] = (char)(0xE0 | code >> 12);
		bytes[1] = (char)(0x80 | (code >> 6 & 0x3F));
		bytes[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	bytes[0] = (char)(0xF0 | code >> 18);
	bytes[1] = (char)(0x80 | (code >> 12 & 0x3F));
	bytes[2] = (char)(0x80 | (code >> 6 & 0x3F));
	bytes[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

static void every_character_there_is_and_no_other(void **state)
{
	(void)state;
	for (uint32_t code = 0x80; code < 0x1FFFFF; code++) {
		bool is_surrogate = code >= 0xD800 && code < 0xE000;
		char bytes[4];
		int size = encode(code, bytes);
		int found = zgi_json_utf8_size(bytes, (size_t)size);

		if (found != (code > 0x10FFFF || is_surrogate ? -1 : size))
			fail_msg("U+%04X: %d", code, found);
		for (int cut = 1; found > 0 && cut < size; cut++)
			assert_int_equal(zgi_json_utf8_size(bytes, (size_t)cut), -cut);
	}
}

/* Bytes that say a character in more of them than it needs. */
static void no_character_has_two_spellings(void **state)
{
	(void)state;
	for (uint32_t code = 0; code < 0x10000; code++) {
		char three[] = {(char)(0xE0 | code >> 12), (char)(0x80 | (code >> 6 & 0x3F)),
				(char)(0x80 | (code & 0x3F))};
		char four[] = {(char)0xF0, (char)(0x80 | code >> 12),
			       (char)(0x80 | (code >> 6 & 0x3F)), (char)(0x80 | (code & 0x3F))};

		assert_int_equal(zgi_json_utf8_size(four, sizeof(four)), -1);
		if (code < 0x800)
			assert_int_equal(zgi_json_utf8_size(three, sizeof(three)), -1);
	}
	assert_int_equal(zgi_json_utf8_size("\300\200", 2), -1);
	assert_int_equal(zgi_json_utf8_size("\301\277", 2), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_at_every_position_of_every_length),
		cmocka_unit_test(an_empty_run_ends_at_once),
		cmocka_unit_test(the_first_of_two_counts),
		cmocka_unit_test(every_character_there_is_and_no_other),
		cmocka_unit_test(no_character_has_two_spellings),
	};

	return cmocka_run_group_tests_name("json_scan", tests, NULL, NULL);
}
