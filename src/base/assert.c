/*
 * The end of a process that caught itself in a mistake.
 *
 * The message goes out with write(2) and without any buffer of stdio: an
 * assertion may fail after the seal, in a signal handler, or because memory is
 * damaged, and none of that may keep the place from being told.
 */
#include "base/assert.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void assert_write(const char *text)
{
	size_t size = strlen(text);

	while (size > 0) {
		ssize_t written = write(STDERR_FILENO, text, size);

		/* There is nobody left to tell when stderr is gone. */
		if (written <= 0)
			return;
		text += written;
		size -= (size_t)written;
	}
}

static void assert_write_number(int number)
{
	char digits[16];
	char *cursor = digits + sizeof(digits) - 1;
	unsigned int rest = number < 0 ? 0 : (unsigned int)number;

	*cursor = '\0';
	do {
		*--cursor = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	assert_write(cursor);
}

_Noreturn void zgi_assert_failed(const char *condition, const char *file, int line)
{
	assert_write("zerog: assertion failed: ");
	assert_write(condition);
	assert_write(" (");
	assert_write(file);
	assert_write(":");
	assert_write_number(line);
	assert_write(")\n");
	abort();
}
