/*
 * Wire: one description of a layout, for writing it, reading it and hashing it.
 *
 * A function that names the fields of a struct in order serves all three, so that what is written
 * and what is read cannot drift apart. Numbers are little endian and unaligned.
 *
 * Ownership  The bytes are the caller's.
 * Threads    Not locked.
 */
#ifndef STOREFRONT_WIRE_H
#define STOREFRONT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum shop_wire_way {
	SHOP_WIRE_WRITE, /* the struct to bytes */
	SHOP_WIRE_READ, /* bytes to the struct */
	SHOP_WIRE_HASH, /* the struct into a hash: no bytes at all */
};

struct shop_wire {
	enum shop_wire_way way;
	bool is_failed; /* it did not fit, or there was too little: sticky */
	unsigned char *output; /* borrowed */
	const unsigned char *input; /* borrowed */
	size_t capacity; /* bytes of either */
	size_t size; /* bytes written or read so far */
	uint64_t hash;
};

/**
 * shop_wire_writer() - a wire that writes
 * @bytes:     borrowed
 * @capacity:  bytes of them
 */
static inline struct shop_wire shop_wire_writer(void *bytes, size_t capacity)
{
	return (struct shop_wire){
		.way = SHOP_WIRE_WRITE, .output = (unsigned char *)bytes, .capacity = capacity};
}

/**
 * shop_wire_reader() - a wire that reads
 * @bytes:  borrowed
 * @size:   bytes of them
 */
static inline struct shop_wire shop_wire_reader(const void *bytes, size_t size)
{
	return (struct shop_wire){
		.way = SHOP_WIRE_READ, .input = (const unsigned char *)bytes, .capacity = size};
}

/**
 * shop_wire_hasher() - a wire that hashes
 * @hash:  so far, or a seed
 */
static inline struct shop_wire shop_wire_hasher(uint64_t hash)
{
	return (struct shop_wire){.way = SHOP_WIRE_HASH, .hash = hash};
}

/**
 * shop_wire_is_whole() - was everything read, and no more than there is?
 * @wire:  any
 */
static inline bool shop_wire_is_whole(const struct shop_wire *wire)
{
	return !wire->is_failed && wire->size == wire->capacity;
}

/* One field each: written, read or hashed. When reading fails, the field is zeroed. */
void shop_wire_u8(struct shop_wire *wire, uint8_t *value);
void shop_wire_u16(struct shop_wire *wire, uint16_t *value);
void shop_wire_u32(struct shop_wire *wire, uint32_t *value);
void shop_wire_u64(struct shop_wire *wire, uint64_t *value);
void shop_wire_i64(struct shop_wire *wire, int64_t *value);

/**
 * shop_wire_bytes() - so many bytes as they are
 * @wire:   any
 * @bytes:  of the struct
 * @size:   bytes, the same each time
 */
void shop_wire_bytes(struct shop_wire *wire, void *bytes, size_t size);

/**
 * shop_wire_text() - a text in a field of fixed size: its length, then its bytes
 * @wire:  any
 * @text:  NUL-terminated; what is read is padded with NULs to @size, and refused when it has one
 *         inside
 * @size:  bytes of the field, the NUL's included; at most 256
 */
void shop_wire_text(struct shop_wire *wire, char *text, size_t size);

/**
 * shop_wire_field() - a text in a field of fixed size: all of its bytes
 * @wire:  any
 * @text:  NUL-terminated; bytes behind the NUL are written as NULs, and refused when they are
 *         others
 * @size:  bytes of the field, the NUL's included
 */
void shop_wire_field(struct shop_wire *wire, char *text, size_t size);

#endif
