/*
 * Jobs that block, done by threads apart. A job goes to the workers in its place of the
 * shard's table, and comes back through a list of the shard's that needs no memory
 * either: so no result is ever lost for want of room.
 *
 * While a job is with the workers, only its run, user and is_cancelled are looked at by
 * both. A job whose exchange has ended is cancelled by the shard, which looks after
 * them once a tick: nobody who ends an exchange has to know of jobs.
 */
#include <errno.h>

#include "base/assert.h"
#include "base/counter.h"
#include "server/shard.h"

#define JOBS_SWEPT_A_TICK 256U

/* On a worker's thread. */
static void job_run(struct zgi_work *work)
{
	struct zg_job *job = (struct zg_job *)(void *)work;
	struct zg_shard *shard = job->shard;
	struct zgi_work **finished = &shard->jobs.finished;
	struct zgi_io *io = zgi_shard_of(shard)->io;

	job->status = zg_job_is_cancelled(job) ? -ECANCELED : 0;
	if (job->status == 0)
		job->run(job, job->user);
	work->next = __atomic_load_n(finished, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(finished, &work->next, work, true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
	/* The job may be another's by now: nothing of it is touched any more. */
	zgi_io_wake(io);
}

bool zg_job_is_cancelled(const struct zg_job *job)
{
	return __atomic_load_n(&job->is_cancelled, __ATOMIC_RELAXED) != 0;
}

/* Give the workers a job that is all but the place it takes. */
static int job_start(struct zg_shard *shard, const struct zg_job *asked)
{
	struct zgi_jobs *jobs = &shard->jobs;
	struct zg_job *job;

	zg_assert(shard->magic == ZGI_ASYNC_MAGIC);
	zg_assert(asked->run != NULL);
	if (jobs->count == 0)
		return -EOPNOTSUPP;
	if (jobs->free_first == NULL) {
		zgi_counter_add(&shard->counters.jobs_refused, 1);
		return -EAGAIN;
	}
	job = (struct zg_job *)(void *)jobs->free_first;
	jobs->free_first = job->work.next;
	*job = *asked;
	job->work.run = job_run;
	job->shard = shard;
	zgi_gauge_set(&jobs->live_count, jobs->live_count + 1);
	zgi_counter_add(&shard->counters.jobs, 1);
	zgi_workers_push(jobs->workers, &job->work);
	return 0;
}

int zg_offload(struct zg_shard *shard, zg_job_work *work, zg_job_done *done, void *user)
{
	zg_assert(done != NULL);
	return job_start(shard, &(struct zg_job){.run = work, .done = done, .user = user});
}

int zg_offload_exchange(struct zg_exchange *x, zg_job_work *work, zg_job_then *then, void *user)
{
	zg_assert(then != NULL);
	return job_start(zg_exchange_shard(x), &(struct zg_job){
						       .run = work,
						       .then = then,
						       .user = user,
						       .exchange = zg_exchange_handle(x),
					       });
}

/* The exchange that waits for a job; NULL when it has ended. A handle that went stale is no misuse
 * here, so the pool is not asked for it. */
static struct zg_exchange *job_exchange(struct zgi_shard *shard, zg_handle handle)
{
	uint32_t number = zg_handle_index(handle) - shard->index * shard->exchanges.block_count;
	struct zg_exchange *x = zgi_shard_exchange_at(shard, number);

	zg_assert(number < shard->exchanges.block_count);
	if (!zg_pool_is_taken(&shard->exchanges, number) || x->handle.bits != handle.bits ||
	    x->phase != ZGI_PHASE_PENDING)
		return NULL;
	return x;
}

static void job_then(struct zgi_shard *shard, const struct zg_job *job)
{
	struct zg_exchange *x = job_exchange(shard, job->exchange);

	/* Cancelled and yet there: the next request of the same exchange cannot have its handle. */
	if (x == NULL || job->status < 0) {
		zgi_counter_add(&shard->async.counters.jobs_cancelled, 1);
		(void)job->then(NULL, job->user);
		return;
	}

	int result = zgi_exchange_resume(x, job->then, job->user);

	zg_assert(result == 0);
	zgi_counter_add(&shard->counters.resumed, 1);
	zgi_connection_resumed(shard, x->connection);
}

static void job_finish(struct zg_shard *shard, struct zg_job *place)
{
	struct zg_job job = *place;

	/* Its place is free before it is told, so that it may offload again. */
	*place = (struct zg_job){.work.next = shard->jobs.free_first};
	shard->jobs.free_first = &place->work;
	zgi_gauge_set(&shard->jobs.live_count, shard->jobs.live_count - 1);
	if (job.then != NULL) {
		job_then(zgi_shard_of(shard), &job);
		return;
	}
	if (job.status < 0)
		zgi_counter_add(&shard->counters.jobs_cancelled, 1);
	job.done(shard, job.status, job.user);
}

void zgi_jobs_finish(struct zg_shard *shard)
{
	struct zgi_work *work;
	struct zgi_work *turned = NULL;

	if (shard->jobs.live_count == 0)
		return;
	work = __atomic_exchange_n(&shard->jobs.finished, NULL, __ATOMIC_ACQUIRE);
	while (work != NULL) {
		struct zgi_work *next = work->next;

		work->next = turned;
		turned = work;
		work = next;
	}
	while (turned != NULL) {
		struct zgi_work *next = turned->next;

		job_finish(shard, (struct zg_job *)(void *)turned);
		turned = next;
	}
}

static void job_cancel(struct zg_job *job)
{
	__atomic_store_n(&job->is_cancelled, 1, __ATOMIC_RELAXED);
}

void zgi_jobs_sweep(struct zg_shard *shard, uint32_t tick)
{
	struct zgi_jobs *jobs = &shard->jobs;
	uint32_t count = jobs->count < JOBS_SWEPT_A_TICK ? jobs->count : JOBS_SWEPT_A_TICK;

	if (jobs->live_count == 0 || jobs->sweep_tick == tick)
		return;
	jobs->sweep_tick = tick;
	for (; count > 0; count--) {
		struct zg_job *job = &jobs->table[jobs->sweep_hand];

		jobs->sweep_hand = jobs->sweep_hand + 1 == jobs->count ? 0 : jobs->sweep_hand + 1;
		if (job->run != NULL && job->then != NULL &&
		    job_exchange(zgi_shard_of(shard), job->exchange) == NULL)
			job_cancel(job);
	}
}

void zgi_jobs_abandon(struct zg_shard *shard)
{
	for (uint32_t index = 0; index < shard->jobs.count; index++)
		if (shard->jobs.table[index].run != NULL)
			job_cancel(&shard->jobs.table[index]);
}
