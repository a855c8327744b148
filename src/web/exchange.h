/*
 * The inside of an exchange, and the steps the server drives it by.
 *
 * An exchange does no I/O: it is handed bytes (received), says what it needs next
 * (zgi_exchange_run()), and shows what is to be sent. So the same code runs under
 * a server, under a unit test and under a fuzzer.
 */
#ifndef ZEROG_WEB_EXCHANGE_H
#define ZEROG_WEB_EXCHANGE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include <zerog/arena.h>
#include <zerog/exchange.h>
#include <zerog/form.h>
#include <zerog/layout.h>
#include <zerog/peer.h>
#include <zerog/pool.h>
#include <zerog/stream.h>

#include "http/chunked.h"
#include "http/parser.h"
#include "http/request.h"
#include "http/writer.h"
#include "io/io.h"
#include "web/hooks.h"
#include "web/router.h"
#include "web/session_table.h"

#define ZGI_SESSION_NAME_SIZE_MAX 64

/* What zgi_exchange_run() asks for. */
enum zgi_exchange_want {
	ZGI_WANT_RECV, /* bytes of a request that has begun, or of the first */
	ZGI_WANT_SEND, /* the send window is not empty */
	ZGI_WANT_PENDING, /* nothing, until the handler is resumed */
	ZGI_WANT_IDLE, /* nothing is buffered: the exchange may be given back */
	ZGI_WANT_CLOSE, /* all is sent, the connection ends */
	ZGI_WANT_HAND_OVER, /* all is sent, and the connection goes on without an exchange */
	ZGI_WANT_LINGER, /* all is sent, the connection ends, but the peer may still be sending */
};

enum zgi_exchange_phase {
	ZGI_PHASE_HEAD, /* reading a request's head */
	ZGI_PHASE_BODY, /* reading its body */
	ZGI_PHASE_HANDLE, /* all is there: to be handed to the handler */
	ZGI_PHASE_READING, /* the handler is given its request's body in pieces: body_read.c */
	ZGI_PHASE_PENDING, /* the handler returned ZG_PENDING */
	ZGI_PHASE_WRITING, /* the reply's body is made in pieces: reply_stream.c */
	ZGI_PHASE_REPLIED, /* replied; perhaps still being sent */
	ZGI_PHASE_CLOSING, /* the last reply of this connection is being sent */
};

/* Counters of all the exchanges of one shard; read by other threads without stopping anything. */
struct zgi_web_counters {
	uint64_t requests; /* replies made by handlers and by us */
	uint64_t responses[6]; /* by the first digit of the status */
	uint64_t handler_errors; /* handlers that failed, or did not reply */
	uint64_t body_refused; /* bodies for which no arena chunk was free */
	uint64_t read_size; /* bytes of streamed bodies that handlers were given */
	uint64_t files_from_memory; /* static files that were sent from memory */
	uint64_t files_from_descriptor;
	uint64_t streams_aborted; /* streamed replies whose end was never sent */
	uint64_t api_keys_refused; /* requests without a key that is known */
	uint64_t csrf_refused; /* requests without their session's token */
	uint64_t faults[ZGI_HTTP_FAULT_COUNT];
};

/* Whom the address that the server listens on lets in. */
enum zgi_reach {
	ZGI_REACH_ALL,
	ZGI_REACH_LOOPBACK,
	ZGI_REACH_UNIX,
};

/* What is known of the request's session. */
enum zgi_session_state {
	ZGI_SESSION_UNKNOWN, /* its cookies have not been looked at */
	ZGI_SESSION_ABSENT,
	ZGI_SESSION_KNOWN,
};

/* What the sessions of a service come to; the same for all shards. */
struct zgi_sessions {
	struct zgi_session_table table;
	bool is_secure;
	uint16_t name_size;
	char name[ZGI_SESSION_NAME_SIZE_MAX]; /* of the cookie */
};

struct zgi_access_ring;
struct zgi_api_keys;

