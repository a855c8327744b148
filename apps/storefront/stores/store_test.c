/*
 * Stores: what every one of them promises.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/shop_fixture.h"
#include "stores/memory_store.h"

static struct fixture fixture;
static struct shop_memory_store memory;
static uint32_t done_count;

static void done(void *user, struct shop_command *command, int error)
{
	assert_ptr_equal(user, &fixture);
	assert_int_equal(error, 0);
	assert_int_equal(command->outcome.id, ++done_count);
}

static void a_store_in_memory_is_done_at_once_and_flushes_nothing(void **state)
{
	struct shop_options options;
	struct shop_command command = {.type = SHOP_CART_OPEN, .now_ms = FIXTURE_NOW_MS};
	int fd = 42;

	(void)state;
	done_count = 0;
	fixture_options(&options);
	fixture_start(&fixture, &options);
	shop_memory_store_open(&memory, &fixture.shop, done, &fixture);
	assert_int_equal(shop_store_submit(&memory.store, &command), 0);
	assert_int_equal(shop_store_submit(&memory.store, &command), 0);
	assert_int_equal(done_count, 2);
	assert_int_equal(shop_store_turn_end(&memory.store, &fd), 0);
	assert_int_equal(fd, 42);
	assert_int_equal(shop_store_idle(&memory.store), 0);
	shop_store_close(&memory.store);
	fixture_end(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_store_in_memory_is_done_at_once_and_flushes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
