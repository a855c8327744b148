/*
 * Every way in which the steps of a few threads can follow each other, up to a number
 * of preemptions, on a pool of a few blocks.
 *
 * The threads are contexts of one thread. Before each access to what they share the
 * one that runs asks who goes on: a decision. Each run of a scene makes its decisions
 * as the run before, but for the last that could still be made otherwise; when there
 * is none, every order was seen. A preemption is a decision for another thread while
 * this one could go on. Defects need few of them: most of those that are known at all
 * show with two.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdalign.h>
#include <ucontext.h>

#include <zerog/shared_pool.h>

/* First: it says how the other is read. */
#include "mem/pool/shared_pool_steps.h"

#include "mem/pool/shared_pool_inside.h"

#define THREADS_MAX 3
#define BLOCKS_MAX 4
#define HANDS_MAX 4
#define DECISIONS_MAX 1024
#define STACK_SIZE (64 * 1024)
#define GENERATIONS 15 /* with 4 bits: 1 to 15 */

struct actor {
	struct zg_shared_pool_cache *cache;
	zg_handle hands[HANDS_MAX]; /* what it has taken */
	int results[HANDS_MAX];
	uint32_t result_count;
};

/* What happens: `prepare` alone, the acts beside each other, `check` alone. */
struct scene {
	uint32_t block_count;
	uint32_t threads_max;
	uint32_t preemptions_max;
	bool is_without_barrier;
	void (*prepare)(void);
	void (*acts[THREADS_MAX])(struct actor *actor); /* the first that are set */
	void (*check)(void);
};

static alignas(ZG_POOL_ALIGNMENT) unsigned char memory[16 * 1024];
static unsigned char stacks[THREADS_MAX][STACK_SIZE];
static ucontext_t director;
static ucontext_t contexts[THREADS_MAX];
static const struct scene *scene;
static struct zg_shared_pool pool;
static struct actor actors[THREADS_MAX];
static bool is_running[THREADS_MAX];
static uint32_t actor_count;
static uint32_t now; /* whose turn it is */
static bool is_live; /* steps are decided; else the director acts for somebody */
static bool is_taken[BLOCKS_MAX]; /* by whom does not matter: never twice */
static const char *defect;

/* Decisions: the number of further threads passed over, of those that could go on. */
static uint8_t decisions[DECISIONS_MAX];
static uint32_t decision_count; /* made in this run */
static uint32_t decision_given; /* to be made as in the run before */
static uint32_t preemptions;
static uint8_t alternatives[DECISIONS_MAX]; /* decisions that there are at this point */

static void expect(bool is_so, const char *what)
{
	if (!is_so && defect == NULL)
		defect = what;
}

static uint32_t next_running(uint32_t from)
{
	do
		from = (from + 1) % actor_count;
	while (!is_running[from]);
	return from;
}

/* Who goes on? `may_stay`: whether it is a preemption when that is another. */
static uint32_t decide(bool may_stay)
{
	uint32_t count = 0;
	uint32_t chosen = now;
	uint8_t decision;

	for (uint32_t i = 0; i < actor_count; ++i)
		count += is_running[i];
	if (may_stay && preemptions == scene->preemptions_max)
		count = 1;
	if (decision_count == DECISIONS_MAX) {
		expect(false, "a run does not end");
		return may_stay ? now : next_running(now);
	}
	if (decision_count >= decision_given)
		decisions[decision_count] = 0;
	decision = decisions[decision_count];
	alternatives[decision_count++] = (uint8_t)count;
	if (!may_stay)
		chosen = next_running(chosen);
	for (uint32_t i = 0; i < decision; ++i)
		chosen = next_running(chosen);
	preemptions += may_stay && chosen != now;
	return chosen;
}

uintptr_t zgi_steps_self(void)
{
	return now + 1;
}

void zgi_steps_next(void)
{
	uint32_t before = now;

	if (!is_live)
		return;
	now = decide(true);
	if (now != before)
		swapcontext(&contexts[before], &contexts[now]);
}

