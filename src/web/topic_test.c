/*
 * A topic's ring: what is published is read by everyone, in order, for as long as the
 * ring holds it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <zerog/app.h>

#include "web/router.h"
#include "web/topic.h"

#define EVENTS 4
#define EVENT_SIZE_MAX 128
#define EPOCH 0x5f3e

static struct zg_app app;
static struct zg_topic topic;
static alignas(64) unsigned char memory[4096];
static char buffer[4096];

static int setup_with(uint32_t replay_count)
{
	zg_app_init(&app, "topic_test");
	zg_topic_init(&topic, &app,
		      &(struct zg_topic_options){.name = "test", .replay_count = replay_count});
	assert_int_equal(app.options.topics, 1);
	assert_true(zgi_topics_size(1, EVENTS, EVENT_SIZE_MAX) <= sizeof(memory));
	zgi_topics_open(&(struct zgi_topics_room){.memory = memory,
						  .event_count = EVENTS,
						  .event_size_max = EVENT_SIZE_MAX,
						  .epoch = EPOCH});
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_with(0);
}

static int teardown(void **state)
{
	(void)state;
	zgi_topics_close();
	return 0;
}

static void publish(const char *event, const char *data)
{
	assert_int_equal(zgi_topic_publish(&topic, (struct zg_slice){event, strlen(event)},
					   (struct zg_slice){data, strlen(data)}),
			 0);
}

static void publish_letters(const char *letters)
{
	for (; *letters != '\0'; letters++)
		assert_int_equal(
			zgi_topic_publish(&topic, ZG_SLICE(""), (struct zg_slice){letters, 1}), 0);
}

/* What is read from a number on into so many bytes. */
static struct zgi_topic_read read_from(uint64_t next, size_t size)
{
	struct zgi_topic_read read = {.next = next};

	zgi_topic_read(&topic, buffer, size, &read);
	buffer[read.size] = '\0';
	return read;
}

static uint64_t first_of(const char *last_id)
{
	return zgi_topic_first(&topic, (struct zg_slice){last_id, strlen(last_id)});
}

static void an_event_is_rendered_as_it_is_sent(void **state)
{
	struct zgi_topic_read read;

	(void)state;
	publish("price", "{\"id\": 7}");
	read = read_from(1, 1000);
	assert_string_equal(buffer, "id: 5f3e-1\nevent: price\ndata: {\"id\": 7}\n\n");
	assert_int_equal(read.next, 2);
	assert_int_equal(read.count, 1);
	assert_int_equal(read.skipped, 0);
}

static void each_line_of_the_data_has_its_name(void **state)
{
	(void)state;
	publish("", "one\ntwo\r\nthree\rfour\n");
	(void)read_from(1, 1000);
	assert_string_equal(buffer, "id: 5f3e-1\ndata: one\ndata: two\ndata: three\n"
				    "data: four\n\n");
	publish("", "");
	(void)read_from(2, 1000);
	assert_string_equal(buffer, "id: 5f3e-2\ndata: \n\n");
}

static void a_name_of_several_lines_is_refused(void **state)
{
	(void)state;
	assert_int_equal(zgi_topic_publish(&topic, ZG_SLICE("a\nb"), ZG_SLICE("")), -EINVAL);
	assert_int_equal(zgi_topic_publish(&topic, ZG_SLICE("a\rb"), ZG_SLICE("")), -EINVAL);
	assert_int_equal(zgi_topic_published(&topic), 0);
}

static void an_event_larger_than_the_limit_is_refused_and_does_no_harm(void **state)
{
	static const char data[EVENT_SIZE_MAX] = {1};
	/* "id: 5f3e-5\ndata: " and two line ends. */
	const size_t fits = EVENT_SIZE_MAX - 11 - 6 - 2;

	(void)state;
	publish_letters("abcd");
	assert_int_equal(zgi_topic_publish(&topic, ZG_SLICE(""), (struct zg_slice){data, fits + 1}),
			 -EMSGSIZE);
	assert_int_equal(read_from(1, 1000).count, 4);
	assert_int_equal(zgi_topic_publish(&topic, ZG_SLICE(""), (struct zg_slice){data, fits}), 0);
	assert_int_equal(read_from(5, EVENT_SIZE_MAX).size, EVENT_SIZE_MAX);
}

