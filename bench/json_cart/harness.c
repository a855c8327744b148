/*
 * Measures one subject: nanoseconds and allocations a document, both ways. The document
 * is copied to a fresh place each time, as it comes from a socket, and the copy is timed
 * with the rest. What was bound is compared with what was meant before anything is timed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cart.h"

#define ROUND_NS 20000000 /* of one sample */
#define BATCH 64 /* documents between two looks at the clock */

static struct cart meant;
static char document[CART_DOCUMENT_SIZE_MAX];
static size_t document_size;

/* Of this process alone: others may run beside it. */
static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", cart_subject.name, what);
	exit(1);
}

static void make_cart(uint32_t line_count)
{
	meant.id = 4711;
	memcpy(meant.currency, "EUR", 4);
	meant.is_gift = true;
	snprintf(meant.note, sizeof(meant.note), "%s",
		 "Please leave it at the \"blue\" door,\nK\303\266nigstra\303\237e 7.");
	meant.line_count = line_count;
	for (uint32_t index = 0; index < line_count; index++) {
		struct cart_line *line = &meant.lines[index];

		line->product = 1000003 + index * 7919;
		line->quantity = 1 + index % 9;
		line->price = 199 + (int64_t)index * 1250;
		snprintf(line->name, sizeof(line->name), "Teapot number %" PRIu32 ", porcelain",
			 index);
		meant.total += line->price * line->quantity;
	}
}

/* As a client's library prints it, without blanks. */
static void make_document(void)
{
	size_t size = 0;

	size += (size_t)snprintf(document + size, sizeof(document) - size,
				 "{\"id\":%" PRIu64 ",\"currency\":\"%s\",\"is_gift\":true,"
				 "\"note\":\"Please leave it at the \\\"blue\\\" door,\\n"
				 "K\303\266nigstra\303\237e 7.\",\"lines\":[",
				 meant.id, meant.currency);
	for (uint32_t index = 0; index < meant.line_count; index++) {
		const struct cart_line *line = &meant.lines[index];

		size += (size_t)snprintf(document + size, sizeof(document) - size,
					 "%s{\"product\":%" PRIu64 ",\"quantity\":%" PRIu32
					 ",\"price\":%" PRId64 ",\"name\":\"%s\"}",
					 index > 0 ? "," : "", line->product, line->quantity,
					 line->price, line->name);
	}
	size += (size_t)snprintf(document + size, sizeof(document) - size,
				 "],\"total\":%" PRId64 "}", meant.total);
	document_size = size;
}

static bool carts_equal(const struct cart *a, const struct cart *b)
{
	if (a->id != b->id || strcmp(a->currency, b->currency) != 0 || a->is_gift != b->is_gift ||
	    strcmp(a->note, b->note) != 0 || a->line_count != b->line_count || a->total != b->total)
		return false;
	for (uint32_t index = 0; index < a->line_count; index++) {
		const struct cart_line *one = &a->lines[index];
		const struct cart_line *other = &b->lines[index];

		if (one->product != other->product || one->quantity != other->quantity ||
		    one->price != other->price || strcmp(one->name, other->name) != 0)
			return false;
	}
	return true;
}

static void bind_once(struct cart *cart)
{
	static char copy[CART_DOCUMENT_SIZE_MAX];

	memcpy(copy, document, document_size);
	if (!cart_subject.bind(copy, document_size, cart))
		fail("does not bind the document");
}

static void write_once(const struct cart *cart, char *buffer)
{
	if (cart_subject.write(cart, buffer) == 0)
		fail("does not write the cart");
}

/* Both ways lead to where they came from, and what is wrong is refused. */
static void check(void)
{
	static char written[CART_DOCUMENT_SIZE_MAX];
	static char wrong[CART_DOCUMENT_SIZE_MAX];
	static struct cart bound;
	size_t size;
	char *quantity;

	bind_once(&bound);
	if (!carts_equal(&bound, &meant))
		fail("binds another cart");
	size = cart_subject.write(&meant, written);
	memset(&bound, 0, sizeof(bound));
	if (size == 0 || !cart_subject.bind(written, size, &bound) || !carts_equal(&bound, &meant))
		fail("does not read what it wrote");
	memcpy(wrong, document, document_size + 1);
	quantity = strstr(wrong, "\"quantity\":1") + strlen("\"quantity\":");
	*quantity = '0';
	if (cart_subject.bind(wrong, document_size, &bound))
		fail("does not check a limit");
}

static void measure(bool is_bind, double *ret_ns, double *ret_allocations)
{
	static struct cart cart;
	static char buffer[CART_DOCUMENT_SIZE_MAX];
	uint64_t count = 0;
	uint64_t allocations = cart_subject.allocations();
	uint64_t start = cpu_ns();
	uint64_t now;

	do {
		for (int index = 0; index < BATCH; index++) {
			if (is_bind)
				bind_once(&cart);
			else
				write_once(&meant, buffer);
		}
		count += BATCH;
		now = cpu_ns();
	} while (now - start < ROUND_NS);
	*ret_ns = (double)(now - start) / (double)count;
	*ret_allocations = (double)(cart_subject.allocations() - allocations) / (double)count;
}

int main(int argc, char **argv)
{
	unsigned long lines = argc > 1 ? strtoul(argv[1], NULL, 10) : 8;
	double ns[2];
	double allocations[2];

	if (lines < 1 || lines > CART_LINES_MAX)
		fail("the first argument is a number of lines from 1 to 20");
	make_cart((uint32_t)lines);
	make_document();
	check();
	for (int warm = 1; warm >= 0; warm--) {
		measure(true, &ns[0], &allocations[0]);
		measure(false, &ns[1], &allocations[1]);
	}
	printf("{\"document_size\": %zu, \"bind_ns\": %.1f, \"bind_allocations\": %.2f, "
	       "\"write_ns\": %.1f, \"write_allocations\": %.2f}\n",
	       document_size, ns[0], allocations[0], ns[1], allocations[1]);
	return 0;
}
