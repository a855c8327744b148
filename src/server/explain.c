/*
 * What an option adds to a line is not said anywhere: it is measured, by planning once more with
 * the option changed. So it holds for options that move many lines, and for lines that grow in
 * steps.
 */
#include "server/explain.h"

#include <inttypes.h>
#include <stddef.h>

struct explain_limit {
	const char *flag;
	size_t offset; /* of its field in struct zg_options */
	uint64_t minimum;
	uint64_t maximum;
};

static const struct explain_limit explain_limits[] = {
#define EXPLAIN_ROW(field, flag, unit, minimum, initial, maximum, sentence) \
	{"--" flag, offsetof(struct zg_options, field), minimum, maximum},
	ZG_LIMITS(EXPLAIN_ROW)
#undef EXPLAIN_ROW
};

#define EXPLAIN_LIMIT_COUNT (sizeof(explain_limits) / sizeof(explain_limits[0]))

/* What a server would plan: too large for a stack. */
static struct zg_plan explain_plan;

static uint64_t *explain_field(struct zg_options *options, const struct explain_limit *limit)
{
	return (uint64_t *)(void *)((char *)options + limit->offset);
}

/* Plan with one option changed. Return: false when it cannot be had here. */
static bool explain_replan(const struct zgi_server_config *config,
			   const struct explain_limit *limit, uint64_t value)
{
	struct zg_options options = config->options;
	struct zgi_server_config changed;
	char buffer[512];
	struct zg_text error;

	if (value < limit->minimum || value > limit->maximum)
		return false;
	zg_text_init(&error, buffer, sizeof(buffer));
	options.io = config->io_kind;
	*explain_field(&options, limit) = value;
	zg_plan_init(&explain_plan);
	return zgi_server_configure(&options, &changed, &error) == 0 &&
	       zgi_server_plan_lines(&changed, &explain_plan) == 0;
}

/* Bytes by which a line changes for each one of the option. */
static double explain_slope(const struct zg_plan_line *line, double units)
{
	const struct zg_plan_line *changed = zg_plan_find(&explain_plan, line->name);

	if (changed == NULL)
		return 0;
	return ((double)changed->size_total - (double)line->size_total) / units;
}

static void explain_option(const struct zgi_server_config *config, const struct zg_plan *plan,
			   const struct zg_plan_line *line, const struct explain_limit *limit,
			   struct zg_text *text)
{
	struct zg_options options = config->options;
	uint64_t value = *explain_field(&options, limit);
	double units;
	double all = 0;

	/* Shards that were not asked for, too, can be more or fewer. */
	if (limit->offset == offsetof(struct zg_options, shards))
		value = config->shard_count;
	/* Twice as many, so that steps are evened out; half as many where twice cannot be had. */
	if (explain_replan(config, limit, value > 0 ? 2 * value : 1))
		units = value > 0 ? (double)value : 1;
	else if (value > 0 && explain_replan(config, limit, value / 2))
		units = (double)(value / 2) - (double)value;
	else
		return;
	if (explain_slope(line, units) == 0)
		return;
	for (uint32_t index = 0; index < plan->line_count; index++)
		all += explain_slope(&plan->lines[index], units);
	zg_text_print(text, "  moved by   %s: one more adds %.1f bytes here, %.1f in all lines\n",
		      limit->flag, explain_slope(line, units), all);
}

int zgi_server_explain(const struct zgi_server_config *config, const struct zg_plan *plan,
		       const char *name, struct zg_text *text)
{
	int result = zg_plan_explain(plan, name, text);

	if (result < 0)
		return result;
	/* A line without an option is a remainder of the others: it moves with all, and by nothing.
	 */
	if (zg_plan_find(plan, name)->option == NULL)
		return 0;
	for (size_t index = 0; index < EXPLAIN_LIMIT_COUNT; index++)
		explain_option(config, plan, zg_plan_find(plan, name), &explain_limits[index],
			       text);
	return 0;
}
