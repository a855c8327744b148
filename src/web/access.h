/*
 * Access ring: what a shard's replies leave for the access log.
 *
 * One thread puts entries in, another takes them out; neither waits. An entry for which
 * there is no room is counted and forgotten: a log may not hold a reply up.
 */
#ifndef ZEROG_WEB_ACCESS_H
#define ZEROG_WEB_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/exchange.h>

#define ZGI_ACCESS_PATH_SIZE 232 /* bytes of a path that are kept */

struct zgi_access_entry {
	uint64_t unix_ms; /* when it was replied */
	uint64_t sent_size; /* bytes of the response, its head included */
	uint16_t status;
	uint16_t path_size; /* bytes; 0 when the request could not be understood */
	uint8_t method; /* enum zg_method */
	bool is_path_cut;
	char path[ZGI_ACCESS_PATH_SIZE + 2]; /* as sent, without the query */
};

struct zgi_access_ring {
	struct zgi_access_entry *entries; /* borrowed; NULL: there is no log */
	uint32_t entry_count; /* a power of two */
	uint64_t put_count; /* by the shard */
	uint64_t taken_count; /* by the log */
	uint64_t dropped_count; /* entries for which there was no room */
};

/**
 * zgi_access_ring_init() - an empty ring
 * @ring:         overwritten
 * @entries:      borrowed; NULL for none, and then nothing is ever put
 * @entry_count:  a power of two, or 0
 */
void zgi_access_ring_init(struct zgi_access_ring *ring, struct zgi_access_entry *entries,
			  uint32_t entry_count);

/* A reply that has become final. The shard's thread. */
void zgi_access_put(struct zgi_access_ring *ring, const struct zg_exchange *x);

/**
 * zgi_access_take() - the oldest entry
 * @ring:       initialised
 * @ret_entry:  a copy
 *
 * Return: whether there was one. The log's thread.
 */
bool zgi_access_take(struct zgi_access_ring *ring, struct zgi_access_entry *ret_entry);

#endif
