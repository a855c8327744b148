/*
 * Leaks: what the server tells of its pools on stderr.
 */
#ifndef ZEROG_SERVER_LEAKS_H
#define ZEROG_SERVER_LEAKS_H

#include <stdbool.h>

/**
 * zgi_server_tell_leaks() - after a drain: what has not come back to its pool, if anything
 * @name:  the app's, which begins the line
 */
void zgi_server_tell_leaks(const char *name);

/**
 * zgi_server_watch_misuse() - from now on, tell of each give and renew of a bad handle
 * @is_on:  false: no longer
 */
void zgi_server_watch_misuse(bool is_on);

#endif
