/*
 * Every variant of the scans must say what the scalar one says, and the scalar one
 * what the grammar says. Each run is scanned in a block that ends where the run
 * does, so that ASan sees a read past it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/scan.h"

#define SIZE_MAX_TESTED 100
#define VARIANTS_MAX 8

typedef size_t scan_function(const char *data, size_t size);

/* The three scans of a variant, by number. */
static scan_function *scan_at(const struct zgi_http_scan *scan, int index)
{
	scan_function *functions[] = {scan->value_end, scan->target_end, scan->token_end};

	return functions[index];
}

static bool grammar_allows(unsigned int byte, int index)
{
	bool is_alphanumeric = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
			       (byte >= 'a' && byte <= 'z');

	switch (index) {
	case 0:
		return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
	case 1:
		return byte >= 0x21 && byte <= 0x7E;
	default:
		return is_alphanumeric ||
		       (byte != 0 && byte < 0x80 && strchr("!#$%&'*+-.^_`|~", (int)byte) != NULL);
	}
}

static void test_the_scalar_scans_follow_the_grammar(void **state)
{
	(void)state;
	for (int index = 0; index < 3; index++) {
		for (unsigned int byte = 0; byte < 256; byte++) {
			char data = (char)byte;

			assert_int_equal(scan_at(&zgi_http_scan_scalar, index)(&data, 1),
					 grammar_allows(byte, index) ? 1 : 0);
		}
	}
}

/* One byte, at every position of a run of every length. */
static void check_byte(scan_function *scan, scan_function *twin, char *data, unsigned int byte)
{
	for (size_t size = 1; size <= SIZE_MAX_TESTED; size++) {
		char *run = data + SIZE_MAX_TESTED - size;

		for (size_t position = 0; position < size; position++) {
			run[position] = (char)byte;
			if (scan(run, size) != twin(run, size))
				fail_msg("byte %u at %zu of %zu", byte, position, size);
			run[position] = 'a';
		}
	}
}

static void test_every_byte_at_every_position_of_every_length(void **state)
{
	const struct zgi_http_scan *variants[VARIANTS_MAX];
	size_t count = zgi_http_scan_variants(variants, VARIANTS_MAX);
	/* Runs end where the block ends. */
	char *data = malloc(SIZE_MAX_TESTED);

	(void)state;
	assert_non_null(data);
	memset(data, 'a', SIZE_MAX_TESTED);
	for (size_t variant = 1; variant < count; variant++) {
		for (int index = 0; index < 3; index++) {
			for (unsigned int byte = 0; byte < 256; byte++)
				check_byte(scan_at(variants[variant], index),
					   scan_at(&zgi_http_scan_scalar, index), data, byte);
		}
	}
	free(data);
}

static void test_an_empty_run_ends_at_once(void **state)
{
	const struct zgi_http_scan *variants[VARIANTS_MAX];
	size_t count = zgi_http_scan_variants(variants, VARIANTS_MAX);

	(void)state;
	for (size_t variant = 0; variant < count; variant++) {
		for (int index = 0; index < 3; index++)
			assert_int_equal(scan_at(variants[variant], index)("", 0), 0);
	}
}

static uint32_t random_next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void test_random_runs(void **state)
{
	const struct zgi_http_scan *variants[VARIANTS_MAX];
	size_t count = zgi_http_scan_variants(variants, VARIANTS_MAX);
	uint32_t seed = 20260101;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t size = random_next(&seed) % 200 + 1;
		char *data = malloc(size);

		assert_non_null(data);
		/* Mostly letters, or no run would be long; now and then any byte. */
		for (size_t offset = 0; offset < size; offset++)
			data[offset] = random_next(&seed) % 50 == 0
					       ? (char)random_next(&seed)
					       : (char)('a' + random_next(&seed) % 26);
		for (size_t variant = 1; variant < count; variant++) {
			for (int index = 0; index < 3; index++)
				assert_int_equal(scan_at(variants[variant], index)(data, size),
						 scan_at(variants[0], index)(data, size));
		}
		free(data);
	}
}

static void test_init_chooses_the_last_variant(void **state)
{
	const struct zgi_http_scan *variants[VARIANTS_MAX];
	size_t count = zgi_http_scan_variants(variants, VARIANTS_MAX);

	(void)state;
	assert_string_equal(variants[0]->name, "scalar");
	assert_null(variants[count]);
	assert_string_equal(zgi_http_scan.name, "scalar");
	zgi_http_scan_init();
	assert_string_equal(zgi_http_scan.name, variants[count - 1]->name);
	zgi_http_scan_init();
	assert_ptr_equal(zgi_http_scan.token_end, variants[count - 1]->token_end);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_scalar_scans_follow_the_grammar),
		cmocka_unit_test(test_every_byte_at_every_position_of_every_length),
		cmocka_unit_test(test_an_empty_run_ends_at_once),
		cmocka_unit_test(test_random_runs),
		cmocka_unit_test(test_init_chooses_the_last_variant),
	};

	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
