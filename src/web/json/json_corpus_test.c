/*
 * The grammar, by a corpus of documents that are JSON and documents that are not, and by
 * what follows from it: no beginning of a document is one, and where a table keeps or
 * skips a value the same is accepted. Each document lies in a block that ends where it
 * does, so that ASan sees a read past it.
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

#include <zerog/json.h>

struct corpus_case {
	const char *name;
	const char *document;
	size_t size;
	bool is_json;
};

static const struct corpus_case corpus[] = {
#define Y(name, document) {name, document, sizeof(document) - 1, true},
#define N(name, document) {name, document, sizeof(document) - 1, false},
#define IY(name, document) {name, document, sizeof(document) - 1, true},
#define IN(name, document) {name, document, sizeof(document) - 1, false},
#include "web/json/json_corpus.def"
#undef Y
#undef N
#undef IY
#undef IN
};

#define CORPUS_COUNT (sizeof(corpus) / sizeof(corpus[0]))

/* A copy that ends where its block does. */
static char *block_of(const char *bytes, size_t size)
{
	char *block = malloc(size > 0 ? size : 1);

	assert_non_null(block);
	if (size > 0)
		memcpy(block, bytes, size);
	return block;
}

static int check(const char *bytes, size_t size, struct zg_json_error *ret_error)
{
	char *block = block_of(bytes, size);
	int result = zg_json_check((struct zg_slice){block, size}, ret_error);

	free(block);
	return result;
}

