/*
 * Persistent memory: a file whose bytes are memory, and outlive the process.
 *
 * A map is a file of a fixed size: one page of header, which says whose bytes they are, and the
 * payload behind it, which is read and written where it lies. On true persistent memory (an
 * NVDIMM under a DAX file system) what was flushed and fenced is there after a power failure, and
 * neither is a system call. On any other file system the same calls write pages back (msync(2)),
 * so that a program runs everywhere and says which of the two it has.
 *
 * What a crash leaves: each aligned 8 bytes that were stored since the last fence are there or are
 * not, whatever the order they were stored in; all that was stored, flushed and fenced is there.
 * A process that is killed loses nothing that it stored.
 *
 *	store or touch → flush → fence
 *
 * Ownership  The map owns the file's descriptor, its lock and the mapping.
 * Threads    Not locked: one map belongs to one thread. Reading the payload is everyone's.
 * Limits     ZG_PMEM_SIZE_MAX bytes. Opening maps memory: do it before the seal.
 */
#ifndef ZEROG_PMEM_H
#define ZEROG_PMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/text.h>

ZG_BEGIN_DECLS

struct zgi_pmem_witness;

#define ZG_PMEM_SIZE_MAX (UINT64_C(1) << 40) /* bytes of a payload */
#define ZG_PMEM_HEADER_SIZE 4096 /* bytes before the payload, in the file */

struct zg_pmem_options {
	const char *path; /* borrowed during the call; symbolic links are followed */
	uint64_t size; /* bytes of the payload, at most ZG_PMEM_SIZE_MAX; 0: as the file has it */
	uint64_t magic; /* says whose payload it is: the file's has to be the same */
	uint32_t version; /* of the payload: the file's may be older, not newer */
	bool create; /* make the file when it is not there; then @size is not 0 */
	bool read_only; /* nothing may be stored, and others may read at the same time */
	bool write_through; /* at creation write every byte, so that no later flush has to change
			     * the file's extents: slower to make, faster to flush on a disk */
};

struct zg_pmem {
	unsigned char *bytes; /* the payload, in the mapping */
	uint64_t size; /* bytes of the payload */
	struct zgi_pmem_witness *witness; /* borrowed; NULL but in tests */
	uint64_t flush_first; /* of an ordinary file, what was flushed since the last fence: */
	uint64_t flush_end; /* from this offset to before that; equal when it is nothing */
	uint64_t flush_count; /* calls */
	uint64_t fence_count; /* calls */
	uint32_t magic;
	uint32_t version; /* of the payload, as the file has it */
	int fd; /* owned; -1 when there is no file */
	int error; /* of the first fence that failed, a negative errno; 0: none has */
	bool is_persistent_memory;
	bool is_read_only;
	bool is_new; /* it was made by zg_pmem_open(), its payload zeroed */
};

/* A fence that somebody else waits for: see zg_pmem_fence_begin(). */
struct zg_pmem_pending {
	uint64_t first; /* offset of what was flushed */
	uint64_t end; /* behind it */
	uint64_t mark; /* of the witness */
	int fd; /* borrowed: what fdatasync(2) is to be given; -1: there is nothing to wait for */
};

/**
 * zg_pmem_open() - map a file, made at need
 * @map:        the caller's; overwritten, untouched on failure
 * @options:    read during the call
 * @ret_error:  appended to on failure: what is wrong and what to change; may be NULL
 *
 * A new file appears under its name whole, header and all, or not at all, with mode 0600 and all
 * its blocks reserved: where the disk is too small the call fails, and no store does later. A file
 * that is refused is left as it was. While it is open the file is locked (flock(2)) against every
 * other opening, of this process too; those that only read share the lock.
 *
 * Return: 0. Of the options: -EINVAL when one is out of range or they contradict each other. Of
 * the name: -ENOENT when there is no such file, or no such folder for a new one; -EACCES, -EPERM
 * or -EROFS when it may not be written; -EBUSY when it is open elsewhere; -EEXIST when another
 * process made it meanwhile. Of what is in it: -EMEDIUMTYPE when it is none of ours, or of another
 * magic; -EPROTONOSUPPORT when a newer version made it; -EBADMSG when its header is damaged or it
 * was cut; -ERANGE when its payload has another size. Of the disk: -ENOSPC, -EDQUOT or -EFBIG when
 * there is no room. Else a negative errno of open(2), fallocate(2), fsync(2) or mmap(2).
 * Boot only: it maps memory and makes allocations. Source: libpmem(7).
 */
