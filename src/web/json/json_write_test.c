/*
 * The writer: what stands in a document, what its limits do, and that a struct that is
 * written by its table is bound again as it was.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "web/json/json_fixture.h"

struct update {
	uint64_t present;
	uint32_t stock;
	bool is_hidden;
};

ZG_JSON_FIELDS_PRESENT(update, struct update, ZG_JSON_REFUSE_UNKNOWN, present,
		       ZG_JSON_U32(struct update, stock, 0, 1000, ZG_JSON_OPTIONAL),
		       ZG_JSON_BOOL(struct update, is_hidden, ZG_JSON_OPTIONAL));

static char buffer[4096];
static struct zg_json_writer writer;

static int setup(void **state)
{
	(void)state;
	zg_json_writer_init(&writer, buffer, sizeof(buffer), NULL);
	return 0;
}

static void assert_written(const char *expected)
{
	struct zg_slice json;
	struct zg_json_error error;

	assert_int_equal(zg_json_writer_finish(&writer, &json), 0);
	if (json.size != strlen(expected) || memcmp(json.data, expected, json.size) != 0)
		fail_msg("%.*s\nis not\n%s", (int)json.size, json.data, expected);
	assert_int_equal(zg_json_check(json, &error), 0);
}

static void objects_and_arrays_have_their_commas(void **state)
{
	(void)state;
	zg_json_object_begin(&writer);
	zg_json_key(&writer, ZG_SLICE("a"));
	zg_json_array_begin(&writer);
	zg_json_array_begin(&writer);
	zg_json_array_end(&writer);
	zg_json_u64(&writer, 1);
	zg_json_object_begin(&writer);
	zg_json_object_end(&writer);
	zg_json_array_end(&writer);
	zg_json_key(&writer, ZG_SLICE("b"));
	zg_json_bool(&writer, true);
	zg_json_key(&writer, ZG_SLICE("c"));
	zg_json_object_begin(&writer);
	zg_json_key(&writer, ZG_SLICE("d"));
	zg_json_null(&writer);
	zg_json_object_end(&writer);
	zg_json_key(&writer, ZG_SLICE("e"));
	zg_json_raw(&writer, ZG_SLICE("[1, 2]"));
	zg_json_key(&writer, ZG_SLICE("f"));
	zg_json_raw(&writer, (struct zg_slice){NULL, 0});
	zg_json_object_end(&writer);
	assert_written("{\"a\":[[],1,{}],\"b\":true,\"c\":{\"d\":null},\"e\":[1, 2],\"f\":null}");
}

static void a_value_may_be_the_document(void **state)
{
	(void)state;
	zg_json_bool(&writer, false);
	assert_written("false");
}

static void whole_numbers_are_written_in_full(void **state)
{
	static const int64_t numbers[] = {0,	1,   -1,   9,	  10,	      99,	 100,
					  -100, 101, 1234, 98765, 4294967295, INT64_MAX, INT64_MIN};
	char expected[512];
	size_t size = 0;

	(void)state;
	zg_json_array_begin(&writer);
	expected[size++] = '[';
	for (size_t index = 0; index < sizeof(numbers) / sizeof(numbers[0]); index++) {
		zg_json_i64(&writer, numbers[index]);
		size += (size_t)snprintf(expected + size, sizeof(expected) - size, "%" PRId64 ",",
					 numbers[index]);
	}
	zg_json_u64(&writer, UINT64_MAX);
	zg_json_array_end(&writer);
	(void)snprintf(expected + size, sizeof(expected) - size, "%" PRIu64 "]", UINT64_MAX);
	assert_written(expected);
}

static void every_length_of_number(void **state)
{
	(void)state;
	for (uint64_t number = 1; number < UINT64_MAX / 10; number = number * 10 + number % 7) {
		char expected[32];

		setup(NULL);
		zg_json_u64(&writer, number);
		(void)snprintf(expected, sizeof(expected), "%" PRIu64, number);
		assert_written(expected);
	}
}

static void what_may_not_stand_in_a_string_is_escaped(void **state)
{
	(void)state;
	zg_json_string(&writer, ZG_SLICE("\"\\/\b\f\n\r\t\x01\x0B\x1F\x7F \0"));
	assert_written("\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u000b\\u001f\x7F \\u0000\"");
}

static void every_control_byte_is_read_back(void **state)
{
	(void)state;
	for (unsigned int byte = 0; byte < 0x80; byte++) {
		char text[] = {'a', (char)byte, 'b'};
		struct zg_slice json;
		struct {
			char room[64];
		} copy;
		struct fixture_address bound = {.street = ""};
		struct zg_json_error error;
		int size;

		setup(NULL);
		zg_json_string(&writer, (struct zg_slice){text, sizeof(text)});
		assert_int_equal(zg_json_writer_finish(&writer, &json), 0);
		size = snprintf(copy.room, sizeof(copy.room), "{\"street\":\"ab\",\"city\":%.*s}",
				(int)json.size, json.data);
		assert_int_equal(fixture_address_json_bind(copy.room, (size_t)size, &bound, &error),
				 0);
		assert_int_equal(bound.city.size, sizeof(text));
		assert_memory_equal(bound.city.data, text, sizeof(text));
	}
}

static void utf8_is_written_as_it_is(void **state)
{
	(void)state;
	zg_json_text(&writer, "\303\244\342\202\254\360\237\230\200 0123456789abcdef\303\244");
	assert_written("\"\303\244\342\202\254\360\237\230\200 0123456789abcdef\303\244\"");
}

/* Each stretch that could have begun a character becomes one U+FFFD, as browsers do it. */
static void what_is_not_utf8_is_replaced(void **state)
{
	static const struct {
		const char *bytes;
		const char *expected;
	} cases[] = {
		{"a\377b", "\"a\357\277\275b\""},
		{"\303", "\"\357\277\275\""},
		{"\342\202", "\"\357\277\275\""},
		{"\342\202a", "\"\357\277\275a\""},
		{"\360\237\230", "\"\357\277\275\""},
		{"\200\200", "\"\357\277\275\357\277\275\""},
		{"\355\240\200", "\"\357\277\275\357\277\275\357\277\275\""},
		{"\300\257", "\"\357\277\275\357\277\275\""},
		{"\303\303\244", "\"\357\277\275\303\244\""},
	};

	(void)state;
	for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
		setup(NULL);
		zg_json_text(&writer, cases[index].bytes);
		assert_written(cases[index].expected);
	}
}

