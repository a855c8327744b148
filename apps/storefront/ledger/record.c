/*
 * Record: the layout of each request, named once for both ways.
 */
#include "ledger/record.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "ledger/shop.h"
#include "state/wire.h"

static void wire_product_put(struct shop_wire *wire, struct shop_product_put *put)
{
	shop_wire_field(wire, put->sku, sizeof(put->sku));
	shop_wire_field(wire, put->name, sizeof(put->name));
	shop_wire_field(wire, put->category, sizeof(put->category));
	shop_wire_field(wire, put->emoji, sizeof(put->emoji));
	shop_wire_i64(wire, &put->price);
	shop_wire_u32(wire, &put->stock);
	shop_wire_u32(wire, &put->colour);
	shop_wire_u8(wire, &put->is_listed);
}

static void wire_code_put(struct shop_wire *wire, struct shop_code_put *put)
{
	shop_wire_field(wire, put->code, sizeof(put->code));
	shop_wire_u32(wire, &put->basis_points);
	shop_wire_u32(wire, &put->uses_max);
	shop_wire_i64(wire, &put->amount);
	shop_wire_i64(wire, &put->minimum);
	shop_wire_i64(wire, &put->until_ms);
}

static void wire_goods(struct shop_wire *wire, struct shop_command *command)
{
	struct shop_cart_set *set = &command->request.cart_set;
	struct shop_cart_code *code = &command->request.cart_code;
	struct shop_checkout *checkout = &command->request.checkout;

	switch (command->type) {
	case SHOP_PRODUCT_PUT:
		wire_product_put(wire, &command->request.product_put);
		break;
	case SHOP_PRODUCT_STOCK:
		shop_wire_u64(wire, &command->request.product_stock.product_id);
		shop_wire_i64(wire, &command->request.product_stock.difference);
		break;
	case SHOP_CODE_PUT:
		wire_code_put(wire, &command->request.code_put);
		break;
	case SHOP_CART_OPEN:
		shop_wire_u64(wire, &command->request.cart_open.token);
		break;
	case SHOP_CART_SET:
		shop_wire_u64(wire, &set->cart_id);
		shop_wire_u64(wire, &set->product_id);
		shop_wire_u32(wire, &set->quantity);
		shop_wire_u8(wire, &set->is_added);
		break;
	case SHOP_CART_CODE:
		shop_wire_u64(wire, &code->cart_id);
		shop_wire_field(wire, code->code, sizeof(code->code));
		break;
	case SHOP_CHECKOUT:
		shop_wire_u64(wire, &checkout->cart_id);
		shop_wire_i64(wire, &checkout->confirmed_total);
		shop_wire_field(wire, checkout->email, sizeof(checkout->email));
		break;
	case SHOP_ORDER_CANCEL:
	case SHOP_ORDER_SHIP:
		shop_wire_u64(wire, &command->request.order_step.order_id);
		break;
	default:
		assert(command->type == SHOP_TICK);
		shop_wire_u32(wire, &command->request.tick.limit);
	}
}

static void wire_request(struct shop_wire *wire, struct shop_command *command)
{
	struct shop_payment_step *step = &command->request.payment_step;
	struct shop_payment_outcome *word = &command->request.payment_outcome;
	struct shop_payment_record *record = &command->request.authorize.record;

	switch (command->type) {
	case SHOP_PAYMENT_AUTHORIZE:
		/* A number that is not sealed must not get this far. */
		assert(wire->way == SHOP_WIRE_READ || (record->flags & SHOP_PAYMENT_SEALED) != 0);
		shop_wire_bytes(wire, record, sizeof(*record));
		break;
	case SHOP_PAYMENT_CAPTURE:
	case SHOP_PAYMENT_VOID:
	case SHOP_PAYMENT_REFUND:
		shop_wire_u64(wire, &step->payment_id);
		shop_wire_i64(wire, &step->amount);
		shop_wire_field(wire, step->key, sizeof(step->key));
		break;
	case SHOP_PAYMENT_OUTCOME:
		shop_wire_u64(wire, &word->operation_id);
		shop_wire_u64(wire, &word->acquirer_reference);
		shop_wire_u32(wire, &word->verdict);
		break;
	default:
		wire_goods(wire, command);
	}
}

