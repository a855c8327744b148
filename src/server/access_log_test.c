/*
 * The writer of the access log: what is in the rings comes into the file, whatever
 * becomes of the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/counter.h"
#include "server/access_log.h"

#define RECORD_COUNT 64

static struct zgi_server_config config;
static struct zgi_access_log access_log;
static char folder[] = "/tmp/zerog-access-XXXXXX";
static char path[64];
static char moved_path[64];
static char error[512];

static int open_log(void)
{
	struct zg_text text;

	zg_text_init(&text, error, sizeof(error));
	memset(&access_log, 0, sizeof(access_log));
	return zgi_access_log_init(&access_log, &config, &text);
}

static int setup(void **state)
{
	(void)state;
	unlink(path);
	unlink(moved_path);
	memset(&config, 0, sizeof(config));
	zg_options_init(&config.options);
	config.options.access_log_records = RECORD_COUNT;
	config.shard_count = 2;
	snprintf(config.options.access_log, sizeof(config.options.access_log), "%s", path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	zgi_access_log_fini(&access_log);
	return 0;
}

static bool put(uint32_t shard, uint64_t number)
{
	struct zgi_access_record *record =
		zgi_access_ring_reserve(zgi_access_log_ring(&access_log, shard));

	if (record == NULL)
		return false;
	*record = (struct zgi_access_record){
		.size = number, .status = 200, .method = ZG_METHOD_GET, .path_size = 1};
	record->path[0] = '/';
	zgi_access_ring_publish(zgi_access_log_ring(&access_log, shard));
	return true;
}

/* Lines of a file that end as these do; -1 when there is no such file. */
static int lines_of(const char *name)
{
	static char text[65536];
	FILE *file = fopen(name, "r");
	int count = 0;

	if (file == NULL)
		return -1;
	while (fgets(text, sizeof(text), file) != NULL) {
		assert_non_null(strstr(text, "\"GET / HTTP/1.0\" 200 "));
		assert_int_equal(text[strlen(text) - 1], '\n');
		count++;
	}
	fclose(file);
	return count;
}

static void wait_until(const uint64_t *counter, uint64_t count)
{
	const struct timespec wait = {.tv_nsec = 1000000};

	for (int round = 0; round < 5000 && zgi_counter_read(counter) < count; round++)
		(void)nanosleep(&wait, NULL);
	assert_true(zgi_counter_read(counter) >= count);
}

static void records_of_all_shards_become_lines(void **state)
{
	(void)state;
	assert_int_equal(open_log(), 0);
	assert_int_equal(zgi_access_log_start(&access_log), 0);
	for (uint64_t number = 0; number < 10; number++) {
		assert_true(put(0, number));
		assert_true(put(1, number));
	}
	wait_until(&access_log.counters.written, 20);
	assert_int_equal(lines_of(path), 20);
}

static void what_is_in_the_rings_at_the_end_is_written(void **state)
{
	(void)state;
	assert_int_equal(open_log(), 0);
	for (uint64_t number = 0; number < RECORD_COUNT; number++)
		assert_true(put(1, number));
	assert_false(put(1, RECORD_COUNT));
	assert_int_equal(zgi_access_log_dropped(&access_log), 1);
	assert_int_equal(zgi_access_log_start(&access_log), 0);
	zgi_access_log_stop(&access_log);
	assert_int_equal(lines_of(path), RECORD_COUNT);
	assert_int_equal(access_log.counters.written, RECORD_COUNT);
}

static void a_log_goes_on_behind_what_the_file_has(void **state)
{
	(void)state;
	for (int round = 1; round <= 2; round++) {
		assert_int_equal(open_log(), 0);
		assert_true(put(0, 1));
		assert_int_equal(zgi_access_log_start(&access_log), 0);
		zgi_access_log_fini(&access_log);
		assert_int_equal(lines_of(path), round);
	}
}

