/*
 * What was taken and not given back, at the end of a drain; and, while pools are tracked,
 * who gives what he does not have, just before the assertion that ends the process.
 */
#include "server/leaks.h"

#include <unistd.h>

#include <zerog/leaks.h>
#include <zerog/pool.h>

#define LEAKS_TEXT_SIZE 4096

static void leaks_write(const struct zg_text *text)
{
	(void)!write(STDERR_FILENO, text->data, text->size);
}

void zgi_server_tell_leaks(const char *name)
{
	char buffer[LEAKS_TEXT_SIZE];
	struct zg_text text;

	zg_text_init(&text, buffer, sizeof(buffer));
	zg_text_print(&text, "%s: ", name);
	if (zg_leak_report(&text) > 0)
		leaks_write(&text);
}

/* A get is left out: to resume a handle whose client has gone is allowed. */
static void misuse_tell(const struct zg_pool_misuse *misuse)
{
	char buffer[512];
	struct zg_text text;

	if (misuse->act == ZG_POOL_GET)
		return;
	zg_text_init(&text, buffer, sizeof(buffer));
	zg_pool_misuse_print(misuse, &text);
	leaks_write(&text);
}

void zgi_server_watch_misuse(bool is_on)
{
	zg_pool_on_misuse(is_on ? misuse_tell : NULL);
}
