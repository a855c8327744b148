/*
 * The plan: arithmetic and a table. It reserves nothing, which is why it can be
 * printed for options that no machine has the memory for.
 */
#include "mem/plan/plan_lines.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What is carved from the region begins at this alignment. */
#define PLAN_ALIGNMENT UINT64_C(64)

void zg_plan_init(struct zg_plan *plan)
{
	zg_assert(plan != NULL);
	memset(plan, 0, sizeof(*plan));
	plan->magic = ZGI_PLAN_MAGIC;
}

static int plan_line_size(const struct zg_plan_line *line, uint64_t *ret_size)
{
	uint64_t size;

	if (__builtin_mul_overflow(line->count, line->size_each, &size))
		return -EOVERFLOW;
	if (__builtin_add_overflow(size, PLAN_ALIGNMENT - 1, &size))
		return -EOVERFLOW;
	*ret_size = size & ~(PLAN_ALIGNMENT - 1);
	return 0;
}

uint32_t zgi_plan_term_count(const struct zg_plan_term *terms)
{
	uint32_t count = 0;

	while (count < ZG_PLAN_TERMS_MAX && terms[count].name != NULL)
		count++;
	return count;
}

uint32_t zgi_plan_dependency_count(const struct zg_plan_line *line)
{
	uint32_t count = 0;

	while (count < ZG_PLAN_DEPENDENCIES_MAX && line->depends_on[count].line != NULL)
		count++;
	return count;
}

/* A number that is said or left at 0, and the terms that it should be the sum of: work it out, or
 * hold it to them. */
static int plan_sum(const struct zg_plan_term *terms, uint64_t times, uint64_t *number)
{
	uint32_t count = zgi_plan_term_count(terms);
	uint64_t sum = 0;

	if (count == 0)
		return 0;
	for (uint32_t index = 0; index < count; index++)
		if (__builtin_add_overflow(sum, terms[index].value, &sum))
			return -EOVERFLOW;
	if (__builtin_mul_overflow(sum, times, &sum))
		return -EOVERFLOW;
	if (*number != 0 && *number != sum)
		return -EINVAL;
	*number = sum;
	return 0;
}

/* The objects that a line must have at least, by one of those that it follows. */
static int plan_asked(const struct zg_plan *plan, const struct zg_plan_dependency *dependency,
		      uint64_t *ret_count)
{
	const struct zg_plan_line *followed = zg_plan_find(plan, dependency->line);

	zg_assert(dependency->factor > 0);
	if (followed == NULL)
		return -ENOENT;
	if (__builtin_mul_overflow(followed->count, dependency->factor, ret_count))
		return -EOVERFLOW;
	return 0;
}

/* A count that is neither said nor held by anybody follows other lines. */
static int plan_follow(const struct zg_plan *plan, struct zg_plan_line *line)
{
	uint32_t count = zgi_plan_dependency_count(line);

	if (line->count != 0 || zgi_plan_term_count(line->holders) != 0)
		return 0;
	for (uint32_t index = 0; index < count; index++) {
		uint64_t asked;
		int result = plan_asked(plan, &line->depends_on[index], &asked);

		if (result < 0)
			return result;
		if (__builtin_add_overflow(line->count, asked, &line->count))
			return -EOVERFLOW;
	}
	return 0;
}

/* What was left for the plan to work out, and whether the rest adds up. */
static int plan_complete(const struct zg_plan *plan, struct zg_plan_line *line)
{
	int result;

	if (line->times == 0)
		line->times = 1;
	result = plan_sum(line->holders, line->times, &line->count);
	if (result == 0)
		result = plan_sum(line->parts, 1, &line->size_each);
	if (result == 0)
		result = plan_follow(plan, line);
	if (result == 0)
		result = plan_line_size(line, &line->size_total);
	return result;
}

int zg_plan_add(struct zg_plan *plan, const struct zg_plan_line *line, const char *reason, ...)
{
	struct zg_plan_line added = *line;
	uint64_t size_total;
	va_list arguments;
	int result;

	zg_assert(plan->magic == ZGI_PLAN_MAGIC);
	zg_assert(line->name != NULL);
	if (plan->line_count == ZG_PLAN_LINES_MAX)
		return -ENOSPC;
	result = plan_complete(plan, &added);
	if (result < 0)
		return result;
	if (__builtin_add_overflow(plan->size_total, added.size_total, &size_total))
		return -EOVERFLOW;

	va_start(arguments, reason);
	(void)vsnprintf(added.reason, sizeof(added.reason), reason, arguments);
	va_end(arguments);
	plan->lines[plan->line_count++] = added;
	plan->size_total = size_total;
	return 0;
}

const struct zg_plan_line *zg_plan_find(const struct zg_plan *plan, const char *name)
{
	zg_assert(plan->magic == ZGI_PLAN_MAGIC);
	for (uint32_t index = 0; index < plan->line_count; index++)
		if (strcmp(plan->lines[index].name, name) == 0)
			return &plan->lines[index];
	return NULL;
}

/* Where a line follows two others, it has enough for both together. */
static int plan_verify_line(const struct zg_plan *plan, const struct zg_plan_line *line,
			    struct zg_text *ret_error)
{
	uint64_t asked_all = 0;

	for (uint32_t index = 0; index < zgi_plan_dependency_count(line); index++) {
		uint64_t asked = 0;
		int result = plan_asked(plan, &line->depends_on[index], &asked);

		if (result == -ENOENT) {
			zg_text_print(ret_error,
				      "the plan's line \"%s\" follows \"%s\", which is not in it",
				      line->name, line->depends_on[index].line);
			return -ENOENT;
		}
		if (result < 0 || __builtin_add_overflow(asked_all, asked, &asked_all))
			asked_all = UINT64_MAX;
		if (line->count >= asked_all)
			continue;
		zg_text_print(ret_error,
			      "the plan's line \"%s\" has %llu, but \"%s\" asks for %llu of them: "
			      "change %s",
			      line->name, (unsigned long long)line->count,
			      line->depends_on[index].line, (unsigned long long)asked_all,
			      line->option != NULL ? line->option : "the plan");
		return -EINVAL;
	}
	return 0;
}

int zg_plan_verify(const struct zg_plan *plan, struct zg_text *ret_error)
{
	zg_assert(plan->magic == ZGI_PLAN_MAGIC);
	for (uint32_t index = 0; index < plan->line_count; index++) {
		int result = plan_verify_line(plan, &plan->lines[index], ret_error);

		if (result < 0)
			return result;
	}
	return 0;
}

int zg_plan_check(const struct zg_plan *plan, uint64_t size_available,
		  const struct zg_plan_line **ret_line)
{
	const struct zg_plan_line *largest = NULL;

	zg_assert(plan->magic == ZGI_PLAN_MAGIC);
	zg_assert(ret_line != NULL);
	if (plan->size_total <= size_available)
		return 0;

	for (uint32_t i = 0; i < plan->line_count; ++i) {
		const struct zg_plan_line *line = &plan->lines[i];

		if (line->option == NULL)
			continue;
		if (largest == NULL || line->size_total > largest->size_total)
			largest = line;
	}
	*ret_line = largest;
	return -ENOMEM;
}
