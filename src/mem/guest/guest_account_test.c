/*
 * Accounts: what each library has, its limit, and a real library with one of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <zlib.h>

#include <zerog/fault.h>
#include <zerog/guest_heap.h>

#define MIB ((size_t)1 << 20)
#define NO_LIMIT UINT64_MAX

static struct zg_guest_account account;

static int reserve(void **state)
{
	(void)state;
	return zg_guest_heap_reserve(8 * MIB);
}

static struct zg_guest_counts counts_of(const struct zg_guest_account *which)
{
	struct zg_guest_counts counts;

	zg_guest_account_counts(which, &counts);
	return counts;
}

static void an_account_counts_what_its_library_has(void **state)
{
	void *first;
	void *second;

	(void)state;
	zg_guest_account_init(&account, "library", NO_LIMIT);
	first = zg_guest_account_malloc(&account, 1000);
	second = zg_guest_account_calloc(&account, 10, 10);
	assert_int_equal(counts_of(&account).live_count, 2);
	assert_int_equal(counts_of(&account).malloc_count, 2);
	assert_int_equal(counts_of(&account).live_size,
			 zg_guest_usable_size(first) + zg_guest_usable_size(second));
	first = zg_guest_account_realloc(&account, first, 100000);
	assert_int_equal(counts_of(&account).live_count, 2);
	assert_int_equal(counts_of(&account).live_size,
			 zg_guest_usable_size(first) + zg_guest_usable_size(second));
	first = zg_guest_account_realloc(&account, first, 10);
	assert_int_equal(counts_of(&account).live_size,
			 zg_guest_usable_size(first) + zg_guest_usable_size(second));
	zg_guest_account_free(&account, first);
	zg_guest_account_free(&account, second);
	zg_guest_account_free(&account, NULL);
	assert_int_equal(counts_of(&account).live_count, 0);
	assert_int_equal(counts_of(&account).live_size, 0);
	assert_true(counts_of(&account).live_size_peak >= 100000);
	assert_int_equal(zg_guest_account_fini(&account), 0);
}

static void accounts_are_apart(void **state)
{
	struct zg_guest_account other;
	void *memory;

	(void)state;
	zg_guest_account_init(&account, "one", NO_LIMIT);
	zg_guest_account_init(&other, "other", NO_LIMIT);
	memory = zg_guest_account_malloc(&other, 100);
	assert_int_equal(counts_of(&account).live_size, 0);
	assert_true(counts_of(&other).live_size >= 100);
	zg_guest_account_free(&other, memory);
	assert_int_equal(zg_guest_account_fini(&account), 0);
	assert_int_equal(zg_guest_account_fini(&other), 0);
}

static void a_limit_holds_though_the_heap_has_more(void **state)
{
	void *memory;
	void *more;

	(void)state;
	zg_guest_account_init(&account, "limited", 10000);
	memory = zg_guest_account_malloc(&account, 6000);
	assert_non_null(memory);
	errno = 0;
	assert_null(zg_guest_account_malloc(&account, 6000));
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(counts_of(&account).fail_count, 1);
	assert_null(zg_guest_account_realloc(&account, memory, 12000));
	assert_int_equal(counts_of(&account).fail_count, 2);
	assert_int_equal(counts_of(&account).live_size, zg_guest_usable_size(memory));
	more = zg_guest_account_malloc(&account, 3000);
	assert_non_null(more);
	zg_guest_account_free(&account, more);
	zg_guest_account_free(&account, memory);
	assert_int_equal(zg_guest_account_fini(&account), 0);
}

static void what_the_heap_has_not_an_account_has_not(void **state)
{
	void *memory;

	(void)state;
	zg_guest_account_init(&account, "greedy", NO_LIMIT);
	memory = zg_guest_account_malloc(&account, 100);
	assert_null(zg_guest_account_malloc(&account, 64 * MIB));
	assert_null(zg_guest_account_realloc(&account, memory, 64 * MIB));
	assert_null(zg_guest_account_calloc(&account, SIZE_MAX / 2, 4));
	assert_int_equal(counts_of(&account).fail_count, 3);
	assert_int_equal(counts_of(&account).live_size, zg_guest_usable_size(memory));
	zg_guest_account_free(&account, memory);
	assert_int_equal(zg_guest_account_fini(&account), 0);
}

static void an_account_that_is_in_use_is_not_closed(void **state)
{
	void *memory;

	(void)state;
	zg_guest_account_init(&account, "leaking", NO_LIMIT);
	memory = zg_guest_account_malloc(&account, 1);
	assert_int_equal(zg_guest_account_fini(&account), -EBUSY);
	zg_guest_account_free(&account, memory);
	assert_int_equal(zg_guest_account_fini(&account), 0);
	/* Zeroed by now. */
	assert_int_equal(zg_guest_account_fini(&account), 0);
}

static void shapes_with_the_opaque_pointer_last(void **state)
{
	unsigned char *memory;

	(void)state;
	zg_guest_account_init(&account, "nghttp2", NO_LIMIT);
	memory = zg_guest_account_malloc_last(10, &account);
	memory = zg_guest_account_realloc_last(memory, 1000, &account);
	zg_guest_account_free_last(memory, &account);
	memory = zg_guest_account_calloc_last(10, 10, &account);
	assert_int_equal(memory[99], 0);
	zg_guest_account_free_last(memory, &account);
	assert_int_equal(counts_of(&account).malloc_count, 2);
	assert_int_equal(zg_guest_account_fini(&account), 0);
}

