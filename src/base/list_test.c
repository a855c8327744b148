/*
 * Lists: order, removal anywhere, and removal while walking.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"

struct item {
	int number;
	struct zgi_list link;
};

static struct zgi_list list;
static struct item items[3];

static int setup(void **state)
{
	(void)state;
	zgi_list_init(&list);
	for (int i = 0; i < 3; ++i) {
		items[i].number = i;
		zgi_list_init(&items[i].link);
		zgi_list_append(&list, &items[i].link);
	}
	return 0;
}

/* The numbers listed, as the digits of one number. */
static int digits(void)
{
	int result = 0;

	zgi_list_for_each (node, &list)
		result = result * 10 + ZGI_CONTAINER_OF(node, struct item, link)->number + 1;
	return result;
}

static void nodes_keep_the_order_of_appending(void **state)
{
	(void)state;
	assert_int_equal(digits(), 123);
	assert_ptr_equal(zgi_list_first(&list), &items[0].link);
}

static void node_in_the_middle_takes_itself_out(void **state)
{
	(void)state;
	zgi_list_remove(&items[1].link);
	assert_int_equal(digits(), 13);
	assert_true(zgi_list_is_empty(&items[1].link));
	zgi_list_remove(&items[1].link);
	assert_int_equal(digits(), 13);
	zgi_list_append(&list, &items[1].link);
	assert_int_equal(digits(), 132);
}

static void emptied_list_has_no_first(void **state)
{
	(void)state;
	for (int i = 0; i < 3; ++i)
		zgi_list_remove(&items[i].link);
	assert_true(zgi_list_is_empty(&list));
	assert_null(zgi_list_first(&list));
	assert_int_equal(digits(), 0);
}

static void current_node_may_go_during_a_walk(void **state)
{
	(void)state;
	zgi_list_for_each (node, &list) {
		if (node != &items[0].link)
			zgi_list_remove(node);
	}
	assert_int_equal(digits(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nodes_keep_the_order_of_appending, setup),
		cmocka_unit_test_setup(node_in_the_middle_takes_itself_out, setup),
		cmocka_unit_test_setup(emptied_list_has_no_first, setup),
		cmocka_unit_test_setup(current_node_may_go_during_a_walk, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
