/*
 * The slow half of scratch buffers: leaving the stack.
 *
 * Spills are counted where the scratch is declared, because a stack size that is
 * often outgrown is one to raise in the source. A site joins the list when it first
 * has something to tell, and stays: so the list is a stack that is only ever pushed
 * to, and readers need no lock.
 */
#include <zerog/scratch.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "mem/arena/arena_place.h"
#include "mem/watch/probes.h"

static struct zg_scratch_site *scratch_sites;
static size_t scratch_size_max = ZG_SCRATCH_SIZE_MAX_DEFAULT;

static void scratch_list(struct zg_scratch_site *site)
{
	struct zg_scratch_site *first;

	if (__atomic_load_n(&site->is_listed, __ATOMIC_RELAXED) != 0)
		return;
	/* Of those who come at once, one lists it. */
	if (__atomic_exchange_n(&site->is_listed, 1, __ATOMIC_RELAXED) != 0)
		return;
	first = __atomic_load_n(&scratch_sites, __ATOMIC_RELAXED);
	do {
		__atomic_store_n(&site->next, first, __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(&scratch_sites, &first, site, true, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
}

static void scratch_note_wanted(struct zg_scratch_site *site, size_t capacity)
{
	size_t most = __atomic_load_n(&site->wanted_size_max, __ATOMIC_RELAXED);

	/* Whoever comes between leaves in `most` what is to be beaten. */
	while (capacity > most &&
	       !__atomic_compare_exchange_n(&site->wanted_size_max, &most, capacity, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* Changes a scratch's capacity, as long as it is told to; the bytes in use are kept. */
static int scratch_move(struct zg_scratch *scratch, size_t capacity, const void *site)
{
	bool is_in_arena = scratch->capacity > scratch->site->stack_size;
	struct zg_arena_span span = {NULL, 0};
	int result;

	if (is_in_arena)
		span = (struct zg_arena_span){scratch->data, scratch->capacity};
	result = zgi_arena_resize_for(scratch->arena, &span, capacity, site);
	if (result < 0)
		return result;
	ZGI_PROBE2(scratch_spill, scratch->capacity, span.size);
	if (!is_in_arena) {
		memcpy(span.memory, scratch->data, scratch->size);
		__atomic_fetch_add(&scratch->site->spill_count, 1, __ATOMIC_RELAXED);
	}
	scratch->data = span.memory;
	scratch->capacity = span.size;
	return 0;
}

/* Twice as large where that can be had, so that growing by bytes costs few moves. */
static int scratch_grow(struct zg_scratch *scratch, size_t capacity, const void *site)
{
	size_t size_max = scratch->site->size_max;
	size_t doubled = scratch->capacity * 2;
	int result;

	if (size_max == 0)
		size_max = zg_scratch_size_max();
	if (capacity > size_max)
		return -EMSGSIZE;
	if (scratch->arena == NULL)
		return -ENOMEM;
	/* The capacity is below the limit, whatever it was when it was reached. */
	if (doubled > size_max)
		doubled = size_max;
	if (doubled > capacity) {
		result = scratch_move(scratch, doubled, site);
		if (result == 0)
			return result;
	}
	return scratch_move(scratch, capacity, site);
}

int zg_scratch_spill(struct zg_scratch *scratch, size_t capacity)
{
	struct zg_scratch_site *site = scratch->site;
	int result;

	zg_assert(scratch->data != NULL && site != NULL);
	zg_assert(scratch->size <= scratch->capacity);
	zg_assert(capacity > scratch->capacity);

	scratch_list(site);
	scratch_note_wanted(site, capacity);
	result = scratch_grow(scratch, capacity, __builtin_return_address(0));
	if (result < 0)
		__atomic_fetch_add(&site->refuse_count, 1, __ATOMIC_RELAXED);
	return result;
}

void zg_scratch_set_size_max(size_t size)
{
	zg_assert(size > 0);
	__atomic_store_n(&scratch_size_max, size, __ATOMIC_RELAXED);
}

size_t zg_scratch_size_max(void)
{
	return __atomic_load_n(&scratch_size_max, __ATOMIC_RELAXED);
}

static void scratch_add_spills(const struct zg_scratch_site *site, void *user)
{
	*(uint64_t *)user += site->spill_count;
}

uint64_t zg_scratch_spill_count(void)
{
	uint64_t sum = 0;

	zg_scratch_sites(scratch_add_spills, &sum);
	return sum;
}

void zg_scratch_sites(void (*visit)(const struct zg_scratch_site *site, void *user), void *user)
{
	const struct zg_scratch_site *site = __atomic_load_n(&scratch_sites, __ATOMIC_ACQUIRE);

	zg_assert(visit != NULL);
	for (; site != NULL; site = __atomic_load_n(&site->next, __ATOMIC_RELAXED)) {
		struct zg_scratch_site copy = {
			.file = site->file,
			.line = site->line,
			.stack_size = site->stack_size,
			.size_max = site->size_max,
			.spill_count = __atomic_load_n(&site->spill_count, __ATOMIC_RELAXED),
			.refuse_count = __atomic_load_n(&site->refuse_count, __ATOMIC_RELAXED),
			.wanted_size_max =
				__atomic_load_n(&site->wanted_size_max, __ATOMIC_RELAXED),
		};

		visit(&copy, user);
	}
}
