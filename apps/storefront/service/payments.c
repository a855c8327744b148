/*
 * Payments: asked for as JSON or as a binary record, with an idempotency key; captured, voided and
 * refunded by who has an API key.
 */
#include "service/service.h"

#include <string.h>

#define PAYMENT_TYPE "application/x-zerog-payment"

/* The binary answer: 64 bytes, little endian. */
struct payment_answer {
	uint32_t magic; /* "ZGPA" */
	uint16_t version; /* 1 */
	uint16_t status; /* as HTTP's */
	uint64_t payment_id; /* 0: none */
	int64_t amount; /* minor units */
	uint32_t state; /* enum shop_payment_state */
	uint16_t result; /* enum shop_result */
	uint16_t reason; /* enum shop_reason */
	uint32_t retry_after_s;
	uint8_t reserved[28];
};

ZG_STATIC_ASSERT(sizeof(struct payment_answer) == 64, "the answer's size is its contract");

#define PAYMENT_ANSWER_MAGIC UINT32_C(0x4150475a)

void payment_write(struct zg_json_writer *writer, const struct shop_payment *payment)
{
	char number[4];

	memcpy(number, payment->card.last_four, sizeof(number));
	zg_json_object_begin(writer);
	zg_json_key(writer, ZG_SLICE("id"));
	zg_json_u64(writer, payment->object.id);
	zg_json_key(writer, ZG_SLICE("order"));
	zg_json_u64(writer, payment->order_id);
	zg_json_key(writer, ZG_SLICE("state"));
	zg_json_text(writer, payment->state == SHOP_PAYMENT_AUTHORIZING
				     ? "pending"
				     : shop_payment_state_name(payment->state));
	zg_json_key(writer, ZG_SLICE("amount_minor"));
	zg_json_i64(writer, payment->amount);
	zg_json_key(writer, ZG_SLICE("captured_minor"));
	zg_json_i64(writer, payment->captured);
	zg_json_key(writer, ZG_SLICE("refunded_minor"));
	zg_json_i64(writer, payment->refunded);
	zg_json_key(writer, ZG_SLICE("currency"));
	zg_json_string(writer, service_currency());
	zg_json_key(writer, ZG_SLICE("brand"));
	zg_json_text(writer, shop_card_brand_name(payment->card.brand));
	zg_json_key(writer, ZG_SLICE("last_four"));
	zg_json_string(writer, (struct zg_slice){number, sizeof(number)});
	zg_json_key(writer, ZG_SLICE("decline_reason"));
	if (payment->reason == SHOP_REASON_NONE)
		zg_json_null(writer);
	else
		zg_json_text(writer, shop_reason_name(payment->reason));
	zg_json_key(writer, ZG_SLICE("detail"));
	if (payment->reason == SHOP_REASON_NONE)
		zg_json_null(writer);
	else
		zg_json_text(writer, shop_reason_text(payment->reason));
	zg_json_object_end(writer);
}

static int payment_reply(struct zg_exchange *x, int status, uint64_t id)
{
	struct zg_json_writer writer;
	struct shop_outcome outcome = {0};
	const struct shop_payment *payment = shop_payment_find(&service.shop, id, &outcome);

	if (payment == NULL)
		return problem_outcome(x, &outcome);
	zg_reply_json_open(x, &writer);
	payment_write(&writer, payment);
	return zg_reply_json_close(x, status, &writer);
}

static int payment_done(struct zg_exchange *x, struct service_slot *slot)
{
	struct shop_outcome outcome = slot->command.outcome;

	service_slot_give(slot);
	switch (outcome.result) {
	case SHOP_OK:
		return payment_reply(x, 201, outcome.id);
	case SHOP_PENDING:
		return payment_reply(x, 202, outcome.id);
	case SHOP_DECLINED:
		return payment_reply(x, 402, outcome.id);
	default:
		return problem_outcome(x, &outcome);
	}
}

struct card_request {
	struct zg_slice number;
	uint8_t month;
	uint16_t year;
	char code[SHOP_CHECK_CODE_MAX + 1];
};

struct payment_request {
	uint64_t order;
	int64_t amount_minor;
	char currency[4];
	bool capture;
	struct card_request card;
};

ZG_JSON_FIELDS(card_request, struct card_request, ZG_JSON_REFUSE_UNKNOWN,
	       ZG_JSON_SLICE(struct card_request, number, 0, 64, ZG_JSON_REQUIRED),
	       ZG_JSON_U8(struct card_request, month, 0, 99, ZG_JSON_REQUIRED),
	       ZG_JSON_U16(struct card_request, year, 0, 9999, ZG_JSON_REQUIRED),
	       ZG_JSON_TEXT(struct card_request, code, 0, ZG_JSON_OPTIONAL));
