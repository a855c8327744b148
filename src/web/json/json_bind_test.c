/*
 * The binder: what a document becomes in a struct, both sides of every limit, and what
 * is said when it is refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/json/json_fixture.h"

static struct fixture_cart cart;
static struct zg_json_error error;

/* The document of the last bind, which slices lie in: a block that ends where it does. */
static char *document;

static int setup(void **state)
{
	(void)state;
	memset(&cart, 0, sizeof(cart));
	memset(&error, 0, sizeof(error));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(document);
	document = NULL;
	return 0;
}

static size_t document_copy(const char *json)
{
	size_t size = strlen(json);

	free(document);
	document = malloc(size > 0 ? size : 1);
	assert_non_null(document);
	memcpy(document, json, size);
	return size;
}

static int bind_cart(const char *json)
{
	size_t size = document_copy(json);

	return fixture_cart_json_bind(document, size, &cart, &error);
}

static void accepted(const char *json)
{
	if (bind_cart(json) < 0)
		fail_msg("%s: %s", json, error.message);
}

static void refused(const char *json, enum zg_json_fault fault, const char *path)
{
	assert_int_equal(bind_cart(json), -EINVAL);
	if (error.fault != fault || strcmp(error.path, path) != 0)
		fail_msg("%s: %s at %s: %s", json, zg_json_fault_code(error.fault), error.path,
			 error.message);
}

static void assert_slice(struct zg_slice slice, const char *text)
{
	assert_int_equal(slice.size, strlen(text));
	assert_memory_equal(slice.data, text, slice.size);
}

static void whole_numbers_are_bound_exactly(void **state)
{
	(void)state;
	accepted(
		"{\"small\":255,\"medium\":1000,\"large\":4294967295,\"huge\":18446744073709551615,"
		"\"change\":-5,\"amount\":-9223372036854775808}");
	assert_int_equal(cart.small, 255);
	assert_int_equal(cart.medium, 1000);
	assert_int_equal(cart.large, UINT32_MAX);
	assert_true(cart.huge == UINT64_MAX);
	assert_int_equal(cart.change, -5);
	assert_true(cart.amount == INT64_MIN);
	/* A double would make it 9007199254740992. */
	accepted("{\"huge\":9007199254740993,\"amount\":9223372036854775807}");
	assert_true(cart.huge == UINT64_C(9007199254740993));
	assert_true(cart.amount == INT64_MAX);
	accepted("{\"huge\":0,\"amount\":-0,\"large\":-0}");
	assert_true(cart.huge == 0 && cart.amount == 0 && cart.large == 0);
}

static void a_number_past_its_range_is_refused_by_one(void **state)
{
	(void)state;
	refused("{\"small\":256}", ZG_JSON_FAULT_RANGE, "small");
	refused("{\"small\":-1}", ZG_JSON_FAULT_RANGE, "small");
	accepted("{\"medium\":10}");
	refused("{\"medium\":9}", ZG_JSON_FAULT_RANGE, "medium");
	refused("{\"medium\":1001}", ZG_JSON_FAULT_RANGE, "medium");
	refused("{\"large\":4294967296}", ZG_JSON_FAULT_RANGE, "large");
	refused("{\"huge\":18446744073709551616}", ZG_JSON_FAULT_RANGE, "huge");
	refused("{\"huge\":184467440737095516150}", ZG_JSON_FAULT_RANGE, "huge");
	refused("{\"huge\":36893488147419103233}", ZG_JSON_FAULT_RANGE, "huge");
	accepted("{\"change\":5}");
	refused("{\"change\":6}", ZG_JSON_FAULT_RANGE, "change");
	refused("{\"change\":-6}", ZG_JSON_FAULT_RANGE, "change");
	refused("{\"amount\":9223372036854775808}", ZG_JSON_FAULT_RANGE, "amount");
	refused("{\"amount\":-9223372036854775809}", ZG_JSON_FAULT_RANGE, "amount");
	refused("{\"amount\":-18446744073709551616}", ZG_JSON_FAULT_RANGE, "amount");
}

static void a_whole_number_is_written_as_one(void **state)
{
	(void)state;
	refused("{\"huge\":1.0}", ZG_JSON_FAULT_FRACTION, "huge");
	refused("{\"huge\":1e2}", ZG_JSON_FAULT_FRACTION, "huge");
	refused("{\"huge\":1E2}", ZG_JSON_FAULT_FRACTION, "huge");
	refused("{\"amount\":-0.5}", ZG_JSON_FAULT_FRACTION, "amount");
	assert_string_equal(error.message,
			    "amount must be a whole number from -9223372036854775808 to "
			    "9223372036854775807, written without fraction or exponent");
	refused("{\"huge\":\"1\"}", ZG_JSON_FAULT_TYPE, "huge");
}

