/*
 * The log of a crash, and the images that are made of it.
 *
 * Between two fences the set of unfenced words only grows. So all subsets just before the second
 * fence are all that any moment between the two could leave, and images need not be made at every
 * store: they are made before a fence ends, before more is promised, and at the end.
 *
 * A word that is stored with the value that it has is left out: with it or without it the images
 * are the same.
 */
#include "pmem/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"

#define CRASH_WORD_SIZE sizeof(uint64_t)
#define CRASH_REPORT_WORDS 24

static struct zgi_crash *crash_of(struct zgi_pmem_witness *witness)
{
	return (struct zgi_crash *)(void *)((char *)witness - offsetof(struct zgi_crash, witness));
}

static uint32_t crash_number(const struct zgi_crash *crash, const struct zg_pmem *map)
{
	for (uint32_t number = 0; number < crash->image.map_count; number++)
		if (crash->maps[number].map == map)
			return number;
	zg_assert(!"a watched map is known");
	return 0;
}

/* SplitMix64 (Steele, Lea and Flood, 2014). */
static uint64_t crash_random(struct zgi_crash *crash)
{
	uint64_t bits = crash->random += UINT64_C(0x9E3779B97F4A7C15);

	bits = (bits ^ bits >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	bits = (bits ^ bits >> 27) * UINT64_C(0x94D049BB133111EB);
	return bits ^ bits >> 31;
}

static uint64_t crash_load(const unsigned char *bytes, uint64_t index)
{
	uint64_t word;

	memcpy(&word, bytes + index * CRASH_WORD_SIZE, sizeof(word));
	return word;
}

static void crash_put(unsigned char *bytes, const struct zgi_crash_word *word)
{
	memcpy(bytes + word->index * CRASH_WORD_SIZE, &word->value, sizeof(word->value));
}

/* Tells of the first problem: in which image it was. */
static void crash_report(struct zgi_crash *crash, const char *problem)
{
	struct zg_text text;
	size_t told = 0;

	crash->problem = problem;
	zg_text_init(&text, crash->report, sizeof(crash->report));
	zg_text_print(&text, "%s: image %" PRIu64 ", promised %" PRIu64 ", of %zu unfenced words:",
		      problem, crash->image_count, crash->image.promised, crash->word_count);
	for (size_t index = 0; index < crash->word_count && told < CRASH_REPORT_WORDS; index++) {
		const struct zgi_crash_word *word = &crash->words[index];

		if (!word->is_chosen)
			continue;
		zg_text_print(&text, " %" PRIu32 ":%#" PRIx64, word->map,
			      word->index * CRASH_WORD_SIZE);
		told++;
	}
	(void)fprintf(stderr, "crash: %s\n", crash->report);
}

/* The image of the chosen words, to the checker. */
static void crash_check(struct zgi_crash *crash)
{
	const char *problem;

	if (crash->problem != NULL)
		return;
	for (uint32_t number = 0; number < crash->image.map_count; number++)
		memcpy(crash->image.bytes[number], crash->maps[number].durable,
		       crash->maps[number].size);
	for (size_t index = 0; index < crash->word_count; index++)
		if (crash->words[index].is_chosen)
			crash_put(crash->image.bytes[crash->words[index].map],
				  &crash->words[index]);
	crash->image_count++;
	problem = crash->options.check(&crash->image, crash->options.user);
	if (problem != NULL)
		crash_report(crash, problem);
}

/* Chooses the words from `first` to before `end`, or all but those. */
static void crash_check_run(struct zgi_crash *crash, size_t first, size_t end, bool is_chosen)
{
	for (size_t index = 0; index < crash->word_count; index++)
		crash->words[index].is_chosen = (index >= first && index < end) == is_chosen;
	crash_check(crash);
}

static void crash_check_all_subsets(struct zgi_crash *crash)
{
	for (uint32_t chosen = 0; chosen < UINT32_C(1) << crash->word_count; chosen++) {
		for (size_t index = 0; index < crash->word_count; index++)
			crash->words[index].is_chosen = (chosen >> index & 1) != 0;
		crash_check(crash);
	}
}

static void crash_check_samples(struct zgi_crash *crash)
{
	size_t count = crash->word_count;
	size_t pattern_count =
		count < ZGI_CRASH_PATTERN_WORDS_MAX ? count : ZGI_CRASH_PATTERN_WORDS_MAX;

	crash->sampled_count++;
	crash_check_run(crash, 0, 0, true);
	crash_check_run(crash, 0, count, true);
	for (size_t pattern = 0; pattern < pattern_count; pattern++) {
		size_t at = pattern_count == count ? pattern : crash_random(crash) % count;

		crash_check_run(crash, at, at + 1, true);
		crash_check_run(crash, at, at + 1, false);
		crash_check_run(crash, 0, at, true);
		crash_check_run(crash, at, count, true);
	}
	for (int sample = 0; sample < ZGI_CRASH_SAMPLES; sample++) {
		/* From few words to nearly all: half of them alone would hardly ever be few. */
		uint64_t share = crash_random(crash) % 255 + 1;

		for (size_t index = 0; index < count; index++)
			crash->words[index].is_chosen = crash_random(crash) % 256 < share;
		crash_check(crash);
	}
}

/* What went round the seam would be in no image. */
static void crash_check_seam(struct zgi_crash *crash)
{
	for (uint32_t number = 0; number < crash->image.map_count; number++) {
		const struct zgi_crash_map *at = &crash->maps[number];

		if (at->map == NULL || memcmp(at->map->bytes, at->latest, at->size) == 0)
			continue;
		if (crash->problem == NULL)
			crash_report(crash, "a store went round the seam");
	}
}

static void crash_check_moment(struct zgi_crash *crash)
{
	crash_check_seam(crash);
	if (crash->word_count <= ZGI_CRASH_EXHAUSTIVE_MAX)
		crash_check_all_subsets(crash);
	else
		crash_check_samples(crash);
}

static void crash_store(struct zgi_pmem_witness *witness, struct zg_pmem *map, uint64_t offset,
			size_t size)
{
	struct zgi_crash *crash = crash_of(witness);
	uint32_t number = crash_number(crash, map);
	struct zgi_crash_map *at = &crash->maps[number];

	crash->moment++;
	for (uint64_t index = offset / CRASH_WORD_SIZE;
	     index <= (offset + size - 1) / CRASH_WORD_SIZE; index++) {
		struct zgi_crash_word word = {
			.value = crash_load(map->bytes, index),
			.index = index,
			.map = number,
		};

		if (word.value == crash_load(at->latest, index))
			continue;
		crash_put(at->latest, &word);
		zg_assert(crash->word_count < ZGI_CRASH_WORDS_MAX);
		crash->words[crash->word_count++] = word;
	}
}

/* Only of the words that are meant: that the rest of their cache lines goes along, too, must not
 * be what saves a program. */
static void crash_flush(struct zgi_pmem_witness *witness, struct zg_pmem *map, uint64_t offset,
			size_t size)
{
	struct zgi_crash *crash = crash_of(witness);
	uint32_t number = crash_number(crash, map);

	crash->moment++;
	for (size_t at = 0; at < crash->word_count; at++) {
		struct zgi_crash_word *word = &crash->words[at];

		if (word->map == number && word->flushed_at == 0 &&
		    word->index >= offset / CRASH_WORD_SIZE &&
		    word->index <= (offset + size - 1) / CRASH_WORD_SIZE)
			word->flushed_at = crash->moment;
	}
}

static uint64_t crash_fence_begin(struct zgi_pmem_witness *witness, struct zg_pmem *map)
{
	(void)map;
	return ++crash_of(witness)->moment;
}

static int crash_fence_end(struct zgi_pmem_witness *witness, struct zg_pmem *map, uint64_t mark,
			   int result)
{
	struct zgi_crash *crash = crash_of(witness);
	uint32_t number = crash_number(crash, map);
	size_t left = 0;

	if (crash->fence_error < 0)
		result = crash->fence_error;
	crash_check_moment(crash);
	if (result < 0)
		return result;
	for (size_t at = 0; at < crash->word_count; at++) {
		struct zgi_crash_word *word = &crash->words[at];

		if (word->map == number && word->flushed_at != 0 && word->flushed_at < mark)
			crash_put(crash->maps[number].durable, word);
		else
			crash->words[left++] = *word;
	}
	crash->word_count = left;
	return result;
}

void zgi_crash_init(struct zgi_crash *crash, const struct zgi_crash_options *options)
{
	zg_assert(options->check != NULL);
	zg_assert((uintptr_t)options->memory % 64 == 0);
	memset(crash, 0, sizeof(*crash));
	crash->witness = (struct zgi_pmem_witness){
		.store = crash_store,
		.flush = crash_flush,
		.fence_begin = crash_fence_begin,
		.fence_end = crash_fence_end,
	};
	crash->options = *options;
	crash->random = options->seed;
}

static unsigned char *crash_carve(struct zgi_crash *crash, size_t size)
{
	unsigned char *bytes = (unsigned char *)crash->options.memory + crash->memory_used;

	size = (size + 63) & ~(size_t)63;
	zg_assert(size <= crash->options.memory_size - crash->memory_used);
	crash->memory_used += size;
	return bytes;
}

void zgi_crash_watch(struct zgi_crash *crash, struct zg_pmem *map)
{
	uint32_t number = crash->image.map_count;
	struct zgi_crash_map *at = &crash->maps[number];

	zg_assert(number < ZGI_CRASH_MAPS_MAX);
	zg_assert(map->witness == NULL && map->size % CRASH_WORD_SIZE == 0);
	*at = (struct zgi_crash_map){
		.map = map,
		.size = map->size,
		.durable = crash_carve(crash, map->size),
		.latest = crash_carve(crash, map->size),
	};
	memcpy(at->durable, map->bytes, map->size);
	memcpy(at->latest, map->bytes, map->size);
	crash->image.bytes[number] = crash_carve(crash, map->size);
	crash->image.sizes[number] = map->size;
	if (map->fd >= 0)
		memcpy(&crash->image.headers[number], map->bytes - ZG_PMEM_HEADER_SIZE,
		       sizeof(struct zgi_map_header));
	crash->image.map_count = number + 1;
	map->witness = &crash->witness;
}

void zgi_crash_unwatch(struct zgi_crash *crash, struct zg_pmem *map)
{
	uint32_t number = crash_number(crash, map);

	crash_check_seam(crash);
	crash->maps[number].map = NULL;
	map->witness = NULL;
}

void zgi_crash_promise(struct zgi_crash *crash, uint64_t promised)
{
	crash_check_moment(crash);
	crash->image.promised = promised;
}

void zgi_crash_end(struct zgi_crash *crash)
{
	crash_check_moment(crash);
	for (uint32_t number = 0; number < crash->image.map_count; number++)
		if (crash->maps[number].map != NULL)
			zgi_crash_unwatch(crash, crash->maps[number].map);
}

int zgi_crash_save(const struct zgi_crash_image *image, uint32_t number, const char *path)
{
	uint64_t size;
	int result = 0;
	int fd;

	zg_assert(number < image->map_count && image->headers[number].size > 0);
	size = image->sizes[number];
	fd = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)zgi_map_file_size(size)) < 0)
		result = -errno;
	else if (pwrite(fd, &image->headers[number], sizeof(struct zgi_map_header), 0) !=
			 (ssize_t)sizeof(struct zgi_map_header) ||
		 pwrite(fd, image->bytes[number], size, ZG_PMEM_HEADER_SIZE) != (ssize_t)size)
		result = -EIO;
	close(fd);
	return result;
}
