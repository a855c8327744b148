/*
 * A service of bodies: files of a folder, uploads that are taken piece by piece,
 * replies that are made so, and events.
 */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <zerog.h>

#include "later.h"

#define UPLOAD_SIZE_MAX (64U << 20)

/* What has come of an upload. */
struct upload {
	uint64_t size;
	uint64_t rows;
	uint32_t hash;
	uint32_t wait_ms;
};

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

static int upload_reply(struct zg_exchange *x, const struct upload *upload)
{
	char buffer[128];
	struct zg_text text;

	zg_text_init(&text, buffer, sizeof(buffer));
	zg_text_print(&text,
		      "{\"size\": %" PRIu64 ", \"rows\": %" PRIu64 ", \"hash\": %" PRIu32 "}",
		      upload->size, upload->rows, upload->hash);
	return zg_reply_copy(x, 200, ZG_SLICE("application/json"),
			     (struct zg_slice){buffer, text.size});
}

static int upload_go_on(struct zg_exchange *x, void *user)
{
	(void)x;
	(void)user;
	return 0;
}

/* Whole rows only: the end of a piece that is none is asked for again. "stop" as a row ends it. */
static int upload_piece(struct zg_exchange *x, const struct zg_piece *piece, void *user)
{
	struct upload *upload = user;
	struct zg_slice left = piece->bytes;

	while (left.size > 0) {
		const char *end = memchr(left.data, '\n', left.size);
		size_t size = end != NULL ? (size_t)(end + 1 - left.data) : left.size;

		if (end == NULL && !piece->is_last)
			break;
		if (size == 5 && memcmp(left.data, "stop\n", 5) == 0)
			return zg_reply_text(x, 400, "stopped");
		for (size_t index = 0; index < size; index++)
			upload->hash = (upload->hash ^ (unsigned char)left.data[index]) *
				       UINT32_C(0x01000193);
		upload->size += size;
		upload->rows++;
		left.data += size;
		left.size -= size;
	}
	if (piece->is_last)
		return upload_reply(x, upload);
	zg_body_keep(x, left.size);
	if (upload->wait_ms == 0)
		return 0;

	int result = later_resume(zg_exchange_handle(x), upload->wait_ms, upload_go_on);

	return result < 0 ? result : ZG_PENDING;
}

static int upload(struct zg_exchange *x)
{
	struct upload *upload;
	void *memory;

	if (zg_arena_alloc(zg_exchange_arena(x), sizeof(*upload), &memory) < 0)
		return -ENOMEM;
	upload = memory;
	*upload = (struct upload){
		.hash = UINT32_C(0x811c9dc5),
		.wait_ms = (uint32_t)query_number(x, ZG_SLICE("wait"), 0),
	};
	if (query_number(x, ZG_SLICE("deny"), 0) != 0)
		return zg_reply_text(x, 401, "no");
	return zg_body_read(x, upload_piece, upload);
}

/* Rows that are still to be made. */
struct rows {
	uint64_t next;
	uint64_t count;
	uint64_t fail_at;
	uint32_t wait_ms;
};

static int rows_go_on(struct zg_exchange *x, void *user)
{
	(void)x;
	(void)user;
	return 0;
}

static int rows_make(struct zg_exchange *x, void *user)
{
	struct rows *rows = user;

	while (rows->next < rows->count && zg_stream_room(x) >= 32) {
		char buffer[32];
		struct zg_text text;

		if (rows->next == rows->fail_at)
			return -EIO;
		zg_text_init(&text, buffer, sizeof(buffer));
		zg_text_print(&text, "row %" PRIu64 "\n", rows->next++);
		(void)!zg_stream_write(x, (struct zg_slice){buffer, text.size});
		if (rows->wait_ms > 0) {
			int result = later_resume(zg_exchange_handle(x), rows->wait_ms, rows_go_on);

			return result < 0 ? result : ZG_PENDING;
		}
	}
	return rows->next < rows->count ? 0 : ZG_STREAM_END;
}

/* GET /rows?count=N&wait=MS&fail=AT */
static int rows(struct zg_exchange *x)
{
	struct rows *rows;
	void *memory;

	if (zg_arena_alloc(zg_exchange_arena(x), sizeof(*rows), &memory) < 0)
		return -ENOMEM;
	rows = memory;
	*rows = (struct rows){
		.count = query_number(x, ZG_SLICE("count"), 10),
		.fail_at = query_number(x, ZG_SLICE("fail"), UINT64_MAX),
		.wait_ms = (uint32_t)query_number(x, ZG_SLICE("wait"), 0),
	};
	return zg_reply_stream(x, 200, ZG_SLICE("text/plain"), rows_make, rows);
}

static struct zg_topic news;

static int watch(struct zg_exchange *x)
{
	return zg_sse_start(x, &news);
}

/* POST /news?event=NAME: the body is the event's data. */
static int publish(struct zg_exchange *x)
{
	struct zg_slice event = ZG_SLICE("");
	int result;

	if (zg_request_query_value(x, ZG_SLICE("event"), &event) == -ENOMEM)
		return -ENOMEM;
	result = zg_sse_publish(&news, event, zg_request_body(x));
	if (result == -EMSGSIZE || result == -EINVAL)
		return zg_reply_text(x, 400, "too large, or a name of several lines");
	return result < 0 ? result : zg_reply_empty(x, 204);
}

int main(int argc, char **argv)
{
	struct zg_app app;

	later_start();
	zg_app_init(&app, "bodies_service");
	zg_static(&app, "/assets", "public", NULL);
	zg_static(&app, "/forever", "public/sub",
		  &(struct zg_static_options){.cache_control = "max-age=31536000, immutable"});
	zg_route_streamed(&app, ZG_METHOD_POST, "/upload", upload, UPLOAD_SIZE_MAX);
	zg_get(&app, "/rows", rows);
	zg_topic_init(&news, &app, &(struct zg_topic_options){.name = "news", .retry_ms = 500});
	zg_get(&app, "/news", watch);
	zg_post(&app, "/news", publish);
	zg_admin_routes(&app);
	return zg_app_main(&app, argc, argv);
}
