/*
 * The guest heap by its own functions: what it hands out, where it lies, that it is full
 * when it is full and as good as new afterwards, and that the kernel is never asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zerog/fault.h>
#include <zerog/guest_heap.h>

#include "mem/seal/seal_fixture.h"
#include "mem/seal/seal_state.h"
#include "mem/watch/poison.h"

#ifdef ZGI_HAS_ASAN
#include <sanitizer/asan_interface.h>
#endif

#define MIB ((size_t)1 << 20)
#define HEAP_SIZE (16 * MIB)
#define BLOCKS_MAX 200000

static void *blocks[BLOCKS_MAX];

static struct zg_guest_counts counts_now(void)
{
	struct zg_guest_counts counts;

	zg_guest_heap_counts(&counts);
	return counts;
}

/* Takes blocks of one size until there is none; how many. */
static size_t exhaust(size_t size)
{
	size_t count = 0;

	while (count < BLOCKS_MAX && (blocks[count] = zg_guest_malloc(size)) != NULL)
		count++;
	assert_true(count < BLOCKS_MAX);
	return count;
}

static void give_back(size_t count)
{
	for (size_t i = 0; i < count; ++i)
		zg_guest_free(blocks[i]);
}

static void before_it_is_reserved_there_is_none(void **state)
{
	(void)state;
	errno = 0;
	assert_null(zg_guest_malloc(1));
	assert_int_equal(errno, ENOMEM);
	assert_null(zg_guest_calloc(1, 1));
	assert_null(zg_guest_realloc(NULL, 1));
	assert_null(zg_guest_memalign(64, 1));
	zg_guest_free(NULL);
	assert_int_equal(counts_now().size, 0);
	assert_int_equal(counts_now().held_size, 0);
	assert_false(zg_guest_owns(blocks));
}

static void its_size_has_its_ends(void **state)
{
	(void)state;
	assert_int_equal(zg_guest_heap_reserve(0), -EINVAL);
	assert_int_equal(zg_guest_heap_reserve(ZG_GUEST_HEAP_SIZE_MAX + 1), -EINVAL);
	assert_int_equal(zg_guest_heap_size_mapped(0), 0);
	/* Rounded up to the grain, and with less than a MiB beside it for so small a heap. */
	assert_in_range(zg_guest_heap_size_mapped(1), ZG_GUEST_HEAP_GRAIN,
			ZG_GUEST_HEAP_GRAIN + MIB);
	assert_in_range(zg_guest_heap_size_mapped(ZG_GUEST_HEAP_SIZE_MAX), ZG_GUEST_HEAP_SIZE_MAX,
			ZG_GUEST_HEAP_SIZE_MAX + 32 * MIB);
}

static void reserve_in_a_child(void *user)
{
	uintptr_t *address = user;
	uint64_t before = zgi_fixture_status("VmSize:");

	CHILD_CHECK(zg_guest_heap_reserve(4 * MIB) == 0);
	*address = (uintptr_t)zg_guest_malloc(1);
	/* What is mapped is what the plan has, to the page. A sanitizer maps as it likes. */
	CHILD_CHECK(ZGI_SEAL_HAS_SANITIZER || (zgi_fixture_status("VmSize:") - before) * 1024 ==
						      zg_guest_heap_size_mapped(4 * MIB));
}

static void it_lies_low_and_each_time_elsewhere(void **state)
{
	uintptr_t *addresses =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(addresses != MAP_FAILED);
	for (size_t i = 0; i < 4; ++i) {
		assert_int_equal(zgi_fixture_run(reserve_in_a_child, &addresses[i]), 0);
		assert_in_range(addresses[i], UINT64_C(1) << 28, UINT64_C(1) << 39);
	}
	assert_false(addresses[0] == addresses[1] && addresses[1] == addresses[2] &&
		     addresses[2] == addresses[3]);
	munmap(addresses, 4096);
}

static void a_process_has_one(void **state)
{
	(void)state;
	assert_int_equal(zg_guest_heap_reserve(HEAP_SIZE - 1), 0);
	assert_int_equal(zg_guest_heap_reserve(HEAP_SIZE), -EBUSY);
	assert_int_equal(counts_now().size, HEAP_SIZE);
}

