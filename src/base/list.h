/*
 * List: doubly linked, through nodes that lie inside the objects listed.
 *
 * Being listed costs no allocation, and an object takes itself out without a
 * search. An empty list, and a node in no list, point to themselves.
 *
 * Ownership  The list owns nothing; a node must be removed before its object ends.
 * Threads    Not locked.
 */
#ifndef ZEROG_BASE_LIST_H
#define ZEROG_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"

struct zgi_list {
	struct zgi_list *next; /* borrowed */
	struct zgi_list *prev; /* borrowed */
};

/* The object of a type in which a node is the given member. */
#define ZGI_CONTAINER_OF(node, type, member) \
	((type *)(void *)((char *)(node)-offsetof(type, member)))

/* Walks over the nodes of a list; the current node may be removed on the way, the next may not. */
#define zgi_list_for_each(node, list)                                                         \
	for (struct zgi_list *node = (list)->next, *node##_next = node->next; node != (list); \
	     node = node##_next, node##_next = node->next)

/**
 * zgi_list_init() - make an empty list, or a node that is in none
 * @list:  the caller's; overwritten
 */
static inline void zgi_list_init(struct zgi_list *list)
{
	list->next = list;
	list->prev = list;
}

/**
 * zgi_list_is_empty() - is nothing listed, or is a node in no list?
 * @list:  initialised
 */
static inline bool zgi_list_is_empty(const struct zgi_list *list)
{
	return list->next == list;
}

/**
 * zgi_list_append() - put a node at the end
 * @list:  initialised
 * @node:  initialised, and in no list
 */
static inline void zgi_list_append(struct zgi_list *list, struct zgi_list *node)
{
	zg_assert(zgi_list_is_empty(node));

	node->next = list;
	node->prev = list->prev;
	list->prev->next = node;
	list->prev = node;
}

/**
 * zgi_list_remove() - take a node out of the list it is in
 * @node:  initialised; nothing happens when it is in no list
 */
static inline void zgi_list_remove(struct zgi_list *node)
{
	zg_assert(node->next->prev == node);
	zg_assert(node->prev->next == node);

	node->prev->next = node->next;
	node->next->prev = node->prev;
	zgi_list_init(node);
}

/**
 * zgi_list_first() - the node that was appended before all others
 * @list:  initialised
 *
 * Return: the node, NULL when the list is empty.
 */
static inline struct zgi_list *zgi_list_first(const struct zgi_list *list)
{
	return zgi_list_is_empty(list) ? NULL : list->next;
}

#endif