ZG_JSON_FIELDS(payment_request, struct payment_request, ZG_JSON_REFUSE_UNKNOWN,
	       ZG_JSON_U64(struct payment_request, order, 0, UINT64_MAX, ZG_JSON_REQUIRED),
	       ZG_JSON_I64(struct payment_request, amount_minor, 1, SHOP_AMOUNT_MAX,
			   ZG_JSON_REQUIRED),
	       ZG_JSON_TEXT(struct payment_request, currency, 3, ZG_JSON_REQUIRED),
	       ZG_JSON_OBJECT(struct payment_request, card, card_request, ZG_JSON_REQUIRED),
	       ZG_JSON_BOOL(struct payment_request, capture, ZG_JSON_OPTIONAL));

static bool key_put(struct zg_exchange *x, char key[SHOP_KEY_SIZE])
{
	struct zg_slice value;

	memset(key, 0, SHOP_KEY_SIZE);
	if (zg_request_field(x, ZG_SLICE("Idempotency-Key"), &value) < 0 || value.size == 0 ||
	    value.size >= SHOP_KEY_SIZE)
		return false;
	memcpy(key, value.data, value.size);
	return shop_key_is_good(key);
}

static int key_missing(struct zg_exchange *x)
{
	return problem_reply(
		x, 400, "idempotency_key",
		"Send an Idempotency-Key of 1 to 47 visible characters, another one for "
		"each payment.");
}

/* What was asked for as JSON, as the record that is kept. */
static enum shop_reason payment_record_fill(struct shop_payment_record *record,
					    const struct payment_request *request)
{
	const struct shop_currency *currency =
		shop_currency_find((struct zg_slice){request->currency, strlen(request->currency)});
	struct shop_card card = {.month = request->card.month, .year = request->card.year};
	bool is_number = shop_card_number_set(&card, request->card.number);

	if (currency == NULL)
		return SHOP_REASON_CURRENCY;
	if (!is_number)
		return SHOP_REASON_CARD_NUMBER;
	memcpy(card.check_code, request->card.code, sizeof(card.check_code));
	record->flags = request->capture ? SHOP_PAYMENT_SALE : 0;
	record->order_id = request->order;
	record->amount = request->amount_minor;
	record->currency = currency->number;
	shop_payment_record_card(record, &card);
	shop_payment_record_sum(record);
	shop_card_wipe(&card);
	return SHOP_REASON_NONE;
}

static int payment_refuse(struct zg_exchange *x, struct service_slot *slot, enum shop_reason reason)
{
	struct shop_outcome outcome = {.result = SHOP_INVALID, .reason = (uint16_t)reason};

	service_slot_give(slot);
	return problem_outcome(x, &outcome);
}

static int payment_post(struct zg_exchange *x)
{
	struct payment_request request = {.capture = true};
	struct shop_payment_record *record;
	enum shop_reason reason;
	struct zg_json_error error;
	struct service_slot *slot;
	int result;

	if (service_is_foreign(x, &result))
		return result;
	if (payment_request_json_request(x, &request, &error) < 0)
		return zg_reply_json_error(x, &error);
	if (request.order != 0 && !service_may_see_order(x, request.order))
		return problem_not_found(x, "There is no such order of yours.");
	if (service_slot_take(&slot) < 0)
		return problem_busy(x);
	record = &slot->command.request.authorize.record;
	slot->command.type = SHOP_PAYMENT_AUTHORIZE;
	shop_payment_record_init(record);
	if (!key_put(x, record->key)) {
		service_slot_give(slot);
		return key_missing(x);
	}
	reason = payment_record_fill(record, &request);
	/* The number is in the body as well, which lies in a buffer that others will use. */
	explicit_bzero((char *)(uintptr_t)request.card.number.data, request.card.number.size);
	if (reason == SHOP_REASON_NONE)
		reason =
			shop_payment_record_seal(record, slot->command.now_ms, &slot->command.card);
	if (reason != SHOP_REASON_NONE)
		return payment_refuse(x, slot, reason);
	return service_submit(x, slot, payment_done);
}

static int answer_reply(struct zg_exchange *x, const struct shop_outcome *outcome)
{
	static const uint16_t statuses[] = {201, 202, 402, 422, 404, 410, 409, 409, 503};
	struct payment_answer answer = {
		.magic = PAYMENT_ANSWER_MAGIC,
		.version = 1,
		.status = outcome->result < sizeof(statuses) / sizeof(statuses[0])
				  ? statuses[outcome->result]
				  : 500,
		.payment_id = outcome->id,
		.amount = outcome->amount,
		.state = outcome->state,
		.result = outcome->result,
		.reason = outcome->reason,
		.retry_after_s = outcome->retry_after_s,
	};

	return zg_reply_copy(x, answer.status, ZG_SLICE(PAYMENT_TYPE),
			     (struct zg_slice){(const char *)&answer, sizeof(answer)});
}

