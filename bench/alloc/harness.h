/*
 * Harness: what is done to every allocator in exactly the same way.
 *
 * A subject is a way to take memory and a way to give it back. The loops below
 * are compiled once a subject, with both inlined into them: a call through a
 * pointer would cost as much as what is measured. ALLOC_LOOPS makes them.
 *
 * The programs take nothing from the allocator they measure but what the trace
 * says: the harness's own arrays are mapped, and touched, before it starts.
 */
#ifndef ZEROG_BENCH_ALLOC_HARNESS_H
#define ZEROG_BENCH_ALLOC_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "trace.h"

#define ALLOC_BATCH_SIZE 64 /* objects taken, and then given, in a loop of pairs */

/* What a user keeps of an allocation: its address, and its name where there is one. */
struct alloc_slot {
	void *memory;
	uint64_t handle;
};

struct alloc_run {
	const struct alloc_trace *trace; /* borrowed */
	struct alloc_slot *slots; /* borrowed; one a live object */
	uint32_t *take_ticks; /* borrowed; one a replacement */
	uint32_t *give_ticks;
	uint64_t failure_count; /* takes that were refused */
};

struct alloc_remote;

struct alloc_subject {
	const char *name;
	bool is_batched; /* has no give of its own: nothing is live but the current batch */
	/* Reserves whatever the trace will ask for; 0 or a negative errno. */
	int (*begin)(const struct alloc_trace *trace);
	void (*fill)(struct alloc_run *run);
	void (*timed)(struct alloc_run *run);
	void (*replace)(struct alloc_run *run);
	void (*replace_touched)(struct alloc_run *run);
	void (*drain)(struct alloc_run *run);
	void (*turns)(struct alloc_run *run);
	void (*pairs)(struct alloc_run *run);
	/* The two ends of a queue between two threads; NULL where only one thread may use it. */
	void (*produce)(struct alloc_remote *remote);
	void (*consume)(struct alloc_remote *remote);
};

/* Runs what the command line asks for, and prints what came of it as one line of JSON. */
int alloc_main(int argc, char **argv, const struct alloc_subject *const *subjects);

/* Mapped, touched memory of the harness's own; ends the process when there is none. */
void *alloc_map(size_t size);

/* Prints what failed and ends the process: there is nothing to clean up. */
_Noreturn void alloc_die(const char *what, int error);

#define ALLOC_INLINE static inline __attribute__((always_inline))

/* As a user does: writes to what was taken, at both ends. */
ALLOC_INLINE void alloc_touch(const struct alloc_slot *slot, size_t size)
{
	volatile unsigned char *memory = slot->memory;

	memory[0] = 1;
	memory[size - 1] = 1;
}

/* Takes one object for a slot, which is empty when the take was refused, and writes to it. */
ALLOC_INLINE void alloc_take(struct alloc_run *run, struct alloc_slot *slot, size_t size,
			     bool (*take)(struct alloc_slot *slot, size_t size), bool is_touched)
{
	if (__builtin_expect(!take(slot, size), 0)) {
		slot->memory = NULL;
		run->failure_count++;
	} else if (is_touched) {
		alloc_touch(slot, size);
	}
}

ALLOC_INLINE void alloc_fill(struct alloc_run *run,
			     bool (*take)(struct alloc_slot *slot, size_t size))
{
	for (size_t index = 0; index < run->trace->live_count; index++)
		alloc_take(run, &run->slots[index], run->trace->first_sizes[index], take, true);
}

