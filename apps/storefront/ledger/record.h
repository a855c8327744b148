/*
 * Record: a command that changed something, as the journal keeps it.
 *
 *	offset  size  field
 *	     0     2  version       1
 *	     2     2  type          enum shop_command_type
 *	     4     2  result        of the outcome, as the four that follow
 *	     6     2  reason
 *	     8     8  now_ms
 *	    16     8  id
 *	    24     8  operation_id
 *	    32   ...  the request, its fields close together, of one size for each type
 *
 * Numbers are little endian. The outcome is kept though replaying finds it again: a replay that
 * comes to another one is not the shop that was, and stops.
 *
 * An authorization's request is its sealed payment record, at an offset that is a multiple of 8: a
 * record received straight into the journal's place lies where it has to.
 *
 * Threads  Any.
 */
#ifndef STOREFRONT_RECORD_H
#define STOREFRONT_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include <zerog/attributes.h>

#include "ledger/command.h"

#define SHOP_RECORD_VERSION 1
#define SHOP_RECORD_REQUEST_OFFSET 32
#define SHOP_RECORD_SIZE_MAX 256 /* bytes */

struct shop;

/**
 * shop_record_size() - bytes of a record
 * @type:  enum shop_command_type
 *
 * Return: bytes; 0 when there is no such type.
 */
size_t shop_record_size(uint32_t type);

/**
 * shop_record_encode() - write a command down
 * @command:  applied, and its outcome's is_changed set; is not changed. Its card is not written
 * @place:    shop_record_size() bytes of its type, 8-byte aligned
 */
void shop_record_encode(struct shop_command *command, void *place);

/**
 * shop_record_decode() - read a command
 * @bytes:        borrowed, any
 * @size:         bytes
 * @ret_command:  to be applied; its outcome is what was kept. Untouched on failure
 *
 * Return: 0; -EPROTO when it is of another version or type; -EBADMSG when its size is not its
 * type's, or a text in it is none.
 */
ZG_MUST_USE int shop_record_decode(const void *bytes, size_t size,
				   struct shop_command *ret_command);

/**
 * shop_replay() - read a command and apply it
 * @shop:   initialised
 * @bytes:  borrowed, any
 * @size:   bytes
 *
 * Return: 0; as shop_record_decode(); -ESTALE when the outcome is not the one that was kept.
 */
ZG_MUST_USE int shop_replay(struct shop *shop, const void *bytes, size_t size);

#endif
