/*
 * The calling of hooks, and what a request's hooks are told: when its parts were
 * there, and how many bytes they were.
 */

#include "web/hooks.h"

#include "base/assert.h"
#include "base/clock.h"
#include "web/exchange.h"

void zgi_hooks_add(struct zgi_hooks *hooks, const struct zg_hooks *one)
{
	zg_assert(hooks->count < ZG_HOOKS_MAX);
	hooks->list[hooks->count++] = *one;
	hooks->has_connection |= one->connected != NULL || one->disconnected != NULL;
	hooks->has_request |= one->request_started != NULL || one->request_ended != NULL;
}

void zgi_hooks_request_received(struct zg_exchange *x)
{
	x->record.whole_ns = zgi_clock_ns();
}

/* In the handler's place when somebody wants to know: the body is whole. */
static int hooks_enter(struct zg_exchange *x)
{
	/* Of a body that is streamed nothing has come yet. */
	if (!x->match.is_streamed)
		zgi_hooks_request_received(x);
	return x->match.endpoint->entry(x);
}

void zgi_hooks_request_started(struct zg_exchange *x)
{
	const struct zgi_hooks *hooks = x->web->hooks;

	zg_assert(!x->is_recorded);
	x->is_recorded = true;
	x->record = (struct zgi_request_record){.started_ns = zgi_clock_ns()};
	if (x->match.handler != NULL)
		x->match.handler = hooks_enter;
	for (uint32_t index = 0; index < hooks->count; index++)
		if (hooks->list[index].request_started != NULL)
			hooks->list[index].request_started(x, hooks->list[index].user);
}

void zgi_hooks_request_replied(struct zg_exchange *x)
{
	x->record.replied_ns = zgi_clock_ns();
	/* Who is answered without having been called has been waited for until now. */
	if (x->record.whole_ns == 0)
		x->record.whole_ns = x->record.replied_ns;
	x->record.bytes_out = x->write_size - x->reply_offset + x->reply_body.size;
}

static uint64_t hooks_bytes_in(const struct zg_exchange *x)
{
	uint64_t head_size = x->request.head_size;
	uint64_t body_size = x->match.is_streamed ? x->read.size : x->body_size;

	/* A request that cannot be understood is as long as what has come of it. */
	return head_size > 0 ? head_size + body_size : x->read_size - x->read_start;
}

void zgi_hooks_request_ended(struct zg_exchange *x, bool is_aborted)
{
	const struct zgi_hooks *hooks = x->web->hooks;
	const struct zgi_request_record *record = &x->record;
	uint64_t now_ns = zgi_clock_ns();
	bool is_replied = record->replied_ns != 0;
	uint64_t whole_ns = record->whole_ns != 0 ? record->whole_ns : now_ns;
	uint64_t replied_ns = is_replied ? record->replied_ns : now_ns;
	uint64_t unsent = is_aborted ? zgi_exchange_unsent(x) : 0;
	const struct zg_request_ended event = {
		.status = is_replied ? x->reply_status : 0,
		.is_aborted = is_aborted,
		.bytes_in = hooks_bytes_in(x),
		.bytes_out = record->bytes_out > unsent ? record->bytes_out - unsent : 0,
		.started_ns = record->started_ns,
		.received_ns = whole_ns - record->started_ns,
		.handled_ns = replied_ns - whole_ns,
		.sent_ns = now_ns - replied_ns,
	};

	zg_assert(x->is_recorded);
	for (uint32_t index = 0; index < hooks->count; index++)
		if (hooks->list[index].request_ended != NULL)
			hooks->list[index].request_ended(x, &event, hooks->list[index].user);
	x->is_recorded = false;
}

void zgi_hooks_request_on_its_way(struct zg_exchange *x, bool is_sent)
{
	if (x->record.replied_ns == 0)
		zgi_hooks_request_replied(x);
	if (is_sent)
		zgi_hooks_request_ended(x, x->record.is_broken_off);
}

void zgi_hooks_failed(const struct zgi_hooks *hooks, const struct zg_failed *event)
{
	for (uint32_t index = 0; index < hooks->count; index++)
		if (hooks->list[index].failed != NULL)
			hooks->list[index].failed(event, hooks->list[index].user);
}

void zgi_hooks_exchange_failed(struct zg_exchange *x, enum zg_failure kind, int error,
			       const char *text)
{
	zgi_hooks_failed(x->web->hooks, &(struct zg_failed){
						.kind = kind,
						.status = x->reply_status,
						.error = error,
						.text = text,
						.x = x,
						.shard = x->web->shard_index,
					});
}

void zgi_hooks_connected(const struct zgi_hooks *hooks, const struct zg_connected *event)
{
	for (uint32_t index = 0; index < hooks->count; index++)
		if (hooks->list[index].connected != NULL)
			hooks->list[index].connected(event, hooks->list[index].user);
}

void zgi_hooks_disconnected(const struct zgi_hooks *hooks, const struct zg_disconnected *event)
{
	for (uint32_t index = 0; index < hooks->count; index++)
		if (hooks->list[index].disconnected != NULL)
			hooks->list[index].disconnected(event, hooks->list[index].user);
}

uint64_t zg_exchange_connection(const struct zg_exchange *x)
{
	return x->connection_number;
}

const char *zg_disconnect_text(enum zg_disconnect why)
{
	static const char *const sentences[] = {
#define HOOKS_SENTENCE(name, sentence) sentence,
		ZG_DISCONNECTS(HOOKS_SENTENCE)
#undef HOOKS_SENTENCE
	};

	zg_assert(why < ZG_DISCONNECT_COUNT);
	return sentences[why];
}
