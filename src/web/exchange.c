/*
 * An exchange is one block: this struct, then its read buffer, then its write
 * buffer. Here are its life and its windows; run.c holds the steps between them.
 */

#include "web/exchange.h"

#include <errno.h>

#include "base/assert.h"

#define EXCHANGE_MAGIC 0x7a67786fU
#define EXCHANGE_BUFFER_ALIGNMENT 64
#define EXCHANGE_FILE_BUFFER_SIZE 65536 /* bytes: what an arena chunk holds by default */

static size_t exchange_align(size_t size)
{
	return (size + EXCHANGE_BUFFER_ALIGNMENT - 1) & ~(size_t)(EXCHANGE_BUFFER_ALIGNMENT - 1);
}

size_t zgi_exchange_block_size(uint32_t read_buffer_size, uint32_t write_buffer_size)
{
	return exchange_align(sizeof(struct zg_exchange)) + exchange_align(read_buffer_size) +
	       exchange_align(write_buffer_size);
}

void zgi_exchange_init(struct zg_exchange *x, struct zgi_web *web, struct zg_pool *chunks,
		       zg_handle handle)
{
	x->magic = EXCHANGE_MAGIC;
	x->phase = ZGI_PHASE_HEAD;
	x->has_replied = false;
	x->is_closing = false;
	x->has_unread_input = false;
	x->was_named = false;
	x->body_is_outside = false;
	x->is_continue_sent = false;
	x->is_arena_used = false;
	x->is_recorded = false;
	x->values_set = 0;
	x->is_after_running = false;
	x->why_closing = ZG_DISCONNECT_REPLIED;
	x->connection_number = 0;
	x->read_start = 0;
	x->read_size = 0;
	x->request_end = 0;
	x->write_start = 0;
	x->write_size = 0;
	x->read_buffer = (unsigned char *)x + exchange_align(sizeof(*x));
	x->write_buffer = x->read_buffer + exchange_align(web->read_buffer_size);
	x->web = web;
	x->reply_body = (struct zg_slice){NULL, 0};
	x->body = NULL;
	x->body_size = 0;
	x->body_capacity = 0;
	x->form = NULL;
	x->head_ns = 0;
	x->session_state = ZGI_SESSION_UNKNOWN;
	x->reply_fields = NULL;
	x->reply_fields_size = 0;
	x->reply_fields_capacity = 0;
	x->handle = handle;
	x->is_sent_silently = false;
	x->is_rare = false;
	x->is_streaming = false;
	x->hand_over = 0;
	x->is_handed_over = false;
	zgi_http_parser_init(&x->parser, &x->request, &web->http_limits, &x->arena);

	int result = zg_arena_init(&x->arena, &(struct zg_arena_options){
						      .memory = x->arena_memory,
						      .memory_size = sizeof(x->arena_memory),
						      .chunks = chunks,
						      .chunk_count_max = 4,
					      });

	zg_assert(result == 0);
}

void zgi_exchange_fini(struct zg_exchange *x)
{
	zg_assert(x->magic == EXCHANGE_MAGIC);
	if (ZG_UNLIKELY(x->is_recorded))
		zgi_hooks_request_ended(x, true);
	zg_arena_fini(&x->arena);
	x->magic = 0;
}

/* A body of known length that the read buffer cannot hold goes straight to its place. */
static bool exchange_receives_body_outside(const struct zg_exchange *x)
{
	return x->phase == ZGI_PHASE_BODY && x->body_is_outside && !x->request.is_chunked;
}

void zgi_exchange_recv_window(struct zg_exchange *x, void **ret_data, size_t *ret_size)
{
	zg_assert(x->magic == EXCHANGE_MAGIC);
	if (exchange_receives_body_outside(x)) {
		*ret_data = x->body + x->body_size;
		*ret_size = x->body_capacity - x->body_size;
		return;
	}
	*ret_data = x->read_buffer + x->read_size;
	*ret_size = x->web->read_buffer_size - x->read_size;
}

void zgi_exchange_received(struct zg_exchange *x, size_t size)
{
	if (exchange_receives_body_outside(x)) {
		zg_assert(size <= x->body_capacity - x->body_size);
		x->body_size += size;
		return;
	}
	zg_assert(size <= x->web->read_buffer_size - x->read_size);
	x->read_size += (uint32_t)size;
}

