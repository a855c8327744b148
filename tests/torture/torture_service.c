/*
 * A service whose handlers take memory in every way there is, and which is told
 * from outside which take is to fail.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zerog.h>

#include "../integration/services/later.h"
#include "control.h"

#define PIECE_SIZE 64
#define PIECE_COUNT 64 /* more than an exchange's own memory holds */
#define LARGE_SIZE 40000 /* two of them do not fit one chunk */
#define LARGE_COUNT 3
#define GUEST_COUNT 3 /* blocks of a guest in one request */

static int hello(struct zg_exchange *x)
{
	return zg_reply_text(x, 200, "hello");
}

static int echo(struct zg_exchange *x)
{
	return zg_reply(x, 200, ZG_SLICE("application/octet-stream"), zg_request_body(x));
}

/* Small pieces until the exchange's own memory is used up, and on in a chunk. */
static int pieces(struct zg_exchange *x)
{
	for (int count = 0; count < PIECE_COUNT; count++) {
		void *memory;
		int result = zg_arena_alloc(zg_exchange_arena(x), PIECE_SIZE, &memory);

		if (result < 0)
			return result;
		memset(memory, 'p', PIECE_SIZE);
	}
	return zg_reply_text(x, 200, "pieces");
}

/* One chunk after the other; what was written into the first is still there at the end. */
static int chunks(struct zg_exchange *x)
{
	char *first = NULL;

	for (int count = 0; count < LARGE_COUNT; count++) {
		void *memory;
		int result = zg_arena_alloc(zg_exchange_arena(x), LARGE_SIZE, &memory);

		if (result < 0)
			return result;
		memset(memory, 'a' + count, LARGE_SIZE);
		if (first == NULL)
			first = memory;
	}
	return zg_reply(x, 200, ZG_SLICE("text/plain"), (struct zg_slice){first, LARGE_SIZE});
}

/* A body that is copied, because it goes away; and fields that outgrow their first place. */
static int copy(struct zg_exchange *x)
{
	char body[4000];
	char value[500];

	memset(body, 'c', sizeof(body));
	memset(value, 'v', sizeof(value));
	for (int count = 0; count < 5; count++) {
		int result = zg_reply_field(x, ZG_SLICE("X-Value"),
					    (struct zg_slice){value, sizeof(value)});

		if (result < 0)
			return result;
	}
	return zg_reply_copy(x, 200, ZG_SLICE("text/plain"), (struct zg_slice){body, sizeof(body)});
}

/* A scratch that leaves the stack. */
static int spill(struct zg_exchange *x)
{
	ZG_SCRATCH(line, 64, zg_exchange_arena(x));
	int result = zg_scratch_reserve(&line, LARGE_SIZE);

	if (result < 0)
		return result;
	memset(line.data, 's', LARGE_SIZE);
	return zg_reply(x, 200, ZG_SLICE("text/plain"),
			(struct zg_slice){(const char *)line.data, LARGE_SIZE});
}

/* Guests: the C library allocates for itself, and says so when it may not. */
static int guests(struct zg_exchange *x)
{
	char *copies[GUEST_COUNT];
	int count = 0;
	bool is_whole;

	while (count < GUEST_COUNT && (copies[count] = strdup("of the guest heap")) != NULL)
		count++;
	is_whole = count == GUEST_COUNT;
	while (count > 0)
		free(copies[--count]); /* NOLINT */
	return is_whole ? zg_reply_text(x, 200, "guests") : -ENOMEM;
}

static int resumed(struct zg_exchange *x, void *user)
{
	(void)user;
	return chunks(x);
}

/* Takes before it waits, and after it was resumed. */
static int wait_and_take(struct zg_exchange *x)
{
	void *memory;
	int result = zg_arena_alloc(zg_exchange_arena(x), LARGE_SIZE, &memory);

	if (result < 0)
		return result;
	result = later_resume(zg_exchange_handle(x), 2, resumed);
	return result < 0 ? result : ZG_PENDING;
}

int main(int argc, char **argv)
{
	struct zg_app app;

	later_start();
	control_start();
	zg_app_init(&app, "torture_service");
	zg_get(&app, "/", hello);
	zg_post(&app, "/echo", echo);
	zg_get(&app, "/pieces", pieces);
	zg_get(&app, "/chunks", chunks);
	zg_get(&app, "/copy", copy);
	zg_get(&app, "/spill", spill);
	zg_get(&app, "/guests", guests);
	zg_get(&app, "/wait", wait_and_take);
	zg_admin_routes(&app);
	return zg_app_main(&app, argc, argv);
}
