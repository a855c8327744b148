/*
 * Imports: a CSV file of any length becomes commands as it comes in.
 *
 *	client ─► piece ─► one row ─► slot ─► store ... durable ─► imports_row_done()
 *	             ▲                                                    │
 *	             └──────────── half of the slots are back ◄───────────┘
 *
 * An import has few rows under way at once, and all imports together no more than a share of the
 * slots, so that customers always find one. When no further row may be handed on, the piece stays
 * where it is and nothing more is received: the client waits, the kernel's window holds it back.
 *
 * A body that breaks off leaves the rows that were handed on by then: each is a change of its own.
 * What waits for them is in the exchange's arena; when that goes, those still under way forget it.
 */
#include "service/service.h"

#include <errno.h>
#include <string.h>

#include "catalog/import.h"

#define IMPORT_SIZE_MAX (UINT64_C(64) << 20) /* bytes of a file */
#define IMPORT_ROWS_MAX 64 /* of an import, under way at once */
#define IMPORT_SLOTS_SHARE 4 /* all imports together have a quarter of the slots */
#define IMPORT_AGAIN_MS 5 /* when nothing of ours is under way that would wake us */

struct import_run;

/* One row under way. */
struct import_row {
	struct import_run *run; /* borrowed */
	struct service_slot *slot; /* NULL: the place is free */
	uint64_t number;
	uint64_t line;
};

struct import_run {
	struct shop_import import;
	struct import_row rows[IMPORT_ROWS_MAX];
	uint32_t row_count; /* under way */
	bool is_held; /* a row waits in `held` until it may be handed on */
	bool is_waiting; /* to be resumed */
	bool is_last; /* the piece is the body's last one */
	bool is_finished; /* the file has been read to its end */
	bool has_timer;
	int error; /* of the store; a negative errno */
	struct shop_product_put held;
	uint64_t held_number;
	uint64_t held_line;
	struct zg_slice left; /* of the piece; borrowed */
	zg_handle handle; /* of the exchange */
	zg_timer timer;
};

static uint32_t imports_row_count; /* under way, of all imports and of those that are gone */

static int imports_resumed(struct zg_exchange *x, void *user);

static void imports_timer(struct zg_shard *shard, void *user);

static int imports_try_again(struct import_run *run)
{
	const struct zg_timer_options again = {
		.after_ms = IMPORT_AGAIN_MS,
		.handler = imports_timer,
		.user = run,
	};
	int result = run->has_timer ? 0 : zg_timer_start(service.shard, &again, &run->timer);

	if (result == 0)
		run->has_timer = true;
	return result;
}

static void imports_wake(struct import_run *run)
{
	if (zg_resume(run->handle, imports_resumed, run) == 0)
		run->is_waiting = false;
	else if (run->row_count == 0)
		(void)imports_try_again(run); /* the shard's inbox is full */
}

static void imports_timer(struct zg_shard *shard, void *user)
{
	struct import_run *run = user;

	(void)shard;
	run->has_timer = false;
	if (run->is_waiting)
		imports_wake(run);
}

static void imports_row_done(struct service_slot *slot)
{
	struct import_row *row = slot->user;
	uint16_t result = slot->command.outcome.result;
	const struct shop_import_error refused = {
		.row = row != NULL ? row->number : 0,
		.line = row != NULL ? row->line : 0,
		.text = shop_reason_text(slot->command.outcome.reason),
	};
	int error = slot->error;

	imports_row_count--;
	service_slot_give(slot);
	if (row == NULL)
		return;
	row->slot = NULL;
	row->run->row_count--;
	if (error < 0)
		row->run->error = error;
	else if (result != SHOP_OK)
		shop_import_refuse(&row->run->import, &refused);
	/* Not for each of them: going on is worth its while when there is room for several. */
	if (row->run->is_waiting && row->run->row_count <= IMPORT_ROWS_MAX / 2 &&
	    (row->run->row_count == 0 || !row->run->is_finished))
		imports_wake(row->run);
}

static bool imports_has_room(const struct import_run *run)
{
	uint32_t share = service.slot_count / IMPORT_SLOTS_SHARE;

	return run->row_count < IMPORT_ROWS_MAX && imports_row_count < share;
}

/* Return: 0; -EAGAIN when it has to wait; another errno of the store. */
static int imports_submit(struct import_run *run, const struct shop_product_put *put)
{
	struct import_row *row = run->rows;
	int result;

	if (!imports_has_room(run))
		return -EAGAIN;
	while (row->slot != NULL)
		row++;
	if (service_slot_take(&row->slot) < 0) {
		row->slot = NULL;
		return -EAGAIN;
	}
	row->number = run->held_number;
	row->line = run->held_line;
	row->run = run;
	row->slot->command.type = SHOP_PRODUCT_PUT;
	row->slot->command.request.product_put = *put;
	row->slot->done = imports_row_done;
	row->slot->user = row;
	run->row_count++;
	imports_row_count++;
	result = service_submit_apart(row->slot);
	if (result == 0)
		return 0;
	service_slot_give(row->slot);
	row->slot = NULL;
	run->row_count--;
	imports_row_count--;
	return result;
}

/* The import's sink. It is fed a line at a time, so no row comes while one is held. */
static int imports_take(void *user, const struct shop_product_put *put,
			enum shop_reason *ret_reason)
{
	struct import_run *run = user;
	int result;

	(void)ret_reason;
	run->held_number = run->import.sink_row;
	run->held_line = run->import.sink_line;
	result = imports_submit(run, put);
	if (result != -EAGAIN)
		return result;
	run->held = *put;
	run->is_held = true;
	return 0;
}

