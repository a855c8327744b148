/*
 * malloc and its relatives, in front of glibc's.
 *
 * A program that links libzerog has these in its own image, so that its
 * libraries' calls come here as well. Each is one load and a jump before the
 * seal. What they forward to are the names under which glibc exports its
 * allocator for this purpose.
 *
 * After the seal, and where there is a guest heap, that serves what is new. A block
 * goes back to where it came from: its address tells.
 *
 * Sanitizers bring an allocator of their own, which must stay in front: there
 * its hooks do the counting. The call site is then one inside the sanitizer.
 */
#include "mem/seal/seal_state.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <zerog/guest_heap.h>

#include "base/assert.h"
#include "mem/guest/guest_range.h"

#if ZGI_SEAL_HAS_SANITIZER

int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void *, size_t),
					      void (*free_hook)(const volatile void *));

static void seal_sanitizer_malloc(const volatile void *memory, size_t size)
{
	(void)memory;
	(void)size;
	if (!zgi_seal_is_open())
		zgi_seal_on_malloc(__builtin_return_address(0));
}

static void seal_sanitizer_free(const volatile void *memory)
{
	if (!zgi_seal_is_open() && memory != NULL)
		zgi_seal_on_free(__builtin_return_address(0));
}

void zgi_seal_hooks_install(void)
{
	static bool is_installed;

	if (is_installed)
		return;
	is_installed = __sanitizer_install_malloc_and_free_hooks(seal_sanitizer_malloc,
								 seal_sanitizer_free) > 0;
	zg_assert(is_installed);
}

#else

/* Seen by the dynamic linker, so that libraries resolve to them: -fvisibility=hidden is for the
 * rest of us. */
#define SEAL_HOOK __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

/* As stdlib.h and malloc.h have them; those are not included, for their attributes would let the
 * compiler assume what these functions are about to do. */
SEAL_HOOK void *malloc(size_t size);
SEAL_HOOK void *calloc(size_t count, size_t size);
SEAL_HOOK void *realloc(void *memory, size_t size);
SEAL_HOOK void *reallocarray(void *memory, size_t count, size_t size);
SEAL_HOOK void *memalign(size_t alignment, size_t size);
SEAL_HOOK void *aligned_alloc(size_t alignment, size_t size);
SEAL_HOOK int posix_memalign(void **ret_memory, size_t alignment, size_t size);
SEAL_HOOK void *valloc(size_t size);
SEAL_HOOK void *pvalloc(size_t size);
SEAL_HOOK size_t malloc_usable_size(void *memory);
SEAL_HOOK void free(void *memory);

typedef size_t hooks_usable_size(void *memory);

static hooks_usable_size *hooks_usable_size_next;

/* The one of the family that glibc has under no other name. */
static size_t hooks_libc_usable_size(void *memory)
{
	hooks_usable_size *next = __atomic_load_n(&hooks_usable_size_next, __ATOMIC_RELAXED);

	if (next == NULL) {
		/* POSIX has dlsym(3) return functions as data. */
		*(void **)(void *)&next = dlsym(RTLD_NEXT, "malloc_usable_size");
		zg_assert(next != NULL);
		__atomic_store_n(&hooks_usable_size_next, next, __ATOMIC_RELAXED);
	}
	return next(memory);
}

