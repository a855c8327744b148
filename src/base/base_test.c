/*
 * The smallest pieces: the clock, the reading of files, and how an assertion ends a process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/file.h"

static void clock_goes_forward(void **state)
{
	uint64_t before = zgi_clock_ns();
	uint64_t after;

	(void)state;
	usleep(1000);
	after = zgi_clock_ns();
	assert_true(after - before >= 1000000);
	assert_true(after - before < UINT64_C(10000000000));
}

static void file_is_read_and_terminated(void **state)
{
	char buffer[4096];
	size_t size = 0;

	(void)state;
	assert_int_equal(zgi_file_read("/proc/self/status", buffer, sizeof(buffer), &size), 0);
	assert_int_equal(strncmp(buffer, "Name:", 5), 0);
	assert_int_equal(strlen(buffer), size);
}

static void file_is_cut_to_the_buffer(void **state)
{
	char buffer[5] = "xxxx";
	size_t size = 0;

	(void)state;
	assert_int_equal(zgi_file_read("/proc/self/status", buffer, sizeof(buffer), &size), 0);
	assert_string_equal(buffer, "Name");
	assert_int_equal(size, 4);
}

static void missing_file_is_an_error(void **state)
{
	char buffer[8] = "as was";

	(void)state;
	assert_int_equal(zgi_file_read("/proc/none", buffer, sizeof(buffer), NULL), -ENOENT);
	assert_string_equal(buffer, "as was");
	/* A folder can be opened, but not read. */
	assert_int_equal(zgi_file_read("/proc", buffer, sizeof(buffer), NULL), -EISDIR);
}

static void failed_assertion_tells_the_place_and_aborts(void **state)
{
	char output[512] = "";
	int pipe_ends[2];
	int status = 0;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(pipe_ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit no_core = {0, 0};

		(void)setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGABRT, SIG_DFL);
		dup2(pipe_ends[1], STDERR_FILENO);
		zg_assert(child != 0);
		_exit(0);
	}
	close(pipe_ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(read(pipe_ends[0], output, sizeof(output) - 1) > 0);
	close(pipe_ends[0]);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_non_null(strstr(output, "child != 0"));
	assert_non_null(strstr(output, "base_test.c:"));
}

static void field_is_found_at_the_start_of_a_line_only(void **state)
{
	const char *text = "NotRss: 5 kB\nRss:   17 kB\nBad: x\n";
	uint64_t value = 3;

	(void)state;
	assert_int_equal(zgi_file_field(text, "Rss:", &value), 0);
	assert_int_equal(value, 17);
	assert_int_equal(zgi_file_field(text, "Pss:", &value), -ENOENT);
	assert_int_equal(zgi_file_field(text, "Bad:", &value), -ENOENT);
	assert_int_equal(value, 17);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clock_goes_forward),
		cmocka_unit_test(file_is_read_and_terminated),
		cmocka_unit_test(file_is_cut_to_the_buffer),
		cmocka_unit_test(missing_file_is_an_error),
		cmocka_unit_test(failed_assertion_tells_the_place_and_aborts),
		cmocka_unit_test(field_is_found_at_the_start_of_a_line_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
