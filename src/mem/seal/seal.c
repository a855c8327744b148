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
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "mem/guest/guest_range.h"
#include "mem/seal/seal_kernel.h"
#include "mem/seal/seal_state.h"

#define SEAL_STACK_DEPTH_MAX 64

int zgi_seal_state = ZGI_SEAL_OPEN;

static uint64_t seal_malloc_count;
static uint64_t seal_malloc_fail_count;
static uint64_t seal_guest_malloc_count;
static uint64_t seal_free_count;
static struct zg_seal_site seal_sites[ZG_SEAL_SITES_MAX];

/* Where this program lies, libzerog in it: known from zg_seal_prepare() on. */
static uintptr_t seal_image_start;
static size_t seal_image_size;

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

/* Is it ours to answer for? A guest heap is there for those who are not. */
static bool seal_site_is_ours(const void *site)
{
	return !zgi_guest_is_reserved() || (uintptr_t)site - seal_image_start < seal_image_size;
}

static bool seal_is_passing(void)
{
	return seal_is_inside ||
	       __atomic_load_n(&zgi_seal_state, __ATOMIC_RELAXED) == ZGI_SEAL_LIFTED;
}

void zgi_seal_on_malloc(const void *site)
{
	if (seal_is_passing())
		return;
	if (!seal_site_is_ours(site)) {
		__atomic_fetch_add(&seal_guest_malloc_count, 1, __ATOMIC_RELAXED);
		return;
	}
	__atomic_fetch_add(&seal_malloc_count, 1, __ATOMIC_RELAXED);
	seal_count_site(site);
	if (__atomic_load_n(&zgi_seal_state, __ATOMIC_RELAXED) == ZGI_SEAL_TRAPPING)
		seal_trap();
}

void zgi_seal_on_failure(void)
{
	if (!seal_is_passing())
		__atomic_fetch_add(&seal_malloc_fail_count, 1, __ATOMIC_RELAXED);
}

void zgi_seal_on_free(const void *site)
{
	if (!seal_is_passing() && seal_site_is_ours(site))
		__atomic_fetch_add(&seal_free_count, 1, __ATOMIC_RELAXED);
}

void zgi_seal_exempt(bool is_exempt)
{
	seal_is_inside = is_exempt;
}

static int seal_image_visit(struct dl_phdr_info *info, size_t info_size, void *user)
{
	const uintptr_t inside = (uintptr_t)&zgi_seal_state;
	uintptr_t start = UINTPTR_MAX;
	uintptr_t end = 0;

	(void)info_size;
	(void)user;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uintptr_t address = (uintptr_t)(info->dlpi_addr + header->p_vaddr);

		if (header->p_type != PT_LOAD)
			continue;
		start = address < start ? address : start;
		end = address + header->p_memsz > end ? address + header->p_memsz : end;
	}
	if (inside < start || inside >= end)
		return 0;
	seal_image_start = start;
	seal_image_size = end - start;
	return 1;
}

int zg_seal_prepare(enum zg_seal_mode mode)
{
	void *stack[2];

	zgi_seal_hooks_install();
	(void)dl_iterate_phdr(seal_image_visit, NULL);
	zg_assert(seal_image_size > 0);
	/* The first backtrace() loads libgcc, which allocates. */
	(void)backtrace(stack, 2);
	return mode == ZG_SEAL_KERNEL ? zgi_seal_kernel_prepare() : 0;
}

int zg_seal(enum zg_seal_mode mode)
{
	int result;

	zg_assert(mode == ZG_SEAL_COUNT || mode == ZG_SEAL_TRAP || mode == ZG_SEAL_KERNEL);
	zg_assert(__atomic_load_n(&zgi_seal_state, __ATOMIC_RELAXED) <= ZGI_SEAL_LIFTED);

	result = zg_seal_prepare(mode);
	if (result == 0 && mode == ZG_SEAL_KERNEL)
		result = zgi_seal_kernel_close();
	if (result < 0)
		return result;
	__atomic_store_n(&seal_malloc_count, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&seal_guest_malloc_count, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&seal_malloc_fail_count, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&seal_free_count, 0, __ATOMIC_RELAXED);
	for (size_t i = 0; i < ZG_SEAL_SITES_MAX; ++i) {
		__atomic_store_n(&seal_sites[i].address, NULL, __ATOMIC_RELAXED);
		__atomic_store_n(&seal_sites[i].count, 0, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&zgi_seal_state,
			 mode == ZG_SEAL_TRAP ? ZGI_SEAL_TRAPPING : ZGI_SEAL_COUNTING,
			 __ATOMIC_SEQ_CST);
	return 0;
}

void zg_unseal(void)
{
	__atomic_store_n(&zgi_seal_state, zgi_guest_is_reserved() ? ZGI_SEAL_LIFTED : ZGI_SEAL_OPEN,
			 __ATOMIC_SEQ_CST);
}

void zg_seal_counts(struct zg_seal_counts *ret_counts)
{
	*ret_counts = (struct zg_seal_counts){
		.malloc_count = __atomic_load_n(&seal_malloc_count, __ATOMIC_RELAXED),
		.guest_malloc_count = __atomic_load_n(&seal_guest_malloc_count, __ATOMIC_RELAXED),
		.malloc_fail_count = __atomic_load_n(&seal_malloc_fail_count, __ATOMIC_RELAXED),
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
