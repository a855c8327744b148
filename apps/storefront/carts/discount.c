/*
 * Discount codes are written in capitals; people may type them as they like.
 */
#include "carts/discount.h"

#include <assert.h>
#include <string.h>

#include "ledger/shop.h"
#include "money/money.h"
#include "state/text.h"

#define QUEUE_ALL 0

void shop_code_wire(struct shop_wire *wire, struct shop_object *object)
{
	struct shop_code *code = (struct shop_code *)object;

	shop_wire_text(wire, code->code, sizeof(code->code));
	shop_wire_u32(wire, &code->basis_points);
	shop_wire_u32(wire, &code->uses_max);
	shop_wire_u32(wire, &code->uses);
	shop_wire_i64(wire, &code->amount);
	shop_wire_i64(wire, &code->minimum);
	shop_wire_i64(wire, &code->until_ms);
}

static void code_capitals(const char *from, char to[SHOP_CODE_SIZE])
{
	memset(to, 0, SHOP_CODE_SIZE);
	for (uint32_t index = 0; index < SHOP_CODE_SIZE - 1 && from[index] != '\0'; ++index)
		to[index] =
			(char)(from[index] >= 'a' && from[index] <= 'z' ? from[index] - ('a' - 'A')
									: from[index]);
}

struct shop_code *shop_code_find(struct shop *shop, const char *code)
{
	char capitals[SHOP_CODE_SIZE];

	code_capitals(code, capitals);
	return (struct shop_code *)shop_table_find_text(&shop->codes, capitals);
}

static bool code_is_valid(const struct shop_code_put *put)
{
	bool is_share =
		put->basis_points > 0 && put->basis_points <= SHOP_BASIS_POINTS && put->amount == 0;
	bool is_amount = put->basis_points == 0 && put->amount > 0 && put->amount <= SHOP_PRICE_MAX;

	return put->code[SHOP_CODE_SIZE - 1] == '\0' &&
	       shop_text_is_token(shop_text_of(put->code, sizeof(put->code))) &&
	       (is_share || is_amount) && put->minimum >= 0 && put->until_ms >= 0;
}

void shop_code_put(struct shop *shop, const struct shop_code_put *put, struct shop_outcome *outcome)
{
	struct shop_code *code;
	char capitals[SHOP_CODE_SIZE];

	if (!code_is_valid(put)) {
		shop_outcome_set(outcome, SHOP_INVALID, SHOP_REASON_CODE);
		return;
	}
	code_capitals(put->code, capitals);
	code = shop_code_find(shop, capitals);
	if (code == NULL) {
		struct shop_object *object;

		if (shop_table_add_text(&shop->codes, QUEUE_ALL, capitals, &object) < 0) {
			shop_outcome_limit(outcome, SHOP_REASON_CODES_FULL,
					   shop->codes.options.object_count);
			return;
		}
		code = (struct shop_code *)object;
	}
	shop_table_touch(&shop->codes, &code->object);
	code->basis_points = put->basis_points;
	code->uses_max = put->uses_max;
	code->amount = put->amount;
	code->minimum = put->minimum;
	code->until_ms = put->until_ms;
	outcome->id = code->object.id;
	outcome->is_changed = true;
}

enum shop_reason shop_code_discount(const struct shop_code *code, int64_t subtotal, int64_t now_ms,
				    int64_t *ret_discount)
{
	*ret_discount = 0;
	if (code->until_ms > 0 && now_ms >= code->until_ms)
		return SHOP_REASON_CODE_EXPIRED;
	if (code->uses_max > 0 && code->uses >= code->uses_max)
		return SHOP_REASON_CODE_USED_UP;
	if (subtotal < code->minimum)
		return SHOP_REASON_CODE_MINIMUM;
	if (code->basis_points > 0) {
		const struct shop_money sum = {.minor = subtotal};

		*ret_discount = shop_money_percent(sum, code->basis_points).minor;
	} else {
		*ret_discount = code->amount < subtotal ? code->amount : subtotal;
	}
	assert(*ret_discount >= 0 && *ret_discount <= subtotal);
	return SHOP_REASON_NONE;
}

void shop_code_use(struct shop *shop, const char *code, int difference)
{
	struct shop_code *found = code[0] == '\0' ? NULL : shop_code_find(shop, code);

	assert(difference == 1 || difference == -1);
	if (found == NULL)
		return;
	shop_table_touch(&shop->codes, &found->object);
	assert(difference == 1 || found->uses > 0);
	found->uses += (uint32_t)difference;
}
