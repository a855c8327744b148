/*
 * Table. Buckets are as many as objects, rounded up to a power of two, so that a chain is short;
 * they are never resized. Queues are doubly linked, for an object leaves from the middle.
 */
#include "state/table.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "state/hash.h"

static uint32_t table_bucket_count(const struct shop_table_options *options)
{
	uint32_t count = 1;

	while (count < options->object_count)
		count *= 2;
	return count;
}

static struct zg_pool_options table_pool_options(const struct shop_table_options *options)
{
	return (struct zg_pool_options){
		.name = options->name,
		.block_size = options->object_size,
		.block_count = options->object_count,
	};
}

size_t shop_table_memory_size(const struct shop_table_options *options)
{
	struct zg_pool_options pool = table_pool_options(options);
	size_t pool_size = zg_pool_memory_size(&pool);

	if (pool_size == 0 || options->object_size < sizeof(struct shop_object))
		return 0;
	return pool_size +
	       ZG_POOL_ROUND(table_bucket_count(options) * sizeof(struct shop_object *));
}

int shop_table_init(struct shop_table *table, struct shop_tables *tables,
		    const struct shop_table_options *options, void *memory)
{
	struct zg_pool_options pool = table_pool_options(options);
	int result;

	assert(options->object_size >= sizeof(struct shop_object));
	pool.memory = memory;
	pool.memory_size = zg_pool_memory_size(&pool);
	result = zg_pool_init(options->pool, &pool);
	if (result < 0)
		return result;
	*table = (struct shop_table){
		.options = *options,
		.tables = tables,
		.buckets = (void *)((unsigned char *)memory + pool.memory_size),
		.bucket_mask = table_bucket_count(options) - 1,
	};
	return 0;
}

void shop_table_fini(struct shop_table *table)
{
	if (table->options.pool == NULL)
		return;
	zg_pool_fini(table->options.pool);
	table->options.pool = NULL;
}

static char *table_text(const struct shop_table *table, struct shop_object *object)
{
	assert(table->options.text_offset > 0);
	return (char *)object + table->options.text_offset;
}

static uint64_t table_hash(const struct shop_table *table, uint64_t id)
{
	return shop_hash_u64(table->tables->seed, id);
}

static uint64_t table_hash_text(const struct shop_table *table, const char *text)
{
	return shop_hash_bytes(table->tables->seed, text, strlen(text));
}

static struct shop_object **table_bucket(const struct shop_table *table, uint64_t hash)
{
	return &table->buckets[hash & table->bucket_mask];
}

static void table_link(struct shop_table *table, struct shop_object *object)
{
	struct shop_queue *queue = &table->queues[object->queue];

	object->next = NULL;
	object->previous = queue->last;
	if (queue->last != NULL)
		queue->last->next = object;
	else
		queue->first = object;
	queue->last = object;
	++queue->count;
}

static void table_unlink(struct shop_table *table, struct shop_object *object)
{
	struct shop_queue *queue = &table->queues[object->queue];

	if (table->walk == object)
		table->walk = object->next;
	if (object->previous != NULL)
		object->previous->next = object->next;
	else
		queue->first = object->next;
	if (object->next != NULL)
		object->next->previous = object->previous;
	else
		queue->last = object->previous;
	assert(queue->count > 0);
	--queue->count;
}

static int table_take(struct shop_table *table, struct shop_object **ret_object)
{
	zg_handle handle;
	void *block;
	int result = zg_pool_take(table->options.pool, &handle, &block);

	if (result < 0) {
		++table->refuse_count;
		return result;
	}
	memset(block, 0, table->options.object_size);
	*ret_object = block;
	(*ret_object)->handle = handle;
	(*ret_object)->epoch = table->tables->epoch;
	++table->count;
	return 0;
}

static void table_enter(struct shop_table *table, struct shop_object *object)
{
	struct shop_object **bucket;

	object->hash = table->options.text_offset > 0
			       ? table_hash_text(table, table_text(table, object))
			       : table_hash(table, object->id);
	bucket = table_bucket(table, object->hash);
	object->chain = *bucket;
	*bucket = object;
	table_link(table, object);
}

int shop_table_add(struct shop_table *table, uint32_t queue, struct shop_object **ret_object)
{
	struct shop_object *object;
	int result;

	assert(queue < SHOP_QUEUES_MAX && table->options.text_offset == 0);
	result = table_take(table, &object);
	if (result < 0)
		return result;
	object->id = ++table->id_last;
	object->queue = queue;
	object->sequence = ++table->tables->sequence;
	table_enter(table, object);
	*ret_object = object;
	return 0;
}

int shop_table_add_text(struct shop_table *table, uint32_t queue, const char *text,
			struct shop_object **ret_object)
{
	struct shop_object *object;
	int result;

	assert(queue < SHOP_QUEUES_MAX && shop_table_find_text(table, text) == NULL);
	result = table_take(table, &object);
	if (result < 0)
		return result;
	memcpy(table_text(table, object), text, strlen(text) + 1);
	object->id = ++table->id_last;
	object->queue = queue;
	object->sequence = ++table->tables->sequence;
	table_enter(table, object);
	*ret_object = object;
	return 0;
}

