/*
 * The seal: what becomes of a malloc once boot is over.
 *
 * Counters are atomic, because any thread may allocate. They are shared rather
 * than one a thread: the figure they exist to show is 0, and a service that
 * pays for them is one that has to be mended.
 *
 * Call sites live in a table that only ever fills up: an entry is claimed with
 * one compare-and-swap and never changes its address again.
 */
#include <zerog/seal.h>

#include <errno.h>
#include <execinfo.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "mem/seal/seal_state.h"

#define SEAL_STACK_DEPTH_MAX 64

int zgi_seal_state = ZGI_SEAL_OPEN;

static uint64_t seal_malloc_count;
static uint64_t seal_free_count;
static struct zg_seal_site seal_sites[ZG_SEAL_SITES_MAX];

/* Set while this thread prints its stack, or is exempt: what it allocates is let through. In the
 * initial TLS image, because reaching it must not allocate. */
static _Thread_local bool seal_is_inside __attribute__((tls_model("initial-exec")));

static void seal_count_site(const void *site)
{
	for (size_t i = 0; i < ZG_SEAL_SITES_MAX; ++i) {
		const void **address = &seal_sites[i].address;
		const void *known = __atomic_load_n(address, __ATOMIC_RELAXED);

		/* Whoever loses the race for an entry finds in `known` what won it. */
		if (known == NULL &&
		    __atomic_compare_exchange_n(address, &known, site, false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			known = site;
		if (known == site) {
			__atomic_fetch_add(&seal_sites[i].count, 1, __ATOMIC_RELAXED);
			return;
		}
	}
}

static _Noreturn void seal_trap(void)
{
	static const char message[] = "zerog: malloc after the seal, from:\n";
	void *stack[SEAL_STACK_DEPTH_MAX];
	int depth;

	seal_is_inside = true;
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0) {
		/* The stack below goes the same way; the abort still tells. */
	}
	depth = backtrace(stack, SEAL_STACK_DEPTH_MAX);
	backtrace_symbols_fd(stack, depth, STDERR_FILENO);
	abort();
}

void zgi_seal_on_malloc(const void *site)
{
	if (seal_is_inside)
		return;
	__atomic_fetch_add(&seal_malloc_count, 1, __ATOMIC_RELAXED);
	seal_count_site(site);
	if (__atomic_load_n(&zgi_seal_state, __ATOMIC_RELAXED) == ZGI_SEAL_TRAPPING)
		seal_trap();
}

void zgi_seal_on_free(void)
{
	if (!seal_is_inside)
		__atomic_fetch_add(&seal_free_count, 1, __ATOMIC_RELAXED);
}

void zgi_seal_exempt(bool is_exempt)
{
	seal_is_inside = is_exempt;
}

void zg_seal_prepare(void)
{
	void *stack[2];

	zgi_seal_hooks_install();
	/* The first backtrace() loads libgcc, which allocates. */
	(void)backtrace(stack, 2);
}

void zg_seal(enum zg_seal_mode mode)
{
	zg_assert(mode == ZG_SEAL_COUNT || mode == ZG_SEAL_TRAP);
	zg_assert(zgi_seal_is_open());

	zg_seal_prepare();
	__atomic_store_n(&seal_malloc_count, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&seal_free_count, 0, __ATOMIC_RELAXED);
	for (size_t i = 0; i < ZG_SEAL_SITES_MAX; ++i) {
		__atomic_store_n(&seal_sites[i].address, NULL, __ATOMIC_RELAXED);
		__atomic_store_n(&seal_sites[i].count, 0, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&zgi_seal_state,
			 mode == ZG_SEAL_TRAP ? ZGI_SEAL_TRAPPING : ZGI_SEAL_COUNTING,
			 __ATOMIC_SEQ_CST);
}

void zg_unseal(void)
{
	__atomic_store_n(&zgi_seal_state, ZGI_SEAL_OPEN, __ATOMIC_SEQ_CST);
}

void zg_seal_counts(struct zg_seal_counts *ret_counts)
{
	*ret_counts = (struct zg_seal_counts){
		.malloc_count = __atomic_load_n(&seal_malloc_count, __ATOMIC_RELAXED),
		.free_count = __atomic_load_n(&seal_free_count, __ATOMIC_RELAXED),
	};
}

size_t zg_seal_sites(struct zg_seal_site *sites, size_t count_max)
{
	size_t count = 0;

	zg_assert(sites != NULL || count_max == 0);
	for (size_t i = 0; i < ZG_SEAL_SITES_MAX && count < count_max; ++i) {
		const void *address = __atomic_load_n(&seal_sites[i].address, __ATOMIC_RELAXED);

		/* Entries are claimed in order: behind the first empty one are none. */
		if (address == NULL)
			break;
		sites[count++] = (struct zg_seal_site){
			.address = address,
			.count = __atomic_load_n(&seal_sites[i].count, __ATOMIC_RELAXED),
		};
	}
	return count;
}
