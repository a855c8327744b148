/*
 * What the tests of the journal share: a directory of their own, and a reader that remembers.
 */
#ifndef ZEROG_PMEM_JOURNAL_FIXTURE_H
#define ZEROG_PMEM_JOURNAL_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/journal.h>
#include <zerog/text.h>

#define JOURNAL_FIXTURE_SEGMENTS_MAX 8
#define JOURNAL_FIXTURE_RECORDS_MAX 20000

struct journal_fixture {
	char directory[128];
	struct zg_journal journal;
	struct zg_journal_options options;
	struct zg_journal_recovery recovery;
	char error[1024];
	struct zg_text text;

	/* What the last replay read. Records of these tests begin with their own sequence number,
	 * and so do slices with theirs. */
	uint64_t record_count;
	uint64_t sequence_first;
	uint64_t sequence_last;
	uint64_t slice_count;
	uint64_t slice_sequences[16];
	bool is_wrong; /* a record did not have in it what was put there */
	int reader_result; /* what the reader returns */
};

/* The one fixture: with an empty directory. For cmocka's setup and teardown. */
extern struct journal_fixture fixture;
int journal_fixture_setup(void **state);
int journal_fixture_teardown(void **state);

/* Open with the fixture's options; the result, with the sentence in fixture.error. */
int journal_fixture_open(void);

/* Open, replay, and fail the test if either fails. */
void journal_fixture_start(void);

/* Replay what is open; the result. */
int journal_fixture_replay(void);

/* Close, open and replay, as the next process would. */
void journal_fixture_restart(void);

/* Append one record of a size, at least 8, that the reader knows again. */
uint64_t journal_fixture_append(size_t size);

/* The same, count times, each committed. */
void journal_fixture_append_many(uint32_t count, size_t size);

/* The path of a file in the directory: static text, until the next call. */
const char *journal_fixture_path(const char *name);

/* Change a byte of a file by exclusive or; -1 as offset: cut it to nothing. */
void journal_fixture_damage(const char *name, long offset, unsigned char bits);

/* Read from a file, which has to have that much. */
void journal_fixture_read(const char *name, long offset, void *bytes, size_t size);

/* Write to it, made at need. */
void journal_fixture_write(const char *name, long offset, const void *bytes, size_t size);

bool journal_fixture_has(const char *name);

/* Is this part of the error's sentence? */
bool journal_fixture_says(const char *part);

#endif
