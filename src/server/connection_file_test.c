/*
 * Files and streams on a connection, event by event, on a fake I/O object: sent as they
 * are where the backend can, else read first; and what becomes of a connection when
 * its file, its peer or its handler does not go on.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/shard_fixture.h"

#define FILE_SIZE 50000
#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static struct shard_fixture *fixture;
static int file_fd;
static char file_bytes[FILE_SIZE + 1];
static zg_handle handle;
static size_t piece_size_sum;

static int serve_file(struct zg_exchange *x)
{
	return zg_reply_file(x, 200, ZG_SLICE("text/plain"),
			     &(struct zg_file_part){.fd = file_fd, .size = FILE_SIZE});
}

static int take_piece(struct zg_exchange *x, const struct zg_piece *piece, void *user)
{
	(void)user;
	piece_size_sum += piece->bytes.size;
	return piece->is_last ? zg_reply_text(x, 200, "taken") : 0;
}

static int serve_upload(struct zg_exchange *x)
{
	return zg_body_read(x, take_piece, NULL);
}

static int make_and_wait(struct zg_exchange *x, void *user)
{
	(void)user;
	handle = zg_exchange_handle(x);
	return zg_stream_write(x, ZG_SLICE("piece")) == 5 ? ZG_PENDING : -EIO;
}

static int serve_stream(struct zg_exchange *x)
{
	return zg_reply_stream(x, 200, ZG_SLICE("text/plain"), make_and_wait, NULL);
}

static void routes(struct zgi_router *router)
{
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/", serve_file), 0);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/stream", serve_stream), 0);
	assert_int_equal(zgi_router_add_streamed(router, ZG_METHOD_POST, "/upload", serve_upload,
						 UINT64_C(1) << 30),
			 0);
}

static void fill_file(void)
{
	for (size_t index = 0; index < FILE_SIZE; index++)
		file_bytes[index] = (char)('a' + index % 23);
	assert_int_equal(pwrite(file_fd, file_bytes, FILE_SIZE, 0), FILE_SIZE);
}

static int open_shard(void **state)
{
	char name[] = "/tmp/zerog-file-XXXXXX";

	(void)state;
	fixture = shard_fixture_open(&(struct shard_fixture_options){
		.connection_limit = 8,
		.exchange_count = 4,
		.chunk_count = 2,
		.routes = routes,
	});
	file_fd = mkstemp(name);
	assert_true(file_fd >= 0);
	assert_int_equal(unlink(name), 0);
	fill_file();
	piece_size_sum = 0;
	return 0;
}

static int close_shard(void **state)
{
	(void)state;
	shard_fixture_close(fixture);
	close(file_fd);
	return 0;
}

static enum fake_operation operation(uint32_t descriptor)
{
	return fake_io_operation(&fixture->fake, descriptor);
}

/* The peer takes the head, which goes first. */
static void take_head(uint32_t descriptor)
{
	assert_int_equal(operation(descriptor), FAKE_SEND);
	shard_fixture_complete(fixture, descriptor,
			       (int32_t)fixture->fake.descriptors[descriptor].size);
}

/* As shard_fixture_send(), but what is sent in answer is not taken. */
static uint32_t ask(const char *text)
{
	uint32_t descriptor = shard_fixture_connect(fixture);

	assert_int_equal(fake_io_deliver(&fixture->fake, descriptor, text, strlen(text)),
			 strlen(text));
	shard_fixture_turn(fixture);
	return descriptor;
}

static void assert_file_was_sent(uint32_t descriptor)
{
	const char *output = shard_fixture_output(fixture, descriptor);
	const char *body = strstr(output, "\r\n\r\n");

	assert_non_null(body);
	assert_int_equal(strlen(body + 4), FILE_SIZE);
	assert_memory_equal(body + 4, file_bytes, FILE_SIZE);
}

