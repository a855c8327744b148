/*
 * A service whose handlers do what a test wants to see: show all they were given,
 * wait, send much, fail, or allocate where none may.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include <zerog.h>

#include "later.h"

#define DUMP_SIZE 16000 /* within the smallest arena chunk */
#define LARGE_SIZE (8U << 20)

#define TICKET_COUNT 16

struct ticket {
	uint64_t number;
};

ZG_TYPED_POOL(ticket, struct ticket);

static char large[LARGE_SIZE];

static uint64_t query_number(struct zg_exchange *x, struct zg_slice name, uint64_t otherwise)
{
	struct zg_slice value;
	uint64_t number = 0;

	if (zg_request_query_value(x, name, &value) < 0)
		return otherwise;
	for (size_t index = 0; index < value.size; index++)
		number = number * 10 + (uint64_t)(value.data[index] - '0');
	return number;
}

static void dump_member(struct zg_text *text, const char *name, struct zg_slice value)
{
	zg_text_print(text, "\"%s\": ", name);
	zg_text_append_json(text, value);
	zg_text_append(text, ZG_SLICE(", "));
}

static void dump_fields(struct zg_text *text, const struct zg_exchange *x)
{
	zg_text_append(text, ZG_SLICE("\"fields\": ["));
	for (uint32_t index = 0; index < zg_request_field_count(x); index++) {
		struct zg_slice name;
		struct zg_slice value;

		zg_request_field_at(x, index, &name, &value);
		zg_text_append(text, index > 0 ? ZG_SLICE(", [") : ZG_SLICE("["));
		zg_text_append_json(text, name);
		zg_text_append(text, ZG_SLICE(", "));
		zg_text_append_json(text, value);
		zg_text_append(text, ZG_SLICE("]"));
	}
	zg_text_append(text, ZG_SLICE("]"));
}

/* Every name that a route of this service has: one that is not of this route must be absent. */
static void dump_parameters(struct zg_text *text, struct zg_exchange *x)
{
	static const char *const names[] = {"first", "second", "rest"};
	bool is_first = true;

	zg_text_append(text, ZG_SLICE(", \"parameters\": {"));
	for (size_t index = 0; index < sizeof(names) / sizeof(names[0]); index++) {
		struct zg_slice name = {names[index], strlen(names[index])};
		struct zg_slice value;

		if (zg_request_parameter(x, name, &value) < 0)
			continue;
		zg_text_print(text, "%s\"%s\": ", is_first ? "" : ", ", names[index]);
		zg_text_append_json(text, value);
		is_first = false;
	}
	zg_text_append(text, ZG_SLICE("}"));
}

/* All that a handler can see of its request, as JSON. */
static int dump(struct zg_exchange *x)
{
	struct zg_text text;
	void *memory;

	if (zg_arena_alloc(zg_exchange_arena(x), DUMP_SIZE, &memory) < 0)
		return -ENOMEM;
	zg_text_init(&text, memory, DUMP_SIZE);
	zg_text_append(&text, ZG_SLICE("{"));
	dump_member(&text, "method", zg_method_name(zg_request_method(x)));
	dump_member(&text, "path", zg_request_path(x));
	dump_member(&text, "query", zg_request_query(x));
	dump_member(&text, "body", zg_request_body(x));
	dump_fields(&text, x);
	dump_parameters(&text, x);
	zg_text_append(&text, ZG_SLICE("}"));
	if (text.is_truncated)
		return -EMSGSIZE;
	return zg_reply_json(x, 200, (struct zg_slice){text.data, text.size});
}

/* The decoded value of the query's name that the path names. */
static int value_of(struct zg_exchange *x)
{
	struct zg_slice name;
	struct zg_slice value;
	int result = zg_request_parameter(x, ZG_SLICE("name"), &name);

	if (result < 0)
		return result;
	result = zg_request_query_value(x, name, &value);
	if (result == -ENOENT)
		return zg_reply_text(x, 404, "no such name");
	if (result < 0)
		return result;
	return zg_reply_copy(x, 200, ZG_SLICE("application/octet-stream"), value);
}

