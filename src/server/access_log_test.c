/*
 * The access log's file: its lines, what cannot stand in one, and where they go when the
 * file is moved away or cannot be written.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "server/access_log.h"

#define ENTRIES 256

static struct zgi_access_entry entries[ENTRIES];
static struct zgi_access_ring ring;
static struct zgi_access_log access_log;
static char folder[200];
static char path[256];
static char moved[256];
static char error[512];
static char content[ENTRIES * 512];

static int open_log(const char *name)
{
	struct zg_text text;

	zg_text_init(&text, error, sizeof(error));
	return zgi_access_log_open(&access_log, name, &text);
}

static int setup(void **state)
{
	const char *parent = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/zerog-access-XXXXXX",
		 parent != NULL ? parent : P_tmpdir);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/log", folder);
	snprintf(moved, sizeof(moved), "%s/log.1", folder);
	zgi_access_ring_init(&ring, entries, ENTRIES);
	assert_int_equal(open_log(path), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	zgi_access_log_close(&access_log);
	unlink(path);
	unlink(moved);
	rmdir(folder);
	return 0;
}

static void put(const char *where, uint16_t status)
{
	struct zgi_access_entry *entry = &entries[ring.put_count % ENTRIES];

	*entry = (struct zgi_access_entry){.unix_ms = UINT64_C(784111777123),
					   .sent_size = 99,
					   .status = status,
					   .path_size = (uint16_t)strlen(where),
					   .method = ZG_METHOD_GET};
	memcpy(entry->path, where, entry->path_size);
	ring.put_count++;
}

static const char *lines_of(const char *file)
{
	assert_int_equal(zgi_file_read(file, content, sizeof(content), NULL), 0);
	return content;
}

static void a_reply_is_a_line_of_json(void **state)
{
	(void)state;
	put("/a", 200);
	put("", 400);
	zgi_access_log_drain(&access_log, &ring, 3);
	assert_string_equal(lines_of(path),
			    "{\"time\":\"1994-11-06T08:49:37.123Z\",\"shard\":3,\"method\":\"GET\","
			    "\"path\":\"/a\",\"status\":200,\"bytes\":99}\n"
			    "{\"time\":\"1994-11-06T08:49:37.123Z\",\"shard\":3,\"status\":400,"
			    "\"bytes\":99}\n");
}

static void no_path_can_begin_a_line_of_its_own(void **state)
{
	(void)state;
	put("/\n\"\\\x01\xFF", 200);
	entries[0].is_path_cut = true;
	zgi_access_log_drain(&access_log, &ring, 0);
	assert_non_null(strstr(lines_of(path), "\"path\":\"/\\n\\\"\\\\\\u0001\357\277\275\","
					       "\"path_is_cut\":true,\"status\":200"));
	assert_ptr_equal(strchr(content, '\n'), content + strlen(content) - 1);
}

static void many_lines_are_all_there(void **state)
{
	char longest[ZGI_ACCESS_PATH_SIZE + 1];
	size_t count = 0;

	(void)state;
	memset(longest, 1, ZGI_ACCESS_PATH_SIZE);
	longest[ZGI_ACCESS_PATH_SIZE] = '\0';
	for (int number = 0; number < 60; number++)
		put(longest, 200);
	zgi_access_log_drain(&access_log, &ring, 1023);
	lines_of(path);
	for (const char *at = content; (at = strchr(at, '\n')) != NULL; at++)
		count++;
	assert_int_equal(count, 60);
}

static void a_file_is_appended_to(void **state)
{
	(void)state;
	put("/1", 200);
	zgi_access_log_drain(&access_log, &ring, 0);
	zgi_access_log_close(&access_log);
	assert_int_equal(open_log(path), 0);
	put("/2", 200);
	zgi_access_log_drain(&access_log, &ring, 0);
	assert_non_null(strstr(lines_of(path), "/1"));
	assert_non_null(strstr(content, "/2"));
}

static void a_file_that_was_moved_is_begun_anew(void **state)
{
	(void)state;
	put("/1", 200);
	zgi_access_log_drain(&access_log, &ring, 0);
	assert_int_equal(rename(path, moved), 0);
	/* As if it had not been asked for a while. */
	access_log.looked_ns = 0;
	zgi_access_log_follow(&access_log);
	put("/2", 200);
	zgi_access_log_drain(&access_log, &ring, 0);
	assert_null(strstr(lines_of(path), "/1"));
	assert_non_null(strstr(content, "/2"));
	assert_null(strstr(lines_of(moved), "/2"));
	/* It is not asked again at once. */
	assert_int_equal(unlink(path), 0);
	zgi_access_log_follow(&access_log);
	assert_int_equal(access(path, F_OK), -1);
}

/* As logrotate's "create" does it. */
static void a_file_in_the_place_of_the_moved_one_is_taken(void **state)
{
	FILE *file;

	(void)state;
	assert_int_equal(rename(path, moved), 0);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
	access_log.looked_ns = 0;
	zgi_access_log_follow(&access_log);
	put("/1", 200);
	zgi_access_log_drain(&access_log, &ring, 0);
	assert_non_null(strstr(lines_of(path), "/1"));
}

static void a_file_that_cannot_be_opened_is_named(void **state)
{
	(void)state;
	zgi_access_log_close(&access_log);
	assert_int_equal(open_log("no/such/folder/log"), -ENOENT);
	assert_string_equal(error, "--access-log no/such/folder/log cannot be opened: No such file "
				   "or directory");
	assert_int_equal(open_log(""), 0);
	assert_false(zgi_access_log_is_open(&access_log));
}

static int stderr_before;
static int stderr_pipe[2];

static void stderr_begin(void)
{
	stderr_before = dup(STDERR_FILENO);
	assert_int_equal(pipe(stderr_pipe), 0);
	assert_int_equal(dup2(stderr_pipe[1], STDERR_FILENO), STDERR_FILENO);
	close(stderr_pipe[1]);
}

/* What was told since. */
static const char *stderr_end(void)
{
	ssize_t size;

	assert_int_equal(dup2(stderr_before, STDERR_FILENO), STDERR_FILENO);
	close(stderr_before);
	size = read(stderr_pipe[0], error, sizeof(error) - 1);
	assert_true(size >= 0);
	error[size] = '\0';
	close(stderr_pipe[0]);
	return error;
}

static void what_cannot_be_written_is_lost_and_serving_goes_on(void **state)
{
	(void)state;
	zgi_access_log_close(&access_log);
	assert_int_equal(open_log("/dev/full"), 0);
	stderr_begin();
	for (int round = 0; round < 3; round++) {
		put("/1", 200);
		zgi_access_log_drain(&access_log, &ring, 0);
	}
	/* Told once, not a line a reply. */
	assert_string_equal(stderr_end(),
			    "--access-log /dev/full cannot be written: No space left on device\n");
	assert_int_equal(access_log.error, ENOSPC);
	assert_int_equal(ring.taken_count, ring.put_count);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_reply_is_a_line_of_json),
		test(no_path_can_begin_a_line_of_its_own),
		test(many_lines_are_all_there),
		test(a_file_is_appended_to),
		test(a_file_that_was_moved_is_begun_anew),
		test(a_file_in_the_place_of_the_moved_one_is_taken),
		test(a_file_that_cannot_be_opened_is_named),
		test(what_cannot_be_written_is_lost_and_serving_goes_on),
	};

	return cmocka_run_group_tests_name("access_log", tests, NULL, NULL);
}
