/*
 * Options by name: what flags, the environment and a file have in common.
 */
#ifndef ZEROG_SERVER_OPTIONS_H
#define ZEROG_SERVER_OPTIONS_H

#include <zerog/options.h>
#include <zerog/slice.h>

/* Whence a value comes: not everything may be said everywhere. */
enum zgi_option_origin {
	ZGI_OPTION_FLAG,
	ZGI_OPTION_ENVIRONMENT,
	ZGI_OPTION_FILE,
};

/**
 * zgi_option_set() - set one option by its name
 * @options:    changed
 * @name:       "connections", without the dashes
 * @value:      NUL-terminated
 * @origin:     whence it comes
 * @ret_error:  on failure, what the option takes
 *
 * Return: 0; -EINVAL; -ENOENT when there is no such option, or not from there: nothing is said
 * then.
 */
ZG_MUST_USE int zgi_option_set(struct zg_options *options, struct zg_slice name, const char *value,
			       enum zgi_option_origin origin, struct zg_text *ret_error);

/* The name of the n-th option; NULL past the last, and an empty one for what is no option there. */
const char *zgi_option_name(const struct zg_options *options, size_t index,
			    enum zgi_option_origin origin);

/**
 * zgi_options_read_file() - set what a file says
 * @options:    changed line by line
 * @path:       of the file
 * @ret_error:  on failure, one sentence that names the file and the line
 *
 * Return: 0; -EINVAL; -errno when it cannot be read. Boot only, from one thread.
 */
ZG_MUST_USE int zgi_options_read_file(struct zg_options *options, const char *path,
				      struct zg_text *ret_error);

/**
 * zgi_options_read_environment() - set what variables ZEROG_NAME say
 * @options:    changed
 * @ret_error:  on failure, one sentence that names the variable
 *
 * Return: 0; -EINVAL. Boot only, from one thread.
 */
ZG_MUST_USE int zgi_options_read_environment(struct zg_options *options, struct zg_text *ret_error);

#endif