/* What the exchanges of one shard share. */
struct zgi_web {
	const struct zgi_router *router; /* borrowed */
	struct zgi_http_limits http_limits;
	uint32_t read_buffer_size;
	uint32_t write_buffer_size;
	uint64_t body_size_max;
	uint64_t stream_size_max;
	uint32_t form_fields_max;
	bool is_draining; /* every reply closes its connection */
	struct zgi_web_counters counters;
	struct zg_pool *exchanges; /* borrowed: the pool these exchanges come from */
	struct zgi_access_ring *access_ring; /* borrowed; NULL when nobody wants to know */
	const struct zgi_api_keys *api_keys; /* borrowed; NULL when none are configured */
	enum zgi_reach reach;
	struct zgi_sessions *sessions; /* borrowed, of all shards; NULL when there are none */
	void *shard; /* borrowed: for the admin pages */
	uint32_t shard_index;
	bool has_request_hooks; /* somebody wants to know when requests start or end */
	const struct zgi_hooks *hooks; /* borrowed; NULL when there are none */
	const struct zg_peer *peers; /* borrowed: by connection; NULL when they are not kept */
	char date[ZGI_HTTP_DATE_SIZE];
};

#define ZGI_EXCHANGE_ARENA_SIZE 2048
#define ZGI_EXCHANGE_STAGING_SIZE \
	512 /* of the read buffer, kept from the head for chunked bodies */

/* A request's body on its way to the handler, a piece at a time. Pieces lie behind the request's
 * head in the read buffer: what was kept of the last one, then what has come since. */
struct zgi_exchange_read {
	zg_body_handler *handler; /* NULL until zg_body_read() */
	void *user; /* borrowed */
	uint64_t size; /* bytes of the body so far */
	uint64_t size_max;
	uint64_t size_timed; /* of those, the ones that its time was prolonged for */
	uint32_t held_size; /* bytes behind the head that are a piece, or its beginning */
	uint32_t keep_size; /* of those, the last so many are wanted again */
	bool is_last; /* the body is whole */
	bool is_waiting; /* the handler returned ZG_PENDING: no piece until it is resumed */
};

/* A reply's body on its way out, a piece at a time. */
struct zgi_exchange_write {
	zg_stream_handler *handler;
	void *user; /* borrowed */
	uint32_t chunk_offset; /* where the chunk that is being written begins, when one is */
	bool has_chunk;
	bool is_chunked; /* else the end of the connection ends it */
	bool is_waiting; /* the handler returned ZG_PENDING */
	bool has_begun; /* the handler has been called */
};

struct zg_exchange {
	/* What every request touches first. */
	uint32_t magic;
	uint32_t connection; /* the server's: whose it is */
	uint8_t phase; /* enum zgi_exchange_phase */
	bool has_replied;
	bool is_closing; /* after this reply the connection ends */
	bool has_unread_input; /* the peer may be sending more than we will read */
	bool was_named; /* a handle was given out: renew it after this request */
	bool body_is_outside; /* the body is in the arena, not in the read buffer */
	bool is_arena_used; /* something may lie in the arena: reset it after this request */
	bool is_continue_sent; /* 100 Continue was written for this request */
	bool is_sent_silently; /* the server's: the send window was handed over, and all is sent
				* unless it hears otherwise */
	bool is_streaming; /* the reply's body is made in pieces, and its end was not */
	bool is_rare; /* the server's: its connection sends a request now and then */
	uint8_t session_state; /* enum zgi_session_state */
	uint32_t read_start; /* where the present request begins in the read buffer */
	uint32_t read_size; /* bytes in the read buffer */
	uint32_t request_end; /* where the next request begins, once the body is whole */
	uint32_t write_start; /* bytes of the write buffer that have been sent */
	uint32_t write_size; /* bytes in the write buffer */
	unsigned char *read_buffer; /* behind this struct */
	unsigned char *write_buffer; /* behind the read buffer */
	struct zgi_web *web; /* borrowed */
	struct zg_slice reply_body; /* what is sent after the write buffer; empty for none. Without
				     * data but not empty, it is so many bytes of a file */
	unsigned char *reply_fields; /* whole field lines, in the arena */
	uint32_t reply_fields_size;
	uint32_t reply_fields_capacity;
	uint16_t reply_status;
	uint8_t values_set; /* one bit a value that the request was given */
	bool is_recorded; /* hooks were told of the request's start, and wait for its end */
	uint32_t reply_offset; /* where this request's reply begins in the write buffer */
	struct zgi_http_parser parser;
	struct zgi_http_request request;
	struct zgi_route_match match;

