/*
 * CRC32C: the checksum of what is kept on a disk or in persistent memory.
 *
 * Castagnoli's polynomial, as iSCSI, ext4 and SCTP use it (RFC 3720, section 12.1). Processors
 * have an instruction for it; where there is none a table does the same.
 */
#ifndef ZEROG_BASE_CRC32C_H
#define ZEROG_BASE_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * zgi_crc32c() - the checksum of some bytes, or of bytes that follow others
 * @seed:   0 at first; else the checksum of the bytes before these
 * @bytes:  at any address; may be NULL when @size is 0
 * @size:   bytes
 *
 * Return: the checksum. It is 0 of no bytes, and not 0 of zeros. Any thread; makes no allocation.
 */
uint32_t zgi_crc32c(uint32_t seed, const void *bytes, size_t size);

/**
 * zgi_crc32c_portable() - the same by table, whatever the processor has
 *
 * As zgi_crc32c(), which takes it where the processor has no instruction; tests compare the two.
 */
uint32_t zgi_crc32c_portable(uint32_t seed, const void *bytes, size_t size);

/**
 * zgi_crc32c_is_hardware() - has this processor an instruction for it?
 *
 * Return: true when zgi_crc32c() uses it. Any thread.
 */
bool zgi_crc32c_is_hardware(void);

#endif
