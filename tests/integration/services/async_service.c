/*
 * A service that does what takes time: one shard keeps the count and the log for all,
 * threads apart sleep, timers run, and a pipe is watched.
 *
 * The count has one writer, the shard 0. Whoever wants a number posts a command to it;
 * what a turn has brought is written to the log and flushed once, and then each of its
 * commands is answered. ASYNC_SERVICE_LOG names the log.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <zerog.h>

#define HOME 0
#define COMMANDS_MAX 256
#define SHARDS_MAX 64

struct command {
	uint32_t is_taken;
	zg_handle handle;
};

/* What every shard has: a pipe to itself, and who waits for a byte of it. */
struct own {
	int read_fd;
	int write_fd;
	zg_handle waiting;
	zg_watch watch;
	uint32_t reads;
};

static struct command commands[COMMANDS_MAX];
static struct own owns[SHARDS_MAX];

/* Home's alone. */
static int log_fd = -1;
static uintptr_t count;
static struct command *gathered[COMMANDS_MAX];
static uint32_t gathered_count;
static struct command *flushing[COMMANDS_MAX];
static uint32_t flushing_count;
static uintptr_t flushed_first; /* the number of the first of them */

static uint64_t query_number(struct zg_exchange *x, struct zg_slice name)
{
	struct zg_slice value;
	uint64_t number = 0;

	if (zg_request_query_value(x, name, &value) < 0)
		return 0;
	for (size_t index = 0; index < value.size; index++)
		number = number * 10 + (uint64_t)(value.data[index] - '0');
	return number;
}

static int reply_number(struct zg_exchange *x, void *user)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIuPTR, (uintptr_t)user);
	return zg_reply_text(x, 200, text);
}

static int reply_error(struct zg_exchange *x, void *user)
{
	(void)user;
	return zg_reply_text(x, 507, "not durable");
}

static struct command *command_take(void)
{
	for (uint32_t index = 0; index < COMMANDS_MAX; index++)
		if (!__atomic_exchange_n(&commands[index].is_taken, 1, __ATOMIC_ACQUIRE))
			return &commands[index];
	return NULL;
}

static void command_give(struct command *command)
{
	__atomic_store_n(&command->is_taken, 0, __ATOMIC_RELEASE);
}

static void command_answer(struct command *command, zg_resume_handler *then, uintptr_t number)
{
	zg_handle handle = command->handle;

	command_give(command);
	if (zg_resume(handle, then, (void *)number) < 0)
		abort(); /* Each exchange is resumed once: there is room for that. */
}

static void home_apply(struct zg_shard *shard, void *user)
{
	if (zg_shard_index(shard) != HOME)
		abort();
	gathered[gathered_count++] = user;
}

static void home_flushed(struct zg_shard *shard, int result, void *user)
{
	(void)shard;
	(void)user;
	for (uint32_t index = 0; index < flushing_count; index++)
		command_answer(flushing[index], result < 0 ? reply_error : reply_number,
			       flushed_first + index);
	flushing_count = 0;
}

/* All that one turn has gathered, or that had to wait for the flush before, is flushed at once. */
static void home_turn_end(struct zg_shard *shard, void *user)
{
	char line[32];

	(void)user;
	if (zg_shard_index(shard) != HOME || gathered_count == 0 || flushing_count > 0)
		return;
	flushed_first = count + 1;
	memcpy(flushing, gathered, gathered_count * sizeof(gathered[0]));
	flushing_count = gathered_count;
	gathered_count = 0;
	for (uint32_t index = 0; index < flushing_count; index++) {
		int size = snprintf(line, sizeof(line), "%" PRIuPTR "\n", ++count);

		if (write(log_fd, line, (size_t)size) != size)
			abort();
	}
	if (zg_flush(shard, log_fd, home_flushed, NULL) < 0)
		abort();
}

/* The next number, which is in the log before it is told. */
static int next(struct zg_exchange *x)
{
	struct command *command = command_take();

	if (command == NULL)
		return -ENOMEM;
	command->handle = zg_exchange_handle(x);
	if (zg_shard_post(HOME, home_apply, command) < 0) {
		command_give(command);
		return -ENOMEM;
	}
	return ZG_PENDING;
}

/* Which shard serves. */
static int shard_number(struct zg_exchange *x)
{
	return reply_number(x, (void *)(uintptr_t)zg_shard_index(zg_exchange_shard(x)));
}

static void sleep_ms(uint64_t ms)
{
	const struct timespec wait = {.tv_sec = (time_t)(ms / 1000),
				      .tv_nsec = (long)(ms % 1000) * 1000000};

	(void)nanosleep(&wait, NULL);
}

static void work_sleep(const struct zg_job *job, void *user)
{
	(void)job;
	sleep_ms((uintptr_t)user);
}

