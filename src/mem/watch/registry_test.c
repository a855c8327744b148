/*
 * The registry: who is in it, in which order, and what is told of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mem/watch/registry.h"

struct holder {
	struct zg_watched watched;
	const char *name;
	uint64_t live_size;
};

static void holder_measure(const struct zg_watched *watched, struct zg_usage *ret_usage)
{
	const struct holder *holder = ZGI_WATCHED_OWNER(watched, struct holder, watched);

	ret_usage->name = holder->name;
	ret_usage->live_size = holder->live_size;
}

static const struct zgi_watch_class holder_class = {.kind = "holder", .measure = holder_measure};

struct seen {
	char names[64];
	uint64_t live_size;
};

static void see(const struct zg_usage *usage, void *user)
{
	struct seen *seen = user;
	size_t size = strlen(seen->names);

	if (strcmp(usage->kind, "holder") != 0)
		return;
	memcpy(seen->names + size, usage->name, strlen(usage->name) + 1);
	seen->live_size += usage->live_size;
}

static void is_visited_in_the_order_of_making(void **state)
{
	struct holder a = {.name = "a", .live_size = 1};
	struct holder b = {.name = "b", .live_size = 20};
	struct seen seen = {0};

	(void)state;
	zgi_watch_add(&a.watched, &holder_class);
	zgi_watch_add(&b.watched, &holder_class);
	zg_watch_usage(see, &seen);
	assert_string_equal(seen.names, "ab");
	assert_int_equal(seen.live_size, 21);
	zgi_watch_remove(&a.watched);
	zgi_watch_remove(&b.watched);
}

static void forgets_from_the_front_the_middle_and_the_end(void **state)
{
	struct holder holders[4] = {{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d"}};
	struct seen seen = {0};

	(void)state;
	for (size_t i = 0; i < 4; ++i)
		zgi_watch_add(&holders[i].watched, &holder_class);
	zgi_watch_remove(&holders[1].watched);
	zgi_watch_remove(&holders[0].watched);
	zgi_watch_remove(&holders[3].watched);
	zg_watch_usage(see, &seen);
	assert_string_equal(seen.names, "c");
	zgi_watch_remove(&holders[2].watched);
	memset(&seen, 0, sizeof(seen));
	zg_watch_usage(see, &seen);
	assert_string_equal(seen.names, "");
}

static void removing_what_is_not_there_changes_nothing(void **state)
{
	struct holder a = {.name = "a"};
	struct seen seen = {0};

	(void)state;
	zgi_watch_remove(&a.watched);
	zgi_watch_add(&a.watched, &holder_class);
	zg_watch_usage(see, &seen);
	assert_string_equal(seen.names, "a");
	zgi_watch_remove(&a.watched);
	zgi_watch_remove(&a.watched);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_visited_in_the_order_of_making),
		cmocka_unit_test(forgets_from_the_front_the_middle_and_the_end),
		cmocka_unit_test(removing_what_is_not_there_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
