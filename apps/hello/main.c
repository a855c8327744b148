/*
 * Hello: the smallest service, and the one the benches measure. It greets, echoes,
 * and shows what its memory does.
 */

#include <zerog.h>

static int hello(struct zg_exchange *x)
{
	return zg_reply_text(x, 200, "Hello");
}

static int hello_json(struct zg_exchange *x)
{
	return zg_reply_json(x, 200, ZG_SLICE("{\"message\":\"Hello\"}"));
}

/* Whatever was sent comes back, with the type it came with. */
static int hello_echo(struct zg_exchange *x)
{
	struct zg_slice type = ZG_SLICE("application/octet-stream");

	(void)!zg_request_field(x, ZG_SLICE("content-type"), &type);
	return zg_reply(x, 200, type, zg_request_body(x));
}

int main(int argc, char **argv)
{
	struct zg_app app;

	zg_app_init(&app, "hello");
	zg_get(&app, "/", hello);
	zg_get(&app, "/json", hello_json);
	zg_route_any(&app, "/echo", hello_echo);
	zg_admin_routes(&app);
	return zg_app_main(&app, argc, argv);
}
