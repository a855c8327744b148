/*
 * What is shared lies in a region of its own, on no node in particular: the shards of
 * every node use it.
 */
#include "server/shared.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "base/file.h"
#include "server/plan_lines.h"
#include "web/session.h"

#define SHARED_KEYS_FILE_SIZE_MAX 65536

static bool shared_has_sessions(const struct zgi_server_config *config)
{
	return config->options.session.value_size > 0;
}

static struct zg_region_options shared_region(const struct zgi_server_config *config)
{
	const struct zgi_session_table_options table = zgi_sessions_table_options(&config->options);

	return (struct zg_region_options){
		.size = zgi_session_table_memory_size(&table),
		.name = "sessions",
		.pages = config->options.huge_pages,
		.lock = config->options.lock_memory,
	};
}

static int shared_plan_sessions(const struct zgi_server_config *config, struct zg_plan *plan)
{
	const size_t value_size = config->options.session.value_size;
	const size_t size = zgi_session_size((uint32_t)value_size);
	const struct zg_plan_line line = {
		.name = "sessions",
		.option = "--sessions",
		.holders = {{"--sessions", config->options.sessions}},
		.parts = {{"id, token, times and links", sizeof(struct zgi_session)},
			  {"the application's value", value_size},
			  {"rounding", size - sizeof(struct zgi_session) - value_size}},
		.exhausted = "the longest idle is evicted; when it was used within "
			     "--session-keep-ms, the new one is refused with 503",
		.counter = "zerog_sessions_evicted_total, zerog_sessions_refused_total",
	};

	return zg_plan_add(plan, &line, "--sessions, over all shards");
}

static int shared_plan_tables(const struct zgi_server_config *config, struct zg_plan *plan)
{
	const struct zg_region_options region = shared_region(config);
	const uint32_t count = (uint32_t)config->options.sessions;
	const uint64_t stripes = zgi_session_stripe_count(count);
	const uint64_t buckets = stripes * zgi_session_bucket_count(count) * sizeof(uint32_t);
	const uint64_t sessions =
		count * zgi_session_size((uint32_t)config->options.session.value_size);
	const struct zg_plan_line line = {
		.name = "session tables",
		.option = "--sessions",
		.count = 1,
		.parts = {{"locks and counters", stripes * sizeof(struct zgi_session_stripe)},
			  {"hash tables", buckets},
			  {"rounding up to whole pages",
			   zg_region_size(&region) - sessions - buckets -
				   stripes * sizeof(struct zgi_session_stripe)}},
	};

	return zg_plan_add(plan, &line, "%" PRIu64 " locks, and where each session is found",
			   stripes);
}

int zgi_shared_plan(const struct zgi_server_config *config, struct zg_plan *plan)
{
	int result;

	if (!shared_has_sessions(config))
		return 0;
	result = shared_plan_sessions(config, plan);
	if (result == 0)
		result = shared_plan_tables(config, plan);
	return result;
}

/* Whom the address that is listened on lets in. */
static enum zgi_reach shared_reach(const struct zgi_address *address)
{
	const struct sockaddr_storage *storage = &address->storage;

	if (storage->ss_family == AF_UNIX)
		return ZGI_REACH_UNIX;
	if (storage->ss_family == AF_INET) {
		const struct sockaddr_in *ipv4 = (const void *)storage;

		return ntohl(ipv4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET ? ZGI_REACH_LOOPBACK
									    : ZGI_REACH_ALL;
	}
	if (storage->ss_family == AF_INET6) {
		const struct sockaddr_in6 *ipv6 = (const void *)storage;

		return IN6_IS_ADDR_LOOPBACK(&ipv6->sin6_addr) ? ZGI_REACH_LOOPBACK : ZGI_REACH_ALL;
	}
	return ZGI_REACH_ALL;
}

static int shared_sessions_init(struct zgi_shared *shared, const struct zgi_server_config *config,
				struct zg_text *ret_error)
{
	struct zg_region_options options = shared_region(config);
	size_t size = options.size;
	void *memory = NULL;
	int result;

	if (!shared_has_sessions(config))
		return 0;
	options.error = ret_error;
	result = zg_region_init(&shared->region, &options);
	if (result == 0)
		result = zg_region_carve(&shared->region, size, ZG_LINE_SIZE, &memory);
	if (result < 0) {
		zg_text_print(ret_error, "; lower --sessions");
		return result;
	}
	zgi_sessions_init(&shared->sessions, &config->options, memory);
	shared->has_sessions = true;
	return 0;
}

static int shared_keys_init(struct zgi_shared *shared, const struct zgi_server_config *config,
			    struct zg_text *ret_error)
{
	static char text[SHARED_KEYS_FILE_SIZE_MAX];
	const char *path = config->options.api_keys_file;
	size_t size;
	int result;

	if (path[0] == '\0')
		return 0;
	result = zgi_file_read(path, text, sizeof(text), &size);
	if (result < 0) {
		zg_text_print(ret_error, "--api-keys-file %s cannot be read: %s", path,
			      strerrordesc_np(-result));
		return result;
	}
	if (size == sizeof(text) - 1) {
		zg_text_print(ret_error, "--api-keys-file %s is larger than %zu bytes", path,
			      sizeof(text) - 2);
		result = -EFBIG;
	} else {
		result = zgi_api_keys_parse(&shared->api_keys, path, (struct zg_slice){text, size},
					    ret_error);
	}
	/* From here on only the digests are known. */
	explicit_bzero(text, sizeof(text));
	shared->has_api_keys = result == 0;
	return result;
}

int zgi_shared_init(struct zgi_shared *shared, const struct zgi_server_config *config,
		    struct zg_text *ret_error)
{
	int result = shared_keys_init(shared, config, ret_error);

	shared->reach = shared_reach(&config->address);
	if (result == 0)
		result = shared_sessions_init(shared, config, ret_error);
	return result;
}

void zgi_shared_lend(struct zgi_shared *shared, struct zgi_web *web)
{
	web->sessions = shared->has_sessions ? &shared->sessions : NULL;
	web->api_keys = shared->has_api_keys ? &shared->api_keys : NULL;
	web->reach = shared->reach;
}

void zgi_shared_fini(struct zgi_shared *shared)
{
	zgi_sessions_fini(&shared->sessions);
	zg_region_fini(&shared->region);
	shared->has_sessions = false;
}