static void act(void)
{
	uint32_t self = now;
	uint32_t left = 0;

	scene->acts[self](&actors[self]);
	is_running[self] = false;
	for (uint32_t i = 0; i < actor_count; ++i)
		left += is_running[i];
	if (left == 0)
		setcontext(&director);
	now = decide(false);
	setcontext(&contexts[now]);
}

/* What actors do, each with a check that no block is ever in two hands. */
static int take(struct actor *actor, uint32_t hand)
{
	int result = zg_shared_pool_take(actor->cache, &actor->hands[hand], NULL);

	if (result == 0) {
		uint32_t index = zg_handle_index(actor->hands[hand]);

		expect(!is_taken[index], "a block is in two hands");
		is_taken[index] = true;
	} else {
		actor->hands[hand] = ZG_HANDLE_NONE;
		expect(result == -ENOMEM, "a take fails otherwise than by -ENOMEM");
	}
	actor->results[actor->result_count++] = result;
	return result;
}

static void give(struct actor *actor, zg_handle handle)
{
	uint32_t index = zg_handle_index(handle);

	/* Before: as soon as it is given another may have it. */
	is_taken[index] = false;
	expect(zg_shared_pool_give(actor->cache, handle) == 0, "a good handle is refused");
}

static void attach(struct actor *actor)
{
	expect(zg_shared_pool_attach(&pool, &actor->cache) == 0, "an attach is refused");
}

/* The director acts for somebody. */
static struct actor *acting(uint32_t number)
{
	now = number;
	return &actors[number];
}

/* Whatever happened, one thread can have all that is not taken. */
static void check_nothing_is_lost(uint32_t retired_count)
{
	struct actor *actor = acting(0);
	struct zg_shared_pool_counts counts;
	uint32_t taken_count = 0;

	for (uint32_t i = 0; i < scene->block_count; ++i)
		taken_count += is_taken[i];
	zg_shared_pool_counts(&pool, &counts);
	expect(counts.taken_count == taken_count, "the count of the taken is wrong");
	expect(counts.retired_count == retired_count, "the count of the retired is wrong");
	for (uint32_t i = taken_count + retired_count; i < scene->block_count; ++i) {
		actor->result_count = 0;
		expect(take(actor, 0) == 0, "a block is lost");
	}
	actor->result_count = 0;
	expect(take(actor, 0) == -ENOMEM, "there is a block too many");
}

static void begin(void)
{
	struct zg_shared_pool_options options = {
		.name = "model",
		.memory = memory,
		.memory_size = sizeof(memory),
		.block_size = 64,
		.block_count = scene->block_count,
		.threads_max = scene->threads_max,
		.batch_count = 1,
		.tag = 3,
	};

	zgi_handles_forget();
	assert_int_equal(zg_shared_pool_init(&pool, &options), 0);
	if (scene->is_without_barrier)
		pool.has_barrier = false;
	memset(actors, 0, sizeof(actors));
	memset(is_taken, 0, sizeof(is_taken));
	decision_count = 0;
	preemptions = 0;
	defect = NULL;
	scene->prepare();
	for (actor_count = 0; actor_count < THREADS_MAX && scene->acts[actor_count] != NULL;
	     ++actor_count) {
		ucontext_t *context = &contexts[actor_count];

		assert_int_equal(getcontext(context), 0);
		context->uc_stack.ss_sp = stacks[actor_count];
		context->uc_stack.ss_size = STACK_SIZE;
		context->uc_link = NULL;
		makecontext(context, act, 0);
		is_running[actor_count] = true;
	}
}

/* One order of steps. */
static void run(void)
{
	begin();
	is_live = true;
	/* Who begins is a decision, too, and no preemption. */
	now = actor_count - 1;
	now = decide(false);
	swapcontext(&director, &contexts[now]);
	is_live = false;
	scene->check();
	for (uint32_t i = 0; i < THREADS_MAX; ++i) {
		if (acting(i)->cache != NULL)
			zg_shared_pool_detach(actors[i].cache);
	}
	zg_shared_pool_fini(&pool);
}

