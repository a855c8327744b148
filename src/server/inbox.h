/*
 * Inbox: messages from any thread to one shard.
 *
 * A message is either a resume of a pending exchange or a post. Posts may fill a part
 * of the ring only, so that no flood of them keeps an exchange from being resumed.
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

#include <zerog/async.h>
#include <zerog/exchange.h>
#include <zerog/layout.h>

/* The handle is the tag as well: no exchange ever has the one that is 0. So a cell is 32 bytes. */
struct zgi_message {
	zg_handle handle; /* of the exchange to go on with; ZG_HANDLE_NONE: a post */
	union {
		zg_resume_handler *then;
		zg_post_handler *post;
	};
	void *user; /* borrowed */
};

static inline bool zgi_message_is_post(const struct zgi_message *message)
{
	return message->handle.bits == 0;
}

struct zgi_inbox_cell {
	uint64_t sequence;
	struct zgi_message message;
};

struct zgi_inbox {
	struct zgi_inbox_cell *cells; /* borrowed */
	uint64_t mask;
	uint64_t post_count_max;
	zg_hot(senders);
	alignas(ZG_LINE_SIZE) uint64_t send_position;
	uint64_t post_count; /* posts that were sent and not received */
	uint32_t is_woken; /* somebody has woken the receiver, who has not looked yet */
	zg_hot(receiver);
	alignas(ZG_LINE_SIZE) uint64_t receive_position;
};

ZG_DIVIDES_LINE(struct zgi_inbox_cell);
ZG_LINES_APART(struct zgi_inbox, post_count_max, send_position);
ZG_LINES_APART(struct zgi_inbox, is_woken, receive_position);
ZG_WHOLE_LINES(struct zgi_inbox);

/* Cells for at least count messages: a power of two. */
uint64_t zgi_inbox_cell_count(uint64_t count);

struct zgi_inbox_options {
	struct zgi_inbox_cell *cells; /* the caller's memory */
	uint64_t cell_count; /* as from zgi_inbox_cell_count() */
	uint64_t post_count_max; /* of the messages, so many may be posts */
};

/* Empty. */
void zgi_inbox_init(struct zgi_inbox *inbox, const struct zgi_inbox_options *options);

/* Any thread. Return: 0; -EAGAIN when the inbox is full, or has as many posts as it may. */
ZG_MUST_USE int zgi_inbox_send(struct zgi_inbox *inbox, const struct zgi_message *message);

/* After a send: must the receiver be woken? Not when somebody has, and it has not looked since: so
 * a crowd of senders costs one system call. Any thread. */
ZG_MUST_USE bool zgi_inbox_must_wake(struct zgi_inbox *inbox);

/* The shard's thread only, before it receives: who sends from now on must wake it again. */
void zgi_inbox_look(struct zgi_inbox *inbox);

/* The shard's thread only: is there nothing to receive now? */
bool zgi_inbox_is_empty(const struct zgi_inbox *inbox);

/* The shard's thread only. Return: false when there is none. */
bool zgi_inbox_receive(struct zgi_inbox *inbox, struct zgi_message *ret_message);

#endif
