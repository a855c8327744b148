/*
 * malloc and its relatives, in front of glibc's.
 *
 * A program that links libzerog has these in its own image, so that its
 * libraries' calls come here as well. Each is one load and a jump before the
 * seal. What they forward to are the names under which glibc exports its
 * allocator for this purpose.
 *
 * Sanitizers bring an allocator of their own, which must stay in front: there
 * its hooks do the counting. The call site is then one inside the sanitizer.
 */
#include "mem/seal/seal_state.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "base/assert.h"

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
		zgi_seal_on_free();
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

#define SEAL_COUNT_MALLOC()                                              \
	do {                                                             \
		if (!zgi_seal_is_open())                                 \
			zgi_seal_on_malloc(__builtin_return_address(0)); \
	} while (0)

/* What an allocation gave; NULL is counted, unless nothing was asked for. */
#define SEAL_COUNT_FAILURE(memory, size)                                    \
	do {                                                                \
		if ((memory) == NULL && (size) != 0 && !zgi_seal_is_open()) \
			zgi_seal_on_failure();                              \
	} while (0)

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
SEAL_HOOK void free(void *memory);

static bool seal_is_power_of_two(size_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

static size_t seal_page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static void *__attribute__((cold, noinline)) seal_malloc(size_t size, const void *site)
{
	void *memory;

	zgi_seal_on_malloc(site);
	memory = __libc_malloc(size);
	SEAL_COUNT_FAILURE(memory, 1);
	return memory;
}

/* The one that is called most: nothing is saved and nothing is set up before the jump. */
void *malloc(size_t size)
{
	if (!zgi_seal_is_open())
		return seal_malloc(size, __builtin_return_address(0));
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	void *result;

	SEAL_COUNT_MALLOC();
	result = __libc_calloc(count, size);
	SEAL_COUNT_FAILURE(result, 1);
	return result;
}

void *realloc(void *memory, size_t size)
{
	void *result;

	SEAL_COUNT_MALLOC();
	result = __libc_realloc(memory, size);
	SEAL_COUNT_FAILURE(result, size);
	return result;
}

void *reallocarray(void *memory, size_t count, size_t size)
{
	void *result;
	size_t size_total;

	SEAL_COUNT_MALLOC();
	if (__builtin_mul_overflow(count, size, &size_total)) {
		errno = ENOMEM;
		return NULL;
	}
	result = __libc_realloc(memory, size_total);
	SEAL_COUNT_FAILURE(result, size_total);
	return result;
}

void *memalign(size_t alignment, size_t size)
{
	void *result;

	SEAL_COUNT_MALLOC();
	result = __libc_memalign(alignment, size);
	SEAL_COUNT_FAILURE(result, 1);
	return result;
}

void *aligned_alloc(size_t alignment, size_t size)
{
	void *result;

	SEAL_COUNT_MALLOC();
	/* glibc's memalign would round it up; C17 (7.22.3.1) has it fail. */
	if (!seal_is_power_of_two(alignment)) {
		errno = EINVAL;
		return NULL;
	}
	result = __libc_memalign(alignment, size);
	SEAL_COUNT_FAILURE(result, 1);
	return result;
}

int posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
	void *memory;

	SEAL_COUNT_MALLOC();
	if (!seal_is_power_of_two(alignment) || alignment % sizeof(void *) != 0)
		return EINVAL;
	memory = __libc_memalign(alignment, size);
	SEAL_COUNT_FAILURE(memory, 1);
	if (memory == NULL)
		return ENOMEM;
	*ret_memory = memory;
	return 0;
}

void *valloc(size_t size)
{
	void *result;

	SEAL_COUNT_MALLOC();
	result = __libc_memalign(seal_page_size(), size);
	SEAL_COUNT_FAILURE(result, 1);
	return result;
}

void *pvalloc(size_t size)
{
	void *result;
	size_t page_size = seal_page_size();
	size_t size_pages;

	SEAL_COUNT_MALLOC();
	if (__builtin_add_overflow(size, page_size - 1, &size_pages)) {
		errno = ENOMEM;
		return NULL;
	}
	result = __libc_memalign(page_size, size_pages & ~(page_size - 1));
	SEAL_COUNT_FAILURE(result, 1);
	return result;
}

static void __attribute__((cold, noinline)) seal_free(void *memory)
{
	if (memory != NULL)
		zgi_seal_on_free();
	__libc_free(memory);
}

void free(void *memory)
{
	if (!zgi_seal_is_open()) {
		seal_free(memory);
		return;
	}
	__libc_free(memory);
}

void zgi_seal_hooks_install(void)
{
	/* They are at work from the first instruction on. */
}

#endif
