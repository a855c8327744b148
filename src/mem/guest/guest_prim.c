/*
 * The operating system, as mimalloc inside the guest heap sees it.
 *
 * It is small: a few hundred KiB that were set aside when the heap was reserved, from
 * which the map of addresses and the like are served. There is no more, nothing is
 * given back to it, and it prints nothing. That a guest heap never takes memory from
 * the real one is so by construction, then, and not by an option.
 */
#include <zerog_mimalloc.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/random.h>
#include <time.h>

#include <mimalloc.h>
#include <mimalloc/internal.h>
#include <mimalloc/prim.h>

#include "base/assert.h"
#include "mem/guest/guest_mimalloc.h"

#define PRIM_PAGE_SIZE 4096

static uintptr_t prim_next; /* atomic: threads may extend the map at once */
static uintptr_t prim_end;
static pthread_key_t prim_key;

void zgi_guest_prim_lend(void *memory, size_t size)
{
	prim_next = (uintptr_t)memory;
	prim_end = prim_next + size;
}

void _mi_prim_mem_init(mi_os_mem_config_t *config)
{
	*config = (mi_os_mem_config_t){
		.page_size = PRIM_PAGE_SIZE,
		.alloc_granularity = PRIM_PAGE_SIZE,
		.virtual_address_bits = ZGI_MIMALLOC_ADDRESS_BITS,
		.has_overcommit = true, /* what is asked for may be used */
		.has_partial_free = true,
	};
}

int _mi_prim_alloc(void *hint_addr, size_t size, size_t try_alignment, bool commit,
		   bool allow_large, bool *is_large, bool *is_zero, void **addr)
{
	uintptr_t next = __atomic_load_n(&prim_next, __ATOMIC_RELAXED);
	uintptr_t start;

	(void)hint_addr;
	(void)commit;
	(void)allow_large;
	do {
		start = (next + try_alignment - 1) & ~(uintptr_t)(try_alignment - 1);
		if (start > prim_end || size > prim_end - start)
			return ENOMEM;
	} while (!__atomic_compare_exchange_n(&prim_next, &next, start + size, false,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	*is_large = false;
	*is_zero = true;
	*addr = (void *)start;
	return 0;
}

int _mi_prim_free(void *addr, size_t size)
{
	(void)addr;
	(void)size;
	return 0;
}

int _mi_prim_commit(void *addr, size_t size, bool *is_zero)
{
	(void)addr;
	(void)size;
	*is_zero = false;
	return 0;
}

int _mi_prim_decommit(void *addr, size_t size, bool *needs_recommit)
{
	(void)addr;
	(void)size;
	*needs_recommit = false;
	return 0;
}

int _mi_prim_reset(void *addr, size_t size)
{
	return _mi_prim_free(addr, size);
}

int _mi_prim_reuse(void *addr, size_t size)
{
	return _mi_prim_free(addr, size);
}

int _mi_prim_protect(void *addr, size_t size, bool protect)
{
	(void)protect;
	return _mi_prim_free(addr, size);
}

int _mi_prim_alloc_huge_os_pages(void *hint_addr, size_t size, int numa_node, bool *is_zero,
				 void **addr)
{
	(void)hint_addr;
	(void)size;
	(void)numa_node;
	(void)is_zero;
	(void)addr;
	return ENOMEM;
}

size_t _mi_prim_numa_node(void)
{
	return 0;
}

size_t _mi_prim_numa_node_count(void)
{
	return 1;
}

mi_msecs_t _mi_prim_clock_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (mi_msecs_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void _mi_prim_process_info(mi_process_info_t *pinfo)
{
	(void)pinfo;
}

void _mi_prim_out_stderr(const char *msg)
{
	(void)msg;
}

/* No variable of the environment changes what was planned. */
bool _mi_prim_getenv(const char *name, char *result, size_t result_size)
{
	(void)name;
	(void)result;
	(void)result_size;
	return false;
}

bool _mi_prim_random_buf(void *buf, size_t buf_len)
{
	return getrandom(buf, buf_len, GRND_NONBLOCK) == (ssize_t)buf_len;
}

/* A thread that ends leaves its pages to the others. */
static void prim_thread_ended(void *theap)
{
	if (theap != NULL)
		_mi_thread_done(theap);
}

void _mi_prim_thread_init_auto_done(void)
{
	int result = pthread_key_create(&prim_key, prim_thread_ended);

	zg_assert(result == 0);
}

void _mi_prim_thread_done_auto_done(void)
{
	/* The process ends: whoever still has blocks keeps them. */
}

void _mi_prim_thread_associate_default_theap(mi_theap_t *theap)
{
	(void)pthread_setspecific(prim_key, theap);
}

bool _mi_prim_thread_is_in_threadpool(void)
{
	return false;
}

void _mi_prim_thread_yield(void)
{
	(void)sched_yield();
}

bool _mi_is_redirected(void)
{
	return false;
}

bool _mi_allocator_init(const char **message)
{
	if (message != NULL)
		*message = NULL;
	return true;
}

void _mi_allocator_done(void)
{
	/* There is nothing to be undone. */
}
