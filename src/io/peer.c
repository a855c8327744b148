/*
 * Addresses of peers: 24 bytes instead of the 128 that a socket's address may have.
 */
#include "io/peer.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/assert.h"

static_assert(sizeof(struct zg_peer) == 24, "a connection's share of the table");

static void peer_read_ipv4(const void *address, struct zg_peer *ret_peer)
{
	struct sockaddr_in ipv4;

	memcpy(&ipv4, address, sizeof(ipv4));
	ret_peer->family = ZG_PEER_IPV4;
	ret_peer->port = ntohs(ipv4.sin_port);
	memcpy(ret_peer->address, &ipv4.sin_addr, 4);
}

/* A socket for both families tells an IPv4 address as an IPv6 one (RFC 4291, section 2.5.5.2). */
static void peer_read_ipv6(const void *address, struct zg_peer *ret_peer)
{
	struct sockaddr_in6 ipv6;

	memcpy(&ipv6, address, sizeof(ipv6));
	ret_peer->port = ntohs(ipv6.sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&ipv6.sin6_addr)) {
		ret_peer->family = ZG_PEER_IPV4;
		memcpy(ret_peer->address, ipv6.sin6_addr.s6_addr + 12, 4);
		return;
	}
	ret_peer->family = ZG_PEER_IPV6;
	ret_peer->scope = ipv6.sin6_scope_id;
	memcpy(ret_peer->address, &ipv6.sin6_addr, 16);
}

void zgi_peer_read(const void *address, size_t size, struct zg_peer *ret_peer)
{
	sa_family_t family = AF_UNSPEC;

	if (size >= sizeof(family))
		memcpy(&family, (const char *)address + offsetof(struct sockaddr, sa_family),
		       sizeof(family));
	*ret_peer = (struct zg_peer){.family = ZG_PEER_UNKNOWN};
	if (family == AF_INET && size >= sizeof(struct sockaddr_in))
		peer_read_ipv4(address, ret_peer);
	else if (family == AF_INET6 && size >= sizeof(struct sockaddr_in6))
		peer_read_ipv6(address, ret_peer);
	else if (family == AF_UNIX)
		ret_peer->family = ZG_PEER_UNIX;
}

void zg_peer_print(const struct zg_peer *peer, struct zg_text *text)
{
	char host[INET6_ADDRSTRLEN];

	switch ((enum zg_peer_family)peer->family) {
	case ZG_PEER_IPV4:
		zg_assert(inet_ntop(AF_INET, peer->address, host, sizeof(host)) != NULL);
		zg_text_print(text, "%s:%u", host, peer->port);
		return;
	case ZG_PEER_IPV6:
		zg_assert(inet_ntop(AF_INET6, peer->address, host, sizeof(host)) != NULL);
		if (peer->scope != 0)
			zg_text_print(text, "[%s%%%u]:%u", host, peer->scope, peer->port);
		else
			zg_text_print(text, "[%s]:%u", host, peer->port);
		return;
	case ZG_PEER_UNIX:
		zg_text_append(text, ZG_SLICE("unix"));
		return;
	case ZG_PEER_UNKNOWN:
		break;
	}
	zg_text_append(text, ZG_SLICE("unknown"));
}