/* A document with one value of each kind, and a string that must be escaped everywhere. */
static void write_something(void)
{
	zg_json_object_begin(&writer);
	zg_json_key(&writer, ZG_SLICE("a\"b"));
	zg_json_array_begin(&writer);
	zg_json_u64(&writer, 18446744073709551615U);
	zg_json_text(&writer, "\x01\x02\x03 and 0123456789abcdef0123456789abcdef\n");
	zg_json_bool(&writer, false);
	zg_json_array_end(&writer);
	zg_json_key(&writer, ZG_SLICE("c"));
	zg_json_text(&writer, "\xFF\xFF\xFF\xFF");
	zg_json_object_end(&writer);
}

static void a_document_that_does_not_fit_is_told_at_the_end(void **state)
{
	struct zg_slice whole = {NULL, 0};
	struct zg_slice json = {NULL, 77};
	bool did_fit = false;

	(void)state;
	write_something();
	assert_int_equal(zg_json_writer_finish(&writer, &whole), 0);
	for (size_t capacity = 0; capacity < whole.size + 32; capacity++) {
		char *block = malloc(capacity > 0 ? capacity : 1);
		int result;

		assert_non_null(block);
		zg_json_writer_init(&writer, block, capacity, NULL);
		write_something();
		result = zg_json_writer_finish(&writer, &json);
		if (result == 0) {
			did_fit = true;
			assert_int_equal(json.size, whole.size);
			assert_memory_equal(json.data, whole.data, whole.size);
		} else {
			assert_int_equal(result, -ENOSPC);
			assert_false(did_fit);
		}
		assert_true(writer.size <= capacity);
		json = (struct zg_slice){NULL, 77};
		free(block);
	}
	assert_true(did_fit);
}

static void a_document_moves_to_its_arena(void **state)
{
	static alignas(ZG_ARENA_ALIGNMENT) unsigned char memory[16384];
	struct zg_arena arena;
	struct zg_arena_options options = {.memory = memory, .memory_size = sizeof(memory)};
	char small[16];
	struct zg_slice whole;
	struct zg_slice json;

	(void)state;
	assert_int_equal(zg_arena_init(&arena, &options), 0);
	write_something();
	assert_int_equal(zg_json_writer_finish(&writer, &whole), 0);
	zg_json_writer_init(&writer, small, sizeof(small), &arena);
	write_something();
	assert_int_equal(zg_json_writer_finish(&writer, &json), 0);
	assert_int_equal(json.size, whole.size);
	assert_memory_equal(json.data, whole.data, whole.size);

	/* And on to larger places there. */
	zg_json_writer_init(&writer, NULL, 0, &arena);
	zg_json_array_begin(&writer);
	for (int index = 0; index < 1000; index++)
		zg_json_u64(&writer, 1234567);
	zg_json_array_end(&writer);
	assert_int_equal(zg_json_writer_finish(&writer, &json), 0);
	assert_int_equal(json.size, 8001);
	assert_memory_equal(json.data + json.size - 9, ",1234567]", 9);

	/* Until there is no room. */
	zg_json_writer_init(&writer, NULL, 0, &arena);
	zg_json_array_begin(&writer);
	for (int index = 0; index < 3000; index++)
		zg_json_u64(&writer, 1234567);
	zg_json_array_end(&writer);
	assert_true(zg_json_writer_finish(&writer, &json) < 0);
	zg_arena_fini(&arena);
}

