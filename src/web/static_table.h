/*
 * Static table: the files of all folders that an app serves, opened at boot.
 *
 * The table is the only way from a path to a file. It is made by one thread at boot
 * and only read afterwards, by any.
 */
#ifndef ZEROG_WEB_STATIC_TABLE_H
#define ZEROG_WEB_STATIC_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/files.h>
#include <zerog/slice.h>
#include <zerog/text.h>

#include "http/conditional.h"

#define ZGI_STATIC_NONE UINT32_MAX
#define ZGI_STATIC_SMALL_SIZE 65536 /* bytes: the largest file that is held in memory */

struct zgi_static_file {
	uint32_t hash; /* of folder and path */
	int fd; /* owned: open for reading */
	uint64_t size; /* bytes, at boot */
	int64_t modified_s; /* at boot */
	int64_t modified_ns;
	const unsigned char *memory; /* its bytes; NULL when it is served by its descriptor */
	const char *type; /* static text: the content type */
	uint32_t siblings[ZGI_HTTP_CODING_COUNT]; /* the same in another coding; or NONE */
	uint16_t folder; /* whose it is */
	uint16_t path_size;
	uint32_t next; /* with the same place in the index; or NONE */
	char path[ZG_STATIC_PATH_SIZE]; /* from the folder, without a slash before it */
};

struct zgi_static_folder {
	const char *prefix; /* borrowed */
	const char *path; /* borrowed */
	const char *cache_control; /* borrowed, or a literal */
	char pattern[ZG_STATIC_PATH_SIZE]; /* of the route */
};

struct zgi_static_table {
	struct zgi_static_folder folders[ZG_STATIC_FOLDERS_MAX];
	uint32_t folder_count;
	struct zgi_static_file *files; /* lent */
	uint32_t *places; /* lent: first file of each place in the index */
	uint32_t place_count; /* a power of two */
	uint32_t file_count;
	uint32_t file_count_max;
	unsigned char *memory; /* lent: of small files */
	uint64_t memory_size;
	uint64_t memory_used;
};

/* A process serves one app at a time. */
extern struct zgi_static_table zgi_static_table;

/* Bytes of the table for so many files. */
uint64_t zgi_static_table_size(uint32_t file_count_max);

/* What a table is made in. */
struct zgi_static_room {
	void *table; /* zgi_static_table_size() bytes, aligned to 64 */
	uint32_t file_count_max;
	unsigned char *memory; /* for small files' bytes; may be NULL when there are 0 */
	uint64_t memory_size;
};

/**
 * zgi_static_open() - open every file of the folders that were registered
 * @table:      with its folders
 * @room:       borrowed until zgi_static_close()
 * @ret_error:  on failure, one sentence that says what to change
 *
 * Return: 0; -errno. Boot only; zgi_static_close() follows in either case.
 */
ZG_MUST_USE int zgi_static_open(struct zgi_static_table *table, const struct zgi_static_room *room,
				struct zg_text *ret_error);

/* Close all files. */
void zgi_static_close(struct zgi_static_table *table);

/**
 * zgi_static_find() - a file by its path
 * @table:   opened
 * @folder:  its number
 * @path:    decoded, without a slash before it
 *
 * Return: the file; NULL when there is none.
 */
const struct zgi_static_file *zgi_static_find(const struct zgi_static_table *table, uint32_t folder,
					      struct zg_slice path);

/* The content type of a name, by what follows its last dot. Return: static text, never NULL. */
const char *zgi_static_type(struct zg_slice path);

#endif
