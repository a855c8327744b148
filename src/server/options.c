/*
 * Flags, made from the one table of limits. What is not a number (an address, a
 * backend, a mode) has a row in the small table of words below it.
 */

#include <zerog/options.h>
#include <zerog/pool.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "server/options.h"

struct options_limit {
	const char *flag;
	const char *unit;
	const char *sentence;
	size_t offset; /* of its field in struct zg_options */
	uint64_t minimum;
	uint64_t initial;
	uint64_t maximum;
};

static const struct options_limit options_limits[] = {
#define OPTIONS_ROW(field, flag, unit, minimum, initial, maximum, sentence) \
	{flag, unit, sentence, offsetof(struct zg_options, field), minimum, initial, maximum},
	ZG_LIMITS(OPTIONS_ROW)
#undef OPTIONS_ROW
};

#define OPTIONS_LIMIT_COUNT (sizeof(options_limits) / sizeof(options_limits[0]))

static uint64_t *options_field(struct zg_options *options, const struct options_limit *limit)
{
	return (uint64_t *)(void *)((char *)options + limit->offset);
}

void zg_options_init(struct zg_options *options)
{
	*options = (struct zg_options){
		.listen = "127.0.0.1:60000",
		.io = ZG_IO_AUTO,
		.seal = ZG_SEAL_COUNT,
		.track = zg_pool_tracks_all(),
		.huge_pages = ZG_REGION_PAGES_TRANSPARENT,
		.numa = true,
	};
	for (size_t index = 0; index < OPTIONS_LIMIT_COUNT; index++)
		*options_field(options, &options_limits[index]) = options_limits[index].initial;
}

/* A whole number in decimal, nothing before or after it. */
static bool options_number_read(const char *text, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (text[0] == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (__builtin_mul_overflow(number, UINT64_C(10), &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*text - '0'), &number))
			return false;
	}
	*ret_number = number;
	return true;
}

static int options_limit_set(struct zg_options *options, const struct options_limit *limit,
			     const char *value, struct zg_text *ret_error)
{
	uint64_t number;

	if (!options_number_read(value, &number) || number < limit->minimum ||
	    number > limit->maximum) {
		zg_text_print(ret_error,
			      "--%s takes a whole number from %" PRIu64 " to %" PRIu64
			      " (%s), not \"%s\"",
			      limit->flag, limit->minimum, limit->maximum, limit->unit, value);
		return -EINVAL;
	}
	*options_field(options, limit) = number;
	return 0;
}

static int options_listen_set(struct zg_options *options, const char *value,
			      struct zg_text *ret_error)
{
	size_t size = strlen(value);

	if (size == 0 || size >= sizeof(options->listen)) {
		zg_text_print(ret_error, "--listen takes an address of 1 to %zu bytes",
			      sizeof(options->listen) - 1);
		return -EINVAL;
	}
	memcpy(options->listen, value, size + 1);
	return 0;
}

static int options_io_set(struct zg_options *options, const char *value, struct zg_text *ret_error)
{
	if (strcmp(value, "uring") == 0)
		options->io = ZG_IO_URING;
	else if (strcmp(value, "epoll") == 0)
		options->io = ZG_IO_EPOLL;
	else if (strcmp(value, "auto") == 0)
		options->io = ZG_IO_AUTO;
	else {
		zg_text_print(ret_error, "--io takes uring, epoll or auto, not \"%s\"", value);
		return -EINVAL;
	}
	return 0;
}

static int options_seal_set(struct zg_options *options, const char *value,
			    struct zg_text *ret_error)
{
	if (strcmp(value, "count") == 0)
		options->seal = ZG_SEAL_COUNT;
	else if (strcmp(value, "trap") == 0)
		options->seal = ZG_SEAL_TRAP;
	else if (strcmp(value, "kernel") == 0)
		options->seal = ZG_SEAL_KERNEL;
	else {
		zg_text_print(ret_error, "--seal takes count, trap or kernel, not \"%s\"", value);
		return -EINVAL;
	}
	return 0;
}

static int options_explain_set(struct zg_options *options, const char *value,
			       struct zg_text *ret_error)
{
	size_t size = strlen(value);