/* The query of the request that was pending: it must still be the same one. */
static int slow_go_on(struct zg_exchange *x, void *user)
{
	(void)user;
	return zg_reply_copy(x, 200, ZG_SLICE("text/plain"), zg_request_query(x));
}

static int slow(struct zg_exchange *x)
{
	int result =
		later_resume(zg_exchange_handle(x), query_number(x, ZG_SLICE("ms"), 0), slow_go_on);

	return result < 0 ? result : ZG_PENDING;
}

/* Two resumes for one request: the second must find the handle stale. */
static int twice(struct zg_exchange *x)
{
	zg_handle handle = zg_exchange_handle(x);

	int first = later_resume(handle, 20, slow_go_on);
	int second = later_resume(handle, 20, slow_go_on);

	return first < 0 || second < 0 ? -ENOMEM : ZG_PENDING;
}

/* Waits again when it is resumed, once. */
static int again_go_on(struct zg_exchange *x, void *user)
{
	(void)user;
	return slow(x);
}

static int again(struct zg_exchange *x)
{
	int result = later_resume(zg_exchange_handle(x), 20, again_go_on);

	return result < 0 ? result : ZG_PENDING;
}

static int fail_go_on(struct zg_exchange *x, void *user)
{
	(void)x;
	(void)user;
	return -EIO;
}

static int slow_fail(struct zg_exchange *x)
{
	int result = later_resume(zg_exchange_handle(x), 20, fail_go_on);

	return result < 0 ? result : ZG_PENDING;
}

/* Keeps the loop from turning: what no handler should do. */
static int block(struct zg_exchange *x)
{
	uint64_t ms = query_number(x, ZG_SLICE("ms"), 50);
	struct timespec wait = {.tv_sec = (time_t)(ms / 1000),
				.tv_nsec = (long)(ms % 1000) * 1000000};

	(void)nanosleep(&wait, NULL);
	return zg_reply_text(x, 200, "blocked");
}

/* Nobody will resume it. */
static int never(struct zg_exchange *x)
{
	(void)zg_exchange_handle(x);
	return ZG_PENDING;
}

static int send_large(struct zg_exchange *x)
{
	uint64_t size = query_number(x, ZG_SLICE("size"), LARGE_SIZE);

	if (size > LARGE_SIZE)
		return zg_reply_text(x, 400, "too large");
	return zg_reply(x, 200, ZG_SLICE("application/octet-stream"),
			(struct zg_slice){large, size});
}

static int hello(struct zg_exchange *x)
{
	return zg_reply_text(x, 200, "Hello");
}

/* Whatever was sent comes back. */
static int echo(struct zg_exchange *x)
{
	return zg_reply(x, 200, ZG_SLICE("application/octet-stream"), zg_request_body(x));
}

static int allocate(struct zg_exchange *x)
{
	void *volatile memory = malloc(100);

	free(memory);
	return zg_reply_text(x, 200, "allocated");
}

static int fail(struct zg_exchange *x)
{
	/* What was said before a failure is not sent. */
	if (zg_reply_field(x, ZG_SLICE("X-Secret"), ZG_SLICE("before the failure")) < 0 ||
	    zg_reply_text(x, 200, "all is well") < 0)
		return -EINVAL;
	return -EIO;
}

static int fail_for_memory(struct zg_exchange *x)
{
	(void)x;
	return -ENOMEM;
}

static int say_nothing(struct zg_exchange *x)
{
	(void)x;
	return 0;
}

static int reply_twice(struct zg_exchange *x)
{
	if (zg_reply_text(x, 200, "first") < 0)
		return -EIO;
	return zg_reply_text(x, 200, "second") == -EALREADY ? 0 : -EIO;
}