	/* What only some requests touch. */
	zg_cold(body);
	unsigned char *body; /* in the read buffer or in the arena */
	uint64_t body_size; /* bytes there so far */
	uint32_t idle_since; /* the server's: when its quiet connection became so, in ticks */
	uint64_t body_capacity; /* bytes of room, when it is in the arena */
	uint32_t staging_offset; /* chunked: where undecoded bytes begin in the read buffer */
	const struct zg_form *form; /* of the body, in the arena; NULL before it is asked for */
	struct zgi_http_chunked chunked;
	struct zgi_exchange_read read;
	struct zgi_exchange_write write;
	struct zgi_io_file file; /* of reply_body: what has been neither sent nor loaded of it */
	struct zg_slice file_loaded; /* bytes of it in the buffer, to be sent next */
	unsigned char *file_buffer; /* where it is read to: in the arena, or the write buffer */
	uint32_t file_buffer_size;
	struct zg_arena arena;
	struct zgi_session_token session; /* once it is known */
	uint64_t head_ns; /* for the access log: when the head was understood, or 0 */
	uint64_t reply_size; /* for the access log: bytes of the reply's body, or
			      * ZGI_EXCHANGE_SIZE_UNKNOWN and its like */
	zg_handle handle;
	uint32_t hand_over; /* the server's: who gets the connection after the reply; 0 for none */
	bool is_handed_over; /* the reply is one after which it does */
	uint64_t connection_number; /* the server's: of its connection */
	uint8_t before_next; /* of the chain before the handler: the step that comes next */
	uint8_t why_closing; /* enum zg_disconnect, for when the connection ends with this reply */
	bool is_after_running; /* a reply is being made, and those who come after it add to it */
	uint32_t after_fields_start; /* bytes of fields that were there before they did */
	struct zgi_request_record record; /* while is_recorded */
	void *values[ZG_VALUES_MAX]; /* borrowed; those that are set */
	alignas(ZG_ARENA_ALIGNMENT) unsigned char arena_memory[ZGI_EXCHANGE_ARENA_SIZE];
};

ZG_ON_ONE_LINE(struct zg_exchange, magic, web);
ZG_ON_ONE_LINE(struct zg_exchange, reply_body, reply_offset);
ZG_LINE_STARTS(struct zg_exchange, match);
ZG_ON_LINES(struct zg_exchange, magic, match, 6);

/* Bytes of one exchange with its buffers, for the plan and the pool. */
size_t zgi_exchange_block_size(uint32_t read_buffer_size, uint32_t write_buffer_size);

/**
 * zgi_exchange_init() - make a block of a pool an exchange, ready for a first byte
 * @x:       block of zgi_exchange_block_size() bytes; overwritten but for its buffers
 * @web:     borrowed
 * @chunks:  the shard's arena chunks; borrowed
 * @handle:  the pool's name for this block
 */
void zgi_exchange_init(struct zg_exchange *x, struct zgi_web *web, struct zg_pool *chunks,
		       zg_handle handle);

/* End an exchange: its arena's chunks go back. The block is the pool's again. */
void zgi_exchange_fini(struct zg_exchange *x);

/* Where the next bytes go; the size is 0 only when run() would not ask for more. */
void zgi_exchange_recv_window(struct zg_exchange *x, void **ret_data, size_t *ret_size);

/* So many bytes have come into the window. */
void zgi_exchange_received(struct zg_exchange *x, size_t size);

/* What is to be sent next; *ret_has_more: further windows follow at once. */
void zgi_exchange_send_window(struct zg_exchange *x, const void **ret_data, size_t *ret_size,
			      bool *ret_has_more);

/* So many bytes of the window were sent. */
void zgi_exchange_sent(struct zg_exchange *x, size_t size);

/* After WANT_SEND: is the next to be sent a part of a file, which is in no buffer? */
static inline bool zgi_exchange_sends_file(const struct zg_exchange *x)
{
	return x->reply_body.data == NULL && x->reply_body.size > 0 && x->file_loaded.size == 0 &&
	       x->write_start == x->write_size;
}

/* That part, where it can be sent without a buffer; zgi_exchange_sent() follows. */
const struct zgi_io_file *zgi_exchange_file_window(struct zg_exchange *x);

/* That part, where it has to be read first: as much of it as the buffer holds. */
void zgi_exchange_load_window(struct zg_exchange *x, struct zgi_io_file *ret_file,
			      void **ret_buffer);

/* So many bytes were read into the load window; run() follows. */
void zgi_exchange_loaded(struct zg_exchange *x, size_t size);

/* Has so much of a streamed body come that its time begins anew? Says so once. */
bool zgi_exchange_has_progressed(struct zg_exchange *x);

/* Go on as far as the buffered bytes allow, and say what is needed next. */
enum zgi_exchange_want zgi_exchange_run(struct zg_exchange *x);

