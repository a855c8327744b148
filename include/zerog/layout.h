/*
 * Layout: which fields of a struct share a cache line, said and checked.
 *
 * Memory moves in lines of 64 bytes. A struct that many requests touch keeps its
 * hot fields together, so that one miss brings them all, and its cold ones after
 * them; what one thread writes stays off the lines that another reads.
 *
 *	struct queue {
 *		uint32_t head;                    hot: it stands before any mark
 *		uint32_t tail;
 *		zg_hot(peer);
 *		alignas(ZG_LINE_SIZE) uint32_t given;
 *		zg_cold(boot);
 *		const char *name;
 *	};
 *
 *	ZG_ON_ONE_LINE(struct queue, head, tail);
 *	ZG_LINE_STARTS(struct queue, given);
 *
 * A mark takes no room. It begins a group that ends at the next mark; a struct that
 * has marks begins with a hot group. `./dev layout` draws them, from the debugging
 * information, and fails when a hot group lies on more lines than it needs to.
 *
 * The checks suppose that the struct itself begins a line: what alignas(ZG_LINE_SIZE)
 * on a field sees to, or whoever places it.
 */
#ifndef ZEROG_LAYOUT_H
#define ZEROG_LAYOUT_H

#include <stddef.h>

/* Bytes that travel together between the caches: x86-64, and aarch64 but for a few. */
#define ZG_LINE_SIZE 64

#ifdef __cplusplus
/* C++ knows no members without size; the place is the same without them. */
#define zg_hot(name) static_assert(true, #name)
#define zg_cold(name) static_assert(true, #name)
#define ZG_LAYOUT_ASSERT(condition, message) static_assert(condition, message)
#else
#define zg_hot(name) __extension__ char zg_hot_##name[0]
#define zg_cold(name) __extension__ char zg_cold_##name[0]
#define ZG_LAYOUT_ASSERT(condition, message) _Static_assert(condition, message)
#endif

/* The offset of a field's last byte. */
#define ZG_LAYOUT_LAST(type, field) (offsetof(type, field) + sizeof(((type *)0)->field) - 1)

/**
 * ZG_ON_LINES() - the fields from @first to @last lie on at most @count lines
 * @type:   of a struct
 * @first:  the group's first field
 * @last:   its last field
 * @count:  lines
 */
#define ZG_ON_LINES(type, first, last, count)                                   \
	ZG_LAYOUT_ASSERT(ZG_LAYOUT_LAST(type, last) / ZG_LINE_SIZE -            \
					 offsetof(type, first) / ZG_LINE_SIZE < \
				 (count),                                       \
			 "from " #first " to " #last " is more than " #count " line(s)")

/** ZG_ON_ONE_LINE() - the fields from @first to @last share one line */
#define ZG_ON_ONE_LINE(type, first, last) ZG_ON_LINES(type, first, last, 1)

/** ZG_LINE_STARTS() - a line begins with this field */
#define ZG_LINE_STARTS(type, field) \
	ZG_LAYOUT_ASSERT(offsetof(type, field) % ZG_LINE_SIZE == 0, #field " begins no line")

/** ZG_LINES_APART() - no line has bytes of both fields; @first stands before @second */
#define ZG_LINES_APART(type, first, second)                             \
	ZG_LAYOUT_ASSERT(ZG_LAYOUT_LAST(type, first) / ZG_LINE_SIZE <   \
				 offsetof(type, second) / ZG_LINE_SIZE, \
			 #first " and " #second " share a line")

/** ZG_WHOLE_LINES() - an array of these shares no line between two of them */
#define ZG_WHOLE_LINES(type) \
	ZG_LAYOUT_ASSERT(sizeof(type) % ZG_LINE_SIZE == 0, #type " ends within a line")

/** ZG_DIVIDES_LINE() - an array of these has none that lies on two lines */
#define ZG_DIVIDES_LINE(type) \
	ZG_LAYOUT_ASSERT(ZG_LINE_SIZE % sizeof(type) == 0, #type " may straddle two lines")

#endif