struct shop_object *shop_table_find(const struct shop_table *table, uint64_t id)
{
	struct shop_object *object = *table_bucket(table, table_hash(table, id));

	assert(table->options.text_offset == 0);
	while (object != NULL && object->id != id)
		object = object->chain;
	return object;
}

struct shop_object *shop_table_find_text(const struct shop_table *table, const char *text)
{
	uint64_t hash = table_hash_text(table, text);
	struct shop_object *object = *table_bucket(table, hash);

	/* The text lies on another line than the hash. */
	while (object != NULL &&
	       (object->hash != hash || strcmp(table_text(table, object), text) != 0))
		object = object->chain;
	return object;
}

void shop_table_move(struct shop_table *table, struct shop_object *object, uint32_t queue)
{
	assert(queue < SHOP_QUEUES_MAX);
	shop_table_touch(table, object);
	table_unlink(table, object);
	object->queue = queue;
	object->sequence = ++table->tables->sequence;
	table_link(table, object);
}

void shop_table_remove(struct shop_table *table, struct shop_object *object)
{
	struct shop_object **link = table_bucket(table, object->hash);
	int result;

	shop_table_touch(table, object);
	while (*link != object) {
		assert(*link != NULL);
		link = &(*link)->chain;
	}
	*link = object->chain;
	table_unlink(table, object);
	--table->count;
	result = zg_pool_give(table->options.pool, object->handle);
	assert(result == 0);
}

void shop_table_wire(const struct shop_table *table, struct shop_wire *wire,
		     struct shop_object *object)
{
	shop_wire_u64(wire, &object->id);
	shop_wire_u64(wire, &object->sequence);
	shop_wire_u32(wire, &object->queue);
	table->options.wire(wire, object);
}

int shop_table_load(struct shop_table *table, const struct shop_object *object,
		    struct shop_object **ret_object)
{
	struct shop_object *copy;
	zg_handle handle;
	int result;

	if (object->queue >= SHOP_QUEUES_MAX || object->id > table->id_last || object->id == 0)
		return -EINVAL;
	result = table_take(table, &copy);
	if (result < 0)
		return result;
	handle = copy->handle;
	memcpy(copy, object, table->options.object_size);
	copy->handle = handle;
	copy->epoch = table->tables->epoch;
	if (table->options.text_offset > 0
		    ? shop_table_find_text(table, table_text(table, copy)) != NULL
		    : shop_table_find(table, copy->id) != NULL) {
		--table->count;
		result = zg_pool_give(table->options.pool, handle);
		assert(result == 0);
		return -EEXIST;
	}
	table_enter(table, copy);
	if (ret_object != NULL)
		*ret_object = copy;
	return 0;
}

/* Two sorted lists become one; linked by `next` alone. */
static struct shop_object *table_merge(struct shop_object *left, struct shop_object *right)
{
	struct shop_object *first = NULL;
	struct shop_object **link = &first;

	while (left != NULL && right != NULL) {
		struct shop_object **lesser = left->sequence <= right->sequence ? &left : &right;

		*link = *lesser;
		link = &(*lesser)->next;
		*lesser = (*lesser)->next;
	}
	*link = left != NULL ? left : right;
	return first;
}

/* The n-th list holds 2^n objects or none, as the digits of a binary counter. */
static struct shop_object *table_merge_sort(struct shop_object *first)
{
	struct shop_object *lists[32] = {NULL};
	struct shop_object *sorted = NULL;

	while (first != NULL) {
		struct shop_object *list = first;
		uint32_t digit = 0;

		first = first->next;
		list->next = NULL;
		for (; lists[digit] != NULL; ++digit) {
			list = table_merge(lists[digit], list);
			lists[digit] = NULL;
		}
		lists[digit] = list;
	}
	for (uint32_t digit = 0; digit < 32; ++digit)
		sorted = table_merge(lists[digit], sorted);
	return sorted;
}

int shop_table_sort(struct shop_table *table)
{
	for (uint32_t index = 0; index < SHOP_QUEUES_MAX; ++index) {
		struct shop_queue *queue = &table->queues[index];
		struct shop_object *object = table_merge_sort(queue->first);
		uint64_t sequence_last = 0;

		*queue = (struct shop_queue){0};
		while (object != NULL) {
			struct shop_object *next = object->next;

			if (object->sequence <= sequence_last ||
			    object->sequence > table->tables->sequence)
				return -EINVAL;
			sequence_last = object->sequence;
			table_link(table, object);
			object = next;
		}
	}
	return 0;
}

void shop_table_walk_begin(struct shop_table *table)
{
	table->walk_queue = 0;
	table->walk = table->queues[0].first;
}

struct shop_object *shop_table_walk(struct shop_table *table)
{
	struct shop_object *object;

	while (table->walk == NULL && table->walk_queue + 1 < SHOP_QUEUES_MAX)
		table->walk = table->queues[++table->walk_queue].first;
	object = table->walk;
	if (object != NULL)
		table->walk = object->next;
	return object;
}
