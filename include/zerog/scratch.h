/*
 * Scratch: a buffer that starts on the stack and spills to an arena.
 *
 * Stack allocation first: most uses fit the caller's own frame and cost nothing.
 * The one that outgrows it moves to the arena, is counted where it is declared, and
 * goes on, up to a limit.
 *
 *	ZG_SCRATCH(line, 512, arena);
 *	int result = zg_scratch_reserve(&line, wanted);
 *
 * Each place that declares a scratch has a record of its own, which joins a list of
 * the process when it first leaves the stack: zg_scratch_sites() tells which stack
 * sizes are to be raised in the source, and to what.
 *
 * Ownership  The scratch borrows its stack buffer and its arena.
 * Threads    A scratch is not locked; the records are shared by all threads.
 * Limits     That of ZG_SCRATCH_LIMITED, or else zg_scratch_size_max() bytes.
 */
#ifndef ZEROG_SCRATCH_H
#define ZEROG_SCRATCH_H

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/arena.h>
#include <zerog/attributes.h>

ZG_BEGIN_DECLS

#define ZG_SCRATCH_SIZE_MAX_DEFAULT 1048576

/* A place in the source that declares a scratch. Static: it is never forgotten, so a library that
 * declares one may not be unloaded. */
struct zg_scratch_site {
	const char *file; /* static text */
	uint32_t line;
	size_t stack_size; /* bytes */
	size_t size_max; /* bytes; 0: zg_scratch_size_max() */
	struct zg_scratch_site *next; /* in the list of those that wanted more than the stack */
	uint32_t is_listed;
	uint64_t spill_count; /* scratches that left the stack */
	uint64_t refuse_count; /* reserves that failed */
	size_t wanted_size_max; /* bytes; the most that was asked for, granted or not */
};

struct zg_scratch {
	unsigned char *data; /* the bytes: on the stack or in the arena */
	size_t size; /* bytes in use, kept over a spill; the caller's to set */
	size_t capacity; /* bytes there are */
	struct zg_arena *arena; /* borrowed; NULL: the scratch never spills */
	struct zg_scratch_site *site; /* static */
};

/* Declares a scratch named `name` with `stack_size` bytes in this frame. */
#define ZG_SCRATCH(name, stack_size, spill_arena) \
	ZG_SCRATCH_LIMITED(name, stack_size, spill_arena, 0)

/* The same, and it never grows past `limit` bytes: both sizes are constants. */
#define ZG_SCRATCH_LIMITED(name, stack_size, spill_arena, limit)                        \
	static struct zg_scratch_site name##_site = {                                   \
		__FILE__, __LINE__, (stack_size), (limit), NULL, 0, 0, 0, 0};           \
	alignas(ZG_ARENA_ALIGNMENT) unsigned char name##_stack[stack_size];             \
	struct zg_scratch name = {name##_stack, 0, sizeof(name##_stack), (spill_arena), \
				  &name##_site}

/**
 * zg_scratch_spill() - move a scratch to its arena, or grow it there
 * @scratch:   declared with ZG_SCRATCH or ZG_SCRATCH_LIMITED
 * @capacity:  bytes wanted in all, more than there are; the first `size` bytes are kept
 *
 * What zg_scratch_reserve() does when there is too little room: call that. The bytes in the arena
 * are the arena's, and live until its reset or restore.
 *
 * Return: as zg_scratch_reserve(). The thread of the scratch and its arena.
 */
ZG_MUST_USE int zg_scratch_spill(struct zg_scratch *scratch, size_t capacity);

/**
 * zg_scratch_reserve() - make room for at least a number of bytes
 * @scratch:   declared with ZG_SCRATCH or ZG_SCRATCH_LIMITED
 * @capacity:  bytes wanted in all; the first `size` bytes are kept
 *
 * Return: 0; -EMSGSIZE when @capacity is more than the limit; -ENOMEM without an arena; -EMSGSIZE
 * or -ENOMEM as zg_arena_alloc(). The scratch is as it was then, and its site counts it.
 */
ZG_MUST_USE static inline int zg_scratch_reserve(struct zg_scratch *scratch, size_t capacity)
{
	return ZG_LIKELY(capacity <= scratch->capacity) ? 0 : zg_scratch_spill(scratch, capacity);
}

/**
 * zg_scratch_set_size_max() - the limit of scratches that name none
 * @size:  bytes, at least 1; at first ZG_SCRATCH_SIZE_MAX_DEFAULT. A server sets it to its
 *         --scratch-size-max
 *
 * Any thread; scratches that are larger already stay so.
 */
void zg_scratch_set_size_max(size_t size);

/** zg_scratch_size_max() - the limit of scratches that name none, in bytes; any thread */
size_t zg_scratch_size_max(void);

/**
 * zg_scratch_spill_count() - how often any scratch of this process left the stack
 *
 * Return: spills since the start. Any thread.
 */
uint64_t zg_scratch_spill_count(void);

/**
 * zg_scratch_sites() - visit the places whose scratches wanted more than their stack
 * @visit:  called once a place, the one that spilled last for the first time first; the record is a
 *          copy of some recent moment, whose `next` and `is_listed` mean nothing
 * @user:   passed to it; borrowed
 *
 * Any thread; makes no allocation and waits for nobody.
 */
void zg_scratch_sites(void (*visit)(const struct zg_scratch_site *site, void *user), void *user);

ZG_END_DECLS

#endif
