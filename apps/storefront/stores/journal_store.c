/*
 * Journal store: a queue of commands that wait for the disk, in order of their records.
 */
#include "stores/journal_store.h"

#include <assert.h>
#include <errno.h>

#include "ledger/record.h"

#define SLICE_TYPE 1 /* of a snapshot's slices: there is one kind */
/* A snapshot begins when no more than this share of the segments is free. */
#define FREE_SHARE 2

static struct shop_journal_store *store_of(struct shop_store *store)
{
	return (struct shop_journal_store *)store;
}

static uint32_t store_slice_size(const struct shop_journal_store_options *options)
{
	return options->slice_size > 0 ? options->slice_size : SHOP_JOURNAL_SLICE_SIZE_DEFAULT;
}

static struct zg_journal_options store_journal_options(
	const struct shop_journal_store_options *options)
{
	return (struct zg_journal_options){
		.directory = options->directory,
		.segment_size = options->segment_size,
		.segment_count = options->segment_count,
		.slice_size_max = store_slice_size(options),
		.create = options->create,
		.accept_corruption = options->accept_corruption,
	};
}

/* The journal's, then a slice, then what changes before its turn. */
size_t shop_journal_store_memory_size(const struct shop_journal_store_options *options)
{
	const struct zg_journal_options journal = store_journal_options(options);
	size_t size = zg_journal_memory_size(&journal);

	if (size == 0 || store_slice_size(options) < SHOP_SNAPSHOT_ITEM_SIZE_MAX)
		return 0;
	return size + 2 * ZG_POOL_ROUND(store_slice_size(options));
}

int shop_journal_store_plan(struct zg_plan *plan, const struct shop_journal_store_options *options)
{
	const struct zg_journal_options journal = store_journal_options(options);
	const struct zg_plan_line line = {
		.name = "snapshot slices",
		.count = 2,
		.size_each = ZG_POOL_ROUND(store_slice_size(options)),
		.exhausted = "the snapshot is given up, and begun again",
		.counter = "storefront_snapshots_failed_total",
	};
	int result = zg_journal_plan(plan, &journal);

	return result < 0 ? result
			  : zg_plan_add(plan, &line,
					"the one being written, and what changes before its turn");
}

static void store_wait(struct shop_journal_store *journal, struct shop_command *command)
{
	command->next = NULL;
	if (journal->last != NULL)
		journal->last->next = command;
	else
		journal->first = command;
	journal->last = command;
}

/* Those whose records are durable are done; when there is an error, all of them are. */
static void store_done(struct shop_journal_store *journal, int error)
{
	uint64_t durable = journal->journal.sequence_durable;

	while (journal->first != NULL && (error < 0 || journal->first->sequence <= durable)) {
		struct shop_command *command = journal->first;

		journal->first = command->next;
		if (journal->first == NULL)
			journal->last = NULL;
		journal->store.done(journal->store.user, command, error);
	}
}

static int journal_submit(struct shop_store *store, struct shop_command *command)
{
	struct shop_journal_store *journal = store_of(store);
	void *place;
	int result = zg_journal_reserve(&journal->journal, command->type,
					shop_record_size(command->type), &place);

	if (result < 0)
		return result == -ENOSPC ? -EAGAIN : result;
	shop_apply(store->shop, command);
	if (command->outcome.is_changed) {
		shop_record_encode(command, place);
		zg_journal_publish(&journal->journal, &command->sequence);
	} else {
		command->sequence = journal->journal.sequence;
	}
	if (command->sequence <= journal->journal.sequence_durable)
		store->done(store->user, command, 0);
	else
		store_wait(journal, command);
	return 0;
}

static int journal_turn_end(struct shop_store *store, int *ret_fd)
{
	struct shop_journal_store *journal = store_of(store);
	int result = zg_journal_commit_begin(&journal->journal, &journal->commit);

	if (result == -EBUSY)
		return 0;
	if (result <= 0) {
		/* All is durable already, or nothing ever will be. */
		store_done(journal, result);
		return 0;
	}
	*ret_fd = journal->commit.fd;
	return 1;
}

static void journal_flushed(struct shop_store *store, int result)
{
	struct shop_journal_store *journal = store_of(store);

	zg_journal_commit_end(&journal->journal, &journal->commit, result);
	store_done(journal, result < 0 ? result : 0);
}

/* The journal asks for more of its snapshot. */
static int store_write_slice(void *user)
{
	struct shop_journal_store *journal = user;
	size_t size;
	int more =
		shop_snapshot_next(&journal->snapshot, journal->slice, journal->slice_size, &size);
	int result;

	if (more < 0)
		return more;
	result = zg_journal_snapshot_write(&journal->journal, SLICE_TYPE, journal->slice, size);
	return result < 0 ? result : more;
}

static void store_snapshot_failed(struct shop_journal_store *journal)
{
	shop_snapshot_abandon(&journal->snapshot);
	++journal->snapshot_failed_count;
	journal->phase = SHOP_JOURNAL_QUIET;
}

static bool store_wants_snapshot(const struct shop_journal_store *journal)
{
	struct zg_journal_stats stats;

	zg_journal_read_stats(&journal->journal, &stats);
	return stats.segments_free * FREE_SHARE < stats.segments;
}

