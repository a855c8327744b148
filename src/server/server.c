/*
 * The life of a server. What boot takes it gives back in reverse order, whichever
 * step failed; the seal lies between two barriers, when every thread has been
 * started and none serves yet.
 */

#include "server/server.h"

#include <zerog/fault.h>
#include <zerog/scratch.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <zerog/guest_heap.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/thread.h"
#include "server/admin/live.h"
#include "server/leaks.h"
#include "server/resume.h"

#define SERVER_PAGE_SIZE 4096

uint64_t zgi_server_sum(const struct zgi_server *server, size_t offset)
{
	uint64_t sum = 0;

	for (uint32_t index = 0; index < server->config.shard_count; index++) {
		const char *shard = (const char *)server->shards[index];

		sum += zgi_counter_read((const uint64_t *)(const void *)(shard + offset));
	}
	return sum;
}

void zgi_server_faults(const struct zgi_server *server, struct zgi_server_faults *ret_faults)
{
	struct rusage usage;
	int result = getrusage(RUSAGE_SELF, &usage);

	zg_assert(result == 0);
	*ret_faults = (struct zgi_server_faults){
		.minor = (uint64_t)usage.ru_minflt - server->faults_at_seal.minor,
		.major = (uint64_t)usage.ru_majflt - server->faults_at_seal.major,
	};
}

/* A thread says that it has started, and waits for the gate. */
static void gate_pass(struct zgi_gate *gate)
{
	pthread_mutex_lock(&gate->mutex);
	gate->started_count++;
	pthread_cond_broadcast(&gate->changed);
	while (!gate->is_open)
		pthread_cond_wait(&gate->changed, &gate->mutex);
	pthread_mutex_unlock(&gate->mutex);
}

static void gate_wait(struct zgi_gate *gate, uint32_t count)
{
	pthread_mutex_lock(&gate->mutex);
	while (gate->started_count < count)
		pthread_cond_wait(&gate->changed, &gate->mutex);
	pthread_mutex_unlock(&gate->mutex);
}

static void gate_open(struct zgi_gate *gate)
{
	pthread_mutex_lock(&gate->mutex);
	gate->is_open = true;
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->mutex);
}

static void *server_shard_thread(void *user)
{
	struct zgi_shard *shard = user;

	/* First, so that what the kernel sets up for the shard lies on its node too. */
	shard->result = zgi_placement_pin(&shard->server->config.placement, shard->index);
	if (shard->result == 0)
		shard->result = zgi_shard_start(shard);
	if (shard->result == 0)
		shard->result = zgi_async_start(&shard->async);
	/* Before the gate, behind which the seal lies: no fault after it is missed. */
	zg_pause_start(&shard->pause);
	gate_pass(&shard->server->gate);
	if (shard->result == 0)
		shard->result = zgi_shard_run(shard);
	zgi_shard_end(shard);
	zgi_io_stop(shard->io);
	zgi_counter_add(&shard->ended, 1);
	return NULL;
}

/* The thread of a shard runs on a stack of the region, the lowest page of which faults. */
static int server_thread_start(struct zgi_shard *shard)
{
	const struct zgi_thread_options options = {
		.stack = shard->stack,
		.stack_size = ZGI_SHARD_STACK_WHOLE_SIZE,
		.run = server_shard_thread,
		.user = shard,
	};

	return zgi_thread_start(&options, &shard->thread);
}

/* What each shard begins with lies in its node's regions: its struct, and its stack. */
static int server_shards_place(struct zgi_server *server)
{
	const struct zgi_placement *placement = &server->config.placement;

	for (uint32_t index = 0; index < server->config.shard_count; index++) {
		uint32_t node = zgi_placement_node_index(placement, index);
		void *memory;
		int result = zg_region_carve(&server->reserve.nodes[node].shards.region,
					     server->config.shard_size, 64, &memory);

		if (result < 0)
			return result;
		server->shards[index] = memory;
		result = zg_region_carve(&server->reserve.nodes[node].stacks.region,
					 ZGI_SHARD_STACK_WHOLE_SIZE, SERVER_PAGE_SIZE, &memory);
		if (result < 0)
			return result;
		server->shards[index]->stack = memory;
	}
	return 0;
}

/* What libraries allocate once the server is sealed. An earlier one's in this process is kept. */
static int server_guest_heap_init(const struct zgi_server *server, struct zg_text *ret_error)
{
	const uint64_t size = server->config.guest_heap_size;
	int result = size > 0 ? zg_guest_heap_reserve(size) : 0;

	if (result == 0 || result == -EBUSY)
		return 0;
	zg_text_print(ret_error, "--guest-heap-size %" PRIu64 " cannot be reserved: %s; lower it",
		      size, strerrordesc_np(-result));
	return result;
}

