/*
 * A service with groups, middleware and hooks: what each of them saw is on a page.
 */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <zerog.h>

#include "later.h"

#define PAGE_SIZE 4096
#define LARGE_SIZE (4U << 20)

/* What hooks have counted, by many shards at once. */
static struct {
	uint64_t connected;
	uint64_t disconnected[ZG_DISCONNECT_COUNT];
	uint64_t started;
	uint64_t ended;
	uint64_t aborted;
	uint64_t statuses[600];
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t slow; /* handlers that took 50 ms or more */
	uint64_t failed[ZG_FAILURE_ACCEPT + 1];
} counts;

static char large[LARGE_SIZE];
static uint32_t user_value;

static void count(uint64_t *counter, uint64_t number)
{
	__atomic_fetch_add(counter, number, __ATOMIC_RELAXED);
}

/* Hooks. */

static void on_connected(const struct zg_connected *event, void *user)
{
	(void)event;
	(void)user;
	count(&counts.connected, 1);
}

static void on_disconnected(const struct zg_disconnected *event, void *user)
{
	(void)user;
	count(&counts.disconnected[event->why], 1);
}

static void on_started(struct zg_exchange *x, void *user)
{
	(void)x;
	(void)user;
	count(&counts.started, 1);
}

static void on_ended(struct zg_exchange *x, const struct zg_request_ended *event, void *user)
{
	(void)x;
	(void)user;
	count(&counts.ended, 1);
	count(&counts.aborted, event->is_aborted);
	count(&counts.statuses[event->status], 1);
	count(&counts.bytes_in, event->bytes_in);
	count(&counts.bytes_out, event->bytes_out);
	count(&counts.slow, event->handled_ns >= 50000000);
}

static void on_failed(const struct zg_failed *event, void *user)
{
	(void)user;
	count(&counts.failed[event->kind], 1);
}

static void print_count(struct zg_text *text, const char *name, const uint64_t *counter)
{
	zg_text_print(text, "\"%s\": %" PRIu64 ", ", name,
		      __atomic_load_n(counter, __ATOMIC_RELAXED));
}

static int show_counts(struct zg_exchange *x)
{
	static const char *const whys[] = {
#define WHY_NAME(name, sentence) #name,
		ZG_DISCONNECTS(WHY_NAME)
#undef WHY_NAME
	};
	static const char *const failures[] = {"REQUEST", "HANDLER", "TIMEOUT", "REFUSED",
					       "ACCEPT"};
	char page[PAGE_SIZE];
	struct zg_text text;

	zg_text_init(&text, page, sizeof(page));
	zg_text_print(&text, "{");
	print_count(&text, "connected", &counts.connected);
	for (uint32_t why = 0; why < ZG_DISCONNECT_COUNT; why++)
		print_count(&text, whys[why], &counts.disconnected[why]);
	for (uint32_t kind = 0; kind <= ZG_FAILURE_ACCEPT; kind++) {
		zg_text_print(&text, "\"failed ");
		zg_text_print(&text, "%s\": %" PRIu64 ", ", failures[kind],
			      __atomic_load_n(&counts.failed[kind], __ATOMIC_RELAXED));
	}
	for (uint32_t status = 0; status < 600; status++)
		if (__atomic_load_n(&counts.statuses[status], __ATOMIC_RELAXED) > 0)
			zg_text_print(&text, "\"status %" PRIu32 "\": %" PRIu64 ", ", status,
				      __atomic_load_n(&counts.statuses[status], __ATOMIC_RELAXED));
	print_count(&text, "started", &counts.started);
	print_count(&text, "ended", &counts.ended);
	print_count(&text, "aborted", &counts.aborted);
	print_count(&text, "bytes_in", &counts.bytes_in);
	print_count(&text, "bytes_out", &counts.bytes_out);
	print_count(&text, "slow", &counts.slow);
	zg_text_print(&text, "\"end\": 0}");
	return zg_reply_copy(x, 200, ZG_SLICE("application/json"),
			     (struct zg_slice){text.data, text.size});
}

/* Middleware. */

static int name_service(struct zg_exchange *x, int status, void *user)
{
	char number[16];
	struct zg_text text;
	int result = zg_reply_field(x, ZG_SLICE("X-Service"), ZG_SLICE("routes"));

	(void)user;
	zg_text_init(&text, number, sizeof(number));
	zg_text_print(&text, "%d", status);
	return result < 0 ? result
			  : zg_reply_field(x, ZG_SLICE("X-Status"),
					   (struct zg_slice){text.data, text.size});
}

/* Adds its name to a trace that the client sees: who runs last is last. */
static int leave_trace(struct zg_exchange *x, int status, void *user)
{
	const char *name = user;

	(void)status;
	return zg_reply_field(x, ZG_SLICE("X-Trace"), (struct zg_slice){name, strlen(name)});
}

static int need_key(struct zg_exchange *x, void *user)
{
	struct zg_slice key = ZG_SLICE("");
	const char *expected = user;

	(void)!zg_request_field(x, ZG_SLICE("x-key"), &key);
	if (!zg_slice_equals(key, (struct zg_slice){expected, strlen(expected)}))
		return zg_reply_text(x, 401, "a key is needed\n");
	zg_exchange_set(x, user_value, user);
	return 0;
}

