/*
 * The writer looks at all rings, renders what is there into one buffer, writes the
 * buffer, and sleeps when all were empty. Nobody wakes it: a wake-up would be a system
 * call of a shard's, and rings are large enough for what comes while it sleeps.
 *
 * A write that fails costs the lines of its buffer, which are counted, and the log
 * goes on with the next: a disk that is full today has room tomorrow.
 */
#include "server/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/counter.h"
#include "server/access_line.h"
#include "server/plan_lines.h"

#define LOG_BUFFER_SIZE 65536
#define LOG_SLEEP_MS_MIN 2
#define LOG_SLEEP_MS_MAX 50
#define LOG_RETRY_COUNT_MAX 200 /* of writes that would block, LOG_SLEEP_MS_MIN apart */
#define LOG_FILE_MODE 0640

static bool log_is_wanted(const struct zgi_server_config *config)
{
	return config->options.access_log[0] != '\0';
}

static uint64_t log_records_each(const struct zgi_server_config *config)
{
	return zgi_access_record_count(config->options.access_log_records);
}

static uint64_t log_rings_size(const struct zgi_server_config *config)
{
	return config->shard_count * sizeof(struct zgi_access_ring);
}

static uint64_t log_records_size(const struct zgi_server_config *config)
{
	return config->shard_count * log_records_each(config) * sizeof(struct zgi_access_record);
}

/* The stack first: a page of its own guards it. */
static struct zg_region_options log_region(const struct zgi_server_config *config)
{
	return (struct zg_region_options){
		.size = ZGI_SHARD_STACK_WHOLE_SIZE + LOG_BUFFER_SIZE + log_rings_size(config) +
			log_records_size(config),
		.name = "access log",
		.pages = ZG_REGION_PAGES_SMALL,
		.lock = config->options.lock_memory,
	};
}

int zgi_access_log_plan(const struct zgi_server_config *config, struct zg_plan *plan)
{
	const uint64_t each = log_records_each(config);
	const uint64_t asked = config->options.access_log_records;
	const struct zg_region_options region = log_region(config);
	const struct zg_plan_line records = {
		.name = "access records",
		.option = "--access-log-records",
		.size_each = sizeof(struct zgi_access_record),
		.times = config->shard_count,
		.times_name = "shards",
		.holders = {{"--access-log-records", asked},
			    {"up to a power of two", each - asked}},
		.exhausted = "the line is dropped",
		.counter = "zerog_access_log_dropped_total",
	};
	const struct zg_plan_line writer = {
		.name = "access log writer",
		.option = "--access-log",
		.count = 1,
		.parts = {{"stack and guard page", ZGI_SHARD_STACK_WHOLE_SIZE},
			  {"lines to be written", LOG_BUFFER_SIZE},
			  {"rings", log_rings_size(config)},
			  {"rounding up to whole pages", zg_region_size(&region) - region.size}},
	};
	int result;

	if (!log_is_wanted(config))
		return 0;
	result = zg_plan_add(plan, &records,
			     "%" PRIu32 " shards x %" PRIu64 " on their way to "
			     "the log's writer",
			     config->shard_count, each);
	if (result == 0)
		result = zg_plan_add(plan, &writer, "one thread for all shards");
	return result;
}

static bool log_is_standard_output(const struct zgi_access_log *log)
{
	return strcmp(log->path, "-") == 0;
}

static int log_open(const struct zgi_access_log *log)
{
	int fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY,
		      LOG_FILE_MODE);

	return fd < 0 ? -errno : fd;
}

