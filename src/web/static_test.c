/*
 * Files of a folder, as a client gets them: the right bytes under every condition, and
 * nothing from outside the folder, however the path is written.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <zerog/app.h>

#include "web/exchange_fixture.h"
#include "web/static_table.h"

#define LARGE_SIZE 3000 /* more than the write buffer of the fixture */
#define FILES_MAX 32
#define MEMORY_SIZE 65536

static struct exchange_fixture fixture;
static struct zg_app app;
static char root[64]; /* the folder that is served is root/public */
static struct zg_region region;
static char error[512];
static struct zg_static_options folder_options;

static const struct exchange_fixture_route no_routes[] = {{ZG_METHOD_COUNT, NULL, NULL}};

static const char *path_of(const char *name)
{
	static char path[512];

	assert_true(snprintf(path, sizeof(path), "%s/%s", root, name) < (int)sizeof(path));
	return path;
}

static void write_file(const char *name, const char *bytes, size_t size)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

static void write_text(const char *name, const char *text)
{
	write_file(name, text, strlen(text));
}

/* Seconds since 1970, the same for each file unless a test says otherwise. */
static void set_time(const char *name, time_t seconds)
{
	const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

	assert_int_equal(utimensat(AT_FDCWD, path_of(name), times, 0), 0);
}

static int open_table(uint32_t file_count_max)
{
	struct zgi_static_room room = {
		.file_count_max = file_count_max,
		.memory_size = MEMORY_SIZE,
	};
	struct zg_text text;
	void *memory;

	zg_text_init(&text, error, sizeof(error));
	assert_int_equal(zg_region_init(&region, &(struct zg_region_options){.size = 262144}), 0);
	assert_int_equal(
		zg_region_carve(&region, zgi_static_table_size(file_count_max), 64, &room.table),
		0);
	assert_int_equal(zg_region_carve(&region, MEMORY_SIZE, 1, &memory), 0);
	room.memory = memory;
	return zgi_static_open(&zgi_static_table, &room, &text);
}

static void close_table(void)
{
	zgi_static_close(&zgi_static_table);
	zg_region_fini(&region);
}

static void reopen_table(void)
{
	close_table();
	assert_int_equal(open_table(FILES_MAX), 0);
}

static int setup(void **state)
{
	static char large[LARGE_SIZE];

	(void)state;
	(void)snprintf(root, sizeof(root), "/tmp/zerog-static-XXXXXX");
	assert_non_null(mkdtemp(root));
	assert_int_equal(mkdir(path_of("public"), 0700), 0);
	assert_int_equal(mkdir(path_of("public/sub"), 0700), 0);
	for (size_t index = 0; index < LARGE_SIZE; index++)
		large[index] = (char)('a' + index % 26);
	write_text("secret.txt", "secret");
	write_text("public/a.txt", "0123456789");
	write_text("public/index.html", "<p>root");
	write_text("public/sub/index.html", "<p>sub");
	write_text("public/sub/with space.css", "body {}");
	write_text("public/.hidden", "hidden");
	write_file("public/large.bin", large, LARGE_SIZE);
	set_time("public/a.txt", 784111777);
	set_time("public/large.bin", 784111777);

	exchange_fixture_open(&fixture, no_routes);
	zg_app_init(&app, "static_test");
	zgi_router_destroy(app.router);
	app.router = fixture.router;
	static char folder[96];
	(void)snprintf(folder, sizeof(folder), "%s/public", root);
	zg_static(&app, "/assets", folder,
		  folder_options.cache_control != NULL ? &folder_options : NULL);
	assert_int_equal(zgi_router_finish(app.router, &(struct zg_text){0}), 0);
	assert_int_equal(open_table(FILES_MAX), 0);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	close_table();
	exchange_fixture_close(&fixture);
	folder_options.cache_control = NULL;
	(void)snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

/* The answer to a request with so many fields, each with its line's end. */
static const char *ask(const char *method, const char *path, const char *fields)
{
	char text[768];
	int size = snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n", method, path,
			    fields);

	assert_true(size < (int)sizeof(text));
	exchange_fixture_forget(&fixture);
	(void)exchange_fixture_feed(&fixture, text, (size_t)size, SIZE_MAX);
	return exchange_fixture_output(&fixture);
}

static const char *get(const char *path)
{
	return ask("GET", path, "");
}

