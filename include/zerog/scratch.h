/*
 * Scratch: a buffer that starts on the stack and spills to an arena.
 *
 * Stack allocation first: most uses fit the caller's own frame and cost nothing.
 * The one that outgrows it moves to the arena, is counted, and goes on.
 *
 *	ZG_SCRATCH(line, 512, arena);
 *	int result = zg_scratch_reserve(&line, wanted);
 *
 * Ownership  The scratch borrows its stack buffer and its arena.
 * Threads    Not locked.
 */
#ifndef ZEROG_SCRATCH_H
#define ZEROG_SCRATCH_H

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/arena.h>
#include <zerog/attributes.h>

ZG_BEGIN_DECLS

struct zg_scratch {
	unsigned char *data; /* the bytes: on the stack or in the arena */
	size_t size; /* bytes in use, kept over a spill; the caller's to set */
	size_t capacity; /* bytes there are */
	struct zg_arena *arena; /* borrowed; NULL: the scratch never spills */
};

/* Declares a scratch named `name` with `stack_size` bytes in this frame. */
#define ZG_SCRATCH(name, stack_size, spill_arena)           \
	alignas(16) unsigned char name##_stack[stack_size]; \
	struct zg_scratch name = {name##_stack, 0, sizeof(name##_stack), (spill_arena)}

/**
 * zg_scratch_reserve() - make room for at least a number of bytes
 * @scratch:   declared with ZG_SCRATCH
 * @capacity:  bytes wanted in all; the first `size` bytes are kept
 *
 * Return: 0; -ENOMEM or -EMSGSIZE as zg_arena_alloc(), the scratch as it was.
 */
ZG_MUST_USE int zg_scratch_reserve(struct zg_scratch *scratch, size_t capacity);

/**
 * zg_scratch_spill_count() - how often any scratch of this process left the stack
 *
 * Return: spills since the start. Any thread.
 */
uint64_t zg_scratch_spill_count(void);

ZG_END_DECLS

#endif
