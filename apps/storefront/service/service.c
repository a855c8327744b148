/*
 * The service from its options to the first request: memory is reserved, the shop is what its store
 * says it was, or filled from the file of products when it is empty.
 */
#include "service/service.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "catalog/import.h"

#define SERVICE_SEGMENT_SIZE (UINT64_C(16) << 20)
#define SERVICE_SEGMENT_COUNT 8
#define SERVICE_READ_SIZE 65536

struct service service;

static const char *service_journal(void)
{
	static const char prefix[] = "journal:";

	return strncmp(service.store_name, prefix, sizeof(prefix) - 1) == 0
		       ? service.store_name + sizeof(prefix) - 1
		       : NULL;
}

static struct shop_journal_store_options service_journal_options(void)
{
	return (struct shop_journal_store_options){
		.directory = service_journal(),
		.segment_size = SERVICE_SEGMENT_SIZE,
		.segment_count = SERVICE_SEGMENT_COUNT,
		.create = true,
		.shop = &service.shop,
		.done = ledger_done,
	};
}

static struct zg_pool_options service_slot_options(void)
{
	return (struct zg_pool_options){
		.name = "slot",
		.block_size = sizeof(struct service_slot),
		.block_count = (uint32_t)service.slot_count,
	};
}

static size_t service_sandbox_size(void)
{
	return (size_t)service.shop_options.transactions_max * sizeof(struct shop_sandbox_entry);
}

int service_plan(struct zg_plan *plan, void *user)
{
	const struct shop_journal_store_options journal = service_journal_options();
	const struct zg_pool_options slots = service_slot_options();
	const struct zg_plan_line slot = {
		.name = "slots",
		.option = "--slots",
		.count = slots.block_count,
		.size_each =
			(zg_pool_memory_size(&slots) + slots.block_count - 1) / slots.block_count,
		.exhausted = "503 and Retry-After, nothing done",
	};
	const struct zg_plan_line sandbox = {
		.name = "sandbox",
		.option = "--transactions-max",
		.count = service.shop_options.transactions_max,
		.size_each = sizeof(struct shop_sandbox_entry),
	};
	const struct zg_plan_line pages = {
		.name = "pages",
		.count = 1,
		.size_each = pages_memory_size() + api_memory_size(),
	};
	int result = shop_plan(plan, &service.shop_options);

	(void)user;
	if (result == 0)
		result = shop_till_plan(plan, service.shop_options.transactions_max);
	if (result == 0)
		result = zg_plan_add(plan, &slot, "changes under way at once");
	if (result == 0)
		result = zg_plan_add(plan, &sandbox, "words that the sandbox remembers");
	if (result == 0)
		result = zg_plan_add(plan, &pages, "HTML and openapi.json, read at boot");
	if (result == 0 && journal.directory != NULL)
		result = shop_journal_store_plan(plan, &journal);
	return result;
}

/* All that the shop needs, in one region, touched page by page before anybody is served. */
static int service_reserve(struct zg_text *ret_error)
{
	const struct shop_journal_store_options journal = service_journal_options();
	const struct zg_pool_options slots = service_slot_options();
	struct zg_region_options options = {
		.name = "shop",
		.pages = ZG_REGION_PAGES_TRANSPARENT,
		.error = ret_error,
		.size = shop_memory_size(&service.shop_options) + zg_pool_memory_size(&slots) +
			service_sandbox_size() +
			shop_till_memory_size(service.shop_options.transactions_max) +
			pages_memory_size() + api_memory_size() + 16 * ZG_POOL_ALIGNMENT +
			(journal.directory != NULL ? shop_journal_store_memory_size(&journal) : 0) +
			65536,
	};

	return zg_region_init(&service.region, &options);
}

static void *service_carve(size_t size, size_t alignment)
{
	void *memory;

	return zg_region_carve(&service.region, size, alignment, &memory) < 0 ? NULL : memory;
}