static void assert_free(uint32_t descriptor)
{
	assert_int_equal(shard_fixture_state(fixture, descriptor), ZGI_CONNECTION_FREE);
	assert_int_equal(fixture->shard->exchanges.free_count,
			 fixture->shard->exchanges.block_count);
	assert_int_equal(fixture->shard->chunks.free_count, fixture->shard->chunks.block_count);
}

static void a_file_is_sent_without_a_buffer(void **state)
{
	uint32_t descriptor = ask(GET);

	(void)state;
	take_head(descriptor);
	assert_int_equal(operation(descriptor), FAKE_SEND_FILE);
	assert_int_equal(fixture->fake.descriptors[descriptor].file.size, FILE_SIZE);
	shard_fixture_complete(fixture, descriptor, 20000);
	assert_int_equal(operation(descriptor), FAKE_SEND_FILE);
	assert_int_equal(fixture->fake.descriptors[descriptor].file.offset, 20000);
	shard_fixture_complete(fixture, descriptor, 30000);
	assert_file_was_sent(descriptor);
	assert_int_equal(shard_fixture_state(fixture, descriptor), ZGI_CONNECTION_HOT);
}

static void where_it_cannot_be_it_is_read_first(void **state)
{
	uint32_t descriptor;

	(void)state;
	fixture->fake.operations.send_file = NULL;
	descriptor = ask(GET);
	take_head(descriptor);
	for (size_t left = FILE_SIZE; left > 0;) {
		size_t size = fixture->fake.descriptors[descriptor].window_size;

		assert_int_equal(operation(descriptor), FAKE_READ_FILE);
		assert_int_equal(shard_fixture_state(fixture, descriptor), ZGI_CONNECTION_LOADING);
		shard_fixture_complete(fixture, descriptor, (int32_t)size);
		/* The peer takes it in two parts. */
		assert_int_equal(operation(descriptor), FAKE_SEND);
		shard_fixture_complete(fixture, descriptor, 1);
		assert_int_equal(operation(descriptor), FAKE_SEND);
		shard_fixture_complete(fixture, descriptor, (int32_t)size - 1);
		left -= size;
	}
	assert_file_was_sent(descriptor);
	assert_int_equal(fixture->shard->chunks.free_count, fixture->shard->chunks.block_count);
}

static void without_a_chunk_it_is_read_into_the_write_buffer(void **state)
{
	uint32_t descriptor;
	zg_handle handles[2];
	void *block;

	(void)state;
	fixture->fake.operations.send_file = NULL;
	assert_int_equal(zg_pool_take(&fixture->shard->chunks, &handles[0], &block), 0);
	assert_int_equal(zg_pool_take(&fixture->shard->chunks, &handles[1], &block), 0);
	descriptor = ask(GET);
	take_head(descriptor);
	assert_int_equal(fixture->fake.descriptors[descriptor].window_size, 8192);
	while (operation(descriptor) == FAKE_READ_FILE) {
		shard_fixture_complete(fixture, descriptor,
				       (int32_t)fixture->fake.descriptors[descriptor].window_size);
		shard_fixture_take(fixture, descriptor);
	}
	assert_file_was_sent(descriptor);
	assert_int_equal(zg_pool_give(&fixture->shard->chunks, handles[0]), 0);
	assert_int_equal(zg_pool_give(&fixture->shard->chunks, handles[1]), 0);
}

static void a_file_that_has_become_shorter_ends_the_connection(void **state)
{
	uint32_t descriptor = ask(GET);

	(void)state;
	take_head(descriptor);
	shard_fixture_complete(fixture, descriptor, 0);
	assert_free(descriptor);

	fixture->fake.operations.send_file = NULL;
	descriptor = ask(GET);
	take_head(descriptor);
	shard_fixture_complete(fixture, descriptor, 0);
	assert_free(descriptor);
}