	if (size == 0 || size >= sizeof(options->explain)) {
		zg_text_print(ret_error,
			      "--explain takes the name of a line of the plan, of 1 to "
			      "%zu bytes; `zerog plan` lists them",
			      sizeof(options->explain) - 1);
		return -EINVAL;
	}
	memcpy(options->explain, value, size + 1);
	options->print_plan = true;
	return 0;
}

static int options_track_set(struct zg_options *options, const char *value,
			     struct zg_text *ret_error)
{
	bool is_on = strcmp(value, "on") == 0;

	if (!is_on && strcmp(value, "off") != 0) {
		zg_text_print(ret_error, "--track takes on or off, not \"%s\"", value);
		return -EINVAL;
	}
	if (!is_on && zg_pool_tracks_all()) {
		zg_text_print(ret_error, "--track off needs a build with -Dtracked=off");
		return -EINVAL;
	}
	options->track = is_on;
	return 0;
}

/* A word of a few; its place among them. */
static int options_choose(const char *const *words, const char *value)
{
	for (int index = 0; words[index] != NULL; index++)
		if (strcmp(words[index], value) == 0)
			return index;
	return -EINVAL;
}

static int options_huge_pages_set(struct zg_options *options, const char *value,
				  struct zg_text *ret_error)
{
	static const char *const words[] = {"off", "transparent", "explicit", "explicit-only",
					    NULL};
	static const enum zg_region_pages meanings[] = {
		ZG_REGION_PAGES_SMALL, ZG_REGION_PAGES_TRANSPARENT, ZG_REGION_PAGES_EXPLICIT,
		ZG_REGION_PAGES_EXPLICIT_ONLY};
	int index = options_choose(words, value);

	if (index < 0) {
		zg_text_print(ret_error,
			      "--huge-pages takes off, transparent, explicit or explicit-only, "
			      "not \"%s\"",
			      value);
		return index;
	}
	options->huge_pages = meanings[index];
	return 0;
}

static int options_lock_memory_set(struct zg_options *options, const char *value,
				   struct zg_text *ret_error)
{
	static const char *const words[] = {"off", "try", "must", NULL};
	static const enum zg_region_want meanings[] = {ZG_REGION_NO, ZG_REGION_TRY, ZG_REGION_MUST};
	int index = options_choose(words, value);

	if (index < 0) {
		zg_text_print(ret_error, "--lock-memory takes off, try or must, not \"%s\"", value);
		return index;
	}
	options->lock_memory = meanings[index];
	return 0;
}

static int options_numa_set(struct zg_options *options, const char *value,
			    struct zg_text *ret_error)
{
	static const char *const words[] = {"off", "auto", NULL};
	int index = options_choose(words, value);

	if (index < 0) {
		zg_text_print(ret_error, "--numa takes off or auto, not \"%s\"", value);
		return index;
	}
	options->numa = index == 1;
	return 0;
}

static int options_path_set(char path[ZG_PATH_SIZE], const char *flag, const char *value,
			    struct zg_text *ret_error)
{
	size_t size = strlen(value);

	if (size == 0 || size >= ZG_PATH_SIZE) {
		zg_text_print(ret_error, "--%s takes a path of 1 to %d bytes", flag,
			      ZG_PATH_SIZE - 1);
		return -EINVAL;
	}
	memcpy(path, value, size + 1);
	return 0;
}

static int options_api_keys_file_set(struct zg_options *options, const char *value,
				     struct zg_text *ret_error)
{
	return options_path_set(options->api_keys_file, "api-keys-file", value, ret_error);
}

static int options_access_log_set(struct zg_options *options, const char *value,
				  struct zg_text *ret_error)
{
	return options_path_set(options->access_log, "access-log", value, ret_error);
}

static int options_access_log_format_set(struct zg_options *options, const char *value,
					 struct zg_text *ret_error)
{
	static const char *const words[] = {"common", "json", NULL};
	int index = options_choose(words, value);

	if (index < 0) {
		zg_text_print(ret_error, "--access-log-format takes common or json, not \"%s\"",
			      value);
		return index;
	}
	options->access_log_format = index == 1 ? ZG_ACCESS_LOG_JSON : ZG_ACCESS_LOG_COMMON;
	return 0;
}

static int options_config_set(struct zg_options *options, const char *value,
			      struct zg_text *ret_error)
{
	return options_path_set(options->config_file, "config", value, ret_error);
}

static int options_peer_addresses_set(struct zg_options *options, const char *value,
				      struct zg_text *ret_error)
{
	static const char *const words[] = {"off", "on", NULL};
	int index = options_choose(words, value);

