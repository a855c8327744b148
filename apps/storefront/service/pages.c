/*
 * Pages: a few files of HTML, read at boot, each for all paths of its kind; what they load lies in
 * a folder of assets.
 */
#include "service/service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_SIZE_MAX 32768 /* bytes of a page */
#define CHART_FOLDER "/usr/share/javascript/chart.js" /* Debian's libjs-chart.js */

enum page {
	PAGE_INDEX,
	PAGE_PRODUCT,
	PAGE_CART,
	PAGE_CHECKOUT,
	PAGE_ORDER,
	PAGE_DASHBOARD,
	PAGE_COUNT,
};

static const char *const page_names[PAGE_COUNT] = {
	"index.html", "product.html", "cart.html", "checkout.html", "order.html", "memory.html",
};
static struct zg_slice page_texts[PAGE_COUNT];

size_t pages_memory_size(void)
{
	return (size_t)PAGE_COUNT * PAGE_SIZE_MAX;
}

static int page_read(const char *path, unsigned char *memory, struct zg_slice *ret_text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size;

	if (fd < 0)
		return -errno;
	size = read(fd, memory, PAGE_SIZE_MAX);
	close(fd);
	if (size < 0)
		return -EIO;
	if (size == PAGE_SIZE_MAX)
		return -EFBIG;
	*ret_text = (struct zg_slice){(const char *)memory, (size_t)size};
	return 0;
}

int pages_read(const char *folder, unsigned char *memory, struct zg_text *ret_error)
{
	for (uint32_t index = 0; index < PAGE_COUNT; index++) {
		char path[SERVICE_PATH_SIZE + 32];
		int result;

		(void)snprintf(path, sizeof(path), "%s/%s", folder, page_names[index]);
		result =
			page_read(path, memory + (size_t)index * PAGE_SIZE_MAX, &page_texts[index]);
		if (result < 0) {
			zg_text_print(ret_error, "--pages: %s cannot be read (errno %d)", path,
				      -result);
			return result;
		}
	}
	return 0;
}

static int page_reply(struct zg_exchange *x, enum page page)
{
	int result = zg_reply_security_fields(x, &(struct zg_security_fields){0});

	if (result == 0)
		result = zg_reply_field(x, ZG_SLICE("Cache-Control"), ZG_SLICE("no-cache"));
	if (result < 0)
		return result;
	return zg_reply(x, 200, ZG_SLICE("text/html; charset=utf-8"), page_texts[page]);
}

static int index_get(struct zg_exchange *x)
{
	return page_reply(x, PAGE_INDEX);
}

static int product_page(struct zg_exchange *x)
{
	return page_reply(x, PAGE_PRODUCT);
}

static int cart_page(struct zg_exchange *x)
{
	return page_reply(x, PAGE_CART);
}

static int checkout_page(struct zg_exchange *x)
{
	return page_reply(x, PAGE_CHECKOUT);
}

static int order_page(struct zg_exchange *x)
{
	return page_reply(x, PAGE_ORDER);
}

static int dashboard_page(struct zg_exchange *x)
{
	return page_reply(x, PAGE_DASHBOARD);
}

void pages_routes(struct zg_app *app)
{
	static char assets[SERVICE_PATH_SIZE + 16];

	zg_get(app, "/", index_get);
	zg_get(app, "/product/{id}", product_page);
	zg_get(app, "/cart", cart_page);
	zg_get(app, "/checkout", checkout_page);
	zg_get(app, "/order/{id}", order_page);
	zg_get(app, "/dashboard", dashboard_page);
	(void)snprintf(assets, sizeof(assets), "%s/assets", service.pages);
	zg_static(app, "/assets", assets, NULL);
	/* Without it the dashboard has figures, but no charts. */
	if (access(CHART_FOLDER, R_OK | X_OK) == 0)
		zg_static(app, "/assets/vendor", CHART_FOLDER, NULL);
}
