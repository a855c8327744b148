/*
 * Table: the objects of one kind that the shop holds, by name and in order.
 *
 * Each object lives in a pool, is found by its id or its text in constant time, and stands in
 * one of a few queues, oldest first. The order is part of the state: what expires next and what
 * makes room is the same on every replay. Where in memory an object lies is not: nothing outside
 * this process ever sees a handle or an address.
 *
 * All changes go through here, so that a snapshot can be written while the shop goes on: who is
 * about to change an object says so first (shop_table_touch()), and the object is written as it
 * was when the snapshot began.
 *
 * Ownership  Memory is the caller's, from init to fini; objects belong to the table.
 * Threads    Not locked: the shop has one writer.
 */
#ifndef STOREFRONT_TABLE_H
#define STOREFRONT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/pool.h>

#include "state/wire.h"

#define SHOP_QUEUES_MAX 3

/* What every object begins with. */
struct shop_object {
	uint64_t id; /* never given twice, but for what is found by its text */
	uint64_t sequence; /* when it was put into its queue: rises along the queue */
	uint64_t hash; /* of what it is found by */
	uint32_t queue;
	uint32_t epoch; /* of the last snapshot that has it, or need not have it */
	struct shop_object *previous; /* borrowed: of its queue */
	struct shop_object *next;
	struct shop_object *chain; /* borrowed: the next of its bucket */
	zg_handle handle; /* its own, with which it is given back */
};

struct shop_table;

/* What the tables of one shop share. */
struct shop_tables {
	uint64_t sequence; /* the last one given: part of the state */
	uint64_t seed; /* of the buckets: not part of the state */
	uint32_t epoch; /* of the latest snapshot */
	/* NULL unless a snapshot is being written: an object of an earlier epoch is about to change
	 * or to go. */
	void (*on_touch)(void *user, struct shop_table *table, struct shop_object *object);
	void *user; /* borrowed */
};

struct shop_table_options {
	const char *name; /* static */
	struct zg_pool *pool; /* the caller's, initialised by shop_table_init() */
	size_t object_size; /* bytes; an object begins with a struct shop_object */
	uint32_t object_count; /* 1 to ZG_POOL_BLOCKS_MAX */
	size_t text_offset; /* of the NUL-terminated text it is found by; 0: it is found by its id
			     */
	/* Names the fields behind the struct shop_object. */
	void (*wire)(struct shop_wire *wire, struct shop_object *object);
};

struct shop_queue {
	struct shop_object *first; /* borrowed */
	struct shop_object *last;
	uint32_t count;
};

struct shop_table {
	struct shop_table_options options;
	struct shop_tables *tables; /* borrowed */
	struct shop_object **buckets; /* borrowed */
	uint32_t bucket_mask;
	uint32_t count; /* objects */
	uint64_t id_last; /* the last one given: part of the state */
	struct shop_queue queues[SHOP_QUEUES_MAX];
	struct shop_object *walk; /* borrowed: where the snapshot goes on; see shop_table_walk() */
	uint32_t walk_queue;
	uint64_t refuse_count; /* objects that found the table full */
};

/**
 * shop_table_memory_size() - bytes that a table needs
 * @options:  object_size and object_count are read
 *
 * Return: bytes, a multiple of ZG_POOL_ALIGNMENT; 0 when a value is out of range.
 */
size_t shop_table_memory_size(const struct shop_table_options *options);

/**
 * shop_table_init() - an empty table
 * @table:    the caller's; overwritten
 * @tables:   borrowed until fini
 * @options:  copied
 * @memory:   shop_table_memory_size() bytes, aligned to ZG_POOL_ALIGNMENT, zeroed; borrowed until
 *            fini
 *
 * Return: 0; as zg_pool_init().
 */
ZG_MUST_USE int shop_table_init(struct shop_table *table, struct shop_tables *tables,
				const struct shop_table_options *options, void *memory);

/**
 * shop_table_fini() - end the table and its pool
 * @table:  initialised, or zeroed
 */
void shop_table_fini(struct shop_table *table);

