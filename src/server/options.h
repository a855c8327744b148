/*
 * One option by its name: what flags, the environment and a file have in common.
 */
#ifndef ZEROG_SERVER_OPTIONS_H
#define ZEROG_SERVER_OPTIONS_H

#include <zerog/options.h>
#include <zerog/slice.h>

/**
 * zgi_options_set() - set one option
 * @options:    initialised; changed on success
 * @name:       as its flag, without dashes before it: "body-size-max"
 * @value:      NUL-terminated
 * @ret_error:  on failure but -ENOENT, one sentence is appended that names the flag and what it
 *              takes
 *
 * Return: 0; -ENOENT when there is no option of this name; -EINVAL.
 */
ZG_MUST_USE int zgi_options_set(struct zg_options *options, struct zg_slice name, const char *value,
				struct zg_text *ret_error);

/**
 * zgi_options_is_flag_only() - may an option stand on the command line only?
 * @name:  as for zgi_options_set()
 *
 * Return: true of --config, which names the file, and of those that make the service print and
 * exit.
 */
bool zgi_options_is_flag_only(struct zg_slice name);

#endif
