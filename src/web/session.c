/*
 * The session of a request. Its cookies are looked at when a handler first asks; which
 * session they lead to is then kept with the exchange, by its token and not by its
 * place, for another request may end it meanwhile.
 */
#include "web/session.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <zerog/cookie.h>
#include <zerog/form.h>
#include <zerog/security.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/counter.h"
#include "http/scan.h"
#include "web/cookie.h"

#define SESSION_NAME_PREFIX "__Host-"
#define SESSION_NAME_DEFAULT "session"

static const char session_digits[] = "0123456789abcdef";

void zg_sessions(struct zg_app *app, const struct zg_session_options *options)
{
	struct zg_slice name = ZG_SLICE(SESSION_NAME_DEFAULT);

	if (options->name != NULL)
		name = (struct zg_slice){options->name, strlen(options->name)};
	zg_assert(options->value_size > 0 && options->value_size <= ZG_SESSION_VALUE_SIZE_MAX);
	zg_assert(name.size > 0 &&
		  name.size < ZGI_SESSION_NAME_SIZE_MAX - sizeof(SESSION_NAME_PREFIX));
	zg_assert(zgi_http_scan_scalar.token_end(name.data, name.size) == name.size);
	app->options.session = *options;
}

struct zgi_session_table_options zgi_sessions_table_options(const struct zg_options *options)
{
	return (struct zgi_session_table_options){
		.count = (uint32_t)options->sessions,
		.value_size = (uint32_t)options->session.value_size,
		.idle_ms = options->session_idle_ms,
		.life_ms = options->session_life_ms,
		.keep_ms = options->session_keep_ms,
	};
}

void zgi_sessions_init(struct zgi_sessions *sessions, const struct zg_options *options,
		       void *memory)
{
	const struct zgi_session_table_options table = zgi_sessions_table_options(options);
	const char *name = options->session.name;
	struct zg_text text;

	zgi_session_table_init(&sessions->table, &table, memory);
	sessions->is_secure = options->session.is_secure;
	zg_text_init(&text, sessions->name, sizeof(sessions->name));
	zg_text_print(&text, "%s%s", sessions->is_secure ? SESSION_NAME_PREFIX : "",
		      name != NULL ? name : SESSION_NAME_DEFAULT);
	zg_assert(!text.is_truncated);
	sessions->name_size = (uint16_t)text.size;
}

void zgi_sessions_fini(struct zgi_sessions *sessions)
{
	zgi_session_table_fini(&sessions->table);
}

static void session_hex_print(const void *bytes, size_t size, char *text)
{
	const uint8_t *octets = bytes;

	for (size_t index = 0; index < size; index++) {
		text[2 * index] = session_digits[octets[index] >> 4];
		text[2 * index + 1] = session_digits[octets[index] & 15];
	}
}

void zgi_session_token_print(const struct zgi_session_token *token,
			     char ret_text[ZGI_SESSION_TEXT_SIZE])
{
	static_assert(sizeof(*token) == 1 + ZGI_SESSION_ID_SIZE, "a token has no holes");
	session_hex_print(token, sizeof(*token), ret_text);
}

