/*
 * Shared pools under real threads: each block has one owner at a time, its contents
 * stay what the owner wrote, and in the end every block is there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>

#include <zerog/shared_pool.h>

#define BLOCK_SIZE 64
#define BLOCK_COUNT_MAX 1024
#define THREAD_COUNT 4
#define HANDS_MAX 32
#define RING_COUNT 64
#define WORDS (BLOCK_SIZE / sizeof(uint64_t))

static alignas(ZG_POOL_ALIGNMENT) unsigned char memory[512 * 1024];
static uint32_t owners[BLOCK_COUNT_MAX]; /* the thread that has the block, from 1 */
static struct zg_shared_pool pool;
static pthread_barrier_t barrier;

struct worker {
	pthread_t thread;
	uint32_t number; /* from 1 */
	uint32_t turn_count;
	uint32_t random;
	uint64_t success_count;
	uint64_t refuse_count;
	const char *defect; /* what it saw; cmocka's assertions are for the main thread only */
};

static struct worker workers[THREAD_COUNT];

static void start(uint32_t block_count, uint32_t batch_count, bool has_barrier)
{
	struct zg_shared_pool_options options = {
		.name = "threads",
		.memory = memory,
		.memory_size = sizeof(memory),
		.block_size = BLOCK_SIZE,
		.block_count = block_count,
		.threads_max = THREAD_COUNT + 1,
		.batch_count = batch_count,
		.tag = 9,
	};

	memset(owners, 0, sizeof(owners));
	memset(workers, 0, sizeof(workers));
	assert_int_equal(zg_shared_pool_init(&pool, &options), 0);
	pool.has_barrier = pool.has_barrier && has_barrier;
	assert_int_equal(pthread_barrier_init(&barrier, NULL, THREAD_COUNT), 0);
}

static void run(void *(*function)(void *), uint32_t turn_count)
{
	for (uint32_t i = 0; i < THREAD_COUNT; ++i) {
		workers[i].number = i + 1;
		workers[i].turn_count = turn_count;
		workers[i].random = 12345 + i;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, function, &workers[i]),
				 0);
	}
	for (uint32_t i = 0; i < THREAD_COUNT; ++i) {
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
		if (workers[i].defect != NULL)
			fail_msg("thread %u: %s", i + 1, workers[i].defect);
	}
}

/* Every block that is not taken can be taken, by one thread; then the pool ends. */
static void finish(uint32_t taken_count)
{
	struct zg_shared_pool_cache *cache;
	struct zg_shared_pool_counts counts;
	zg_handle handle;

	zg_shared_pool_counts(&pool, &counts);
	assert_int_equal(counts.taken_count, taken_count);
	assert_int_equal(counts.attached_count, 0);
	assert_int_equal(zg_shared_pool_attach(&pool, &cache), 0);
	for (uint32_t i = taken_count; i < pool.block_count; ++i)
		assert_int_equal(zg_shared_pool_take(cache, &handle, NULL), 0);
	assert_int_equal(zg_shared_pool_take(cache, &handle, NULL), -ENOMEM);
	zg_shared_pool_fini(&pool);
	pthread_barrier_destroy(&barrier);
}

static uint32_t random_below(struct worker *worker, uint32_t limit)
{
	/* xorshift (Marsaglia, 2003): each worker's own, so that no run is told by the clock. */
	worker->random ^= worker->random << 13;
	worker->random ^= worker->random >> 17;
	worker->random ^= worker->random << 5;
	return worker->random % limit;
}

static void worker_expect(struct worker *worker, bool is_so, const char *what)
{
	if (!is_so && worker->defect == NULL)
		worker->defect = what;
}

static struct zg_shared_pool_cache *worker_attach(struct worker *worker)
{
	struct zg_shared_pool_cache *cache = NULL;

	worker_expect(worker, zg_shared_pool_attach(&pool, &cache) == 0, "an attach is refused");
	return cache;
}

/* Take a block, claim it before everybody, and write on all of it. */
static bool worker_take(struct worker *worker, struct zg_shared_pool_cache *cache,
			zg_handle *ret_handle)
{
	void *block;
	uint64_t *words;
	uint32_t before;

	if (zg_shared_pool_take(cache, ret_handle, &block) < 0) {
		++worker->refuse_count;
		return false;
	}
	++worker->success_count;
	before = __atomic_exchange_n(&owners[zg_handle_index(*ret_handle)], worker->number,
				     __ATOMIC_RELAXED);
	worker_expect(worker, before == 0, "a block is in two hands");
	words = block;
	for (size_t i = 0; i < WORDS; ++i)
		words[i] = ret_handle->bits;
	return true;
}

