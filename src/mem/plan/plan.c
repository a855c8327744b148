/*
 * The plan: arithmetic and a table. It reserves nothing, which is why it can be
 * printed for options that no machine has the memory for.
 */
#include <zerog/plan.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

#define PLAN_MAGIC UINT32_C(0x6e616c70)
/* What is carved from the region begins at this alignment. */
#define PLAN_ALIGNMENT UINT64_C(64)
#define PLAN_KIB (UINT64_C(1) << 10)
#define PLAN_MIB (UINT64_C(1) << 20)

void zg_plan_init(struct zg_plan *plan)
{
	zg_assert(plan != NULL);
	memset(plan, 0, sizeof(*plan));
	plan->magic = PLAN_MAGIC;
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

int zg_plan_add(struct zg_plan *plan, const struct zg_plan_line *line, const char *reason, ...)
{
	struct zg_plan_line *added;
	uint64_t size_total;
	uint64_t size_line;
	va_list arguments;

	zg_assert(plan->magic == PLAN_MAGIC);
	zg_assert(line->name != NULL);
	if (plan->line_count == ZG_PLAN_LINES_MAX)
		return -ENOSPC;
	if (plan_line_size(line, &size_line) < 0)
		return -EOVERFLOW;
	if (__builtin_add_overflow(plan->size_total, size_line, &size_total))
		return -EOVERFLOW;

	added = &plan->lines[plan->line_count++];
	*added = (struct zg_plan_line){
		.name = line->name,
		.option = line->option,
		.count = line->count,
		.size_each = line->size_each,
		.size_total = size_line,
	};
	va_start(arguments, reason);
	(void)vsnprintf(added->reason, sizeof(added->reason), reason, arguments);
	va_end(arguments);
	plan->size_total = size_total;
	return 0;
}

int zg_plan_check(const struct zg_plan *plan, uint64_t size_available,
		  const struct zg_plan_line **ret_line)
{
	const struct zg_plan_line *largest = NULL;

	zg_assert(plan->magic == PLAN_MAGIC);
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

/* A size for people: "512 B", "1.5 KiB", "45.3 MiB". */
static void plan_format_size(uint64_t size, char *buffer, size_t capacity)
{
	if (size < PLAN_KIB)
		(void)snprintf(buffer, capacity, "%llu B", (unsigned long long)size);
	else if (size < PLAN_MIB)
		(void)snprintf(buffer, capacity, "%.1f KiB", (double)size / (double)PLAN_KIB);
	else
		(void)snprintf(buffer, capacity, "%.1f MiB", (double)size / (double)PLAN_MIB);
}

struct plan_widths {
	int name;
	int option;
};

static int plan_width(int width, const char *text)
{
	int length = text == NULL ? 0 : (int)strlen(text);

	return length > width ? length : width;
}

static void plan_print_line(const struct zg_plan_line *line, struct plan_widths widths,
			    struct zg_text *text)
{
	char size[32];

	plan_format_size(line->size_total, size, sizeof(size));
	zg_text_print(text, "%-*s  %10llu  %12llu  %12s  %-*s  %s\n", widths.name, line->name,
		      (unsigned long long)line->count, (unsigned long long)line->size_each, size,
		      widths.option, line->option == NULL ? "-" : line->option, line->reason);
}

void zg_plan_print(const struct zg_plan *plan, struct zg_text *text)
{
	struct plan_widths widths = {plan_width(0, "what"), plan_width(0, "option")};
	char size[32];

	zg_assert(plan->magic == PLAN_MAGIC);
	for (uint32_t i = 0; i < plan->line_count; ++i) {
		widths.name = plan_width(widths.name, plan->lines[i].name);
		widths.option = plan_width(widths.option, plan->lines[i].option);
	}

	zg_text_print(text, "%-*s  %10s  %12s  %12s  %-*s  %s\n", widths.name, "what", "count",
		      "bytes each", "total", widths.option, "option", "why that many");
	for (uint32_t i = 0; i < plan->line_count; ++i)
		plan_print_line(&plan->lines[i], widths, text);
	plan_format_size(plan->size_total, size, sizeof(size));
	zg_text_print(text, "%-*s  %10s  %12s  %12s\n", widths.name, "total", "", "", size);
}

static void plan_print_json_line(const struct zg_plan_line *line, struct zg_text *text)
{
	zg_text_append(text, ZG_SLICE("{\"name\": "));
	zg_text_append_json(text, (struct zg_slice){line->name, strlen(line->name)});
	zg_text_print(text, ", \"count\": %llu, \"size_each\": %llu, \"size_total\": %llu",
		      (unsigned long long)line->count, (unsigned long long)line->size_each,
		      (unsigned long long)line->size_total);
	zg_text_append(text, ZG_SLICE(", \"option\": "));
	if (line->option == NULL)
		zg_text_append(text, ZG_SLICE("null"));
	else
		zg_text_append_json(text, (struct zg_slice){line->option, strlen(line->option)});
	zg_text_append(text, ZG_SLICE(", \"reason\": "));
	zg_text_append_json(text, (struct zg_slice){line->reason, strlen(line->reason)});
	zg_text_append(text, ZG_SLICE("}"));
}

void zg_plan_print_json(const struct zg_plan *plan, struct zg_text *text)
{
	zg_assert(plan->magic == PLAN_MAGIC);
	zg_text_append(text, ZG_SLICE("{\"lines\": ["));
	for (uint32_t i = 0; i < plan->line_count; ++i) {
		if (i > 0)
			zg_text_append(text, ZG_SLICE(", "));
		plan_print_json_line(&plan->lines[i], text);
	}
	zg_text_print(text, "], \"size_total\": %llu}", (unsigned long long)plan->size_total);
}