void zgi_exchange_send_window(struct zg_exchange *x, const void **ret_data, size_t *ret_size,
			      bool *ret_has_more)
{
	zg_assert(x->magic == EXCHANGE_MAGIC);
	if (x->write_start < x->write_size) {
		*ret_data = x->write_buffer + x->write_start;
		*ret_size = x->write_size - x->write_start;
		*ret_has_more = x->reply_body.size > 0;
		return;
	}
	if (x->reply_body.data == NULL) {
		*ret_data = x->file_loaded.data;
		*ret_size = x->file_loaded.size;
		*ret_has_more = x->reply_body.size > x->file_loaded.size;
		return;
	}
	*ret_data = x->reply_body.data;
	*ret_size = x->reply_body.size;
	*ret_has_more = false;
}

void zgi_exchange_sent(struct zg_exchange *x, size_t size)
{
	if (x->write_start < x->write_size) {
		zg_assert(size <= x->write_size - x->write_start);
		x->write_start += (uint32_t)size;
		if (x->write_start == x->write_size) {
			x->write_start = 0;
			x->write_size = 0;
		}
		return;
	}
	zg_assert(size <= x->reply_body.size);
	x->reply_body.size -= size;
	if (x->reply_body.data != NULL) {
		x->reply_body.data += size;
	} else if (x->file_loaded.size > 0) {
		zg_assert(size <= x->file_loaded.size);
		x->file_loaded.data += size;
		x->file_loaded.size -= size;
	} else {
		x->file.offset += size;
	}
}

const struct zgi_io_file *zgi_exchange_file_window(struct zg_exchange *x)
{
	zg_assert(zgi_exchange_sends_file(x));
	x->file.size = x->reply_body.size;
	return &x->file;
}

/* The larger the piece, the fewer the operations: an arena chunk, where one is free. A gigabyte
 * costs 0.6 s of CPU in pieces of 8 KB and 0.35 s in pieces of 64 KB; the ring's splice through a
 * pipe of that size 0.45 s, two descriptors, and a pipe's memory that no plan knows. */
static void exchange_file_buffer_take(struct zg_exchange *x)
{
	uint64_t left = x->reply_body.size;
	size_t size = left < EXCHANGE_FILE_BUFFER_SIZE ? left : EXCHANGE_FILE_BUFFER_SIZE;
	void *memory;
	int result = -EMSGSIZE;

	/* How much a chunk holds depends on --body-size-max. */
	while (size > x->web->write_buffer_size) {
		result = zg_arena_alloc(zg_exchange_arena(x), size, &memory);
		if (result != -EMSGSIZE)
			break;
		size /= 2;
	}
	x->file_buffer = result == 0 ? memory : x->write_buffer;
	x->file_buffer_size = result == 0 ? (uint32_t)size : x->web->write_buffer_size;
}

void zgi_exchange_load_window(struct zg_exchange *x, struct zgi_io_file *ret_file,
			      void **ret_buffer)
{
	zg_assert(zgi_exchange_sends_file(x));
	if (x->file_buffer == NULL)
		exchange_file_buffer_take(x);
	*ret_file = x->file;
	ret_file->size =
		x->reply_body.size < x->file_buffer_size ? x->reply_body.size : x->file_buffer_size;
	*ret_buffer = x->file_buffer;
}

void zgi_exchange_loaded(struct zg_exchange *x, size_t size)
{
	zg_assert(size > 0 && size <= x->file_buffer_size && size <= x->reply_body.size);
	x->file_loaded = (struct zg_slice){(const char *)x->file_buffer, size};
	x->file.offset += size;
}

bool zgi_exchange_has_begun(const struct zg_exchange *x)
{
	return x->phase != ZGI_PHASE_HEAD || x->read_size > x->read_start;
}

zg_handle zg_exchange_handle(struct zg_exchange *x)
{
	zg_assert(x->magic == EXCHANGE_MAGIC);
	x->was_named = true;
	return x->handle;
}

struct zg_arena *zg_exchange_arena(struct zg_exchange *x)
{
	zg_assert(x->magic == EXCHANGE_MAGIC);
	x->is_arena_used = true;
	return &x->arena;
}
