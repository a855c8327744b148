/*
 * The ring of one shard. The counts only ever grow, so that full and empty are told
 * apart; each is written by one side, and read by the other before it touches an entry.
 */
#include "web/access.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/counter.h"
#include "web/exchange.h"

static_assert(sizeof(struct zgi_access_entry) == 256, "four lines, and no share of a fifth");

void zgi_access_ring_init(struct zgi_access_ring *ring, struct zgi_access_entry *entries,
			  uint32_t entry_count)
{
	zg_assert((entries == NULL) == (entry_count == 0));
	zg_assert((entry_count & (entry_count - 1)) == 0);
	*ring = (struct zgi_access_ring){.entries = entries, .entry_count = entry_count};
}

static uint64_t access_unix_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The query is left out: it is where tokens and card numbers end up by mistake. */
static void access_fill(struct zgi_access_entry *entry, const struct zg_exchange *x)
{
	struct zg_slice path = zg_request_path(x);

	entry->unix_ms = access_unix_ms();
	entry->sent_size = x->write_size - x->reply_offset + x->reply_body.size;
	entry->status = x->reply_status;
	entry->method = x->request.method;
	entry->is_path_cut = path.size > ZGI_ACCESS_PATH_SIZE;
	if (entry->is_path_cut)
		path.size = ZGI_ACCESS_PATH_SIZE;
	entry->path_size = (uint16_t)path.size;
	memcpy(entry->path, path.data, path.size);
}

void zgi_access_put(struct zgi_access_ring *ring, const struct zg_exchange *x)
{
	uint64_t taken_count = __atomic_load_n(&ring->taken_count, __ATOMIC_ACQUIRE);

	if (ring->put_count - taken_count == ring->entry_count) {
		zgi_counter_add(&ring->dropped_count, 1);
		return;
	}
	access_fill(&ring->entries[ring->put_count & (ring->entry_count - 1)], x);
	__atomic_store_n(&ring->put_count, ring->put_count + 1, __ATOMIC_RELEASE);
}

bool zgi_access_take(struct zgi_access_ring *ring, struct zgi_access_entry *ret_entry)
{
	uint64_t put_count = __atomic_load_n(&ring->put_count, __ATOMIC_ACQUIRE);

	if (ring->taken_count == put_count)
		return false;
	*ret_entry = ring->entries[ring->taken_count & (ring->entry_count - 1)];
	__atomic_store_n(&ring->taken_count, ring->taken_count + 1, __ATOMIC_RELEASE);
	return true;
}
