/*
 * Parser cases: requests, and what the RFCs say about them.
 */
#ifndef ZEROG_HTTP_PARSER_CASES_H
#define ZEROG_HTTP_PARSER_CASES_H

#include <stddef.h>
#include <stdint.h>

#include <zerog/slice.h>

struct parser_case {
	const char *name; /* the rule, with its section */
	struct zg_slice raw;
	const char *expected; /* as parser_test.c renders an outcome */
	uint32_t head_size_max; /* bytes; 0: 8192 */
	uint32_t fields_max; /* 0: 64 */
};

extern const struct parser_case parser_cases[];
extern const size_t parser_case_count;

#endif