/* The last decision that can be made otherwise. Return: false when every order was seen. */
static bool decide_otherwise(void)
{
	while (decision_count > 0) {
		if (++decisions[decision_count - 1] < alternatives[decision_count - 1]) {
			decision_given = decision_count;
			return true;
		}
		--decision_count;
	}
	return false;
}

static void play(const struct scene *of)
{
	uint64_t order_count = 0;

	scene = of;
	decision_given = 0;
	do {
		run();
		++order_count;
		if (defect != NULL)
			fail_msg("%s, in order %llu", defect, (unsigned long long)order_count);
	} while (decide_otherwise());
	/* A scene in which nothing can happen otherwise proves nothing. */
	assert_true(order_count > 5);
	print_message("# %llu orders\n", (unsigned long long)order_count);
}

/* Scenes. */

static void all_attach(void)
{
	for (uint32_t i = 0; i < scene->threads_max; ++i)
		attach(acting(i));
}

/* The first thread has every block but one in its cache, and gives that to all hands. */
static void one_taken(void)
{
	all_attach();
	take(acting(0), 0);
	for (uint32_t i = 1; i < THREADS_MAX; ++i)
		actors[i].hands[0] = actors[0].hands[0];
	actors[0].result_count = 0;
}

static void act_give_the_same(struct actor *actor)
{
	actor->results[actor->result_count++] = zg_shared_pool_give(actor->cache, actor->hands[0]);
}

static void check_one_gave(void)
{
	uint32_t success_count = 0;

	for (uint32_t i = 0; i < actor_count; ++i) {
		success_count += actors[i].results[0] == 0;
		expect(actors[i].results[0] == 0 || actors[i].results[0] == -ESTALE,
		       "a double give is not told as such");
	}
	expect(success_count == 1, "not exactly one give succeeds");
	is_taken[zg_handle_index(actors[1].hands[0])] = false;
	check_nothing_is_lost(0);
}

static void of_two_gives_of_one_handle_one_succeeds(void **state)
{
	const struct scene two = {
		.block_count = 1,
		.threads_max = 2,
		.preemptions_max = DECISIONS_MAX,
		.prepare = one_taken,
		.acts = {act_give_the_same, act_give_the_same},
		.check = check_one_gave,
	};
	struct scene three = two;

	(void)state;
	play(&two);
	three.threads_max = 3;
	three.preemptions_max = 3;
	three.acts[2] = act_give_the_same;
	play(&three);
}

static void one_wearing_out(void)
{
	one_taken();
	for (int generation = 1; generation < GENERATIONS; ++generation) {
		give(&actors[0], actors[0].hands[0]);
		actors[0].result_count = 0;
		take(&actors[0], 0);
	}
	for (uint32_t i = 1; i < THREADS_MAX; ++i)
		actors[i].hands[0] = actors[0].hands[0];
	actors[0].result_count = 0;
}

static void check_one_retired(void)
{
	expect((actors[0].results[0] == 0) != (actors[1].results[0] == 0),
	       "not exactly one give succeeds");
	is_taken[0] = false;
	check_nothing_is_lost(1);
}

static void block_whose_generations_run_out_is_retired_once(void **state)
{
	const struct scene wearing = {
		.block_count = 2,
		.threads_max = 2,
		.preemptions_max = DECISIONS_MAX,
		.prepare = one_wearing_out,
		.acts = {act_give_the_same, act_give_the_same},
		.check = check_one_retired,
	};

	(void)state;
	play(&wearing);
}

/* A double give, while a third waits to take the block: what it took must stay its own. */
static void act_take(struct actor *actor)
{
	(void)take(actor, 1);
}

