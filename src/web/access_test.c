/*
 * The ring between a shard and the access log: what an entry says of a reply, what is
 * lost when nobody takes entries out, and that two threads see each entry once.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "web/exchange_fixture.h"

#define ENTRIES 4

static struct exchange_fixture fixture;
static struct zgi_access_entry entries[ENTRIES];

static int serve(struct zg_exchange *x)
{
	return zg_reply_text(x, 201, "Hello");
}

static const struct exchange_fixture_route routes[] = {
	{ZG_METHOD_GET, "/{rest...}", serve},
	{ZG_METHOD_POST, "/{rest...}", serve},
	{ZG_METHOD_COUNT, NULL, NULL},
};

static int setup(void **state)
{
	(void)state;
	exchange_fixture_open(&fixture, routes);
	zgi_access_ring_init(&fixture.web.access, entries, ENTRIES);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	exchange_fixture_close(&fixture);
	return 0;
}

static void ask(const char *text)
{
	exchange_fixture_forget(&fixture);
	(void)exchange_fixture_feed(&fixture, text, strlen(text), SIZE_MAX);
}

static struct zgi_access_entry taken(void)
{
	struct zgi_access_entry entry;

	assert_true(zgi_access_take(&fixture.web.access, &entry));
	return entry;
}

static void an_entry_says_what_was_replied_to_what(void **state)
{
	uint64_t now_ms = (uint64_t)time(NULL) * 1000;
	struct zgi_access_entry entry;

	(void)state;
	ask("POST /a%20b/c?token=secret HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxx");
	entry = taken();
	assert_int_equal(entry.status, 201);
	assert_int_equal(entry.method, ZG_METHOD_POST);
	/* The query is nobody's business. */
	assert_int_equal(entry.path_size, strlen("/a%20b/c"));
	assert_memory_equal(entry.path, "/a%20b/c", entry.path_size);
	assert_false(entry.is_path_cut);
	assert_int_equal(entry.sent_size, strlen(exchange_fixture_output(&fixture)));
	assert_true(entry.unix_ms + 5000 > now_ms && entry.unix_ms < now_ms + 60000);
	assert_false(zgi_access_take(&fixture.web.access, &entry));
}

static void a_long_path_is_cut(void **state)
{
	char text[500];
	struct zgi_access_entry entry;

	(void)state;
	for (int size = ZGI_ACCESS_PATH_SIZE; size <= ZGI_ACCESS_PATH_SIZE + 1; size++) {
		snprintf(text, sizeof(text), "GET /%0*d HTTP/1.1\r\nHost: a\r\n\r\n", size - 1, 0);
		ask(text);
		entry = taken();
		assert_int_equal(entry.path_size, ZGI_ACCESS_PATH_SIZE);
		assert_int_equal(entry.is_path_cut, size > ZGI_ACCESS_PATH_SIZE);
	}
}

static void what_cannot_be_understood_has_no_path(void **state)
{
	struct zgi_access_entry entry;

	(void)state;
	ask("GET /secret HTTP/1.1\r\nBad Field: 1\r\n\r\n");
	entry = taken();
	assert_int_equal(entry.status, 400);
	assert_int_equal(entry.path_size, 0);
}

static void each_of_several_replies_has_its_own_size(void **state)
{
	struct zgi_access_entry first;
	struct zgi_access_entry second;

	(void)state;
	ask("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
	first = taken();
	second = taken();
	assert_memory_equal(first.path, "/1", 2);
	assert_memory_equal(second.path, "/2", 2);
	assert_int_equal(first.sent_size, second.sent_size);
	assert_int_equal(first.sent_size * 2, strlen(exchange_fixture_output(&fixture)));
}

static void a_full_ring_counts_what_it_loses(void **state)
{
	struct zgi_access_entry entry;

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int number = 0; number < ENTRIES + 2; number++) {
			char text[64];

			snprintf(text, sizeof(text), "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", number);
			ask(text);
		}
		assert_int_equal(fixture.web.access.dropped_count, 2 * (round + 1));
		/* The oldest are kept, in their order. */
		for (int number = 0; number < ENTRIES; number++)
			assert_int_equal(taken().path[1], '0' + number);
		assert_false(zgi_access_take(&fixture.web.access, &entry));
	}
}

static void without_a_log_nothing_is_put(void **state)
{
	struct zgi_access_entry entry;

	(void)state;
	zgi_access_ring_init(&fixture.web.access, NULL, 0);
	ask("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(fixture.web.access.dropped_count, 0);
	assert_false(zgi_access_take(&fixture.web.access, &entry));
}

#define ASKED 20000

static uint64_t taken_count;

/* Each says a number, larger than the one before. */
static void *take_all(void *user)
{
	struct zgi_access_ring *ring = user;
	struct zgi_access_entry entry;
	long last = -1;

	/* The last request of all ends it. */
	for (;;) {
		long number;

		if (!zgi_access_take(ring, &entry))
			continue;
		if (entry.path[1] == 'z')
			return NULL;
		taken_count++;
		entry.path[entry.path_size] = '\0';
		number = strtol(entry.path + 1, NULL, 10);
		if (entry.path_size != 6 || number <= last)
			return user;
		last = number;
	}
}

static void two_threads_see_each_entry_once(void **state)
{
	struct zgi_access_ring *ring = &fixture.web.access;
	pthread_t thread;
	uint64_t lost;
	void *failed;

	(void)state;
	taken_count = 0;
	assert_int_equal(pthread_create(&thread, NULL, take_all, ring), 0);
	for (int number = 0; number < ASKED; number++) {
		char text[64];

		snprintf(text, sizeof(text), "GET /%05d HTTP/1.1\r\nHost: a\r\n\r\n", number);
		ask(text);
	}
	/* Until there was room for the last one. */
	do {
		lost = ring->dropped_count;
		ask("GET /z HTTP/1.1\r\nHost: a\r\n\r\n");
	} while (ring->dropped_count != lost);
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	assert_true(taken_count <= ASKED && taken_count + ring->dropped_count >= ASKED);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(an_entry_says_what_was_replied_to_what),
		test(a_long_path_is_cut),
		test(what_cannot_be_understood_has_no_path),
		test(each_of_several_replies_has_its_own_size),
		test(a_full_ring_counts_what_it_loses),
		test(without_a_log_nothing_is_put),
		test(two_threads_see_each_entry_once),
	};

	return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
