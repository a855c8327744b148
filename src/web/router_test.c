#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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
	struct zg_slice got_name = zgi_router_parameter_name(router, match.parameters[index].node);

	assert_true(index < match.parameter_count);
	assert_int_equal(got_name.size, strlen(name));
	assert_memory_equal(got_name.data, name, strlen(name));
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

static void two_names_at_one_place_are_two_branches(void **state)
{
	(void)state;
	add("/{a}/x", alpha);
	add("/{b}/y", beta);
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

static void a_path_is_compared_as_bytes(void **state)
{
	(void)state;
	add("/caf%C3%A9", alpha);
	assert_null(get("/caf%c3%a9"));
	assert_null(get("/Caf%C3%A9"));
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
		"",    "a",	"*",	 "/{",	     "/{}",	  "/{...}", "/{a",
		"/a}", "/x{a}", "/{a}x", "/{a...}/", "/{a...}/b", "/{a}b}", "/{{a}",
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
	zg_text_init(&text, listed, sizeof(listed));
	zgi_router_list(router, list, &text);
	assert_string_equal(listed, "GET /\n"
				    "GET /users/new\n"
				    "GET /users/{id}\n"
				    "DELETE /users/{id}\n"
				    "GET /users/{id}/orders\n"
				    "GET /{rest...}\n");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_static_segment_wins_over_a_parameter),
		test(a_parameter_wins_over_the_rest),
		test(a_branch_that_ends_nowhere_is_left_again),
		test(two_names_at_one_place_are_two_branches),
		test(the_rest_may_be_empty_but_has_its_slash),
		test(a_parameter_is_not_empty),
		test(a_trailing_slash_is_another_path),
		test(empty_segments_are_segments),
		test(a_path_is_compared_as_bytes),
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