ALLOC_INLINE void alloc_timed(struct alloc_run *run,
			      bool (*take)(struct alloc_slot *slot, size_t size),
			      void (*give)(struct alloc_slot *slot))
{
	for (size_t index = 0; index < run->trace->op_count; index++) {
		struct alloc_op op = run->trace->ops[index];
		struct alloc_slot *slot = &run->slots[op.slot];
		uint64_t begin = alloc_ticks_begin();
		uint64_t end;
		bool is_taken;

		give(slot);
		end = alloc_ticks_end();
		run->give_ticks[index] = (uint32_t)(end - begin);

		begin = alloc_ticks_begin();
		is_taken = take(slot, op.size);
		end = alloc_ticks_end();
		run->take_ticks[index] = (uint32_t)(end - begin);
		if (!is_taken) {
			slot->memory = NULL;
			run->failure_count++;
			continue;
		}
		alloc_touch(slot, op.size);
	}
}

ALLOC_INLINE void alloc_replace(struct alloc_run *run,
				bool (*take)(struct alloc_slot *slot, size_t size),
				void (*give)(struct alloc_slot *slot), bool is_touched)
{
	for (size_t index = 0; index < run->trace->op_count; index++) {
		struct alloc_op op = run->trace->ops[index];
		struct alloc_slot *slot = &run->slots[op.slot];

		give(slot);
		alloc_take(run, slot, op.size, take, is_touched);
	}
}

ALLOC_INLINE void alloc_drain(struct alloc_run *run, void (*give)(struct alloc_slot *slot))
{
	for (size_t index = 0; index < run->trace->live_count; index++)
		give(&run->slots[index]);
}

/* One object, taken and given over and over: the same block, warm, as in a loop of requests. */
ALLOC_INLINE void alloc_turns(struct alloc_run *run,
			      bool (*take)(struct alloc_slot *slot, size_t size),
			      void (*give)(struct alloc_slot *slot))
{
	for (size_t index = 0; index < run->trace->op_count; index++) {
		alloc_take(run, &run->slots[0], run->trace->ops[index].size, take, false);
		give(&run->slots[0]);
	}
}

/* In the order in which they were taken, as a queue's are. The first slots stand for them all. */
ALLOC_INLINE void alloc_pairs(struct alloc_run *run,
			      bool (*take)(struct alloc_slot *slot, size_t size),
			      void (*give)(struct alloc_slot *slot))
{
	for (size_t first = 0; first < run->trace->op_count; first += ALLOC_BATCH_SIZE) {
		const struct alloc_op *ops = &run->trace->ops[first];

		for (size_t index = 0; index < ALLOC_BATCH_SIZE; index++)
			alloc_take(run, &run->slots[index], ops[index].size, take, false);
		for (size_t index = 0; index < ALLOC_BATCH_SIZE; index++)
			give(&run->slots[index]);
	}
}

/* The loops of one subject, from its NAME_take() and NAME_give(). */
#define ALLOC_LOOPS(name)                                            \
	static void name##_fill(struct alloc_run *run)               \
	{                                                            \
		alloc_fill(run, name##_take);                        \
	}                                                            \
	static void name##_timed(struct alloc_run *run)              \
	{                                                            \
		alloc_timed(run, name##_take, name##_give);          \
	}                                                            \
	static void name##_replace(struct alloc_run *run)            \
	{                                                            \
		alloc_replace(run, name##_take, name##_give, false); \
	}                                                            \
	static void name##_replace_touched(struct alloc_run *run)    \
	{                                                            \
		alloc_replace(run, name##_take, name##_give, true);  \
	}                                                            \
	static void name##_drain(struct alloc_run *run)              \
	{                                                            \
		alloc_drain(run, name##_give);                       \
	}                                                            \
	static void name##_turns(struct alloc_run *run)              \
	{                                                            \
		alloc_turns(run, name##_take, name##_give);          \
	}                                                            \
	static void name##_pairs(struct alloc_run *run)              \
	{                                                            \
		alloc_pairs(run, name##_take, name##_give);          \
	}

/* Their places in a struct alloc_subject. */
#define ALLOC_LOOPS_OF(name)                                                                     \
	.fill = name##_fill, .timed = name##_timed, .replace = name##_replace,                   \
	.replace_touched = name##_replace_touched, .drain = name##_drain, .turns = name##_turns, \
	.pairs = name##_pairs

#endif
