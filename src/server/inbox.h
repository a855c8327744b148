/*
 * Inbox: messages from any thread to one shard.
 *
 * A bounded ring of cells, each with a sequence number that says whose turn it
 * is (Dmitry Vyukov's bounded queue): many senders, one receiver, no locks, no
 * allocation.
 */
#ifndef ZEROG_SERVER_INBOX_H
#define ZEROG_SERVER_INBOX_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zerog/exchange.h>
#include <zerog/layout.h>

/* Go on with a pending exchange. */
struct zgi_message {
	zg_handle handle;
	zg_resume_handler *then;
	void *user; /* borrowed */
};

struct zgi_inbox_cell {
	uint64_t sequence;
	struct zgi_message message;
};

struct zgi_inbox {
	struct zgi_inbox_cell *cells; /* borrowed */
	uint64_t mask;
	zg_hot(senders);
	alignas(ZG_LINE_SIZE) uint64_t send_position;
	zg_hot(receiver);
	alignas(ZG_LINE_SIZE) uint64_t receive_position;
};

ZG_LINES_APART(struct zgi_inbox, mask, send_position);
ZG_LINES_APART(struct zgi_inbox, send_position, receive_position);
ZG_WHOLE_LINES(struct zgi_inbox);

/* Cells for at least count messages: a power of two. */
uint64_t zgi_inbox_cell_count(uint64_t count);

/* The cells are the caller's memory; cell_count as from zgi_inbox_cell_count(). */
void zgi_inbox_init(struct zgi_inbox *inbox, struct zgi_inbox_cell *cells, uint64_t cell_count);

/* Any thread. Return: 0; -EAGAIN when the inbox is full. */
ZG_MUST_USE int zgi_inbox_send(struct zgi_inbox *inbox, const struct zgi_message *message);

/* The shard's thread only. Return: false when there is none. */
bool zgi_inbox_receive(struct zgi_inbox *inbox, struct zgi_message *ret_message);

#endif
