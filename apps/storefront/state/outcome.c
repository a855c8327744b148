/*
 * The words of outcomes.
 */
#include "state/outcome.h"

#include <assert.h>
#include <stddef.h>

static const struct {
	const char *name;
	const char *text;
} reasons[] = {
	[SHOP_REASON_NONE] = {"none", "Nothing is the matter."},
	[SHOP_REASON_SKU] = {"sku",
			     "A SKU is 1 to 23 letters, digits, dots, dashes or underscores."},
	[SHOP_REASON_NAME] = {"name",
			      "A name is 1 to 63 bytes of UTF-8 without control characters."},
	[SHOP_REASON_CATEGORY] =
		{"category", "A category is 1 to 31 bytes of UTF-8 without control characters."},
	[SHOP_REASON_PRICE] = {"price",
			       "A price is 0 to 10,000,000,000.00 in the shop's currency."},
	[SHOP_REASON_STOCK] = {"stock", "Stock is 0 to 1,000,000,000 pieces."},
	[SHOP_REASON_QUANTITY] = {"quantity", "So many of one product are not sold at once."},
	[SHOP_REASON_CODE] = {"code",
			      "There is no such discount code, or its terms are not valid."},
	[SHOP_REASON_EMAIL] = {"email", "Give an e-mail address of at most 63 bytes."},
	[SHOP_REASON_CURRENCY] = {"currency", "Use the shop's currency."},
	[SHOP_REASON_AMOUNT] = {"amount",
				"The amount is not what can be paid, captured or refunded."},
	[SHOP_REASON_CARD_NUMBER] = {"card_number", "The card's number is not valid."},
	[SHOP_REASON_CARD_EXPIRY] = {"card_expiry", "The card has expired, or the date is none."},
	[SHOP_REASON_CARD_CHECK_CODE] =
		{"card_check_code", "The check code is three digits, four for American Express."},
	[SHOP_REASON_KEY] = {"key", "An idempotency key is 1 to 47 visible ASCII characters."},
	[SHOP_REASON_KEY_REUSED] = {"key_reused",
				    "This idempotency key was used with another body."},
	[SHOP_REASON_PRODUCTS_FULL] = {"products_full", "No more products fit: --products-max."},
	[SHOP_REASON_CATEGORIES_FULL] = {"categories_full", "No more categories fit (63)."},
	[SHOP_REASON_CARTS_FULL] = {"carts_full", "No cart is free: --carts-max."},
	[SHOP_REASON_CART_FULL] = {"cart_full", "The cart is full: a cart has 20 slots."},
	[SHOP_REASON_ORDERS_FULL] = {"orders_full", "No more orders fit: --orders-max."},
	[SHOP_REASON_PAYMENTS_FULL] = {"payments_full", "No more payments fit: --payments-max."},
	[SHOP_REASON_TRANSACTIONS_FULL] = {"transactions_full",
					   "Too many payments are in flight: --transactions-max."},
	[SHOP_REASON_KEYS_FULL] = {"keys_full", "No idempotency key is free: --keys-max."},
	[SHOP_REASON_CODES_FULL] = {"codes_full", "No more discount codes fit: --codes-max."},
	[SHOP_REASON_CART] = {"cart", "There is no such cart, or it has expired."},
	[SHOP_REASON_CART_EMPTY] = {"cart_empty", "The cart is empty."},
	[SHOP_REASON_CART_CHECKED_OUT] = {"cart_checked_out", "The cart has become an order."},
	[SHOP_REASON_PRODUCT] = {"product", "There is no such product."},
	[SHOP_REASON_OUT_OF_STOCK] = {"out_of_stock", "So many are not in stock."},
	[SHOP_REASON_PRICES_CHANGED] = {"prices_changed",
					"Prices have changed: confirm the new total."},
	[SHOP_REASON_CODE_EXPIRED] = {"code_expired", "The discount code has expired."},
	[SHOP_REASON_CODE_USED_UP] = {"code_used_up", "The discount code has been used up."},
	[SHOP_REASON_CODE_MINIMUM] = {"code_minimum", "The discount code asks for a larger order."},
	[SHOP_REASON_ORDER] = {"order", "There is no such order."},
	[SHOP_REASON_ORDER_STATE] = {"order_state", "The order's state does not allow this."},
	[SHOP_REASON_PAYMENT] = {"payment", "There is no such payment."},
	[SHOP_REASON_PAYMENT_STATE] = {"payment_state", "The payment's state does not allow this."},
	[SHOP_REASON_PAYMENT_BUSY] = {"payment_busy",
				      "The payment waits for the acquirer: ask again."},
	[SHOP_REASON_DECLINED] = {"declined", "The card was declined."},
	[SHOP_REASON_INSUFFICIENT_FUNDS] = {"insufficient_funds",
					    "The card has insufficient funds."},
	[SHOP_REASON_CARD_EXPIRED] = {"card_expired",
				      "The card's issuer says that it has expired."},
	[SHOP_REASON_DUPLICATE] = {"duplicate", "The acquirer takes it for a payment made before."},
	[SHOP_REASON_ACQUIRER] = {"acquirer",
				  "The acquirer could not be reached: nothing was paid."},
	[SHOP_REASON_OPERATION] = {"operation", "No such operation is in flight."},
	[SHOP_REASON_RECORD] = {"record", "The payment record is damaged, or of another version."},
};

static_assert(sizeof(reasons) / sizeof(reasons[0]) == SHOP_REASON_COUNT,
	      "every reason has its words");

const char *shop_reason_name(uint16_t reason)
{
	return reason < SHOP_REASON_COUNT ? reasons[reason].name : "unknown";
}

const char *shop_reason_text(uint16_t reason)
{
	return reason < SHOP_REASON_COUNT ? reasons[reason].text : "The reason is unknown.";
}