/**
 * shop_table_is_full() - is there no room for one more?
 * @table:  initialised
 */
static inline bool shop_table_is_full(const struct shop_table *table)
{
	return table->count == table->options.object_count;
}

/**
 * shop_table_add() - a new object with the next id, zeroed, last in a queue
 * @table:       initialised; found by id
 * @queue:       below SHOP_QUEUES_MAX
 * @ret_object:  borrowed; untouched on failure
 *
 * Return: 0; -ENOMEM when the table is full.
 */
ZG_MUST_USE int shop_table_add(struct shop_table *table, uint32_t queue,
			       struct shop_object **ret_object);

/**
 * shop_table_add_text() - the same for a table that is found by text
 * @table:       initialised
 * @queue:       below SHOP_QUEUES_MAX
 * @text:        NUL-terminated, not in the table; fits the object's field, which the caller vouches
 *               for
 * @ret_object:  as above; its text is filled in
 *
 * Return: as above.
 */
ZG_MUST_USE int shop_table_add_text(struct shop_table *table, uint32_t queue, const char *text,
				    struct shop_object **ret_object);

/**
 * shop_table_find() - an object by its id
 * @table:  initialised; found by id
 * @id:     any
 *
 * Return: borrowed; NULL when there is none.
 */
struct shop_object *shop_table_find(const struct shop_table *table, uint64_t id);

/**
 * shop_table_find_text() - an object by its text
 * @table:  initialised; found by text
 * @text:   NUL-terminated
 *
 * Return: borrowed; NULL when there is none.
 */
struct shop_object *shop_table_find_text(const struct shop_table *table, const char *text);

/**
 * shop_table_touch() - say that an object is about to change
 * @table:   initialised
 * @object:  of the table, as it still is
 */
static inline void shop_table_touch(struct shop_table *table, struct shop_object *object)
{
	if (object->epoch != table->tables->epoch && table->tables->on_touch != NULL)
		table->tables->on_touch(table->tables->user, table, object);
}

/**
 * shop_table_move() - put an object last in a queue, which may be its own
 * @table:   initialised
 * @object:  of the table; is touched
 * @queue:   below SHOP_QUEUES_MAX
 */
void shop_table_move(struct shop_table *table, struct shop_object *object, uint32_t queue);

/**
 * shop_table_remove() - an object ends
 * @table:   initialised
 * @object:  of the table; is touched, and dangles afterwards
 */
void shop_table_remove(struct shop_table *table, struct shop_object *object);

/**
 * shop_table_wire() - write or hash an object, or read one
 * @table:   initialised
 * @wire:    any way
 * @object:  of the table; or the caller's, of object_size bytes, when it is read
 */
void shop_table_wire(const struct shop_table *table, struct shop_wire *wire,
		     struct shop_object *object);

/**
 * shop_table_load() - take an object of a snapshot over
 * @table:       initialised; its queues are out of order until shop_table_sort()
 * @object:      of object_size bytes, as it was read; copied
 * @ret_object:  borrowed, may be NULL; untouched on failure
 *
 * Return: 0; -ENOMEM when the table is full; -EEXIST when its name is there; -EINVAL when its
 * queue or its text is none.
 */
ZG_MUST_USE int shop_table_load(struct shop_table *table, const struct shop_object *object,
				struct shop_object **ret_object);

/**
 * shop_table_sort() - bring the queues in order again, when all has been loaded
 * @table:  initialised
 *
 * Return: 0; -EINVAL when two objects have one sequence.
 */
ZG_MUST_USE int shop_table_sort(struct shop_table *table);

/**
 * shop_table_walk_begin() - walk over all objects, in slices, while they change
 * @table:  initialised
 */
void shop_table_walk_begin(struct shop_table *table);

/**
 * shop_table_walk() - the next object of the walk
 * @table:  initialised
 *
 * Those that are moved or added behind the walk are met as well: the epoch tells them.
 *
 * Return: borrowed; NULL at the end.
 */
struct shop_object *shop_table_walk(struct shop_table *table);

#endif
