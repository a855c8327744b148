/*
 * Payment record: checked in place, sealed in place.
 */
#include "payments/payment_record.h"

#include <assert.h>
#include <string.h>

#include "state/hash.h"

static uint32_t record_sum(const struct shop_payment_record *record)
{
	return shop_crc32c(record, offsetof(struct shop_payment_record, checksum));
}

void shop_payment_record_init(struct shop_payment_record *record)
{
	*record = (struct shop_payment_record){
		.magic = SHOP_PAYMENT_RECORD_MAGIC,
		.version = SHOP_PAYMENT_RECORD_VERSION,
	};
}

void shop_payment_record_card(struct shop_payment_record *record, const struct shop_card *card)
{
	assert((record->flags & SHOP_PAYMENT_SEALED) == 0);
	memcpy(record->card_number, card->number, sizeof(record->card_number));
	memcpy(record->check_code, card->check_code, sizeof(record->check_code));
	record->card_month = card->month;
	record->card_year = card->year;
}

void shop_payment_record_sum(struct shop_payment_record *record)
{
	record->checksum = record_sum(record);
}

/* Zeros behind the text, and only there. */
static bool record_is_padded(const char *field, size_t size)
{
	for (size_t index = strnlen(field, size); index < size; ++index)
		if (field[index] != '\0')
			return false;
	return true;
}

static bool record_is_whole(const struct shop_payment_record *record, uint16_t flags)
{
	static const uint8_t zeros[12];

	return record->magic == SHOP_PAYMENT_RECORD_MAGIC &&
	       record->version == SHOP_PAYMENT_RECORD_VERSION &&
	       (record->flags & ~SHOP_PAYMENT_SALE) == flags &&
	       record->checksum == record_sum(record) &&
	       memcmp(record->reserved_first, zeros, sizeof(record->reserved_first)) == 0 &&
	       memcmp(record->reserved_last, zeros, sizeof(record->reserved_last)) == 0 &&
	       record->key[SHOP_KEY_SIZE - 1] == '\0' &&
	       record_is_padded(record->key, sizeof(record->key)) &&
	       record_is_padded(record->card_number, sizeof(record->card_number)) &&
	       record_is_padded(record->check_code, sizeof(record->check_code));
}

static void record_take_card(struct shop_payment_record *record, struct shop_card *card)
{
	memcpy(card->number, record->card_number, sizeof(card->number));
	card->number[SHOP_CARD_DIGITS_MAX] = '\0';
	memcpy(card->check_code, record->check_code, sizeof(record->check_code));
	card->check_code[SHOP_CHECK_CODE_MAX] = '\0';
	card->month = record->card_month;
	card->year = record->card_year;
	explicit_bzero(record->card_number, sizeof(record->card_number));
	explicit_bzero(record->check_code, sizeof(record->check_code));
}

enum shop_reason shop_payment_record_seal(struct shop_payment_record *record, int64_t now_ms,
					  struct shop_card *ret_card)
{
	enum shop_reason reason = SHOP_REASON_RECORD;
	bool is_whole = record_is_whole(record, 0) && record->card_brand == 0 &&
			record->card_number[SHOP_CARD_DIGITS_MAX] == '\0';

	shop_card_wipe(ret_card);
	record_take_card(record, ret_card);
	if (is_whole)
		reason = shop_card_check(ret_card, now_ms);
	if (reason == SHOP_REASON_NONE && !shop_key_is_good(record->key))
		reason = SHOP_REASON_KEY;
	if (reason == SHOP_REASON_NONE && record->amount <= 0)
		reason = SHOP_REASON_AMOUNT;
	if (reason != SHOP_REASON_NONE) {
		shop_card_wipe(ret_card);
		return reason;
	}
	memcpy(record->card_number, shop_card_trace_of(ret_card).last_four, 4);
	record->card_brand = (uint8_t)shop_card_brand_of(ret_card->number);
	record->flags |= SHOP_PAYMENT_SEALED;
	shop_payment_record_sum(record);
	return SHOP_REASON_NONE;
}

bool shop_payment_record_has_seal(const struct shop_payment_record *record)
{
	/* Four digits and no more: a whole number can be in no record that is kept. */
	return (record->flags & SHOP_PAYMENT_SEALED) != 0 &&
	       strnlen(record->card_number, sizeof(record->card_number)) == 4 &&
	       record->check_code[0] == '\0' && record->key[SHOP_KEY_SIZE - 1] == '\0';
}

bool shop_payment_record_is_sealed(const struct shop_payment_record *record)
{
	return record_is_whole(record, SHOP_PAYMENT_SEALED) &&
	       shop_payment_record_has_seal(record) && shop_key_is_good(record->key);
}

struct shop_card_trace shop_payment_record_trace(const struct shop_payment_record *record)
{
	struct shop_card_trace trace = {
		.brand = record->card_brand,
		.month = record->card_month,
		.year = record->card_year,
	};

	assert((record->flags & SHOP_PAYMENT_SEALED) != 0);
	memcpy(trace.last_four, record->card_number, sizeof(trace.last_four));
	return trace;
}
