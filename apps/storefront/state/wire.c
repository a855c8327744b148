/*
 * Wire: every field passes one function, which is where writing, reading and hashing part.
 */
#include "state/wire.h"

#include <assert.h>
#include <string.h>

#include "state/hash.h"

static uint64_t wire_number(struct shop_wire *wire, uint64_t value, size_t size)
{
	uint64_t result = 0;

	if (wire->way == SHOP_WIRE_HASH) {
		wire->hash = shop_hash_u64(wire->hash, value);
		return value;
	}
	if (wire->is_failed || wire->capacity - wire->size < size) {
		wire->is_failed = true;
		return wire->way == SHOP_WIRE_READ ? 0 : value;
	}
	for (size_t index = 0; index < size; ++index) {
		if (wire->way == SHOP_WIRE_WRITE)
			wire->output[wire->size + index] = (unsigned char)(value >> 8 * index);
		else
			result |= (uint64_t)wire->input[wire->size + index] << 8 * index;
	}
	wire->size += size;
	return wire->way == SHOP_WIRE_READ ? result : value;
}

void shop_wire_u8(struct shop_wire *wire, uint8_t *value)
{
	*value = (uint8_t)wire_number(wire, *value, sizeof(*value));
}

void shop_wire_u16(struct shop_wire *wire, uint16_t *value)
{
	*value = (uint16_t)wire_number(wire, *value, sizeof(*value));
}

void shop_wire_u32(struct shop_wire *wire, uint32_t *value)
{
	*value = (uint32_t)wire_number(wire, *value, sizeof(*value));
}

void shop_wire_u64(struct shop_wire *wire, uint64_t *value)
{
	*value = wire_number(wire, *value, sizeof(*value));
}

void shop_wire_i64(struct shop_wire *wire, int64_t *value)
{
	*value = (int64_t)wire_number(wire, (uint64_t)*value, sizeof(*value));
}

void shop_wire_bytes(struct shop_wire *wire, void *bytes, size_t size)
{
	if (wire->way == SHOP_WIRE_HASH) {
		wire->hash = shop_hash_bytes(wire->hash, bytes, size);
		return;
	}
	if (wire->is_failed || wire->capacity - wire->size < size) {
		wire->is_failed = true;
		if (wire->way == SHOP_WIRE_READ)
			memset(bytes, 0, size);
		return;
	}
	if (wire->way == SHOP_WIRE_WRITE)
		memcpy(wire->output + wire->size, bytes, size);
	else
		memcpy(bytes, wire->input + wire->size, size);
	wire->size += size;
}

void shop_wire_text(struct shop_wire *wire, char *text, size_t size)
{
	uint8_t length = 0;

	assert(size > 0 && size <= 256);
	if (wire->way != SHOP_WIRE_READ) {
		length = (uint8_t)strnlen(text, size - 1);
		shop_wire_u8(wire, &length);
		shop_wire_bytes(wire, text, length);
		return;
	}
	memset(text, 0, size);
	shop_wire_u8(wire, &length);
	if (length >= size) {
		wire->is_failed = true;
		return;
	}
	shop_wire_bytes(wire, text, length);
	if (memchr(text, '\0', length) != NULL)
		wire->is_failed = true;
}

void shop_wire_field(struct shop_wire *wire, char *text, size_t size)
{
	size_t length;

	assert(size > 0);
	if (wire->way == SHOP_WIRE_HASH) {
		shop_wire_bytes(wire, text, strnlen(text, size - 1));
		return;
	}
	if (wire->way == SHOP_WIRE_WRITE) {
		size_t begin = wire->size;

		shop_wire_bytes(wire, text, size);
		length = strnlen(text, size - 1);
		if (!wire->is_failed)
			memset(wire->output + begin + length, 0, size - length);
		return;
	}
	shop_wire_bytes(wire, text, size);
	for (length = strnlen(text, size); length < size && text[length] == '\0'; ++length)
		;
	if (length < size || text[size - 1] != '\0') {
		memset(text, 0, size);
		wire->is_failed = true;
	}
}
