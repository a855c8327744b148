/*
 * Forms, as browsers post them: decoded in the body itself, once, and refused whole
 * or not at all.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <zerog/form.h>

#include "web/exchange_fixture.h"

#define FORM_TYPE "application/x-www-form-urlencoded"

static struct exchange_fixture fixture;

static int wait(struct zg_exchange *x)
{
	(void)x;
	return ZG_PENDING;
}

static int reply(struct zg_exchange *x, void *user)
{
	(void)user;
	return zg_reply_empty(x, 204);
}

static const struct exchange_fixture_route routes[] = {
	{ZG_METHOD_POST, "/", wait},
	{ZG_METHOD_COUNT, NULL, NULL},
};

static int setup(void **state)
{
	(void)state;
	exchange_fixture_open(&fixture, routes);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	exchange_fixture_close(&fixture);
	return 0;
}

/* A request with a body of this type, which waits in its handler. */
static struct zg_exchange *post_as(const char *type, const char *body)
{
	char text[EXCHANGE_FIXTURE_BODY_MAX + 256];

	snprintf(text, sizeof(text),
		 "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
		 type, strlen(body), body);
	assert_int_equal(exchange_fixture_feed(&fixture, text, strlen(text), SIZE_MAX),
			 ZGI_WANT_PENDING);
	return fixture.x;
}

static struct zg_exchange *post(const char *body)
{
	return post_as(FORM_TYPE, body);
}

/* The handler ends, and the exchange is ready for the next request. */
static void answer(void)
{
	assert_int_equal(zgi_exchange_resume(fixture.x, reply, NULL), 0);
	(void)exchange_fixture_run(&fixture);
}

static void assert_slice(struct zg_slice slice, const char *text)
{
	assert_int_equal(slice.size, strlen(text));
	assert_memory_equal(slice.data, text, slice.size);
}

static void assert_value(struct zg_exchange *x, const char *name, const char *text)
{
	struct zg_slice value;

	assert_int_equal(zg_request_form_value(x, (struct zg_slice){name, strlen(name)}, &value),
			 0);
	assert_slice(value, text);
}

static int result_of(struct zg_exchange *x)
{
	const struct zg_form *form = NULL;
	int result = zg_request_form(x, &form);

	assert_int_equal(form != NULL, result == 0);
	return result;
}

static void fields_are_decoded_in_their_order(void **state)
{
	struct zg_exchange *x = post("name=J%c3%B6rg+M.&city=K%26ln&empty=&flag&a%3Db=c=d");
	const struct zg_form *form;

	(void)state;
	assert_int_equal(zg_request_form(x, &form), 0);
	assert_int_equal(form->count, 5);
	assert_slice(form->fields[0].name, "name");
	assert_slice(form->fields[0].value, "J\xc3\xb6rg M.");
	assert_slice(form->fields[1].value, "K&ln");
	assert_slice(form->fields[2].value, "");
	assert_slice(form->fields[3].name, "flag");
	assert_slice(form->fields[3].value, "");
	assert_slice(form->fields[4].name, "a=b");
	assert_slice(form->fields[4].value, "c=d");
}

static void a_value_is_found_by_its_name(void **state)
{
	struct zg_exchange *x = post("a=1&%62=2&a=3");
	struct zg_slice value = ZG_SLICE("untouched");

	(void)state;
	assert_value(x, "a", "1");
	assert_value(x, "b", "2");
	assert_int_equal(zg_request_form_value(x, ZG_SLICE("c"), &value), -ENOENT);
	assert_slice(value, "untouched");
}

static void values_lie_in_the_body_and_are_decoded_once(void **state)
{
	struct zg_exchange *x = post("a=%2541&b=2");
	const struct zg_slice body = zg_request_body(x);
	struct zg_slice value;

	(void)state;
	for (int round = 0; round < 2; round++) {
		assert_int_equal(zg_request_form_value(x, ZG_SLICE("a"), &value), 0);
		assert_slice(value, "%41");
		assert_ptr_equal(value.data, body.data + 2);
	}
}

