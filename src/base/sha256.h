/*
 * SHA-256: what keys are kept as, so that who reads our memory reads no key.
 */
#ifndef ZEROG_BASE_SHA256_H
#define ZEROG_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define ZGI_SHA256_SIZE 32 /* bytes of a digest */

/**
 * zgi_sha256() - the digest of bytes that are all there
 * @bytes:       may be NULL when @size is 0
 * @size:        bytes
 * @ret_digest:  ZGI_SHA256_SIZE bytes
 *
 * Keeps nothing of the bytes on the stack. Any thread; makes no allocation. Source: FIPS 180-4.
 */
void zgi_sha256(const void *bytes, size_t size, uint8_t ret_digest[ZGI_SHA256_SIZE]);

#endif