static void act_give_and_mark(struct actor *actor)
{
	/* The model's mark goes before the give; only one of the two can be the block's end. */
	is_taken[0] = is_taken[0] && zg_shared_pool_get(&pool, actor->hands[0]) == NULL;
	act_give_the_same(actor);
}

static void check_taker_has_its_own(void)
{
	if (actors[2].results[0] == 0) {
		expect(zg_shared_pool_get(&pool, actors[2].hands[1]) != NULL,
		       "a block was given behind its owner's back");
		is_taken[0] = true;
	} else {
		is_taken[0] = false;
	}
	expect((actors[0].results[0] == 0) != (actors[1].results[0] == 0),
	       "not exactly one give succeeds");
	check_nothing_is_lost(0);
}

static void late_double_give_does_not_touch_the_next_owner(void **state)
{
	const struct scene late = {
		.block_count = 1,
		.threads_max = 3,
		.preemptions_max = 3,
		.prepare = one_taken,
		.acts = {act_give_and_mark, act_give_and_mark, act_take},
		.check = check_taker_has_its_own,
	};

	(void)state;
	play(&late);
}

/* The only block is free, in the first thread's cache. */
static void one_in_the_first_cache(void)
{
	all_attach();
	take(acting(0), 0);
	give(&actors[0], actors[0].hands[0]);
	actors[0].result_count = 0;
}

static void check_one_took(void)
{
	uint32_t success_count = 0;

	for (uint32_t i = 0; i < actor_count; ++i)
		success_count += actors[i].results[0] == 0;
	expect(success_count <= 1, "more than one has the only block");
	expect(success_count >= 1, "all are refused, and the block is free");
	check_nothing_is_lost(0);
}

static void owner_and_thieves_never_have_the_same(void **state)
{
	struct scene robbery = {
		.block_count = 1,
		.threads_max = 2,
		.preemptions_max = 4,
		.prepare = one_in_the_first_cache,
		.acts = {act_take, act_take},
		.check = check_one_took,
	};

	(void)state;
	play(&robbery);
	robbery.is_without_barrier = true;
	play(&robbery);
	robbery.threads_max = 3;
	robbery.preemptions_max = 2;
	robbery.acts[2] = act_take;
	play(&robbery);
	robbery.is_without_barrier = false;
	play(&robbery);
}

/* Takes and gives through cache and depot, which with batches of one is busy all the time. */
static void act_turn_over(struct actor *actor)
{
	for (uint32_t i = 0; i < 2; ++i)
		(void)take(actor, i);
	for (uint32_t i = 0; i < 2; ++i) {
		if (actor->hands[i].bits != ZG_HANDLE_NONE.bits)
			give(actor, actor->hands[i]);
	}
	(void)take(actor, 2);
}

static void check_turned_over(void)
{
	for (uint32_t i = 0; i < actor_count; ++i)
		expect(actors[i].results[2] == 0 || scene->block_count < 2 * actor_count,
		       "a take is refused while blocks are free");
	check_nothing_is_lost(0);
}

static void depot_is_shared_without_loss(void **state)
{
	struct scene turning = {
		.block_count = 4,
		.threads_max = 2,
		.preemptions_max = 3,
		.prepare = all_attach,
		.acts = {act_turn_over, act_turn_over},
		.check = check_turned_over,
	};

	(void)state;
	play(&turning);
	/* There are fewer than are wanted: each steals from the other. */
	turning.block_count = 3;
	play(&turning);
	turning.is_without_barrier = true;
	play(&turning);
}

/* A stack whose top is the same again, with another magazine below it (the ABA problem). */
static uint32_t popped_counts[32]; /* by the magazine's number */

static struct zgi_magazine *pop(void)
{
	struct zgi_magazine *magazine = zgi_depot_pop(&pool, &pool.full);

	if (magazine != NULL)
		++popped_counts[magazine->number];
	return magazine;
}

