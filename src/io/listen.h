/*
 * Listen: addresses as people write them, and the sockets made of them.
 */
#ifndef ZEROG_IO_LISTEN_H
#define ZEROG_IO_LISTEN_H

#include <stdint.h>
#include <sys/socket.h>

#include <zerog/attributes.h>
#include <zerog/text.h>

struct zgi_address {
	struct sockaddr_storage storage;
	socklen_t size;
};

/**
 * zgi_address_parse() - read "127.0.0.1:60000", "[::1]:60000", ":60000" or "unix:/path"
 * @text:         NUL-terminated; ":PORT" is every IPv4 address; numbers only, no names
 * @ret_address:  untouched on failure
 * @ret_error:    on failure, one sentence that says what is wrong and what is taken
 *
 * Return: 0; -EINVAL.
 */
ZG_MUST_USE int zgi_address_parse(const char *text, struct zgi_address *ret_address,
				  struct zg_text *ret_error);

/**
 * zgi_address_format() - an address as zgi_address_parse() reads it
 * @address:  any
 * @text:     appended to
 */
void zgi_address_format(const struct zgi_address *address, struct zg_text *text);

/**
 * zgi_listen() - listening sockets for a number of shards
 * @address:    IP: one socket a shard, with SO_REUSEPORT; port 0 is replaced by the port that was
 *              got. Unix: one socket that all entries share (a stale file of ours is replaced,
 *              a live one is refused)
 * @backlog:    connections
 * @ret_fds:    the caller's array of fd_count; non-blocking, close-on-exec; untouched on failure
 * @fd_count:   at least 1
 * @ret_error:  on failure, one sentence that names the address and the remedy
 *
 * For IP another process listening on the same address is refused, not joined.
 *
 * Return: 0; -errno (-EADDRINUSE, -EACCES, -EADDRNOTAVAIL …).
 */
ZG_MUST_USE int zgi_listen(struct zgi_address *address, int backlog, int *ret_fds,
			   uint32_t fd_count, struct zg_text *ret_error);

/**
 * zgi_unlisten() - close what zgi_listen() opened; a Unix socket's file is removed
 * @address:   as it was given
 * @fds:       fd_count of them
 * @fd_count:  as it was given
 */
void zgi_unlisten(const struct zgi_address *address, const int *fds, uint32_t fd_count);

#endif