/* Look whether a block is as it was written, and give it. */
static void worker_give(struct worker *worker, struct zg_shared_pool_cache *cache, zg_handle handle)
{
	const uint64_t *words = zg_shared_pool_get(&pool, handle);

	worker_expect(worker, words != NULL, "a good handle is stale");
	if (words == NULL)
		return;
	for (size_t i = 0; i < WORDS; ++i)
		worker_expect(worker, words[i] == handle.bits, "another wrote on a block");
	__atomic_store_n(&owners[zg_handle_index(handle)], 0, __ATOMIC_RELAXED);
	worker_expect(worker, zg_shared_pool_give(cache, handle) == 0, "a good give is refused");
}

/* Takes and gives at random, more or fewer at a time. */
static void *turn_over(void *argument)
{
	struct worker *worker = argument;
	struct zg_shared_pool_cache *cache = worker_attach(worker);
	zg_handle hands[HANDS_MAX];
	uint32_t hand_count = 0;

	pthread_barrier_wait(&barrier);
	for (uint32_t turn = 0; turn < worker->turn_count && worker->defect == NULL; ++turn) {
		uint32_t wanted = random_below(worker, HANDS_MAX + 1);

		while (hand_count < wanted && worker_take(worker, cache, &hands[hand_count]))
			++hand_count;
		while (hand_count > wanted)
			worker_give(worker, cache, hands[--hand_count]);
	}
	while (hand_count > 0)
		worker_give(worker, cache, hands[--hand_count]);
	return NULL;
}

static void blocks_have_one_owner_at_a_time(void **state)
{
	(void)state;
	start(BLOCK_COUNT_MAX, 0, true);
	run(turn_over, 3000);
	finish(0);
}

/* Fewer blocks than one thread may want: caches run empty, and threads live on what they steal. */
static void check_scarcity(bool has_barrier)
{
	struct zg_shared_pool_counts counts;

	start(HANDS_MAX - 8, 2, has_barrier);
	run(turn_over, 3000);
	zg_shared_pool_counts(&pool, &counts);
	assert_true(counts.refuse_count > 0);
	assert_int_equal(counts.take_count, counts.give_count);
	finish(0);
}

static void blocks_have_one_owner_when_there_are_too_few(void **state)
{
	(void)state;
	check_scarcity(true);
	check_scarcity(false);
}

/* Handles go round: each thread takes blocks and passes them on, and gives what it is passed. */
static zg_handle ring_cells[THREAD_COUNT][RING_COUNT];
static uint32_t ring_passed[THREAD_COUNT];
static uint32_t ring_fetched[THREAD_COUNT];

static bool ring_pass(uint32_t ring, zg_handle handle)
{
	uint32_t passed = ring_passed[ring];

	if (passed - __atomic_load_n(&ring_fetched[ring], __ATOMIC_ACQUIRE) == RING_COUNT)
		return false;
	ring_cells[ring][passed % RING_COUNT] = handle;
	__atomic_store_n(&ring_passed[ring], passed + 1, __ATOMIC_RELEASE);
	return true;
}

static bool ring_fetch(uint32_t ring, zg_handle *ret_handle)
{
	uint32_t fetched = ring_fetched[ring];

	if (__atomic_load_n(&ring_passed[ring], __ATOMIC_ACQUIRE) == fetched)
		return false;
	*ret_handle = ring_cells[ring][fetched % RING_COUNT];
	__atomic_store_n(&ring_fetched[ring], fetched + 1, __ATOMIC_RELEASE);
	return true;
}

static void *pass_on(void *argument)
{
	struct worker *worker = argument;
	struct zg_shared_pool_cache *cache = worker_attach(worker);
	uint32_t mine = worker->number - 1;
	uint32_t next = worker->number % THREAD_COUNT;
	uint32_t passed = 0;
	uint32_t given = 0;

	pthread_barrier_wait(&barrier);
	while ((passed < worker->turn_count || given < worker->turn_count) &&
	       worker->defect == NULL) {
		zg_handle handle;

		if (passed < worker->turn_count && worker_take(worker, cache, &handle)) {
			if (ring_pass(next, handle))
				++passed;
			else
				worker_give(worker, cache, handle);
		}
		if (ring_fetch(mine, &handle)) {
			worker_give(worker, cache, handle);
			++given;
		} else if (passed == worker->turn_count) {
			sched_yield();
		}
	}
	return NULL;
}

