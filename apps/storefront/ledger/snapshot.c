/*
 * Snapshot. Which objects have been written is told by their epoch: every snapshot begins a new
 * one, and an object that is written, or that is new, has it.
 */
#include "ledger/snapshot.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "ledger/shop.h"
#include "state/hash.h"

#define HEAD_SIZE 8
#define BEGIN_MAGIC UINT64_C(0x50414e53504f4853) /* "SHOPSNAP" */
#define KIND_BEGIN 0xf0
#define KIND_END 0xf1

static_assert(sizeof(struct shop_order) + HEAD_SIZE < SHOP_SNAPSHOT_ITEM_SIZE_MAX,
	      "the largest object fits an item");
static_assert(SHOP_CATEGORIES_MAX * SHOP_CATEGORY_SIZE + 512 < SHOP_SNAPSHOT_ITEM_SIZE_MAX,
	      "and so does the first item");

/* Where an item is put together: its head goes in front of its body, once the size is known. */
struct snapshot_item {
	unsigned char *bytes; /* borrowed */
	struct shop_wire wire; /* the body's */
};

static struct snapshot_item item_begin(unsigned char *bytes, size_t capacity)
{
	assert(capacity >= HEAD_SIZE);
	return (struct snapshot_item){bytes,
				      shop_wire_writer(bytes + HEAD_SIZE, capacity - HEAD_SIZE)};
}

/* Return: bytes of the item; 0 when it did not fit. */
static size_t item_end(struct snapshot_item *item, uint8_t kind)
{
	struct shop_wire head = shop_wire_writer(item->bytes, HEAD_SIZE);
	uint32_t kind_and_zeros = kind;
	uint32_t size = (uint32_t)item->wire.size;

	if (item->wire.is_failed)
		return 0;
	shop_wire_u32(&head, &kind_and_zeros);
	shop_wire_u32(&head, &size);
	return HEAD_SIZE + item->wire.size;
}

/* Return: bytes written; 0 when it did not fit. */
static size_t snapshot_object(struct shop_snapshot *snapshot, uint32_t table_index,
			      struct shop_object *object, unsigned char *bytes, size_t capacity)
{
	struct shop_table *table = shop_table_of(snapshot->shop, table_index);
	struct snapshot_item item;
	size_t size;

	if (capacity < HEAD_SIZE)
		return 0;
	item = item_begin(bytes, capacity);
	shop_table_wire(table, &item.wire, object);
	size = item_end(&item, (uint8_t)(table_index + 1));
	if (size == 0)
		return 0;
	object->epoch = table->tables->epoch;
	++snapshot->object_count;
	snapshot->sum += shop_hash_bytes(table_index, bytes, size);
	return size;
}

static uint32_t snapshot_table_index(struct shop *shop, const struct shop_table *table)
{
	uint32_t index = 0;

	while (shop_table_of(shop, index) != table)
		++index;
	return index;
}

/* Somebody is about to change an object whose turn has not come yet. */
static void snapshot_early(void *user, struct shop_table *table, struct shop_object *object)
{
	struct shop_snapshot *snapshot = user;
	size_t size = snapshot_object(snapshot, snapshot_table_index(snapshot->shop, table), object,
				      snapshot->buffer + snapshot->buffer_used,
				      snapshot->buffer_size - snapshot->buffer_used);

	snapshot->buffer_used += size;
	if (size == 0) {
		snapshot->is_overrun = true;
		snapshot->shop->tables.on_touch = NULL;
	}
}

static size_t snapshot_first(struct shop *shop, unsigned char *bytes, size_t capacity)
{
	struct snapshot_item item = item_begin(bytes, capacity);
	uint64_t magic = BEGIN_MAGIC;
	uint32_t version = SHOP_SNAPSHOT_VERSION;

	shop_wire_u64(&item.wire, &magic);
	shop_wire_u32(&item.wire, &version);
	shop_wire(shop, &item.wire);
	return item_end(&item, KIND_BEGIN);
}

