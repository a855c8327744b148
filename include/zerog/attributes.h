/*
 * Attributes: the compiler hints that the public headers share.
 */
#ifndef ZEROG_ATTRIBUTES_H
#define ZEROG_ATTRIBUTES_H

#define ZG_MUST_USE __attribute__((warn_unused_result))
#define ZG_PRINTF(format_index, first_argument) \
	__attribute__((format(printf, format_index, first_argument)))
#define ZG_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define ZG_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
/* A function of a header that is to leave no trace of itself: not a call, and not a name unused. */
#define ZG_INLINE static inline __attribute__((always_inline, unused))

#ifdef __cplusplus
#define ZG_STATIC_ASSERT(condition, text) static_assert(condition, text)
#define ZG_BEGIN_DECLS extern "C" {
#define ZG_END_DECLS }
#else
#define ZG_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#define ZG_BEGIN_DECLS
#define ZG_END_DECLS
#endif

#endif
