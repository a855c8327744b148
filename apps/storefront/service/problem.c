/*
 * Problems: what a client did wrong or cannot have now, as RFC 9457 has it, with a word in `code`
 * that programs know it by and a sentence that says what to change.
 */
#include "service/service.h"

#include <stdio.h>
#include <string.h>

static void problem_begin(struct zg_json_writer *writer, int status, const char *code,
			  const char *detail)
{
	zg_json_object_begin(writer);
	zg_json_key(writer, ZG_SLICE("status"));
	zg_json_u64(writer, (uint64_t)status);
	zg_json_key(writer, ZG_SLICE("code"));
	zg_json_text(writer, code);
	zg_json_key(writer, ZG_SLICE("detail"));
	zg_json_text(writer, detail);
}

static int problem_end(struct zg_exchange *x, int status, struct zg_json_writer *writer)
{
	struct zg_slice json;
	int result;

	zg_json_object_end(writer);
	result = zg_json_writer_finish(writer, &json);
	if (result < 0)
		return result;
	return zg_reply_copy(x, status, ZG_SLICE("application/problem+json"), json);
}

int problem_reply(struct zg_exchange *x, int status, const char *code, const char *detail)
{
	struct zg_json_writer writer;
	char buffer[512];

	zg_json_writer_init(&writer, buffer, sizeof(buffer), zg_exchange_arena(x));
	problem_begin(&writer, status, code, detail);
	return problem_end(x, status, &writer);
}

int problem_busy(struct zg_exchange *x)
{
	int result = zg_reply_field(x, ZG_SLICE("Retry-After"), ZG_SLICE("1"));

	if (result < 0)
		return result;
	return problem_reply(x, 503, "busy",
			     "As many changes as the shop takes at once are under way; nothing was "
			     "done. Ask again in a second.");
}

int problem_not_found(struct zg_exchange *x, const char *what)
{
	return problem_reply(x, 404, "not_found", what);
}

static int problem_status(uint16_t result)
{
	static const int statuses[] = {
		[SHOP_OK] = 200,       [SHOP_PENDING] = 202,   [SHOP_DECLINED] = 402,
		[SHOP_INVALID] = 422,  [SHOP_NOT_FOUND] = 404, [SHOP_GONE] = 410,
		[SHOP_CONFLICT] = 409, [SHOP_LIMIT] = 409,     [SHOP_FULL] = 503,
	};

	return result < sizeof(statuses) / sizeof(statuses[0]) ? statuses[result] : 500;
}

/* The field of a request that a reason is about; "" when it is about none. */
static const char *problem_field(uint16_t reason)
{
	switch (reason) {
	case SHOP_REASON_CARD_NUMBER:
		return "card.number";
	case SHOP_REASON_CARD_EXPIRY:
		return "card.month";
	case SHOP_REASON_CARD_CHECK_CODE:
		return "card.code";
	case SHOP_REASON_QUANTITY:
		return "quantity";
	case SHOP_REASON_CODE:
		return "code";
	case SHOP_REASON_EMAIL:
		return "email";
	case SHOP_REASON_AMOUNT:
		return "amount_minor";
	default:
		return "";
	}
}

/* Names that the pages and their programs know, where the shop's own differ. */
static const char *problem_code(uint16_t reason)
{
	switch (reason) {
	case SHOP_REASON_PRICES_CHANGED:
		return "price_changed";
	case SHOP_REASON_KEY_REUSED:
		return "idempotency_conflict";
	case SHOP_REASON_CODE:
		return "unknown_code";
	default:
		return shop_reason_name(reason);
	}
}

int problem_outcome(struct zg_exchange *x, const struct shop_outcome *outcome)
{
	int status = problem_status(outcome->result);
	const char *field = problem_field(outcome->reason);
	struct zg_json_writer writer;
	char buffer[512];
	char seconds[16];
	int size;

	if (outcome->retry_after_s > 0) {
		size = snprintf(seconds, sizeof(seconds), "%u", outcome->retry_after_s);
		if (zg_reply_field(x, ZG_SLICE("Retry-After"),
				   (struct zg_slice){seconds, (size_t)size}) < 0)
			return problem_busy(x);
	}
	zg_json_writer_init(&writer, buffer, sizeof(buffer), zg_exchange_arena(x));
	problem_begin(&writer, status, problem_code(outcome->reason),
		      shop_reason_text(outcome->reason));
	if (*field != '\0') {
		zg_json_key(&writer, ZG_SLICE("field"));
		zg_json_text(&writer, field);
	}
	if (outcome->limit > 0) {
		zg_json_key(&writer, ZG_SLICE("limit"));
		zg_json_u64(&writer, outcome->limit);
	}
	return problem_end(x, status, &writer);
}