static void empty_parts_are_no_fields(void **state)
{
	struct zg_exchange *x = post("&&a=1&&=nameless&");
	const struct zg_form *form;

	(void)state;
	assert_int_equal(zg_request_form(x, &form), 0);
	assert_int_equal(form->count, 2);
	assert_slice(form->fields[1].name, "");
	assert_slice(form->fields[1].value, "nameless");
}

static void a_percent_sign_without_its_digits_stays(void **state)
{
	(void)state;
	assert_value(post("a=100%&b=%4&c=%zz%41&d=%%41"), "a", "100%");
	assert_value(fixture.x, "b", "%4");
	assert_value(fixture.x, "c", "%zzA");
	assert_value(fixture.x, "d", "%A");
}

static void a_value_may_hold_any_byte(void **state)
{
	struct zg_exchange *x = post("a=%00%ff%0d%0a");
	struct zg_slice value;

	(void)state;
	assert_int_equal(zg_request_form_value(x, ZG_SLICE("a"), &value), 0);
	assert_int_equal(value.size, 4);
	assert_memory_equal(value.data, "\0\xff\r\n", 4);
}

static void the_type_decides_and_not_its_parameters(void **state)
{
	static const struct {
		const char *type;
		int result;
	} rows[] = {
		{FORM_TYPE "; charset=utf-8", 0},
		{FORM_TYPE " ;x", 0},
		{"Application/X-WWW-Form-URLencoded", 0},
		{FORM_TYPE "d", -EBADMSG},
		{"application/json", -EBADMSG},
		{"multipart/form-data; boundary=x", -EBADMSG},
		{"", -EBADMSG},
	};

	(void)state;
	for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
		assert_int_equal(result_of(post_as(rows[index].type, "a=1")), rows[index].result);
		answer();
	}
}

static void a_request_without_a_body_has_no_fields(void **state)
{
	const struct zg_form *form;

	(void)state;
	assert_int_equal(zg_request_form(post_as("text/plain", ""), &form), 0);
	assert_int_equal(form->count, 0);
}

static void fields_are_as_many_as_the_limit_and_no_more(void **state)
{
	(void)state;
	assert_int_equal(EXCHANGE_FIXTURE_FORM_FIELDS_MAX, 8);
	assert_int_equal(result_of(post("a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&")), 0);
	answer();
	assert_int_equal(result_of(post("a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=%39")), -E2BIG);
	/* What is refused is as it came. */
	assert_slice(zg_request_body(fixture.x), "a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=%39");
}

static void a_form_without_memory_is_an_answer(void **state)
{
	struct zg_exchange *x = post("a=%41");
	void *memory;

	(void)state;
	while (zg_arena_alloc(zg_exchange_arena(x), 16, &memory) == 0)
		;
	assert_int_equal(result_of(x), -ENOMEM);
	assert_slice(zg_request_body(x), "a=%41");
}

static void a_form_outside_the_read_buffer_is_read_there(void **state)
{
	static char body[EXCHANGE_FIXTURE_READ_SIZE * 2];

	(void)state;
	memset(body, 'x', sizeof(body) - 1);
	memcpy(body, "a=%41&b=", 8);
	assert_value(post(body), "a", "A");
	assert_true(fixture.x->body_is_outside);
}

static void the_next_request_has_a_form_of_its_own(void **state)
{
	(void)state;
	assert_value(post("a=1"), "a", "1");
	answer();
	assert_value(post("a=2"), "a", "2");
	answer();
	assert_int_equal(result_of(post_as("text/plain", "a=3")), -EBADMSG);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(fields_are_decoded_in_their_order),
		test(a_value_is_found_by_its_name),
		test(values_lie_in_the_body_and_are_decoded_once),
		test(empty_parts_are_no_fields),
		test(a_percent_sign_without_its_digits_stays),
		test(a_value_may_hold_any_byte),
		test(the_type_decides_and_not_its_parameters),
		test(a_request_without_a_body_has_no_fields),
		test(fields_are_as_many_as_the_limit_and_no_more),
		test(a_form_without_memory_is_an_answer),
		test(a_form_outside_the_read_buffer_is_read_there),
		test(the_next_request_has_a_form_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
