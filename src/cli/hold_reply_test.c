/*
 * Tests of what counts as a whole reply, over a socket pair.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/hold.h"

#define HEAD "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"

struct pair {
	int server_fd;
	int client_fd;
	struct hold_reply reply;
};

static void pair_init(struct pair *pair)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	pair->server_fd = fds[0];
	pair->client_fd = fds[1];
	hold_reply_init(&pair->reply);
}

static void pair_fini(struct pair *pair)
{
	close(pair->client_fd);
	if (pair->server_fd >= 0)
		close(pair->server_fd);
}

/* Send some text and see what it is taken for. */
static int pair_send(struct pair *pair, const char *text)
{
	size_t size = strlen(text);

	assert_int_equal(write(pair->server_fd, text, size), size);
	return hold_reply_receive(&pair->reply, pair->client_fd);
}

static int take_alone(const char *text)
{
	struct pair pair;
	int result;

	pair_init(&pair);
	result = pair_send(&pair, text);
	pair_fini(&pair);
	return result;
}

static void test_a_reply_in_one_piece_is_whole(void **state)
{
	(void)state;
	assert_int_equal(take_alone(HEAD "Hello"), 1);
}

static void test_a_reply_byte_by_byte_is_whole_at_its_last_byte(void **state)
{
	const char *text = HEAD "Hello";
	struct pair pair;

	(void)state;
	pair_init(&pair);
	for (; text[1] != '\0'; text++) {
		char piece[2] = {text[0], '\0'};

		assert_int_equal(pair_send(&pair, piece), 0);
	}
	assert_int_equal(pair_send(&pair, text), 1);
	pair_fini(&pair);
}

#define CHUNKED_HEAD "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static void test_a_chunked_reply_is_whole_at_its_last_chunk(void **state)
{
	struct pair pair;

	(void)state;
	assert_int_equal(take_alone(CHUNKED_HEAD "5\r\nHello\r\n0\r\n\r\n"), 1);
	assert_int_equal(take_alone(CHUNKED_HEAD "0\r\n\r\n"), 1);

	pair_init(&pair);
	assert_int_equal(pair_send(&pair, CHUNKED_HEAD "5\r\nHello\r\n0"), 0);
	assert_int_equal(pair_send(&pair, "\r\n"), 0);
	assert_int_equal(pair_send(&pair, "\r\n"), 1);
	pair_fini(&pair);
}

static void test_a_reply_with_a_length_and_chunks_is_refused(void **state)
{
	(void)state;
	assert_int_equal(take_alone("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
				    "Transfer-Encoding: chunked\r\n\r\n"),
			 -EBADMSG);
	assert_int_equal(take_alone("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"),
			 -EBADMSG);
}

static void test_a_body_larger_than_the_buffer_is_counted_through(void **state)
{
	static char body[HOLD_REPLY_BUFFER_SIZE + 1];
	struct pair pair;

	(void)state;
	memset(body, 'x', sizeof(body) - 1);
	pair_init(&pair);
	assert_int_equal(pair_send(&pair, "HTTP/1.1 200 OK\r\ncontent-length: 4096\r\n\r\n"), 0);
	assert_int_equal(pair_send(&pair, body), 0);
	assert_int_equal(pair_send(&pair, body), 1);
	pair_fini(&pair);
}

static void test_another_status_is_refused(void **state)
{
	(void)state;
	assert_int_equal(take_alone("HTTP/1.1 503 Service Unavailable\r\n"), -EPROTO);
}

static void test_bytes_after_the_reply_are_refused(void **state)
{
	(void)state;
	assert_int_equal(take_alone(HEAD "Hello!"), -EBADMSG);
}

static void test_a_reply_without_a_length_is_refused(void **state)
{
	(void)state;
	assert_int_equal(take_alone("HTTP/1.1 200 OK\r\nDate: x\r\n\r\n"), -EBADMSG);
}

static void test_an_endless_head_is_refused(void **state)
{
	static char head[HOLD_REPLY_BUFFER_SIZE + 1];

	(void)state;
	memset(head, 'x', sizeof(head) - 1);
	memcpy(head, "HTTP/1.1 200 OK\r\n", 17);
	assert_int_equal(take_alone(head), -EBADMSG);
}

static void test_a_close_before_the_end_is_a_reset(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair);
	assert_int_equal(pair_send(&pair, HEAD "Hel"), 0);
	close(pair.server_fd);
	pair.server_fd = -1;
	assert_int_equal(hold_reply_receive(&pair.reply, pair.client_fd), -ECONNRESET);
	pair_fini(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_reply_in_one_piece_is_whole),
		cmocka_unit_test(test_a_reply_byte_by_byte_is_whole_at_its_last_byte),
		cmocka_unit_test(test_a_chunked_reply_is_whole_at_its_last_chunk),
		cmocka_unit_test(test_a_reply_with_a_length_and_chunks_is_refused),
		cmocka_unit_test(test_a_body_larger_than_the_buffer_is_counted_through),
		cmocka_unit_test(test_another_status_is_refused),
		cmocka_unit_test(test_bytes_after_the_reply_are_refused),
		cmocka_unit_test(test_a_reply_without_a_length_is_refused),
		cmocka_unit_test(test_an_endless_head_is_refused),
		cmocka_unit_test(test_a_close_before_the_end_is_a_reset),
	};

	return cmocka_run_group_tests_name("hold_reply", tests, NULL, NULL);
}
