/*
 * Sandbox: words by card number, given when their time has come.
 */
#include "payments/sandbox.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static const struct {
	const char *number;
	enum shop_verdict verdict;
	bool is_silent;
} sandbox_cards[] = {
	{"4000000000000002", SHOP_VERDICT_DECLINED, false},
	{"4000000000009995", SHOP_INSUFFICIENT_FUNDS, false},
	{"4000000000000069", SHOP_EXPIRED_CARD, false},
	{"4000000000000119", SHOP_APPROVED, true},
	{"4000000000003220", SHOP_UNHEARD, true},
	{"4000000000000259", SHOP_DUPLICATE, false},
};

static struct shop_sandbox *sandbox_of(struct shop_acquirer *acquirer)
{
	return (struct shop_sandbox *)acquirer;
}

static struct shop_sandbox_entry *sandbox_find(struct shop_sandbox *sandbox, uint64_t operation_id)
{
	for (uint32_t index = 0; index < sandbox->entry_count; ++index) {
		/* The latest ones first: what is asked about is rarely old. */
		uint32_t back = sandbox->next + sandbox->entry_count - 1 - index;
		struct shop_sandbox_entry *entry = &sandbox->entries[back % sandbox->entry_count];

		if (entry->operation_id == operation_id)
			return entry;
	}
	return NULL;
}

static void sandbox_unlink(struct shop_sandbox *sandbox, struct shop_sandbox_entry *entry)
{
	*(entry->earlier > 0 ? &sandbox->entries[entry->earlier - 1].later : &sandbox->earliest) =
		entry->later;
	*(entry->later > 0 ? &sandbox->entries[entry->later - 1].earlier : &sandbox->latest) =
		entry->earlier;
	entry->is_waiting = false;
}

/* Into the order of those that wait. It is nearly always the latest: only who is silent waits
 * longer than others. */
static void sandbox_wait(struct shop_sandbox *sandbox, struct shop_sandbox_entry *entry,
			 int64_t delay_ms)
{
	uint32_t number = (uint32_t)(entry - sandbox->entries) + 1;

	if (entry->is_waiting)
		sandbox_unlink(sandbox, entry);
	entry->due_ms = sandbox->now_ms + delay_ms;
	entry->is_waiting = true;
	entry->earlier = sandbox->latest;
	while (entry->earlier > 0 && sandbox->entries[entry->earlier - 1].due_ms > entry->due_ms)
		entry->earlier = sandbox->entries[entry->earlier - 1].earlier;
	entry->later =
		entry->earlier > 0 ? sandbox->entries[entry->earlier - 1].later : sandbox->earliest;
	*(entry->earlier > 0 ? &sandbox->entries[entry->earlier - 1].later : &sandbox->earliest) =
		number;
	*(entry->later > 0 ? &sandbox->entries[entry->later - 1].earlier : &sandbox->latest) =
		number;
}

/* A new entry in the oldest one's place; NULL when that still waits for its word. */
static struct shop_sandbox_entry *sandbox_add(struct shop_sandbox *sandbox, uint64_t operation_id)
{
	struct shop_sandbox_entry *entry = &sandbox->entries[sandbox->next];

	if (entry->is_waiting)
		return NULL;
	sandbox->next = (sandbox->next + 1) % sandbox->entry_count;
	*entry = (struct shop_sandbox_entry){
		.operation_id = operation_id,
		.reference = operation_id ^ UINT64_C(0x5a5a5a5a5a5a5a5a),
		.verdict = SHOP_APPROVED,
	};
	return entry;
}

static int sandbox_submit(struct shop_acquirer *acquirer,
			  const struct shop_acquirer_request *request)
{
	struct shop_sandbox *sandbox = sandbox_of(acquirer);
	struct shop_sandbox_entry *entry;

	assert(request->operation_id > 0);
	assert((request->card != NULL) == (request->operation <= SHOP_SALE));
	/* Submitted twice, carried out once. A fresh id is above all others, and not looked for. */
	if (request->operation_id <= sandbox->operation_last) {
		entry = sandbox_find(sandbox, request->operation_id);
		if (entry != NULL) {
			sandbox_wait(sandbox, entry, sandbox->delay_ms);
			return 0;
		}
	}
	entry = sandbox_add(sandbox, request->operation_id);
	if (entry == NULL)
		return -EAGAIN;
	if (request->operation_id > sandbox->operation_last)
		sandbox->operation_last = request->operation_id;
	for (size_t index = 0;
	     request->card != NULL && index < sizeof(sandbox_cards) / sizeof(sandbox_cards[0]);
	     ++index)
		if (strcmp(request->card->number, sandbox_cards[index].number) == 0) {
			entry->verdict = sandbox_cards[index].verdict;
			entry->is_silent = sandbox_cards[index].is_silent;
		}
	sandbox_wait(sandbox, entry,
		     entry->is_silent ? SHOP_SANDBOX_TIMEOUT_MS : sandbox->delay_ms);
	return 0;
}

static int sandbox_ask(struct shop_acquirer *acquirer, uint64_t operation_id)
{
	struct shop_sandbox *sandbox = sandbox_of(acquirer);
	struct shop_sandbox_entry *entry = sandbox_find(sandbox, operation_id);

	if (entry == NULL) {
		entry = sandbox_add(sandbox, operation_id);
		if (entry == NULL)
			return -EAGAIN;
		if (operation_id > sandbox->operation_last)
			sandbox->operation_last = operation_id;
		entry->verdict = SHOP_UNHEARD;
	}
	entry->is_silent = false;
	sandbox_wait(sandbox, entry, sandbox->delay_ms);
	return 0;
}

static void sandbox_tell(struct shop_sandbox *sandbox, struct shop_sandbox_entry *entry)
{
	const struct shop_payment_outcome word = {
		.operation_id = entry->operation_id,
		.acquirer_reference =
			!entry->is_silent && entry->verdict == SHOP_APPROVED ? entry->reference : 0,
		.verdict = entry->is_silent ? SHOP_TIMED_OUT : entry->verdict,
	};

	sandbox_unlink(sandbox, entry);
	sandbox->acquirer.done(sandbox->acquirer.user, &word);
}

static int64_t sandbox_poll(struct shop_acquirer *acquirer, int64_t now_ms)
{
	struct shop_sandbox *sandbox = sandbox_of(acquirer);
	uint32_t last = sandbox->latest;
	bool is_last = false;

	sandbox->now_ms = now_ms;
	/* What is asked for by those who are told waits for the next call. */
	while (sandbox->earliest > 0 && !is_last) {
		struct shop_sandbox_entry *entry = &sandbox->entries[sandbox->earliest - 1];

		if (entry->due_ms > now_ms)
			break;
		is_last = sandbox->earliest == last;
		sandbox_tell(sandbox, entry);
	}
	return sandbox->earliest > 0 ? sandbox->entries[sandbox->earliest - 1].due_ms : INT64_MAX;
}

static const struct shop_acquirer_operations sandbox_operations = {
	.name = "sandbox",
	.submit = sandbox_submit,
	.ask = sandbox_ask,
	.poll = sandbox_poll,
};

void shop_sandbox_init(struct shop_sandbox *sandbox, const struct shop_sandbox_options *options)
{
	assert(options->done != NULL && options->entry_count > 0);
	*sandbox = (struct shop_sandbox){
		.acquirer = {&sandbox_operations, options->done, options->user},
		.entries = options->entries,
		.entry_count = options->entry_count,
		.now_ms = options->now_ms,
		.delay_ms = options->delay_ms,
	};
	memset(options->entries, 0, options->entry_count * sizeof(*options->entries));
}
