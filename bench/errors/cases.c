/*
 * The mistakes: those that programs really make, with a block's name that was
 * right once, that never was, or that is another's.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "errors.h"

#define CASE_SIZE 64
#define CASE_SIZE_LARGE 100000
#define CASE_SIZE_HUGE 1000000
#define CASE_OTHER_COUNT 10 /* more than a cache a thread of glibc's holds */
#define CASE_MANY_COUNT 1000
#define CASE_PAGE_SIZE 4096
#define CASE_FLIPPED_BIT 12

static uint64_t case_names[CASE_MANY_COUNT];

static void case_take_many(const struct errors_subject *subject, size_t count)
{
	for (size_t index = 0; index < count; index++)
		case_names[index] = subject->take(CASE_SIZE);
}

static void case_give_many(const struct errors_subject *subject, size_t count)
{
	for (size_t index = 0; index < count; index++)
		errors_heed(subject->give(case_names[index], CASE_SIZE));
}

static void case_twice(const struct errors_subject *subject, size_t size)
{
	uint64_t name = subject->take(size);

	errors_heed(subject->give(name, size));
	errors_heed(subject->give(name, size));
}

static void case_twice_in_a_row(const struct errors_subject *subject)
{
	case_twice(subject, CASE_SIZE);
}

static void case_twice_the_smallest(const struct errors_subject *subject)
{
	case_twice(subject, 1);
}

static void case_twice_a_large_one(const struct errors_subject *subject)
{
	case_twice(subject, CASE_SIZE_LARGE);
}

static void case_twice_a_huge_one(const struct errors_subject *subject)
{
	case_twice(subject, CASE_SIZE_HUGE);
}

static void case_twice_with_another_between(const struct errors_subject *subject)
{
	uint64_t name = subject->take(CASE_SIZE);
	uint64_t other = subject->take(CASE_SIZE);

	errors_heed(subject->give(name, CASE_SIZE));
	errors_heed(subject->give(other, CASE_SIZE));
	errors_heed(subject->give(name, CASE_SIZE));
}

static void case_twice_with_ten_between(const struct errors_subject *subject)
{
	uint64_t name = subject->take(CASE_SIZE);

	case_take_many(subject, CASE_OTHER_COUNT);
	errors_heed(subject->give(name, CASE_SIZE));
	case_give_many(subject, CASE_OTHER_COUNT);
	errors_heed(subject->give(name, CASE_SIZE));
}

/* The second owner is the one who suffers: its block is given away while it uses it. */
static void case_twice_after_it_was_taken_again(const struct errors_subject *subject)
{
	uint64_t name = subject->take(CASE_SIZE);
	uint64_t owned;

	errors_heed(subject->give(name, CASE_SIZE));
	owned = subject->take(CASE_SIZE);
	errors_heed(subject->give(name, CASE_SIZE));
	errors_go_on(subject);
	errors_heed(subject->give(owned, CASE_SIZE));
}

static void case_twice_after_all_were_given(const struct errors_subject *subject)
{
	case_take_many(subject, CASE_MANY_COUNT);
	case_give_many(subject, CASE_MANY_COUNT);
	errors_heed(subject->give(case_names[CASE_MANY_COUNT / 2], CASE_SIZE));
}

static void case_twice_by_its_old_name(const struct errors_subject *subject)
{
	uint64_t name = subject->take(CASE_SIZE);
	uint64_t barrier = subject->take(CASE_SIZE); /* so that it cannot grow where it is */
	uint64_t moved = subject->move(name, CASE_SIZE);

	errors_heed(subject->give(name, CASE_SIZE));
	errors_heed(subject->give(moved, CASE_SIZE));
	errors_heed(subject->give(barrier, CASE_SIZE));
}

struct case_giver {
	const struct errors_subject *subject;
	uint64_t name;
};

static void *case_give_there(void *argument)
{
	const struct case_giver *giver = argument;

	errors_heed(giver->subject->give(giver->name, CASE_SIZE));
	return NULL;
}

static void case_twice_by_two_threads(const struct errors_subject *subject)
{
	struct case_giver giver = {subject, subject->take(CASE_SIZE)};
	pthread_t thread;

	errors_heed(subject->give(giver.name, CASE_SIZE));
	if (pthread_create(&thread, NULL, case_give_there, &giver) != 0)
		_exit(ERRORS_EXIT_UNABLE);
	pthread_join(thread, NULL);
}

static void case_give_wrong(const struct errors_subject *subject, uint64_t name)
{
	errors_heed(subject->give(name, CASE_SIZE));
}

static void case_a_small_number(const struct errors_subject *subject)
{
	case_give_wrong(subject, CASE_SIZE);
}

static void case_garbage(const struct errors_subject *subject)
{
	case_give_wrong(subject, UINT64_C(0xdeadbeefdeadbee0));
}

static void case_one_too_far(const struct errors_subject *subject)
{
	case_give_wrong(subject, subject->take(CASE_SIZE) + 1);
}

static void case_sixteen_too_far(const struct errors_subject *subject)
{
	case_give_wrong(subject, subject->take(CASE_SIZE) + 16);
}

static void case_past_the_end(const struct errors_subject *subject)
{
	case_give_wrong(subject, subject->take(CASE_SIZE) + CASE_SIZE);
}

