/*
 * A process is killed while it appends, commits and takes snapshots, again and again. Whatever it
 * had acknowledged, by writing its number to a pipe, the next process finds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pmem/journal_fixture.h"

#define ROUNDS 100
#define RUN_US_MAX 20000
#define GROUP_MAX 5

static struct zg_journal *const journal = &fixture.journal;
static uint32_t slices_left;

static int write_slice(void *user)
{
	unsigned char type = (unsigned char)((8 - slices_left) % 7);

	(void)user;
	if (slices_left == 0)
		return 0;
	slices_left--;
	return zg_journal_snapshot_write(journal, type, &type, 1) < 0 ? -1 : 1;
}

/* Until it is killed. */
static void child_run(int acknowledge_fd, unsigned int seed)
{
	if (journal_fixture_open() < 0 || journal_fixture_replay() < 0)
		_exit(1);
	for (;;) {
		uint64_t sequence = 0;

		if (journal->stats.segments_free < 2) {
			slices_left = 8;
			if (zg_journal_snapshot(journal, write_slice, NULL) < 0)
				_exit(2);
		}
		for (int count = rand_r(&seed) % GROUP_MAX; count >= 0; count--)
			sequence = journal_fixture_append(8 + (size_t)rand_r(&seed) % 3000);
		if (zg_journal_commit(journal) < 0)
			_exit(3);
		if (write(acknowledge_fd, &sequence, sizeof(sequence)) != sizeof(sequence))
			_exit(4);
	}
}

/* Return: the last number that was acknowledged; 0: none was. */
static uint64_t run_and_kill(unsigned int *seed)
{
	struct timespec pause = {.tv_nsec = (long)(rand_r(seed) % RUN_US_MAX) * 1000};
	uint64_t acknowledged = 0;
	uint64_t sequence;
	int status;
	int ends[2];
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0)
		child_run(ends[1], *seed);
	close(ends[1]);
	/* It has begun, or it might be killed again and again before it gets anywhere. */
	if (read(ends[0], &sequence, sizeof(sequence)) == sizeof(sequence)) {
		acknowledged = sequence;
		nanosleep(&pause, NULL);
	}
	kill(child, SIGKILL);
	while (read(ends[0], &sequence, sizeof(sequence)) == sizeof(sequence))
		acknowledged = sequence;
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	return acknowledged;
}

static void what_was_acknowledged_survives_the_process(void **state)
{
	unsigned int seed = 5;
	uint64_t snapshots = 0;
	uint64_t former = 0;

	(void)state;
	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint64_t acknowledged = run_and_kill(&seed);

		assert_true(acknowledged > former);
		journal_fixture_start();
		assert_true(fixture.recovery.sequence_last >= acknowledged);
		assert_int_equal(fixture.recovery.sequence_last -
					 fixture.recovery.snapshot_sequence,
				 fixture.record_count);
		assert_int_equal(fixture.recovery.lost_count, 0);
		snapshots += fixture.recovery.snapshot_sequence > former;
		former = fixture.recovery.sequence_last;
		zg_journal_close(journal);
	}
	assert_true(snapshots > 0);
	print_message("# %llu records, a snapshot in %llu of %d rounds\n",
		      (unsigned long long)former, (unsigned long long)snapshots, ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_acknowledged_survives_the_process,
						journal_fixture_setup, journal_fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
