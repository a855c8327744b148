/*
 * One line of a plan, taken apart for who wants to know where its bytes come from.
 */
#include "mem/plan/plan_lines.h"

#include <errno.h>

static void explain_sum(struct zg_text *text, const struct zg_plan_term *terms)
{
	for (uint32_t index = 0; index < zgi_plan_term_count(terms); index++)
		zg_text_print(text, "%s%llu %s", index > 0 ? " + " : "",
			      (unsigned long long)terms[index].value, terms[index].name);
}

static void explain_count(struct zg_text *text, const struct zg_plan_line *line)
{
	uint32_t holder_count = zgi_plan_term_count(line->holders);

	zg_text_print(text, "  count      %llu", (unsigned long long)line->count);
	if (holder_count > 0) {
		zg_text_append(text, ZG_SLICE(" = "));
		if (line->times_name != NULL)
			zg_text_print(text, "%llu %s x ", (unsigned long long)line->times,
				      line->times_name);
		zg_text_print(text, "%s", holder_count > 1 ? "(" : "");
		explain_sum(text, line->holders);
		zg_text_print(text, "%s", holder_count > 1 ? ")" : "");
	}
	zg_text_print(text, "\n  why        %s\n", line->reason);
}

static void explain_bytes(struct zg_text *text, const struct zg_plan_line *line)
{
	char size[32];

	zg_text_print(text, "  each       %llu bytes", (unsigned long long)line->size_each);
	if (zgi_plan_term_count(line->parts) > 0) {
		zg_text_append(text, ZG_SLICE(" = "));
		explain_sum(text, line->parts);
	}
	zgi_plan_format_size(line->size_total, size, sizeof(size));
	zg_text_print(text, "\n  all        %llu bytes (%s), rounded up to 64\n",
		      (unsigned long long)line->size_total, size);
}

/* Whom it follows, from its own list; who follows it, from all the others'. */
static void explain_dependencies(struct zg_text *text, const struct zg_plan *plan,
				 const struct zg_plan_line *line)
{
	for (uint32_t index = 0; index < zgi_plan_dependency_count(line); index++) {
		const struct zg_plan_dependency *dependency = &line->depends_on[index];
		const struct zg_plan_line *followed = zg_plan_find(plan, dependency->line);

		zg_text_print(text, "  follows    \"%s\" (%llu): at least %llu for each\n",
			      dependency->line,
			      followed != NULL ? (unsigned long long)followed->count : 0,
			      (unsigned long long)dependency->factor);
	}
	for (uint32_t index = 0; index < plan->line_count; index++) {
		const struct zg_plan_line *other = &plan->lines[index];

		for (uint32_t at = 0; at < zgi_plan_dependency_count(other); at++)
			if (zg_plan_find(plan, other->depends_on[at].line) == line)
				zg_text_print(
					text,
					"  followed   by \"%s\" (%llu): at least %llu for each\n",
					other->name, (unsigned long long)other->count,
					(unsigned long long)other->depends_on[at].factor);
	}
}

static int explain_refuse(const struct zg_plan *plan, const char *name, struct zg_text *text)
{
	zg_text_print(text, "the plan has no line \"%s\"; its lines are ", name);
	for (uint32_t index = 0; index < plan->line_count; index++)
		zg_text_print(text, "%s\"%s\"", index > 0 ? ", " : "", plan->lines[index].name);
	return -ENOENT;
}

int zg_plan_explain(const struct zg_plan *plan, const char *name, struct zg_text *text)
{
	const struct zg_plan_line *line = zg_plan_find(plan, name);

	if (line == NULL)
		return explain_refuse(plan, name, text);
	zg_text_print(text, "%s\n", line->name);
	explain_count(text, line);
	explain_bytes(text, line);
	explain_dependencies(text, plan, line);
	zg_text_print(text, "  option     %s\n", line->option != NULL ? line->option : "none");
	if (line->exhausted != NULL)
		zg_text_print(text, "  used up    %s\n", line->exhausted);
	if (line->counter != NULL)
		zg_text_print(text, "  counted    %s\n", line->counter);
	return 0;
}
