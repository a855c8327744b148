#include "mem/seal/seal_fixture.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zerog/seal.h>

#include "base/assert.h"
#include "base/file.h"

_Noreturn void zgi_fixture_child_failed(const char *condition, const char *file, int line)
{
	/* dprintf() asks for no buffer on the heap. */
	dprintf(STDERR_FILENO, "%s:%d: in the child: %s\n", file, line, condition);
	_exit(99);
}

int zgi_fixture_run(void (*function)(void *user), void *user)
{
	int status = -1;
	pid_t child = fork();

	zg_assert(child >= 0);
	if (child == 0) {
		struct rlimit no_core = {0, 0};

		(void)setrlimit(RLIMIT_CORE, &no_core);
		function(user);
		_exit(0);
	}
	zg_assert(waitpid(child, &status, 0) == child);
	return status;
}

static void fixture_prepare(void *user)
{
	(void)user;
	_exit(zg_seal_prepare(ZG_SEAL_KERNEL) < 0);
}

bool zgi_fixture_has_kernel_seal(void)
{
	return zgi_fixture_run(fixture_prepare, NULL) == 0;
}

uint64_t zgi_fixture_status(const char *field)
{
	char text[4096];
	uint64_t value;

	if (zgi_file_read("/proc/self/status", text, sizeof(text), NULL) < 0 ||
	    zgi_file_field(text, field, &value) < 0)
		zgi_fixture_child_failed(field, __FILE__, __LINE__);
	return value;
}
