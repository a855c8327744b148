/*
 * Guest check: is the guest heap large enough for what its guests may have at once?
 */
#ifndef ZEROG_SERVER_GUEST_CHECK_H
#define ZEROG_SERVER_GUEST_CHECK_H

#include <stdint.h>

#include <zerog/options.h>

/**
 * zgi_guest_check() - hold the guest heap against what was said of its guests
 * @options:        --guest-live-size-max and --guest-block-size-max are read
 * @heap_size:      bytes of the guest heap; 0 when there is none
 * @ret_sentence:   appended to: what was found, or why it is refused; nothing when nothing was said
 *
 * A heap that cannot hold what is taken at once is refused. One that some order of takes and gives
 * could break up is not, and the sentence says so: the worst case takes an adversary, and holding
 * out against it a heap several times as large.
 *
 * Return: 0; -EINVAL when guests are spoken of and there is no heap for them; -ENOMEM when the heap
 * is too small.
 */
ZG_MUST_USE int zgi_guest_check(const struct zg_options *options, uint64_t heap_size,
				struct zg_text *ret_sentence);

#endif