static void case_before_the_start(const struct errors_subject *subject)
{
	case_give_wrong(subject, subject->take(CASE_SIZE) - 16);
}

static void case_a_flipped_bit(const struct errors_subject *subject)
{
	case_give_wrong(subject, subject->take(CASE_SIZE) ^ UINT64_C(1) << CASE_FLIPPED_BIT);
}

/* As far behind the second as that is behind the first: where the next one would be. */
static void case_never_taken(const struct errors_subject *subject)
{
	uint64_t first = subject->take(CASE_SIZE);
	uint64_t second = subject->take(CASE_SIZE);

	case_give_wrong(subject, second + (second - first));
}

static void case_on_the_stack(const struct errors_subject *subject)
{
	_Alignas(16) unsigned char variable[CASE_SIZE] = {0};

	case_give_wrong(subject, (uintptr_t)variable);
}

static void case_static(const struct errors_subject *subject)
{
	_Alignas(16) static unsigned char variable[CASE_SIZE];

	case_give_wrong(subject, (uintptr_t)variable);
}

static void case_a_literal(const struct errors_subject *subject)
{
	_Alignas(16) static const char literal[] = "a name that was never allocated";

	case_give_wrong(subject, (uintptr_t)literal);
}

static void case_code(const struct errors_subject *subject)
{
	case_give_wrong(subject, (uintptr_t)case_code);
}

static void case_a_mapped_page(const struct errors_subject *subject)
{
	void *page = mmap(NULL, CASE_PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (page == MAP_FAILED)
		_exit(ERRORS_EXIT_UNABLE);
	case_give_wrong(subject, (uintptr_t)page);
}

static void case_of_another_allocator(const struct errors_subject *subject)
{
	case_give_wrong(subject, subject->foreign());
}

/* Writes by a name that is no more, where that is let. */
static void case_write(const struct errors_subject *subject, uint64_t name, size_t size)
{
	void *memory = subject->memory(name, CASE_SIZE);

	errors_heed(memory == NULL ? -ESTALE : 0);
	memset(memory, 0xa5, size);
}

static void case_write_a_word(const struct errors_subject *subject)
{
	uint64_t name = subject->take(CASE_SIZE);

	errors_heed(subject->give(name, CASE_SIZE));
	case_write(subject, name, sizeof(uint64_t));
}

static void case_write_all(const struct errors_subject *subject)
{
	uint64_t name = subject->take(CASE_SIZE);

	errors_heed(subject->give(name, CASE_SIZE));
	case_write(subject, name, CASE_SIZE);
}

static void case_write_to_the_next_owner(const struct errors_subject *subject)
{
	uint64_t name = subject->take(CASE_SIZE);
	const unsigned char *owned;

	errors_heed(subject->give(name, CASE_SIZE));
	owned = memset(subject->memory(subject->take(CASE_SIZE), CASE_SIZE), 0, CASE_SIZE);
	case_write(subject, name, CASE_SIZE);
	if (owned[0] != 0)
		_exit(ERRORS_EXIT_CORRUPT);
}

static void case_write_much_later(const struct errors_subject *subject)
{
	uint64_t name = subject->take(CASE_SIZE);

	case_take_many(subject, CASE_MANY_COUNT);
	errors_heed(subject->give(name, CASE_SIZE));
	case_give_many(subject, CASE_MANY_COUNT);
	errors_go_on(subject);
	case_write(subject, name, CASE_SIZE);
}

const struct errors_case errors_cases[] = {
	{"double_free", "twice in a row", case_twice_in_a_row},
	{"double_free", "twice, the smallest", case_twice_the_smallest},
	{"double_free", "twice, 100 KB", case_twice_a_large_one},
	{"double_free", "twice, 1 MB", case_twice_a_huge_one},
	{"double_free", "with another in between", case_twice_with_another_between},
	{"double_free", "with ten others in between", case_twice_with_ten_between},
	{"double_free", "after it was taken again", case_twice_after_it_was_taken_again},
	{"double_free", "after a thousand were given", case_twice_after_all_were_given},
	{"double_free", "by its name before it moved", case_twice_by_its_old_name},
	{"double_free", "by another thread", case_twice_by_two_threads},
	{"invalid_free", "a small number", case_a_small_number},
	{"invalid_free", "garbage", case_garbage},
	{"invalid_free", "one too far", case_one_too_far},
	{"invalid_free", "sixteen too far", case_sixteen_too_far},
	{"invalid_free", "past the end", case_past_the_end},
	{"invalid_free", "before the start", case_before_the_start},
	{"invalid_free", "a flipped bit", case_a_flipped_bit},
	{"invalid_free", "one that was never taken", case_never_taken},
	{"invalid_free", "a variable on the stack", case_on_the_stack},
	{"invalid_free", "a static variable", case_static},
	{"invalid_free", "a literal", case_a_literal},
	{"invalid_free", "a function", case_code},
	{"invalid_free", "a mapped page", case_a_mapped_page},
	{"invalid_free", "of another allocator", case_of_another_allocator},
	{"write_after_free", "a word, at once", case_write_a_word},
	{"write_after_free", "all of it, at once", case_write_all},
	{"write_after_free", "when another owns it", case_write_to_the_next_owner},
	{"write_after_free", "much later", case_write_much_later},
	{NULL, NULL, NULL},
};