static int log_carve(struct zgi_access_log *log, const struct zgi_server_config *config)
{
	const uint64_t each = log_records_each(config);
	struct zgi_access_record *records;
	void *memory;
	int result =
		zg_region_carve(&log->region, ZGI_SHARD_STACK_WHOLE_SIZE, ZGI_PAGE_SIZE, &memory);

	if (result < 0)
		return result;
	log->stack = memory;
	result = zg_region_carve(&log->region, LOG_BUFFER_SIZE, ZG_LINE_SIZE, &memory);
	if (result < 0)
		return result;
	log->buffer = memory;
	result = zg_region_carve(&log->region, log_rings_size(config), ZG_LINE_SIZE, &memory);
	if (result < 0)
		return result;
	log->rings = memory;
	result = zg_region_carve(&log->region, log_records_size(config), ZG_LINE_SIZE, &memory);
	if (result < 0)
		return result;
	records = memory;
	for (uint32_t index = 0; index < config->shard_count; index++)
		zgi_access_ring_init(&log->rings[index], records + index * each, each);
	return mprotect(log->stack, ZGI_PAGE_SIZE, PROT_NONE) < 0 ? -errno : 0;
}

int zgi_access_log_init(struct zgi_access_log *log, const struct zgi_server_config *config,
			struct zg_text *ret_error)
{
	struct zg_region_options options = log_region(config);
	int result;

	log->fd = -1;
	if (!log_is_wanted(config))
		return 0;
	log->path = config->options.access_log;
	log->format = config->options.access_log_format;
	result = log_is_standard_output(log) ? STDOUT_FILENO : log_open(log);
	if (result < 0) {
		zg_text_print(ret_error, "--access-log %s cannot be opened: %s", log->path,
			      strerrordesc_np(-result));
		return result;
	}
	log->fd = result;
	options.error = ret_error;
	result = zg_region_init(&log->region, &options);
	if (result == 0)
		result = log_carve(log, config);
	if (result < 0)
		zg_text_print(ret_error, "; lower --access-log-records");
	else
		log->ring_count = config->shard_count;
	return result;
}

static void log_sleep(uint64_t ms)
{
	const struct timespec wait = {.tv_nsec = (long)ms * 1000000};

	(void)nanosleep(&wait, NULL);
}

/* Write all of it, as far as it goes. Return: bytes written. */
static size_t log_write_bytes(const struct zgi_access_log *log, const char *bytes, size_t size)
{
	uint32_t retry_count = 0;
	size_t done = 0;

	while (done < size) {
		ssize_t count = write(log->fd, bytes + done, size - done);

		if (count > 0) {
			done += (size_t)count;
			continue;
		}
		if (count < 0 && errno == EINTR)
			continue;
		/* Somebody made the pipe non-blocking, and its reader is slow. */
		if (count < 0 && errno == EAGAIN && retry_count++ < LOG_RETRY_COUNT_MAX) {
			log_sleep(LOG_SLEEP_MS_MIN);
			continue;
		}
		break;
	}
	return done;
}

static uint64_t log_line_count(const char *bytes, size_t size)
{
	uint64_t count = 0;

	for (size_t index = 0; index < size; index++)
		count += bytes[index] == '\n';
	return count;
}

static void log_write(struct zgi_access_log *log, struct zg_text *text)
{
	size_t size = text->size;
	size_t done;
	uint64_t written;

	if (size == 0)
		return;
	/* What was cut short ends here, so that one bad line does not spoil the next. */
	if (log->is_line_open && log_write_bytes(log, "\n", 1) == 1)
		log->is_line_open = false;
	done = log_write_bytes(log, text->data, size);
	written = log_line_count(text->data, done);
	zgi_counter_add(&log->counters.written, written);
	zgi_counter_add(&log->counters.failed, log_line_count(text->data, size) - written);
	if (done > 0)
		log->is_line_open = text->data[done - 1] != '\n';
	zg_text_init(text, log->buffer, LOG_BUFFER_SIZE);
}

/* Write what is in the rings now. Return: whether there was anything. */
static bool log_drain(struct zgi_access_log *log)
{
	struct zg_text text;
	bool is_any = false;

	zg_text_init(&text, log->buffer, LOG_BUFFER_SIZE);
	for (uint32_t index = 0; index < log->ring_count; index++) {
		struct zgi_access_ring *ring = &log->rings[index];
		/* A shard that answers all the while does not keep the others waiting. */
		uint64_t left = ring->mask + 1;
		const struct zgi_access_record *record;

		while (left-- > 0 && (record = zgi_access_ring_oldest(ring)) != NULL) {
			zgi_access_line_print(&text, record, log->format);
			zgi_access_ring_taken(ring);
			is_any = true;
			if (text.capacity - text.size <= ZGI_ACCESS_LINE_SIZE_MAX)
				log_write(log, &text);
		}
	}
	log_write(log, &text);
	return is_any;
}

