/*
 * A handler that waits is resumed by any thread of the application, which knows
 * nothing of the server's end. Whoever resumes is counted while it does, so that the
 * server can wait for the last one before it closes what they use: an eventfd that
 * was closed meanwhile could by then be somebody else's descriptor.
 */
#include "server/resume.h"

#include <errno.h>
#include <sched.h>

#include <zerog/exchange.h>

#include "base/assert.h"
#include "server/server.h"

static struct zgi_server *resume_server;
static uint64_t resume_count; /* threads inside zg_resume() */

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

static int resume_send(struct zgi_server *server, const struct zgi_message *message)
{
	uint32_t shard_index = zg_handle_index(message->handle) / server->config.exchanges_each;
	struct zgi_shard *shard;
	int result;

	if (shard_index >= server->config.shard_count)
		return -ESTALE;
	shard = server->shards[shard_index];
	result = zgi_inbox_send(&shard->inbox, message);
	if (result == 0)
		zgi_io_wake(shard->io);
	else
		/* Many threads may count here, unlike everywhere else. */
		__atomic_fetch_add(&shard->counters.resumes_refused, 1, __ATOMIC_RELAXED);
	return result;
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
	struct zgi_server *server;
	int result = -ESTALE;

	zg_assert(then != NULL);
	server = zgi_resume_enter();
	if (server != NULL)
		result = resume_send(server, &message);
	zgi_resume_leave();
	return result;
}
