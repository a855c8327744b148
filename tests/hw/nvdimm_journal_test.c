/*
 * The journal on true persistent memory: /pmem is a DAX file system, made by nvdimm.sh. A commit is
 * a flush of cache lines and a fence, and nobody waits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/clock.h"
#include "pmem/journal_fixture.h"
#include "pmem/journal_inside.h"

#define COMMITS 2000

static struct zg_journal *const journal = &fixture.journal;

static int write_nothing(void *user)
{
	(void)user;
	return 0;
}

static void segments_are_persistent_memory(void **state)
{
	(void)state;
	journal_fixture_start();
	for (uint32_t place = 0; place < journal->segment_count; place++)
		assert_true(zg_pmem_is_persistent_memory(&journal->ring[place]->map));
}

static void commit_is_done_when_it_is_begun(void **state)
{
	struct zg_journal_commit commit;

	(void)state;
	journal_fixture_start();
	while (journal->current == 0)
		journal_fixture_append(1000);
	assert_int_equal(zg_journal_commit_begin(journal, &commit), 0);
	assert_int_equal(commit.fd, -1);
	assert_int_equal(commit.sequence, journal->sequence);
	assert_false(zg_journal_is_dirty(journal));
	journal_fixture_restart();
	assert_int_equal(fixture.record_count, commit.sequence);
}

static void records_and_snapshots_are_read_back(void **state)
{
	uint64_t begin_ns;

	(void)state;
	journal_fixture_start();
	begin_ns = zgi_clock_ns();
	journal_fixture_append_many(COMMITS, 64);
	print_message("# %llu ns a commit\n",
		      (unsigned long long)((zgi_clock_ns() - begin_ns) / COMMITS));
	assert_int_equal(zg_journal_snapshot(journal, write_nothing, NULL), 0);
	journal_fixture_append_many(10, 64);
	journal_fixture_restart();
	assert_int_equal(fixture.recovery.snapshot_sequence, COMMITS);
	assert_int_equal(fixture.record_count, 10);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, journal_fixture_setup, journal_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(segments_are_persistent_memory),
		TEST(commit_is_done_when_it_is_begun),
		TEST(records_and_snapshots_are_read_back),
	};

	(void)setenv("TMPDIR", "/pmem", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