static void log_reopen(struct zgi_access_log *log)
{
	int fd;

	if (log_is_standard_output(log))
		return;
	fd = log_open(log);
	if (fd < 0) {
		zgi_counter_add(&log->counters.reopen_failed, 1);
		return;
	}
	close(log->fd);
	log->fd = fd;
	log->is_line_open = false;
	zgi_counter_add(&log->counters.reopened, 1);
}

static void *log_thread(void *user)
{
	struct zgi_access_log *log = user;
	uint64_t sleep_ms = LOG_SLEEP_MS_MAX;

	__atomic_store_n(&log->has_started, 1, __ATOMIC_RELEASE);
	while (true) {
		/* Before the rings are looked at: what was answered before it was told to stop, or
		 * to reopen, is in them by then. */
		bool is_stopping = __atomic_load_n(&log->stop, __ATOMIC_ACQUIRE) != 0;
		bool is_reopening = __atomic_exchange_n(&log->reopen, 0, __ATOMIC_ACQ_REL) != 0;
		bool is_any = log_drain(log);

		if (is_reopening)
			log_reopen(log);
		/* No shard serves any more, and each ring was emptied. */
		if (is_stopping)
			return NULL;
		sleep_ms = is_any ? LOG_SLEEP_MS_MIN : sleep_ms * 2;
		if (sleep_ms > LOG_SLEEP_MS_MAX)
			sleep_ms = LOG_SLEEP_MS_MAX;
		log_sleep(sleep_ms);
	}
}

int zgi_access_log_start(struct zgi_access_log *log)
{
	pthread_attr_t attributes;
	sigset_t all;
	sigset_t before;
	int result;

	if (log->ring_count == 0)
		return 0;
	/* No signal is the writer's, SIGPIPE least of all: a pipe that is gone is an error. */
	sigfillset(&all);
	result = pthread_attr_init(&attributes);
	if (result != 0)
		return -result;
	result = pthread_attr_setstack(&attributes, log->stack + ZGI_PAGE_SIZE,
				       ZGI_SHARD_STACK_SIZE);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (result == 0)
		result = pthread_create(&log->thread, &attributes, log_thread, log);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	log->is_running = result == 0;
	while (result == 0 && __atomic_load_n(&log->has_started, __ATOMIC_ACQUIRE) == 0)
		sched_yield();
	return -result;
}

struct zgi_access_ring *zgi_access_log_ring(struct zgi_access_log *log, uint32_t shard)
{
	return shard < log->ring_count ? &log->rings[shard] : NULL;
}

void zgi_access_log_reopen(struct zgi_access_log *log)
{
	__atomic_store_n(&log->reopen, 1, __ATOMIC_RELEASE);
}

uint64_t zgi_access_log_dropped(const struct zgi_access_log *log)
{
	uint64_t sum = 0;

	for (uint32_t index = 0; index < log->ring_count; index++)
		sum += zgi_counter_read(&log->rings[index].dropped);
	return sum;
}

void zgi_access_log_stop(struct zgi_access_log *log)
{
	if (!log->is_running)
		return;
	__atomic_store_n(&log->stop, 1, __ATOMIC_RELEASE);
	pthread_join(log->thread, NULL);
	log->is_running = false;
}

void zgi_access_log_fini(struct zgi_access_log *log)
{
	zgi_access_log_stop(log);
	if (log->path != NULL && log->fd >= 0 && !log_is_standard_output(log))
		close(log->fd);
	log->fd = -1;
	zg_region_fini(&log->region);
	log->ring_count = 0;
}
