/*
 * What the files of the plan share: how a line's lists are read.
 */
#ifndef ZEROG_MEM_PLAN_PLAN_LINES_H
#define ZEROG_MEM_PLAN_PLAN_LINES_H

#include <zerog/plan.h>

#include "base/assert.h"

#define ZGI_PLAN_MAGIC UINT32_C(0x6e616c70)

/* Terms that a list of ZG_PLAN_TERMS_MAX has. */
uint32_t zgi_plan_term_count(const struct zg_plan_term *terms);

/* Lines that a line follows. */
uint32_t zgi_plan_dependency_count(const struct zg_plan_line *line);

/* A size for people: "512 B", "1.5 KiB", "45.3 MiB". */
void zgi_plan_format_size(uint64_t size, char *buffer, size_t capacity);

#endif
