/*
 * Payment record: a payment in 128 bytes, as it comes over the wire and as it is kept.
 *
 *	offset  size  field
 *	     0     4  magic           "ZGPY"
 *	     4     2  version         1
 *	     6     2  flags           1: sale, authorize and capture at once; 2: sealed, by us
 *	     8     8  order_id        0: a payment without an order
 *	    16     8  amount          minor units, at least 1
 *	    24     2  currency        ISO 4217 number
 *	    26     2  card_year       four digits
 *	    28     1  card_month      1 to 12
 *	    29     1  card_brand      0; set when it is sealed
 *	    30     2  reserved        0
 *	    32    20  card_number     ASCII digits, padded with zeros; sealed: the last four alone
 *	    52     4  check_code      ASCII digits, padded with zeros; zeros: not given, or sealed
 *	    56    48  key             idempotency key, 1 to 47 visible ASCII, padded with zeros
 *	   104     8  reference       the merchant's own, any
 *	   112    12  reserved        0
 *	   124     4  checksum        CRC-32C of the 124 bytes before
 *
 * Numbers are little endian. The struct below is that layout, so a record is received straight
 * into its place, checked there, and sealed there: the card is moved out to a struct shop_card and
 * wiped from the record. A sealed record has nothing left to steal, and it is what the journal
 * keeps. Only we seal: what comes with that flag set is refused.
 *
 * Threads  Any: values.
 */
#ifndef STOREFRONT_PAYMENT_RECORD_H
#define STOREFRONT_PAYMENT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>

#include "payments/card.h"
#include "payments/key.h"
#include "state/outcome.h"

#define SHOP_PAYMENT_RECORD_MAGIC UINT32_C(0x5950475a) /* "ZGPY" */
#define SHOP_PAYMENT_RECORD_VERSION 1
#define SHOP_PAYMENT_SALE 1
#define SHOP_PAYMENT_SEALED 2

struct shop_payment_record {
	uint32_t magic;
	uint16_t version;
	uint16_t flags;
	uint64_t order_id;
	int64_t amount;
	uint16_t currency;
	uint16_t card_year;
	uint8_t card_month;
	uint8_t card_brand;
	uint8_t reserved_first[2];
	char card_number[20];
	char check_code[4];
	char key[SHOP_KEY_SIZE];
	uint64_t reference;
	uint8_t reserved_last[12];
	uint32_t checksum;
};

ZG_STATIC_ASSERT(sizeof(struct shop_payment_record) == 128, "the record's size is its contract");
ZG_STATIC_ASSERT(offsetof(struct shop_payment_record, amount) == 16, "as above");
ZG_STATIC_ASSERT(offsetof(struct shop_payment_record, card_number) == 32, "as above");
ZG_STATIC_ASSERT(offsetof(struct shop_payment_record, key) == 56, "as above");
ZG_STATIC_ASSERT(offsetof(struct shop_payment_record, reference) == 104, "as above");
ZG_STATIC_ASSERT(offsetof(struct shop_payment_record, checksum) == 124, "as above");
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "records are read in place: this machine's numbers have to be little endian"
#endif

/**
 * shop_payment_record_init() - a record to be filled in, as a client does, or a JSON request
 * @record:  overwritten: zeros, the magic and the version
 */
void shop_payment_record_init(struct shop_payment_record *record);

/**
 * shop_payment_record_card() - put a card into a record, as a client does
 * @record:  not sealed
 * @card:    any
 */
void shop_payment_record_card(struct shop_payment_record *record, const struct shop_card *card);

/**
 * shop_payment_record_sum() - set a record's checksum
 * @record:  complete
 */
void shop_payment_record_sum(struct shop_payment_record *record);

/**
 * shop_payment_record_seal() - check a record where it lies, and take its card out
 * @record:    as it was received, 8-byte aligned; on success sealed. On failure its card is wiped
 * @now_ms:    since the epoch
 * @ret_card:  the card, to be wiped by the caller; zeroed on failure
 *
 * Return: SHOP_REASON_NONE; SHOP_REASON_RECORD when it is damaged, sealed already, of another
 * version, or a reserved byte is not 0; the reason of a field that is wrong.
 */
ZG_MUST_USE enum shop_reason shop_payment_record_seal(struct shop_payment_record *record,
						      int64_t now_ms, struct shop_card *ret_card);

/**
 * shop_payment_record_has_seal() - does it say so, and is there no more of a card than four digits?
 * @record:  any bytes, 8-byte aligned
 *
 * Quick: neither its checksum nor its other fields are looked at.
 */
bool shop_payment_record_has_seal(const struct shop_payment_record *record);

/**
 * shop_payment_record_is_sealed() - is it a record that may be applied and kept?
 * @record:  any bytes, 8-byte aligned
 *
 * Return: false as well when its checksum is wrong.
 */
bool shop_payment_record_is_sealed(const struct shop_payment_record *record);

/**
 * shop_payment_record_trace() - what a sealed record knows of the card
 * @record:  sealed
 */
struct shop_card_trace shop_payment_record_trace(const struct shop_payment_record *record);

#endif