static void nothing_popped(void)
{
	memset(popped_counts, 0, sizeof(popped_counts));
}

static void act_pop(struct actor *actor)
{
	(void)actor;
	(void)pop();
}

static void act_pop_two_and_push_one(struct actor *actor)
{
	struct zgi_magazine *top = pop();

	(void)actor;
	(void)pop();
	if (top != NULL) {
		--popped_counts[top->number];
		zgi_depot_push(&pool, &pool.full, top);
	}
}

static void check_popped_once(void)
{
	uint32_t count = 0;

	while (count <= scene->block_count && pop() != NULL)
		++count;
	expect(count == scene->block_count - 2, "the stack lost magazines, or found some");
	for (size_t i = 0; i < 32; ++i)
		expect(popped_counts[i] <= 1, "a magazine was popped twice");
}

static void stack_knows_a_top_that_came_back(void **state)
{
	const struct scene swapped = {
		.block_count = 4,
		.threads_max = 2,
		.preemptions_max = 4,
		.prepare = nothing_popped,
		.acts = {act_pop, act_pop_two_and_push_one},
		.check = check_popped_once,
	};

	(void)state;
	play(&swapped);
}

/* One thread ends with a filled cache while another takes. */
static void two_in_the_first_cache(void)
{
	all_attach();
	for (uint32_t i = 0; i < 2; ++i)
		take(acting(0), i);
	for (uint32_t i = 0; i < 2; ++i)
		give(&actors[0], actors[0].hands[i]);
	actors[0].result_count = 0;
}

static void act_detach(struct actor *actor)
{
	zg_shared_pool_detach(actor->cache);
	actor->cache = NULL;
}

static void act_take_two(struct actor *actor)
{
	(void)take(actor, 0);
	(void)take(actor, 1);
}

static void check_has_both(void)
{
	expect(actors[1].results[0] == 0, "a take is refused while two blocks are free");
	attach(acting(0));
	check_nothing_is_lost(0);
}

static void thread_that_ends_loses_nothing(void **state)
{
	const struct scene leaving = {
		.block_count = 2,
		.threads_max = 2,
		.preemptions_max = 4,
		.prepare = two_in_the_first_cache,
		.acts = {act_detach, act_take_two},
		.check = check_has_both,
	};

	(void)state;
	play(&leaving);
}

static void nobody(void)
{
}

static void act_attach(struct actor *actor)
{
	actor->results[0] = zg_shared_pool_attach(&pool, &actor->cache);
}

static void check_two_attached(void)
{
	uint32_t success_count = 0;

	for (uint32_t i = 0; i < actor_count; ++i) {
		success_count += actors[i].results[0] == 0;
		expect(actors[i].results[0] == 0 || actors[i].results[0] == -EUSERS,
		       "an attach fails otherwise than by -EUSERS");
		for (uint32_t j = 0; j < i; ++j)
			expect(actors[i].cache == NULL || actors[i].cache != actors[j].cache,
			       "two threads have one cache");
	}
	expect(success_count == 2, "not as many threads are attached as may be");
}

static void no_more_threads_attach_than_may(void **state)
{
	const struct scene crowd = {
		.block_count = 1,
		.threads_max = 2,
		.preemptions_max = DECISIONS_MAX,
		.prepare = nobody,
		.acts = {act_attach, act_attach, act_attach},
		.check = check_two_attached,
	};

	(void)state;
	play(&crowd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_two_gives_of_one_handle_one_succeeds),
		cmocka_unit_test(block_whose_generations_run_out_is_retired_once),
		cmocka_unit_test(late_double_give_does_not_touch_the_next_owner),
		cmocka_unit_test(owner_and_thieves_never_have_the_same),
		cmocka_unit_test(depot_is_shared_without_loss),
		cmocka_unit_test(stack_knows_a_top_that_came_back),
		cmocka_unit_test(thread_that_ends_loses_nothing),
		cmocka_unit_test(no_more_threads_attach_than_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
