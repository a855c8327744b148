/*
 * storefront: a shop with payments, on zerog.
 *
 *	storefront --store journal:DIRECTORY
 *
 * It has one shard: the shop has one writer, and that is the thread that serves.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/service.h"

static int option_path(const char *value, void *user, struct zg_text *ret_error)
{
	char *path = user;

	if (strlen(value) >= SERVICE_PATH_SIZE) {
		zg_text_print(ret_error, "a path of %d bytes at the most is taken",
			      SERVICE_PATH_SIZE - 1);
		return -EINVAL;
	}
	memcpy(path, value, strlen(value) + 1);
	return 0;
}

static int option_number(const char *flag, const char *value, const uint32_t range[2],
			 uint32_t *number)
{
	char *end;
	unsigned long parsed = strtoul(value, &end, 10);

	(void)flag;
	if (*value < '0' || *value > '9' || *end != '\0' || parsed < range[0] || parsed > range[1])
		return -EINVAL;
	*number = (uint32_t)parsed;
	return 0;
}

#define OPTION_NUMBER(name, flag, minimum, maximum, place)                                        \
	static int option_##name(const char *value, void *user, struct zg_text *ret_error)        \
	{                                                                                         \
		int result =                                                                      \
			option_number(flag, value, (const uint32_t[2]){minimum, maximum}, place); \
                                                                                                  \
		(void)user;                                                                       \
		if (result < 0)                                                                   \
			zg_text_print(ret_error, flag " takes %d to %d, not \"%s\"", minimum,     \
				      maximum, value);                                            \
		return result;                                                                    \
	}

#define X(name, option, unit, minimum, preset, maximum, help) \
	OPTION_NUMBER(name, option, minimum, maximum, &service.shop_options.name)
SHOP_LIMITS(X)
#undef X
OPTION_NUMBER(acquirer_delay, "--acquirer-delay-ms", 0, 60000, &service.acquirer_delay_ms)
OPTION_NUMBER(slots, "--slots", 8, 1000000, &service.slot_count)

static const struct zg_option storefront_options[] = {
	{"acquirer-delay-ms", "milliseconds; default 20, 0 to 60000",
	 "How long the sandbox's acquirer thinks before it gives its word.", option_acquirer_delay,
	 NULL},
	{"store", "journal:DIRECTORY or memory; default journal:storefront-data",
	 "Where the shop is kept.", option_path, service.store_name},
	{"pages", "FOLDER; default beside the program's sources", "The pages and their assets.",
	 option_path, service.pages},
	{"products", "FILE; default the one that ships",
	 "What an empty shop is filled from, as CSV.", option_path, service.products},
	{"openapi", "FILE; default the one that ships", "What /openapi.json says.", option_path,
	 service.openapi},
	{"slots", "changes; default 10000, 8 to 1000000",
	 "Changes under way at once; past them, 503 and Retry-After.", option_slots, NULL},
#define X(name, option, unit, minimum, preset, maximum, help)                         \
	{&(option)[2], unit "; default " #preset ", " #minimum " to " #maximum, help, \
	 option_##name, NULL},
	SHOP_LIMITS(X)
#undef X
};

/* The sources lie beside the folder that the program was built in. */
static void storefront_defaults(void)
{
	char folder[SERVICE_PATH_SIZE / 2];
	ssize_t size = readlink("/proc/self/exe", folder, sizeof(folder) - 1);

	if (size < 0)
		size = 0;
	folder[size] = '\0';
	for (int level = 0; level < 2 && strrchr(folder, '/') != NULL; level++)
		*strrchr(folder, '/') = '\0';
	(void)snprintf(service.pages, sizeof(service.pages), "%s/apps/storefront/pages", folder);
	(void)snprintf(service.products, sizeof(service.products),
		       "%s/apps/storefront/data/products.csv", folder);
	(void)snprintf(service.openapi, sizeof(service.openapi),
		       "%s/apps/storefront/api/openapi.json", folder);
	(void)snprintf(service.store_name, sizeof(service.store_name), "journal:storefront-data");
	service.slot_count = 10000;
	shop_options_init(&service.shop_options);
	service.acquirer_delay_ms = 20;
}

static void storefront_routes(struct zg_app *app)
{
	pages_routes(app);
	products_routes(app);
	carts_routes(app);
	orders_routes(app);
	payments_routes(app);
	admin_routes(app);
	imports_routes(app);
	api_routes(app);
	audit_routes(app);
	zg_admin_routes(app);
}

int main(int argc, char **argv)
{
	struct zg_app app;

	storefront_defaults();
	zg_app_init(&app, "storefront");
	app.options.shards = 1;
	app.options.flushes = 4;
	app.options.timers = 4096;
	app.options.offload_threads = 1;
	for (size_t index = 0; index < sizeof(storefront_options) / sizeof(storefront_options[0]);
	     index++)
		zg_options_add(&app.options, &storefront_options[index]);
	zg_sessions(&app, &(struct zg_session_options){.value_size = sizeof(struct service_visit)});
	zg_app_plan(&app, service_plan, NULL);
	storefront_routes(&app);
	if (zg_app_on_shard_start(&app, ledger_start, NULL) < 0 ||
	    zg_app_on_turn_end(&app, ledger_turn_end, NULL) < 0 ||
	    zg_app_on_shard_stop(&app, ledger_stop, NULL) < 0)
		return 1;
	return zg_app_main(&app, argc, argv);
}
