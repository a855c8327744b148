/*
 * Remote: one thread takes, another gives, with a queue between them.
 *
 * That is what an allocator with a cache a thread likes least, and what a server
 * does that hands work to another thread.
 */
#ifndef ZEROG_BENCH_ALLOC_REMOTE_H
#define ZEROG_BENCH_ALLOC_REMOTE_H

#include "harness.h"

#define ALLOC_QUEUE_SIZE 1024 /* objects on their way; a power of two */
#define ALLOC_LINE_SIZE 64

/* One writes, one reads: each has an index of its own and looks at the other's only when it must.
 */
struct alloc_remote {
	_Alignas(ALLOC_LINE_SIZE) uint32_t written; /* objects, modulo 2^32 */
	uint32_t read_seen; /* the producer's copy */
	_Alignas(ALLOC_LINE_SIZE) uint32_t read;
	uint32_t written_seen; /* the consumer's copy */
	_Alignas(ALLOC_LINE_SIZE) uint32_t count; /* objects to be sent in all */
	uint16_t size; /* bytes of one */
	uint64_t failure_count; /* takes that were refused, and were tried again; the producer's */
	_Alignas(ALLOC_LINE_SIZE) struct alloc_slot slots[ALLOC_QUEUE_SIZE];
};

/* Sends `count` objects from this thread's CPU to another's; nanoseconds for all of them. */
uint64_t alloc_remote_run(struct alloc_remote *remote, const struct alloc_subject *subject,
			  const int cpus[2]);

ALLOC_INLINE void alloc_pause(void)
{
#if defined(__x86_64__)
	_mm_pause();
#else
	__asm__ volatile("yield");
#endif
}

ALLOC_INLINE void alloc_produce(struct alloc_remote *remote,
				bool (*take)(struct alloc_slot *slot, size_t size))
{
	for (uint32_t number = 0; number < remote->count; number++) {
		struct alloc_slot slot = {0};

		while (!take(&slot, remote->size)) {
			remote->failure_count++;
			alloc_pause();
		}
		alloc_touch(&slot, remote->size);
		while (number - remote->read_seen == ALLOC_QUEUE_SIZE) {
			remote->read_seen = __atomic_load_n(&remote->read, __ATOMIC_ACQUIRE);
			alloc_pause();
		}
		remote->slots[number % ALLOC_QUEUE_SIZE] = slot;
		__atomic_store_n(&remote->written, number + 1, __ATOMIC_RELEASE);
	}
}

ALLOC_INLINE void alloc_consume(struct alloc_remote *remote, void (*give)(struct alloc_slot *slot))
{
	for (uint32_t number = 0; number < remote->count; number++) {
		struct alloc_slot slot;

		while (number == remote->written_seen) {
			remote->written_seen = __atomic_load_n(&remote->written, __ATOMIC_ACQUIRE);
			alloc_pause();
		}
		slot = remote->slots[number % ALLOC_QUEUE_SIZE];
		__atomic_store_n(&remote->read, number + 1, __ATOMIC_RELEASE);
		alloc_touch(&slot, remote->size);
		give(&slot);
	}
}

/* The two ends for one subject. */
#define ALLOC_REMOTE(name)                                      \
	static void name##_produce(struct alloc_remote *remote) \
	{                                                       \
		alloc_produce(remote, name##_take);             \
	}                                                       \
	static void name##_consume(struct alloc_remote *remote) \
	{                                                       \
		alloc_consume(remote, name##_give);             \
	}

#define ALLOC_REMOTE_OF(name) .produce = name##_produce, .consume = name##_consume

#endif
