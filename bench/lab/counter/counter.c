/*
 * Counter: preloaded into a native peer, counts its calls to malloc, free and their
 * relatives, over all its processes, in a file that the lab reads meanwhile.
 *
 * Programs that put hooks of their own in front of malloc, as zerog does, call the C
 * library by its inner names (__libc_malloc): those are counted, too, and a call that
 * passes both is counted once, at the inner one.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNTER_EARLY_SIZE (64 * 1024)
#define COUNTER_ALIGNMENT 16

/* The file: two numbers. */
struct counter_totals {
	uint64_t malloc_count;
	uint64_t free_count;
};

static struct counter_totals counter_nowhere;
static struct counter_totals *counter_totals = &counter_nowhere;

/* What dlsym() itself allocates, before it has told us where the real functions are. */
static unsigned char counter_early[COUNTER_EARLY_SIZE] __attribute__((aligned(COUNTER_ALIGNMENT)));
static size_t counter_early_used;

static void *(*counter_malloc)(size_t size);
static void *(*counter_calloc)(size_t count, size_t size);
static void *(*counter_realloc)(void *memory, size_t size);
static void *(*counter_memalign)(size_t alignment, size_t size);
static void (*counter_free)(void *memory);

static void counter_add(uint64_t *number)
{
	__atomic_fetch_add(number, 1, __ATOMIC_RELAXED);
}

static bool counter_is_early(const void *memory)
{
	return (uintptr_t)memory - (uintptr_t)counter_early < sizeof(counter_early);
}

static void *counter_early_take(size_t size)
{
	size_t used = counter_early_used;

	size = (size + COUNTER_ALIGNMENT - 1) & ~(size_t)(COUNTER_ALIGNMENT - 1);
	if (size > sizeof(counter_early) - used)
		abort();
	counter_early_used = used + size;
	return counter_early + used;
}

static void counter_find(void *function, const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (found == NULL)
		abort();
	/* A pointer to a function and one to an object are one to POSIX, not to ISO C. */
	memcpy(function, &found, sizeof(found));
}

/* Other libraries' constructors may allocate before ours has run: the first call finds the real
 * functions. Only what dlsym() allocates meanwhile comes from the early buffer. */
static bool counter_is_ready(void)
{
	static bool is_finding;

	if (counter_malloc != NULL)
		return true;
	if (is_finding)
		return false;
	is_finding = true;
	counter_find(&counter_calloc, "__libc_calloc");
	counter_find(&counter_realloc, "__libc_realloc");
	counter_find(&counter_memalign, "__libc_memalign");
	counter_find(&counter_free, "__libc_free");
	counter_find(&counter_malloc, "__libc_malloc");
	return true;
}

__attribute__((constructor)) static void counter_init(void)
{
	const char *path = getenv("LAB_COUNTER");
	void *totals;
	int fd;

	if (path == NULL)
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	totals = mmap(NULL, sizeof(struct counter_totals), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      0);
	close(fd);
	if (totals != MAP_FAILED)
		counter_totals = totals;
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

void *__libc_malloc(size_t size)
{
	if (!counter_is_ready())
		return counter_early_take(size);
	counter_add(&counter_totals->malloc_count);
	return counter_malloc(size);
}

void *__libc_calloc(size_t count, size_t size)
{
	size_t size_total;

	if (!counter_is_ready()) {
		if (__builtin_mul_overflow(count, size, &size_total))
			abort();
		/* Never given before, so zero. */
		return counter_early_take(size_total);
	}
	counter_add(&counter_totals->malloc_count);
	return counter_calloc(count, size);
}

void *__libc_realloc(void *memory, size_t size)
{
	if (!counter_is_ready() || counter_is_early(memory)) {
		void *moved = __libc_malloc(size);

		/* What lies behind the old end is ours, too, and zero or old. */
		if (moved != NULL && memory != NULL)
			memmove(moved, memory, size);
		return moved;
	}
	/* One that moves a block is both. */
	counter_add(&counter_totals->malloc_count);
	if (memory != NULL)
		counter_add(&counter_totals->free_count);
	return counter_realloc(memory, size);
}

void *__libc_memalign(size_t alignment, size_t size)
{
	if (!counter_is_ready())
		abort();
	counter_add(&counter_totals->malloc_count);
	return counter_memalign(alignment, size);
}

void __libc_free(void *memory)
{
	if (memory == NULL || counter_is_early(memory) || !counter_is_ready())
		return;
	counter_add(&counter_totals->free_count);
	counter_free(memory);
}

void *malloc(size_t size)
{
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size)
{
	return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
	void *memory = __libc_memalign(alignment, size);

	if (memory == NULL)
		return ENOMEM;
	*ret_memory = memory;
	return 0;
}

void free(void *memory)
{
	__libc_free(memory);
}