static int then_reply(struct zg_exchange *x, void *user)
{
	return x != NULL ? reply_number(x, user) : 0;
}

/* Sleeps in a thread apart. */
static int offload(struct zg_exchange *x)
{
	void *ms = (void *)(uintptr_t)query_number(x, ZG_SLICE("ms"));
	int result = zg_offload_exchange(x, work_sleep, then_reply, ms);

	if (result == -EAGAIN)
		return -ENOMEM;
	return result < 0 ? result : ZG_PENDING;
}

/* A table of who waits for a timer, so that a timer need not know of exchanges. */
static struct command waiting[COMMANDS_MAX];

static void timer_over(struct zg_shard *shard, void *user)
{
	(void)shard;
	command_answer(user, reply_number, 1);
}

static int timer(struct zg_exchange *x)
{
	struct zg_timer_options options = {
		.after_ms = query_number(x, ZG_SLICE("ms")),
		.handler = timer_over,
	};
	struct command *command = NULL;
	int result;

	for (uint32_t index = 0; index < COMMANDS_MAX && command == NULL; index++)
		if (!__atomic_exchange_n(&waiting[index].is_taken, 1, __ATOMIC_ACQUIRE))
			command = &waiting[index];
	if (command == NULL)
		return -ENOMEM;
	command->handle = zg_exchange_handle(x);
	options.user = command;
	result = zg_timer_start(zg_exchange_shard(x), &options, NULL);
	if (result == 0)
		return ZG_PENDING;
	command_give(command);
	return result == -EAGAIN ? -ENOMEM : result;
}

/* One byte a call, so that what is left is told again. */
static void pipe_readable(struct zg_shard *shard, unsigned events, void *user)
{
	struct own *own = user;
	char byte;

	(void)shard;
	if (!(events & ZG_WATCH_READABLE) || read(own->read_fd, &byte, 1) != 1)
		abort();
	own->reads++;
	if (byte == '\n' &&
	    zg_resume(own->waiting, reply_number, (void *)(uintptr_t)own->reads) < 0)
		abort();
}

/* So many bytes go into the pipe; how many calls it took to get them out. */
static int watched(struct zg_exchange *x)
{
	struct own *own = zg_shard_data(zg_exchange_shard(x));
	uint64_t size = query_number(x, ZG_SLICE("size"));
	char bytes[1024];

	if (size == 0 || size > sizeof(bytes))
		return -EINVAL;
	memset(bytes, 'x', sizeof(bytes));
	bytes[size - 1] = '\n';
	own->reads = 0;
	own->waiting = zg_exchange_handle(x);
	if (write(own->write_fd, bytes, size) != (ssize_t)size)
		return -EIO;
	return ZG_PENDING;
}

static int start(struct zg_shard *shard, void *user)
{
	struct own *own = &owns[zg_shard_index(shard)];
	const char *path = getenv("ASYNC_SERVICE_LOG");
	int fds[2];

	(void)user;
	if (zg_shard_index(shard) == HOME && path != NULL) {
		log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (log_fd < 0)
			return -errno;
	}
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0)
		return -errno;
	*own = (struct own){.read_fd = fds[0], .write_fd = fds[1]};
	zg_shard_set_data(shard, own);
	return zg_watch_start(shard,
			      &(struct zg_watch_options){
				      .fd = own->read_fd,
				      .events = ZG_WATCH_READABLE,
				      .handler = pipe_readable,
				      .user = own,
			      },
			      &own->watch);
}

static void stop(struct zg_shard *shard, void *user)
{
	struct own *own = zg_shard_data(shard);

	(void)user;
	if (zg_watch_stop(shard, own->watch) < 0)
		abort();
	close(own->read_fd);
	close(own->write_fd);
	if (zg_shard_index(shard) == HOME && log_fd >= 0)
		(void)!write(log_fd, "stopped\n", 8);
}

int main(int argc, char **argv)
{
	struct zg_app app;

	zg_app_init(&app, "async_service");
	app.options.posts = COMMANDS_MAX;
	app.options.flushes = 1;
	app.options.offload_threads = 2;
	app.options.timers = 32;
	app.options.watches = 2;
	if (zg_app_on_shard_start(&app, start, NULL) < 0 ||
	    zg_app_on_shard_stop(&app, stop, NULL) < 0 ||
	    zg_app_on_turn_end(&app, home_turn_end, NULL) < 0)
		return 1;
	zg_get(&app, "/next", next);
	zg_get(&app, "/shard", shard_number);
	zg_get(&app, "/offload", offload);
	zg_get(&app, "/timer", timer);
	zg_get(&app, "/watched", watched);
	zg_admin_routes(&app);
	return zg_app_main(&app, argc, argv);
}