static int looked_up(struct zg_exchange *x, void *user)
{
	static char name[] = "somebody";

	(void)user;
	zg_exchange_set(x, user_value, name);
	return 0;
}

/* As if a database had to be asked who it is. */
static int look_up(struct zg_exchange *x, void *user)
{
	int result = later_resume(zg_exchange_handle(x), 60, looked_up);

	(void)user;
	return result < 0 ? result : ZG_PENDING;
}

/* Handlers. */

static int hello(struct zg_exchange *x)
{
	return zg_reply_text(x, 200, "Hello");
}

static int echo(struct zg_exchange *x)
{
	return zg_reply(x, 200, ZG_SLICE("text/plain"), zg_request_body(x));
}

static int whoami(struct zg_exchange *x)
{
	const char *name = zg_exchange_get(x, user_value);

	return zg_reply_text(x, 200, name != NULL ? name : "nobody");
}

static int product(struct zg_exchange *x)
{
	char buffer[64];
	struct zg_text text;
	uint64_t id;
	int result = zg_request_parameter_u64(x, ZG_SLICE("id"), &id);

	if (result < 0)
		return result;
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_text_print(&text, "product %" PRIu64, id);
	return zg_reply_text(x, 200, buffer);
}

static int product_named(struct zg_exchange *x)
{
	uint64_t id;

	/* It is a number to nobody, or the other route would have it. */
	if (zg_request_parameter_u64(x, ZG_SLICE("name"), &id) != -EINVAL)
		return -EIO;
	return zg_reply_text(x, 200, "named product");
}

static int day(struct zg_exchange *x)
{
	char buffer[64];
	struct zg_text text;
	struct zg_date date;
	int result = zg_request_parameter_date(x, ZG_SLICE("day"), &date);

	if (result < 0)
		return result;
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_text_print(&text, "day %d of month %d of %d", date.day, date.month, date.year);
	return zg_reply_text(x, 200, buffer);
}

static int send_large(struct zg_exchange *x)
{
	return zg_reply(x, 200, ZG_SLICE("application/octet-stream"),
			(struct zg_slice){large, sizeof(large)});
}

static int say_later(struct zg_exchange *x, void *user)
{
	(void)user;
	return zg_reply_text(x, 200, "later");
}

static int later(struct zg_exchange *x)
{
	int result = later_resume(zg_exchange_handle(x), 60, say_later);

	return result < 0 ? result : ZG_PENDING;
}

static int peer(struct zg_exchange *x)
{
	char buffer[128];
	struct zg_text text;
	struct zg_peer from;
	int result = zg_request_peer(x, &from);

	if (result == -EOPNOTSUPP)
		return zg_reply_text(x, 404, "addresses are not kept");
	if (result < 0)
		return result;
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_peer_print(&from, &text);
	return zg_reply_text(x, 200, buffer);
}

static int never(struct zg_exchange *x)
{
	(void)x;
	return ZG_PENDING;
}

static int fail(struct zg_exchange *x)
{
	(void)x;
	return -EIO;
}

static void register_routes(struct zg_app *app)
{
	static char key[] = "secret";
	static char outer[] = "outer";
	static char inner[] = "inner";
	static char route[] = "route";
	struct zg_group *api = zg_group(app, "/api");
	struct zg_group *admin = zg_group_within(api, "/admin");

	zg_app_after(app, name_service, NULL);
	zg_get(app, "/", hello);
	zg_get(app, "/large", send_large);
	zg_get(app, "/later", later);
	zg_get(app, "/never", never);
	zg_get(app, "/peer", peer);
	zg_get(app, "/fail", fail);
	zg_get(app, "/counts", show_counts);
	zg_endpoint_before(zg_get(app, "/looked-up", whoami), look_up, NULL);
	zg_group_after(api, leave_trace, outer);
	zg_group_get(api, "", hello);
	zg_group_get(api, "/products/{id:u64}", product);
	zg_group_get(api, "/products/{name}", product_named);
	zg_group_get(api, "/days/{day:date}", day);
	zg_group_post(api, "/echo", echo);
	zg_group_get(api, "/anonymous", whoami);
	zg_group_before(admin, need_key, key);
	zg_group_after(admin, leave_trace, inner);
	zg_endpoint_after(zg_group_get(admin, "/whoami", whoami), leave_trace, route);
	zg_group_admin_routes(admin);
	zg_admin_routes(app);
}

int main(int argc, char **argv)
{
	static const struct zg_hooks hooks = {
		.connected = on_connected,
		.request_started = on_started,
		.request_ended = on_ended,
		.disconnected = on_disconnected,
		.failed = on_failed,
	};
	struct zg_app app;

	later_start();
	zg_app_init(&app, "routes_service");
	user_value = zg_app_value(&app);
	zg_app_hook(&app, &hooks);
	register_routes(&app);
	return zg_app_main(&app, argc, argv);
}
