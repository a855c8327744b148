/*
 * The running of middleware: the chain before a handler, and the one after a reply.
 */
#ifndef ZEROG_WEB_MIDDLEWARE_H
#define ZEROG_WEB_MIDDLEWARE_H

#include "web/exchange.h"

/* In before_next of an exchange, when its chain has been gone through. */
#define ZGI_MIDDLEWARE_DONE UINT8_MAX

/* The handler that a match of a route with middleware before it has; also of what no route takes:
 * then the answer that says so comes last. */
int zgi_middleware_enter(struct zg_exchange *x);

/* What somebody who was resumed has returned: the chain goes on from there, if it was in one. */
int zgi_middleware_resumed(struct zg_exchange *x, int result);

/* Run what comes after, for a reply that is about to be made. Fields are as before on failure.
 * Return: 0; -EALREADY when one of them replies; what one of them returned. */
int zgi_middleware_after(struct zg_exchange *x, int status);

/* The reply could not be made: fields are as they were before what comes after. */
void zgi_middleware_undo(struct zg_exchange *x);

#endif
