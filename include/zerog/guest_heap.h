/*
 * Guest heap: a bounded heap for libraries that call malloc.
 *
 * A service's own objects have their place in the plan. A library that allocates
 * while it works has not: the guest heap gives it one. It is mimalloc over one mapping
 * that is reserved and faulted in at boot; it never takes memory from the operating
 * system, and when it is full it returns NULL.
 *
 * Once the process is sealed (zerog/seal.h), malloc and its relatives are served from
 * here. What was allocated before goes back to where it came from; a realloc from there
 * moves here. Libraries that take allocator functions can have an account instead, with
 * figures and a limit of its own, before the seal and after it.
 *
 * Ownership  One heap a process, reserved at boot, never given back.
 * Threads    Any thread, once it is reserved; blocks may be freed by another.
 * Limits     ZG_GUEST_HEAP_SIZE_MAX bytes. Alignments up to ZG_GUEST_ALIGNMENT_MAX.
 */
#ifndef ZEROG_GUEST_HEAP_H
#define ZEROG_GUEST_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/watch.h>

ZG_BEGIN_DECLS

#define ZG_GUEST_HEAP_GRAIN ((uint64_t)4 << 20) /* its size is a multiple of this */
#define ZG_GUEST_HEAP_SIZE_MAX ((uint64_t)32 << 30)
#define ZG_GUEST_ALIGNMENT_MAX ((size_t)8192)

struct zg_guest_counts {
	uint64_t size; /* bytes there are to be had, less its own bookkeeping; 0: no heap */
	uint64_t live_count; /* blocks that users have */
	uint64_t live_size; /* bytes of those blocks, as they may use them */
	uint64_t live_size_peak; /* the most there were */
	uint64_t held_size; /* bytes of the slices that those blocks lie in, and of bookkeeping */
	uint64_t malloc_count; /* blocks ever handed out */
	uint64_t fail_count; /* calls that returned NULL */
};

/**
 * zg_guest_heap_reserve() - map the guest heap and touch every page of it
 * @size:  bytes, 1 to ZG_GUEST_HEAP_SIZE_MAX; rounded up to ZG_GUEST_HEAP_GRAIN
 *
 * It lies below 512 GiB, at an address that nobody can foretell.
 *
 * Return: 0; -EINVAL for a size out of range; -EBUSY when there is one already; -ENOMEM when the
 * kernel has no such range or no such pages. Boot only, from the first thread, before the seal.
 */
ZG_MUST_USE int zg_guest_heap_reserve(uint64_t size);

/**
 * zg_guest_heap_size_mapped() - what a guest heap of this size occupies
 * @size:  bytes, as for zg_guest_heap_reserve(); 0 comes to 0
 *
 * Return: bytes, with what is mapped beside it for its map of addresses: the plan's line.
 */
uint64_t zg_guest_heap_size_mapped(uint64_t size);

/**
 * zg_guest_malloc() - a block of the guest heap, contents undefined
 * @size:  bytes, may be 0
 *
 * Return: the block, aligned to 16 bytes, owned until zg_guest_free(); NULL with errno ENOMEM when
 * there is no room, or no guest heap.
 */
void *zg_guest_malloc(size_t size);

/**
 * zg_guest_calloc() - an array of the guest heap, zeroed
 * @count:  members
 * @size:   bytes of one
 *
 * Return: as zg_guest_malloc().
 */
void *zg_guest_calloc(size_t count, size_t size);

/**
 * zg_guest_realloc() - a block of another size with the same contents
 * @memory:  of the guest heap, or NULL; consumed on success, untouched on failure
 * @size:    bytes; 0 gives the smallest block
 *
 * Return: as zg_guest_malloc().
 */
void *zg_guest_realloc(void *memory, size_t size);

/**
 * zg_guest_memalign() - a block at a multiple of an alignment
 * @alignment:  a power of two, at most ZG_GUEST_ALIGNMENT_MAX
 * @size:       bytes
 *
 * Return: as zg_guest_malloc(); NULL with errno EINVAL for an alignment out of range.
 */
void *zg_guest_memalign(size_t alignment, size_t size);

