/*
 * zerog as a peer of the lab: the document is printed anew for each request, into the
 * exchange's arena.
 */
#include <errno.h>

#include <zerog.h>

#define DOCUMENT_SIZE_MAX 8000
#define ITEM_COUNT 48

static int hello(struct zg_exchange *x)
{
	return zg_reply(x, 200, ZG_SLICE("text/plain"), ZG_SLICE("Hello"));
}

static void document_print(struct zg_text *text)
{
	zg_text_append(text, ZG_SLICE("{\"message\":\"Hello\",\"items\":["));
	for (int id = 1; id <= ITEM_COUNT; id++)
		zg_text_print(text,
			      "%s{\"id\":%d,\"name\":\"item %d\",\"price_minor\":%d,"
			      "\"currency\":\"EUR\",\"in_stock\":%s}",
			      id > 1 ? "," : "", id, id, id * 137, id % 2 == 1 ? "true" : "false");
	zg_text_append(text, ZG_SLICE("]}"));
}

static int document(struct zg_exchange *x)
{
	struct zg_text text;
	void *memory;
	int result = zg_arena_alloc(zg_exchange_arena(x), DOCUMENT_SIZE_MAX, &memory);

	if (result < 0)
		return -ENOMEM;
	zg_text_init(&text, memory, DOCUMENT_SIZE_MAX);
	document_print(&text);
	return zg_reply_json(x, 200, (struct zg_slice){text.data, text.size});
}

static int echo(struct zg_exchange *x)
{
	struct zg_slice type = ZG_SLICE("application/octet-stream");

	(void)!zg_request_field(x, ZG_SLICE("content-type"), &type);
	return zg_reply(x, 200, type, zg_request_body(x));
}

int main(int argc, char **argv)
{
	struct zg_app app;

	zg_app_init(&app, "lab-zerog");
	zg_get(&app, "/", hello);
	zg_get(&app, "/json", document);
	zg_post(&app, "/echo", echo);
	zg_admin_routes(&app);
	return zg_app_main(&app, argc, argv);
}
