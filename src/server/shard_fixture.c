/*
 * The shard is made as boot makes it, from a configuration and a region; then its
 * I/O object, which was never started, makes place for the fake.
 */

#include "server/shard_fixture.h"

#include <string.h>

#include "base/assert.h"

#define FIXTURE_STEPS_A_TICK 50 /* as fine as the sweep spreads what ends */

static struct shard_fixture fixture_only;

static void fixture_sent(void *user, uint32_t descriptor, const unsigned char *bytes, size_t size)
{
	struct shard_fixture *fixture = user;
	size_t used = fixture->output_size[descriptor];

	zg_assert(used + size < SHARD_FIXTURE_OUTPUT_SIZE);
	memcpy(fixture->output[descriptor] + used, bytes, size);
	fixture->output_size[descriptor] = used + size;
}

static void fixture_configure(struct shard_fixture *fixture,
			      const struct shard_fixture_options *options)
{
	char buffer[512];
	struct zg_text error;
	struct zg_options flags;

	zg_text_init(&error, buffer, sizeof(buffer));
	zg_options_init(&flags);
	flags.io = ZG_IO_EPOLL;
	flags.shards = 1;
	flags.connections = options->connection_limit;
	flags.exchanges = options->exchange_count;
	flags.arena_chunks = options->chunk_count;
	if (options->change != NULL)
		options->change(&flags);

	int result = zgi_server_configure(&flags, &fixture->config, &error);

	zg_assert(result == 0);
}

struct shard_fixture *shard_fixture_open(const struct shard_fixture_options *options)
{
	struct shard_fixture *fixture = &fixture_only;
	void *memory;
	int result;

	memset(fixture, 0, sizeof(*fixture));
	fixture_configure(fixture, options);
	result = zgi_router_create(&fixture->router);
	zg_assert(result == 0);
	if (options->routes != NULL)
		options->routes(fixture->router);
	result = zgi_router_finish(fixture->router, &(struct zg_text){0});
	zg_assert(result == 0);
	result = zg_region_init(
		&fixture->region,
		&(struct zg_region_options){.size = zgi_server_carved_size(&fixture->config, 1)});
	zg_assert(result == 0);
	result = zg_region_carve(&fixture->region, fixture->config.shard_size, 64, &memory);
	zg_assert(result == 0);
	fixture->shard = memory;
	zgi_workers_init(&fixture->server.offload);
	result = zgi_shard_init(fixture->shard,
				&(struct zgi_shard_options){.config = &fixture->config,
							    .router = fixture->router,
							    .hooks = options->hooks,
							    .shard_hooks = options->shard_hooks,
							    .offload = &fixture->server.offload,
							    .flushers = &fixture->server.flushers,
							    .server = &fixture->server,
							    .listen_fd = -1},
				&fixture->region);
	zg_assert(result == 0);
	fixture->server.config = fixture->config;
	fixture->server.shards[0] = fixture->shard;
	zgi_io_destroy(fixture->shard->io);
	fake_io_init(&fixture->fake, FAKE_DESCRIPTORS_MAX);
	fixture->fake.on_sent = fixture_sent;
	fixture->fake.user = fixture;
	fixture->fake.window_shared = fixture->shard->discard;
	fixture->shard->io = &fixture->fake.io;
	fixture->now_ns = fixture->shard->started_ns;
	shard_fixture_turn(fixture);
	return fixture;
}

void shard_fixture_close(struct shard_fixture *fixture)
{
	zgi_shard_fini(fixture->shard);
	zgi_router_destroy(fixture->router);
	zg_region_fini(&fixture->region);
}

void shard_fixture_turn(struct shard_fixture *fixture)
{
	do {
		int count = zgi_io_wait(fixture->shard->io, 0, fixture->shard->events);

		zg_assert(count >= 0);
		zgi_shard_turn(fixture->shard, (uint32_t)count, fixture->now_ns);
	} while (fixture->fake.event_count > 0);
}

void shard_fixture_pass(struct shard_fixture *fixture, uint32_t tick_count)
{
	for (uint32_t step = 0; step < tick_count * FIXTURE_STEPS_A_TICK; step++) {
		fixture->now_ns += ZGI_TICK_NS / FIXTURE_STEPS_A_TICK;
		shard_fixture_turn(fixture);
	}
}

uint32_t shard_fixture_connect(struct shard_fixture *fixture)
{
	int descriptor = fake_io_accept(&fixture->fake);

	zg_assert(descriptor >= 0);
	fixture->output_size[descriptor] = 0;
	shard_fixture_turn(fixture);
	return (uint32_t)descriptor;
}

void shard_fixture_take(struct shard_fixture *fixture, uint32_t descriptor)
{
	struct fake_io *fake = &fixture->fake;

	while (fake->descriptors[descriptor].is_open &&
	       fake_io_operation(fake, descriptor) == FAKE_SEND)
		shard_fixture_complete(fixture, descriptor,
				       (int32_t)fake->descriptors[descriptor].size);
	if (fake->descriptors[descriptor].is_open)
		fake_io_flush(fake, descriptor);
}

void shard_fixture_send(struct shard_fixture *fixture, uint32_t descriptor, const char *text)
{
	struct fake_io *fake = &fixture->fake;
	size_t left = strlen(text);

	while (left > 0) {
		size_t received = fake_io_deliver(fake, descriptor, text, left);

		shard_fixture_turn(fixture);
		shard_fixture_take(fixture, descriptor);
		text += received;
		left -= received;
		/* A connection that waits for an exchange is not read. */
		if (left > 0 && fake_io_operation(fake, descriptor) == FAKE_NONE)
			return;
	}
}

void shard_fixture_work(struct shard_fixture *fixture)
{
	struct zgi_work *work = fixture->server.offload.pushed;
	struct zgi_work *turned = NULL;

	fixture->server.offload.pushed = NULL;
	while (work != NULL) {
		struct zgi_work *next = work->next;

		work->next = turned;
		turned = work;
		work = next;
	}
	while (turned != NULL) {
		struct zgi_work *next = turned->next;

		turned->run(turned);
		turned = next;
	}
	fake_io_woken(&fixture->fake);
	shard_fixture_turn(fixture);
}

void shard_fixture_complete(struct shard_fixture *fixture, uint32_t descriptor, int32_t result)
{
	fake_io_complete(&fixture->fake, descriptor, result);
	shard_fixture_turn(fixture);
}

const char *shard_fixture_output(struct shard_fixture *fixture, uint32_t descriptor)
{
	if (fixture->fake.descriptors[descriptor].is_open)
		fake_io_flush(&fixture->fake, descriptor);
	fixture->output[descriptor][fixture->output_size[descriptor]] = '\0';
	fixture->output_size[descriptor] = 0;
	return fixture->output[descriptor];
}