static int service_open_store(struct zg_text *ret_error)
{
	struct shop_journal_store_options options = service_journal_options();
	int result;

	if (options.directory == NULL) {
		if (strcmp(service.store_name, "memory") != 0) {
			zg_text_print(ret_error,
				      "--store: \"%s\" is none: journal:DIRECTORY, or memory",
				      service.store_name);
			return -EINVAL;
		}
		shop_memory_store_open(&service.memory, &service.shop, ledger_done, NULL);
		service.store = &service.memory.store;
		return 0;
	}
	options.memory_size = shop_journal_store_memory_size(&options);
	options.memory = service_carve(options.memory_size, ZG_JOURNAL_MEMORY_ALIGNMENT);
	result = options.memory == NULL ? -ENOMEM
					: shop_journal_store_open(&service.journal, &options,
								  &service.recovery, ret_error);
	if (result == 0)
		service.store = &service.journal.store;
	return result;
}

/* At boot nobody waits: a command is done when this returns. */
static int service_now(struct service_slot *slot)
{
	int fd;
	int result = shop_store_submit(service.store, &slot->command);

	if (result == 0 && shop_store_turn_end(service.store, &fd) == 1)
		shop_store_flushed(service.store, fdatasync(fd) < 0 ? -errno : 0);
	return result;
}

struct service_filling {
	uint32_t waiting; /* records since the last flush */
};

static int service_fill_one(void *user, const struct shop_product_put *put,
			    enum shop_reason *ret_reason)
{
	struct service_filling *filling = user;
	struct service_slot *slot;
	int fd;
	int result = service_slot_take(&slot);

	(void)ret_reason;
	if (result < 0)
		return result;
	slot->command.type = SHOP_PRODUCT_PUT;
	slot->command.request.product_put = *put;
	result = shop_store_submit(service.store, &slot->command);
	if (result < 0) {
		service_slot_give(slot);
		return result;
	}
	if (++filling->waiting % 256 == 0 && shop_store_turn_end(service.store, &fd) == 1)
		shop_store_flushed(service.store, fdatasync(fd) < 0 ? -errno : 0);
	return 0;
}

static int service_feed(struct shop_import *import, int fd)
{
	static char buffer[SERVICE_READ_SIZE];
	ssize_t size;

	while ((size = read(fd, buffer, sizeof(buffer))) > 0) {
		int result = shop_import_feed(import, (struct zg_slice){buffer, (size_t)size});

		if (result < 0)
			return result;
	}
	return size < 0 ? -errno : shop_import_finish(import);
}

static int service_codes(void)
{
	static const struct shop_code_put codes[] = {
		{.code = "WELCOME10", .basis_points = 1000},
		{.code = "MINUS5", .amount = 500, .minimum = 2000},
	};

	for (size_t index = 0; index < sizeof(codes) / sizeof(codes[0]); index++) {
		struct service_slot *slot;
		int result = service_slot_take(&slot);

		if (result < 0)
			return result;
		slot->command.type = SHOP_CODE_PUT;
		slot->command.request.code_put = codes[index];
		result = service_now(slot);
		if (result < 0)
			return result;
	}
	return 0;
}

/* A shop without products is filled from the file. */
static int service_fill(struct zg_text *ret_error)
{
	struct service_filling filling = {0};
	static struct shop_import import;
	int fd;
	int result;

	if (service.shop.catalog.products.count > 0 || service.products[0] == '\0')
		return 0;
	fd = open(service.products, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		zg_text_print(ret_error, "--products: %s cannot be read", service.products);
		return -errno;
	}
	shop_import_init(&import,
			 &(struct shop_import_options){
				 .policy = SHOP_IMPORT_EACH,
				 .currency = shop_currency_of(service.shop_options.currency),
				 .sink = service_fill_one,
				 .user = &filling,
			 });
	result = service_feed(&import, fd);
	close(fd);
	if (result < 0) {
		zg_text_print(ret_error, "--products: %s: ", service.products);
		shop_import_print(&import, ret_error);
		return result;
	}
	return service_codes();
}

