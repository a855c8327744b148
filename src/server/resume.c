/*
 * A handler that waits is resumed, and a post is sent, by any thread of the application,
 * which knows nothing of the server's end. Whoever does so is counted meanwhile, so that
 * the server can wait for the last one before it closes what they use: an eventfd that
 * was closed meanwhile could by then be somebody else's descriptor.
 */
#include "server/resume.h"

#include <errno.h>
#include <sched.h>

#include <zerog/exchange.h>

#include "base/assert.h"
#include "server/server.h"

static struct zgi_server *resume_server;
static uint64_t resume_count; /* threads inside zg_resume() or zg_shard_post() */

void zgi_resume_open(struct zgi_server *server)
{
	__atomic_store_n(&resume_server, server, __ATOMIC_SEQ_CST);
}

void zgi_resume_close(void)
{
	/* Sequentially consistent, as the two below: who is not seen here sees the NULL. */
	__atomic_store_n(&resume_server, NULL, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&resume_count, __ATOMIC_SEQ_CST) > 0)
		sched_yield();
}

/* Many threads may count the refused, unlike everywhere else. */
static int resume_send(struct zgi_shard *shard, const struct zgi_message *message,
		       uint64_t *refused)
{
	int result = zgi_inbox_send(&shard->inbox, message);

	if (result < 0)
		__atomic_fetch_add(refused, 1, __ATOMIC_RELAXED);
	else if (zgi_inbox_must_wake(&shard->inbox))
		zgi_io_wake(shard->io);
	return result;
}

static int resume_handle(struct zgi_server *server, const struct zgi_message *message)
{
	uint32_t shard_index = zg_handle_index(message->handle) / server->config.exchanges_each;
	struct zgi_shard *shard;

	if (shard_index >= server->config.shard_count || zgi_message_is_post(message))
		return -ESTALE;
	shard = server->shards[shard_index];
	return resume_send(shard, message, &shard->counters.resumes_refused);
}

struct zgi_server *zgi_resume_enter(void)
{
	__atomic_fetch_add(&resume_count, 1, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&resume_server, __ATOMIC_SEQ_CST);
}

void zgi_resume_leave(void)
{
	__atomic_fetch_sub(&resume_count, 1, __ATOMIC_RELEASE);
}

int zg_resume(zg_handle handle, zg_resume_handler *then, void *user)
{
	struct zgi_message message = {.handle = handle, .then = then, .user = user};
	struct zgi_server *server = zgi_resume_enter();
	int result = -ESTALE;

	zg_assert(then != NULL);
	if (server != NULL)
		result = resume_handle(server, &message);
	zgi_resume_leave();
	return result;
}

static int resume_post(struct zgi_server *server, uint32_t shard_index,
		       const struct zgi_message *message)
{
	struct zgi_shard *shard;

	if (shard_index >= server->config.shard_count)
		return -EINVAL;
	if (server->config.options.posts == 0)
		return -EOPNOTSUPP;
	shard = server->shards[shard_index];
	return resume_send(shard, message, &shard->async.counters.posts_refused);
}

int zg_shard_post(uint32_t shard_index, zg_post_handler *handler, void *user)
{
	struct zgi_message message = {.handle = ZG_HANDLE_NONE, .post = handler, .user = user};
	struct zgi_server *server = zgi_resume_enter();
	int result = -ESTALE;

	zg_assert(handler != NULL);
	if (server != NULL)
		result = resume_post(server, shard_index, &message);
	zgi_resume_leave();
	return result;
}
