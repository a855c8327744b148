/*
 * JSON bench: a cart, as a shop receives and answers it, and what each library has to do.
 *
 * A subject is a program of its own: it turns the document into the struct below, with
 * every limit checked, and the struct into a document. All subjects do the same work and
 * keep nothing of the document but what lies in the struct.
 */
#ifndef ZEROG_BENCH_JSON_CART_H
#define ZEROG_BENCH_JSON_CART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CART_LINES_MAX 20
#define CART_DOCUMENT_SIZE_MAX 8192
#define CART_PRODUCT_MAX UINT32_MAX
#define CART_QUANTITY_MAX 99
#define CART_PRICE_MAX 100000000 /* minor units */

struct cart_line {
	uint64_t product;
	uint32_t quantity;
	int64_t price; /* minor units */
	char name[48];
};

struct cart {
	uint64_t id;
	char currency[4];
	bool is_gift;
	char note[128];
	struct cart_line lines[CART_LINES_MAX];
	uint32_t line_count;
	int64_t total; /* minor units */
};

struct cart_subject {
	const char *name;
	/* The document into the struct. It may be changed. Return: whether it is a cart. */
	bool (*bind)(char *json, size_t size, struct cart *cart);
	/* The struct into a buffer of CART_DOCUMENT_SIZE_MAX bytes. Return: bytes written; 0:
	 * failed. */
	size_t (*write)(const struct cart *cart, char *buffer);
	/* Allocations since the start. */
	uint64_t (*allocations)(void);
};

extern const struct cart_subject cart_subject;

#endif