static int server_plan(struct zgi_server *server, struct zg_text *ret_error)
{
	const struct zg_plan_line *line = NULL;
	const char *source;
	uint64_t available;
	int result;

	zg_plan_init(&server->plan);
	result = zgi_server_plan(&server->config, &server->plan);
	if (result < 0) {
		zg_text_print(ret_error, "the plan cannot be made: %s", strerrordesc_np(-result));
		return result;
	}
	result = zgi_reserve_available(&server->config, &available, &source);
	if (result < 0) {
		zg_text_print(ret_error, "the memory available cannot be read: %s",
			      strerrordesc_np(-result));
		return result;
	}
	result = zg_plan_check(&server->plan, available, &line);
	if (result < 0)
		zg_text_print(ret_error,
			      "the plan needs %.1f MiB, but %s leaves %.1f MiB: its largest line "
			      "is \"%s\" with %.1f MiB; lower %s",
			      (double)server->plan.size_total / 1048576, source,
			      (double)available / 1048576, line != NULL ? line->name : "none",
			      line != NULL ? (double)line->size_total / 1048576 : 0,
			      line != NULL ? line->option : "what the machine runs");
	return result;
}

static int server_shards_init(struct zgi_server *server, const struct zgi_server_run_options *run)
{
	const struct zgi_placement *placement = &server->config.placement;

	for (uint32_t index = 0; index < server->config.shard_count; index++) {
		uint32_t node = zgi_placement_node_index(placement, index);
		struct zgi_shard_options options = {
			.config = &server->config,
			.router = run->router,
			.hooks = run->hooks,
			.shard_hooks = run->shard_hooks,
			.offload = &server->offload,
			.flushers = &server->flushers,
			.server = server,
			.index = index,
			.listen_fd = server->listen_fds[index],
		};
		int result = zgi_shard_init(server->shards[index], &options,
					    &server->reserve.nodes[node].shards.region);

		if (result < 0)
			return result;
		zgi_shared_lend(&server->shared, &server->shards[index]->web);
		server->shards[index]->web.access_ring =
			zgi_access_log_ring(&server->access_log, index);
	}
	return 0;
}

static int server_workers_start_some(struct zgi_server *server, struct zgi_workers *workers,
				     uint64_t stack_size, uint32_t thread_count)
{
	struct zgi_workers_options options = {
		.stack_size = stack_size,
		.thread_count = thread_count,
	};
	int result;

	if (thread_count == 0)
		return 0;
	result = zg_region_carve(&server->reserve.nodes[0].stacks.region, thread_count * stack_size,
				 SERVER_PAGE_SIZE, &options.stacks);
	return result < 0 ? result : zgi_workers_start(workers, &options);
}

/* Before the shards, whose start hooks may have something for them. */
static int server_workers_start(struct zgi_server *server, struct zg_text *ret_error)
{
	const struct zgi_server_config *config = &server->config;
	int result = server_workers_start_some(server, &server->offload, config->offload_stack_size,
					       (uint32_t)config->options.offload_threads);

	if (result == 0)
		result = server_workers_start_some(server, &server->flushers,
						   ZGI_SHARD_STACK_WHOLE_SIZE,
						   config->flush_threads);
	if (result < 0)
		zg_text_print(ret_error,
			      "--offload-threads %" PRIu64 " cannot be started: %s; lower it",
			      config->options.offload_threads, strerrordesc_np(-result));
	return result;
}

/* After the shards: nobody has anything for them any more. A job that hangs must not keep the
 * process; its thread then ends with it. */
static void server_workers_end(struct zgi_server *server)
{
	uint64_t patience_ns = server->config.options.drain_timeout_ms * UINT64_C(1000000);

	if (zgi_workers_end(&server->flushers, patience_ns) < 0 ||
	    zgi_workers_end(&server->offload, patience_ns) < 0) {
		server->has_stuck_worker = true;
		(void)dprintf(STDERR_FILENO,
			      "%s: a job has not ended after --drain-timeout-ms: it ends with the "
			      "process\n",
			      server->name);
	}
}

