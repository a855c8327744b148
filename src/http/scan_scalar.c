/*
 * The scans, a byte at a time: what runs where there is nothing better, and the
 * twin that every faster variant is tested against.
 */
#include "http/bytes.h"
#include "http/scan.h"

static size_t scan_scalar(const char *data, size_t size, enum zgi_http_byte kind)
{
	size_t offset = 0;

	while (offset < size && zgi_http_byte_is(data[offset], kind))
		offset++;
	return offset;
}

static size_t scan_scalar_value_end(const char *data, size_t size)
{
	return scan_scalar(data, size, ZGI_HTTP_BYTE_VALUE);
}

static size_t scan_scalar_target_end(const char *data, size_t size)
{
	return scan_scalar(data, size, ZGI_HTTP_BYTE_TARGET);
}

static size_t scan_scalar_token_end(const char *data, size_t size)
{
	return scan_scalar(data, size, ZGI_HTTP_BYTE_TOKEN);
}

const struct zgi_http_scan zgi_http_scan_scalar = {
	.name = "scalar",
	.value_end = scan_scalar_value_end,
	.target_end = scan_scalar_target_end,
	.token_end = scan_scalar_token_end,
};

struct zgi_http_scan zgi_http_scan = {
	.name = "scalar",
	.value_end = scan_scalar_value_end,
	.target_end = scan_scalar_target_end,
	.token_end = scan_scalar_token_end,
};