/**
 * zg_guest_free() - give a block back
 * @memory:  of the guest heap, or NULL. What is not of it is our own mistake: it fails an assertion
 */
void zg_guest_free(void *memory);

/**
 * zg_guest_usable_size() - bytes of a block that its owner may use
 * @memory:  of the guest heap, or NULL
 */
size_t zg_guest_usable_size(const void *memory);

/**
 * zg_guest_owns() - is this address inside the guest heap?
 * @memory:  any address
 */
bool zg_guest_owns(const void *memory);

/**
 * zg_guest_heap_counts() - the heap's figures; all 0 when there is none
 * @ret_counts:  overwritten
 */
void zg_guest_heap_counts(struct zg_guest_counts *ret_counts);

/* What one library has of the guest heap. Its fields are to be read with
 * zg_guest_account_counts(). */
struct zg_guest_account {
	uint32_t magic;
	const char *name; /* static text */
	uint64_t limit_size; /* bytes; UINT64_MAX for none */
	uint64_t live_count;
	uint64_t live_size;
	uint64_t live_size_peak;
	uint64_t malloc_count;
	uint64_t fail_count;
	struct zg_watched watched;
	bool is_armed; /* a take is to be made to fail: zg_fault_arm() by its name */
};

/**
 * zg_guest_account_init() - open an account
 * @account:     the caller's, for as long as the library allocates; overwritten
 * @name:        static text: "openssl"
 * @limit_size:  the most bytes it may have at once; UINT64_MAX for what the heap has
 *
 * Boot only.
 */
void zg_guest_account_init(struct zg_guest_account *account, const char *name, uint64_t limit_size);

/**
 * zg_guest_account_fini() - close an account
 * @account:  initialised, or zeroed; the library has given everything back
 *
 * Return: 0; -EBUSY when it has not, and then the account stays.
 */
ZG_MUST_USE int zg_guest_account_fini(struct zg_guest_account *account);

/**
 * zg_guest_account_counts() - an account's figures
 * @account:     initialised
 * @ret_counts:  overwritten; the size is the account's limit, held is what is live
 */
void zg_guest_account_counts(const struct zg_guest_account *account,
			     struct zg_guest_counts *ret_counts);

/*
 * Functions in the shapes that libraries ask for. The account is their opaque pointer.
 * All return NULL when the heap or the account has no room for it.
 *
 * The first four are those of brotli and zstd; zalloc with the free below it is zlib's.
 */
void *zg_guest_account_malloc(void *account, size_t size);
void *zg_guest_account_calloc(void *account, size_t count, size_t size);
void *zg_guest_account_realloc(void *account, void *memory, size_t size);
void zg_guest_account_free(void *account, void *memory);
void *zg_guest_account_zalloc(void *account, unsigned count, unsigned size);

/* With the opaque pointer last, as in nghttp2_mem. */
void *zg_guest_account_malloc_last(size_t size, void *account);
void *zg_guest_account_calloc_last(size_t count, size_t size, void *account);
void *zg_guest_account_realloc_last(void *memory, size_t size, void *account);
void zg_guest_account_free_last(void *memory, void *account);

/* For CRYPTO_set_mem_functions(), which has no opaque pointer: defines NAME_malloc, NAME_realloc
 * and NAME_free over an account of static storage. */
#define ZG_GUEST_ACCOUNT_OPENSSL(name, account)                                            \
	static void *name##_malloc(size_t size, const char *file, int line)                \
	{                                                                                  \
		(void)file;                                                                \
		(void)line;                                                                \
		return zg_guest_account_malloc((account), size);                           \
	}                                                                                  \
	static void *name##_realloc(void *memory, size_t size, const char *file, int line) \
	{                                                                                  \
		(void)file;                                                                \
		(void)line;                                                                \
		return zg_guest_account_realloc((account), memory, size);                  \
	}                                                                                  \
	static void name##_free(void *memory, const char *file, int line)                  \
	{                                                                                  \
		(void)file;                                                                \
		(void)line;                                                                \
		zg_guest_account_free((account), memory);                                  \
	}                                                                                  \
	struct zg_guest_account

ZG_END_DECLS

#endif