static int journal_idle(struct shop_store *store)
{
	struct shop_journal_store *journal = store_of(store);
	int result;

	if (journal->phase == SHOP_JOURNAL_SYNCING)
		return 0;
	if (journal->phase == SHOP_JOURNAL_QUIET) {
		if (!store_wants_snapshot(journal))
			return 0;
		result = zg_journal_snapshot_begin(&journal->journal, store_write_slice, journal);
		if (result < 0) {
			++journal->snapshot_failed_count;
			return 0;
		}
		shop_snapshot_begin(&journal->snapshot, store->shop, journal->buffer,
				    journal->slice_size);
		journal->phase = SHOP_JOURNAL_WRITING;
	}
	result = zg_journal_snapshot_step(&journal->journal, 1);
	if (result > 0)
		return SHOP_STORE_MORE;
	if (result < 0) {
		store_snapshot_failed(journal);
		return 0;
	}
	journal->phase = SHOP_JOURNAL_SYNCING;
	return SHOP_STORE_SYNC;
}

static int journal_sync(struct shop_store *store)
{
	return zg_journal_snapshot_sync(&store_of(store)->journal);
}

static void journal_synced(struct shop_store *store, int result)
{
	struct shop_journal_store *journal = store_of(store);

	assert(journal->phase == SHOP_JOURNAL_SYNCING);
	zg_journal_snapshot_end(&journal->journal, result);
	journal->phase = SHOP_JOURNAL_QUIET;
	if (result < 0)
		++journal->snapshot_failed_count;
}

static void journal_close(struct shop_store *store)
{
	struct shop_journal_store *journal = store_of(store);

	shop_snapshot_abandon(&journal->snapshot);
	zg_journal_close(&journal->journal);
	journal->first = NULL;
	journal->last = NULL;
	store->shop = NULL;
}

static const struct shop_store_operations journal_operations = {
	.name = "journal",
	.submit = journal_submit,
	.turn_end = journal_turn_end,
	.flushed = journal_flushed,
	.idle = journal_idle,
	.sync = journal_sync,
	.synced = journal_synced,
	.close = journal_close,
};

/* What a recovery reads into. */
struct store_recovery {
	struct shop *shop;
	struct shop_snapshot_reader reader;
	struct zg_text *error;
};

static int recover_slice(void *user, const struct zg_journal_record *slice)
{
	struct store_recovery *recovery = user;
	size_t used = 0;
	int result = shop_snapshot_read(&recovery->reader, slice->bytes, slice->size, &used);

	/* A slice has whole items only. */
	if (result >= 0 && used != slice->size)
		result = -EBADMSG;
	if (result < 0)
		zg_text_print(
			recovery->error, "%s",
			result == -ENOMEM
				? "the snapshot has more than the shop's limits allow: raise "
				  "--products-max, --carts-max, --orders-max, --payments-max, "
				  "--transactions-max or --keys-max to what they were"
				: "the snapshot is not this shop's");
	return result < 0 ? result : 0;
}

static int recover_record(void *user, const struct zg_journal_record *record)
{
	struct store_recovery *recovery = user;
	int result = -EBADMSG;

	/* The snapshot comes before all records, and has to be whole. */
	if (recovery->reader.is_begun == recovery->reader.is_ended)
		result = shop_replay(recovery->shop, record->bytes, record->size);
	if (result < 0)
		zg_text_print(recovery->error,
			      "record %llu of the journal cannot be applied: it was written by "
			      "another version, or with other limits",
			      (unsigned long long)record->sequence);
	return result;
}

static int store_recover(struct shop_journal_store *journal,
			 struct zg_journal_recovery *ret_recovery, struct zg_text *ret_error)
{
	struct store_recovery recovery = {.shop = journal->store.shop, .error = ret_error};
	const struct zg_journal_reader reader = {recover_slice, recover_record, &recovery};
	int result;

	shop_snapshot_read_begin(&recovery.reader, recovery.shop);
	result = zg_journal_replay(&journal->journal, &reader, ret_recovery, ret_error);
	if (result == 0 && recovery.reader.is_begun != recovery.reader.is_ended) {
		zg_text_print(ret_error, "the snapshot has no end");
		result = -EBADMSG;
	}
	return result;
}

int shop_journal_store_open(struct shop_journal_store *journal,
			    const struct shop_journal_store_options *options,
			    struct zg_journal_recovery *ret_recovery, struct zg_text *ret_error)
{
	struct zg_journal_options journal_options = store_journal_options(options);
	unsigned char *bytes = options->memory;
	int result;

	assert(options->memory_size >= shop_journal_store_memory_size(options));
	*journal = (struct shop_journal_store){
		.store = {&journal_operations, options->shop, options->done, options->user},
		.slice_size = store_slice_size(options),
	};
	journal->slice = bytes;
	journal->buffer = bytes + ZG_POOL_ROUND(journal->slice_size);
	journal_options.memory = bytes + 2 * ZG_POOL_ROUND(journal->slice_size);
	journal_options.memory_size = zg_journal_memory_size(&journal_options);
	result = zg_journal_open(&journal->journal, &journal_options, ret_error);
	if (result < 0)
		return result;
	result = store_recover(journal, ret_recovery, ret_error);
	if (result < 0)
		zg_journal_close(&journal->journal);
	return result;
}
