/*
 * Access log: a line of JSON for each reply, written to a file.
 *
 * The thread that booted, which has nothing else to do but wait for signals, empties
 * the shards' rings a few times a tenth of a second. So no shard ever waits for a file.
 * A file that was moved away, as by logrotate, is opened anew within a second.
 */
#ifndef ZEROG_SERVER_ACCESS_LOG_H
#define ZEROG_SERVER_ACCESS_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <zerog/attributes.h>
#include <zerog/text.h>

#include "web/access.h"

#define ZGI_ACCESS_LOG_WAIT_MS 20

struct zgi_access_log {
	const char *path; /* borrowed: --access-log; "-" is standard output */
	int fd; /* owned; -1: there is no log */
	dev_t device; /* of the file */
	ino_t inode;
	uint64_t looked_ns; /* when it was last asked whether the file is still there */
	int error; /* errno of the last write, told once */
};

/**
 * zgi_access_log_open() - open the file, to append to
 * @log:        overwritten
 * @path:       borrowed until close; empty for no log
 * @ret_error:  on failure, one sentence that names the option
 *
 * Return: 0; -errno of open(2).
 */
ZG_MUST_USE int zgi_access_log_open(struct zgi_access_log *log, const char *path,
				    struct zg_text *ret_error);

static inline bool zgi_access_log_is_open(const struct zgi_access_log *log)
{
	return log->fd >= 0;
}

/**
 * zgi_access_log_drain() - write what is in a shard's ring
 * @log:    open
 * @ring:   the shard's
 * @shard:  its number
 *
 * Makes no allocation. The thread that booted.
 */
void zgi_access_log_drain(struct zgi_access_log *log, struct zgi_access_ring *ring, uint32_t shard);

/* Where the file was moved away, begin another one; asks once a second. */
void zgi_access_log_follow(struct zgi_access_log *log);

/* Close the file. @log: opened, or zeroed with fd -1. */
void zgi_access_log_close(struct zgi_access_log *log);

#endif
