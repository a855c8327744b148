/*
 * Files: the static files' table in memory of the plan, made at boot and closed at
 * the end.
 */
#ifndef ZEROG_SERVER_FILES_H
#define ZEROG_SERVER_FILES_H

#include <zerog/plan.h>
#include <zerog/region.h>

#include "server/config.h"

/**
 * zgi_files_open() - map the table's region and open all files
 * @config:      configured
 * @ret_region:  zeroed; mapped when the app serves any folder
 * @ret_error:   on failure, one sentence that says what to change
 *
 * Return: 0; -errno, and zgi_files_close() follows.
 */
ZG_MUST_USE int zgi_files_open(const struct zgi_server_config *config, struct zg_region *ret_region,
			       struct zg_text *ret_error);

/* Close all files and unmap the region; takes one that was never mapped. */
void zgi_files_close(struct zg_region *region);

#endif
