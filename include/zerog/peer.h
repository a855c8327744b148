/*
 * Peer: where a connection comes from.
 *
 * Addresses are kept when they are asked for (--peer-addresses on, or
 * app.options.peer_addresses): 24 bytes a connection. Behind a proxy the peer is
 * the proxy.
 *
 * Ownership  Copied to the caller.
 * Threads    On the thread of the exchange's shard.
 */
#ifndef ZEROG_PEER_H
#define ZEROG_PEER_H

#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/exchange.h>
#include <zerog/text.h>

ZG_BEGIN_DECLS

enum zg_peer_family {
	ZG_PEER_UNKNOWN,
	ZG_PEER_IPV4, /* an address that IPv6 carries (::ffff:192.0.2.1) among them */
	ZG_PEER_IPV6,
	ZG_PEER_UNIX, /* which has no address worth telling */
};

struct zg_peer {
	uint8_t family; /* enum zg_peer_family */
	uint8_t reserved; /* 0 */
	uint16_t port; /* in the machine's order of bytes; 0 for none */
	uint32_t scope; /* of a link-local IPv6 address: the number of the interface; else 0 */
	uint8_t address[16]; /* in the network's order; IPv4 has the first 4, the others are 0 */
};

/**
 * zg_request_peer() - where the request's connection comes from
 * @x:         the handler's, middleware's or a hook's
 * @ret_peer:  untouched on failure
 *
 * Return: 0; -EOPNOTSUPP when addresses are not kept (--peer-addresses off).
 */
ZG_MUST_USE int zg_request_peer(const struct zg_exchange *x, struct zg_peer *ret_peer);

/**
 * zg_peer_print() - append an address as text
 * @peer:  of zg_request_peer() or a hook
 * @text:  appended to: "192.0.2.1:50000", "[2001:db8::1]:50000", "unix" or "unknown"
 *
 * Any thread.
 */
void zg_peer_print(const struct zg_peer *peer, struct zg_text *text);

ZG_END_DECLS

#endif