static void booleans_are_bound(void **state)
{
	(void)state;
	accepted("{\"is_gift\":true}");
	assert_true(cart.is_gift);
	accepted("{\"is_gift\":false}");
	assert_false(cart.is_gift);
	refused("{\"is_gift\":1}", ZG_JSON_FAULT_TYPE, "is_gift");
	assert_string_equal(error.message, "is_gift must be true or false");
	refused("{\"is_gift\":null}", ZG_JSON_FAULT_TYPE, "is_gift");
	refused("{\"is_gift\":tru}", ZG_JSON_FAULT_SYNTAX, "is_gift");
}

static void a_slice_is_a_piece_of_the_document(void **state)
{
	(void)state;
	accepted("{\"note\":\"hello\"}");
	assert_slice(cart.note, "hello");
	assert_ptr_equal(cart.note.data, document + strlen("{\"note\":\""));
}

static void escapes_are_undone_where_they_stand(void **state)
{
	(void)state;
	accepted("{\"note\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}");
	assert_slice(cart.note, "\"\\/\b\f\n\r\t");
	accepted("{\"note\":\"a\\u0041b\\u00e4\"}");
	assert_slice(cart.note, "aAb\303\244");
	accepted("{\"note\":\"\\u20ac\\ud83d\\uDE00\"}");
	assert_slice(cart.note, "\342\202\254\360\237\230\200");
	accepted("{\"note\":\"\\u0000\\uFFFF\"}");
	assert_int_equal(cart.note.size, 4);
	assert_memory_equal(cart.note.data, "\0\357\277\277", 4);
	/* What follows is read as it was. */
	accepted("{\"note\":\"\\u0041\\u0042\",\"currency\":\"EUR\"}");
	assert_slice(cart.note, "AB");
	assert_string_equal(cart.currency, "EUR");
}

