/*
 * SHA-256 as FIPS 180-4 writes it down, section by section, in plain C: keys are a
 * few dozen bytes, and a library for them would be larger than all the rest.
 * No branch and no index depends on the bytes, so the time does not either.
 */
#include "base/sha256.h"

#include <string.h>

#define SHA256_BLOCK_SIZE 64
#define SHA256_LENGTH_SIZE 8

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes (4.2.2). */
static const uint32_t sha256_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2};

static uint32_t sha256_rotate(uint32_t word, unsigned int count)
{
	return word >> count | word << (32 - count);
}

/* The message schedule (6.2.2, step 1). */
static void sha256_schedule(const uint8_t *block, uint32_t words[64])
{
	for (size_t index = 0; index < 16; index++)
		words[index] = (uint32_t)block[4 * index] << 24 |
			       (uint32_t)block[4 * index + 1] << 16 |
			       (uint32_t)block[4 * index + 2] << 8 | block[4 * index + 3];
	for (size_t index = 16; index < 64; index++) {
		uint32_t early = words[index - 15];
		uint32_t late = words[index - 2];

		words[index] = words[index - 16] + words[index - 7] +
			       (sha256_rotate(early, 7) ^ sha256_rotate(early, 18) ^ early >> 3) +
			       (sha256_rotate(late, 17) ^ sha256_rotate(late, 19) ^ late >> 10);
	}
}

/* One block (6.2.2, steps 2 to 4): the letters a to h of the standard are state[0] to state[7]. */
static void sha256_block(uint32_t hash[8], const uint8_t *block)
{
	uint32_t words[64];
	uint32_t state[8];

	sha256_schedule(block, words);
	memcpy(state, hash, sizeof(state));
	for (size_t index = 0; index < 64; index++) {
		uint32_t e = state[4];
		uint32_t a = state[0];
		uint32_t first =
			state[7] +
			(sha256_rotate(e, 6) ^ sha256_rotate(e, 11) ^ sha256_rotate(e, 25)) +
			((e & state[5]) ^ (~e & state[6])) + sha256_constants[index] + words[index];
		uint32_t second =
			(sha256_rotate(a, 2) ^ sha256_rotate(a, 13) ^ sha256_rotate(a, 22)) +
			((a & state[1]) ^ (a & state[2]) ^ (state[1] & state[2]));

		memmove(state + 1, state, 7 * sizeof(state[0]));
		state[4] += first;
		state[0] = first + second;
	}
	for (size_t index = 0; index < 8; index++)
		hash[index] += state[index];
	explicit_bzero(words, sizeof(words));
	explicit_bzero(state, sizeof(state));
}

/* What is left of the message, a bit, zeros, and the length in bits (5.1.1): one block or two. */
static void sha256_last(uint32_t hash[8], const uint8_t *bytes, size_t rest_size, uint64_t size)
{
	uint8_t blocks[2 * SHA256_BLOCK_SIZE] = {0};
	size_t end = rest_size + 1 + SHA256_LENGTH_SIZE <= SHA256_BLOCK_SIZE
			     ? SHA256_BLOCK_SIZE
			     : 2 * SHA256_BLOCK_SIZE;

	if (rest_size > 0)
		memcpy(blocks, bytes, rest_size);
	blocks[rest_size] = 0x80;
	for (size_t index = 0; index < SHA256_LENGTH_SIZE; index++)
		blocks[end - 1 - index] = (uint8_t)(size * 8 >> (8 * index));
	sha256_block(hash, blocks);
	if (end > SHA256_BLOCK_SIZE)
		sha256_block(hash, blocks + SHA256_BLOCK_SIZE);
	explicit_bzero(blocks, sizeof(blocks));
}

void zgi_sha256(const void *bytes, size_t size, uint8_t ret_digest[ZGI_SHA256_SIZE])
{
	/* Of the square roots of the first eight primes (5.3.3). */
	uint32_t hash[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
			    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	const uint8_t *octets = bytes;
	size_t used = 0;

	for (; size - used >= SHA256_BLOCK_SIZE; used += SHA256_BLOCK_SIZE)
		sha256_block(hash, octets + used);
	sha256_last(hash, size > used ? octets + used : NULL, size - used, size);
	for (size_t index = 0; index < ZGI_SHA256_SIZE; index++)
		ret_digest[index] = (uint8_t)(hash[index / 4] >> (24 - 8 * (index % 4)));
}
