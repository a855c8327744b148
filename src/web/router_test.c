#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "web/router.h"

/* Handlers are only compared here, never called. */
#define HANDLER(name)                                 \
	static int name(struct zg_exchange *x)        \
	{                                             \
		(void)x;                              \
		return #name[0]; /* none is folded */ \
	}

HANDLER(alpha)
HANDLER(beta)
HANDLER(gamma_)

static struct zgi_router *router;
static struct zgi_route_match match;

static int setup(void **state)
{
	(void)state;
	return zgi_router_create(&router);
}

static int teardown(void **state)
{
	(void)state;
	zgi_router_destroy(router);
	return 0;
}

static void add(const char *pattern, zg_handler *handler)
{
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, pattern, handler), 0);
}

static zg_handler *find(enum zg_method method, const char *path)
{
	zgi_router_match(router, method, (struct zg_slice){path, strlen(path)}, &match);
	return match.handler;
}

static zg_handler *get(const char *path)
{
	return find(ZG_METHOD_GET, path);
}

static void assert_parameter(uint32_t index, const char *name, const char *path, const char *value)
{
	struct zg_slice got = {path + match.parameters[index].offset, match.parameters[index].size};
	int named = zgi_router_parameter(&match, (struct zg_slice){name, strlen(name)});

	assert_true(index < match.parameter_count);
	assert_int_equal(named, index);
	assert_int_equal(got.size, strlen(value));
	assert_memory_equal(got.data, value, strlen(value));
}

static void a_static_segment_wins_over_a_parameter(void **state)
{
	(void)state;
	add("/users/{id}", beta);
	add("/users/me", alpha);
	assert_ptr_equal(get("/users/me"), alpha);
	assert_int_equal(match.parameter_count, 0);
	assert_ptr_equal(get("/users/you"), beta);
	assert_parameter(0, "id", "/users/you", "you");
}

static void a_parameter_wins_over_the_rest(void **state)
{
	(void)state;
	add("/files/{path...}", gamma_);
	add("/files/{name}", beta);
	assert_ptr_equal(get("/files/a"), beta);
	assert_ptr_equal(get("/files/a/b"), gamma_);
	assert_parameter(0, "path", "/files/a/b", "a/b");
	assert_int_equal(match.parameter_count, 1);
}

static void a_branch_that_ends_nowhere_is_left_again(void **state)
{
	(void)state;
	add("/a/b/c", alpha);
	add("/a/{x}/d", beta);
	add("/{all...}", gamma_);
	assert_ptr_equal(get("/a/b/d"), beta);
	assert_int_equal(match.parameter_count, 1);
	assert_parameter(0, "x", "/a/b/d", "b");
	assert_ptr_equal(get("/a/b/e"), gamma_);
	assert_int_equal(match.parameter_count, 1);
	assert_parameter(0, "all", "/a/b/e", "a/b/e");
}

static void a_name_makes_no_branch(void **state)
{
	(void)state;
	add("/{a}/x", alpha);
	add("/{b}/y", beta);
	add("/{c}/{rest...}", gamma_);
	assert_ptr_equal(get("/1/x"), alpha);
	assert_parameter(0, "a", "/1/x", "1");
	assert_ptr_equal(get("/1/z"), gamma_);
	assert_parameter(0, "c", "/1/z", "1");
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/{d}/x", beta), -EEXIST);
	assert_ptr_equal(get("/1/y"), beta);
	assert_int_equal(match.parameter_count, 1);
	assert_parameter(0, "b", "/1/y", "1");
}

static void the_rest_may_be_empty_but_has_its_slash(void **state)
{
	(void)state;
	add("/files/{path...}", alpha);
	assert_ptr_equal(get("/files/"), alpha);
	assert_int_equal(match.parameters[0].size, 0);
	assert_null(get("/files"));
}

static void a_parameter_is_not_empty(void **state)
{
	(void)state;
	add("/users/{id}", alpha);
	assert_null(get("/users/"));
	assert_null(get("/users//"));
}

static void a_trailing_slash_is_another_path(void **state)
{
	(void)state;
	add("/a", alpha);
	assert_ptr_equal(get("/a"), alpha);
	assert_null(get("/a/"));
	add("/a/", beta);
	assert_ptr_equal(get("/a/"), beta);
	assert_null(get("//"));
	assert_null(get("/"));
}

static void empty_segments_are_segments(void **state)
{
	(void)state;
	add("//", alpha);
	assert_ptr_equal(get("//"), alpha);
	assert_null(get("/"));
	assert_null(get("///"));
}

