/*
 * The running of middleware. A route with something before its handler has
 * zgi_middleware_enter() in the handler's place, so that all others never ask.
 */

#include "web/middleware.h"

#include <assert.h>
#include <errno.h>

#include "base/assert.h"

static_assert(ZG_CHAIN_MAX < ZGI_MIDDLEWARE_DONE, "a number in a chain is no mark");
static_assert(ZG_VALUES_MAX <= 8, "one bit a value");

/* Go on with the chain, then call the handler. */
static int middleware_go_on(struct zg_exchange *x)
{
	const struct zg_endpoint *endpoint = x->match.endpoint;

	while (x->before_next < endpoint->before_count) {
		const struct zgi_step *step = &endpoint->before[x->before_next++];
		int result = step->before(x, step->user);

		if (result != 0 || x->has_replied)
			return result;
	}
	x->before_next = ZGI_MIDDLEWARE_DONE;
	return endpoint->handler != NULL ? endpoint->handler(x) : zgi_exchange_reply_unrouted(x);
}

int zgi_middleware_enter(struct zg_exchange *x)
{
	x->before_next = 0;
	return middleware_go_on(x);
}

int zgi_middleware_resumed(struct zg_exchange *x, int result)
{
	bool is_in_chain =
		x->match.endpoint->before_count > 0 && x->before_next != ZGI_MIDDLEWARE_DONE;

	return result == 0 && !x->has_replied && is_in_chain ? middleware_go_on(x) : result;
}

int zgi_middleware_after(struct zg_exchange *x, int status)
{
	const struct zg_endpoint *endpoint = x->match.endpoint;
	int result = x->is_after_running ? -EALREADY : 0;

	if (result < 0)
		return result;
	x->is_after_running = true;
	x->after_fields_start = x->reply_fields_size;
	for (uint32_t index = 0; index < endpoint->after_count && result >= 0; index++)
		result = endpoint->after[index].after(x, status, endpoint->after[index].user);
	x->is_after_running = false;
	if (result < 0)
		zgi_middleware_undo(x);
	return result < 0 ? result : 0;
}

void zgi_middleware_undo(struct zg_exchange *x)
{
	if (x->match.endpoint->after_count > 0)
		x->reply_fields_size = x->after_fields_start;
}

void zg_exchange_set(struct zg_exchange *x, uint32_t value, void *data)
{
	zg_assert(value < ZG_VALUES_MAX);
	x->values_set |= (uint8_t)(1U << value);
	x->values[value] = data;
}

void *zg_exchange_get(const struct zg_exchange *x, uint32_t value)
{
	zg_assert(value < ZG_VALUES_MAX);
	return (x->values_set & (1U << value)) != 0 ? x->values[value] : NULL;
}
