/* Pools of two types, mixed up in every way there is. */

#include <zerog/typed_pool.h>

struct order {
	int number;
};

struct cart {
	int number;
};

ZG_TYPED_POOL(order, struct order);
ZG_TYPED_POOL(cart, struct cart);

static struct order_pool orders;
static struct cart_pool carts;

int main(void)
{
	const struct zg_pool_options options = {};
	order_handle order_named = {};
	cart_handle cart_named = {};
	struct order *order = NULL;
	struct cart *cart = NULL;
	uint32_t cursor = 0;
	int result = order_pool_init(&orders, &options) + cart_pool_init(&carts, &options);

	result += order_pool_take(&orders, &order_named, &order);
	result += cart_pool_take(&carts, &cart_named, &cart);
#if MISTAKE == 1
	result += order_pool_give(&orders, cart_named);
#elif MISTAKE == 2
	result += order_pool_give(&carts, order_named);
#elif MISTAKE == 3
	order = cart_pool_get(&carts, cart_named);
#elif MISTAKE == 4
	order = order_pool_get(&orders, cart_named);
#elif MISTAKE == 5
	result += order_pool_take(&orders, &cart_named, &order);
#elif MISTAKE == 6
	result += order_pool_take(&orders, &order_named, &cart);
#elif MISTAKE == 7
	result += order_pool_renew(&orders, order_named, &cart_named);
#elif MISTAKE == 8
	result += order_pool_next(&orders, &cursor, &cart_named, &order);
#elif MISTAKE == 9
	order_named = cart_named;
#elif MISTAKE == 10
	result += zg_pool_give(&orders.untyped, order_named);
#elif MISTAKE == 11
	order_pool_fini(&carts);
#endif
	result += order_pool_next(&orders, &cursor, &order_named, &order);
	return result + (order_pool_get(&orders, order_named) == order) +
	       (cart_pool_get(&carts, cart_named) == cart);
}