static void a_segment_is_the_same_in_every_spelling(void **state)
{
	(void)state;
	add("/caf%C3%A9", alpha);
	add("/a~b", beta);
	assert_ptr_equal(get("/caf%c3%a9"), alpha);
	assert_ptr_equal(get("/%63af%C3%a9"), alpha);
	assert_ptr_equal(get("/%61%7eb"), beta);
	assert_null(get("/Caf%C3%A9"));
	assert_null(get("/%41~b"));
}

static void a_pattern_may_be_written_in_any_spelling(void **state)
{
	(void)state;
	add("/caf\xc3\xa9", alpha);
	add("/two words", beta);
	assert_ptr_equal(get("/caf%C3%A9"), alpha);
	assert_ptr_equal(get("/two%20words"), beta);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/%63af%c3%A9", gamma_), -EEXIST);
}

static void an_encoded_slash_is_no_separator(void **state)
{
	(void)state;
	add("/a/b", alpha);
	add("/x%2fy", beta);
	assert_null(get("/a%2Fb"));
	assert_null(get("/a%2fb"));
	assert_ptr_equal(get("/x%2Fy"), beta);
	assert_null(get("/x/y"));
}

static void what_is_reserved_is_not_the_same_when_it_is_encoded(void **state)
{
	(void)state;
	add("/a@b", alpha);
	assert_ptr_equal(get("/a@b"), alpha);
	assert_null(get("/a%40b"));
}

static void nothing_is_decoded_twice(void **state)
{
	(void)state;
	add("/a", alpha);
	add("/%2561", beta);
	assert_ptr_equal(get("/%2561"), beta);
	assert_null(get("/%252561"));
}

static void dots_are_segments_like_any_other(void **state)
{
	(void)state;
	add("/a", alpha);
	add("/b/..", beta);
	assert_null(get("/b/../a"));
	assert_null(get("/b/%2e%2e/a"));
	assert_ptr_equal(get("/b/%2E."), beta);
}

static void a_segment_may_be_as_long_as_it_likes(void **state)
{
	static char path[60000];

	(void)state;
	add("/a/{x}", alpha);
	for (size_t index = 1; index + 3 < sizeof(path) - 2; index += 3)
		memcpy(path + index, "%61", 3);
	path[0] = '/';
	assert_null(get(path));
}

/* Types. */

static void a_parameter_may_ask_for_a_type(void **state)
{
	(void)state;
	add("/{id:u64}", alpha);
	assert_ptr_equal(get("/18446744073709551615"), alpha);
	assert_parameter(0, "id", "/18446744073709551615", "18446744073709551615");
	assert_null(get("/18446744073709551616"));
	assert_null(get("/new"));
	assert_null(get("/-1"));
	assert_null(get("/"));
}

static void what_does_not_fit_a_type_may_fit_another_route(void **state)
{
	(void)state;
	add("/{any...}", gamma_);
	add("/{name}/x", beta);
	add("/{id:u64}/x", alpha);
	assert_ptr_equal(get("/7/x"), alpha);
	assert_parameter(0, "id", "/7/x", "7");
	assert_ptr_equal(get("/seven/x"), beta);
	assert_parameter(0, "name", "/seven/x", "seven");
	assert_ptr_equal(get("/7/y"), gamma_);
}

static void a_narrow_type_wins_over_a_wide_one(void **state)
{
	(void)state;
	add("/{text:text}", gamma_);
	add("/{number:i64}", beta);
	add("/{count:u64}", alpha);
	assert_ptr_equal(get("/1"), alpha);
	assert_ptr_equal(get("/-1"), beta);
	assert_ptr_equal(get("/one"), gamma_);
}

static void days_and_uuids_are_checked(void **state)
{
	(void)state;
	add("/{day:date}", alpha);
	add("/{id:uuid}", beta);
	assert_ptr_equal(get("/2024-02-29"), alpha);
	assert_null(get("/2025-02-29"));
	assert_ptr_equal(get("/f81d4fae-7dec-11d0-a765-00a0c91e6bf6"), beta);
	assert_null(get("/f81d4fae-7dec-11d0-a765-00a0c91e6bfg"));
}

static void a_type_is_checked_after_decoding(void **state)
{
	(void)state;
	add("/{id:u64}", alpha);
	assert_ptr_equal(get("/%31%37"), alpha);
	assert_null(get("/%31%61"));
	assert_null(get("/1%2F2"));
}

static void a_type_that_there_is_not_is_told(void **state)
{
	(void)state;
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/{id:u63}", alpha), -ENOTSUP);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/{id:}", alpha), -ENOTSUP);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/{a:text...}", alpha), -ENOTSUP);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/{:u64}", alpha), -EINVAL);
}

