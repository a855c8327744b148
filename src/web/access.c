/*
 * The ring is bounded and has one thread at each end, so that two positions are all
 * there is to it (Lamport's queue). Each end keeps off the line that the other writes.
 */
#include "web/access.h"

#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/counter.h"
#include "web/exchange.h"

uint64_t zgi_access_record_count(uint64_t count)
{
	uint64_t records = 1;

	while (records < count)
		records *= 2;
	return records;
}

void zgi_access_ring_init(struct zgi_access_ring *ring, struct zgi_access_record *records,
			  uint64_t record_count)
{
	zg_assert(record_count > 0 && (record_count & (record_count - 1)) == 0);
	*ring = (struct zgi_access_ring){.records = records, .mask = record_count - 1};
}

struct zgi_access_record *zgi_access_ring_reserve(struct zgi_access_ring *ring)
{
	/* The writer's line is looked at only when the ring seems full. */
	if (ring->put_position - ring->take_position_seen > ring->mask) {
		ring->take_position_seen = __atomic_load_n(&ring->take_position, __ATOMIC_ACQUIRE);
		if (ring->put_position - ring->take_position_seen > ring->mask) {
			zgi_counter_add(&ring->dropped, 1);
			return NULL;
		}
	}
	return &ring->records[ring->put_position & ring->mask];
}

void zgi_access_ring_publish(struct zgi_access_ring *ring)
{
	__atomic_store_n(&ring->put_position, ring->put_position + 1, __ATOMIC_RELEASE);
}

const struct zgi_access_record *zgi_access_ring_oldest(struct zgi_access_ring *ring)
{
	if (ring->take_position == __atomic_load_n(&ring->put_position, __ATOMIC_ACQUIRE))
		return NULL;
	return &ring->records[ring->take_position & ring->mask];
}

void zgi_access_ring_taken(struct zgi_access_ring *ring)
{
	__atomic_store_n(&ring->take_position, ring->take_position + 1, __ATOMIC_RELEASE);
}

static uint64_t access_now_ns(void)
{
	struct timespec now;

	/* As of the kernel's last tick: the log has milliseconds. */
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void access_path_copy(struct zgi_access_record *record, struct zg_slice path)
{
	size_t size = path.size < ZGI_ACCESS_PATH_SIZE ? path.size : ZGI_ACCESS_PATH_SIZE;

	if (size > 0)
		memcpy(record->path, path.data, size);
	record->path_size = (uint8_t)size;
	record->is_cut = path.size > size;
}

static_assert(ZGI_ACCESS_PATH_SIZE <= UINT8_MAX, "path_size holds it");

void zgi_access_note(struct zg_exchange *x, uint64_t size, uint64_t duration_ns)
{
	struct zgi_access_ring *ring = x->web->access_ring;
	struct zgi_access_record *record = zgi_access_ring_reserve(ring);
	struct zg_slice path = {NULL, 0};

	if (record == NULL)
		return;
	record->time_ns = access_now_ns();
	record->duration_ns = duration_ns;
	record->size = size;
	record->status = x->reply_status;
	record->method = ZG_METHOD_COUNT;
	record->minor_version = 1;
	if (duration_ns > 0) {
		record->method = x->request.method;
		record->minor_version = x->request.minor_version;
		path = zg_request_path(x);
	}
	access_path_copy(record, path);
	zgi_access_ring_publish(ring);
}
