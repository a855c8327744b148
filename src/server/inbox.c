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

void zgi_inbox_init(struct zgi_inbox *inbox, const struct zgi_inbox_options *options)
{
	zg_assert((options->cell_count & (options->cell_count - 1)) == 0);
	zg_assert(options->post_count_max <= options->cell_count);
	*inbox = (struct zgi_inbox){
		.cells = options->cells,
		.mask = options->cell_count - 1,
		.post_count_max = options->post_count_max,
	};
	for (uint64_t index = 0; index < options->cell_count; index++)
		options->cells[index].sequence = index;
}

static int inbox_put(struct zgi_inbox *inbox, const struct zgi_message *message)
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

int zgi_inbox_send(struct zgi_inbox *inbox, const struct zgi_message *message)
{
	int result;

	if (!zgi_message_is_post(message))
		return inbox_put(inbox, message);
	/* Counted before it is there, so that the count is never too small. */
	if (__atomic_fetch_add(&inbox->post_count, 1, __ATOMIC_RELAXED) >= inbox->post_count_max)
		result = -EAGAIN;
	else
		result = inbox_put(inbox, message);
	if (result < 0)
		__atomic_fetch_sub(&inbox->post_count, 1, __ATOMIC_RELAXED);
	return result;
}

/*
 * Who finds the mark set has set it again by that, and it was not yet taken away: the receiver who
 * takes it away reads what was written last, and so sees all that was sent before.
 */
bool zgi_inbox_must_wake(struct zgi_inbox *inbox)
{
	return __atomic_exchange_n(&inbox->is_woken, 1, __ATOMIC_ACQ_REL) == 0;
}

void zgi_inbox_look(struct zgi_inbox *inbox)
{
	(void)__atomic_exchange_n(&inbox->is_woken, 0, __ATOMIC_ACQ_REL);
}

bool zgi_inbox_is_empty(const struct zgi_inbox *inbox)
{
	uint64_t position = inbox->receive_position;
	const struct zgi_inbox_cell *cell = &inbox->cells[position & inbox->mask];

	return __atomic_load_n(&cell->sequence, __ATOMIC_ACQUIRE) != position + 1;
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
	if (zgi_message_is_post(ret_message))
		__atomic_fetch_sub(&inbox->post_count, 1, __ATOMIC_RELAXED);
	return true;
}