static void two_parameters_of_one_name_are_told(void **state)
{
	(void)state;
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/{a}/x/{a:u64}", alpha), -ENOTUNIQ);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/{a}/{b}/{a...}", alpha),
			 -ENOTUNIQ);
}

/* Wide levels. */

static void a_wide_level_is_found_in_as_a_narrow_one(void **state)
{
	static char patterns[500][16];

	(void)state;
	add("/wide/{name}", gamma_);
	for (uint32_t index = 0; index < 500; index++) {
		snprintf(patterns[index], sizeof(patterns[index]), "/wide/s%u", index);
		add(patterns[index], index % 2 == 0 ? alpha : beta);
	}
	for (uint32_t index = 0; index < 500; index++)
		assert_ptr_equal(get(patterns[index]), index % 2 == 0 ? alpha : beta);
	assert_ptr_equal(get("/wide/%73%34%32"), alpha);
	assert_ptr_equal(get("/wide/s500"), gamma_);
	assert_null(get("/s1"));
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/wide/s7", alpha), -EEXIST);
}

/* Groups. */

static struct zg_endpoint *add_to(struct zg_group *group, const char *pattern, zg_handler *handler)
{
	return zg_group_get(group, pattern, handler);
}

static int finish(char *buffer, size_t size)
{
	struct zg_text error;

	zg_text_init(&error, buffer, size);
	return zgi_router_finish(router, &error);
}

static void a_group_puts_its_prefix_before_its_routes(void **state)
{
	struct zg_group *api = zg_group_within(zgi_router_root(router), "/api");
	struct zg_group *user = zg_group_within(api, "/users/{user:u64}");

	(void)state;
	add_to(api, "", alpha);
	add_to(api, "/", beta);
	add_to(user, "/orders/{order}", gamma_);
	assert_ptr_equal(get("/api"), alpha);
	assert_ptr_equal(get("/api/"), beta);
	assert_ptr_equal(get("/api/users/3/orders/x"), gamma_);
	assert_parameter(0, "user", "/api/users/3/orders/x", "3");
	assert_parameter(1, "order", "/api/users/3/orders/x", "x");
	assert_null(get("/users/3/orders/x"));
	assert_null(get("/api/users/me/orders/x"));
}

static void groups_share_what_they_have_in_common(void **state)
{
	struct zg_group *first = zg_group_within(zgi_router_root(router), "/api/a");
	struct zg_group *second = zg_group_within(zgi_router_root(router), "/api");

	(void)state;
	add_to(first, "/x", alpha);
	add_to(second, "/a/y", beta);
	assert_ptr_equal(get("/api/a/x"), alpha);
	assert_ptr_equal(get("/api/a/y"), beta);
}

static void assert_boot_error(const char *sentence)
{
	char buffer[512];

	assert_true(finish(buffer, sizeof(buffer)) < 0);
	assert_string_equal(buffer, sentence);
}

static void the_first_fault_is_told_with_its_whole_path(void **state)
{
	struct zg_group *api = zg_group_within(zgi_router_root(router), "/api");

	(void)state;
	assert_non_null(add_to(zg_group_within(api, "/v1"), "/{id:u65}", alpha));
	assert_non_null(add_to(api, "x", alpha));
	assert_boot_error("the route \"/api/v1/{id:u65}\" has a parameter of a type that there is "
			  "not: text, u64, i64, date and uuid are");
}

static void a_prefix_does_not_end_in_a_slash(void **state)
{
	struct zg_group *group = zg_group_within(zgi_router_root(router), "/api/");

	(void)state;
	/* What is given to a group that is none goes nowhere. */
	add_to(zg_group_within(group, "/x"), "/y", alpha);
	assert_null(get("/api/x/y"));
	assert_null(get("/x/y"));
	assert_boot_error("the group \"/api/\" has no prefix for a group: it must not end in a "
			  "slash, nor have {rest...}");
}

static void the_empty_path_is_no_route(void **state)
{
	(void)state;
	add_to(zg_group_within(zgi_router_root(router), ""), "", alpha);
	assert_boot_error("the route \"\" is malformed: write \"/a/{name}/b\", "
			  "\"/a/{name:u64}\" or \"/a/{rest...}\"");
}

static void groups_are_limited(void **state)
{
	(void)state;
	for (uint32_t count = 1; count < ZG_GROUPS_MAX; count++)
		zg_group_within(zgi_router_root(router), "");
	assert_int_equal(finish((char[64]){0}, 64), 0);
	zg_group_within(zgi_router_root(router), "/last");
	assert_boot_error("the group \"/last\" is one too many: raise ZG_GROUPS_MAX");
}

