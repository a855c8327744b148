/*
 * Events: the rings of an app's topics in memory of the plan, from boot to the end.
 */
#ifndef ZEROG_SERVER_EVENTS_H
#define ZEROG_SERVER_EVENTS_H

#include <zerog/plan.h>
#include <zerog/region.h>

#include "server/config.h"

/**
 * zgi_events_open() - map the rings and lend them to the topics
 * @config:      configured
 * @ret_region:  zeroed; mapped when the app has any topic
 * @ret_error:   on failure, one sentence that says what to change
 *
 * Return: 0; -errno, and zgi_events_close() follows.
 */
ZG_MUST_USE int zgi_events_open(const struct zgi_server_config *config,
				struct zg_region *ret_region, struct zg_text *ret_error);

/* Take the rings from the topics and unmap them; takes a region that was never mapped. */
void zgi_events_close(struct zg_region *region);

#endif
