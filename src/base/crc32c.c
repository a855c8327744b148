/*
 * CRC32C by instruction (SSE4.2, or the CRC extension of aarch64), or by eight tables that take
 * eight bytes a step.
 *
 * A checksum is linear: that of a byte is the exclusive or of those of its bits. So each table is
 * written down as eight numbers, one a bit, and the compiler makes its 256 entries of them: they
 * are constants, shared between processes, and nothing has to be set up at boot.
 */
#include "base/crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "base/assert.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are taken as they lie");

#define CRC_BIT(i, bit, value) (((i) >> (bit)&1) != 0 ? (value) : UINT32_C(0))
#define CRC_1(i, a, b, c, d, e, f, g, h)                                             \
	(CRC_BIT(i, 0, a) ^ CRC_BIT(i, 1, b) ^ CRC_BIT(i, 2, c) ^ CRC_BIT(i, 3, d) ^ \
	 CRC_BIT(i, 4, e) ^ CRC_BIT(i, 5, f) ^ CRC_BIT(i, 6, g) ^ CRC_BIT(i, 7, h))
#define CRC_4(i, ...)                                                                    \
	CRC_1(i, __VA_ARGS__), CRC_1((i) + 1, __VA_ARGS__), CRC_1((i) + 2, __VA_ARGS__), \
		CRC_1((i) + 3, __VA_ARGS__)
#define CRC_16(i, ...)                                                                   \
	CRC_4(i, __VA_ARGS__), CRC_4((i) + 4, __VA_ARGS__), CRC_4((i) + 8, __VA_ARGS__), \
		CRC_4((i) + 12, __VA_ARGS__)
#define CRC_64(i, ...)                                                                        \
	CRC_16(i, __VA_ARGS__), CRC_16((i) + 16, __VA_ARGS__), CRC_16((i) + 32, __VA_ARGS__), \
		CRC_16((i) + 48, __VA_ARGS__)
#define CRC_TABLE(...)                                                                     \
	{                                                                                  \
		CRC_64(0, __VA_ARGS__), CRC_64(64, __VA_ARGS__), CRC_64(128, __VA_ARGS__), \
			CRC_64(192, __VA_ARGS__)                                           \
	}

/* Table n has the checksum of a byte with n zeros behind it. */
static const uint32_t crc_tables[8][256] = {
	CRC_TABLE(0xF26B8303, 0xE13B70F7, 0xC79A971F, 0x8AD958CF, 0x105EC76F, 0x20BD8EDE,
		  0x417B1DBC, 0x82F63B78),
	CRC_TABLE(0x13A29877, 0x274530EE, 0x4E8A61DC, 0x9D14C3B8, 0x3FC5F181, 0x7F8BE302,
		  0xFF17C604, 0xFBC3FAF9),
	CRC_TABLE(0xA541927E, 0x4F6F520D, 0x9EDEA41A, 0x38513EC5, 0x70A27D8A, 0xE144FB14,
		  0xC76580D9, 0x8B277743),
	CRC_TABLE(0xDD45AAB8, 0xBF672381, 0x7B2231F3, 0xF64463E6, 0xE964B13D, 0xD725148B,
		  0xABA65FE7, 0x52A0C93F),
	CRC_TABLE(0x38116FAC, 0x7022DF58, 0xE045BEB0, 0xC5670B91, 0x8F2261D3, 0x1BA8B557,
		  0x37516AAE, 0x6EA2D55C),
	CRC_TABLE(0xEF306B19, 0xDB8CA0C3, 0xB2F53777, 0x6006181F, 0xC00C303E, 0x85F4168D,
		  0x0E045BEB, 0x1C08B7D6),
	CRC_TABLE(0x68032CC8, 0xD0065990, 0xA5E0C5D1, 0x4E2DFD53, 0x9C5BFAA6, 0x3D5B83BD,
		  0x7AB7077A, 0xF56E0EF4),
	CRC_TABLE(0x493C7D27, 0x9278FA4E, 0x211D826D, 0x423B04DA, 0x847609B4, 0x0D006599,
		  0x1A00CB32, 0x34019664),
};

static uint64_t crc_load64(const unsigned char *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

static uint32_t crc_step(uint64_t word)
{
	uint32_t crc = 0;

	for (unsigned int index = 0; index < 8; index++)
		crc ^= crc_tables[7 - index][word >> (8 * index) & 0xFF];
	return crc;
}

uint32_t zgi_crc32c_portable(uint32_t seed, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;
	uint32_t crc = ~seed;

	zg_assert(bytes != NULL || size == 0);
	for (; size >= 8; size -= 8, at += 8)
		crc = crc_step(crc_load64(at) ^ crc);
	for (; size > 0; size--, at++)
		crc = crc >> 8 ^ crc_tables[0][(crc ^ *at) & 0xFF];
	return ~crc;
}

#if defined(__x86_64__)

bool zgi_crc32c_is_hardware(void)
{
	return __builtin_cpu_supports("sse4.2");
}

static __attribute__((target("sse4.2"))) uint32_t crc_hardware(uint32_t seed,
							       const unsigned char *at, size_t size)
{
	uint64_t crc = (uint32_t)~seed;

	for (; size >= 8; size -= 8, at += 8)
		crc = _mm_crc32_u64(crc, crc_load64(at));
	for (; size > 0; size--, at++)
		crc = _mm_crc32_u8((uint32_t)crc, *at);
	return ~(uint32_t)crc;
}

#elif defined(__aarch64__)

bool zgi_crc32c_is_hardware(void)
{
	return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
}

static uint32_t crc_hardware(uint32_t seed, const unsigned char *at, size_t size)
{
	uint32_t crc = ~seed;

	for (; size >= 8; size -= 8, at += 8)
		__asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1"
			: "+r"(crc)
			: "r"(crc_load64(at)));
	for (; size > 0; size--, at++)
		__asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1"
			: "+r"(crc)
			: "r"((uint32_t)*at));
	return ~crc;
}

#else

bool zgi_crc32c_is_hardware(void)
{
	return false;
}

static uint32_t crc_hardware(uint32_t seed, const unsigned char *at, size_t size)
{
	return zgi_crc32c_portable(seed, at, size);
}

#endif

uint32_t zgi_crc32c(uint32_t seed, const void *bytes, size_t size)
{
	zg_assert(bytes != NULL || size == 0);
	if (ZG_LIKELY(zgi_crc32c_is_hardware()))
		return crc_hardware(seed, bytes, size);
	return zgi_crc32c_portable(seed, bytes, size);
}