/* Or its middle would be missing, and nobody could tell by its look. */
static void after_what_did_not_fit_nothing_is_written(void **state)
{
	char small[32];
	struct zg_slice json;
	size_t size;

	(void)state;
	zg_json_writer_init(&writer, small, sizeof(small), NULL);
	zg_json_array_begin(&writer);
	zg_json_text(&writer, "more than there is room for, by far");
	size = writer.size;
	zg_json_u64(&writer, 1);
	zg_json_null(&writer);
	zg_json_array_end(&writer);
	assert_int_equal(writer.size, size);
	assert_int_equal(zg_json_writer_finish(&writer, &json), -ENOSPC);
}

static void one_value_may_be_larger_than_the_next_step(void **state)
{
	static alignas(ZG_ARENA_ALIGNMENT) unsigned char memory[8192];
	static char text[3000];
	struct zg_arena arena;
	struct zg_arena_options options = {.memory = memory, .memory_size = sizeof(memory)};
	struct zg_slice json;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(zg_arena_init(&arena, &options), 0);
	zg_json_writer_init(&writer, NULL, 0, &arena);
	zg_json_string(&writer, (struct zg_slice){text, sizeof(text)});
	assert_int_equal(zg_json_writer_finish(&writer, &json), 0);
	assert_int_equal(json.size, sizeof(text) + 2);
	assert_true(writer.size <= writer.capacity);
	assert_memory_equal(json.data + 1, text, sizeof(text));
	zg_arena_fini(&arena);
}

static void mistake_of_nesting(int number)
{
	struct zg_slice json;

	switch (number) {
	case 0: /* a value without its key */
		zg_json_object_begin(&writer);
		zg_json_u64(&writer, 1);
		break;
	case 1: /* a key in an array */
		zg_json_array_begin(&writer);
		zg_json_key(&writer, ZG_SLICE("a"));
		break;
	case 2: /* a key for a document */
		zg_json_key(&writer, ZG_SLICE("a"));
		break;
	case 3: /* two keys */
		zg_json_object_begin(&writer);
		zg_json_key(&writer, ZG_SLICE("a"));
		zg_json_key(&writer, ZG_SLICE("b"));
		break;
	case 4: /* two documents */
		zg_json_null(&writer);
		zg_json_null(&writer);
		break;
	case 5: /* an object ended as an array */
		zg_json_object_begin(&writer);
		zg_json_array_end(&writer);
		break;
	case 6: /* an array ended as an object */
		zg_json_array_begin(&writer);
		zg_json_object_end(&writer);
		break;
	case 7: /* ended once too often */
		zg_json_array_begin(&writer);
		zg_json_array_end(&writer);
		zg_json_array_end(&writer);
		break;
	case 8: /* a key without its value */
		zg_json_object_begin(&writer);
		zg_json_key(&writer, ZG_SLICE("a"));
		zg_json_object_end(&writer);
		break;
	case 9: /* not ended */
		zg_json_array_begin(&writer);
		(void)!zg_json_writer_finish(&writer, &json);
		break;
	case 10: /* nothing at all */
		(void)!zg_json_writer_finish(&writer, &json);
		break;
	case 11: /* too deep */
		for (int level = 0; level <= ZG_JSON_DEPTH_MAX; level++)
			zg_json_array_begin(&writer);
		break;
	default: /* more elements than there can be */
		zg_json_object(&writer, &fixture_cart_json,
			       &(struct fixture_cart){.line_count = 4});
		break;
	}
}

static void our_own_mistakes_fail_an_assertion(void **state)
{
	(void)state;
	for (int number = 0; number <= 12; number++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0) {
			/* The assertion's words are nobody's business here. */
			(void)close(STDERR_FILENO);
			mistake_of_nesting(number);
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
			fail_msg("mistake %d went unnoticed", number);
	}
}

