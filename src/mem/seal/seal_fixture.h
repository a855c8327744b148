/*
 * What the tests of the kernel seal share: a seal is for good, so each is tried in a
 * child of the test.
 */
#ifndef ZEROG_MEM_SEAL_SEAL_FIXTURE_H
#define ZEROG_MEM_SEAL_SEAL_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

/* Ends the child with its place on stderr, when a condition does not hold. */
#define CHILD_CHECK(condition)                                                    \
	do {                                                                      \
		if (!(condition))                                                 \
			zgi_fixture_child_failed(#condition, __FILE__, __LINE__); \
	} while (0)

_Noreturn void zgi_fixture_child_failed(const char *condition, const char *file, int line);

/* Run a function in a child. Return: as waitpid(2) has it; 0 for a child that came to its end. */
int zgi_fixture_run(void (*function)(void *user), void *user);

/* Can the kernel seal be had here? Not in a sanitizer's build, nor without seccomp. */
bool zgi_fixture_has_kernel_seal(void);

/* One figure of /proc/self/status, in KiB: "VmData:". */
uint64_t zgi_fixture_status(const char *field);

#endif