static void blocks_are_its_own_and_aligned(void **state)
{
	(void)state;
	for (size_t size = 0; size < 300; ++size) {
		unsigned char *memory = zg_guest_malloc(size);

		assert_non_null(memory);
		assert_true(zg_guest_owns(memory));
		assert_true(zg_guest_usable_size(memory) >= size);
		if (size >= 16)
			assert_int_equal((uintptr_t)memory % 16, 0);
		memset(memory, 0xff, size);
		zg_guest_free(memory);
	}
}

static void alignments_are_kept_up_to_the_largest(void **state)
{
	(void)state;
	for (size_t alignment = 1; alignment <= ZG_GUEST_ALIGNMENT_MAX; alignment *= 2) {
		void *memory = zg_guest_memalign(alignment, 100);

		assert_non_null(memory);
		assert_int_equal((uintptr_t)memory % alignment, 0);
		zg_guest_free(memory);
	}
	errno = 0;
	assert_null(zg_guest_memalign(2 * ZG_GUEST_ALIGNMENT_MAX, 100));
	assert_int_equal(errno, EINVAL);
	assert_null(zg_guest_memalign(24, 100));
	assert_null(zg_guest_memalign(0, 100));
}

static void calloc_zeroes_what_was_used(void **state)
{
	unsigned char *memory;

	(void)state;
	for (size_t size = 16; size <= MIB; size *= 4) {
		memory = zg_guest_malloc(size);
		assert_non_null(memory);
		memset(memory, 0xff, size);
		zg_guest_free(memory);
		memory = zg_guest_calloc(size / 16, 16);
		assert_non_null(memory);
		for (size_t i = 0; i < size; ++i)
			assert_int_equal(memory[i], 0);
		zg_guest_free(memory);
	}
	errno = 0;
	assert_null(zg_guest_calloc(SIZE_MAX / 2, 3));
	assert_int_equal(errno, ENOMEM);
}

static void realloc_keeps_the_contents(void **state)
{
	unsigned char *memory = zg_guest_realloc(NULL, 1);
	unsigned char *same;

	(void)state;
	memory[0] = 7;
	for (size_t size = 2; size <= MIB; size *= 2) {
		memory = zg_guest_realloc(memory, size);
		assert_non_null(memory);
		memset(memory + size / 2, 7, size / 2);
	}
	for (size_t size = MIB; size >= 1; size /= 2) {
		memory = zg_guest_realloc(memory, size);
		assert_non_null(memory);
		for (size_t i = 0; i < size; ++i)
			assert_int_equal(memory[i], 7);
	}
	/* What cannot be had leaves the block as it was. */
	same = zg_guest_realloc(memory, 2 * HEAP_SIZE);
	assert_null(same);
	assert_int_equal(memory[0], 7);
	zg_guest_free(memory);
}

static void figures_follow_what_is_taken_and_given(void **state)
{
	struct zg_guest_counts before = counts_now();
	void *small = zg_guest_malloc(100);
	void *large = zg_guest_malloc(MIB);
	struct zg_guest_counts during = counts_now();
	struct zg_guest_counts after;

	(void)state;
	assert_int_equal(during.live_count, before.live_count + 2);
	assert_int_equal(during.malloc_count, before.malloc_count + 2);
	assert_int_equal(during.live_size, before.live_size + zg_guest_usable_size(small) +
						   zg_guest_usable_size(large));
	assert_true(during.live_size_peak >= during.live_size);
	assert_true(during.held_size >= during.live_size);
	/* What nobody has is not held, but for a few slices that are kept at hand. */
	assert_true(during.held_size <= during.live_size + 2 * MIB);
	zg_guest_free(small);
	zg_guest_free(large);
	after = counts_now();
	assert_int_equal(after.live_count, before.live_count);
	assert_int_equal(after.live_size, before.live_size);
	assert_true(after.live_size_peak >= during.live_size);
}