/* The UTF-8 of a code point. */
static size_t encode(uint32_t code, char bytes[4])
{
	if (code < 0x80) {
		bytes[0] = (char)code;
		return 1;
	}
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

/* All of them with one escape, and of those that take two each hundredth. */
static void every_escape_becomes_its_character(void **state)
{
	(void)state;
	for (uint32_t code = 0; code <= 0x10FFFF; code += code < 0x10000 ? 1 : 101) {
		char json[64];
		char bytes[4];

		if (code >= 0xD800 && code < 0xE000)
			continue;
		if (code < 0x10000)
			snprintf(json, sizeof(json), "{\"note\":\"<\\u%04X>\"}", code);
		else
			snprintf(json, sizeof(json), "{\"note\":\"<\\u%04x\\u%04x>\"}",
				 0xD800 + (code - 0x10000) / 0x400,
				 0xDC00 + (code - 0x10000) % 0x400);
		accepted(json);
		assert_int_equal(cart.note.size, encode(code, bytes) + 2);
		assert_memory_equal(cart.note.data + 1, bytes, cart.note.size - 2);
		assert_int_equal(cart.note.data[cart.note.size - 1], '>');
	}
}

static void a_string_is_measured_unescaped_in_bytes(void **state)
{
	(void)state;
	accepted("{\"note\":\"ab\"}");
	refused("{\"note\":\"a\"}", ZG_JSON_FAULT_SHORT, "note");
	assert_string_equal(error.message, "note must be a string of 2 to 8 bytes");
	refused("{\"note\":\"\\u0041\"}", ZG_JSON_FAULT_SHORT, "note");
	accepted("{\"note\":\"12345678\"}");
	refused("{\"note\":\"123456789\"}", ZG_JSON_FAULT_LONG, "note");
	accepted("{\"note\":\"\\u0031\\u0032\\u0033\\u0034\\u0035\\u0036\\u0037\\u0038\"}");
	refused("{\"note\":\"\303\244\303\244\303\244\303\244\303\244\"}", ZG_JSON_FAULT_LONG,
		"note");
	refused("{\"note\":12}", ZG_JSON_FAULT_TYPE, "note");
}

static void a_text_is_copied_and_ends_in_a_nul(void **state)
{
	(void)state;
	memset(cart.currency, 'x', sizeof(cart.currency));
	accepted("{\"currency\":\"\\u0045UR\"}");
	assert_string_equal(cart.currency, "EUR");
	/* Unlike a slice it leaves the document as it was. */
	assert_memory_equal(document, "{\"currency\":\"\\u0045UR\"}", 23);
	refused("{\"currency\":\"EU\"}", ZG_JSON_FAULT_SHORT, "currency");
	assert_string_equal(error.message, "currency must be a string of exactly 3 bytes");
	refused("{\"currency\":\"EURO\"}", ZG_JSON_FAULT_LONG, "currency");
	refused("{\"currency\":\"E\\u0000R\"}", ZG_JSON_FAULT_NUL, "currency");
	refused("{\"currency\":[]}", ZG_JSON_FAULT_TYPE, "currency");
}

static void a_number_may_be_kept_as_it_is_written(void **state)
{
	(void)state;
	accepted("{\"rate\":-0.10e+400}");
	assert_slice(cart.rate, "-0.10e+400");
	refused("{\"rate\":\"1\"}", ZG_JSON_FAULT_TYPE, "rate");
	refused("{\"rate\":1.}", ZG_JSON_FAULT_NUMBER, "rate");
}

static void any_value_may_be_kept_as_it_is_written(void **state)
{
	(void)state;
	accepted("{\"extra\": {\"a\" : [1]} }");
	assert_slice(cart.extra, "{\"a\" : [1]}");
	accepted("{\"extra\":\"\\u0041\"}");
	assert_slice(cart.extra, "\"\\u0041\"");
	accepted("{\"extra\":null}");
	assert_slice(cart.extra, "null");
	accepted("{\"extra\":12345678901234.5}");
	refused("{\"extra\":12345678901234.56}", ZG_JSON_FAULT_LONG, "extra");
	refused("{\"extra\":[1,]}", ZG_JSON_FAULT_SYNTAX, "extra");
}

static void a_word_becomes_its_index(void **state)
{
	(void)state;
	accepted("{\"state\":\"open\"}");
	assert_int_equal(cart.state, FIXTURE_STATE_OPEN);
	accepted("{\"state\":\"p\\u0061id\"}");
	assert_int_equal(cart.state, FIXTURE_STATE_PAID);
	refused("{\"state\":\"opened\"}", ZG_JSON_FAULT_WORD, "state");
	assert_string_equal(error.message, "state must be one of \"open\", \"paid\"");
	refused("{\"state\":\"ope\"}", ZG_JSON_FAULT_WORD, "state");
	refused("{\"state\":\"\"}", ZG_JSON_FAULT_WORD, "state");
	refused("{\"state\":1}", ZG_JSON_FAULT_TYPE, "state");
}

static void an_object_in_an_object_is_bound(void **state)
{
	(void)state;
	accepted("{\"address\":{\"city\":\"Ulm\",\"street\":\"Hof\"},\"small\":7}");
	assert_string_equal(cart.address.street, "Hof");
	assert_slice(cart.address.city, "Ulm");
	assert_int_equal(cart.small, 7);
	refused("{\"address\":{\"street\":\"H\"}}", ZG_JSON_FAULT_SHORT, "address.street");
	refused("{\"address\":[]}", ZG_JSON_FAULT_TYPE, "address");
	assert_string_equal(error.message, "address must be an object");
	refused("{\"address\":{\"street\":\"Hof\"]}", ZG_JSON_FAULT_SYNTAX, "address");
}

static void an_array_of_objects_is_bound(void **state)
{
	(void)state;
	cart.lines[1].discount = -77;
	accepted("{\"lines\":[{\"product\":17,\"quantity\":2,\"discount\":-5},"
		 "{\"quantity\":1,\"product\":4}]}");
	assert_int_equal(cart.line_count, 2);
	assert_int_equal(cart.lines[0].product, 17);
	assert_int_equal(cart.lines[0].quantity, 2);
	assert_int_equal(cart.lines[0].discount, -5);
	assert_int_equal(cart.lines[1].product, 4);
	assert_int_equal(cart.lines[1].quantity, 1);
	/* An element begins zeroed. */
	assert_int_equal(cart.lines[1].discount, 0);
}

#define LINE "{\"product\":1,\"quantity\":1}"

static void an_array_has_a_least_and_a_most(void **state)
{
	(void)state;
	refused("{\"lines\":[]}", ZG_JSON_FAULT_FEW, "lines");
	assert_string_equal(error.message, "lines must be an array of 1 to 3 elements");
	accepted("{\"lines\":[" LINE "]}");
	accepted("{\"lines\":[" LINE "," LINE "," LINE "]}");
	assert_int_equal(cart.line_count, 3);
	refused("{\"lines\":[" LINE "," LINE "," LINE "," LINE "]}", ZG_JSON_FAULT_MANY, "lines");
	refused("{\"lines\":[" LINE "," LINE "," LINE ",1]}", ZG_JSON_FAULT_MANY, "lines");
	refused("{\"lines\":[" LINE ",]}", ZG_JSON_FAULT_SYNTAX, "lines[1]");
	refused("{\"lines\":[" LINE " " LINE "]}", ZG_JSON_FAULT_SYNTAX, "lines[0]");
	refused("{\"lines\":{}}", ZG_JSON_FAULT_TYPE, "lines");
	refused("{\"lines\":[" LINE "}", ZG_JSON_FAULT_SYNTAX, "lines[0]");
}

static void arrays_of_numbers_and_strings_are_bound(void **state)
{
	(void)state;
	accepted("{\"ids\":[1, 2 ,18446744073709551615],\"steps\":[-9,9],\"marks\":[1,6],"
		 "\"tags\":[\"a\",\"\\u0062c\"]}");
	assert_int_equal(cart.id_count, 3);
	assert_true(cart.ids[2] == UINT64_MAX);
	assert_int_equal(cart.step_count, 2);
	assert_int_equal(cart.steps[0], -9);
	assert_int_equal(cart.marks[1], 6);
	assert_slice(cart.tags[1], "bc");
	accepted("{\"ids\":[ ]}");
	assert_int_equal(cart.id_count, 0);
	refused("{\"marks\":[1]}", ZG_JSON_FAULT_FEW, "marks");
	assert_string_equal(error.message, "marks must be an array of exactly 2 elements");
	refused("{\"marks\":[1,7]}", ZG_JSON_FAULT_RANGE, "marks[1]");
	refused("{\"steps\":[-10]}", ZG_JSON_FAULT_RANGE, "steps[0]");
	refused("{\"tags\":[\"a\",\"\"]}", ZG_JSON_FAULT_SHORT, "tags[1]");
	refused("{\"ids\":[1,null]}", ZG_JSON_FAULT_TYPE, "ids[1]");
	refused("{\"ids\":[[1]]}", ZG_JSON_FAULT_TYPE, "ids[0]");
	refused("{\"ids\":[1,2,3,4,5]}", ZG_JSON_FAULT_MANY, "ids");
}

static void the_error_says_where_and_what(void **state)
{
	const char *json = "{\"lines\":[" LINE "," LINE ",{\"product\":5,\"quantity\":100}]}";

	(void)state;
	refused(json, ZG_JSON_FAULT_RANGE, "lines[2].quantity");
	assert_string_equal(error.message, "lines[2].quantity must be a whole number from 1 to 99");
	assert_int_equal(error.offset, strstr(json, "100") - json);
	assert_int_equal(zg_json_fault_status(error.fault), 422);
	assert_string_equal(zg_json_fault_code(error.fault), "range");
}

static void what_is_required_must_be_there(void **state)
{
	(void)state;
	refused("{\"lines\":[{\"product\":5}]}", ZG_JSON_FAULT_MISSING, "lines[0].quantity");
	assert_string_equal(error.message, "lines[0].quantity is missing: it must be there, as a "
					   "whole number from 1 to 99");
	assert_int_equal(error.offset, strlen("{\"lines\":[{\"product\":5"));
	refused("{\"lines\":[{}]}", ZG_JSON_FAULT_MISSING, "lines[0].product");
	refused("{\"address\":{\"city\":\"Ulm\"}}", ZG_JSON_FAULT_MISSING, "address.street");
	refused("{\"lines\":[{\"product\":null,\"quantity\":1}]}", ZG_JSON_FAULT_TYPE,
		"lines[0].product");
}

static void what_is_absent_is_left_alone(void **state)
{
	(void)state;
	cart.large = 77;
	cart.line_count = 2;
	memcpy(cart.currency, "EUR", 4);
	accepted("{}");
	accepted(" { } ");
	assert_int_equal(cart.large, 77);
	assert_int_equal(cart.line_count, 2);
	assert_string_equal(cart.currency, "EUR");
}

static void null_is_absent_where_the_table_says_so(void **state)
{
	(void)state;
	cart.amount = 5;
	accepted("{\"amount\":null,\"note\":null}");
	assert_int_equal(cart.amount, 5);
	assert_null(cart.note.data);
	refused("{\"amount\":nul}", ZG_JSON_FAULT_SYNTAX, "amount");
	refused("{\"huge\":null}", ZG_JSON_FAULT_TYPE, "huge");
}

static void a_key_may_not_come_twice(void **state)
{
	(void)state;
	refused("{\"small\":1,\"medium\":20,\"small\":1}", ZG_JSON_FAULT_DUPLICATE, "small");
	assert_string_equal(error.message, "small is there twice: send it once");
	refused("{\"small\":1,\"sm\\u0061ll\":2}", ZG_JSON_FAULT_DUPLICATE, "small");
	refused("{\"amount\":null,\"amount\":1}", ZG_JSON_FAULT_DUPLICATE, "amount");
	refused("{\"lines\":[{\"product\":1,\"product\":1}]}", ZG_JSON_FAULT_DUPLICATE,
		"lines[0].product");
	/* In another object it is another key. */
	accepted("{\"lines\":[" LINE "," LINE "]}");
}

static void an_unknown_key_is_refused_or_skipped(void **state)
{
	(void)state;
	refused("{\"colour\":1}", ZG_JSON_FAULT_UNKNOWN, "colour");
	assert_string_equal(error.message, "colour is not known here: leave it out");
	assert_int_equal(error.offset, 1);
	refused("{\"lines\":[{\"colour\":1}]}", ZG_JSON_FAULT_UNKNOWN, "lines[0].colour");
	refused("{\"smal\":1}", ZG_JSON_FAULT_UNKNOWN, "smal");
	refused("{\"smalls\":1}", ZG_JSON_FAULT_UNKNOWN, "smalls");
	refused("{\"\":1}", ZG_JSON_FAULT_UNKNOWN, "");
	refused("{\"Small\":1}", ZG_JSON_FAULT_UNKNOWN, "Small");
	accepted("{\"address\":{\"zip\":[{\"a\":[1,2]}],\"street\":\"Hof\",\"x\":null}}");
	assert_string_equal(cart.address.street, "Hof");
	refused("{\"address\":{\"zip\":[01],\"street\":\"Hof\"}}", ZG_JSON_FAULT_NUMBER, "address");
}

static void a_long_key_of_a_peer_is_cut_in_the_message(void **state)
{
	char json[400];
	size_t size = 0;

	(void)state;
	size += (size_t)snprintf(json, sizeof(json), "{\"x");
	while (size < 300)
		size += (size_t)snprintf(json + size, sizeof(json) - size, "\303\244");
	(void)snprintf(json + size, sizeof(json) - size, "\":1}");
	assert_int_equal(bind_cart(json), -EINVAL);
	assert_int_equal(error.fault, ZG_JSON_FAULT_UNKNOWN);
	/* 48 bytes would end within a character. */
	assert_int_equal(strlen(error.path), 47);
}

static void keys_may_be_escaped_and_in_any_order(void **state)
{
	(void)state;
	accepted("{\"currency\":\"EUR\",\"\\u0073mall\":3,\"huge\":9,\"large\":8}");
	assert_int_equal(cart.small, 3);
	assert_int_equal(cart.large, 8);
	assert_int_equal(cart.huge, 9);
}

static void only_an_object_is_bound_and_nothing_behind_it(void **state)
{
	(void)state;
	refused("[]", ZG_JSON_FAULT_TYPE, "");
	assert_string_equal(error.message, "the document must be an object");
	refused("1", ZG_JSON_FAULT_TYPE, "");
	refused("", ZG_JSON_FAULT_EMPTY, "");
	refused("?", ZG_JSON_FAULT_SYNTAX, "");
	refused("{}{}", ZG_JSON_FAULT_TRAILING, "");
	refused("{} x", ZG_JSON_FAULT_TRAILING, "");
	refused("{\"small\":1", ZG_JSON_FAULT_ENDED, "");
	refused("{\"small\":", ZG_JSON_FAULT_ENDED, "small");
	refused("{\"small\"}", ZG_JSON_FAULT_SYNTAX, "small");
	refused("{\"small\":1,}", ZG_JSON_FAULT_SYNTAX, "");
	refused("{small:1}", ZG_JSON_FAULT_SYNTAX, "");
}

/* Each in a block that ends where it does: nothing is read past it. */
static void a_document_that_is_cut_is_refused(void **state)
{
	static const char whole[] =
		"{\"small\":1,\"amount\":null,\"is_gift\":true,\"note\":\"\\u0041\\ud83d\\ude00\","
		"\"currency\":\"EUR\",\"rate\":-1.5e+10,\"extra\":[{\"a\":1}],\"state\":\"open\","
		"\"address\":{\"street\":\"Hof\",\"zip\":1},\"lines\":[" LINE "," LINE "],"
		"\"ids\":[1,2],\"tags\":[\"a\",\"\303\244\"]}";
	char cut[sizeof(whole)];

	(void)state;
	accepted(whole);
	for (size_t size = 0; size < sizeof(whole) - 1; size++) {
		memcpy(cut, whole, size);
		cut[size] = '\0';
		assert_int_equal(bind_cart(cut), -EINVAL);
		assert_true(error.offset <= size);
		assert_int_equal(zg_json_fault_status(error.fault), 400);
	}
}

/* A bound object inside adds to the depth of what it keeps. */
static void depth_counts_all_that_is_open(void **state)
{
	char json[300];

	(void)state;
	for (int levels = 62; levels <= 63; levels++) {
		size_t size = (size_t)snprintf(json, sizeof(json),
					       "{\"address\":{\"street\":\"Hof\",\"x\":");

		memset(json + size, '[', (size_t)levels);
		memset(json + size + levels, ']', (size_t)levels);
		memcpy(json + size + 2 * levels, "}}", 3);
		if (levels == 62)
			accepted(json);
		else
			refused(json, ZG_JSON_FAULT_DEPTH, "address");
	}
}

struct update {
	uint64_t present;
	uint32_t stock;
	bool is_hidden;
	struct zg_slice name;
};

ZG_JSON_FIELDS_PRESENT(update, struct update, ZG_JSON_REFUSE_UNKNOWN, present,
		       ZG_JSON_U32(struct update, stock, 0, 1000, ZG_JSON_OPTIONAL),
		       ZG_JSON_BOOL(struct update, is_hidden, ZG_JSON_OPTIONAL),
		       ZG_JSON_SLICE(struct update, name, 0, 10, ZG_JSON_NULLABLE));

static void presence_tells_zero_from_absent(void **state)
{
	struct update update = {.present = UINT64_MAX};
	size_t size = document_copy("{\"stock\":0,\"name\":null}");

	(void)state;
	assert_int_equal(update_json_bind(document, size, &update, &error), 0);
	assert_int_equal(update.present, 1);
	assert_true(zg_json_is_present(&update_json, &update, ZG_SLICE("stock")));
	assert_false(zg_json_is_present(&update_json, &update, ZG_SLICE("is_hidden")));
	assert_false(zg_json_is_present(&update_json, &update, ZG_SLICE("name")));
}

static void nothing_is_said_of_a_document_that_is_accepted(void **state)
{
	(void)state;
	memset(&error, 0x5A, sizeof(error));
	accepted("{\"small\":1}");
	for (size_t index = 0; index < sizeof(error); index++)
		assert_int_equal(((unsigned char *)&error)[index], 0x5A);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(whole_numbers_are_bound_exactly),
		test(a_number_past_its_range_is_refused_by_one),
		test(a_whole_number_is_written_as_one),
		test(booleans_are_bound),
		test(a_slice_is_a_piece_of_the_document),
		test(escapes_are_undone_where_they_stand),
		test(every_escape_becomes_its_character),
		test(a_string_is_measured_unescaped_in_bytes),
		test(a_text_is_copied_and_ends_in_a_nul),
		test(a_number_may_be_kept_as_it_is_written),
		test(any_value_may_be_kept_as_it_is_written),
		test(a_word_becomes_its_index),
		test(an_object_in_an_object_is_bound),
		test(an_array_of_objects_is_bound),
		test(an_array_has_a_least_and_a_most),
		test(arrays_of_numbers_and_strings_are_bound),
		test(the_error_says_where_and_what),
		test(what_is_required_must_be_there),
		test(what_is_absent_is_left_alone),
		test(null_is_absent_where_the_table_says_so),
		test(a_key_may_not_come_twice),
		test(an_unknown_key_is_refused_or_skipped),
		test(a_long_key_of_a_peer_is_cut_in_the_message),
		test(keys_may_be_escaped_and_in_any_order),
		test(only_an_object_is_bound_and_nothing_behind_it),
		test(a_document_that_is_cut_is_refused),
		test(depth_counts_all_that_is_open),
		test(presence_tells_zero_from_absent),
		test(nothing_is_said_of_a_document_that_is_accepted),
	};

	return cmocka_run_group_tests_name("json_bind", tests, NULL, NULL);
}