static void reopening_goes_on_in_a_new_file(void **state)
{
	(void)state;
	assert_int_equal(open_log(), 0);
	assert_int_equal(zgi_access_log_start(&access_log), 0);
	assert_true(put(0, 1));
	wait_until(&access_log.counters.written, 1);
	assert_int_equal(rename(path, moved_path), 0);
	/* Up to then the old file has it, wherever it is. */
	assert_true(put(0, 2));
	zgi_access_log_reopen(&access_log);
	wait_until(&access_log.counters.reopened, 1);
	assert_true(put(0, 3));
	zgi_access_log_stop(&access_log);
	assert_int_equal(lines_of(moved_path), 2);
	assert_int_equal(lines_of(path), 1);
}

static void a_file_that_cannot_be_opened_anew_leaves_the_old_one(void **state)
{
	(void)state;
	assert_int_equal(open_log(), 0);
	assert_int_equal(zgi_access_log_start(&access_log), 0);
	assert_int_equal(rename(path, moved_path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	zgi_access_log_reopen(&access_log);
	wait_until(&access_log.counters.reopen_failed, 1);
	assert_true(put(0, 1));
	zgi_access_log_stop(&access_log);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(lines_of(moved_path), 1);
}

/* A disk that is full, as far as a process can make one: /dev/full says so to every write. */
static void a_full_disk_costs_its_lines_and_no_more(void **state)
{
	(void)state;
	snprintf(config.options.access_log, sizeof(config.options.access_log), "/dev/full");
	assert_int_equal(open_log(), 0);
	assert_int_equal(zgi_access_log_start(&access_log), 0);
	assert_true(put(0, 1));
	assert_true(put(1, 2));
	wait_until(&access_log.counters.failed, 2);
	assert_int_equal(zgi_counter_read(&access_log.counters.written), 0);
	assert_true(put(0, 3));
	wait_until(&access_log.counters.failed, 3);
}

/* The limit of a file's size is met within a line; then the disk has room again. */
static void a_line_that_was_cut_does_not_spoil_the_next(void **state)
{
	static char text[4096];
	struct rlimit before;
	struct rlimit limit;
	FILE *file;
	size_t size;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 100;
	assert_int_equal(open_log(), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_true(put(0, 1));
	assert_true(put(0, 2));
	assert_int_equal(zgi_access_log_start(&access_log), 0);
	wait_until(&access_log.counters.failed, 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(put(0, 3));
	zgi_access_log_stop(&access_log);
	assert_int_equal(access_log.counters.written, 2);
	assert_int_equal(access_log.counters.failed, 1);
	file = fopen(path, "r");
	assert_non_null(file);
	size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = '\0';
	assert_non_null(
		strstr(text, "\n- - - [01/Jan/1970:00:00:00 +0000] \"GET / HTTP/1.0\" 200 3\n"));
}

static void a_file_that_cannot_be_opened_is_told(void **state)
{
	(void)state;
	snprintf(config.options.access_log, sizeof(config.options.access_log), "/nowhere/at/all");
	assert_int_equal(open_log(), -ENOENT);
	assert_non_null(strstr(error, "--access-log /nowhere/at/all cannot be opened: No such"));
}

static void without_the_option_there_is_no_log(void **state)
{
	(void)state;
	config.options.access_log[0] = '\0';
	assert_int_equal(open_log(), 0);
	assert_int_equal(zgi_access_log_start(&access_log), 0);
	assert_null(zgi_access_log_ring(&access_log, 0));
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(records_of_all_shards_become_lines),
		test(what_is_in_the_rings_at_the_end_is_written),
		test(a_log_goes_on_behind_what_the_file_has),
		test(reopening_goes_on_in_a_new_file),
		test(a_file_that_cannot_be_opened_anew_leaves_the_old_one),
		test(a_full_disk_costs_its_lines_and_no_more),
		test(a_line_that_was_cut_does_not_spoil_the_next),
		test(a_file_that_cannot_be_opened_is_told),
		test(without_the_option_there_is_no_log),
	};
	int result;

	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/log", folder);
	snprintf(moved_path, sizeof(moved_path), "%s/log.1", folder);
	result = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	unlink(moved_path);
	rmdir(folder);
	return result;
}
