/*
 * What a power failure at any moment leaves of a journal: every record that was committed, whole,
 * and of the others the first few or none. Each subset of the words that no fence has covered is
 * tried, and where they are many, a sample.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdalign.h>
#include <string.h>

#include "pmem/crash.h"
#include "pmem/journal_fixture.h"
#include "pmem/journal_inside.h"
#include "pmem/journal_recover.h"

#define SEGMENTS 2
#define LARGE_SIZE 12000 /* five of them fill a segment */

static struct zgi_crash crash;
static alignas(64) unsigned char crash_memory[3 * SEGMENTS * ZG_JOURNAL_SEGMENT_SIZE_MIN];
static struct zg_journal *const journal = &fixture.journal;

/* What the reader sees in an image. */
static struct {
	uint64_t sequence_last;
	bool is_wrong;
} seen;

static int on_record(void *user, const struct zg_journal_record *record)
{
	const unsigned char *bytes = record->bytes;
	uint64_t sequence;

	(void)user;
	memcpy(&sequence, bytes, sizeof(sequence));
	if (sequence != record->sequence || sequence != seen.sequence_last + 1)
		seen.is_wrong = true;
	for (size_t index = sizeof(sequence); index < record->size; index++)
		if (bytes[index] != (unsigned char)(sequence * 31 + index))
			seen.is_wrong = true;
	seen.sequence_last = record->sequence;
	return 0;
}

/* The views of an image, in order of the ids that its headers give. Return: NULL; or a problem. */
static const char *image_views(const struct zgi_crash_image *image, struct zgi_journal_view *views)
{
	uint64_t ids[SEGMENTS] = {0};

	for (uint32_t number = 0; number < image->map_count; number++) {
		enum zgi_segment_state state = zgi_journal_segment_identify(
			image->bytes[number], journal->uuid, number, &ids[number]);

		if (state != ZGI_SEGMENT_WHOLE && state != ZGI_SEGMENT_UNEVEN)
			return "a segment's header is not whole";
		views[number] = (struct zgi_journal_view){
			.bytes = image->bytes[number] + ZG_JOURNAL_SEGMENT_OVERHEAD,
			.size = image->sizes[number] - ZG_JOURNAL_SEGMENT_OVERHEAD,
			.seed = zgi_journal_seed(journal->uuid, ids[number]),
		};
	}
	if (ids[1] != ids[0] + 1)
		return "the segments' ids do not follow one another";
	return NULL;
}

static const char *check_records(struct zgi_crash_image *image, void *user)
{
	static const struct zg_journal_reader reader = {NULL, on_record, NULL};
	struct zgi_journal_view views[SEGMENTS];
	struct zgi_journal_recovery recovery = {
		.views = views, .view_count = SEGMENTS, .reader = &reader};
	const char *problem = image_views(image, views);

	(void)user;
	if (problem != NULL)
		return problem;
	memset(&seen, 0, sizeof(seen));
	if (zgi_journal_recover(&recovery) < 0)
		return "it is refused";
	if (seen.is_wrong)
		return "a record is not what was written";
	if (seen.sequence_last < image->promised)
		return "a committed record is missing";
	return NULL;
}

static void watch(zgi_crash_check *check)
{
	struct zgi_crash_options options = {
		.check = check, .memory = crash_memory, .memory_size = sizeof(crash_memory)};

	fixture.options.segment_count = SEGMENTS;
	journal_fixture_start();
	zgi_crash_init(&crash, &options);
	for (uint32_t place = 0; place < SEGMENTS; place++)
		zgi_crash_watch(&crash, &journal->ring[place]->map);
}

static void commit(void)
{
	assert_int_equal(zg_journal_commit(journal), 0);
	zgi_crash_promise(&crash, journal->sequence);
}

static void assert_sound(void)
{
	zgi_crash_end(&crash);
	if (crash.problem != NULL)
		print_error("%s: %s\n", crash.problem, crash.report);
	assert_null(crash.problem);
	print_message("# %llu images, %llu moments sampled\n",
		      (unsigned long long)crash.image_count,
		      (unsigned long long)crash.sampled_count);
}

static void committed_records_survive_and_others_are_whole_or_not_there(void **state)
{
	(void)state;
	watch(check_records);
	for (uint32_t round = 0; round < 3; round++) {
		journal_fixture_append(8);
		commit();
		journal_fixture_append(40);
		commit();
		journal_fixture_append(8);
		journal_fixture_append(16); /* two in one flush */
		commit();
	}
	for (uint32_t count = 0; count < 20; count++)
		journal_fixture_append(24);
	commit();
	assert_true(crash.image_count > 1000);
	assert_sound();
}

static void records_survive_the_way_to_the_next_segment(void **state)
{
	(void)state;
	watch(check_records);
	while (journal->current == 0) {
		journal_fixture_append(LARGE_SIZE);
		if (journal->current == 0)
			commit();
	}
	journal_fixture_append(8); /* in the next one, as the large one before it */
	commit();
	journal_fixture_append(8);
	commit();
	assert_sound();
}

static void records_of_both_segments_survive_one_commit(void **state)
{
	(void)state;
	watch(check_records);
	for (uint32_t count = 0; count < 4; count++)
		journal_fixture_append(LARGE_SIZE);
	commit();
	journal_fixture_append(LARGE_SIZE); /* the last that fits */
	journal_fixture_append(LARGE_SIZE);
	assert_int_equal(journal->current, 1);
	journal_fixture_append(8);
	commit();
	assert_sound();
}

static void flush_elsewhere_is_as_good_as_one_that_waits(void **state)
{
	struct zg_journal_commit begun;

	(void)state;
	watch(check_records);
	for (uint32_t count = 0; count < 3; count++) {
		journal_fixture_append(8);
		assert_int_equal(zg_journal_commit_begin(journal, &begun), 1);
		journal_fixture_append(8); /* in no commit yet */
		zg_journal_commit_end(journal, &begun, 0);
		zgi_crash_promise(&crash, begun.sequence);
		commit();
	}
	assert_sound();
}

/* While a segment gets a new id, it has the old one or the new one. */
static const char *check_id(struct zgi_crash_image *image, void *user)
{
	uint64_t id = 0;
	enum zgi_segment_state state =
		zgi_journal_segment_identify(image->bytes[0], journal->uuid, 0, &id);

	(void)user;
	if (state != ZGI_SEGMENT_WHOLE && state != ZGI_SEGMENT_UNEVEN)
		return "the header is lost";
	if (id != 3 && (id != 1 || image->promised == 1))
		return "the id is none of the two";
	return NULL;
}

static void segment_that_is_used_again_has_one_of_two_ids(void **state)
{
	(void)state;
	watch(check_id);
	assert_int_equal(zgi_journal_segment_format(journal, journal->ring[0], 3), 0);
	zgi_crash_promise(&crash, 1);
	assert_sound();
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, journal_fixture_setup, journal_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(committed_records_survive_and_others_are_whole_or_not_there),
		TEST(records_survive_the_way_to_the_next_segment),
		TEST(records_of_both_segments_survive_one_commit),
		TEST(flush_elsewhere_is_as_good_as_one_that_waits),
		TEST(segment_that_is_used_again_has_one_of_two_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
