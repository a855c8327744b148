/*
 * What the journal does to a disk, and how long it takes to come back.
 *
 *	journal commit DIRECTORY GROUP SIZE COMMITS   records of SIZE bytes, GROUP to a commit
 *	journal fill DIRECTORY SIZE RECORDS           a journal of so many records
 *	journal recover DIRECTORY SIZE RECORDS        the replay of that journal
 *
 * Prints seconds. `commit` is what bench/floor_commit.c does without a journal; both leave out
 * the making of their files. The directory has to be empty, or that of `fill`.
 */
#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zerog/journal.h>

#include "base/clock.h"

#define COMMIT_SEGMENT_SIZE (UINT64_C(16) << 20)
#define COMMIT_SEGMENTS 4
#define FILL_SEGMENT_SIZE (UINT64_C(16) << 20)
#define FILL_GROUP 1000
#define SIZE_MAX_ALLOWED 65536

static alignas(ZG_JOURNAL_MEMORY_ALIGNMENT) unsigned char memory[4 << 20];
static unsigned char payload[SIZE_MAX_ALLOWED];
static struct zg_journal journal;
static uint64_t read_count;
static uint64_t read_sum;

static int fail(const char *what, int error, const struct zg_text *text)
{
	fprintf(stderr, "journal: %s: %s %s\n", what, strerror(-error),
		text != NULL ? text->data : "");
	return 1;
}

static int on_record(void *user, const struct zg_journal_record *record)
{
	(void)user;
	read_count++;
	read_sum += *(const unsigned char *)record->bytes;
	return 0;
}

static int start(const char *directory, uint64_t segment_size, uint32_t segment_count,
		 struct zg_journal_recovery *ret_recovery)
{
	static const struct zg_journal_reader reader = {NULL, on_record, NULL};
	struct zg_journal_options options = {
		.directory = directory,
		.segment_size = segment_size,
		.segment_count = segment_count,
		.create = true,
		.memory = memory,
		.memory_size = sizeof(memory),
	};
	char buffer[1024];
	struct zg_text error;
	int result;

	zg_text_init(&error, buffer, sizeof(buffer));
	result = zg_journal_open(&journal, &options, &error);
	if (result == 0)
		result = zg_journal_replay(&journal, &reader, ret_recovery, &error);
	if (result < 0)
		fprintf(stderr, "journal: %s\n", buffer);
	return result;
}

/* Published, and not committed. */
static int append(uint64_t group, size_t size)
{
	for (uint64_t count = 0; count < group; count++) {
		struct zg_journal_record record = {.bytes = payload, .size = size, .type = 1};
		int result;

		payload[0]++;
		result = zg_journal_append(&journal, &record, NULL);
		if (result < 0)
			return result;
	}
	return 0;
}

static int write_slice(void *user)
{
	(void)user;
	return 0;
}

/* The state is nothing, so a snapshot of it is all that is needed to go on. */
static int make_room(void)
{
	struct zg_journal_stats stats;

	zg_journal_read_stats(&journal, &stats);
	return stats.segments_free > 1 ? 0 : zg_journal_snapshot(&journal, write_slice, NULL);
}

static int run_commit(const char *directory, uint64_t group, size_t size, uint64_t commits)
{
	uint64_t begin_ns;
	int result;

	if (start(directory, COMMIT_SEGMENT_SIZE, COMMIT_SEGMENTS, NULL) < 0)
		return 1;
	begin_ns = zgi_clock_ns();
	for (uint64_t count = 0; count < commits; count++) {
		result = make_room();
		if (result == 0)
			result = append(group, size);
		if (result == 0)
			result = zg_journal_commit(&journal);
		if (result < 0)
			return fail("commit", result, NULL);
	}
	printf("%.6f\n", (double)(zgi_clock_ns() - begin_ns) / 1e9);
	zg_journal_close(&journal);
	return 0;
}

static uint32_t fill_segments(size_t size, uint64_t records)
{
	uint64_t each = (size + ZG_JOURNAL_RECORD_OVERHEAD + 7) / 8 * 8;
	uint64_t in_one = (FILL_SEGMENT_SIZE - ZG_JOURNAL_SEGMENT_OVERHEAD) / each;
	uint64_t count = records / in_one + 2;

	return count < ZG_JOURNAL_SEGMENTS_MAX ? (uint32_t)count : ZG_JOURNAL_SEGMENTS_MAX;
}

static int run_fill(const char *directory, size_t size, uint64_t records)
{
	uint64_t begin_ns = zgi_clock_ns();
	int result = 0;

	if (start(directory, FILL_SEGMENT_SIZE, fill_segments(size, records), NULL) < 0)
		return 1;
	for (uint64_t done = 0; done < records && result == 0; done += FILL_GROUP) {
		uint64_t left = records - done;

		result = append(left < FILL_GROUP ? left : FILL_GROUP, size);
		if (result == 0)
			result = zg_journal_commit(&journal);
	}
	if (result < 0)
		return fail("fill", result, NULL);
	printf("%.6f\n", (double)(zgi_clock_ns() - begin_ns) / 1e9);
	zg_journal_close(&journal);
	return 0;
}

static int run_recover(const char *directory, size_t size, uint64_t records)
{
	struct zg_journal_recovery recovery = {0};
	uint64_t begin_ns = zgi_clock_ns();

	if (start(directory, FILL_SEGMENT_SIZE, fill_segments(size, records), &recovery) < 0)
		return 1;
	if (read_count != records || recovery.torn_size != 0) {
		fprintf(stderr, "journal: %llu records were read, of %llu\n",
			(unsigned long long)read_count, (unsigned long long)records);
		return 1;
	}
	printf("%.6f %.6f\n", (double)(zgi_clock_ns() - begin_ns) / 1e9,
	       (double)recovery.duration_ns / 1e9);
	zg_journal_close(&journal);
	return read_sum == 0;
}

static uint64_t number(const char *text)
{
	return strtoull(text, NULL, 10);
}

int main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "commit") == 0 && number(argv[4]) > 0 &&
	    number(argv[4]) <= SIZE_MAX_ALLOWED)
		return run_commit(argv[2], number(argv[3]), (size_t)number(argv[4]),
				  number(argv[5]));
	if (argc == 5 && strcmp(argv[1], "fill") == 0 && number(argv[3]) > 0 &&
	    number(argv[3]) <= SIZE_MAX_ALLOWED)
		return run_fill(argv[2], (size_t)number(argv[3]), number(argv[4]));
	if (argc == 5 && strcmp(argv[1], "recover") == 0)
		return run_recover(argv[2], (size_t)number(argv[3]), number(argv[4]));
	fprintf(stderr, "usage: journal commit DIRECTORY GROUP SIZE COMMITS\n"
			"       journal fill|recover DIRECTORY SIZE RECORDS\n");
	return 2;
}