static void assert_has(const char *output, const char *part)
{
	if (strstr(output, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, output);
}

static void assert_has_not(const char *output, const char *part)
{
	if (strstr(output, part) != NULL)
		fail_msg("\"%s\" is in \"%s\"", part, output);
}

static const char *body_of(const char *output)
{
	return strstr(output, "\r\n\r\n") + 4;
}

static void a_file_is_sent_with_what_describes_it(void **state)
{
	const char *output = get("/assets/a.txt");

	(void)state;
	assert_has(output, "HTTP/1.1 200 OK\r\n");
	assert_has(output, "Content-Type: text/plain; charset=utf-8\r\n");
	assert_has(output, "Content-Length: 10\r\n");
	assert_has(output, "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
	assert_has(output, "ETag: \"");
	assert_has(output, "Cache-Control: no-cache\r\n");
	assert_has(output, "Accept-Ranges: bytes\r\n");
	assert_has_not(output, "Vary");
	assert_string_equal(body_of(output), "0123456789");
}

static void a_large_one_is_sent_from_its_descriptor(void **state)
{
	const char *body;
	struct zgi_static_file *file = &zgi_static_table.files[0];

	(void)state;
	/* As if it had found no room in memory. */
	while (file->size != LARGE_SIZE)
		file++;
	file->memory = NULL;
	body = body_of(get("/assets/large.bin"));
	assert_int_equal(strlen(body), LARGE_SIZE);
	for (size_t index = 0; index < LARGE_SIZE; index++)
		if (body[index] != (char)('a' + index % 26))
			fail_msg("byte %zu is wrong", index);
	assert_int_equal(fixture.web.counters.files_from_descriptor, 1);
	body = body_of(ask("GET", "/assets/large.bin", "Range: bytes=100-102\r\n"));
	assert_string_equal(body, "wxy");
}

static void head_says_the_same_without_the_bytes(void **state)
{
	const char *output = ask("HEAD", "/assets/a.txt", "");

	(void)state;
	assert_has(output, "Content-Length: 10\r\n");
	assert_string_equal(body_of(output), "");
}

static void a_folder_is_its_index(void **state)
{
	(void)state;
	assert_string_equal(body_of(get("/assets/")), "<p>root");
	assert_string_equal(body_of(get("/assets/sub/")), "<p>sub");
	assert_has(get("/assets/sub"), "308 Permanent Redirect");
	assert_has(get("/assets/sub?a=b"), "Location: /assets/sub/?a=b\r\n");
	assert_has(get("/assets"), "Location: /assets/\r\n");
}

static void a_name_may_be_encoded(void **state)
{
	(void)state;
	assert_string_equal(body_of(get("/assets/sub/with%20space.css")), "body {}");
	assert_string_equal(body_of(get("/assets/%61.txt")), "0123456789");
}

static void nothing_else_is_served(void **state)
{
	static const char *const paths[] = {
		"/assets/../secret.txt",
		"/assets/%2e%2e/secret.txt",
		"/assets/%2e%2e%2fsecret.txt",
		"/assets/sub/../../secret.txt",
		"/assets/sub/..%2f..%2fsecret.txt",
		"/assets/..%5csecret.txt",
		"/assets//etc/passwd",
		"/assets/%2fetc/passwd",
		"/assets/.hidden",
		"/assets/%2ehidden",
		"/assets/sub/../a.txt",
		"/assets/./a.txt",
		"/assets/a.txt/",
		"/assets/a.txt%00",
		"/assets/A.TXT",
		"/assets/sub/none",
		"/assets/none/",
	};

	(void)state;
	for (size_t index = 0; index < sizeof(paths) / sizeof(paths[0]); index++) {
		const char *output = get(paths[index]);

		if (strstr(output, "HTTP/1.1 404 ") == NULL)
			fail_msg("%s: %s", paths[index], output);
		assert_has_not(output, "secret");
	}
}

static void a_link_within_the_folder_is_followed(void **state)
{
	(void)state;
	assert_int_equal(symlink("../a.txt", path_of("public/sub/b.txt")), 0);
	reopen_table();
	assert_string_equal(body_of(get("/assets/sub/b.txt")), "0123456789");
}

static void a_link_out_of_the_folder_keeps_the_service_from_starting(void **state)
{
	(void)state;
	assert_int_equal(symlink("../secret.txt", path_of("public/out.txt")), 0);
	close_table();
	assert_true(open_table(FILES_MAX) < 0);
	assert_has(error, "out.txt");
	assert_has(error, "remove it");
}

static void a_link_to_a_folder_keeps_the_service_from_starting(void **state)
{
	(void)state;
	assert_int_equal(symlink("sub", path_of("public/same")), 0);
	close_table();
	assert_true(open_table(FILES_MAX) < 0);
	assert_has(error, "same");
}

static void more_files_than_planned_keep_the_service_from_starting(void **state)
{
	(void)state;
	close_table();
	assert_int_equal(open_table(4), -ENOSPC);
	assert_has(error, "--static-files");
	close_table();
	assert_int_equal(open_table(5), 0);
}

static void the_tag_spares_the_bytes(void **state)
{
	char fields[160];
	const char *output = get("/assets/a.txt");
	const char *tag = strstr(output, "ETag: ") + 6;

	(void)state;
	(void)snprintf(fields, sizeof(fields), "If-None-Match: %.*s\r\n",
		       (int)(strchr(tag, '\r') - tag), tag);
	output = ask("GET", "/assets/a.txt", fields);
	assert_has(output, "304 Not Modified");
	assert_has(output, "ETag: ");
	assert_has(output, "Cache-Control: ");
	assert_has_not(output, "Content-Length");
	assert_string_equal(body_of(output), "");
}

static void the_date_spares_the_bytes(void **state)
{
	(void)state;
	assert_has(
		ask("GET", "/assets/a.txt", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
		"304 Not Modified");
}

static void a_part_is_sent_when_it_is_asked_for(void **state)
{
	const char *output = ask("GET", "/assets/a.txt", "Range: bytes=2-4\r\n");

	(void)state;
	assert_has(output, "206 Partial Content");
	assert_has(output, "Content-Range: bytes 2-4/10\r\n");
	assert_has(output, "Content-Length: 3\r\n");
	assert_string_equal(body_of(output), "234");
}

static void a_part_that_is_not_there_is_answered_with_416(void **state)
{
	const char *output = ask("GET", "/assets/a.txt", "Range: bytes=10-\r\n");

	(void)state;
	assert_has(output, "416 Range Not Satisfiable");
	assert_has(output, "Content-Range: bytes */10\r\n");
}

static void a_client_that_accepts_it_gets_the_compressed_sibling(void **state)
{
	const char *output;

	(void)state;
	write_text("public/a.txt.gz", "gzipped");
	write_text("public/a.txt.br", "broccoli");
	reopen_table();
	output = ask("GET", "/assets/a.txt", "Accept-Encoding: gzip\r\n");
	assert_has(output, "Content-Encoding: gzip\r\n");
	assert_has(output, "Content-Type: text/plain; charset=utf-8\r\n");
	assert_has(output, "Vary: Accept-Encoding\r\n");
	assert_has(output, "-gzip\"\r\n");
	assert_string_equal(body_of(output), "gzipped");
	assert_string_equal(body_of(ask("GET", "/assets/a.txt", "Accept-Encoding: gzip, br\r\n")),
			    "broccoli");
	output = get("/assets/a.txt");
	assert_has(output, "Vary: Accept-Encoding\r\n");
	assert_has_not(output, "Content-Encoding");
	assert_string_equal(body_of(output), "0123456789");
}

static void a_sibling_that_is_older_is_not_sent(void **state)
{
	(void)state;
	write_text("public/a.txt.gz", "gzipped");
	set_time("public/a.txt.gz", 784111776);
	reopen_table();
	assert_string_equal(body_of(ask("GET", "/assets/a.txt", "Accept-Encoding: gzip\r\n")),
			    "0123456789");
}

static void a_file_that_is_written_to_is_sent_as_it_is_now(void **state)
{
	const char *output;

	(void)state;
	write_text("public/a.txt.gz", "gzipped");
	reopen_table();
	write_text("public/a.txt", "now it is longer");
	output = ask("GET", "/assets/a.txt", "Accept-Encoding: gzip\r\n");
	assert_has(output, "Content-Length: 16\r\n");
	assert_has_not(output, "Last-Modified: Sun, 06 Nov 1994");
	assert_string_equal(body_of(output), "now it is longer");
}

static void types_are_told_by_the_ends_of_names(void **state)
{
	static const struct {
		const char *path;
		const char *type;
	} cases[] = {
		{"a/b.css", "text/css; charset=utf-8"},
		{"b.JS", "text/javascript; charset=utf-8"},
		{"b.min.js", "text/javascript; charset=utf-8"},
		{"b.woff2", "font/woff2"},
		{"b.css/c", "application/octet-stream"},
		{"b", "application/octet-stream"},
		{"", "application/octet-stream"},
	};

	(void)state;
	for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++)
		assert_string_equal(zgi_static_type((struct zg_slice){cases[index].path,
								      strlen(cases[index].path)}),
				    cases[index].type);
}

static void a_folder_has_its_own_cache_control(void **state)
{
	(void)state;
	(void)teardown(state);
	folder_options.cache_control = "public, max-age=31536000, immutable";
	(void)setup(state);
	assert_has(get("/assets/a.txt"), "Cache-Control: public, max-age=31536000, immutable\r\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_sent_with_what_describes_it),
		TEST(a_large_one_is_sent_from_its_descriptor),
		TEST(head_says_the_same_without_the_bytes),
		TEST(a_folder_is_its_index),
		TEST(a_name_may_be_encoded),
		TEST(nothing_else_is_served),
		TEST(a_link_within_the_folder_is_followed),
		TEST(a_link_out_of_the_folder_keeps_the_service_from_starting),
		TEST(a_link_to_a_folder_keeps_the_service_from_starting),
		TEST(more_files_than_planned_keep_the_service_from_starting),
		TEST(the_tag_spares_the_bytes),
		TEST(the_date_spares_the_bytes),
		TEST(a_part_is_sent_when_it_is_asked_for),
		TEST(a_part_that_is_not_there_is_answered_with_416),
		TEST(a_client_that_accepts_it_gets_the_compressed_sibling),
		TEST(a_sibling_that_is_older_is_not_sent),
		TEST(a_file_that_is_written_to_is_sent_as_it_is_now),
		TEST(types_are_told_by_the_ends_of_names),
		TEST(a_folder_has_its_own_cache_control),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