static void when_it_is_full_it_says_so_and_is_as_good_as_new_afterwards(void **state)
{
	static const size_t sizes[] = {100, 1000, 10000, 300000, 3 * MIB};
	uint64_t virtual_size = zgi_fixture_status("VmSize:");
	uint64_t fail_count = counts_now().fail_count;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); ++i) {
		size_t count = exhaust(sizes[i]);

		assert_int_equal(errno, ENOMEM);
		assert_int_equal(counts_now().fail_count, ++fail_count);
		/* At least three quarters of it were to be had. */
		assert_true(count * sizes[i] >= HEAP_SIZE / 4 * 3);
		for (size_t k = 0; k < count; ++k)
			memset(blocks[k], (int)k, sizes[i] < 4096 ? sizes[i] : 4096);
		give_back(count);
		assert_int_equal(counts_now().live_count, 0);
	}
	if (!ZGI_SEAL_HAS_SANITIZER)
		assert_int_equal(zgi_fixture_status("VmSize:"), virtual_size);
}

static void *malloc_in_a_thread(void *user)
{
	void **memory = user;

	*memory = zg_guest_malloc(100);
	return NULL;
}

static void run_thread(void *(*function)(void *user), void *user)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, function, user), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void a_thread_that_comes_when_it_is_full_gets_null(void **state)
{
	size_t count = exhaust(3 * MIB);
	void *memory = blocks;

	(void)state;
	/* The ends, down to a slice. */
	for (size_t size = MIB; size >= 1024; size /= 2) {
		while (count < BLOCKS_MAX && (blocks[count] = zg_guest_malloc(size)) != NULL)
			count++;
	}
	run_thread(malloc_in_a_thread, &memory);
	assert_null(memory);
	give_back(count);
	run_thread(malloc_in_a_thread, &memory);
	assert_non_null(memory);
	zg_guest_free(memory);
}

static void blocks_of_a_thread_outlive_it(void **state)
{
	void *memory[100];

	(void)state;
	for (size_t i = 0; i < 100; ++i)
		run_thread(malloc_in_a_thread, &memory[i]);
	for (size_t i = 0; i < 100; ++i) {
		assert_non_null(memory[i]);
		zg_guest_free(memory[i]);
	}
	assert_int_equal(counts_now().live_count, 0);
}

static void *fill_and_give_back(void *user)
{
	(void)user;
	for (size_t round = 0; round < 4; ++round) {
		void *mine[64];

		for (size_t i = 0; i < 64; ++i)
			mine[i] = zg_guest_malloc((size_t)64 << (i % 8));
		for (size_t i = 0; i < 64; ++i)
			zg_guest_free(mine[i]);
	}
	return NULL;
}

static void threads_that_come_and_go_use_nothing_up(void **state)
{
	(void)state;
	/* Each takes a few slices: 1,000 of them would have taken all there are. */
	for (size_t i = 0; i < 1000; ++i)
		run_thread(fill_and_give_back, NULL);
	assert_int_equal(counts_now().live_count, 0);
	give_back(exhaust(MIB));
	assert_true(counts_now().live_size_peak >= HEAP_SIZE / 4 * 3);
}

#define SWAPS 20000

struct swapped {
	size_t size; /* of the bytes behind it, which all hold the lowest byte of this */
	unsigned char bytes[];
};

static struct swapped *slots[16];

static bool is_whole(const struct swapped *block)
{
	for (size_t i = 0; i < block->size; ++i)
		if (block->bytes[i] != (unsigned char)block->size)
			return false;
	return true;
}

/* Takes what another has left, checks it, and leaves something of another size. */
static void *swap_blocks(void *user)
{
	uint32_t random = (uint32_t)(uintptr_t)user;

	for (size_t i = 0; i < SWAPS; ++i) {
		struct swapped *block;
		size_t size;

		random = random * UINT32_C(1664525) + UINT32_C(1013904223);
		size = (random >> 8) % 3000;
		block = zg_guest_malloc(sizeof(*block) + size);
		if (block == NULL)
			return user;
		block->size = size;
		memset(block->bytes, (int)(size & 0xff), size);
		block = __atomic_exchange_n(&slots[random >> 28], block, __ATOMIC_ACQ_REL);
		if (block != NULL && !is_whole(block))
			return user;
		zg_guest_free(block);
	}
	return NULL;
}

