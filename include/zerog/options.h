/*
 * Options: what a service may be told, and the one table of its limits.
 *
 * Flags, variables of the environment, lines of a file, their validation, `--help` and
 * the reference page are all made from ZG_LIMITS. A limit that is not in this table does not exist.
 */
#ifndef ZEROG_OPTIONS_H
#define ZEROG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/plan.h>
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
	X(stream_size_max, "stream-size-max", "bytes", 0, 1073741824, 1099511627776,         \
	  "The largest body of a route that streams its bodies; the route may allow less.")  \
	X(form_fields_max, "form-fields-max", "fields", 1, 64, 4096,                         \
	  "Fields a form may have; zg_request_form() returns -E2BIG for more.")              \
	X(arena_chunks, "arena-chunks", "chunks", 1, 32, 262144,                             \
	  "Arena chunks, over all shards, for bodies and fields that outgrow an exchange.")  \
	X(static_files, "static-files", "files", 1, 256, 65536,                              \
	  "Files that the folders of zg_static() may hold together; each is held open.")     \
	X(static_memory_size, "static-memory-size", "bytes", 0, 1048576, 1073741824,         \
	  "Memory for the contents of static files of at most 64 KiB; others are sent.")     \
	X(subscribers, "subscribers", "subscribers", 1, 256, 1000000,                        \
	  "Clients that may be subscribed to events at once, over all shards.")              \
	X(topic_events, "topic-events", "events", 1, 64, 65536,                              \
	  "Events a topic keeps, for subscribers that come back or are slow.")               \
	X(event_size_max, "event-size-max", "bytes", 128, 1024, 1048576,                     \
	  "An event's largest size as it is sent, with its id and field names.")             \
	X(event_heartbeat_ms, "event-heartbeat-ms", "ms", 100, 15000, 3600000,               \
	  "How long a subscriber hears nothing before it is sent a comment.")                \
	X(guest_live_size_max, "guest-live-size-max", "bytes", 0, 0, 68719476736,            \
	  "What libraries may hold of the guest heap at once, to check it by; 0: not told.") \
	X(guest_block_size_max, "guest-block-size-max", "bytes", 16, 65536, 68719476736,     \
	  "The largest block libraries ask the guest heap for, for the same check.")         \
	X(scratch_size_max, "scratch-size-max", "bytes", 256, 1048576, 67108864,             \
	  "The most a scratch may grow to in an arena, where its declaration has no limit.") \
	X(guest_heap_size, "guest-heap-size", "bytes", 0, 0, 34359738368,                    \
	  "A heap for libraries that allocate while serving, in steps of 4 MiB; 0: none.")   \
	X(sessions, "sessions", "sessions", 1, 10000, 16000000,                              \
	  "Sessions there may be at once, over all shards, in services that have them.")     \
	X(session_idle_ms, "session-idle-ms", "ms", 100, 1800000, 31536000000,               \
	  "How long a session lives on unused.")                                             \
	X(session_life_ms, "session-life-ms", "ms", 100, 86400000, 31536000000,              \
	  "How long a session lives in all since its start or its last rotation.")           \
	X(session_keep_ms, "session-keep-ms", "ms", 0, 60000, 31536000000,                   \
	  "How long after its last use a session is not evicted; new ones get 503 instead.") \
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
	X(posts, "posts", "posts", 0, 0, 1048576,                                            \
	  "Posts that may wait for a shard to run them, each shard; 0: none.")               \
	X(flushes, "flushes", "flushes", 0, 0, 64,                                           \
	  "Flushes of files that may be under way at once, each shard; 0: none.")            \
	X(offload_threads, "offload-threads", "threads", 0, 0, 64,                           \
	  "Threads for jobs that block; 0: none.")                                           \
	X(offload_jobs, "offload-jobs", "jobs", 1, 64, 65536,                                \
	  "Jobs that may wait for such a thread or be run by one, over all shards.")         \
	X(offload_stack_size, "offload-stack-size", "bytes", 65536, 262144, 16777216,        \
	  "The stack of such a thread; libraries may want more than one's own code.")        \
	X(watches, "watches", "descriptors", 0, 0, 4096,                                     \
	  "Descriptors of libraries that may be watched, each shard; 0: none.")              \
	X(timers, "timers", "timers", 0, 0, 1048576,                                         \
	  "Timers that may run at once, each shard; 0: none.")                               \
	X(access_log_records, "access-log-records", "records", 16, 8192, 1048576,            \
	  "Lines of the access log that may wait to be written, a shard; more are dropped.") \
	X(backlog, "backlog", "connections", 1, 4096, 65535,                                 \
	  "Connections the kernel may hold that have not been accepted yet, a shard.")