/* Hand on what there is, until it may not go on. Return: 0; -EAGAIN; an errno of the store. */
static int imports_go_on(struct import_run *run)
{
	int result = run->error;

	while (result == 0) {
		const char *end;
		struct zg_slice line = run->left;

		if (run->is_held) {
			result = imports_submit(run, &run->held);
			run->is_held = result != 0;
			continue;
		}
		if (line.size == 0)
			break;
		end = memchr(line.data, '\n', line.size);
		if (end != NULL)
			line.size = (size_t)(end + 1 - line.data);
		run->left.data += line.size;
		run->left.size -= line.size;
		result = shop_import_feed(&run->import, line);
	}
	if (result < 0 || !run->is_last)
		return result;
	if (!run->is_finished) {
		run->is_finished = true;
		result = shop_import_finish(&run->import);
		/* Bad rows are in the answer; the last row may be held. */
		if (result == -EBADMSG)
			result = 0;
	}
	return result == 0 && (run->is_held || run->row_count > 0) ? -EAGAIN : result;
}

static void imports_write(struct zg_json_writer *writer, const struct shop_import *import)
{
	zg_json_key(writer, ZG_SLICE("imported"));
	zg_json_u64(writer, import->good_count - import->refused_count);
	zg_json_key(writer, ZG_SLICE("errors"));
	zg_json_array_begin(writer);
	for (uint64_t index = 0; index < import->error_count && index < SHOP_IMPORT_ERRORS_MAX;
	     index++) {
		const struct shop_import_error *error = &import->errors[index];

		zg_json_object_begin(writer);
		zg_json_key(writer, ZG_SLICE("row"));
		zg_json_u64(writer, error->row);
		zg_json_key(writer, ZG_SLICE("line"));
		zg_json_u64(writer, error->line);
		zg_json_key(writer, ZG_SLICE("column"));
		if (error->column == NULL)
			zg_json_null(writer);
		else
			zg_json_text(writer, error->column);
		zg_json_key(writer, ZG_SLICE("detail"));
		zg_json_text(writer, error->text);
		zg_json_object_end(writer);
	}
	zg_json_array_end(writer);
	zg_json_key(writer, ZG_SLICE("error_count"));
	zg_json_u64(writer, import->error_count);
}

static int imports_reply(struct zg_exchange *x, struct import_run *run)
{
	struct zg_json_writer writer;

	zg_reply_json_open(x, &writer);
	zg_json_object_begin(&writer);
	imports_write(&writer, &run->import);
	zg_json_object_end(&writer);
	return zg_reply_json_close(x, 200, &writer);
}

/* Until rows are done; or, when others have all the slots, for a moment. */
static int imports_wait(struct import_run *run)
{
	run->is_waiting = true;
	if (run->row_count == 0 && imports_try_again(run) < 0)
		return -ENOMEM;
	return ZG_PENDING;
}

static int imports_continue(struct zg_exchange *x, struct import_run *run)
{
	int result = imports_go_on(run);

	if (result == -EAGAIN)
		return imports_wait(run);
	if (result < 0)
		return problem_reply(x, 500, "store_failed",
				     "The shop cannot keep anything at the moment; rows that were "
				     "taken before may be there.");
	return run->is_finished ? imports_reply(x, run) : 0;
}

static int imports_resumed(struct zg_exchange *x, void *user)
{
	return imports_continue(x, user);
}

static int imports_piece(struct zg_exchange *x, const struct zg_piece *piece, void *user)
{
	struct import_run *run = user;

	run->left = piece->bytes;
	run->is_last = piece->is_last;
	return imports_continue(x, run);
}

/* The request is over, be it that its client has gone: rows under way go on by themselves. */
static void imports_forget(void *user)
{
	struct import_run *run = user;

	for (uint32_t index = 0; index < IMPORT_ROWS_MAX; index++)
		if (run->rows[index].slot != NULL)
			run->rows[index].slot->user = NULL;
	if (run->has_timer)
		(void)zg_timer_stop(service.shard, run->timer);
}

static bool imports_is_csv(struct zg_exchange *x)
{
	static const char type[] = "text/csv";
	struct zg_slice value;

	if (zg_request_field(x, ZG_SLICE("Content-Type"), &value) < 0 ||
	    value.size < sizeof(type) - 1)
		return false;
	if (value.size > sizeof(type) - 1 && value.data[sizeof(type) - 1] != ';' &&
	    value.data[sizeof(type) - 1] != ' ')
		return false;
	value.size = sizeof(type) - 1;
	return zg_slice_equals_nocase(value, ZG_SLICE("text/csv"));
}

static int import_post(struct zg_exchange *x)
{
	struct zg_arena *arena = zg_exchange_arena(x);
	struct import_run *run;
	void *memory;
	int result = zg_require_api_key(x);

	if (result != 0)
		return result;
	if (!imports_is_csv(x))
		return problem_reply(x, 415, "media_type",
				     "Send a CSV file, with Content-Type: text/csv.");
	if (zg_arena_alloc_zeroed(arena, 1, sizeof(*run), &memory) < 0 ||
	    zg_arena_on_reset(arena, imports_forget, memory) < 0)
		return problem_busy(x);
	run = memory;
	run->handle = zg_exchange_handle(x);
	shop_import_init(&run->import,
			 &(struct shop_import_options){
				 .policy = SHOP_IMPORT_EACH,
				 .currency = shop_currency_of(service.shop_options.currency),
				 .sink = imports_take,
				 .user = run,
			 });
	return zg_body_read(x, imports_piece, run);
}

void imports_routes(struct zg_app *app)
{
	zg_route_streamed(app, ZG_METHOD_POST, "/admin/import", import_post, IMPORT_SIZE_MAX);
}