static int record_done(struct zg_exchange *x, struct service_slot *slot)
{
	struct shop_outcome outcome = slot->command.outcome;

	service_slot_give(slot);
	return answer_reply(x, &outcome);
}

/* The record moves once: from where it was received to the command, which the journal writes. */
static int record_post(struct zg_exchange *x)
{
	struct zg_slice body = zg_request_body(x);
	struct shop_outcome outcome = {.result = SHOP_INVALID, .reason = SHOP_REASON_RECORD};
	struct service_slot *slot;
	enum shop_reason reason;

	if (body.size != sizeof(struct shop_payment_record))
		return answer_reply(x, &outcome);
	if (service_slot_take(&slot) < 0) {
		shop_outcome_full(&outcome, SHOP_REASON_TRANSACTIONS_FULL);
		return answer_reply(x, &outcome);
	}
	slot->command.type = SHOP_PAYMENT_AUTHORIZE;
	memcpy(&slot->command.request.authorize.record, body.data, body.size);
	explicit_bzero((char *)(uintptr_t)body.data, body.size);
	reason = shop_payment_record_seal(&slot->command.request.authorize.record,
					  slot->command.now_ms, &slot->command.card);
	/* Of an order, only its visitor and who has a key pay. */
	if (reason == SHOP_REASON_NONE && slot->command.request.authorize.record.order_id != 0 &&
	    !service_may_see_order(x, slot->command.request.authorize.record.order_id))
		reason = SHOP_REASON_ORDER;
	if (reason != SHOP_REASON_NONE) {
		service_slot_give(slot);
		outcome.reason = (uint16_t)reason;
		return answer_reply(x, &outcome);
	}
	return service_submit(x, slot, record_done);
}

static int payment_get(struct zg_exchange *x)
{
	struct shop_outcome outcome = {0};
	const struct shop_payment *payment;
	uint64_t id;

	if (service_path_number(x, "id", &id) < 0)
		return problem_not_found(x, "There is no such payment of yours.");
	payment = shop_payment_find(&service.shop, id, &outcome);
	if (payment == NULL || !service_may_see_order(x, payment->order_id))
		return problem_not_found(x, "There is no such payment of yours.");
	return payment_reply(x, 200, id);
}

struct step_request {
	int64_t amount_minor;
};

ZG_JSON_FIELDS(step_request, struct step_request, ZG_JSON_REFUSE_UNKNOWN,
	       ZG_JSON_I64(struct step_request, amount_minor, 0, SHOP_AMOUNT_MAX,
			   ZG_JSON_OPTIONAL));

static int step_done(struct zg_exchange *x, struct service_slot *slot)
{
	struct shop_outcome outcome = slot->command.outcome;

	service_slot_give(slot);
	if (outcome.result == SHOP_OK)
		return payment_reply(x, 200, outcome.id);
	if (outcome.result == SHOP_PENDING)
		return payment_reply(x, 202, outcome.id);
	return problem_outcome(x, &outcome);
}

static int step_post(struct zg_exchange *x, uint32_t type)
{
	struct step_request request = {0};
	struct zg_json_error error;
	struct service_slot *slot;
	uint64_t id;
	int result = zg_require_api_key(x);

	if (result != 0)
		return result;
	if (service_path_number(x, "id", &id) < 0)
		return problem_not_found(x, "There is no such payment.");
	if (zg_request_body(x).size > 0 && step_request_json_request(x, &request, &error) < 0)
		return zg_reply_json_error(x, &error);
	if (service_slot_take(&slot) < 0)
		return problem_busy(x);
	slot->command.type = type;
	slot->command.request.payment_step.payment_id = id;
	slot->command.request.payment_step.amount = request.amount_minor;
	(void)key_put(x, slot->command.request.payment_step.key);
	return service_submit(x, slot, step_done);
}

static int capture_post(struct zg_exchange *x)
{
	return step_post(x, SHOP_PAYMENT_CAPTURE);
}

static int void_post(struct zg_exchange *x)
{
	return step_post(x, SHOP_PAYMENT_VOID);
}

static int refund_post(struct zg_exchange *x)
{
	return step_post(x, SHOP_PAYMENT_REFUND);
}

void payments_routes(struct zg_app *app)
{
	zg_post(app, "/api/payments", payment_post);
	zg_post(app, "/payments", record_post);
	zg_get(app, "/api/payments/{id}", payment_get);
	zg_post(app, "/api/payments/{id}/capture", capture_post);
	zg_post(app, "/api/payments/{id}/void", void_post);
	zg_post(app, "/api/payments/{id}/refund", refund_post);
}
