/*
 * General allocators: whatever malloc is. This program does not link libzerog,
 * which would put its own counter in front; another allocator takes malloc's
 * place through LD_PRELOAD.
 *
 * The timer is the harness with nothing in it: what all other figures include.
 */
#include <stdlib.h>

#include "harness.h"
#include "remote.h"

static int general_begin(const struct alloc_trace *trace)
{
	(void)trace;
	return 0;
}

/* Its result goes where the compiler cannot see, or it might leave out both calls of a pair. */
static bool general_take(struct alloc_slot *slot, size_t size)
{
	void *memory = malloc(size);

	__asm__ volatile("" : "+r"(memory)::"memory");
	slot->memory = memory;
	return memory != NULL;
}

static void general_give(struct alloc_slot *slot)
{
	free(slot->memory);
}

ALLOC_LOOPS(general)
ALLOC_REMOTE(general)

static const struct alloc_subject general_subject = {
	.name = "malloc",
	.begin = general_begin,
	ALLOC_LOOPS_OF(general),
	ALLOC_REMOTE_OF(general),
};

static unsigned char timer_memory[ALLOC_SIZE_MAX];

static bool timer_take(struct alloc_slot *slot, size_t size)
{
	void *memory = timer_memory;

	(void)size;
	__asm__ volatile("" : "+r"(memory)::"memory");
	slot->memory = memory;
	return true;
}

static void timer_give(struct alloc_slot *slot)
{
	__asm__ volatile("" ::"r"(slot->memory) : "memory");
}

ALLOC_LOOPS(timer)
ALLOC_REMOTE(timer)

static const struct alloc_subject timer_subject = {
	.name = "timer",
	.begin = general_begin,
	ALLOC_LOOPS_OF(timer),
	ALLOC_REMOTE_OF(timer),
};

int main(int argc, char **argv)
{
	static const struct alloc_subject *const subjects[] = {&general_subject, &timer_subject,
							       NULL};

	return alloc_main(argc, argv, subjects);
}
