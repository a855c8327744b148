/*
 * Persist: the one seam through which every store, flush and fence of a map passes, and who may
 * look on there.
 */
#ifndef ZEROG_PMEM_PERSIST_H
#define ZEROG_PMEM_PERSIST_H

#include <zerog/pmem.h>

#define ZGI_PMEM_MAGIC UINT32_C(0x7a67706d)

/* Say what is wrong, to those who want to hear it. */
#define ZGI_PMEM_TELL(error, ...)                          \
	do {                                               \
		if ((error) != NULL)                       \
			zg_text_print(error, __VA_ARGS__); \
	} while (0)

/* Is told of each, after it has happened to the map. See crash.h. */
struct zgi_pmem_witness {
	void (*store)(struct zgi_pmem_witness *witness, struct zg_pmem *map, uint64_t offset,
		      size_t size);
	void (*flush)(struct zgi_pmem_witness *witness, struct zg_pmem *map, uint64_t offset,
		      size_t size);
	/* Return: a mark of the moment, that fence_end is told again. */
	uint64_t (*fence_begin)(struct zgi_pmem_witness *witness, struct zg_pmem *map);
	/* Before it counts: return the result, or another in its place. */
	int (*fence_end)(struct zgi_pmem_witness *witness, struct zg_pmem *map, uint64_t mark,
			 int result);
};

/**
 * zgi_pmem_over() - a map over memory, without a file
 * @map:    the caller's; overwritten
 * @bytes:  borrowed until the map is closed; aligned to 64
 * @size:   bytes
 *
 * Fences have nothing to wait for. For tests, and for looking at what a crash would leave.
 */
void zgi_pmem_over(struct zg_pmem *map, void *bytes, uint64_t size);

#endif
