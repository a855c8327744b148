/*
 * The loop a server runs around an exchange, without the server.
 */

#include "web/exchange_fixture.h"

#include <string.h>
#include <unistd.h>

#include "base/assert.h"

#define FIXTURE_CHUNK_SIZE (EXCHANGE_FIXTURE_BODY_MAX + 256)
#define FIXTURE_CHUNK_COUNT 3
#define FIXTURE_REGION_SIZE (256 * 1024)

static void fixture_pool_init(struct exchange_fixture *fixture, struct zg_pool *pool,
			      struct zg_pool_options options)
{
	int result;

	options.memory_size = zg_pool_memory_size(&options);
	result = zg_region_carve(&fixture->region, options.memory_size, ZG_POOL_ALIGNMENT,
				 &options.memory);
	zg_assert(result == 0);
	result = zg_pool_init(pool, &options);
	zg_assert(result == 0);
}

static void fixture_take(struct exchange_fixture *fixture)
{
	zg_handle handle;
	void *block;
	int result = zg_pool_take(&fixture->exchanges, &handle, &block);

	zg_assert(result == 0);
	zgi_exchange_init(block, &fixture->web, &fixture->chunks, handle);
	fixture->x = block;
}

static void fixture_give(struct exchange_fixture *fixture)
{
	zg_handle handle = fixture->x->handle;
	int result;

	zgi_exchange_fini(fixture->x);
	result = zg_pool_give(&fixture->exchanges, handle);
	zg_assert(result == 0);
}

void exchange_fixture_finish(struct exchange_fixture *fixture)
{
	char buffer[256];
	struct zg_text error;
	int result;

	zg_text_init(&error, buffer, sizeof(buffer));
	result = zgi_router_finish(fixture->router, &error);
	zg_assert(result == 0);
}

void exchange_fixture_open(struct exchange_fixture *fixture,
			   const struct exchange_fixture_route *routes)
{
	int result;

	memset(fixture, 0, sizeof(*fixture));
	result = zg_region_init(&fixture->region,
				&(struct zg_region_options){.size = FIXTURE_REGION_SIZE});
	zg_assert(result == 0);
	result = zgi_router_create(&fixture->router);
	zg_assert(result == 0);
	for (; routes->pattern != NULL; routes++) {
		result = zgi_router_add(fixture->router, routes->method, routes->pattern,
					routes->handler);
		zg_assert(result == 0);
	}
	exchange_fixture_finish(fixture);
	fixture_pool_init(fixture, &fixture->exchanges,
			  (struct zg_pool_options){
				  .name = "exchanges",
				  .block_size = zgi_exchange_block_size(
					  EXCHANGE_FIXTURE_READ_SIZE, EXCHANGE_FIXTURE_WRITE_SIZE),
				  .block_count = 2,
				  .tag = 'x',
			  });
	fixture_pool_init(fixture, &fixture->chunks,
			  (struct zg_pool_options){.name = "arena chunks",
						   .block_size = FIXTURE_CHUNK_SIZE,
						   .block_count = FIXTURE_CHUNK_COUNT,
						   .tag = 'c'});
	fixture->web.router = fixture->router;
	fixture->web.http_limits.head_size_max =
		EXCHANGE_FIXTURE_READ_SIZE - ZGI_EXCHANGE_STAGING_SIZE;
	fixture->web.http_limits.fields_max = 64;
	fixture->web.read_buffer_size = EXCHANGE_FIXTURE_READ_SIZE;
	fixture->web.write_buffer_size = EXCHANGE_FIXTURE_WRITE_SIZE;
	fixture->web.body_size_max = EXCHANGE_FIXTURE_BODY_MAX;
	fixture->web.form_fields_max = EXCHANGE_FIXTURE_FORM_FIELDS_MAX;
	fixture->web.exchanges = &fixture->exchanges;
	zgi_http_date_format(784111777, fixture->web.date);
	fixture_take(fixture);
}

void exchange_fixture_close(struct exchange_fixture *fixture)
{
	fixture_give(fixture);
	zg_pool_fini(&fixture->exchanges);
	zg_pool_fini(&fixture->chunks);
	zgi_router_destroy(fixture->router);
	zg_region_fini(&fixture->region);
}

void exchange_fixture_renew(struct exchange_fixture *fixture)
{
	fixture_give(fixture);
	fixture_take(fixture);
	exchange_fixture_forget(fixture);
}

void exchange_fixture_put(struct exchange_fixture *fixture, const char *bytes, size_t size)
{
	void *window;
	size_t window_size;

	zgi_exchange_recv_window(fixture->x, &window, &window_size);
	zg_assert(size <= window_size);
	memcpy(window, bytes, size);
	zgi_exchange_received(fixture->x, size);
}

void exchange_fixture_sent(struct exchange_fixture *fixture, const void *bytes, size_t size)
{
	zg_assert(size < sizeof(fixture->output) - fixture->output_size);
	memcpy(fixture->output + fixture->output_size, bytes, size);
	fixture->output_size += size;
	zgi_exchange_sent(fixture->x, size);
}

/* What is sent next is in a file. */
static void fixture_load(struct exchange_fixture *fixture)
{
	struct zgi_io_file file;
	void *buffer;
	ssize_t size;

	zgi_exchange_load_window(fixture->x, &file, &buffer);
	size = pread(file.fd, buffer, file.size, (off_t)file.offset);
	zg_assert(size > 0);
	zgi_exchange_loaded(fixture->x, (size_t)size);
}

enum zgi_exchange_want exchange_fixture_run(struct exchange_fixture *fixture)
{
	enum zgi_exchange_want want;

	while ((want = zgi_exchange_run(fixture->x)) == ZGI_WANT_SEND) {
		const void *data;
		size_t size;
		bool has_more;

		if (zgi_exchange_sends_file(fixture->x))
			fixture_load(fixture);
		zgi_exchange_send_window(fixture->x, &data, &size, &has_more);
		zg_assert(size > 0);
		fixture->window_count++;
		exchange_fixture_sent(fixture, data, size);
	}
	return want;
}

enum zgi_exchange_want exchange_fixture_feed(struct exchange_fixture *fixture, const char *bytes,
					     size_t size, size_t piece_size)
{
	enum zgi_exchange_want want = ZGI_WANT_RECV;

	while (size > 0 && (want == ZGI_WANT_RECV || want == ZGI_WANT_IDLE)) {
		void *window;
		size_t window_size;
		size_t part = size < piece_size ? size : piece_size;

		zgi_exchange_recv_window(fixture->x, &window, &window_size);
		zg_assert(window_size > 0);
		if (part > window_size)
			part = window_size;
		exchange_fixture_put(fixture, bytes, part);
		bytes += part;
		size -= part;
		want = exchange_fixture_run(fixture);
	}
	return want;
}

const char *exchange_fixture_output(struct exchange_fixture *fixture)
{
	fixture->output[fixture->output_size] = '\0';
	return fixture->output;
}

void exchange_fixture_forget(struct exchange_fixture *fixture)
{
	fixture->output_size = 0;
	fixture->window_count = 0;
}