static void wire_head(struct shop_wire *wire, struct shop_command *command)
{
	uint16_t version = SHOP_RECORD_VERSION;
	uint16_t type = (uint16_t)command->type;

	shop_wire_u16(wire, &version);
	shop_wire_u16(wire, &type);
	shop_wire_u16(wire, &command->outcome.result);
	shop_wire_u16(wire, &command->outcome.reason);
	shop_wire_i64(wire, &command->now_ms);
	shop_wire_u64(wire, &command->outcome.id);
	shop_wire_u64(wire, &command->outcome.operation_id);
	command->type = type;
	if (version != SHOP_RECORD_VERSION || type == 0 || type >= SHOP_COMMAND_TYPES)
		wire->is_failed = true;
}

size_t shop_record_size(uint32_t type)
{
	static const uint16_t sizes[SHOP_COMMAND_TYPES] = {
		[SHOP_PRODUCT_PUT] =
			SHOP_SKU_SIZE + SHOP_NAME_SIZE + SHOP_CATEGORY_SIZE + SHOP_EMOJI_SIZE + 17,
		[SHOP_PRODUCT_STOCK] = 16,
		[SHOP_CODE_PUT] = SHOP_CODE_SIZE + 32,
		[SHOP_CART_OPEN] = 8,
		[SHOP_CART_SET] = 21,
		[SHOP_CART_CODE] = 8 + SHOP_CODE_SIZE,
		[SHOP_CHECKOUT] = 16 + SHOP_EMAIL_SIZE,
		[SHOP_ORDER_CANCEL] = 8,
		[SHOP_ORDER_SHIP] = 8,
		[SHOP_PAYMENT_AUTHORIZE] = sizeof(struct shop_payment_record),
		[SHOP_PAYMENT_CAPTURE] = 16 + SHOP_KEY_SIZE,
		[SHOP_PAYMENT_VOID] = 16 + SHOP_KEY_SIZE,
		[SHOP_PAYMENT_REFUND] = 16 + SHOP_KEY_SIZE,
		[SHOP_PAYMENT_OUTCOME] = 20,
		[SHOP_TICK] = 4,
	};

	if (type == 0 || type >= SHOP_COMMAND_TYPES)
		return 0;
	return (size_t)SHOP_RECORD_REQUEST_OFFSET + sizes[type];
}

void shop_record_encode(struct shop_command *command, void *place)
{
	struct shop_wire wire = shop_wire_writer(place, shop_record_size(command->type));

	assert(command->outcome.is_changed);
	wire_head(&wire, command);
	assert(wire.size == SHOP_RECORD_REQUEST_OFFSET);
	wire_request(&wire, command);
	assert(shop_wire_is_whole(&wire));
}

int shop_record_decode(const void *bytes, size_t size, struct shop_command *ret_command)
{
	struct shop_command command = {.type = 0};
	struct shop_wire wire = shop_wire_reader(bytes, size);

	if (size < SHOP_RECORD_REQUEST_OFFSET)
		return -EBADMSG;
	wire_head(&wire, &command);
	if (wire.is_failed)
		return -EPROTO;
	wire_request(&wire, &command);
	if (!shop_wire_is_whole(&wire))
		return -EBADMSG;
	*ret_command = command;
	return 0;
}

int shop_replay(struct shop *shop, const void *bytes, size_t size)
{
	struct shop_command command;
	struct shop_outcome kept;
	int result = shop_record_decode(bytes, size, &command);

	if (result < 0)
		return result;
	kept = command.outcome;
	shop_apply(shop, &command);
	if (!command.outcome.is_changed || command.outcome.result != kept.result ||
	    command.outcome.reason != kept.reason || command.outcome.id != kept.id ||
	    command.outcome.operation_id != kept.operation_id)
		return -ESTALE;
	return 0;
}
