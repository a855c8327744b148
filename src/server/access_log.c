/*
 * Lines of the access log: made in a buffer, written in one go when it is full or the
 * ring is empty, so that lines of two services that share a file stay whole.
 */
#include "server/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zerog/json.h>

#include "base/assert.h"
#include "base/clock.h"
#include "http/writer.h"

#define LOG_BUFFER_SIZE 16384
#define LOG_LINE_SIZE_MAX 2048 /* bytes: a path of which each byte is escaped, and the rest */
#define LOG_TIME_SIZE 24 /* "1994-11-06T08:49:37.123Z" */
#define LOG_FOLLOW_NS 1000000000

/* One log a process, written by one thread; too large for a stack. */
static char log_buffer[LOG_BUFFER_SIZE];

static int log_file_open(const char *path, struct zgi_access_log *log)
{
	struct stat status;
	int fd = strcmp(path, "-") == 0
			 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
			 : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) == 0) {
		log->device = status.st_dev;
		log->inode = status.st_ino;
	}
	log->fd = fd;
	return 0;
}

int zgi_access_log_open(struct zgi_access_log *log, const char *path, struct zg_text *ret_error)
{
	int result;

	*log = (struct zgi_access_log){.path = path, .fd = -1};
	if (path[0] == '\0')
		return 0;
	result = log_file_open(path, log);
	if (result < 0)
		zg_text_print(ret_error, "--access-log %s cannot be opened: %s", path,
			      strerrordesc_np(-result));
	return result;
}

void zgi_access_log_close(struct zgi_access_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}

static void log_tell(const struct zgi_access_log *log, int error)
{
	char buffer[512];
	struct zg_text text;

	zg_text_init(&text, buffer, sizeof(buffer));
	zg_text_print(&text, "--access-log %s cannot be written: %s\n", log->path,
		      strerrordesc_np(error));
	(void)!write(STDERR_FILENO, text.data, text.size);
}

/* What cannot be written is lost; that it is, is told once until it works again. */
static void log_write(struct zgi_access_log *log, size_t size)
{
	size_t written = 0;
	int error = 0;

	while (written < size && error == 0) {
		ssize_t count = write(log->fd, log_buffer + written, size - written);

		if (count > 0)
			written += (size_t)count;
		else if (count == 0 || errno != EINTR)
			error = count == 0 ? EIO : errno;
	}
	if (error != 0 && error != log->error)
		log_tell(log, error);
	log->error = error;
}

/* RFC 3339 in UTC, from the line that is made without the C library's clockwork. */
static void log_time_format(uint64_t unix_ms, char text[LOG_TIME_SIZE])
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char date[ZGI_HTTP_DATE_SIZE];
	unsigned int month = 1;
	unsigned int ms = (unsigned int)(unix_ms % 1000);

	zgi_http_date_format((time_t)(unix_ms / 1000), date);
	while (month < 12 && memcmp(date + 14, months + (size_t)(month - 1) * 3, 3) != 0)
		month++;
	memcpy(text, "0000-00-00T00:00:00.000Z", LOG_TIME_SIZE);
	memcpy(text, date + 18, 4);
	text[5] = (char)('0' + month / 10);
	text[6] = (char)('0' + month % 10);
	memcpy(text + 8, date + 11, 2);
	memcpy(text + 11, date + 23, 8);
	text[20] = (char)('0' + ms / 100);
	text[21] = (char)('0' + ms / 10 % 10);
	text[22] = (char)('0' + ms % 10);
}

static size_t log_line_format(const struct zgi_access_entry *entry, uint32_t shard, char *line)
{
	struct zg_json_writer writer;
	struct zg_slice json;
	char time[LOG_TIME_SIZE];
	int result;

	log_time_format(entry->unix_ms, time);
	zg_json_writer_init(&writer, line, LOG_LINE_SIZE_MAX - 1, NULL);
	zg_json_object_begin(&writer);
	zg_json_key(&writer, ZG_SLICE("time"));
	zg_json_string(&writer, (struct zg_slice){time, sizeof(time)});
	zg_json_key(&writer, ZG_SLICE("shard"));
	zg_json_u64(&writer, shard);
	if (entry->path_size > 0) {
		zg_json_key(&writer, ZG_SLICE("method"));
		zg_json_string(&writer, zg_method_name((enum zg_method)entry->method));
		zg_json_key(&writer, ZG_SLICE("path"));
		zg_json_string(&writer, (struct zg_slice){entry->path, entry->path_size});
	}
	if (entry->is_path_cut) {
		zg_json_key(&writer, ZG_SLICE("path_is_cut"));
		zg_json_bool(&writer, true);
	}
	zg_json_key(&writer, ZG_SLICE("status"));
	zg_json_u64(&writer, entry->status);
	zg_json_key(&writer, ZG_SLICE("bytes"));
	zg_json_u64(&writer, entry->sent_size);
	zg_json_object_end(&writer);
	result = zg_json_writer_finish(&writer, &json);
	zg_assert(result == 0);
	line[json.size] = '\n';
	return json.size + 1;
}

void zgi_access_log_drain(struct zgi_access_log *log, struct zgi_access_ring *ring, uint32_t shard)
{
	struct zgi_access_entry entry;
	size_t size = 0;

	zg_assert(log->fd >= 0);
	while (zgi_access_take(ring, &entry)) {
		size += log_line_format(&entry, shard, log_buffer + size);
		if (LOG_BUFFER_SIZE - size < LOG_LINE_SIZE_MAX) {
			log_write(log, size);
			size = 0;
		}
	}
	if (size > 0)
		log_write(log, size);
}

void zgi_access_log_follow(struct zgi_access_log *log)
{
	struct zgi_access_log next = {.path = log->path, .fd = -1};
	uint64_t now_ns = zgi_clock_coarse_ns();
	struct stat status;

	zg_assert(log->fd >= 0);
	if (strcmp(log->path, "-") == 0 || now_ns - log->looked_ns < LOG_FOLLOW_NS)
		return;
	log->looked_ns = now_ns;
	if (stat(log->path, &status) == 0 && status.st_dev == log->device &&
	    status.st_ino == log->inode)
		return;
	/* As long as there is no other file to be had, the old one is written on. */
	if (log_file_open(log->path, &next) < 0)
		return;
	next.looked_ns = now_ns;
	close(log->fd);
	*log = next;
}
