/*
 * SQLite as the ledger: the same work, in the process, without HTTP.
 *
 *	payments-sqlite DIRECTORY clients|group CLIENTS SECONDS [one]
 *
 * A payment is what it is in the storefront: it is recorded with its idempotency key before the
 * acquirer is asked, and its outcome is recorded before anybody is told. Each of the two lasts when
 * its transaction is committed: WAL, synchronous=FULL.
 *
 * clients: a thread and a connection a client, each with its own transactions, as SQLite is usually
 * used. group: one thread that commits for all of them, each time the intents of one half of the
 * clients and the outcomes of the other: nobody waits for a lock, and no thread for another. With
 * `one`, intent and outcome are one transaction, which is less than the storefront does: a crash
 * while the acquirer is asked would leave no trace.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tally.h"

#define CLIENTS_MAX 1024
#define BUSY_MS 10000

static const char schema[] =
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;"
	"PRAGMA wal_autocheckpoint=1000;"
	"CREATE TABLE IF NOT EXISTS payments (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL,"
	" amount INTEGER NOT NULL, currency INTEGER NOT NULL, brand INTEGER NOT NULL,"
	" last_four TEXT NOT NULL, state INTEGER NOT NULL, captured INTEGER NOT NULL,"
	" created_ms INTEGER NOT NULL);"
	"CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, digest BLOB NOT NULL,"
	" payment_id INTEGER NOT NULL, result INTEGER NOT NULL) WITHOUT ROWID;";

enum statement { BEGIN, COMMIT, PAYMENT, KEY, OUTCOME, ANSWER, STATEMENTS };

static const char *const texts[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[PAYMENT] = "INSERT INTO payments (order_id, amount, currency, brand, last_four, state,"
		    " captured, created_ms) VALUES (0, 1299, 978, 1, '4242', 0, 0, 1700000000000)",
	[KEY] = "INSERT INTO keys VALUES (?1, x'00112233445566778899aabbccddeeff', ?2, 1)",
	[OUTCOME] = "UPDATE payments SET state = 2, captured = amount WHERE id = ?1",
	[ANSWER] = "UPDATE keys SET result = 0 WHERE key = ?1",
};

struct ledger {
	sqlite3 *base;
	sqlite3_stmt *statements[STATEMENTS];
};

struct payment {
	uint64_t asked_ns;
	int64_t id; /* 0: not begun */
	char key[32];
};

static struct tally tally;
static pthread_mutex_t tally_lock = PTHREAD_MUTEX_INITIALIZER;
static char path[4096];
static bool is_one;
static uint64_t key_first;

static void fail(const struct ledger *ledger, const char *what)
{
	fprintf(stderr, "payments-sqlite: %s: %s\n", what, sqlite3_errmsg(ledger->base));
	exit(1);
}

static void ledger_open(struct ledger *ledger)
{
	if (sqlite3_open(path, &ledger->base) != SQLITE_OK)
		fail(ledger, path);
	sqlite3_busy_timeout(ledger->base, BUSY_MS);
	if (sqlite3_exec(ledger->base, schema, NULL, NULL, NULL) != SQLITE_OK)
		fail(ledger, "schema");
	for (int index = 0; index < STATEMENTS; index++)
		if (sqlite3_prepare_v2(ledger->base, texts[index], -1, &ledger->statements[index],
				       NULL) != SQLITE_OK)
			fail(ledger, texts[index]);
}

static void step(struct ledger *ledger, enum statement name, const char *key, int64_t id)
{
	sqlite3_stmt *statement = ledger->statements[name];

	if (key != NULL)
		sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
	if (id > 0)
		sqlite3_bind_int64(statement, key != NULL ? 2 : 1, id);
	if (sqlite3_step(statement) != SQLITE_DONE)
		fail(ledger, texts[name]);
	sqlite3_reset(statement);
}

