/*
 * A service with sessions, forms and keys: what a test asks of each, a route each.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zerog.h>

struct visit {
	uint64_t count;
	char user[32];
};

static int count_up(void *value, void *user)
{
	struct visit *visit = value;

	(void)user;
	visit->count++;
	return 0;
}

static int reply_visit(struct zg_exchange *x, bool is_new)
{
	struct visit visit;
	struct zg_text text;
	char buffer[128];
	int result = zg_session_read(x, &visit);

	if (result < 0)
		return zg_reply_text(x, 404, "no session");
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_text_print(&text, "{\"new\": %s, \"count\": %llu, \"user\": \"%s\"}",
		      is_new ? "true" : "false", (unsigned long long)visit.count, visit.user);
	return zg_reply_copy(x, 200, ZG_SLICE("application/json"),
			     (struct zg_slice){text.data, text.size});
}

/* GET /visit: counts up in the session, which it begins. */
static int visit(struct zg_exchange *x)
{
	int started = zg_session_start(x);
	int result;

	if (started < 0)
		return started;
	result = zg_session_update(x, count_up, NULL);
	if (result < 0)
		return result;
	return reply_visit(x, started == 1);
}

static int look(struct zg_exchange *x)
{
	return reply_visit(x, false);
}

static int set_user(void *value, void *user)
{
	struct visit *visit = value;
	const struct zg_slice *name = user;

	memcpy(visit->user, name->data, name->size);
	visit->user[name->size] = '\0';
	return 0;
}

/* POST /login: a form with a user and a token. */
static int login(struct zg_exchange *x)
{
	struct zg_slice user;
	int result = zg_require_csrf_token(x);

	if (result != 0)
		return result;
	result = zg_request_form_value(x, ZG_SLICE("user"), &user);
	if (result < 0 || user.size >= sizeof(((struct visit *)0)->user))
		return zg_reply_text(x, 400, "who?");
	result = zg_session_update(x, set_user, &user);
	if (result < 0)
		return result;
	result = zg_session_rotate(x);
	return result < 0 ? result : reply_visit(x, false);
}

static int logout(struct zg_exchange *x)
{
	int result = zg_session_end(x);

	return result < 0 ? result : zg_reply_empty(x, 204);
}

static int token(struct zg_exchange *x)
{
	char text[ZG_CSRF_TOKEN_SIZE + 1];

	if (zg_session_csrf_token(x, text) < 0)
		return zg_reply_text(x, 404, "no session");
	return zg_reply_text(x, 200, text);
}

/* POST /form: the fields as JSON. */
static int form(struct zg_exchange *x)
{
	const struct zg_form *fields;
	struct zg_text text;
	void *memory;
	int result = zg_request_form(x, &fields);

	if (result == -EBADMSG || result == -E2BIG)
		return zg_reply_text(x, result == -EBADMSG ? 415 : 413, "not a form of ours");
	if (result < 0)
		return result;
	if (zg_arena_alloc(zg_exchange_arena(x), 16000, &memory) < 0)
		return -ENOMEM;
	zg_text_init(&text, memory, 16000);
	zg_text_append(&text, ZG_SLICE("["));
	for (uint32_t index = 0; index < fields->count; index++) {
		zg_text_append(&text, index > 0 ? ZG_SLICE(", [") : ZG_SLICE("["));
		zg_text_append_json(&text, fields->fields[index].name);
		zg_text_append(&text, ZG_SLICE(", "));
		zg_text_append_json(&text, fields->fields[index].value);
		zg_text_append(&text, ZG_SLICE("]"));
	}
	zg_text_append(&text, ZG_SLICE("]"));
	if (text.is_truncated)
		return -EMSGSIZE;
	return zg_reply_json(x, 200, (struct zg_slice){text.data, text.size});
}

static int refund(struct zg_exchange *x)
{
	struct zg_slice name;
	int result = zg_require_api_key(x);

	if (result != 0)
		return result;
	if (zg_request_api_key(x, &name) < 0)
		return -EIO;
	return zg_reply_copy(x, 200, ZG_SLICE("text/plain"), name);
}

static int page(struct zg_exchange *x)
{
	int result = zg_reply_security_fields(x, NULL);

	return result < 0 ? result : zg_reply_text(x, 200, "page");
}

int main(int argc, char **argv)
{
	struct zg_app app;

	zg_app_init(&app, "session_service");
	zg_sessions(&app, &(struct zg_session_options){
				  .value_size = sizeof(struct visit),
				  .is_secure = getenv("TEST_SECURE") != NULL,
			  });
	zg_get(&app, "/visit", visit);
	zg_get(&app, "/look", look);
	zg_post(&app, "/login", login);
	zg_post(&app, "/logout", logout);
	zg_get(&app, "/token", token);
	zg_post(&app, "/form", form);
	zg_post(&app, "/refund", refund);
	zg_get(&app, "/page", page);
	zg_admin_routes(&app);
	return zg_app_main(&app, argc, argv);
}
