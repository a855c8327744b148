/*
 * What both the reader and the writer of JSON look for in a string: the first byte
 * that does not stand for itself, 16 at a time, and the next character of UTF-8.
 *
 * Unlike the scans of HTTP these are inline: keys and values are short, and a call
 * through a table would cost more than what it finds. 16 bytes are what every
 * processor we run on has without asking.
 */
#ifndef ZEROG_WEB_JSON_SCAN_H
#define ZEROG_WEB_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/* May a byte stand in a string as it is? Bytes of UTF-8 past ASCII must be looked at first. */
static inline bool zgi_json_is_plain(char byte)
{
	unsigned char value = (unsigned char)byte;

	return value >= 0x20 && value < 0x80 && value != '"' && value != '\\';
}

/* How many of 16 bytes are plain before the first that is not. */
#if defined(__x86_64__)
static inline size_t zgi_json_plain_size16(const char *data)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)data);
	/* Signed: bytes of 0x80 and more are negative, so one comparison finds them and controls.
	 */
	__m128i stop = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));

	stop = _mm_or_si128(stop, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
	stop = _mm_or_si128(stop, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
	return (size_t)__builtin_ctz((unsigned int)_mm_movemask_epi8(stop) | 0x10000U);
}
#elif defined(__aarch64__)
static inline size_t zgi_json_plain_size16(const char *data)
{
	uint8x16_t bytes = vld1q_u8((const uint8_t *)data);
	uint8x16_t stop = vcltq_s8(vreinterpretq_s8_u8(bytes), vdupq_n_s8(0x20));
	uint64_t mask;

	stop = vorrq_u8(stop, vceqq_u8(bytes, vdupq_n_u8('"')));
	stop = vorrq_u8(stop, vceqq_u8(bytes, vdupq_n_u8('\\')));
	/* NEON has no movemask: narrowing leaves four bits a byte. */
	mask = vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(stop), 4)), 0);
	return mask != 0 ? (size_t)__builtin_ctzll(mask) / 4 : 16;
}
#else
static inline size_t zgi_json_plain_size16(const char *data)
{
	size_t size = 0;

	while (size < 16 && zgi_json_is_plain(data[size]))
		size++;
	return size;
}
#endif

/* How many bytes are plain before the first that is not. */
static inline size_t zgi_json_plain_size(const char *data, size_t size)
{
	size_t offset = 0;

	for (; size - offset >= 16; offset += 16) {
		size_t plain = zgi_json_plain_size16(data + offset);

		if (plain < 16)
			return offset + plain;
	}
	while (offset < size && zgi_json_is_plain(data[offset]))
		offset++;
	return offset;
}

/* The next character past ASCII: its size, if it is UTF-8 (Unicode, table 3-7). Else the negative
 * size of the bytes that could have begun one, at least 1. */
static inline int zgi_json_utf8_size(const char *data, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)data;
	unsigned char lead = bytes[0];
	unsigned char second_min = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
	unsigned char second_max = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
	int wanted = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

	if (lead < 0xC2 || lead > 0xF4)
		return -1;
	if (size < 2 || bytes[1] < second_min || bytes[1] > second_max)
		return -1;
	for (int index = 2; index < wanted; index++) {
		if (size <= (size_t)index || (bytes[index] & 0xC0) != 0x80)
			return -index;
	}
	return wanted;
}

#endif