void shop_snapshot_begin(struct shop_snapshot *snapshot, struct shop *shop, void *buffer,
			 size_t buffer_size)
{
	assert(shop->tables.on_touch == NULL && buffer_size >= SHOP_SNAPSHOT_ITEM_SIZE_MAX);
	*snapshot =
		(struct shop_snapshot){.shop = shop, .buffer = buffer, .buffer_size = buffer_size};
	/* What is in no table is small, and written at once. */
	snapshot->buffer_used = snapshot_first(shop, buffer, buffer_size);
	assert(snapshot->buffer_used > 0);
	++shop->tables.epoch;
	shop->tables.user = snapshot;
	shop->tables.on_touch = snapshot_early;
	shop_table_walk_begin(shop_table_of(shop, 0));
}

void shop_snapshot_abandon(struct shop_snapshot *snapshot)
{
	if (snapshot->shop != NULL && snapshot->shop->tables.user == snapshot) {
		snapshot->shop->tables.on_touch = NULL;
		snapshot->shop->tables.user = NULL;
	}
	snapshot->shop = NULL;
}

/* The next object that has not been written, over all tables; NULL when there is none left. */
static struct shop_object *snapshot_walk(struct shop_snapshot *snapshot)
{
	for (;;) {
		struct shop_object *object =
			shop_table_walk(shop_table_of(snapshot->shop, snapshot->table));

		if (object != NULL && object->epoch != snapshot->shop->tables.epoch)
			return object;
		if (object != NULL)
			continue;
		if (snapshot->table + 1 == SHOP_TABLE_COUNT)
			return NULL;
		++snapshot->table;
		shop_table_walk_begin(shop_table_of(snapshot->shop, snapshot->table));
	}
}

static size_t snapshot_last(struct shop_snapshot *snapshot, unsigned char *bytes, size_t capacity)
{
	struct snapshot_item item = item_begin(bytes, capacity);

	shop_wire_u64(&item.wire, &snapshot->object_count);
	shop_wire_u64(&item.wire, &snapshot->sum);
	return item_end(&item, KIND_END);
}

int shop_snapshot_next(struct shop_snapshot *snapshot, void *bytes, size_t capacity,
		       size_t *ret_size)
{
	unsigned char *to = bytes;
	size_t used = snapshot->buffer_used;

	assert(capacity >= snapshot->buffer_size && capacity >= SHOP_SNAPSHOT_ITEM_SIZE_MAX);
	assert(snapshot->shop != NULL && !snapshot->is_ended);
	if (snapshot->is_overrun) {
		shop_snapshot_abandon(snapshot);
		return -ENOBUFS;
	}
	memcpy(to, snapshot->buffer, used);
	snapshot->buffer_used = 0;
	/* As long as the largest item would fit, so that none is taken from the walk in vain. */
	while (capacity - used >= SHOP_SNAPSHOT_ITEM_SIZE_MAX) {
		struct shop_object *object = snapshot_walk(snapshot);
		size_t size;

		if (object == NULL) {
			used += snapshot_last(snapshot, to + used, capacity - used);
			snapshot->is_ended = true;
			shop_snapshot_abandon(snapshot);
			break;
		}
		size = snapshot_object(snapshot, snapshot->table, object, to + used,
				       capacity - used);
		assert(size > 0);
		used += size;
	}
	*ret_size = used;
	return snapshot->is_ended ? 0 : 1;
}

void shop_snapshot_read_begin(struct shop_snapshot_reader *reader, struct shop *shop)
{
	assert(shop->command_count == 0);
	*reader = (struct shop_snapshot_reader){.shop = shop};
}

