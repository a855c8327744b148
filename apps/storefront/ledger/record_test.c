/*
 * Records: every command is read as it was written, and nothing else is read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdalign.h>

#include "ledger/shop_fixture.h"

static alignas(8) unsigned char record[SHOP_RECORD_SIZE_MAX];

static struct shop_command changed(uint32_t type)
{
	return (struct shop_command){
		.type = type,
		.now_ms = FIXTURE_NOW_MS,
		.outcome = {.result = SHOP_PENDING, .id = 5, .operation_id = 6, .is_changed = true},
	};
}

static void every_type_has_its_size_and_comes_back(void **state)
{
	(void)state;
	for (uint32_t type = 1; type < SHOP_COMMAND_TYPES; ++type) {
		struct shop_command command = changed(type);
		struct shop_command decoded;
		size_t size = shop_record_size(type);

		if (type == SHOP_PAYMENT_AUTHORIZE)
			command.request.authorize.record.flags = SHOP_PAYMENT_SEALED;
		assert_true(size > SHOP_RECORD_REQUEST_OFFSET && size <= sizeof(record));
		shop_record_encode(&command, record);
		assert_int_equal(shop_record_decode(record, size, &decoded), 0);
		assert_int_equal(decoded.type, type);
		assert_int_equal(decoded.now_ms, FIXTURE_NOW_MS);
		assert_int_equal(decoded.outcome.operation_id, 6);
		assert_memory_equal(&decoded.request, &command.request, sizeof(command.request));
		assert_int_equal(shop_record_decode(record, size - 1, &decoded), -EBADMSG);
		assert_int_equal(shop_record_decode(record, size + 1, &decoded), -EBADMSG);
	}
	assert_int_equal(shop_record_size(0), 0);
	assert_int_equal(shop_record_size(SHOP_COMMAND_TYPES), 0);
}

static void the_layout_is_the_documented_one(void **state)
{
	struct shop_command command = changed(SHOP_CART_SET);
	static const unsigned char expected[] = {
		1, 0, 5, 0, 1, 0, 0, 0, 0, 0x50, 0x5c, 0x18, 0xa3, 1, 0, 0, 5, 0,
		0, 0, 0, 0, 0, 0, 6, 0, 0, 0,	 0,    0,    0,	   0, 7, 0, 0, 0,
		0, 0, 0, 0, 8, 0, 0, 0, 0, 0,	 0,    0,    9,	   0, 0, 0, 1,
	};

	(void)state;
	command.request.cart_set =
		(struct shop_cart_set){.cart_id = 7, .product_id = 8, .quantity = 9, .is_added = 1};
	shop_record_encode(&command, record);
	assert_int_equal(shop_record_size(SHOP_CART_SET), sizeof(expected));
	assert_memory_equal(record, expected, sizeof(expected));
}

static void another_version_or_type_is_told_apart(void **state)
{
	struct shop_command command = changed(SHOP_CART_OPEN);
	struct shop_command decoded = {.type = 42};
	size_t size = shop_record_size(SHOP_CART_OPEN);

	(void)state;
	shop_record_encode(&command, record);
	record[0] = 2;
	assert_int_equal(shop_record_decode(record, size, &decoded), -EPROTO);
	record[0] = 1;
	record[2] = SHOP_COMMAND_TYPES;
	assert_int_equal(shop_record_decode(record, size, &decoded), -EPROTO);
	assert_int_equal(shop_record_decode(record, 3, &decoded), -EBADMSG);
	assert_int_equal(decoded.type, 42);
}

static void a_text_without_an_end_is_refused(void **state)
{
	struct shop_command command = changed(SHOP_CHECKOUT);
	struct shop_command decoded;
	size_t size = shop_record_size(SHOP_CHECKOUT);

	(void)state;
	shop_record_encode(&command, record);
	memset(record + size - SHOP_EMAIL_SIZE, 'x', SHOP_EMAIL_SIZE);
	assert_int_equal(shop_record_decode(record, size, &decoded), -EBADMSG);
}

/* The number is beside the request; nothing writes it. */
static void no_record_of_a_payment_has_the_cards_number(void **state)
{
	struct fixture fixture;
	struct shop_options options;

	(void)state;
	fixture_options(&options);
	fixture_start(&fixture, &options);
	assert_int_equal(fixture_sale(&fixture, 0, 1000, "key"), SHOP_PENDING);
	assert_string_equal(fixture.command.card.number, FIXTURE_CARD_GOOD);
	assert_int_equal(fixture_word(&fixture, 1, SHOP_APPROVED), SHOP_OK);
	assert_true(fixture.journal_size > 0);
	assert_null(memmem(fixture.journal, fixture.journal_size, "42424", 5));
	assert_null(memmem(&fixture.shop, sizeof(fixture.shop), "42424", 5));
	/* Free blocks as well, which belong to the pools until those end. */
	shop_fini(&fixture.shop);
	assert_null(memmem(fixture.memory, shop_memory_size(&options), "42424", 5));
	fixture_end(&fixture);
}

static void an_authorizations_payment_record_lies_in_the_record_as_it_is(void **state)
{
	struct fixture fixture;
	struct shop_options options;

	(void)state;
	fixture_options(&options);
	fixture_start(&fixture, &options);
	assert_int_equal(fixture_sale(&fixture, 0, 1000, "key"), SHOP_PENDING);
	shop_record_encode(&fixture.command, record);
	assert_memory_equal(record + SHOP_RECORD_REQUEST_OFFSET,
			    &fixture.command.request.authorize.record,
			    sizeof(struct shop_payment_record));
	assert_true(shop_payment_record_is_sealed(
		(const struct shop_payment_record *)(const void *)(record +
								   SHOP_RECORD_REQUEST_OFFSET)));
	fixture_end(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_has_its_size_and_comes_back),
		cmocka_unit_test(the_layout_is_the_documented_one),
		cmocka_unit_test(another_version_or_type_is_told_apart),
		cmocka_unit_test(a_text_without_an_end_is_refused),
		cmocka_unit_test(no_record_of_a_payment_has_the_cards_number),
		cmocka_unit_test(an_authorizations_payment_record_lies_in_the_record_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