static void a_route_for_any_method_is_one_route(void **state)
{
	struct zg_endpoint *endpoint = zg_group_any(zgi_router_root(router), "/a", alpha);

	(void)state;
	assert_ptr_equal(find(ZG_METHOD_PUT, "/a"), alpha);
	assert_ptr_equal(match.endpoint, endpoint);
	assert_ptr_equal(find(ZG_METHOD_PATCH, "/a"), alpha);
	assert_ptr_equal(match.endpoint, endpoint);
	assert_null(find(ZG_METHOD_TRACE, "/a"));
}

static void routes_are_limited(void **state)
{
	static const enum zg_method methods[] = {ZG_METHOD_GET, ZG_METHOD_PUT};
	static char patterns[ZG_ROUTES_MAX / 2][8];

	(void)state;
	for (uint32_t count = 0; count < ZG_ROUTES_MAX - 1; count++) {
		char *pattern = patterns[count / 2];

		snprintf(pattern, sizeof(patterns[0]), "/%u", count / 2);
		zg_group_route(zgi_router_root(router), methods[count % 2], pattern, alpha);
	}
	assert_int_equal(finish((char[64]){0}, 64), 0);
	zg_group_any(zgi_router_root(router), "/more", alpha);
	assert_boot_error("the route \"/more\" is one too many: raise ZG_ROUTES_MAX");
}

static void what_is_no_path_matches_nothing(void **state)
{
	(void)state;
	add("/{all...}", alpha);
	assert_null(get("*"));
	assert_null(get(""));
}

static void head_falls_back_to_get(void **state)
{
	(void)state;
	add("/a", alpha);
	assert_ptr_equal(find(ZG_METHOD_HEAD, "/a"), alpha);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_HEAD, "/a", beta), 0);
	assert_ptr_equal(find(ZG_METHOD_HEAD, "/a"), beta);
	assert_ptr_equal(get("/a"), alpha);
}

static void methods_of_every_route_of_a_path_are_told(void **state)
{
	(void)state;
	add("/a", alpha);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_POST, "/{x}", beta), 0);
	assert_null(find(ZG_METHOD_DELETE, "/a"));
	assert_int_equal(match.methods_allowed, 1U << ZG_METHOD_GET | 1U << ZG_METHOD_POST);
	assert_ptr_equal(find(ZG_METHOD_POST, "/a"), beta);
	assert_null(find(ZG_METHOD_DELETE, "/b/c"));
	assert_int_equal(match.methods_allowed, 0);
}

static void a_pattern_is_registered_once_a_method(void **state)
{
	(void)state;
	add("/a/{x}", alpha);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, "/a/{x}", beta), -EEXIST);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_PUT, "/a/{x}", beta), 0);
	assert_ptr_equal(get("/a/1"), alpha);
}

static void malformed_patterns_are_refused(void **state)
{
	static const char *const patterns[] = {
		"",	  "a",	   "*",	    "/{",    "/{}",	 "/{...}",
		"/{a",	  "/a}",   "/x{a}", "/{a}x", "/{a...}/", "/{a...}/b",
		"/{a}b}", "/{{a}", "/%",    "/%4",   "/%4g",
	};

	(void)state;
	for (size_t index = 0; index < sizeof(patterns) / sizeof(patterns[0]); index++)
		if (zgi_router_add(router, ZG_METHOD_GET, patterns[index], alpha) != -EINVAL)
			fail_msg("\"%s\" was taken", patterns[index]);
}

static void a_pattern_has_32_segments_at_most(void **state)
{
	char pattern[3 * ZGI_ROUTE_SEGMENTS_MAX + 8] = "";
	char *end = pattern;

	(void)state;
	for (uint32_t index = 0; index < ZGI_ROUTE_SEGMENTS_MAX; index++) {
		memcpy(end, "/a", 3);
		end += 2;
	}
	add(pattern, alpha);
	assert_ptr_equal(get(pattern), alpha);
	memcpy(end, "/a", 3);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET, pattern, alpha), -EINVAL);
	assert_null(get(pattern));
}

static void a_pattern_has_8_parameters_at_most(void **state)
{
	(void)state;
	add("/{1}/{2}/{3}/{4}/{5}/{6}/{7}/{8...}", alpha);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_GET,
					"/{1}/{2}/{3}/{4}/{5}/{6}/{7}/{8}/{9}", alpha),
			 -EINVAL);
	assert_ptr_equal(get("/a/b/c/d/e/f/g/h/i"), alpha);
	assert_parameter(7, "8", "/a/b/c/d/e/f/g/h/i", "h/i");
}

