/*
 * Options: what a service may be told, and the one table of its limits.
 *
 * Flags, their validation, `--help` and the reference page are all made from
 * ZG_LIMITS. A limit that is not in this table does not exist.
 */
#ifndef ZEROG_OPTIONS_H
#define ZEROG_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/region.h>
#include <zerog/seal.h>
#include <zerog/text.h>

ZG_BEGIN_DECLS

/* X(field, flag, unit, minimum, default, maximum, sentence) */
#define ZG_LIMITS(X)                                                                         \
	X(connections, "connections", "connections", 1, 10000, 16000000,                     \
	  "How many connections may be open at once, over all shards.")                      \
	X(exchanges, "exchanges", "exchanges", 1, 512, 262144,                               \
	  "How many requests may be in flight at once, over all shards.")                    \
	X(shards, "shards", "threads", 0, 0, 1024,                                           \
	  "Threads that serve; 0 is one a core, more where RLIMIT_NOFILE asks for it.")      \
	X(read_buffer_size, "read-buffer-size", "bytes", 1024, 8192, 65024,                  \
	  "An exchange's read buffer; a request's head must fit it less 512 bytes.")         \
	X(write_buffer_size, "write-buffer-size", "bytes", 1024, 8192, 1048576,              \
	  "An exchange's write buffer; larger bodies are sent from where they are.")         \
	X(fields_max, "fields-max", "header fields", 16, 64, 1024,                           \
	  "Header fields a request may have; more are answered with 431.")                   \
	X(body_size_max, "body-size-max", "bytes", 0, 65536, 67108864,                       \
	  "A request body's largest size; more is answered with 413.")                       \
	X(arena_chunks, "arena-chunks", "chunks", 1, 32, 262144,                             \
	  "Arena chunks, over all shards, for bodies and fields that outgrow an exchange.")  \
	X(guest_live_size_max, "guest-live-size-max", "bytes", 0, 0, 68719476736,            \
	  "What libraries may hold of the guest heap at once, to check it by; 0: not told.") \
	X(guest_block_size_max, "guest-block-size-max", "bytes", 16, 65536, 68719476736,     \
	  "The largest block libraries ask the guest heap for, for the same check.")         \
	X(scratch_size_max, "scratch-size-max", "bytes", 256, 1048576, 67108864,             \
	  "The most a scratch may grow to in an arena, where its declaration has no limit.") \
	X(guest_heap_size, "guest-heap-size", "bytes", 0, 0, 34359738368,                    \
	  "A heap for libraries that allocate while serving, in steps of 4 MiB; 0: none.")   \
	X(header_timeout_ms, "header-timeout-ms", "ms", 100, 10000, 3600000,                 \
	  "How long a request's head may take to arrive.")                                   \
	X(body_timeout_ms, "body-timeout-ms", "ms", 100, 20000, 3600000,                     \
	  "How long a request's body may take to arrive.")                                   \
	X(idle_timeout_ms, "idle-timeout-ms", "ms", 100, 600000, 86400000,                   \
	  "How long a connection may wait for its next request.")                            \
	X(write_timeout_ms, "write-timeout-ms", "ms", 100, 20000, 3600000,                   \
	  "How long a peer may take to accept one send of a response.")                      \
	X(handler_timeout_ms, "handler-timeout-ms", "ms", 100, 30000, 3600000,               \
	  "How long a handler that returned ZG_PENDING may take to resume.")                 \
	X(exchange_wait_ms_max, "exchange-wait-ms-max", "ms", 0, 1000, 600000,               \
	  "How long a request may wait for a free exchange before it is answered with 503.") \
	X(drain_timeout_ms, "drain-timeout-ms", "ms", 0, 10000, 3600000,                     \
	  "How long SIGTERM waits for requests in flight.")                                  \
	X(backlog, "backlog", "connections", 1, 4096, 65535,                                 \
	  "Connections the kernel may hold that have not been accepted yet, a shard.")

enum zg_io_kind {
	ZG_IO_AUTO, /* io_uring where the kernel lets us, else epoll */
	ZG_IO_URING,
	ZG_IO_EPOLL,
};

#define ZG_LISTEN_SIZE 128
#define ZG_EXPLAIN_SIZE 64

struct zg_options {
	char listen[ZG_LISTEN_SIZE]; /* "127.0.0.1:60000", "[::1]:60000", "unix:/run/app.sock" */
	enum zg_io_kind io;
	enum zg_seal_mode seal;
	bool track; /* pools keep where their blocks are taken and given */
	enum zg_region_pages huge_pages; /* SMALL, TRANSPARENT, EXPLICIT or EXPLICIT_ONLY */
	enum zg_region_want lock_memory;
	bool numa; /* memory and threads keep to their node, where there is more than one */
	bool peer_addresses; /* handlers may ask where a connection comes from: zg_request_peer() */
	bool print_plan; /* --plan: print the plan and exit */
	char explain[ZG_EXPLAIN_SIZE]; /* --explain: the line of the plan to take apart; or empty */
	bool print_help; /* --help */
#define ZG_LIMIT_FIELD(field, flag, unit, minimum, initial, maximum, sentence) uint64_t field;
	ZG_LIMITS(ZG_LIMIT_FIELD)
#undef ZG_LIMIT_FIELD
};

/**
 * zg_options_init() - every option at its default
 * @options:  the caller's; overwritten
 */
void zg_options_init(struct zg_options *options);

/**
 * zg_options_parse() - read command line flags, `--flag value` or `--flag=value`
 * @options:    initialised; changed flag by flag
 * @argc:       as main's
 * @argv:       as main's; argv[0] is passed over
 * @ret_error:  on failure, one sentence that names the flag and what it takes
 *
 * Return: 0; -EINVAL when a flag is unknown, lacks its value, or is out of range.
 */
ZG_MUST_USE int zg_options_parse(struct zg_options *options, int argc, char **argv,
				 struct zg_text *ret_error);

/**
 * zg_options_help() - every flag with its default, its range and its sentence
 * @text:  appended to
 */
void zg_options_help(struct zg_text *text);

ZG_END_DECLS

#endif
