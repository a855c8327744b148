/*
 * The interface's description: one file, written by hand, read at boot, sent as it is.
 */
#include "service/service.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define API_SIZE_MAX 131072 /* bytes of the document */

static struct zg_slice api_text;

size_t api_memory_size(void)
{
	return API_SIZE_MAX;
}

int api_read(const char *path, unsigned char *memory, struct zg_text *ret_error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, memory, API_SIZE_MAX);
	int result = size < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	if (size == API_SIZE_MAX)
		result = -EFBIG;
	if (result < 0) {
		zg_text_print(ret_error, "--openapi: %s cannot be read (errno %d)", path, -result);
		return result;
	}
	api_text = (struct zg_slice){(const char *)memory, (size_t)size};
	return 0;
}

static int api_get(struct zg_exchange *x)
{
	int result = zg_reply_field(x, ZG_SLICE("Cache-Control"), ZG_SLICE("no-cache"));

	if (result < 0)
		return result;
	return zg_reply(x, 200, ZG_SLICE("application/json"), api_text);
}

void api_routes(struct zg_app *app)
{
	zg_get(app, "/openapi.json", api_get);
}
