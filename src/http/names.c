/*
 * The words of HTTP: what methods, statuses and faults are called. Each comes from
 * the one list that also numbers it, so that none can be forgotten here.
 */
#include <zerog/http.h>

#include "base/assert.h"
#include "http/request.h"
#include "http/status.h"

struct zg_slice zg_method_name(enum zg_method method)
{
	static const struct zg_slice names[ZG_METHOD_COUNT] = {
#define NAMES_METHOD(name) {#name, sizeof(#name) - 1},
		ZG_METHODS(NAMES_METHOD)
#undef NAMES_METHOD
	};

	zg_assert((unsigned int)method < ZG_METHOD_COUNT);
	return names[method];
}

struct zg_slice zg_status_reason(int status)
{
	switch (status) {
#define NAMES_STATUS(code, phrase) \
	case code:                 \
		return ZG_SLICE(phrase);
		ZGI_HTTP_STATUSES(NAMES_STATUS)
#undef NAMES_STATUS
	default:
		return ZG_SLICE("Unknown");
	}
}

int zgi_http_fault_status(enum zgi_http_fault fault)
{
	static const int statuses[ZGI_HTTP_FAULT_COUNT] = {
#define NAMES_FAULT(name, status, sentence) status,
		ZGI_HTTP_FAULTS(NAMES_FAULT)
#undef NAMES_FAULT
	};

	zg_assert((unsigned int)fault < ZGI_HTTP_FAULT_COUNT);
	return statuses[fault];
}

const char *zgi_http_fault_text(enum zgi_http_fault fault)
{
	static const char *const sentences[ZGI_HTTP_FAULT_COUNT] = {
#define NAMES_FAULT(name, status, sentence) sentence,
		ZGI_HTTP_FAULTS(NAMES_FAULT)
#undef NAMES_FAULT
	};

	zg_assert((unsigned int)fault < ZGI_HTTP_FAULT_COUNT);
	return sentences[fault];
}