/* Until the till is there to take them, nothing is asked that could have a word. */
static void service_word_early(void *user, const struct shop_payment_outcome *word)
{
	(void)user;
	(void)word;
	abort();
}

static int service_open_till(void)
{
	const struct shop_till_options options = {
		.store = service.store,
		.acquirer = &service.sandbox.acquirer,
		.done = ledger_paid,
		.transactions_max = service.shop_options.transactions_max,
		.memory =
			service_carve(shop_till_memory_size(service.shop_options.transactions_max),
				      ZG_POOL_ALIGNMENT),
	};

	return options.memory == NULL ? -ENOMEM : shop_till_init(&service.till, &options);
}

int service_open(struct zg_text *ret_error)
{
	const struct zg_pool_options wanted = service_slot_options();
	struct zg_pool_options slots = wanted;
	int result = shop_options_check(&service.shop_options, ret_error);

	if (result == 0)
		result = service_reserve(ret_error);
	if (result < 0)
		return result;
	if (getrandom(&service.shop_options.seed, sizeof(service.shop_options.seed), 0) < 0)
		return -errno;
	slots.memory_size = zg_pool_memory_size(&wanted);
	slots.memory = service_carve(slots.memory_size, ZG_POOL_ALIGNMENT);
	result = zg_pool_init(&service.slots, &slots);
	if (result == 0)
		result = shop_init(
			&service.shop, &service.shop_options,
			service_carve(shop_memory_size(&service.shop_options), ZG_POOL_ALIGNMENT));
	if (result < 0)
		return result;
	shop_sandbox_init(&service.sandbox,
			  &(struct shop_sandbox_options){
				  .done = service_word_early,
				  .entries = service_carve(service_sandbox_size(), 64),
				  .entry_count = service.shop_options.transactions_max,
				  .delay_ms = service.acquirer_delay_ms,
				  .now_ms = service_now_ms(),
			  });
	result = service_open_store(ret_error);
	if (result == 0)
		result = service_open_till();
	if (result == 0)
		result = service_fill(ret_error);
	if (result == 0)
		result = pages_read(service.pages, service_carve(pages_memory_size(), 64),
				    ret_error);
	if (result == 0)
		result = api_read(service.openapi, service_carve(api_memory_size(), 64), ret_error);
	return result;
}

void service_close(void)
{
	if (service.store != NULL)
		shop_store_close(service.store);
	service.store = NULL;
	if (service.till.store != NULL)
		shop_till_fini(&service.till);
	shop_fini(&service.shop);
	zg_pool_fini(&service.slots);
	zg_region_fini(&service.region);
}

struct zg_slice service_currency(void)
{
	const struct shop_currency *currency = shop_currency_of(service.shop_options.currency);

	return (struct zg_slice){currency->code, 3};
}

int service_path_number(struct zg_exchange *x, const char *name, uint64_t *ret_number)
{
	struct zg_slice text;
	uint64_t number = 0;
	int result = zg_request_parameter(x, (struct zg_slice){name, strlen(name)}, &text);

	if (result < 0)
		return result;
	if (text.size == 0 || text.size > 18)
		return -ENOENT;
	for (size_t index = 0; index < text.size; index++) {
		if (text.data[index] < '0' || text.data[index] > '9')
			return -ENOENT;
		number = number * 10 + (uint64_t)(text.data[index] - '0');
	}
	*ret_number = number;
	return 0;
}

bool service_is_foreign(struct zg_exchange *x, int *ret_result)
{
	struct zg_slice value;

	/* Another site's page can send neither this field nor JSON without asking us first. */
	if (zg_request_field(x, ZG_SLICE("X-Requested-With"), &value) == 0)
		return false;
	*ret_result = problem_reply(x, 403, "foreign",
				    "Send the header field X-Requested-With: storefront.");
	return true;
}

void service_visit_read(struct zg_exchange *x, struct service_visit *ret_visit)
{
	if (zg_session_read(x, ret_visit) < 0)
		memset(ret_visit, 0, sizeof(*ret_visit));
}