static bool hooks_is_power_of_two(size_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

static size_t hooks_page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* What an allocation gave; that it gave nothing is counted. */
static void *hooks_told(void *memory)
{
	if (memory == NULL)
		zgi_seal_on_failure();
	return memory;
}

/* After the seal, and where there is a guest heap even after it was lifted. */
static void *__attribute__((noinline)) sealed_malloc(size_t size, const void *site)
{
	zgi_seal_on_malloc(site);
	return hooks_told(zgi_guest_is_reserved() ? zg_guest_malloc(size) : __libc_malloc(size));
}

static void *__attribute__((noinline)) sealed_calloc(size_t count, size_t size, const void *site)
{
	zgi_seal_on_malloc(site);
	return hooks_told(zgi_guest_is_reserved() ? zg_guest_calloc(count, size)
						  : __libc_calloc(count, size));
}

static void *__attribute__((noinline))
sealed_memalign(size_t alignment, size_t size, const void *site)
{
	zgi_seal_on_malloc(site);
	/* What the guest heap has no such place for, glibc's may have some room left for. */
	if (zgi_guest_is_reserved() && hooks_is_power_of_two(alignment) &&
	    alignment <= ZG_GUEST_ALIGNMENT_MAX)
		return hooks_told(zg_guest_memalign(alignment, size));
	return hooks_told(__libc_memalign(alignment, size));
}

static void __attribute__((noinline)) sealed_free(void *memory, const void *site)
{
	if (memory == NULL)
		return;
	zgi_seal_on_free(site);
	if (zgi_guest_owns(memory))
		zg_guest_free(memory);
	else
		__libc_free(memory);
}

/* From glibc's heap, as it was before the seal, into the guest heap. */
static void *hooks_move(void *memory, size_t usable, size_t size)
{
	void *moved = zg_guest_malloc(size);

	if (moved == NULL)
		return NULL;
	memcpy(moved, memory, usable < size ? usable : size);
	__libc_free(memory);
	return moved;
}

static void *__attribute__((noinline)) sealed_realloc(void *memory, size_t size, const void *site)
{
	size_t usable;

	if (memory == NULL)
		return sealed_malloc(size, site);
	zgi_seal_on_malloc(site);
	if (zgi_guest_owns(memory)) {
		if (size > 0)
			return hooks_told(zg_guest_realloc(memory, size));
		/* As glibc has it. */
		zg_guest_free(memory);
		return NULL;
	}
	usable = hooks_libc_usable_size(memory);
	if (zgi_guest_is_reserved() && size > usable)
		return hooks_told(hooks_move(memory, usable, size));
	memory = __libc_realloc(memory, size);
	return size > 0 ? hooks_told(memory) : memory;
}

/* The one that is called most: nothing is saved and nothing is set up before the jump. */
void *malloc(size_t size)
{
	if (!zgi_seal_is_open())
		return sealed_malloc(size, __builtin_return_address(0));
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	if (!zgi_seal_is_open())
		return sealed_calloc(count, size, __builtin_return_address(0));
	return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	if (!zgi_seal_is_open())
		return sealed_realloc(memory, size, __builtin_return_address(0));
	return __libc_realloc(memory, size);
}

void *reallocarray(void *memory, size_t count, size_t size)
{
	size_t size_total;

	if (__builtin_mul_overflow(count, size, &size_total)) {
		if (!zgi_seal_is_open())
			zgi_seal_on_malloc(__builtin_return_address(0));
		errno = ENOMEM;
		return NULL;
	}
	if (!zgi_seal_is_open())
		return sealed_realloc(memory, size_total, __builtin_return_address(0));
	return __libc_realloc(memory, size_total);
}

void *memalign(size_t alignment, size_t size)
{
	if (!zgi_seal_is_open())
		return sealed_memalign(alignment, size, __builtin_return_address(0));
	return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	/* glibc's memalign would round it up; C17 (7.22.3.1) has it fail. */
	if (!hooks_is_power_of_two(alignment)) {
		errno = EINVAL;
		return NULL;
	}
	if (!zgi_seal_is_open())
		return sealed_memalign(alignment, size, __builtin_return_address(0));
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
	void *memory;

	if (!hooks_is_power_of_two(alignment) || alignment % sizeof(void *) != 0)
		return EINVAL;
	memory = zgi_seal_is_open() ? __libc_memalign(alignment, size)
				    : sealed_memalign(alignment, size, __builtin_return_address(0));
	if (memory == NULL)
		return ENOMEM;
	*ret_memory = memory;
	return 0;
}

void *valloc(size_t size)
{
	if (!zgi_seal_is_open())
		return sealed_memalign(hooks_page_size(), size, __builtin_return_address(0));
	return __libc_memalign(hooks_page_size(), size);
}

void *pvalloc(size_t size)
{
	size_t page_size = hooks_page_size();
	size_t size_pages;

	if (__builtin_add_overflow(size, page_size - 1, &size_pages)) {
		errno = ENOMEM;
		return NULL;
	}
	size_pages &= ~(page_size - 1);
	if (!zgi_seal_is_open())
		return sealed_memalign(page_size, size_pages, __builtin_return_address(0));
	return __libc_memalign(page_size, size_pages);
}

size_t malloc_usable_size(void *memory)
{
	return zgi_guest_owns(memory) ? zg_guest_usable_size(memory)
				      : hooks_libc_usable_size(memory);
}

void free(void *memory)
{
	if (!zgi_seal_is_open()) {
		sealed_free(memory, __builtin_return_address(0));
		return;
	}
	__libc_free(memory);
}

void zgi_seal_hooks_install(void)
{
	/* They are at work from the first instruction on; this one finds what stands behind it. */
	(void)hooks_libc_usable_size(NULL);
}

#endif
