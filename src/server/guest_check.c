/*
 * The guests' malloc cannot move their blocks, so how large their heap has to be is more than
 * how much they have: see zg_plan_robson_bound().
 */
#include "server/guest_check.h"

#include <errno.h>
#include <inttypes.h>

#include <zerog/plan.h>

#define GUEST_BLOCK_SIZE_MIN 16 /* bytes; what a malloc's alignment makes of the smallest */

int zgi_guest_check(const struct zg_options *options, uint64_t heap_size,
		    struct zg_text *ret_sentence)
{
	struct zg_plan_heap heap = {
		.size = heap_size,
		.live_size_max = options->guest_live_size_max,
		.size_min = GUEST_BLOCK_SIZE_MIN,
		.size_max = options->guest_block_size_max,
	};

	if (heap.live_size_max == 0)
		return 0;
	if (heap_size == 0) {
		zg_text_print(ret_sentence,
			      "--guest-live-size-max %" PRIu64
			      " is about a guest heap, and there is none: set --guest-heap-size",
			      heap.live_size_max);
		return -EINVAL;
	}
	if (heap.size < heap.live_size_max) {
		zg_text_print(ret_sentence,
			      "--guest-heap-size %" PRIu64 " is less than --guest-live-size-max "
			      "%" PRIu64 ": raise the one or lower the other",
			      heap.size, heap.live_size_max);
		return -ENOMEM;
	}
	/* No block is larger than all that may be taken at once. */
	if (heap.size_max > heap.live_size_max)
		heap.size_max = heap.live_size_max;
	if (heap.size_max < heap.size_min)
		heap.size_max = heap.size_min;
	zg_text_print(ret_sentence, "The guest heap's ");
	(void)zg_plan_check_heap(&heap, ret_sentence);
	zg_text_print(ret_sentence, ".");
	return 0;
}