/* Go on with a pending exchange; run() follows. -ESTALE when it is not pending. */
ZG_MUST_USE int zgi_exchange_resume(struct zg_exchange *x, zg_resume_handler *then, void *user);

/* Answer with a status of ours and end the connection: a time-out; run() follows. */
void zgi_exchange_fail(struct zg_exchange *x, int status, const char *text);

/* Has a request begun that has not been answered? (What decides between idle and late.) */
bool zgi_exchange_has_begun(const struct zg_exchange *x);

/* Fetch what a plain request touches of an exchange: its first lines. */
static inline void zgi_exchange_prefetch(const struct zg_exchange *x)
{
	const char *bytes = (const char *)x;

	__builtin_prefetch(bytes, 1);
	__builtin_prefetch(bytes + 64, 1);
	__builtin_prefetch(bytes + 128, 1);
	__builtin_prefetch(bytes + 192, 1);
	__builtin_prefetch(bytes + offsetof(struct zg_exchange, match), 1);
}

/* After WANT_SEND: is the send window all there is to do before the next request's first byte? */
static inline bool zgi_exchange_is_last(const struct zg_exchange *x)
{
	return x->phase == ZGI_PHASE_HEAD && x->read_size == 0 && x->reply_body.size == 0;
}

/* A step either asks the server for something (enum zgi_exchange_want) or goes on. */
#define ZGI_EXCHANGE_GO_ON (-1)

/* body_read.c: the head of a request whose body is streamed is whole. */
int zgi_exchange_read_start(struct zg_exchange *x);

/* body_read.c: hand on what there is of the body. */
int zgi_exchange_read_step(struct zg_exchange *x);

/* body_read.c: what the handler said to a piece. */
void zgi_exchange_read_handled(struct zg_exchange *x, int result);

/* reply_stream.c: let the handler make more of the reply's body, once the last piece is sent. */
int zgi_exchange_write_step(struct zg_exchange *x);

/* reply_stream.c: what the handler said after it had made a piece. */
void zgi_exchange_write_handled(struct zg_exchange *x, int result);

/* reply_stream.c: what was written of the body is sent, and then the connection ends without the
 * end of the body. */
void zgi_exchange_break_off(struct zg_exchange *x);

/* run.c: the request cannot be understood, or not be served: answer and end the connection. */
int zgi_exchange_refuse(struct zg_exchange *x, enum zgi_http_fault fault);

/* run.c: bytes of the body are missing. */
int zgi_exchange_body_wait(struct zg_exchange *x, bool has_body_bytes);

/* run.c: what a handler, or a resumed one, has returned. */
void zgi_exchange_handled(struct zg_exchange *x, int result);

/* reply.c: a head, for a body of so many bytes; ZGI_EXCHANGE_SIZE_UNKNOWN for one without a length.
 */
#define ZGI_EXCHANGE_SIZE_UNKNOWN UINT64_MAX
#define ZGI_EXCHANGE_SIZE_TO_THE_END (UINT64_MAX - 1) /* the connection's end is the body's */
ZG_MUST_USE int zgi_exchange_reply_head(struct zg_exchange *x, int status,
					struct zg_slice content_type, uint64_t size);

/* Shared by reply.c and run.c: throw away what this request has replied. */
void zgi_exchange_unreply(struct zg_exchange *x);

/* Shared by the same: a reply of our own that can only fail by a defect. */
void zgi_exchange_reply_own(struct zg_exchange *x, int status, struct zg_slice text);

/* run.c: the answer to a request that no route takes. */
ZG_MUST_USE int zgi_exchange_reply_unrouted(struct zg_exchange *x);

/* The room the head of any reply may count on, in bytes: half the write buffer. Replies to
 * pipelined requests gather in the other half. */
static inline uint32_t zgi_exchange_head_room(const struct zg_exchange *x)
{
	return x->web->write_buffer_size / 2;
}

/* Bytes of the present reply that have not been sent. */
static inline uint64_t zgi_exchange_unsent(const struct zg_exchange *x)
{
	uint32_t start = x->write_start > x->reply_offset ? x->write_start : x->reply_offset;

	return (x->write_size > start ? x->write_size - start : 0) + x->reply_body.size;
}

static inline bool zgi_exchange_has_output(const struct zg_exchange *x)
{
	return x->write_start < x->write_size || x->reply_body.size > 0;
}

#endif
