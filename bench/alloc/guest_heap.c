/*
 * The guest heap: mimalloc in one mapping that was faulted in, which third-party
 * libraries' malloc is served from.
 */
#include <zerog/guest_heap.h>

#include "remote.h"
#include "zerog.h"

/* The mixture has 11 MB live at the most; the rest is for what pages of one size leave unused. */
#define GUEST_SIZE ((uint64_t)64 << 20)

static int guest_begin(const struct alloc_trace *trace)
{
	(void)trace;
	return zg_guest_heap_reserve(GUEST_SIZE);
}

static bool guest_take(struct alloc_slot *slot, size_t size)
{
	slot->memory = zg_guest_malloc(size);
	return slot->memory != NULL;
}

static void guest_give(struct alloc_slot *slot)
{
	zg_guest_free(slot->memory);
}

ALLOC_LOOPS(guest)
ALLOC_REMOTE(guest)

const struct alloc_subject alloc_guest_heap_subject = {
	.name = "guest-heap",
	.begin = guest_begin,
	ALLOC_LOOPS_OF(guest),
	ALLOC_REMOTE_OF(guest),
};