/* Echoes the value of X-Value as a field of the reply, where that is allowed. */
static int reply_field(struct zg_exchange *x)
{
	struct zg_slice value = ZG_SLICE("");
	int result;

	(void)!zg_request_query_value(x, ZG_SLICE("value"), &value);
	result = zg_reply_field(x, ZG_SLICE("X-Value"), value);
	if (result == -EINVAL)
		return zg_reply_text(x, 400, "not a field value");
	return result < 0 ? result : zg_reply_empty(x, 204);
}

static struct ticket_pool tickets;

/* Gives a ticket back, for the second time. */
static int __attribute__((noinline)) ticket_give_again(ticket_handle handle)
{
	int result = ticket_pool_give(&tickets, handle);

	return result == -ESTALE ? 0 : -EIO;
}

/* Takes a ticket and gives it back; or forgets it, or gives it twice, when it is told to. */
static int ticket(struct zg_exchange *x)
{
	ticket_handle handle;

	if (ticket_pool_take(&tickets, &handle, NULL) < 0)
		return -ENOMEM;
	if (query_number(x, ZG_SLICE("forget"), 0) == 0 && ticket_pool_give(&tickets, handle) < 0)
		return -EIO;
	if (query_number(x, ZG_SLICE("twice"), 0) != 0 && ticket_give_again(handle) < 0)
		return -EIO;
	return zg_reply_text(x, 200, "taken");
}

/* One shard uses them: a pool is not locked. */
static int tickets_init(void)
{
	static unsigned char memory[ZG_POOL_MEMORY_SIZE_MAX(sizeof(struct ticket), TICKET_COUNT)]
		__attribute__((aligned(ZG_POOL_ALIGNMENT)));

	return ticket_pool_init(&tickets, &(struct zg_pool_options){
						  .name = "tickets",
						  .memory = memory,
						  .memory_size = sizeof(memory),
						  .block_count = TICKET_COUNT,
						  .tag = 't',
						  .is_tracked = true,
					  });
}

/* GET /scratch?size=N: where N bytes of scratch are to be had. */
static int use_scratch(struct zg_exchange *x)
{
	ZG_SCRATCH(room, 64, zg_exchange_arena(x));
	int result = zg_scratch_reserve(&room, query_number(x, ZG_SLICE("size"), 0));

	if (result == -EMSGSIZE)
		return zg_reply_text(x, 413, "nowhere");
	if (result < 0)
		return result;
	return zg_reply_text(x, 200, room.capacity > 64 ? "arena" : "stack");
}

int main(int argc, char **argv)
{
	struct zg_app app;

	memset(large, 'z', sizeof(large));
	later_start();
	if (tickets_init() < 0)
		return 1;
	zg_app_init(&app, "test_service");
	zg_get(&app, "/", hello);
	zg_post(&app, "/echo", echo);
	zg_route_any(&app, "/dump", dump);
	zg_route_any(&app, "/dump/{first}", dump);
	zg_route_any(&app, "/dump/{first}/fixed", dump);
	zg_route_any(&app, "/dump/{first}/{second}", dump);
	zg_route_any(&app, "/files/{rest...}", dump);
	zg_get(&app, "/value/{name}", value_of);
	zg_get(&app, "/slow", slow);
	zg_post(&app, "/slow", slow);
	zg_get(&app, "/slow-fail", slow_fail);
	zg_get(&app, "/twice", twice);
	zg_get(&app, "/again", again);
	zg_get(&app, "/block", block);
	zg_get(&app, "/never", never);
	zg_get(&app, "/large", send_large);
	zg_get(&app, "/scratch", use_scratch);
	zg_get(&app, "/malloc", allocate);
	zg_get(&app, "/fail", fail);
	zg_get(&app, "/fail-for-memory", fail_for_memory);
	zg_get(&app, "/say-nothing", say_nothing);
	zg_get(&app, "/reply-twice", reply_twice);
	zg_get(&app, "/reply-field", reply_field);
	zg_get(&app, "/ticket", ticket);
	zg_delete(&app, "/methods", dump);
	zg_put(&app, "/methods", dump);
	zg_admin_routes(&app);
	return zg_app_main(&app, argc, argv);
}
