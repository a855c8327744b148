/*
 * A service with a library that allocates while it serves.
 */
#include <inttypes.h>

#include <zerog.h>

#include "hoarder.h"

#define HOARD_ROUNDS 5

static int say_hello(struct zg_exchange *x)
{
	return zg_reply_text(x, 200, "Hello");
}

static int hoard(struct zg_exchange *x)
{
	hoarder_go(HOARD_ROUNDS);
	return zg_reply_text(x, 200, "hoarding");
}

static int report(struct zg_exchange *x)
{
	struct hoarder_report now = hoarder_report();
	struct zg_text text;
	char buffer[256];

	zg_text_init(&text, buffer, sizeof(buffer));
	zg_text_print(&text,
		      "{\"rounds\": %" PRIu64 ", \"blocks\": %" PRIu64 ", \"refusals\": %" PRIu64
		      ", \"damaged\": %" PRIu64 "}",
		      now.rounds, now.blocks, now.refusals, now.damaged);
	return zg_reply_text(x, 200, buffer);
}

int main(int argc, char **argv)
{
	struct zg_app app;

	hoarder_start();
	zg_app_init(&app, "hoard_service");
	zg_get(&app, "/", say_hello);
	zg_get(&app, "/hoard", hoard);
	zg_get(&app, "/report", report);
	zg_admin_routes(&app);
	return zg_app_main(&app, argc, argv);
}