static void the_deepest_there_is_is_written(void **state)
{
	(void)state;
	for (int level = 0; level < ZG_JSON_DEPTH_MAX; level++)
		zg_json_array_begin(&writer);
	for (int level = 0; level < ZG_JSON_DEPTH_MAX; level++)
		zg_json_array_end(&writer);
	assert_written("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
		       "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
}

static void a_struct_is_written_by_its_table(void **state)
{
	struct fixture_cart cart = {
		.small = 1,
		.huge = UINT64_MAX,
		.change = -5,
		.amount = -1299,
		.is_gift = true,
		.note = ZG_SLICE("a\"b"),
		.currency = "EUR",
		.rate = ZG_SLICE("0.10"),
		.extra = ZG_SLICE("[1]"),
		.state = FIXTURE_STATE_PAID,
		.address = {.street = "Hof"},
		.lines = {{.product = 17, .quantity = 2, .discount = -5},
			  {.product = 4, .quantity = 1}},
		.line_count = 2,
		.tags = {ZG_SLICE("x")},
		.tag_count = 1,
	};

	(void)state;
	fixture_cart_json_write(&writer, &cart);
	assert_written("{\"small\":1,\"huge\":18446744073709551615,\"change\":-5,\"amount\":-1299,"
		       "\"is_gift\":true,\"note\":\"a\\\"b\",\"currency\":\"EUR\",\"rate\":0.10,"
		       "\"extra\":[1],\"state\":\"paid\",\"address\":{\"street\":\"Hof\"},"
		       "\"lines\":[{\"product\":17,\"quantity\":2,\"discount\":-5},"
		       "{\"product\":4,\"quantity\":1}],\"tags\":[\"x\"]}");
}

static void what_is_optional_and_zero_is_left_out(void **state)
{
	struct fixture_cart cart = {.small = 0};
	struct fixture_line line = {.product = 0};

	(void)state;
	zg_json_array_begin(&writer);
	fixture_cart_json_write(&writer, &cart);
	/* Required fields are written, whatever they are. */
	fixture_line_json_write(&writer, &line);
	zg_json_array_end(&writer);
	assert_written("[{},{\"product\":0,\"quantity\":0}]");
}

static void what_is_present_is_written_though_zero(void **state)
{
	struct update update = {.present = 1, .is_hidden = true};

	(void)state;
	update_json_write(&writer, &update);
	assert_written("{\"stock\":0}");
}

static void a_struct_makes_the_round(void **state)
{
	static const char *const documents[] = {
		"{}",
		"{\"small\":255,\"medium\":10,\"large\":1,\"huge\":2,\"change\":-1,\"amount\":-3}",
		"{\"note\":\"\\u0000\\n\",\"rate\":1e5,\"extra\":{\"a\":[]}}",
		"{\"currency\":\"a\\\"b\"}",
		"{\"state\":\"open\",\"address\":{\"street\":\"Hof\",\"city\":\"\\ud83d\\ude00\"}}",
		"{\"lines\":[{\"product\":1,\"quantity\":99},{\"quantity\":1,\"product\":2}]}",
		"{\"ids\":[0,1],\"steps\":[-9],\"marks\":[1,6],\"tags\":[\"a\",\"bcde\"]}",
	};

	(void)state;
	for (size_t index = 0; index < sizeof(documents) / sizeof(documents[0]); index++) {
		struct fixture_cart first = {.small = 0};
		struct fixture_cart second = {.small = 0};
		struct zg_json_error error;
		struct zg_slice once;
		struct zg_slice twice;
		char copies[3][512];
		size_t size = strlen(documents[index]);

		memcpy(copies[0], documents[index], size);
		assert_int_equal(fixture_cart_json_bind(copies[0], size, &first, &error), 0);
		zg_json_writer_init(&writer, copies[1], sizeof(copies[1]), NULL);
		fixture_cart_json_write(&writer, &first);
		assert_int_equal(zg_json_writer_finish(&writer, &once), 0);
		memcpy(copies[0], once.data, once.size);
		assert_int_equal(fixture_cart_json_bind(copies[0], once.size, &second, &error), 0);
		zg_json_writer_init(&writer, copies[2], sizeof(copies[2]), NULL);
		fixture_cart_json_write(&writer, &second);
		assert_int_equal(zg_json_writer_finish(&writer, &twice), 0);
		assert_int_equal(once.size, twice.size);
		assert_memory_equal(once.data, twice.data, once.size);
	}
}

#define test(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(objects_and_arrays_have_their_commas),
		test(a_value_may_be_the_document),
		test(whole_numbers_are_written_in_full),
		test(every_length_of_number),
		test(what_may_not_stand_in_a_string_is_escaped),
		test(every_control_byte_is_read_back),
		test(utf8_is_written_as_it_is),
		test(what_is_not_utf8_is_replaced),
		test(a_document_that_does_not_fit_is_told_at_the_end),
		test(a_document_moves_to_its_arena),
		test(after_what_did_not_fit_nothing_is_written),
		test(one_value_may_be_larger_than_the_next_step),
		test(our_own_mistakes_fail_an_assertion),
		test(the_deepest_there_is_is_written),
		test(a_struct_is_written_by_its_table),
		test(what_is_optional_and_zero_is_left_out),
		test(what_is_present_is_written_though_zero),
		test(a_struct_makes_the_round),
	};

	return cmocka_run_group_tests_name("json_write", tests, NULL, NULL);
}