static void the_corpus_is_told_apart(void **state)
{
	(void)state;
	for (size_t index = 0; index < CORPUS_COUNT; index++) {
		const struct corpus_case *one = &corpus[index];
		struct zg_json_error error = {.fault = ZG_JSON_FAULT_NONE};
		int result = check(one->document, one->size, &error);

		if (result != (one->is_json ? 0 : -EINVAL))
			fail_msg("%s: %d %s", one->name, result, error.message);
		if (result < 0) {
			assert_true(error.fault != ZG_JSON_FAULT_NONE);
			assert_true(error.offset <= one->size);
			assert_int_equal(zg_json_fault_status(error.fault), 400);
			assert_true(strlen(error.message) > 10);
			assert_true(strlen(error.message) < ZG_JSON_MESSAGE_SIZE - 1);
			assert_string_equal(error.path, "");
		} else {
			assert_int_equal(error.fault, ZG_JSON_FAULT_NONE);
		}
	}
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* A number is the one value that another may begin with. */
static bool may_be_cut(const struct corpus_case *one, size_t size)
{
	const char *first = one->document;

	while (is_space(*first))
		first++;
	if (*first == '-' || (*first >= '0' && *first <= '9'))
		return true;
	for (; size < one->size; size++) {
		if (!is_space(one->document[size]))
			return false;
	}
	return true;
}

static void no_beginning_of_a_document_is_one(void **state)
{
	(void)state;
	for (size_t index = 0; index < CORPUS_COUNT; index++) {
		const struct corpus_case *one = &corpus[index];

		for (size_t size = 0; one->is_json && size < one->size; size++) {
			struct zg_json_error error;

			if (may_be_cut(one, size))
				continue;
			if (check(one->document, size, &error) == 0)
				fail_msg("%s, cut to %zu bytes", one->name, size);
			/* Characters are looked at whole. */
			if (error.fault != ZG_JSON_FAULT_ENDED &&
			    error.fault != ZG_JSON_FAULT_EMPTY &&
			    error.fault != ZG_JSON_FAULT_UTF8 &&
			    error.fault != ZG_JSON_FAULT_ESCAPE &&
			    error.fault != ZG_JSON_FAULT_SURROGATE)
				fail_msg("%s, cut to %zu bytes: %s", one->name, size,
					 error.message);
		}
	}
}

struct keeper {
	struct zg_slice value;
};

ZG_JSON_FIELDS(keeper, struct keeper, ZG_JSON_REFUSE_UNKNOWN,
	       ZG_JSON_RAW(struct keeper, value, 100000, ZG_JSON_REQUIRED));

struct skipper {
	bool unused;
};

ZG_JSON_FIELDS(skipper, struct skipper, ZG_JSON_SKIP_UNKNOWN,
	       ZG_JSON_BOOL(struct skipper, unused, ZG_JSON_OPTIONAL));

/* {"value":DOCUMENT}. One level deeper than the document: those at the limit are left out. */
static char *wrapped(const struct corpus_case *one, size_t *ret_size)
{
	size_t size = one->size + strlen("{\"value\":}");
	char *block = malloc(size);

	assert_non_null(block);
	memcpy(block, "{\"value\":", 9);
	memcpy(block + 9, one->document, one->size);
	block[size - 1] = '}';
	*ret_size = size;
	return block;
}

static void a_table_keeps_and_skips_what_is_json(void **state)
{
	(void)state;
	for (size_t index = 0; index < CORPUS_COUNT; index++) {
		const struct corpus_case *one = &corpus[index];
		struct zg_json_error error;
		struct keeper keeper = {{NULL, 0}};
		struct skipper skipper = {false};
		size_t size;
		char *block = wrapped(one, &size);
		bool is_json = zg_json_check((struct zg_slice){block, size}, &error) == 0;

		assert_int_equal(keeper_json_bind(block, size, &keeper, &error) == 0, is_json);
		if (is_json && one->is_json && !is_space(one->document[0]) &&
		    !is_space(one->document[one->size - 1])) {
			assert_int_equal(keeper.value.size, one->size);
			assert_memory_equal(keeper.value.data, one->document, one->size);
		}
		assert_int_equal(skipper_json_bind(block, size, &skipper, &error) == 0, is_json);
		free(block);
	}
}

static void a_fault_is_named_where_it_is(void **state)
{
	static const struct {
		const char *document;
		enum zg_json_fault fault;
		uint32_t offset;
	} cases[] = {
		{"", ZG_JSON_FAULT_EMPTY, 0},
		{"  ", ZG_JSON_FAULT_EMPTY, 2},
		{"[1", ZG_JSON_FAULT_ENDED, 2},
		{"\"abc", ZG_JSON_FAULT_ENDED, 4},
		{"[1;2]", ZG_JSON_FAULT_SYNTAX, 2},
		{"{\"a\" 1}", ZG_JSON_FAULT_SYNTAX, 5},
		{"[truE]", ZG_JSON_FAULT_SYNTAX, 4},
		{"[1] 2", ZG_JSON_FAULT_TRAILING, 4},
		{"[01]", ZG_JSON_FAULT_NUMBER, 1},
		{"[-a]", ZG_JSON_FAULT_NUMBER, 2},
		{"[\"a\nb\"]", ZG_JSON_FAULT_CONTROL, 3},
		{"[\"a\x1F\"]", ZG_JSON_FAULT_CONTROL, 3},
		{"[\"a\\x\"]", ZG_JSON_FAULT_ESCAPE, 3},
		{"[\"ab\\ud800\"]", ZG_JSON_FAULT_SURROGATE, 4},
		{"[\"ab\303\"]", ZG_JSON_FAULT_UTF8, 4},
		{"\357\273\277{}", ZG_JSON_FAULT_SYNTAX, 0},
	};

	(void)state;
	for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
		struct zg_json_error error;
		int result = check(cases[index].document, strlen(cases[index].document), &error);

		assert_int_equal(result, -EINVAL);
		if (error.fault != cases[index].fault || error.offset != cases[index].offset)
			fail_msg("%s: %s at %u: %s", cases[index].document,
				 zg_json_fault_code(error.fault), error.offset, error.message);
	}
}

static void a_byte_order_mark_is_called_by_its_name(void **state)
{
	struct zg_json_error error;

	(void)state;
	assert_int_equal(check("\357\273\277{}", 5, &error), -EINVAL);
	assert_string_equal(error.message,
			    "at byte 0, there is a byte order mark: send UTF-8 without it");
}

static void every_fault_has_a_code_of_its_own(void **state)
{
	(void)state;
	for (int one = 0; one < ZG_JSON_FAULT_COUNT; one++) {
		const char *code = zg_json_fault_code((enum zg_json_fault)one);

		assert_true(strlen(code) > 0);
		for (int other = 0; other < one; other++)
			assert_string_not_equal(code,
						zg_json_fault_code((enum zg_json_fault)other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_corpus_is_told_apart),
		cmocka_unit_test(no_beginning_of_a_document_is_one),
		cmocka_unit_test(a_table_keeps_and_skips_what_is_json),
		cmocka_unit_test(a_fault_is_named_where_it_is),
		cmocka_unit_test(a_byte_order_mark_is_called_by_its_name),
		cmocka_unit_test(every_fault_has_a_code_of_its_own),
	};

	return cmocka_run_group_tests_name("json_corpus", tests, NULL, NULL);
}
