/*
 * Snapshot: the whole state as bytes, written in slices while the shop goes on.
 *
 * A snapshot is the state at the moment when it began, whatever happens while it is written: an
 * object that is about to change before its turn has come is written first, as it still is. These
 * early ones wait in a buffer that the caller lends, and leave with the next slice. Should more of
 * them come between two slices than the buffer holds, the snapshot is given up, and the shop goes
 * on as if nothing had been: begin another one, with a larger buffer or more often a slice.
 *
 * The bytes are items, each a head of 8 bytes (kind, 3 zeros, size) and a body: one that begins
 * with the magic and the version, one an object, one that ends with their count and a sum. A slice
 * has whole items only, and slices may be cut and joined again at will between items.
 *
 * Ownership  The struct and the buffer are the caller's.
 * Threads    The writer's of the shop.
 */
#ifndef STOREFRONT_SNAPSHOT_H
#define STOREFRONT_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/text.h>

#include "state/wire.h"

#define SHOP_SNAPSHOT_VERSION 1
#define SHOP_SNAPSHOT_ITEM_SIZE_MAX 4096 /* bytes: no item is larger */

struct shop;

struct shop_snapshot {
	struct shop *shop; /* borrowed */
	unsigned char *buffer; /* borrowed: items that were early */
	size_t buffer_size;
	size_t buffer_used;
	uint32_t table; /* the one that is walked over */
	bool is_begun; /* its first item has been written */
	bool is_overrun; /* the buffer was too small */
	bool is_ended;
	uint64_t object_count; /* written, or in the buffer */
	uint64_t sum; /* over the items of objects: in whatever order */
};

/**
 * shop_snapshot_begin() - the state as it is now is to be written
 * @snapshot:     the caller's; overwritten, and stays where it is
 * @shop:         initialised; no other snapshot of it is under way
 * @buffer:       borrowed until the end
 * @buffer_size:  bytes, at least SHOP_SNAPSHOT_ITEM_SIZE_MAX; a command touches 25 objects at the
 *                most, of 700 bytes at the most
 */
void shop_snapshot_begin(struct shop_snapshot *snapshot, struct shop *shop, void *buffer,
			 size_t buffer_size);

/**
 * shop_snapshot_next() - the next slice
 * @snapshot:  begun, and not ended
 * @bytes:     where it goes
 * @capacity:  bytes of it, at least buffer_size and SHOP_SNAPSHOT_ITEM_SIZE_MAX
 * @ret_size:  bytes of the slice; untouched on failure
 *
 * Return: 1 when there is more to come; 0 when that was the last one; -ENOBUFS when it has been
 * given up. After 0 and after a failure, the shop knows of no snapshot any more.
 */
ZG_MUST_USE int shop_snapshot_next(struct shop_snapshot *snapshot, void *bytes, size_t capacity,
				   size_t *ret_size);

/**
 * shop_snapshot_abandon() - leave it
 * @snapshot:  begun, ended or zeroed
 */
void shop_snapshot_abandon(struct shop_snapshot *snapshot);

/* Reading one. */
struct shop_snapshot_reader {
	struct shop *shop; /* borrowed */
	bool is_begun;
	bool is_ended;
	uint64_t object_count;
	uint64_t sum;
};

/**
 * shop_snapshot_read_begin() - a snapshot is to be read
 * @reader:  the caller's; overwritten
 * @shop:    initialised and empty: nothing has been applied
 */
void shop_snapshot_read_begin(struct shop_snapshot_reader *reader, struct shop *shop);

/**
 * shop_snapshot_read() - the next bytes of it
 * @reader:    begun
 * @bytes:     borrowed; from where the last call stopped
 * @size:      bytes of it
 * @ret_used:  bytes of whole items that were read; untouched on failure
 *
 * Return: 1 when there is more to come; 0 when it has ended, and the shop is what it was; -EPROTO
 * when it is of another version, or of a shop with another currency; -ENOMEM when the shop is too
 * small for it; -EBADMSG when it is damaged. After a failure the shop is of no use.
 */
ZG_MUST_USE int shop_snapshot_read(struct shop_snapshot_reader *reader, const void *bytes,
				   size_t size, size_t *ret_used);

#endif