/* All threads are started and wait; signals go to the thread that boots. */
static int server_threads_start(struct zgi_server *server)
{
	int result = 0;

	pthread_mutex_init(&server->gate.mutex, NULL);
	pthread_cond_init(&server->gate.changed, NULL);
	for (uint32_t index = 0; index < server->config.shard_count && result == 0; index++) {
		result = server_thread_start(server->shards[index]);
		server->thread_count += result == 0;
	}
	gate_wait(&server->gate, server->thread_count);
	for (uint32_t index = 0; index < server->thread_count && result == 0; index++)
		result = server->shards[index]->result;
	return result;
}

static void server_threads_join(struct zgi_server *server)
{
	for (uint32_t index = 0; index < server->thread_count; index++)
		pthread_join(server->shards[index]->thread, NULL);
	server->thread_count = 0;
}

static void server_command(struct zgi_server *server, enum zgi_shard_command command)
{
	for (uint32_t index = 0; index < server->config.shard_count; index++)
		zgi_shard_command(server->shards[index], command);
}

static void server_announce(const struct zgi_server *server)
{
	char buffer[2048];
	struct zg_text text;
	bool is_unix = server->config.address.storage.ss_family == AF_UNIX;

	zg_text_init(&text, buffer, sizeof(buffer));
	zg_text_print(&text,
		      "%s: %" PRIu32 " shards, %" PRIu64 " connections, %" PRIu64
		      " exchanges; plan %.1f MiB, resident %.1f MiB; seal %s; %s\n%s: ",
		      server->name, server->config.shard_count, server->config.options.connections,
		      server->config.options.exchanges, (double)server->plan.size_total / 1048576,
		      (double)server->resident_at_seal / 1048576,
		      zgi_server_seal_name(server->config.options.seal), server->config.io_reason,
		      server->name);
	zgi_reserve_summarise(&server->reserve, &server->config, &text);
	zg_text_print(&text, "\n%s: serving on %s", server->name, is_unix ? "" : "http://");
	zgi_address_format(&server->config.address, &text);
	zg_text_append(&text, ZG_SLICE("\n"));
	(void)!write(STDERR_FILENO, text.data, text.size);
}

static bool server_shards_have_ended(const struct zgi_server *server)
{
	for (uint32_t index = 0; index < server->config.shard_count; index++)
		if (zgi_counter_read(&server->shards[index]->ended) == 0)
			return false;
	return true;
}

/* All at once, because one may still have something for another. One that has ended by itself has
 * nothing any more. */
static bool server_shards_are_drained(const struct zgi_server *server)
{
	for (uint32_t index = 0; index < server->config.shard_count; index++) {
		const struct zgi_shard *shard = server->shards[index];

		if (zgi_gauge_read(&shard->is_drained) == 0 && zgi_counter_read(&shard->ended) == 0)
			return false;
	}
	return true;
}

/* Wait for a signal that ends the server, or until a drain is over. Returns the signal, 0 when the
 * time has passed. SIGUSR1 is for the access log. */
static int server_signal_wait(struct zgi_server *server, const sigset_t *signals, uint64_t wait_ms)
{
	struct timespec wait = {.tv_sec = (time_t)(wait_ms / 1000),
				.tv_nsec = (long)(wait_ms % 1000) * 1000000};
	int number = sigtimedwait(signals, NULL, &wait);

	if (number == SIGUSR1) {
		zgi_access_log_reopen(&server->access_log);
		return 0;
	}
	return number > 0 ? number : 0;
}

/* SIGTERM: what is in flight may end, for so long; a second signal ends the wait. */
static void server_drain(struct zgi_server *server, const sigset_t *signals)
{
	uint64_t until_ns =
		zgi_clock_ns() + server->config.options.drain_timeout_ms * UINT64_C(1000000);

	server_command(server, ZGI_SHARD_DRAIN);
	while (!server_shards_are_drained(server) && zgi_clock_ns() < until_ns)
		if (server_signal_wait(server, signals, 20) != 0)
			break;
}

static void server_serve(struct zgi_server *server, const sigset_t *signals)
{
	int number = 0;

	while (number == 0 && !server_shards_have_ended(server)) {
		number = server_signal_wait(server, signals, 1000);
		zgi_live_tick(server);
	}
	if (number == SIGTERM) {
		server->was_drained = true;
		server_drain(server, signals);
	}
	server_command(server, ZGI_SHARD_STOP);
}

/* Boot has failed while they waited: they end without having served. */
static int server_threads_abandon(struct zgi_server *server, int result)
{
	for (uint32_t index = 0; index < server->thread_count; index++)
		server->shards[index]->command = ZGI_SHARD_STOP;
	gate_open(&server->gate);
	server_threads_join(server);
	server_workers_end(server);
	zgi_resume_close();
	return result;
}