static void blocks_are_given_by_other_threads(void **state)
{
	(void)state;
	memset(ring_passed, 0, sizeof(ring_passed));
	memset(ring_fetched, 0, sizeof(ring_fetched));
	/* Enough for the rings, and for the hands. */
	start(THREAD_COUNT * (RING_COUNT + 2), 0, true);
	run(pass_on, 20000);
	for (uint32_t i = 0; i < THREAD_COUNT; ++i)
		assert_true(workers[i].success_count >= 20000);
	finish(0);
}

/* All give the same handle as nearly at once as threads can. */
static zg_handle common_handle;

static void *give_the_same(void *argument)
{
	struct worker *worker = argument;
	struct zg_shared_pool_cache *cache = worker_attach(worker);

	for (uint32_t turn = 0; turn < worker->turn_count; ++turn) {
		int result;

		if (worker->number == 1)
			worker_expect(worker, zg_shared_pool_take(cache, &common_handle, NULL) == 0,
				      "a take is refused");
		pthread_barrier_wait(&barrier);
		result = zg_shared_pool_give(cache, common_handle);
		worker->success_count += result == 0;
		worker_expect(worker, result == 0 || result == -ESTALE, "a give fails otherwise");
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static void of_gives_of_one_handle_at_once_one_succeeds(void **state)
{
	uint64_t success_count = 0;
	struct zg_shared_pool_counts counts;

	(void)state;
	start(8, 1, true);
	run(give_the_same, 300);
	for (uint32_t i = 0; i < THREAD_COUNT; ++i)
		success_count += workers[i].success_count;
	assert_int_equal(success_count, 300);
	zg_shared_pool_counts(&pool, &counts);
	assert_int_equal(counts.misuse_count, 300 * (THREAD_COUNT - 1));
	finish(0);
}

/* Threads that begin and end all the time, with caches in any state. */
static void *come_and_go(void *argument)
{
	struct worker *worker = argument;
	struct worker visitor = *worker;

	for (uint32_t turn = 0; turn < worker->turn_count && worker->defect == NULL; ++turn) {
		visitor.turn_count = 20;
		visitor.random = worker->random + turn;
		if (pthread_create(&visitor.thread, NULL, turn_over, &visitor) != 0 ||
		    pthread_join(visitor.thread, NULL) != 0)
			worker->defect = "no thread";
		if (visitor.defect != NULL)
			worker->defect = visitor.defect;
	}
	return NULL;
}

static void threads_come_and_go_without_loss(void **state)
{
	(void)state;
	start(THREAD_COUNT * HANDS_MAX, 4, true);
	run(come_and_go, 50);
	finish(0);
}

/* A thread that ends with blocks in its hands leaves them taken, and nothing else. */
static void *take_and_end(void *argument)
{
	struct worker *worker = argument;
	struct zg_shared_pool_cache *cache = worker_attach(worker);
	zg_handle handle;

	pthread_barrier_wait(&barrier);
	for (uint32_t i = 0; i < worker->turn_count; ++i) {
		uint32_t try_count = 0;

		/* A block that two reach for may be missed by a third; not for long. */
		while (!worker_take(worker, cache, &handle) && ++try_count < 10000)
			sched_yield();
		worker_expect(worker, try_count < 10000, "a block is nowhere to be found");
	}
	return NULL;
}

/* There are exactly as many as all threads want, so all have to be found. */
static void last_block_is_found_wherever_it_is(void **state)
{
	(void)state;
	for (int i = 0; i < 30; ++i) {
		start(THREAD_COUNT * 16, 4, true);
		run(take_and_end, 16);
		finish(THREAD_COUNT * 16);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_have_one_owner_at_a_time),
		cmocka_unit_test(blocks_have_one_owner_when_there_are_too_few),
		cmocka_unit_test(blocks_are_given_by_other_threads),
		cmocka_unit_test(of_gives_of_one_handle_at_once_one_succeeds),
		cmocka_unit_test(threads_come_and_go_without_loss),
		cmocka_unit_test(last_block_is_found_wherever_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
