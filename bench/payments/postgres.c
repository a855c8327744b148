/*
 * PostgreSQL as the ledger: the same work, over connections to its socket, without HTTP.
 *
 *	payments-postgres DIRECTORY DATABASE CONNECTIONS SECONDS [one]
 *
 * DIRECTORY is that of its socket. A payment is what it is in the storefront: it is recorded with
 * its idempotency key before the acquirer is asked, and its outcome is recorded before anybody is
 * told. Each of the two is one prepared statement, and so one round trip and one transaction: it
 * takes no shorter way. With `one`, both are one statement, which is less than the storefront does.
 * One thread with epoll drives all connections.
 */
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "tally.h"

#define CONNECTIONS_MAX 1024

#define INTENT                                                                                    \
	"WITH payment AS (INSERT INTO payments (order_id, amount, currency, brand, last_four,"    \
	" state, captured, created_ms) VALUES (0, 1299, 978, 1, '4242', 0, 0, 1700000000000)"     \
	" RETURNING id) INSERT INTO keys SELECT $1, '\\x00112233445566778899aabbccddeeff', id, 1" \
	" FROM payment RETURNING payment_id"
#define OUTCOME                                                                            \
	"WITH payment AS (UPDATE payments SET state = 2, captured = amount WHERE id = $2)" \
	" UPDATE keys SET result = 0 WHERE key = $1"
#define BOTH                                                                                      \
	"WITH payment AS (INSERT INTO payments (order_id, amount, currency, brand, last_four,"    \
	" state, captured, created_ms) VALUES (0, 1299, 978, 1, '4242', 2, 1299, 1700000000000)"  \
	" RETURNING id) INSERT INTO keys SELECT $1, '\\x00112233445566778899aabbccddeeff', id, 0" \
	" FROM payment"

static const char schema[] =
	"DROP TABLE IF EXISTS payments, keys;"
	"CREATE TABLE payments (id bigserial PRIMARY KEY, order_id bigint NOT NULL,"
	" amount bigint NOT NULL, currency smallint NOT NULL, brand smallint NOT NULL,"
	" last_four char(4) NOT NULL, state smallint NOT NULL, captured bigint NOT NULL,"
	" created_ms bigint NOT NULL);"
	"CREATE TABLE keys (key text PRIMARY KEY, digest bytea NOT NULL,"
	" payment_id bigint NOT NULL, result smallint NOT NULL);";

struct connection {
	PGconn *base;
	uint64_t asked_ns;
	bool is_intended; /* the outcome is under way */
	char key[32];
	char id[24];
};

static struct tally tally;
static struct connection connections[CONNECTIONS_MAX];
static bool is_one;
static uint64_t key_next;

static void fail(const struct connection *connection, const char *what)
{
	fprintf(stderr, "payments-postgres: %s: %s\n", what, PQerrorMessage(connection->base));
	exit(1);
}

static void check(const struct connection *connection, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		fail(connection, "statement");
	PQclear(result);
}

static void ask(struct connection *connection)
{
	const char *values[] = {connection->key, connection->id};

	if (!connection->is_intended) {
		snprintf(connection->key, sizeof(connection->key), "%016llx",
			 (unsigned long long)key_next++);
		connection->asked_ns = tally_now_ns();
	}
	if (PQsendQueryPrepared(connection->base, connection->is_intended ? "outcome" : "intent",
				connection->is_intended ? 2 : 1, values, NULL, NULL, 0) != 1 ||
	    PQflush(connection->base) != 0)
		fail(connection, "send");
}

static void answered(struct connection *connection, PGresult *result)
{
	if (!is_one && !connection->is_intended) {
		snprintf(connection->id, sizeof(connection->id), "%s", PQgetvalue(result, 0, 0));
		connection->is_intended = true;
	} else {
		tally_add(&tally, connection->asked_ns, tally_now_ns());
		connection->is_intended = false;
	}
	check(connection, result);
}

static void receive(struct connection *connection)
{
	PGresult *result;

	if (PQconsumeInput(connection->base) != 1)
		fail(connection, "receive");
	if (PQisBusy(connection->base))
		return;
	result = PQgetResult(connection->base);
	if (result == NULL)
		fail(connection, "no result");
	answered(connection, result);
	while ((result = PQgetResult(connection->base)) != NULL)
		check(connection, result);
	ask(connection);
}

static void start(struct connection *connection, const char *where, int poll)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

	connection->base = PQconnectdb(where);
	if (PQstatus(connection->base) != CONNECTION_OK)
		fail(connection, where);
	if (connection == connections)
		check(connection, PQexec(connection->base, schema));
	check(connection, PQprepare(connection->base, "intent", is_one ? BOTH : INTENT, 1, NULL));
	check(connection, PQprepare(connection->base, "outcome", OUTCOME, 2, NULL));
	if (epoll_ctl(poll, EPOLL_CTL_ADD, PQsocket(connection->base), &event) < 0)
		fail(connection, "epoll");
}

int main(int argc, char **argv)
{
	unsigned long count = argc >= 5 ? strtoul(argv[3], NULL, 10) : 0;
	double seconds = argc >= 5 ? strtod(argv[4], NULL) : 0;
	int poll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[64];
	char where[4096];

	if (count < 1 || count > CONNECTIONS_MAX || seconds <= 0) {
		fprintf(stderr, "usage: payments-postgres DIRECTORY DATABASE CONNECTIONS SECONDS "
				"[one]\n");
		return 2;
	}
	is_one = argc > 5;
	snprintf(where, sizeof(where), "host=%s dbname=%s user=postgres", argv[1], argv[2]);
	key_next = tally_now_ns();
	for (unsigned long index = 0; index < count; index++)
		start(&connections[index], where, poll);
	tally_begin(&tally, seconds);
	for (unsigned long index = 0; index < count; index++)
		ask(&connections[index]);
	while (tally_now_ns() < tally.end_ns) {
		int ready = epoll_wait(poll, events, 64, 100);

		for (int index = 0; index < ready; index++)
			receive(events[index].data.ptr);
	}
	tally_print(&tally);
	return 0;
}
