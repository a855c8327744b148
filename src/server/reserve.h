/*
 * Reserve: the memory of a server, two regions for each node that has shards.
 *
 * One holds all that shards carve; the other their stacks, whose guard pages would
 * break up the huge pages that all else lies on.
 */
#ifndef ZEROG_SERVER_RESERVE_H
#define ZEROG_SERVER_RESERVE_H

#include <stdint.h>

#include <zerog/region.h>

#include "server/config.h"

#define ZGI_RESERVE_NAME_SIZE 32

/* One region, its name, and what it was found to have when it was made. */
struct zgi_reserve_part {
	struct zg_region region;
	struct zg_region_report report;
	char name[ZGI_RESERVE_NAME_SIZE];
};

struct zgi_reserve {
	uint32_t node_count; /* of the placement, that have their regions */
	struct {
		struct zgi_reserve_part shards;
		struct zgi_reserve_part stacks;
	} nodes[ZGI_NUMA_NODES_MAX];
	uint64_t image_size; /* bytes of the program and its libraries */
	uint64_t image_locked_size; /* of those, locked */
};

/**
 * zgi_reserve_init() - map a server's memory, as its options ask
 * @reserve:    overwritten; zgi_reserve_fini() also after a failure
 * @config:     configured
 * @ret_error:  on failure, one sentence that names the option to change
 *
 * With --lock-memory the program itself is locked first, its code and its data: a page
 * of code is the first thing that a machine short of memory drops. Return: 0; -errno.
 */
ZG_MUST_USE int zgi_reserve_init(struct zgi_reserve *reserve,
				 const struct zgi_server_config *config, struct zg_text *ret_error);

/* Unmap all of it. @reserve: initialised, or zeroed. */
void zgi_reserve_fini(struct zgi_reserve *reserve);

/* Bytes that a plan must allow for beyond what is carved: regions end on a page. */
uint64_t zgi_reserve_padding(const struct zgi_server_config *config);

/**
 * zgi_reserve_available() - how much memory a server with this configuration may occupy
 * @config:      configured
 * @ret_size:    bytes: as zg_memory_available(), and the pool of explicit pages if it is asked for
 * @ret_source:  static text
 *
 * Return: 0; -errno as of zg_memory_available(). Boot only.
 */
ZG_MUST_USE int zgi_reserve_available(const struct zgi_server_config *config, uint64_t *ret_size,
				      const char **ret_source);

/* What was obtained, in one line for the log. */
void zgi_reserve_summarise(const struct zgi_reserve *reserve,
			   const struct zgi_server_config *config, struct zg_text *text);

/* What was asked and obtained, region by region: for people, and as a JSON array. */
void zgi_reserve_print(const struct zgi_reserve *reserve, struct zg_text *text);
void zgi_reserve_print_json(const struct zgi_reserve *reserve, struct zg_text *text);

#endif
