/*
 * How a plan reads: a table for people, JSON for programs.
 */
#include "mem/plan/plan_lines.h"

#include <stdio.h>
#include <string.h>

#define PLAN_KIB (UINT64_C(1) << 10)
#define PLAN_MIB (UINT64_C(1) << 20)

void zgi_plan_format_size(uint64_t size, char *buffer, size_t capacity)
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

/* Behind the reason: "; follows exchanges x 2". */
static void plan_print_dependencies(const struct zg_plan_line *line, struct zg_text *text)
{
	for (uint32_t index = 0; index < zgi_plan_dependency_count(line); index++) {
		const struct zg_plan_dependency *dependency = &line->depends_on[index];

		zg_text_print(text, "%s %s", index == 0 ? "; follows" : " and", dependency->line);
		if (dependency->factor != 1)
			zg_text_print(text, " x %llu", (unsigned long long)dependency->factor);
	}
}

static void plan_print_line(const struct zg_plan_line *line, struct plan_widths widths,
			    struct zg_text *text)
{
	char size[32];

	zgi_plan_format_size(line->size_total, size, sizeof(size));
	zg_text_print(text, "%-*s  %10llu  %12llu  %12s  %-*s  %s", widths.name, line->name,
		      (unsigned long long)line->count, (unsigned long long)line->size_each, size,
		      widths.option, line->option == NULL ? "-" : line->option, line->reason);
	plan_print_dependencies(line, text);
	zg_text_append(text, ZG_SLICE("\n"));
}

void zg_plan_print(const struct zg_plan *plan, struct zg_text *text)
{
	struct plan_widths widths = {plan_width(0, "what"), plan_width(0, "option")};
	char size[32];

	zg_assert(plan->magic == ZGI_PLAN_MAGIC);
	for (uint32_t i = 0; i < plan->line_count; ++i) {
		widths.name = plan_width(widths.name, plan->lines[i].name);
		widths.option = plan_width(widths.option, plan->lines[i].option);
	}

	zg_text_print(text, "%-*s  %10s  %12s  %12s  %-*s  %s\n", widths.name, "what", "count",
		      "bytes each", "total", widths.option, "option", "why that many");
	for (uint32_t i = 0; i < plan->line_count; ++i)
		plan_print_line(&plan->lines[i], widths, text);
	zgi_plan_format_size(plan->size_total, size, sizeof(size));
	zg_text_print(text, "%-*s  %10s  %12s  %12s\n", widths.name, "total", "", "", size);
}

/* A name and its text or null, with what stands before it. */
static void plan_json_text(struct zg_text *text, const char *before, const char *value)
{
	zg_text_print(text, "%s", before);
	if (value == NULL)
		zg_text_append(text, ZG_SLICE("null"));
	else
		zg_text_append_json(text, (struct zg_slice){value, strlen(value)});
}

static void plan_json_terms(struct zg_text *text, const char *name,
			    const struct zg_plan_term *terms)
{
	zg_text_print(text, ", \"%s\": [", name);
	for (uint32_t index = 0; index < zgi_plan_term_count(terms); index++) {
		plan_json_text(text,
			       index > 0 ? ", {\"name\": " : "{\"name\": ", terms[index].name);
		zg_text_print(text, ", \"value\": %llu}", (unsigned long long)terms[index].value);
	}
	zg_text_append(text, ZG_SLICE("]"));
}

static void plan_json_dependencies(struct zg_text *text, const struct zg_plan_line *line)
{
	zg_text_append(text, ZG_SLICE(", \"depends_on\": ["));
	for (uint32_t index = 0; index < zgi_plan_dependency_count(line); index++) {
		plan_json_text(text, index > 0 ? ", {\"line\": " : "{\"line\": ",
			       line->depends_on[index].line);
		zg_text_print(text, ", \"factor\": %llu}",
			      (unsigned long long)line->depends_on[index].factor);
	}
	zg_text_append(text, ZG_SLICE("]"));
}

static void plan_print_json_line(const struct zg_plan_line *line, struct zg_text *text)
{
	plan_json_text(text, "{\"name\": ", line->name);
	zg_text_print(text, ", \"count\": %llu, \"size_each\": %llu, \"size_total\": %llu",
		      (unsigned long long)line->count, (unsigned long long)line->size_each,
		      (unsigned long long)line->size_total);
	plan_json_text(text, ", \"option\": ", line->option);
	plan_json_text(text, ", \"reason\": ", line->reason);
	zg_text_print(text, ", \"times\": %llu", (unsigned long long)line->times);
	plan_json_text(text, ", \"times_name\": ", line->times_name);
	plan_json_terms(text, "holders", line->holders);
	plan_json_terms(text, "parts", line->parts);
	plan_json_dependencies(text, line);
	plan_json_text(text, ", \"exhausted\": ", line->exhausted);
	plan_json_text(text, ", \"counter\": ", line->counter);
	zg_text_append(text, ZG_SLICE("}"));
}

void zg_plan_print_json(const struct zg_plan *plan, struct zg_text *text)
{
	zg_assert(plan->magic == ZGI_PLAN_MAGIC);
	zg_text_append(text, ZG_SLICE("{\"lines\": ["));
	for (uint32_t i = 0; i < plan->line_count; ++i) {
		if (i > 0)
			zg_text_append(text, ZG_SLICE(", "));
		plan_print_json_line(&plan->lines[i], text);
	}
	zg_text_print(text, "], \"size_total\": %llu}", (unsigned long long)plan->size_total);
}
