/*
 * Crash: what a power failure at any moment could leave of a map. For tests only.
 *
 * A crash is a witness of one or more maps: it logs every store, flush and fence that passes the
 * seam. What was stored and not yet fenced may be on the medium or not, each aligned word of 8
 * bytes for itself; so from the log every subset of those words is put upon what is durable, and
 * each such image is handed to a checker, as recovery would find it. Up to
 * ZGI_CRASH_EXHAUSTIVE_MAX words that is all subsets; above, none, all, each word alone, all but
 * each, all up to each and all from each, and others by a seed.
 *
 *	zgi_crash_init(&crash, &options);
 *	zgi_crash_watch(&crash, &map);      what the map has now counts as durable
 *	... publish, commit ...
 *	zgi_crash_promise(&crash, 1);       from now on no image may be without the first
 *	...
 *	zgi_crash_end(&crash);
 *	assert_null(crash.problem);
 *
 * It also sees that nothing goes round the seam: at each fence the payload has to be what the
 * log says.
 *
 * Ownership  The caller lends `memory`, and each map until zgi_crash_unwatch().
 * Threads    Not locked: that of the maps.
 */
#ifndef ZEROG_PMEM_CRASH_H
#define ZEROG_PMEM_CRASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/pmem.h>

#include "pmem/map_header.h"
#include "pmem/persist.h"

#define ZGI_CRASH_MAPS_MAX 8
#define ZGI_CRASH_WORDS_MAX 8192 /* unfenced at the same time */
#define ZGI_CRASH_EXHAUSTIVE_MAX 12 /* words */
#define ZGI_CRASH_PATTERN_WORDS_MAX 64 /* of more, as many are picked for the patterns */
#define ZGI_CRASH_SAMPLES 256 /* images of each moment that the seed makes */

/* What recovery finds. The checker may write to the bytes: the next image is made anew. */
struct zgi_crash_image {
	unsigned char *bytes[ZGI_CRASH_MAPS_MAX]; /* the payloads, in order of their watching */
	uint64_t sizes[ZGI_CRASH_MAPS_MAX]; /* bytes */
	struct zgi_map_header headers[ZGI_CRASH_MAPS_MAX]; /* zeroed of maps without a file */
	uint32_t map_count;
	uint64_t promised; /* as told last */
};

/* Return: NULL when all is well; else what is not, static text. */
typedef const char *zgi_crash_check(struct zgi_crash_image *image, void *user);

struct zgi_crash_options {
	zgi_crash_check *check;
	void *user; /* passed to it */
	void *memory; /* borrowed; aligned to 64 */
	size_t memory_size; /* bytes: three times each payload, rounded up to 64 */
	uint64_t seed;
};

struct zgi_crash_word {
	uint64_t value;
	uint64_t flushed_at; /* the moment; 0: it was not flushed yet */
	uint64_t index; /* offset in its payload, in words */
	uint32_t map;
	bool is_chosen;
};

struct zgi_crash_map {
	struct zg_pmem *map; /* borrowed; NULL once it is not watched any more */
	unsigned char *durable;
	unsigned char *latest; /* with all that was ever stored */
	uint64_t size; /* bytes */
};

struct zgi_crash {
	struct zgi_pmem_witness witness;
	struct zgi_crash_options options;
	struct zgi_crash_map maps[ZGI_CRASH_MAPS_MAX];
	struct zgi_crash_image image;
	struct zgi_crash_word words[ZGI_CRASH_WORDS_MAX]; /* unfenced, in order of their stores */
	size_t word_count;
	size_t memory_used; /* bytes */
	uint64_t moment; /* counts what passes the seam */
	uint64_t random;
	uint64_t image_count; /* checked */
	uint64_t sampled_count; /* moments with too many words for all subsets */
	int fence_error; /* what fences fail with: a negative errno, or 0 */
	const char *problem; /* the first that was found; NULL: none was */
	char report[1024]; /* and in which image */
};

/**
 * zgi_crash_init() - start with an empty log
 * @crash:    the caller's; overwritten; it is large, and so best static
 * @options:  read during the call
 */
void zgi_crash_init(struct zgi_crash *crash, const struct zgi_crash_options *options);

/**
 * zgi_crash_watch() - log a map; all it has now counts as durable
 * @crash:  initialised
 * @map:    open, its size a multiple of 8; stays where it is until zgi_crash_unwatch()
 */
void zgi_crash_watch(struct zgi_crash *crash, struct zg_pmem *map);

/**
 * zgi_crash_unwatch() - the map is about to be closed; what it left unfenced stays so
 * @crash:  initialised
 * @map:    watched
 */
void zgi_crash_unwatch(struct zgi_crash *crash, struct zg_pmem *map);

/**
 * zgi_crash_promise() - check all that a crash up to now could leave, then promise more
 * @crash:     initialised
 * @promised:  what images from now on are checked against, of the caller's own meaning
 */
void zgi_crash_promise(struct zgi_crash *crash, uint64_t promised);

/**
 * zgi_crash_end() - check what a crash at the end could leave, and end all watching
 * @crash:  initialised
 */
void zgi_crash_end(struct zgi_crash *crash);

/**
 * zgi_crash_save() - write one payload of an image to a file, as zg_pmem_open() takes it
 * @image:   with a map that has a file
 * @number:  of the map
 * @path:    of the file, overwritten
 *
 * Return: 0; or a negative errno.
 */
ZG_MUST_USE int zgi_crash_save(const struct zgi_crash_image *image, uint32_t number,
			       const char *path);

#endif