static void a_full_tree_is_told_before_it_is_touched(void **state)
{
	static char patterns[ZG_ROUTE_NODES_MAX][8];
	int result = 0;
	uint32_t count = 0;

	(void)state;
	while (result == 0 && count < ZG_ROUTE_NODES_MAX) {
		char *text = patterns[count];

		text[0] = '/';
		text[1] = (char)('a' + count / 26 / 26 % 26);
		text[2] = (char)('a' + count / 26 % 26);
		text[3] = (char)('a' + count % 26);
		result = zgi_router_add(router, ZG_METHOD_GET, text, alpha);
		count += result == 0;
	}
	/* The root is a node too. */
	assert_int_equal(result, -ENOSPC);
	assert_int_equal(count, ZG_ROUTE_NODES_MAX - 1);
	assert_ptr_equal(get(patterns[count - 1]), alpha);
	assert_null(get(patterns[count]));
}

static char listed[256];

static void list(void *user, enum zg_method method, const char *pattern)
{
	struct zg_slice name = zg_method_name(method);

	zg_text_print(user, "%.*s %s\n", (int)name.size, name.data, pattern);
}

static void routes_are_listed_as_they_are_searched(void **state)
{
	struct zg_text text;

	(void)state;
	add("/{rest...}", alpha);
	add("/", alpha);
	add("/users/{id}/orders", alpha);
	add("/users/{id}", alpha);
	assert_int_equal(zgi_router_add(router, ZG_METHOD_DELETE, "/users/{id}", beta), 0);
	add("/users/new", alpha);
	assert_non_null(zg_group_route(zg_group_within(zgi_router_root(router), "/days/{day:date}"),
				       ZG_METHOD_PUT, "/{rest...}", gamma_));
	add("/types/{a:date}/{b:uuid}/{c:u64}/{d:i64}", alpha);
	zg_text_init(&text, listed, sizeof(listed));
	zgi_router_list(router, list, &text);
	assert_string_equal(listed, "GET /\n"
				    "GET /users/new\n"
				    "GET /users/{id}\n"
				    "DELETE /users/{id}\n"
				    "GET /users/{id}/orders\n"
				    "PUT /days/{day:date}/{rest...}\n"
				    "GET /types/{a:date}/{b:uuid}/{c:u64}/{d:i64}\n"
				    "GET /{rest...}\n");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_static_segment_wins_over_a_parameter),
		test(a_parameter_wins_over_the_rest),
		test(a_branch_that_ends_nowhere_is_left_again),
		test(a_name_makes_no_branch),
		test(the_rest_may_be_empty_but_has_its_slash),
		test(a_parameter_is_not_empty),
		test(a_trailing_slash_is_another_path),
		test(empty_segments_are_segments),
		test(a_segment_is_the_same_in_every_spelling),
		test(a_pattern_may_be_written_in_any_spelling),
		test(an_encoded_slash_is_no_separator),
		test(what_is_reserved_is_not_the_same_when_it_is_encoded),
		test(nothing_is_decoded_twice),
		test(dots_are_segments_like_any_other),
		test(a_segment_may_be_as_long_as_it_likes),
		test(a_parameter_may_ask_for_a_type),
		test(what_does_not_fit_a_type_may_fit_another_route),
		test(a_narrow_type_wins_over_a_wide_one),
		test(days_and_uuids_are_checked),
		test(a_type_is_checked_after_decoding),
		test(a_type_that_there_is_not_is_told),
		test(two_parameters_of_one_name_are_told),
		test(a_wide_level_is_found_in_as_a_narrow_one),
		test(a_group_puts_its_prefix_before_its_routes),
		test(groups_share_what_they_have_in_common),
		test(the_first_fault_is_told_with_its_whole_path),
		test(a_prefix_does_not_end_in_a_slash),
		test(the_empty_path_is_no_route),
		test(groups_are_limited),
		test(a_route_for_any_method_is_one_route),
		test(routes_are_limited),
		test(what_is_no_path_matches_nothing),
		test(head_falls_back_to_get),
		test(methods_of_every_route_of_a_path_are_told),
		test(a_pattern_is_registered_once_a_method),
		test(malformed_patterns_are_refused),
		test(a_pattern_has_32_segments_at_most),
		test(a_pattern_has_8_parameters_at_most),
		test(a_full_tree_is_told_before_it_is_touched),
		test(routes_are_listed_as_they_are_searched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