/* From here on nothing allocates, until the threads have ended. */
static int server_sealed(struct zgi_server *server, const sigset_t *signals,
			 struct zg_text *ret_error)
{
	int result;

	/* Before the threads, whose start hooks may post already. */
	zgi_resume_open(server);
	result = server_workers_start(server, ret_error);
	if (result < 0) {
		server_workers_end(server);
		zgi_resume_close();
		return result;
	}
	result = server_threads_start(server);
	if (result == 0)
		result = zgi_access_log_start(&server->access_log);
	if (result < 0) {
		zg_text_print(ret_error, "a shard cannot start: %s", strerrordesc_np(-result));
		return server_threads_abandon(server, result);
	}
	zgi_server_watch_misuse(server->config.options.track);
	zg_scratch_set_size_max(server->config.options.scratch_size_max);
	result = zg_seal(server->config.options.seal);
	if (result < 0) {
		zgi_server_watch_misuse(false);
		zgi_server_seal_refused(result, ret_error);
		return server_threads_abandon(server, result);
	}
	(void)!zg_memory_resident(&server->resident_at_seal);
	zgi_server_faults(server, &server->faults_at_seal);
	gate_open(&server->gate);
	server_announce(server);
	server_serve(server, signals);
	server_threads_join(server);
	server_workers_end(server);
	zgi_access_log_stop(&server->access_log);
	zg_unseal();
	/* Without a drain, what is in flight is out, and no leak. */
	if (server->was_drained)
		zgi_server_tell_leaks(server->name);
	zgi_server_watch_misuse(false);
	zgi_resume_close();
	for (uint32_t index = 0; index < server->config.shard_count && result == 0; index++)
		result = server->shards[index]->result;
	if (result < 0)
		zg_text_print(ret_error, "a shard has stopped: %s", strerrordesc_np(-result));
	return result;
}

static void server_close(struct zgi_server *server)
{
	for (uint32_t index = 0; index < server->config.shard_count; index++)
		zgi_shard_fini(server->shards[index]);
	zgi_unlisten(&server->config.address, server->listen_fds, server->config.shard_count);
}

static int server_boot(struct zgi_server *server, const struct zgi_server_run_options *options,
		       const sigset_t *signals, struct zg_text *ret_error)
{
	int result = server_plan(server, ret_error);

	if (result < 0)
		return result;
	result = zgi_reserve_init(&server->reserve, &server->config, ret_error);
	if (result == 0)
		result = server_shards_place(server);
	if (result < 0)
		return result;
	result = server_guest_heap_init(server, ret_error);
	if (result == 0)
		result = zgi_shared_init(&server->shared, &server->config, ret_error);
	if (result == 0)
		result = zgi_access_log_init(&server->access_log, &server->config, ret_error);
	if (result < 0)
		return result;
	result = zgi_files_open(&server->config, &server->files, ret_error);
	if (result == 0)
		result = zgi_events_open(&server->config, &server->events, ret_error);
	if (result < 0)
		return result;
	zgi_live_open();
	result = zgi_listen(&server->config.address, (int)server->config.options.backlog,
			    server->listen_fds, server->config.shard_count, ret_error);
	if (result < 0)
		return result;
	result = server_shards_init(server, options);
	if (result < 0)
		zg_text_print(ret_error, "a shard cannot be made: %s", strerrordesc_np(-result));
	else
		result = zg_fault_check_names(ret_error);
	if (result == 0)
		result = server_sealed(server, signals, ret_error);
	if (!server->has_stuck_worker)
		server_close(server);
	return result;
}

int zgi_server_run(struct zgi_server *server, const struct zgi_server_run_options *options,
		   struct zg_text *ret_error)
{
	sigset_t signals;
	sigset_t signals_before;
	int result;

	/* Not a compound literal, which would lie on the stack first. */
	memset(server, 0, sizeof(*server));
	server->name = options->name;
	server->started_ns = zgi_clock_ns();
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &signals, &signals_before);
	result = zgi_server_configure(options->options, &server->config, ret_error);
	if (result == 0)
		result = server_boot(server, options, &signals, ret_error);
	zgi_access_log_fini(&server->access_log);
	zgi_shared_fini(&server->shared);
	zgi_events_close(&server->events);
	zgi_files_close(&server->files);
	if (!server->has_stuck_worker)
		zgi_reserve_fini(&server->reserve);
	pthread_sigmask(SIG_SETMASK, &signals_before, NULL);
	return result;
}
