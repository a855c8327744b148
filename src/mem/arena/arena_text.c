/*
 * What is built on an arena's allocations alone, whichever way they are handed out.
 */
#include "mem/arena/arena_place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Most texts are formatted once, here, and copied; a longer one is formatted twice. */
#define ARENA_TEXT_STACK_SIZE 256

int zg_arena_alloc_zeroed(struct zg_arena *arena, size_t count, size_t size_each, void **ret_memory)
{
	size_t size;
	void *memory;
	int result;

	/* What overflows is more than any chunk can hold: the arena refuses and counts it. */
	if (__builtin_mul_overflow(count, size_each, &size))
		size = SIZE_MAX;
	result = zgi_arena_alloc_for(arena, size, __builtin_return_address(0), &memory);
	if (result < 0)
		return result;
	memset(memory, 0, size);
	*ret_memory = memory;
	return 0;
}

int zg_arena_copy(struct zg_arena *arena, struct zg_slice bytes, struct zg_slice *ret_slice)
{
	void *memory;
	char *text;
	int result;

	zg_assert(bytes.data != NULL || bytes.size == 0);
	zg_assert(bytes.size < SIZE_MAX);
	result = zgi_arena_alloc_for(arena, bytes.size + 1, __builtin_return_address(0), &memory);
	if (result < 0)
		return result;
	text = memory;
	if (bytes.size > 0)
		memcpy(text, bytes.data, bytes.size);
	text[bytes.size] = '\0';
	*ret_slice = (struct zg_slice){text, bytes.size};
	return 0;
}

int zg_arena_copy_text(struct zg_arena *arena, const char *text, char **ret_text)
{
	size_t size;
	void *memory;
	int result;

	zg_assert(text != NULL);
	size = strlen(text) + 1;
	result = zgi_arena_alloc_for(arena, size, __builtin_return_address(0), &memory);
	if (result < 0)
		return result;
	memcpy(memory, text, size);
	*ret_text = memory;
	return 0;
}

ZG_PRINTF(4, 0)
static int arena_vprint(struct zg_arena *arena, struct zg_slice *ret_text, const void *site,
			const char *format, va_list arguments)
{
	char buffer[ARENA_TEXT_STACK_SIZE];
	va_list again;
	void *memory = NULL;
	int size;
	int result = -EINVAL;

	va_copy(again, arguments);
	size = vsnprintf(buffer, sizeof(buffer), format, arguments);
	if (size >= 0)
		result = zgi_arena_alloc_for(arena, (size_t)size + 1, site, &memory);
	if (result == 0) {
		if ((size_t)size < sizeof(buffer))
			memcpy(memory, buffer, (size_t)size + 1);
		else if (vsnprintf(memory, (size_t)size + 1, format, again) != size)
			result = -EINVAL;
	}
	va_end(again);
	if (result == 0)
		*ret_text = (struct zg_slice){memory, (size_t)size};
	return result;
}

int zg_arena_vprint(struct zg_arena *arena, struct zg_slice *ret_text, const char *format,
		    va_list arguments)
{
	return arena_vprint(arena, ret_text, __builtin_return_address(0), format, arguments);
}

int zg_arena_print(struct zg_arena *arena, struct zg_slice *ret_text, const char *format, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, format);
	result = arena_vprint(arena, ret_text, __builtin_return_address(0), format, arguments);
	va_end(arguments);
	return result;
}
