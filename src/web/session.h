/*
 * Sessions of a service: the table, and the cookie that leads to it.
 */
#ifndef ZEROG_WEB_SESSION_H
#define ZEROG_WEB_SESSION_H

#include "web/exchange.h"

/* Characters of a token in its cookie: two of the stripe, the rest of the id. */
#define ZGI_SESSION_TEXT_SIZE (2 * sizeof(struct zgi_session_token))

/**
 * zgi_sessions_init() - sessions as an application has declared them
 * @sessions:  overwritten
 * @options:   the service's
 * @memory:    borrowed until fini: as zgi_session_table_init() takes it, of
 *             zgi_sessions_table_options()
 */
void zgi_sessions_init(struct zgi_sessions *sessions, const struct zg_options *options,
		       void *memory);

/* End them; no thread serves any more. Takes zeroed ones. */
void zgi_sessions_fini(struct zgi_sessions *sessions);

/* The table that options ask for. */
struct zgi_session_table_options zgi_sessions_table_options(const struct zg_options *options);

/* A token as it stands in a cookie, without a NUL; and back. Return: false when it is none. */
void zgi_session_token_print(const struct zgi_session_token *token,
			     char ret_text[ZGI_SESSION_TEXT_SIZE]);
bool zgi_session_token_parse(struct zg_slice text, struct zgi_session_token *ret_token);

#endif
