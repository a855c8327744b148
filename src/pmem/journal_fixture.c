#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pmem/journal_fixture.h"

struct journal_fixture fixture;

static alignas(ZG_JOURNAL_MEMORY_ALIGNMENT) unsigned char fixture_memory[1 << 20];

static int fixture_remove(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	(void)info;
	(void)kind;
	(void)walk;
	return remove(path);
}

int journal_fixture_setup(void **state)
{
	const char *folder = getenv("TMPDIR");

	(void)state;
	memset(&fixture, 0, sizeof(fixture));
	snprintf(fixture.directory, sizeof(fixture.directory), "%s/zerog-journal-XXXXXX",
		 folder != NULL ? folder : P_tmpdir);
	if (mkdtemp(fixture.directory) == NULL)
		return -1;
	fixture.options = (struct zg_journal_options){
		.directory = fixture.directory,
		.segment_size = ZG_JOURNAL_SEGMENT_SIZE_MIN,
		.segment_count = 4,
		.create = true,
		.memory = fixture_memory,
		.memory_size = sizeof(fixture_memory),
	};
	return 0;
}

int journal_fixture_teardown(void **state)
{
	(void)state;
	zg_journal_close(&fixture.journal);
	return nftw(fixture.directory, fixture_remove, 8, FTW_DEPTH | FTW_PHYS);
}

int journal_fixture_open(void)
{
	zg_text_init(&fixture.text, fixture.error, sizeof(fixture.error));
	return zg_journal_open(&fixture.journal, &fixture.options, &fixture.text);
}

static unsigned char fixture_byte(uint64_t sequence, size_t index)
{
	return (unsigned char)(sequence * 31 + index);
}

static int fixture_on_record(void *user, const struct zg_journal_record *record)
{
	const unsigned char *bytes = record->bytes;
	uint64_t sequence;

	(void)user;
	if (fixture.record_count++ == 0)
		fixture.sequence_first = record->sequence;
	fixture.sequence_last = record->sequence;
	if (record->size < sizeof(sequence) || (uintptr_t)bytes % 8 != 0) {
		fixture.is_wrong = true;
		return fixture.reader_result;
	}
	memcpy(&sequence, bytes, sizeof(sequence));
	if (sequence != record->sequence || record->type != sequence % 7)
		fixture.is_wrong = true;
	for (size_t index = sizeof(sequence); index < record->size; index++)
		if (bytes[index] != fixture_byte(sequence, index))
			fixture.is_wrong = true;
	return fixture.reader_result;
}

static int fixture_on_slice(void *user, const struct zg_journal_record *slice)
{
	(void)user;
	if (fixture.slice_count < 16)
		fixture.slice_sequences[fixture.slice_count] = slice->sequence;
	if (slice->type != fixture.slice_count % 7 ||
	    (slice->size > 0 && *(const unsigned char *)slice->bytes != slice->type))
		fixture.is_wrong = true;
	fixture.slice_count++;
	return fixture.reader_result;
}

int journal_fixture_replay(void)
{
	struct zg_journal_reader reader = {fixture_on_slice, fixture_on_record, NULL};

	fixture.record_count = 0;
	fixture.slice_count = 0;
	fixture.sequence_first = 0;
	fixture.sequence_last = 0;
	fixture.is_wrong = false;
	return zg_journal_replay(&fixture.journal, &reader, &fixture.recovery, &fixture.text);
}

void journal_fixture_start(void)
{
	int result = journal_fixture_open();

	if (result == 0)
		result = journal_fixture_replay();
	if (result < 0)
		print_error("%s\n", fixture.error);
	assert_int_equal(result, 0);
	assert_false(fixture.is_wrong);
}

void journal_fixture_restart(void)
{
	zg_journal_close(&fixture.journal);
	journal_fixture_start();
}

uint64_t journal_fixture_append(size_t size)
{
	uint64_t expected = fixture.journal.sequence + 1;
	uint64_t sequence = 0;
	void *place;

	assert_int_equal(
		zg_journal_reserve(&fixture.journal, (uint32_t)(expected % 7), size, &place), 0);
	memcpy(place, &expected, sizeof(expected));
	for (size_t index = sizeof(expected); index < size; index++)
		((unsigned char *)place)[index] = fixture_byte(expected, index);
	zg_journal_publish(&fixture.journal, &sequence);
	assert_int_equal(sequence, expected);
	return sequence;
}

void journal_fixture_append_many(uint32_t count, size_t size)
{
	for (uint32_t number = 0; number < count; number++) {
		journal_fixture_append(size);
		assert_int_equal(zg_journal_commit(&fixture.journal), 0);
	}
}

const char *journal_fixture_path(const char *name)
{
	static char path[192];

	snprintf(path, sizeof(path), "%s/%s", fixture.directory, name);
	return path;
}

void journal_fixture_read(const char *name, long offset, void *bytes, size_t size)
{
	int fd = open(journal_fixture_path(name), O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, bytes, size, offset), size);
	close(fd);
}

void journal_fixture_write(const char *name, long offset, const void *bytes, size_t size)
{
	int fd = open(journal_fixture_path(name), O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, size, offset), size);
	close(fd);
}

void journal_fixture_damage(const char *name, long offset, unsigned char bits)
{
	unsigned char byte;

	if (offset < 0) {
		assert_int_equal(truncate(journal_fixture_path(name), 0), 0);
		return;
	}
	journal_fixture_read(name, offset, &byte, 1);
	byte ^= bits;
	journal_fixture_write(name, offset, &byte, 1);
}

bool journal_fixture_has(const char *name)
{
	return access(journal_fixture_path(name), F_OK) == 0;
}

bool journal_fixture_says(const char *part)
{
	if (strstr(fixture.error, part) != NULL)
		return true;
	print_error("\"%s\" is not in: %s\n", part, fixture.error);
	return false;
}
