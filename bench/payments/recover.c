/*
 * How long the shop takes to come back: its journal of payments, replayed through the shop itself.
 *
 *	payments-recover fill DIRECTORY RECORDS      two records a payment, 512 payments a flush
 *	payments-recover recover DIRECTORY RECORDS   the start of that shop
 *
 * The shop has the limits that it has by default, and there is no snapshot: every record is applied
 * again. `recover` prints the seconds that the store took to open, of those the journal's
 * replay, and the CPU time of the opening; memory has been touched before, as a service's is. Then
 * everything is added up.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "ledger/shop.h"
#include "stores/journal_store.h"

#define SEGMENT_SIZE (UINT64_C(16) << 20)
#define GROUP 512
#define RECORD_ROOM 192 /* bytes that a record takes at the most on average */
#define NOW_MS INT64_C(1700000000000)
#define AMOUNT 1299

static struct shop shop;
static struct shop_options limits;
static struct shop_journal_store journal;
static struct shop_command commands[GROUP];

static int fail(const char *what, int error, const char *text)
{
	fprintf(stderr, "payments-recover: %s: %s %s\n", what, strerror(-error), text);
	return 1;
}

static void done(void *user, struct shop_command *command, int error)
{
	(void)user;
	(void)command;
	if (error < 0)
		exit(fail("flush", error, ""));
}

/* On huge pages where there are some, and touched, as a service's is. */
static void *memory_make(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		exit(fail("memory", -errno, ""));
	(void)madvise(memory, size, MADV_HUGEPAGE);
	memset(memory, 0, size);
	return memory;
}

static double clock_seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct times {
	double open; /* seconds: the store's opening */
	double replay; /* of that the journal's replay */
	double cpu; /* what the opening took of a processor */
	uint64_t records;
};

static int start(const char *directory, uint64_t records, struct times *ret_times)
{
	struct zg_journal_recovery recovery;
	struct shop_journal_store_options options = {
		.directory = directory,
		.segment_size = SEGMENT_SIZE,
		.segment_count = (uint32_t)(records * RECORD_ROOM / SEGMENT_SIZE) + 4,
		.create = true,
		.shop = &shop,
		.done = done,
	};
	char buffer[1024];
	struct zg_text error;
	double begin;
	double begin_cpu;
	int result;

	zg_text_init(&error, buffer, sizeof(buffer));
	shop_options_init(&limits);
	result = shop_init(&shop, &limits, memory_make(shop_memory_size(&limits)));
	if (result < 0)
		return fail("shop", result, "");
	options.memory_size = shop_journal_store_memory_size(&options);
	options.memory = memory_make(options.memory_size);
	begin = clock_seconds(CLOCK_MONOTONIC);
	begin_cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
	result = shop_journal_store_open(&journal, &options, &recovery, &error);
	ret_times->open = clock_seconds(CLOCK_MONOTONIC) - begin;
	ret_times->cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - begin_cpu;
	ret_times->replay = (double)recovery.duration_ns / 1e9;
	ret_times->records = recovery.record_count;
	return result < 0 ? fail("store", result, buffer) : 0;
}

static int submit_all(uint32_t count)
{
	int fd;

	for (uint32_t index = 0; index < count; index++) {
		int result = shop_store_submit(&journal.store, &commands[index]);

		if (result < 0)
			return fail("submit", result, "");
	}
	if (shop_store_turn_end(&journal.store, &fd) == 1)
		shop_store_flushed(&journal.store, fdatasync(fd) < 0 ? -errno : 0);
	return 0;
}

static int intend(uint32_t count, uint64_t first)
{
	for (uint32_t index = 0; index < count; index++) {
		struct shop_command *command = &commands[index];
		struct shop_payment_record *record = &command->request.authorize.record;
		struct shop_card card = {.month = 12, .year = 2035};

		*command = (struct shop_command){.type = SHOP_PAYMENT_AUTHORIZE, .now_ms = NOW_MS};
		shop_payment_record_init(record);
		record->flags = SHOP_PAYMENT_SALE;
		record->amount = AMOUNT;
		record->currency = limits.currency;
		(void)snprintf(record->key, sizeof(record->key), "key-%llu",
			       (unsigned long long)(first + index));
		if (!shop_card_number_set(&card, ZG_SLICE("4242424242424242")))
			return 1;
		shop_payment_record_card(record, &card);
		shop_payment_record_sum(record);
		if (shop_payment_record_seal(record, NOW_MS, &command->card) != SHOP_REASON_NONE)
			return fail("seal", -EINVAL, "");
	}
	return submit_all(count);
}

static int conclude(uint32_t count)
{
	for (uint32_t index = 0; index < count; index++) {
		uint64_t operation_id = commands[index].outcome.operation_id;

		commands[index] = (struct shop_command){
			.type = SHOP_PAYMENT_OUTCOME,
			.now_ms = NOW_MS,
			.request.payment_outcome = {.operation_id = operation_id,
						    .acquirer_reference = operation_id,
						    .verdict = SHOP_APPROVED},
		};
	}
	return submit_all(count);
}

static int run_fill(const char *directory, uint64_t records)
{
	struct times times;

	if (start(directory, records, &times) != 0)
		return 1;
	for (uint64_t made = 0; made < records / 2;) {
		uint64_t left = records / 2 - made;
		uint32_t count = left < GROUP ? (uint32_t)left : GROUP;

		if (intend(count, made) != 0 || conclude(count) != 0)
			return 1;
		made += count;
	}
	shop_store_close(&journal.store);
	return 0;
}

static int run_recover(const char *directory, uint64_t records)
{
	struct times times;
	char buffer[256];
	struct zg_text error;

	zg_text_init(&error, buffer, sizeof(buffer));
	if (start(directory, records, &times) != 0)
		return 1;
	if (times.records != records / 2 * 2 ||
	    shop.totals.captured != (int64_t)(records / 2) * AMOUNT ||
	    shop_audit(&shop, &error) < 0)
		return fail("audit", -EBADMSG, buffer);
	printf("%.6f %.6f %.6f\n", times.open, times.replay, times.cpu);
	shop_store_close(&journal.store);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t records = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;

	if (records >= 2 && strcmp(argv[1], "fill") == 0)
		return run_fill(argv[2], records);
	if (records >= 2 && strcmp(argv[1], "recover") == 0)
		return run_recover(argv[2], records);
	fprintf(stderr, "usage: payments-recover fill|recover DIRECTORY RECORDS\n");
	return 2;
}
