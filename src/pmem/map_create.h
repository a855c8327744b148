/*
 * Map create: a new file, whole under its name or not there at all.
 */
#ifndef ZEROG_PMEM_MAP_CREATE_H
#define ZEROG_PMEM_MAP_CREATE_H

#include <zerog/pmem.h>

/**
 * zgi_map_create() - make a map's file
 * @options:    as for zg_pmem_open(), its size not 0
 * @ret_error:  told what is wrong; may be NULL
 *
 * Return: its descriptor, locked, the caller's to close; or a negative errno, as zg_pmem_open().
 */
ZG_MUST_USE int zgi_map_create(const struct zg_pmem_options *options, struct zg_text *ret_error);

/**
 * zgi_map_reserve() - have a block on the disk for every byte of a file
 * @fd:    of a file that may be written
 * @size:  bytes; the file becomes as long as that, if it is shorter
 *
 * What the file has stays as it is.
 *
 * Return: 0; a negative errno of fallocate(2). Of file systems that cannot do it: 0, and what is
 * there already stays as it is.
 */
ZG_MUST_USE int zgi_map_reserve(int fd, uint64_t size);

/**
 * zgi_map_lock() - keep every other opening of a file away, or every other writer
 * @fd:         of the file
 * @options:    its path and read_only are read
 * @ret_error:  told what is wrong; may be NULL
 *
 * Return: 0; -EBUSY when somebody else has it; else a negative errno of flock(2).
 */
ZG_MUST_USE int zgi_map_lock(int fd, const struct zg_pmem_options *options,
			     struct zg_text *ret_error);

#endif
