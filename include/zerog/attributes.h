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

#ifdef __cplusplus
#define ZG_BEGIN_DECLS extern "C" {
#define ZG_END_DECLS }
#else
#define ZG_BEGIN_DECLS
#define ZG_END_DECLS
#endif

#endif