	if (index < 0) {
		zg_text_print(ret_error, "--peer-addresses takes off or on, not \"%s\"", value);
		return index;
	}
	options->peer_addresses = index == 1;
	return 0;
}

static const struct options_word {
	const char *flag;
	const char *values;
	const char *sentence;
	int (*set)(struct zg_options *options, const char *value, struct zg_text *ret_error);
	enum zgi_option_origin origin_last; /* FLAG: of flags alone; FILE: from everywhere */
} options_words[] = {
	{"listen", "ADDRESS:PORT, [ADDRESS]:PORT, :PORT or unix:PATH; default 127.0.0.1:60000",
	 "Where to listen; :PORT is every IPv4 address, [::]:PORT every address.",
	 options_listen_set, ZGI_OPTION_FILE},
	{"config", "PATH; default none",
	 "A file of options, lines name = value: a flag goes before the environment, and that "
	 "before the file.",
	 options_config_set, ZGI_OPTION_ENVIRONMENT},
	{"io", "uring, epoll or auto; default auto",
	 "How to talk to the kernel; auto takes uring where it is allowed.", options_io_set,
	 ZGI_OPTION_FILE},
	{"seal", "count, trap or kernel; default count",
	 "What a malloc after boot does: it is counted, or it ends the process with a stack; "
	 "kernel "
	 "counts, and has the kernel refuse all that would add memory.",
	 options_seal_set, ZGI_OPTION_FILE},
	{"explain", "LINE, as \"inbox cells\"; default none",
	 "Print how this line of the plan came about, and exit.", options_explain_set,
	 ZGI_OPTION_FLAG},
	{"track", "on or off; default off, but on in builds that track all (debug)",
	 "Keep where each exchange and arena chunk was taken, for /leaks and the end of a drain.",
	 options_track_set, ZGI_OPTION_FILE},
	{"huge-pages", "off, transparent, explicit or explicit-only; default transparent",
	 "Which pages memory lies on; explicit are those of vm.nr_hugepages, transparent ones in "
	 "their place where they are too few, unless explicit-only.",
	 options_huge_pages_set, ZGI_OPTION_FILE},
	{"lock-memory", "off, try or must; default off",
	 "Keep memory and program from being paged out: as far as RLIMIT_MEMLOCK lets us, or all "
	 "of it.",
	 options_lock_memory_set, ZGI_OPTION_FILE},
	{"numa", "off or auto; default auto",
	 "Keep each shard's thread and memory to one NUMA node, where there are several.",
	 options_numa_set, ZGI_OPTION_FILE},
	{"access-log", "PATH, or - for standard output; default none",
	 "Where a line is written for each request; SIGUSR1 opens the file anew.",
	 options_access_log_set, ZGI_OPTION_FILE},
	{"access-log-format", "common or json; default common",
	 "Common Log Format, or a JSON object a line.", options_access_log_format_set,
	 ZGI_OPTION_FILE},
	{"api-keys-file", "PATH; default none",
	 "Whose keys open the admin routes: lines NAME KEY or NAME sha256:DIGEST.",
	 options_api_keys_file_set, ZGI_OPTION_FILE},
	{"peer-addresses", "off or on; default off",
	 "Keep the address that each connection comes from, for handlers and hooks: 24 bytes each.",
	 options_peer_addresses_set, ZGI_OPTION_FILE},
};

#define OPTIONS_WORD_COUNT (sizeof(options_words) / sizeof(options_words[0]))

static const struct zg_option *options_added(const struct zg_options *options, struct zg_slice name)
{
	for (uint32_t index = 0; index < options->added_count; index++) {
		const struct zg_option *added = options->added[index];

		if (zg_slice_equals(name, (struct zg_slice){added->flag, strlen(added->flag)}))
			return added;
	}
	return NULL;
}

int zgi_option_set(struct zg_options *options, struct zg_slice name, const char *value,
		   enum zgi_option_origin origin, struct zg_text *ret_error)
{
	const struct zg_option *added = options_added(options, name);