static int read_first(struct shop_snapshot_reader *reader, struct shop_wire *wire)
{
	uint16_t currency = reader->shop->options.currency;
	uint64_t magic;
	uint32_t version;

	shop_wire_u64(wire, &magic);
	shop_wire_u32(wire, &version);
	if (wire->is_failed || magic != BEGIN_MAGIC)
		return -EBADMSG;
	if (version != SHOP_SNAPSHOT_VERSION)
		return -EPROTO;
	shop_wire(reader->shop, wire);
	if (!shop_wire_is_whole(wire))
		return -EBADMSG;
	reader->is_begun = true;
	return reader->shop->options.currency == currency ? 0 : -EPROTO;
}

static int read_object(struct shop_snapshot_reader *reader, uint32_t table_index,
		       struct shop_wire *wire)
{
	struct shop_table *table = shop_table_of(reader->shop, table_index);
	union {
		struct shop_object object;
		struct shop_product product;
		struct shop_code code;
		struct shop_cart cart;
		struct shop_order order;
		struct shop_payment payment;
		struct shop_transaction transaction;
		struct shop_key key;
	} any;
	struct shop_object *object;
	int result;

	memset(&any, 0, sizeof(any));
	shop_table_wire(table, wire, &any.object);
	if (!shop_wire_is_whole(wire))
		return -EBADMSG;
	result = shop_table_load(table, &any.object, &object);
	if (result < 0)
		return result == -ENOMEM ? result : -EBADMSG;
	if (table_index == 0 &&
	    shop_catalog_loaded(&reader->shop->catalog, (struct shop_product *)object) < 0)
		return -EBADMSG;
	++reader->object_count;
	return 0;
}

static int read_last(struct shop_snapshot_reader *reader, struct shop_wire *wire)
{
	uint64_t count;
	uint64_t sum;

	shop_wire_u64(wire, &count);
	shop_wire_u64(wire, &sum);
	if (!shop_wire_is_whole(wire) || count != reader->object_count || sum != reader->sum)
		return -EBADMSG;
	for (uint32_t index = 0; index < SHOP_TABLE_COUNT; ++index)
		if (shop_table_sort(shop_table_of(reader->shop, index)) < 0)
			return -EBADMSG;
	reader->is_ended = true;
	return shop_catalog_load_end(&reader->shop->catalog) < 0 ? -EBADMSG : 0;
}

static int read_item(struct shop_snapshot_reader *reader, uint32_t kind, const unsigned char *bytes,
		     size_t size)
{
	struct shop_wire wire = shop_wire_reader(bytes + HEAD_SIZE, size - HEAD_SIZE);

	if (reader->is_ended || (kind == KIND_BEGIN) == reader->is_begun)
		return -EBADMSG;
	if (kind == KIND_BEGIN)
		return read_first(reader, &wire);
	if (kind == KIND_END)
		return read_last(reader, &wire);
	if (kind == 0 || kind > SHOP_TABLE_COUNT)
		return -EBADMSG;
	reader->sum += shop_hash_bytes(kind - 1, bytes, size);
	return read_object(reader, kind - 1, &wire);
}

int shop_snapshot_read(struct shop_snapshot_reader *reader, const void *bytes, size_t size,
		       size_t *ret_used)
{
	const unsigned char *from = bytes;
	size_t used = 0;

	while (!reader->is_ended && size - used >= HEAD_SIZE) {
		struct shop_wire head = shop_wire_reader(from + used, HEAD_SIZE);
		uint32_t kind;
		uint32_t body_size;
		int result;

		shop_wire_u32(&head, &kind);
		shop_wire_u32(&head, &body_size);
		if (body_size > SHOP_SNAPSHOT_ITEM_SIZE_MAX)
			return -EBADMSG;
		if (size - used - HEAD_SIZE < body_size)
			break;
		result = read_item(reader, kind, from + used, HEAD_SIZE + body_size);
		if (result < 0)
			return result;
		used += HEAD_SIZE + body_size;
	}
	*ret_used = used;
	return reader->is_ended ? 0 : 1;
}
