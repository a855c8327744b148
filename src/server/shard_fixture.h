/*
 * Fixture of the shard's tests: a shard whose I/O object is a fake and whose clock
 * is the test's. Whatever a connection is sent gathers in a text a descriptor.
 *
 * It is no part of the library.
 */
#ifndef ZEROG_SERVER_SHARD_FIXTURE_H
#define ZEROG_SERVER_SHARD_FIXTURE_H

#include "io/fake_io.h"
#include "server/server.h"

#define SHARD_FIXTURE_OUTPUT_SIZE 65536

struct shard_fixture {
	struct zg_region region;
	struct zgi_server_config config;
	struct zgi_router *router;
	struct zgi_shard *shard; /* in the region */
	struct zgi_server server; /* of this one shard; it never runs */
	struct fake_io fake;
	uint64_t now_ns;
	char output[FAKE_DESCRIPTORS_MAX][SHARD_FIXTURE_OUTPUT_SIZE];
	size_t output_size[FAKE_DESCRIPTORS_MAX];
};

struct shard_fixture_options {
	uint32_t connection_limit;
	uint32_t exchange_count;
	uint32_t chunk_count;
	void (*routes)(struct zgi_router *router); /* or NULL */
	void (*change)(struct zg_options *options); /* or NULL: sets options that are not above */
	const struct zgi_hooks *hooks; /* or NULL; borrowed */
	const struct zg_shard_hooks *shard_hooks; /* likewise */
};

/* There is one fixture; it is closed before it is opened again. */
struct shard_fixture *shard_fixture_open(const struct shard_fixture_options *options);
void shard_fixture_close(struct shard_fixture *fixture);

/* Hand what the fake has made to the shard, until nothing more comes at once. */
void shard_fixture_turn(struct shard_fixture *fixture);

/* So many ticks pass, one turn each. */
void shard_fixture_pass(struct shard_fixture *fixture, uint32_t tick_count);

/* A peer connects, and a turn. Return: its descriptor. */
uint32_t shard_fixture_connect(struct shard_fixture *fixture);

/* A peer sends a text, however often it has to be received, with turns; replies are taken. */
void shard_fixture_send(struct shard_fixture *fixture, uint32_t descriptor, const char *text);

/* The peer takes all that it is sent, with turns. */
void shard_fixture_take(struct shard_fixture *fixture, uint32_t descriptor);

/* What was offloaded is done, on this thread, in the order it was given; then a turn. */
void shard_fixture_work(struct shard_fixture *fixture);

/* The operation in flight ends so, and a turn. */
void shard_fixture_complete(struct shard_fixture *fixture, uint32_t descriptor, int32_t result);

/* What the peer has got since this was asked last, NUL-terminated; good until the next turn. */
const char *shard_fixture_output(struct shard_fixture *fixture, uint32_t descriptor);

static inline enum zgi_connection_state shard_fixture_state(const struct shard_fixture *fixture,
							    uint32_t descriptor)
{
	return (enum zgi_connection_state)fixture->shard->connections[descriptor].state;
}

#endif