	if (added != NULL)
		return added->set(value, added->user, ret_error);
	for (size_t index = 0; index < OPTIONS_LIMIT_COUNT; index++) {
		const struct options_limit *limit = &options_limits[index];

		if (zg_slice_equals(name, (struct zg_slice){limit->flag, strlen(limit->flag)}))
			return options_limit_set(options, limit, value, ret_error);
	}
	for (size_t index = 0; index < OPTIONS_WORD_COUNT; index++) {
		const struct options_word *word = &options_words[index];

		if (origin <= word->origin_last &&
		    zg_slice_equals(name, (struct zg_slice){word->flag, strlen(word->flag)}))
			return word->set(options, value, ret_error);
	}
	return -ENOENT;
}

const char *zgi_option_name(const struct zg_options *options, size_t index,
			    enum zgi_option_origin origin)
{
	if (index < OPTIONS_LIMIT_COUNT)
		return options_limits[index].flag;
	index -= OPTIONS_LIMIT_COUNT;
	if (index < OPTIONS_WORD_COUNT)
		return origin <= options_words[index].origin_last ? options_words[index].flag : "";
	index -= OPTIONS_WORD_COUNT;
	return index < options->added_count ? options->added[index]->flag : NULL;
}

void zg_options_add(struct zg_options *options, const struct zg_option *option)
{
	zg_assert(option->flag != NULL && option->values != NULL && option->sentence != NULL);
	zg_assert(option->set != NULL);
	zg_assert(options->added_count < ZG_OPTIONS_ADDED_MAX);
	options->added[options->added_count++] = option;
}

/* Flags without a value. Returns whether it was one. */
static bool options_switch_set(struct zg_options *options, const char *argument)
{
	if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
		options->print_help = true;
	else if (strcmp(argument, "--plan") == 0)
		options->print_plan = true;
	else if (strcmp(argument, "--routes") == 0)
		options->print_routes = true;
	else
		return false;
	return true;
}

int zg_options_parse(struct zg_options *options, int argc, char **argv, struct zg_text *ret_error)
{
	for (int index = 1; index < argc; index++) {
		const char *argument = argv[index];
		const char *value;
		struct zg_slice flag;

		if (options_switch_set(options, argument))
			continue;
		if (strncmp(argument, "--", 2) != 0) {
			zg_text_print(ret_error, "\"%s\" is not a flag; --help lists them",
				      argument);
			return -EINVAL;
		}

		const char *equals = strchr(argument, '=');

		flag.data = argument + 2;
		flag.size = equals != NULL ? (size_t)(equals - flag.data) : strlen(flag.data);
		value = equals != NULL ? equals + 1 : argv[index + 1];

		/* Probed with its own value first, so that an unknown flag is called unknown. */
		int result = zgi_option_set(options, flag, value != NULL ? value : "",
					    ZGI_OPTION_FLAG, ret_error);

		if (result == -ENOENT) {
			zg_text_print(ret_error, "--%.*s is not a flag; --help lists them",
				      (int)flag.size, flag.data);
			return -EINVAL;
		}
		if (result < 0)
			return result;
		index += equals == NULL;
	}
	return 0;
}

void zg_options_help(const struct zg_options *options, struct zg_text *text)
{
	zg_text_print(text,
		      "Flags, as --flag VALUE or --flag=VALUE. Each can also come from the\n"
		      "environment, --body-size-max as ZEROG_BODY_SIZE_MAX, and from the file "
		      "that\n--config names, as body-size-max = VALUE:\n\n");
	for (uint32_t index = 0; index < options->added_count; index++)
		zg_text_print(text, "  --%s  (%s)\n      %s\n", options->added[index]->flag,
			      options->added[index]->values, options->added[index]->sentence);
	for (size_t index = 0; index < OPTIONS_WORD_COUNT; index++)
		zg_text_print(text, "  --%s  (%s)\n      %s\n", options_words[index].flag,
			      options_words[index].values, options_words[index].sentence);
	for (size_t index = 0; index < OPTIONS_LIMIT_COUNT; index++) {
		const struct options_limit *limit = &options_limits[index];

		zg_text_print(text,
			      "  --%s  (%s; default %" PRIu64 ", %" PRIu64 " to %" PRIu64
			      ")\n      %s\n",
			      limit->flag, limit->unit, limit->initial, limit->minimum,
			      limit->maximum, limit->sentence);
	}
	zg_text_print(text,
		      "  --plan\n      Print the plan these flags come to, and exit.\n"
		      "  --routes\n      Print a line METHOD PATTERN for each route, and exit.\n"
		      "  --help\n      Print this, and exit.\n");
}