static void blocks_are_freed_by_others(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < 4; ++i)
		assert_int_equal(pthread_create(&threads[i], NULL, swap_blocks, (void *)(i + 1)),
				 0);
	for (size_t i = 0; i < 4; ++i) {
		void *result;

		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_null(result);
	}
	for (size_t i = 0; i < 16; ++i)
		zg_guest_free(slots[i]);
	assert_int_equal(counts_now().live_count, 0);
	assert_int_equal(counts_now().live_size, 0);
}

static void free_what_is_not_of_it(void *user)
{
	close(STDERR_FILENO);
	zg_guest_free(user);
}

static void what_is_not_of_it_is_not_taken_back(void **state)
{
	int status = zgi_fixture_run(free_what_is_not_of_it, blocks);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void see(const struct zg_usage *usage, void *user)
{
	if (strcmp(usage->kind, "guest heap") == 0)
		*(struct zg_usage *)user = *usage;
}

static void it_is_in_the_registry(void **state)
{
	struct zg_usage usage = {.name = ""};
	void *memory = zg_guest_malloc(1000);

	(void)state;
	zg_watch_usage(see, &usage);
	assert_string_equal(usage.name, "guest heap");
	assert_int_equal(usage.live_count, 1);
	assert_in_range(usage.live_size, 1000, 1100);
	assert_true(usage.held_size >= usage.live_size);
	assert_int_equal(usage.reserved_size, HEAP_SIZE);
	zg_guest_free(memory);
}

static void a_take_is_made_to_fail(void **state)
{
	void *memory;
	uint64_t fail_count = counts_now().fail_count;

	(void)state;
	assert_int_equal(zg_fault_arm("guest heap", 2, ZG_FAULT_ONCE), 0);
	memory = zg_guest_malloc(10);
	assert_non_null(memory);
	errno = 0;
	assert_null(zg_guest_realloc(memory, 1000));
	assert_int_equal(errno, ENOMEM);
	memory = zg_guest_realloc(memory, 1000);
	assert_non_null(memory);
	assert_int_equal(counts_now().fail_count, fail_count + 1);
	zg_fault_disarm(NULL);
	zg_guest_free(memory);
}

static void asan_sees_its_blocks(void **state)
{
	(void)state;
#ifdef ZGI_HAS_ASAN
	unsigned char *memory = zg_guest_malloc(100);

	assert_false(__asan_address_is_poisoned(memory + 99));
	memory = zg_guest_realloc(memory, 80);
	assert_false(__asan_address_is_poisoned(memory + 79));
	assert_true(__asan_address_is_poisoned(memory + 80));
	zg_guest_free(memory);
	assert_true(__asan_address_is_poisoned(memory));
#endif
}

int main(void)
{
	/* The first three want a process that has none yet. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_it_is_reserved_there_is_none),
		cmocka_unit_test(its_size_has_its_ends),
		cmocka_unit_test(it_lies_low_and_each_time_elsewhere),
		cmocka_unit_test(a_process_has_one),
		cmocka_unit_test(blocks_are_its_own_and_aligned),
		cmocka_unit_test(alignments_are_kept_up_to_the_largest),
		cmocka_unit_test(calloc_zeroes_what_was_used),
		cmocka_unit_test(realloc_keeps_the_contents),
		cmocka_unit_test(figures_follow_what_is_taken_and_given),
		cmocka_unit_test(when_it_is_full_it_says_so_and_is_as_good_as_new_afterwards),
		cmocka_unit_test(a_thread_that_comes_when_it_is_full_gets_null),
		cmocka_unit_test(blocks_of_a_thread_outlive_it),
		cmocka_unit_test(threads_that_come_and_go_use_nothing_up),
		cmocka_unit_test(blocks_are_freed_by_others),
		cmocka_unit_test(what_is_not_of_it_is_not_taken_back),
		cmocka_unit_test(it_is_in_the_registry),
		cmocka_unit_test(a_take_is_made_to_fail),
		cmocka_unit_test(asan_sees_its_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