ZG_MUST_USE int zg_pmem_open(struct zg_pmem *map, const struct zg_pmem_options *options,
			     struct zg_text *ret_error);

/**
 * zg_pmem_close() - end the map and its lock
 * @map:  open, or zeroed
 *
 * What was not fenced is not lost by it, but is not made safe either.
 */
void zg_pmem_close(struct zg_pmem *map);

/**
 * zg_pmem_bytes() - the payload
 * @map:  open
 *
 * For reading; and for building something in its place, which zg_pmem_touched() then has to be
 * told of.
 *
 * Return: the first of map->size bytes, aligned to a page; borrowed until the map is closed.
 */
static inline unsigned char *zg_pmem_bytes(struct zg_pmem *map)
{
	return map->bytes;
}

/**
 * zg_pmem_store() - copy bytes into the payload
 * @map:     open, not read-only, which is asserted
 * @offset:  in the payload
 * @bytes:   the caller's, outside of the payload; may be NULL when @size is 0
 * @size:    bytes; that all of it lies in the payload is asserted
 *
 * A store of 8 bytes at a multiple of 8 happens whole or not at all; larger ones may be torn.
 */
void zg_pmem_store(struct zg_pmem *map, uint64_t offset, const void *bytes, size_t size);

/**
 * zg_pmem_store64() - store one word, which no crash tears
 * @map:     as for zg_pmem_store()
 * @offset:  a multiple of 8, which is asserted
 * @word:    stored with release order: who reads it on another thread sees what was stored before
 */
void zg_pmem_store64(struct zg_pmem *map, uint64_t offset, uint64_t word);

/**
 * zg_pmem_touched() - tell of bytes that were changed in their place
 * @map:     as for zg_pmem_store()
 * @offset:  in the payload
 * @size:    bytes; that all of it lies in the payload is asserted
 *
 * Tell before they are flushed. Tests that log every store see only what they are told of.
 */
void zg_pmem_touched(struct zg_pmem *map, uint64_t offset, size_t size);

/**
 * zg_pmem_flush() - start to make bytes persistent
 * @map:     as for zg_pmem_store()
 * @offset:  in the payload
 * @size:    bytes; that all of it lies in the payload is asserted
 *
 * On persistent memory the cache lines are written back; of an ordinary file the range is
 * remembered for the fence. Never blocks.
 */
void zg_pmem_flush(struct zg_pmem *map, uint64_t offset, size_t size);

/**
 * zg_pmem_fence() - wait until all that was flushed is persistent
 * @map:  as for zg_pmem_store()
 *
 * On persistent memory one instruction; of an ordinary file a write to the disk, which blocks.
 *
 * Return: 0; a negative errno of msync(2), and from then on the same of every later fence: after a
 * failed write nobody knows what the disk has, so close the map and recover (see fsync(2)).
 */
ZG_MUST_USE int zg_pmem_fence(struct zg_pmem *map);

/**
 * zg_pmem_fence_begin() - a fence without the waiting
 * @map:          as for zg_pmem_store()
 * @ret_pending:  what has to be waited for: fdatasync(2) of its descriptor, by whoever likes
 *
 * Covers what was flushed before. Several may be begun at the same time.
 */
void zg_pmem_fence_begin(struct zg_pmem *map, struct zg_pmem_pending *ret_pending);

/**
 * zg_pmem_fence_end() - what zg_pmem_fence_begin() had to wait for has happened
 * @map:      the same
 * @pending:  from zg_pmem_fence_begin()
 * @result:   of a fdatasync(2) that was begun after it: 0 or a negative errno
 *
 * Return: 0 when all that was flushed before the begin is persistent; else as zg_pmem_fence().
 */
ZG_MUST_USE int zg_pmem_fence_end(struct zg_pmem *map, const struct zg_pmem_pending *pending,
				  int result);

/**
 * zg_pmem_is_persistent_memory() - is it more than an ordinary file?
 * @map:  open
 *
 * Return: true on true persistent memory, where no fence blocks. Any thread.
 */
bool zg_pmem_is_persistent_memory(const struct zg_pmem *map);

/**
 * zg_pmem_fd() - what an asynchronous fdatasync(2) is given
 * @map:  open
 *
 * Return: the descriptor, borrowed until the map is closed; -1 on true persistent memory, where
 * there is nothing to wait for. Any thread.
 */
int zg_pmem_fd(const struct zg_pmem *map);

ZG_END_DECLS

#endif