enum zg_io_kind {
	ZG_IO_AUTO, /* io_uring where the kernel lets us, else epoll */
	ZG_IO_URING,
	ZG_IO_EPOLL,
};

enum zg_access_log_format {
	ZG_ACCESS_LOG_COMMON,
	ZG_ACCESS_LOG_JSON,
};

#define ZG_LISTEN_SIZE 128
#define ZG_EXPLAIN_SIZE 64
#define ZG_PATH_SIZE 256
#define ZG_OPTIONS_ADDED_MAX 32

/*
 * An option of the application's own. It is set by a flag, the environment or a file like any
 * other, and stands in --help before ours.
 */
struct zg_option {
	const char *flag; /* static text, without the dashes, as "store": lower case, digits, "-" */
	const char *values; /* static text: what it takes, and its default */
	const char *sentence; /* static text: what it does */
	/* Takes a value, NUL-terminated and gone when it returns. Return: 0; -EINVAL and a sentence
	 * that names the flag. Whence options come is read one after the other, so that it may be
	 * called more than once: the last value counts. */
	int (*set)(const char *value, void *user, struct zg_text *ret_error);
	void *user; /* borrowed; passed to set */
};

/* What zg_sessions() takes (session.h); a value_size of 0: no sessions. */
struct zg_session_options {
	size_t value_size; /* bytes of what the application keeps of one browser */
	const char *name; /* borrowed, of the cookie; NULL: "session" */
	bool is_secure; /* the service is behind TLS: "__Host-" goes before the name, and browsers
			 * send the cookie over HTTPS only */
};

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
	bool print_routes; /* --routes: print the routes and exit */
	char explain[ZG_EXPLAIN_SIZE]; /* --explain: the line of the plan to take apart; or empty */
	bool print_help; /* --help */
	uint32_t topics; /* no flag: how many zg_topic_init() has made */
	uint32_t admin_topics; /* no flag: how many of them zg_admin_routes() has made */
	uint32_t static_folders; /* no flag: how many zg_static() has registered */
	char access_log[ZG_PATH_SIZE]; /* "-" is standard output; empty: none */
	enum zg_access_log_format access_log_format;
	char config_file[ZG_PATH_SIZE]; /* empty: none */
	char api_keys_file[ZG_PATH_SIZE]; /* security.h says what is in it; empty: none */
	struct zg_session_options session; /* the application's, not a flag */
	const struct zg_option *added[ZG_OPTIONS_ADDED_MAX]; /* borrowed */
	uint32_t added_count;
	int (*plan)(struct zg_plan *plan, void *user); /* no flag: zg_app_plan() */
	void *plan_user; /* borrowed */
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
 * zg_options_read() - read the file of --config, the environment, and command line flags
 * @options:    initialised, with the application's own defaults
 * @argc:       as main's
 * @argv:       as main's
 * @ret_error:  on failure, one sentence that names the flag, the variable, or the file and line
 *
 * A flag goes before a variable ZEROG_NAME, and that before the file, which --config, ZEROG_CONFIG
 * or the application's own config_file names. Variables that are empty count as not there. With
 * --help nothing but the flags is read.
 *
 * Return: 0; -EINVAL; -errno when the file cannot be read. Boot only: getenv(3).
 */
ZG_MUST_USE int zg_options_read(struct zg_options *options, int argc, char **argv,
				struct zg_text *ret_error);

/**
 * zg_options_add() - have an option of one's own
 * @options:  initialised
 * @option:   borrowed for the life of @options; ZG_OPTIONS_ADDED_MAX of them is asserted
 */
void zg_options_add(struct zg_options *options, const struct zg_option *option);

/**
 * zg_options_help() - every flag with its default, its range and its sentence
 * @options:  initialised
 * @text:     appended to
 */
void zg_options_help(const struct zg_options *options, struct zg_text *text);

ZG_END_DECLS

#endif