ZG_GUEST_ACCOUNT_OPENSSL(crypto, &account);

static void shapes_that_tell_file_and_line(void **state)
{
	void *memory;

	(void)state;
	zg_guest_account_init(&account, "openssl", NO_LIMIT);
	memory = crypto_malloc(10, __FILE__, __LINE__);
	memory = crypto_realloc(memory, 1000, __FILE__, __LINE__);
	assert_int_equal(counts_of(&account).live_count, 1);
	crypto_free(memory, __FILE__, __LINE__);
	assert_int_equal(zg_guest_account_fini(&account), 0);
}

static void zlib_lives_in_an_account(void **state)
{
	static unsigned char text[50000];
	static unsigned char packed[60000];
	static unsigned char unpacked[50000];
	z_stream stream = {.zalloc = zg_guest_account_zalloc,
			   .zfree = zg_guest_account_free,
			   .opaque = &account};
	uInt packed_size;

	(void)state;
	for (size_t i = 0; i < sizeof(text); ++i)
		text[i] = (unsigned char)("zero garbage"[i % 12] + (int)(i / 5000));
	zg_guest_account_init(&account, "zlib", NO_LIMIT);
	assert_int_equal(deflateInit(&stream, 6), Z_OK);
	/* A window of 32 KiB and its tables. */
	assert_in_range(counts_of(&account).live_size, 256000, 300000);
	stream.next_in = text;
	stream.avail_in = sizeof(text);
	stream.next_out = packed;
	stream.avail_out = sizeof(packed);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	packed_size = (uInt)stream.total_out;
	assert_int_equal(deflateEnd(&stream), Z_OK);
	assert_int_equal(counts_of(&account).live_size, 0);

	assert_int_equal(inflateInit(&stream), Z_OK);
	stream.next_in = packed;
	stream.avail_in = packed_size;
	stream.next_out = unpacked;
	stream.avail_out = sizeof(unpacked);
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(inflateEnd(&stream), Z_OK);
	assert_memory_equal(unpacked, text, sizeof(text));
	assert_int_equal(zg_guest_account_fini(&account), 0);
}

static void zlib_meets_each_take_that_fails(void **state)
{
	uint64_t take = 1;
	int result;

	(void)state;
	zg_guest_account_init(&account, "zlib", NO_LIMIT);
	do {
		z_stream stream = {.zalloc = zg_guest_account_zalloc,
				   .zfree = zg_guest_account_free,
				   .opaque = &account};

		assert_int_equal(zg_fault_arm("zlib", take++, ZG_FAULT_ONCE), 0);
		result = deflateInit(&stream, 6);
		if (result == Z_OK)
			assert_int_equal(deflateEnd(&stream), Z_OK);
		else
			assert_int_equal(result, Z_MEM_ERROR);
		assert_int_equal(counts_of(&account).live_count, 0);
	} while (result != Z_OK);
	zg_fault_disarm(NULL);
	assert_true(take > 3);
	assert_int_equal(zg_guest_account_fini(&account), 0);
}

static void zlib_is_told_that_there_is_no_room(void **state)
{
	z_stream stream = {.zalloc = zg_guest_account_zalloc,
			   .zfree = zg_guest_account_free,
			   .opaque = &account};

	(void)state;
	zg_guest_account_init(&account, "zlib", 100000);
	assert_int_equal(deflateInit(&stream, 6), Z_MEM_ERROR);
	assert_int_equal(counts_of(&account).live_size, 0);
	assert_int_equal(zg_guest_account_fini(&account), 0);
}

static void see(const struct zg_usage *usage, void *user)
{
	if (strcmp(usage->name, "registered") == 0)
		*(struct zg_usage *)user = *usage;
}

static void an_account_is_in_the_registry(void **state)
{
	struct zg_usage usage = {.name = ""};
	void *memory;

	(void)state;
	zg_guest_account_init(&account, "registered", NO_LIMIT);
	memory = zg_guest_account_malloc(&account, 100);
	zg_watch_usage(see, &usage);
	assert_string_equal(usage.kind, "guest account");
	assert_int_equal(usage.live_count, 1);
	assert_int_equal(usage.live_size, zg_guest_usable_size(memory));
	zg_guest_account_free(&account, memory);
	assert_int_equal(zg_guest_account_fini(&account), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_counts_what_its_library_has),
		cmocka_unit_test(accounts_are_apart),
		cmocka_unit_test(a_limit_holds_though_the_heap_has_more),
		cmocka_unit_test(what_the_heap_has_not_an_account_has_not),
		cmocka_unit_test(an_account_that_is_in_use_is_not_closed),
		cmocka_unit_test(shapes_with_the_opaque_pointer_last),
		cmocka_unit_test(shapes_that_tell_file_and_line),
		cmocka_unit_test(zlib_lives_in_an_account),
		cmocka_unit_test(zlib_meets_each_take_that_fails),
		cmocka_unit_test(zlib_is_told_that_there_is_no_room),
		cmocka_unit_test(an_account_is_in_the_registry),
	};

	return cmocka_run_group_tests(tests, reserve, NULL);
}
