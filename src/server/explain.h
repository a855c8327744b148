/*
 * Explain: a line of a server's plan, with the options that move it.
 */
#ifndef ZEROG_SERVER_EXPLAIN_H
#define ZEROG_SERVER_EXPLAIN_H

#include <zerog/plan.h>

#include "server/config.h"

/**
 * zgi_server_explain() - zg_plan_explain(), and what one more of each option adds
 * @config:  configured
 * @plan:    made from it
 * @name:    the line's
 * @text:    appended to; when there is no such line, one sentence that lists them
 *
 * Return: 0; -ENOENT when there is no such line. Boot only: one call at a time.
 */
ZG_MUST_USE int zgi_server_explain(const struct zgi_server_config *config,
				   const struct zg_plan *plan, const char *name,
				   struct zg_text *text);

#endif