static void a_peer_that_does_not_take_it_is_cut_off(void **state)
{
	uint32_t descriptor = ask(GET);

	(void)state;
	take_head(descriptor);
	shard_fixture_pass(fixture, fixture->shard->times.write + 10);
	assert_true(fixture->fake.descriptors[descriptor].is_cancelled);
	shard_fixture_complete(fixture, descriptor, -ECANCELED);
	assert_free(descriptor);
	assert_int_equal(fixture->shard->counters.timeouts_write, 1);
}

static void a_disk_that_does_not_answer_is_waited_for_as_long(void **state)
{
	uint32_t descriptor;

	(void)state;
	fixture->fake.operations.send_file = NULL;
	descriptor = ask(GET);
	take_head(descriptor);
	shard_fixture_pass(fixture, fixture->shard->times.write + 10);
	assert_true(fixture->fake.descriptors[descriptor].is_cancelled);
	shard_fixture_complete(fixture, descriptor, -ECANCELED);
	assert_free(descriptor);
}

/* Each tenth of the time, so many bytes. */
static void send_slowly(uint32_t descriptor, size_t size, uint32_t times)
{
	static const char bytes[4096] = {1};

	for (uint32_t index = 0; index < times; index++) {
		shard_fixture_pass(fixture, fixture->shard->times.body / 10);
		if (fake_io_operation(&fixture->fake, descriptor) != FAKE_RECV ||
		    fixture->fake.descriptors[descriptor].is_cancelled)
			return;
		(void)fake_io_deliver(&fixture->fake, descriptor, bytes, size);
		shard_fixture_turn(fixture);
	}
}

static void a_steady_upload_may_take_longer_than_the_bodys_time(void **state)
{
	uint32_t descriptor = ask("POST /upload HTTP/1.1\r\nHost: a\r\n"
				  "Content-Length: 1000000\r\n\r\n");

	(void)state;
	send_slowly(descriptor, 1000, 40);
	assert_int_equal(shard_fixture_state(fixture, descriptor), ZGI_CONNECTION_RECEIVING);
	assert_int_equal(piece_size_sum, 40000);
}

static void an_upload_of_a_few_bytes_now_and_then_is_late(void **state)
{
	uint32_t descriptor = ask("POST /upload HTTP/1.1\r\nHost: a\r\n"
				  "Content-Length: 1000000\r\n\r\n");

	(void)state;
	send_slowly(descriptor, 10, 40);
	assert_int_equal(shard_fixture_state(fixture, descriptor), ZGI_CONNECTION_LATE);
	shard_fixture_complete(fixture, descriptor, -ECANCELED);
	shard_fixture_take(fixture, descriptor);
	assert_non_null(strstr(shard_fixture_output(fixture, descriptor), "408 "));
}

static void a_stream_whose_handler_never_goes_on_is_ended(void **state)
{
	uint32_t descriptor = ask("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");

	(void)state;
	shard_fixture_take(fixture, descriptor);
	assert_int_equal(shard_fixture_state(fixture, descriptor), ZGI_CONNECTION_PENDING);
	shard_fixture_pass(fixture, fixture->shard->times.handler + 10);
	assert_free(descriptor);
	assert_int_equal(fixture->shard->counters.timeouts_handler, 1);
	assert_int_equal(fixture->shard->web.counters.streams_aborted, 1);
	assert_null(strstr(shard_fixture_output(fixture, descriptor), "0\r\n\r\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_shard, close_shard)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_sent_without_a_buffer),
		TEST(where_it_cannot_be_it_is_read_first),
		TEST(without_a_chunk_it_is_read_into_the_write_buffer),
		TEST(a_file_that_has_become_shorter_ends_the_connection),
		TEST(a_peer_that_does_not_take_it_is_cut_off),
		TEST(a_disk_that_does_not_answer_is_waited_for_as_long),
		TEST(a_steady_upload_may_take_longer_than_the_bodys_time),
		TEST(an_upload_of_a_few_bytes_now_and_then_is_late),
		TEST(a_stream_whose_handler_never_goes_on_is_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
