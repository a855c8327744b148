/*
 * A cell whose sequence equals a position is free for the sender of that position;
 * one more, and it holds that position's message. The receiver hands a cell on to
 * the sender who comes one round later.
 */

#include "server/inbox.h"

#include <errno.h>

#include "base/assert.h"

uint64_t zgi_inbox_cell_count(uint64_t count)
{
	uint64_t cell_count = 2;

	while (cell_count < count)
		cell_count *= 2;
	return cell_count;
}

void zgi_inbox_init(struct zgi_inbox *inbox, struct zgi_inbox_cell *cells, uint64_t cell_count)
{
	zg_assert((cell_count & (cell_count - 1)) == 0);
	inbox->cells = cells;
	inbox->mask = cell_count - 1;
	inbox->send_position = 0;
	inbox->receive_position = 0;
	for (uint64_t index = 0; index < cell_count; index++)
		cells[index].sequence = index;
}

int zgi_inbox_send(struct zgi_inbox *inbox, const struct zgi_message *message)
{
	uint64_t position = __atomic_load_n(&inbox->send_position, __ATOMIC_RELAXED);

	for (;;) {
		struct zgi_inbox_cell *cell = &inbox->cells[position & inbox->mask];
		uint64_t sequence = __atomic_load_n(&cell->sequence, __ATOMIC_ACQUIRE);

		if (sequence < position)
			return -EAGAIN;
		if (sequence > position) {
			position = __atomic_load_n(&inbox->send_position, __ATOMIC_RELAXED);
			continue;
		}
		if (!__atomic_compare_exchange_n(&inbox->send_position, &position, position + 1,
						 true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			continue;
		cell->message = *message;
		__atomic_store_n(&cell->sequence, position + 1, __ATOMIC_RELEASE);
		return 0;
	}
}

bool zgi_inbox_receive(struct zgi_inbox *inbox, struct zgi_message *ret_message)
{
	uint64_t position = inbox->receive_position;
	struct zgi_inbox_cell *cell = &inbox->cells[position & inbox->mask];

	if (__atomic_load_n(&cell->sequence, __ATOMIC_ACQUIRE) != position + 1)
		return false;
	*ret_message = cell->message;
	__atomic_store_n(&cell->sequence, position + inbox->mask + 1, __ATOMIC_RELEASE);
	inbox->receive_position = position + 1;
	return true;
}