static void intend(struct ledger *ledger, struct payment *payment, uint64_t number)
{
	snprintf(payment->key, sizeof(payment->key), "%016llx",
		 (unsigned long long)(key_first + number));
	step(ledger, PAYMENT, NULL, 0);
	payment->id = sqlite3_last_insert_rowid(ledger->base);
	step(ledger, KEY, payment->key, payment->id);
}

static void conclude(struct ledger *ledger, struct payment *payment)
{
	step(ledger, OUTCOME, NULL, payment->id);
	step(ledger, ANSWER, payment->key, 0);
}

static void *client(void *user)
{
	uint64_t number = (uint64_t)(uintptr_t)user << 32;
	struct ledger ledger;
	struct payment payment;

	ledger_open(&ledger);
	while (tally_now_ns() < tally.end_ns) {
		payment.asked_ns = tally_now_ns();
		step(&ledger, BEGIN, NULL, 0);
		intend(&ledger, &payment, number++);
		if (!is_one) {
			step(&ledger, COMMIT, NULL, 0);
			step(&ledger, BEGIN, NULL, 0);
		}
		conclude(&ledger, &payment);
		step(&ledger, COMMIT, NULL, 0);
		pthread_mutex_lock(&tally_lock);
		tally_add(&tally, payment.asked_ns, tally_now_ns());
		pthread_mutex_unlock(&tally_lock);
	}
	return NULL;
}

static void run_clients(uint32_t count)
{
	pthread_t threads[CLIENTS_MAX];

	for (uint32_t index = 0; index < count; index++)
		if (pthread_create(&threads[index], NULL, client, (void *)(uintptr_t)index) != 0)
			exit(1);
	for (uint32_t index = 0; index < count; index++)
		pthread_join(threads[index], NULL);
}

/* Whose outcome has been committed is told, and comes with the next payment at once. */
static void group_told(struct payment *payments, uint32_t count)
{
	uint64_t now_ns = tally_now_ns();

	for (uint32_t index = 0; index < count; index++)
		if (payments[index].id > 0) {
			tally_add(&tally, payments[index].asked_ns, now_ns);
			payments[index].id = 0;
			payments[index].asked_ns = now_ns;
		}
}

static void run_group(struct ledger *ledger, uint32_t count)
{
	static struct payment payments[CLIENTS_MAX];
	uint32_t half = is_one ? count : count / 2;
	struct payment *intending = payments;
	struct payment *concluding = is_one ? payments : &payments[half];
	uint64_t number = 0;

	for (uint32_t index = 0; index < count; index++)
		payments[index].asked_ns = tally_now_ns();
	while (tally_now_ns() < tally.end_ns) {
		struct payment *other = concluding;

		step(ledger, BEGIN, NULL, 0);
		for (uint32_t index = 0; index < half; index++)
			intend(ledger, &intending[index], number++);
		for (uint32_t index = 0; index < half; index++)
			if (concluding[index].id > 0)
				conclude(ledger, &concluding[index]);
		step(ledger, COMMIT, NULL, 0);
		group_told(concluding, half);
		concluding = intending;
		intending = other;
	}
}

int main(int argc, char **argv)
{
	uint32_t count = argc >= 5 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;
	double seconds = argc >= 5 ? strtod(argv[4], NULL) : 0;
	struct ledger ledger;

	if (count < 2 || count > CLIENTS_MAX || seconds <= 0) {
		fprintf(stderr,
			"usage: payments-sqlite DIRECTORY clients|group CLIENTS SECONDS [one]\n");
		return 2;
	}
	is_one = argc > 5;
	key_first = tally_now_ns();
	snprintf(path, sizeof(path), "%s/payments.db", argv[1]);
	ledger_open(&ledger);
	tally_begin(&tally, seconds);
	if (strcmp(argv[2], "group") == 0)
		run_group(&ledger, count);
	else
		run_clients(count);
	tally_print(&tally);
	return 0;
}