static int session_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool zgi_session_token_parse(struct zg_slice text, struct zgi_session_token *ret_token)
{
	uint8_t bytes[sizeof(*ret_token)];

	if (text.size != ZGI_SESSION_TEXT_SIZE)
		return false;
	for (size_t index = 0; index < sizeof(bytes); index++) {
		int high = session_digit(text.data[2 * index]);
		int low = session_digit(text.data[2 * index + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[index] = (uint8_t)(high * 16 + low);
	}
	memcpy(ret_token, bytes, sizeof(bytes));
	return true;
}

static struct zgi_sessions *session_all(const struct zg_exchange *x)
{
	/* Otherwise the application has not called zg_sessions(). */
	zg_assert(x->web->sessions != NULL);
	return x->web->sessions;
}

static uint64_t session_now_ms(void)
{
	return zgi_clock_coarse_ns() / 1000000;
}

static struct zg_cookie session_cookie(const struct zgi_sessions *sessions, struct zg_slice value)
{
	return (struct zg_cookie){
		.name = {sessions->name, sessions->name_size},
		.value = value,
		.is_secure = sessions->is_secure,
	};
}

static int session_cookie_set(struct zg_exchange *x)
{
	char text[ZGI_SESSION_TEXT_SIZE];
	struct zg_cookie cookie =
		session_cookie(session_all(x), (struct zg_slice){text, sizeof(text)});

	zgi_session_token_print(&x->session, text);
	return zg_reply_cookie(x, &cookie);
}

/* A visitor may return -ENOENT of its own: that there was a session is told apart from it. */
struct session_search {
	zgi_session_visitor *visit; /* may be NULL */
	void *user;
	bool is_found;
};

static int session_seen(struct zgi_session *session, void *user)
{
	struct session_search *search = user;

	search->is_found = true;
	return search->visit != NULL ? search->visit(session, search->user) : 0;
}

/* Visit the session that the request's cookies lead to. A page of a neighbouring host may have put
 * another cookie of the name before ours, so each is tried. */
static int session_search(struct zg_exchange *x, zgi_session_visitor *visit, void *user)
{
	struct zgi_sessions *sessions = session_all(x);
	struct zgi_cookie_walk walk = {.name = {sessions->name, sessions->name_size}};
	struct session_search search = {visit, user, false};
	struct zg_slice value;

	x->session_state = ZGI_SESSION_ABSENT;
	while (zgi_request_cookie_next(x, &walk, &value) > 0) {
		int result;

		if (!zgi_session_token_parse(value, &x->session))
			continue;
		result = zgi_session_table_visit(&sessions->table, &x->session, session_now_ms(),
						 session_seen, &search);
		if (!search.is_found)
			continue;
		x->session_state = ZGI_SESSION_KNOWN;
		return result;
	}
	return -ENOENT;
}

static int session_visit(struct zg_exchange *x, zgi_session_visitor *visit, void *user)
{
	switch ((enum zgi_session_state)x->session_state) {
	case ZGI_SESSION_UNKNOWN:
		return session_search(x, visit, user);
	case ZGI_SESSION_ABSENT:
		return -ENOENT;
	case ZGI_SESSION_KNOWN:
		return zgi_session_table_visit(&session_all(x)->table, &x->session,
					       session_now_ms(), visit, user);
	}
	zg_assert(!"what is known of a session is one of three");
	return -ENOENT;
}

int zg_session_start(struct zg_exchange *x)
{
	struct zgi_session_table *table = &session_all(x)->table;
	int result = session_visit(x, NULL, NULL);

	if (result == 0)
		return 0;
	if (x->has_replied)
		return -EALREADY;
	result = zgi_session_table_start(table, session_now_ms(), &x->session);
	if (result < 0)
		return result;
	x->session_state = ZGI_SESSION_KNOWN;
	result = session_cookie_set(x);
	if (result == 0)
		return 1;
	/* Nobody has been told of it. */
	(void)!zgi_session_table_end(table, &x->session);
	x->session_state = ZGI_SESSION_ABSENT;
	return result;
}

struct session_copy {
	void *to;
	size_t size;
};

static int session_copy(struct zgi_session *session, void *user)
{
	const struct session_copy *copy = user;

	memcpy(copy->to, session->value, copy->size);
	return 0;
}

int zg_session_read(struct zg_exchange *x, void *ret_value)
{
	struct session_copy copy = {ret_value, session_all(x)->table.options.value_size};

	return session_visit(x, session_copy, &copy);
}

struct session_change {
	zg_session_change *change;
	void *user;
};

static int session_change(struct zgi_session *session, void *user)
{
	const struct session_change *change = user;

	return change->change(session->value, change->user);
}

int zg_session_update(struct zg_exchange *x, zg_session_change *change, void *user)
{
	struct session_change whole = {change, user};

	zg_assert(change != NULL);
	return session_visit(x, session_change, &whole);
}

int zg_session_rotate(struct zg_exchange *x)
{
	struct zgi_session_table *table = &session_all(x)->table;
	int result;

	if (x->has_replied)
		return -EALREADY;
	result = session_visit(x, NULL, NULL);
	if (result == 0)
		result = zgi_session_table_rotate(table, &x->session, session_now_ms());
	if (result < 0)
		return result;
	result = session_cookie_set(x);
	if (result < 0) {
		/* The browser will never hear of the new id, and the old one is gone. */
		(void)!zgi_session_table_end(table, &x->session);
		x->session_state = ZGI_SESSION_ABSENT;
	}
	return result;
}

int zg_session_end(struct zg_exchange *x)
{
	const struct zgi_sessions *sessions = session_all(x);
	struct zg_cookie cookie = session_cookie(sessions, ZG_SLICE(""));

	if (session_visit(x, NULL, NULL) < 0)
		return 0;
	(void)!zgi_session_table_end(&session_all(x)->table, &x->session);
	x->session_state = ZGI_SESSION_ABSENT;
	return zg_reply_cookie_drop(x, &cookie);
}

static int session_csrf(struct zgi_session *session, void *user)
{
	char *text = user;

	session_hex_print(session->csrf, sizeof(session->csrf), text);
	text[ZG_CSRF_TOKEN_SIZE] = '\0';
	return 0;
}

static_assert(ZG_CSRF_TOKEN_SIZE == 2 * ZGI_SESSION_ID_SIZE, "two digits a byte");

int zg_session_csrf_token(struct zg_exchange *x, char ret_token[ZG_CSRF_TOKEN_SIZE + 1])
{
	return session_visit(x, session_csrf, ret_token);
}

bool zg_session_csrf_matches(struct zg_exchange *x, struct zg_slice token)
{
	char own[ZG_CSRF_TOKEN_SIZE + 1];

	return zg_session_csrf_token(x, own) == 0 &&
	       zg_equal_constant_time((struct zg_slice){own, ZG_CSRF_TOKEN_SIZE}, token);
}

int zg_require_csrf_token(struct zg_exchange *x)
{
	enum zg_method method = zg_request_method(x);
	struct zg_slice token;
	int result;

	if (method == ZG_METHOD_GET || method == ZG_METHOD_HEAD || method == ZG_METHOD_OPTIONS ||
	    method == ZG_METHOD_TRACE)
		return 0;
	result = zg_request_field(x, ZG_SLICE(ZG_CSRF_HEADER_FIELD), &token);
	if (result < 0)
		result = zg_request_form_value(x, ZG_SLICE(ZG_CSRF_FORM_FIELD), &token);
	if (result == -ENOMEM)
		return result;
	if (result == 0 && zg_session_csrf_matches(x, token))
		return 0;
	zgi_counter_add(&x->web->counters.csrf_refused, 1);
	result = zg_reply_text(x, 403, "The form is too old, or not from here: load it again\n");
	return result < 0 ? result : ZG_REPLIED;
}

int zg_before_csrf_token(struct zg_exchange *x, void *user)
{
	int result = zg_require_csrf_token(x);

	(void)user;
	return result == ZG_REPLIED ? 0 : result;
}