static void only_whole_events_are_read(void **state)
{
	struct zgi_topic_read read;

	(void)state;
	publish_letters("abc");
	read = read_from(1, 45);
	assert_int_equal(read.count, 2);
	assert_int_equal(read.next, 3);
	read = read_from(read.next, 45);
	assert_string_equal(buffer, "id: 5f3e-3\ndata: c\n\n");
	read = read_from(read.next, 45);
	assert_int_equal(read.size, 0);
}

static void what_has_left_the_ring_is_skipped_and_counted(void **state)
{
	struct zgi_topic_read read;

	(void)state;
	publish_letters("abcdefg");
	read = read_from(1, 1000);
	assert_int_equal(read.skipped, 3);
	assert_int_equal(read.count, EVENTS);
	assert_int_equal(read.next, 8);
	assert_memory_equal(buffer, "id: 5f3e-4\ndata: d\n", 19);
}

static void a_new_subscriber_gets_what_comes(void **state)
{
	(void)state;
	assert_int_equal(first_of(""), 1);
	publish_letters("abc");
	assert_int_equal(first_of(""), 4);
}

static void or_the_latest_when_the_topic_says_so(void **state)
{
	(void)state;
	(void)setup_with(2);
	assert_int_equal(first_of(""), 1);
	publish_letters("abc");
	assert_int_equal(first_of(""), 2);
	(void)setup_with(100);
	publish_letters("abcdefg");
	assert_int_equal(first_of(""), 4);
}

static void one_that_comes_back_gets_what_it_missed(void **state)
{
	(void)state;
	publish_letters("abc");
	assert_int_equal(first_of("5f3e-1"), 2);
	assert_int_equal(first_of("5f3e-3"), 4);
	/* Of an earlier run, or not of this topic. */
	assert_int_equal(first_of("5f3d-3"), 1);
	assert_int_equal(first_of("5f3e-77"), 1);
}

static void an_id_that_is_none_of_ours_is_as_good_as_none(void **state)
{
	static const char *const ids[] = {"7",		"5f3e",	  "5f3e-1-1",
					  "5F3E-1",	"5f3e-a", "5f3e-99999999999999999999",
					  "123456789-1"};

	(void)state;
	publish_letters("abc");
	for (size_t index = 0; index < sizeof(ids) / sizeof(ids[0]); index++)
		assert_int_equal(first_of(ids[index]), 4);
}

static void without_a_server_nothing_is_published(void **state)
{
	(void)state;
	publish_letters("a");
	zgi_topics_close();
	assert_int_equal(zgi_topic_publish(&topic, ZG_SLICE(""), ZG_SLICE("b")), -ESTALE);
	assert_int_equal(read_from(1, 1000).size, 0);
}

static void there_is_a_limit_to_topics(void **state)
{
	static struct zg_topic others[ZG_TOPICS_MAX];
	struct zg_text error;

	(void)state;
	for (size_t index = 0; index < ZG_TOPICS_MAX; index++)
		zg_topic_init(&others[index], &app, &(struct zg_topic_options){.name = "other"});
	zg_text_init(&error, buffer, sizeof(buffer));
	assert_int_equal(zgi_router_finish(app.router, &error), -ENFILE);
	assert_string_equal(buffer, "the topic \"other\" is one too many: raise ZG_TOPICS_MAX");
	assert_int_equal(app.options.topics, ZG_TOPICS_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_event_is_rendered_as_it_is_sent),
		TEST(each_line_of_the_data_has_its_name),
		TEST(a_name_of_several_lines_is_refused),
		TEST(an_event_larger_than_the_limit_is_refused_and_does_no_harm),
		TEST(only_whole_events_are_read),
		TEST(what_has_left_the_ring_is_skipped_and_counted),
		TEST(a_new_subscriber_gets_what_comes),
		TEST(or_the_latest_when_the_topic_says_so),
		TEST(one_that_comes_back_gets_what_it_missed),
		TEST(an_id_that_is_none_of_ours_is_as_good_as_none),
		TEST(without_a_server_nothing_is_published),
		TEST(there_is_a_limit_to_topics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
