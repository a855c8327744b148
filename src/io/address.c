/*
 * Addresses as people write them on a command line, and back again.
 *
 * Numbers only: a name would need a resolver, which takes memory and time that
 * nobody planned.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/assert.h"
#include "io/listen.h"

#define ADDRESS_TAKEN "\"127.0.0.1:60000\", \"[::1]:60000\", \":60000\" or \"unix:/path\""

static const char address_unix_prefix[] = "unix:";

static int address_fail(const char *text, const char *fault, struct zg_text *ret_error)
{
	zg_text_print(ret_error, "\"%s\" is no address: %s; taken is " ADDRESS_TAKEN, text, fault);
	return -EINVAL;
}

/* 1 to 5 digits, at most 65535. */
static int address_parse_port(const char *text, in_port_t *ret_port)
{
	size_t size = strspn(text, "0123456789");
	unsigned long port;

	if (size == 0 || size > 5 || text[size] != '\0')
		return -EINVAL;
	port = strtoul(text, NULL, 10);
	if (port > UINT16_MAX)
		return -EINVAL;
	*ret_port = htons((uint16_t)port);
	return 0;
}

static int address_parse_unix(const char *text, struct zgi_address *ret_address,
			      struct zg_text *ret_error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = text + sizeof(address_unix_prefix) - 1;
	size_t size = strlen(path);

	if (size == 0)
		return address_fail(text, "the path is missing", ret_error);
	if (size >= sizeof(address.sun_path)) {
		zg_text_print(ret_error,
			      "\"%s\" is no address: its path has %zu bytes, and %zu are allowed",
			      text, size, sizeof(address.sun_path) - 1);
		return -EINVAL;
	}
	memcpy(address.sun_path, path, size);
	memset(ret_address, 0, sizeof(*ret_address));
	memcpy(&ret_address->storage, &address, sizeof(address));
	ret_address->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + 1);
	return 0;
}

/* The part before the port, without brackets, NUL-terminated: room for any IPv6 address. */
struct address_host {
	char text[INET6_ADDRSTRLEN];
	bool is_bracketed;
};

static int address_split(const char *text, struct address_host *ret_host, const char **ret_port)
{
	const char *colon = strrchr(text, ':');
	const char *start = text;
	size_t size;

	if (!colon)
		return -EINVAL;
	size = (size_t)(colon - text);
	ret_host->is_bracketed = size >= 2 && text[0] == '[' && text[size - 1] == ']';
	if (ret_host->is_bracketed) {
		start++;
		size -= 2;
	}
	if (size >= sizeof(ret_host->text))
		return -EINVAL;
	memcpy(ret_host->text, start, size);
	ret_host->text[size] = '\0';
	*ret_port = colon + 1;
	return 0;
}

int zgi_address_parse(const char *text, struct zgi_address *ret_address, struct zg_text *ret_error)
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};
	struct address_host host;
	const char *port_text;
	in_port_t port;

	zg_assert(text);
	if (strncmp(text, address_unix_prefix, sizeof(address_unix_prefix) - 1) == 0)
		return address_parse_unix(text, ret_address, ret_error);
	if (address_split(text, &host, &port_text) < 0)
		return address_fail(text, "it has no \":PORT\" after a numeric address", ret_error);
	if (address_parse_port(port_text, &port) < 0)
		return address_fail(text, "the port is no number from 0 to 65535", ret_error);
	if (host.is_bracketed) {
		if (inet_pton(AF_INET6, host.text, &ipv6.sin6_addr) != 1)
			return address_fail(text, "the brackets hold no IPv6 address", ret_error);
		ipv6.sin6_port = port;
		memset(ret_address, 0, sizeof(*ret_address));
		memcpy(&ret_address->storage, &ipv6, sizeof(ipv6));
		ret_address->size = sizeof(ipv6);
		return 0;
	}
	if (host.text[0] != '\0' && inet_pton(AF_INET, host.text, &ipv4.sin_addr) != 1)
		return address_fail(text,
				    strchr(host.text, ':') ? "an IPv6 address needs brackets"
							   : "names are not resolved",
				    ret_error);
	ipv4.sin_port = port;
	memset(ret_address, 0, sizeof(*ret_address));
	memcpy(&ret_address->storage, &ipv4, sizeof(ipv4));
	ret_address->size = sizeof(ipv4);
	return 0;
}

void zgi_address_format(const struct zgi_address *address, struct zg_text *text)
{
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address->storage;
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address->storage;
	const struct sockaddr_un *local = (const struct sockaddr_un *)&address->storage;
	char host[INET6_ADDRSTRLEN];

	switch (address->storage.ss_family) {
	case AF_INET:
		zg_assert(inet_ntop(AF_INET, &ipv4->sin_addr, host, sizeof(host)));
		zg_text_print(text, "%s:%u", host, ntohs(ipv4->sin_port));
		break;
	case AF_INET6:
		zg_assert(inet_ntop(AF_INET6, &ipv6->sin6_addr, host, sizeof(host)));
		zg_text_print(text, "[%s]:%u", host, ntohs(ipv6->sin6_port));
		break;
	default:
		zg_assert(address->storage.ss_family == AF_UNIX);
		zg_text_print(text, "unix:%s", local->sun_path);
		break;
	}
}
