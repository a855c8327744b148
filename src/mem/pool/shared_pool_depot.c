/*
 * The depot's stacks: magazines linked by number, under one word each.
 *
 *	head    magazine (24 bits) | tag (40 bits)
 *
 * The tag counts the changes. A thread that was stopped between reading the head and
 * exchanging it can only succeed when the tag has come round to the same value behind
 * its back, which at ten million changes a second takes 30 hours of standing still;
 * so a magazine that went and came back meanwhile (the ABA problem) is noticed.
 *
 * Memory order  A push releases and a pop acquires: the magazine's fields and hints
 *               are seen by who pops it as they were left by who pushed it. A pop
 *               exchanges what an earlier push released, and such an exchange carries
 *               the release on, so that deeper magazines are seen as well.
 */
#include "mem/pool/shared_pool_inside.h"

#include "base/assert.h"

#define DEPOT_NUMBER_SHIFT 40
#define DEPOT_TAG_MASK ((UINT64_C(1) << DEPOT_NUMBER_SHIFT) - 1)

static uint64_t depot_head(uint64_t before, uint32_t number)
{
	return (uint64_t)number << DEPOT_NUMBER_SHIFT | ((before + 1) & DEPOT_TAG_MASK);
}

void zgi_depot_push(struct zg_shared_pool *pool, uint64_t *stack, struct zgi_magazine *magazine)
{
	uint64_t head;

	ZGI_SHARED_POOL_STEP();
	head = __atomic_load_n(stack, __ATOMIC_ACQUIRE);
	for (;;) {
		uint32_t below = (uint32_t)(head >> DEPOT_NUMBER_SHIFT);
		uint32_t depth = 1;

		zg_assert(below != magazine->number);
		if (below != 0)
			depth += __atomic_load_n(&zgi_shared_pool_magazine(pool, below)->depth,
						 __ATOMIC_RELAXED);
		__atomic_store_n(&magazine->below, below, __ATOMIC_RELAXED);
		__atomic_store_n(&magazine->depth, depth, __ATOMIC_RELAXED);
		ZGI_SHARED_POOL_STEP();
		if (__atomic_compare_exchange_n(stack, &head, depot_head(head, magazine->number),
						false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return;
	}
}

struct zgi_magazine *zgi_depot_pop(struct zg_shared_pool *pool, uint64_t *stack)
{
	uint64_t head;

	ZGI_SHARED_POOL_STEP();
	head = __atomic_load_n(stack, __ATOMIC_ACQUIRE);
	for (;;) {
		uint32_t number = (uint32_t)(head >> DEPOT_NUMBER_SHIFT);
		struct zgi_magazine *magazine;
		uint32_t below;

		if (number == 0)
			return NULL;
		magazine = zgi_shared_pool_magazine(pool, number);
		ZGI_SHARED_POOL_STEP();
		/* When it is another's already this may be anything, and the exchange fails. */
		below = __atomic_load_n(&magazine->below, __ATOMIC_RELAXED);
		ZGI_SHARED_POOL_STEP();
		if (__atomic_compare_exchange_n(stack, &head, depot_head(head, below), false,
						__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return magazine;
	}
}
