/*
 * The mistakes with malloc's addresses. This program does not link libzerog;
 * another allocator takes malloc's place through LD_PRELOAD.
 */
#include <stdlib.h>
#include <unistd.h>

#include "errors.h"

#define GENERAL_CARVED_SIZE 4096
#define GENERAL_CARVED_OFFSET 1024

static void general_begin(void)
{
}

/* Where nobody can see where an address comes from, neither compiler may warn nor optimise. */
static void *general_address(uint64_t name)
{
	__asm__ volatile("" : "+r"(name));
	return (void *)(uintptr_t)name;
}

static uint64_t general_take(size_t size)
{
	void *memory = malloc(size);

	if (memory == NULL)
		_exit(ERRORS_EXIT_UNABLE);
	__asm__ volatile("" : "+r"(memory)::"memory");
	return (uintptr_t)memory;
}

static int general_give(uint64_t name, size_t size)
{
	(void)size;
	free(general_address(name));
	return 0;
}

static void *general_memory(uint64_t name, size_t size)
{
	(void)size;
	return general_address(name);
}

static uint64_t general_move(uint64_t name, size_t size)
{
	void *memory = realloc(general_address(name), 8 * size);

	if (memory == NULL)
		_exit(ERRORS_EXIT_UNABLE);
	return (uintptr_t)memory;
}

/* Carved from one block, as an arena's objects are. */
static uint64_t general_foreign(void)
{
	return general_take(GENERAL_CARVED_SIZE) + GENERAL_CARVED_OFFSET;
}

int main(void)
{
	static const struct errors_subject subject = {
		.begin = general_begin,
		.take = general_take,
		.give = general_give,
		.memory = general_memory,
		.move = general_move,
		.foreign = general_foreign,
	};

	return errors_main(&subject);
}
