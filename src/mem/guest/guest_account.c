/*
 * Accounts: who of the guest heap's users has how much.
 *
 * An account counts bytes as they may be used, not as they were asked for: that is
 * what a block tells of itself when it comes back, and what its library takes from
 * the others.
 */
#include <zerog/guest_heap.h>

#include <errno.h>

#include "base/assert.h"
#include "mem/watch/fault.h"
#include "mem/watch/registry.h"

#define ACCOUNT_MAGIC UINT32_C(0x74636361)

static struct zg_guest_account *account_of(void *opaque)
{
	struct zg_guest_account *account = opaque;

	zg_assert(account != NULL && account->magic == ACCOUNT_MAGIC);
	return account;
}

static uint64_t account_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void account_measure(const struct zg_watched *watched, struct zg_usage *ret_usage)
{
	const struct zg_guest_account *account =
		ZGI_WATCHED_OWNER(watched, struct zg_guest_account, watched);

	ret_usage->name = account->name;
	ret_usage->live_count = account_read(&account->live_count);
	ret_usage->live_size = account_read(&account->live_size);
	/* What it holds and what is reserved for it is told by the heap. */
}

static void account_arm(struct zg_watched *watched, bool is_armed)
{
	struct zg_guest_account *account =
		ZGI_WATCHED_OWNER_MUTABLE(watched, struct zg_guest_account, watched);

	__atomic_store_n(&account->is_armed, is_armed, __ATOMIC_RELAXED);
}

static const struct zgi_watch_class account_class = {
	.kind = "guest account", .measure = account_measure, .arm = account_arm};

/* Is it not to fail on purpose? */
static bool account_may_take(const struct zg_guest_account *account)
{
	return !__atomic_load_n(&account->is_armed, __ATOMIC_RELAXED) ||
	       !zgi_fault_is_due(account->name);
}

void zg_guest_account_init(struct zg_guest_account *account, const char *name, uint64_t limit_size)
{
	zg_assert(name != NULL);
	*account = (struct zg_guest_account){
		.magic = ACCOUNT_MAGIC, .name = name, .limit_size = limit_size};
	zgi_watch_add(&account->watched, &account_class);
}

int zg_guest_account_fini(struct zg_guest_account *account)
{
	if (account->magic == 0)
		return 0;
	(void)account_of(account);
	if (account_read(&account->live_count) > 0)
		return -EBUSY;
	zgi_watch_remove(&account->watched);
	*account = (struct zg_guest_account){0};
	return 0;
}

void zg_guest_account_counts(const struct zg_guest_account *account,
			     struct zg_guest_counts *ret_counts)
{
	zg_assert(account->magic == ACCOUNT_MAGIC);
	*ret_counts = (struct zg_guest_counts){
		.size = account->limit_size,
		.live_count = account_read(&account->live_count),
		.live_size = account_read(&account->live_size),
		.live_size_peak = account_read(&account->live_size_peak),
		.held_size = account_read(&account->live_size),
		.malloc_count = account_read(&account->malloc_count),
		.fail_count = account_read(&account->fail_count),
	};
}

/* Take so many bytes out of what the account may still have. */
static bool account_charge(struct zg_guest_account *account, uint64_t size)
{
	uint64_t live = account_read(&account->live_size);
	uint64_t peak;

	do {
		if (size > account->limit_size || live > account->limit_size - size)
			return false;
	} while (!__atomic_compare_exchange_n(&account->live_size, &live, live + size, true,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	peak = account_read(&account->live_size_peak);
	while (live + size > peak &&
	       !__atomic_compare_exchange_n(&account->live_size_peak, &peak, live + size, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		continue;
	return true;
}

static void account_credit(struct zg_guest_account *account, uint64_t size)
{
	__atomic_fetch_sub(&account->live_size, size, __ATOMIC_RELAXED);
}

static void *account_fail(struct zg_guest_account *account)
{
	__atomic_fetch_add(&account->fail_count, 1, __ATOMIC_RELAXED);
	errno = ENOMEM;
	return NULL;
}

/* A block that the heap gave, or did not: the account has to have room for it as well. */
static void *account_taken(struct zg_guest_account *account, void *memory)
{
	if (memory != NULL && !account_charge(account, zg_guest_usable_size(memory))) {
		zg_guest_free(memory);
		memory = NULL;
	}
	if (memory == NULL)
		return account_fail(account);
	__atomic_fetch_add(&account->malloc_count, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&account->live_count, 1, __ATOMIC_RELAXED);
	return memory;
}

void *zg_guest_account_malloc(void *account, size_t size)
{
	if (!account_may_take(account_of(account)))
		return account_fail(account);
	return account_taken(account, zg_guest_malloc(size));
}

void *zg_guest_account_calloc(void *account, size_t count, size_t size)
{
	if (!account_may_take(account_of(account)))
		return account_fail(account);
	return account_taken(account, zg_guest_calloc(count, size));
}

void *zg_guest_account_realloc(void *opaque, void *memory, size_t size)
{
	struct zg_guest_account *account = account_of(opaque);
	size_t before = zg_guest_usable_size(memory);
	void *moved;

	if (memory == NULL)
		return zg_guest_account_malloc(account, size);
	if (!account_may_take(account))
		return account_fail(account);
	/* What it grows by is charged first, so that the old block is still there when it may not.
	 */
	if (size > before && !account_charge(account, size - before))
		return account_fail(account);
	moved = zg_guest_realloc(memory, size);
	if (moved == NULL) {
		account_credit(account, size > before ? size - before : 0);
		return account_fail(account);
	}

	/* The new block is a little larger than asked for: that much a limit may be passed by. */
	uint64_t charged = size > before ? size : before;
	uint64_t after = zg_guest_usable_size(moved);

	__atomic_fetch_add(&account->live_size, after - charged, __ATOMIC_RELAXED);
	return moved;
}

void zg_guest_account_free(void *opaque, void *memory)
{
	struct zg_guest_account *account = account_of(opaque);

	if (memory == NULL)
		return;
	account_credit(account, zg_guest_usable_size(memory));
	__atomic_fetch_sub(&account->live_count, 1, __ATOMIC_RELAXED);
	zg_guest_free(memory);
}

void *zg_guest_account_zalloc(void *account, unsigned count, unsigned size)
{
	return zg_guest_account_calloc(account, count, size);
}

void *zg_guest_account_malloc_last(size_t size, void *account)
{
	return zg_guest_account_malloc(account, size);
}

void *zg_guest_account_calloc_last(size_t count, size_t size, void *account)
{
	return zg_guest_account_calloc(account, count, size);
}

void *zg_guest_account_realloc_last(void *memory, size_t size, void *account)
{
	return zg_guest_account_realloc(account, memory, size);
}

void zg_guest_account_free_last(void *memory, void *account)
{
	zg_guest_account_free(account, memory);
}
