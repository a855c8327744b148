/*
 * The audit: does all that the shop holds add up, and to what? For whoever looks after the shop,
 * and for the tests that end the process in the middle of everything.
 */
#include "service/service.h"

static void member_u64(struct zg_json_writer *writer, struct zg_slice name, uint64_t value)
{
	zg_json_key(writer, name);
	zg_json_u64(writer, value);
}

static void member_i64(struct zg_json_writer *writer, struct zg_slice name, int64_t value)
{
	zg_json_key(writer, name);
	zg_json_i64(writer, value);
}

static void totals_write(struct zg_json_writer *writer, const struct shop_totals *totals)
{
	member_i64(writer, ZG_SLICE("captured_minor"), totals->captured);
	member_i64(writer, ZG_SLICE("refunded_minor"), totals->refunded);
	member_u64(writer, ZG_SLICE("authorized"), totals->authorized_count);
	member_u64(writer, ZG_SLICE("declined"), totals->declined_count);
	member_u64(writer, ZG_SLICE("captured"), totals->captured_count);
	member_u64(writer, ZG_SLICE("voided"), totals->voided_count);
	member_u64(writer, ZG_SLICE("refunded"), totals->refunded_count);
	member_u64(writer, ZG_SLICE("orders_paid"), totals->orders_paid_count);
	member_u64(writer, ZG_SLICE("retired"), totals->retired_count);
}

static void stock_write(struct zg_json_writer *writer, struct shop_catalog *catalog)
{
	uint64_t supplied = 0;
	uint64_t available = 0;
	uint64_t reserved = 0;
	uint64_t sold = 0;

	for (uint64_t id = 1; id <= catalog->products.count; id++) {
		const struct shop_product *product = shop_catalog_product(catalog, id);

		supplied += product->supplied;
		available += product->available;
		reserved += product->reserved;
		sold += product->sold;
	}
	zg_json_key(writer, ZG_SLICE("stock"));
	zg_json_object_begin(writer);
	member_u64(writer, ZG_SLICE("supplied"), supplied);
	member_u64(writer, ZG_SLICE("available"), available);
	member_u64(writer, ZG_SLICE("reserved"), reserved);
	member_u64(writer, ZG_SLICE("sold"), sold);
	zg_json_object_end(writer);
}

static void held_write(struct zg_json_writer *writer, const struct shop *shop)
{
	member_u64(writer, ZG_SLICE("products"), shop->catalog.products.count);
	member_u64(writer, ZG_SLICE("carts"), shop->carts.count);
	member_u64(writer, ZG_SLICE("orders"), shop->orders.count);
	member_u64(writer, ZG_SLICE("payments"), shop->payments.count);
	member_u64(writer, ZG_SLICE("transactions"), shop->transactions.count);
	member_u64(writer, ZG_SLICE("keys"), shop->keys.count);
}

/* What the journal found at boot, and has done since. */
static void journal_write(struct zg_json_writer *writer)
{
	struct zg_journal_stats stats;

	if (service.store != &service.journal.store)
		return;
	zg_journal_read_stats(&service.journal.journal, &stats);
	zg_json_key(writer, ZG_SLICE("journal"));
	zg_json_object_begin(writer);
	member_u64(writer, ZG_SLICE("recovered_slices"), service.recovery.slice_count);
	member_u64(writer, ZG_SLICE("recovered_records"), service.recovery.record_count);
	member_u64(writer, ZG_SLICE("recovery_us"), service.recovery.duration_ns / 1000);
	member_u64(writer, ZG_SLICE("torn_bytes"), service.recovery.torn_size);
	member_u64(writer, ZG_SLICE("records"), stats.records);
	member_u64(writer, ZG_SLICE("record_bytes"), stats.bytes);
	member_u64(writer, ZG_SLICE("commits"), stats.commits);
	member_u64(writer, ZG_SLICE("snapshots"), stats.snapshots);
	zg_json_object_end(writer);
}

static int audit_get(struct zg_exchange *x)
{
	struct zg_json_writer writer;
	struct zg_text error;
	char buffer[256];
	int result = zg_require_api_key_unless_local(x);

	if (result != 0)
		return result;
	zg_text_init(&error, buffer, sizeof(buffer));
	if (shop_audit(&service.shop, &error) < 0)
		return problem_reply(x, 500, "audit_failed", error.data);
	zg_reply_json_open(x, &writer);
	zg_json_object_begin(&writer);
	totals_write(&writer, &service.shop.totals);
	held_write(&writer, &service.shop);
	stock_write(&writer, &service.shop.catalog);
	member_u64(&writer, ZG_SLICE("abandoned"), service.abandoned_count);
	journal_write(&writer);
	zg_json_object_end(&writer);
	return zg_reply_json_close(x, 200, &writer);
}

void audit_routes(struct zg_app *app)
{
	zg_get(app, "/admin/audit", audit_get);
}
