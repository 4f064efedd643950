/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intrusive doubly-linked lists. A list is a ring through its own head node. A node that is on no list either was set up
 * with list_init (list_linked then says false) or must not be looked at. The caller's lock protects list and nodes.
 */
#ifndef HV_LIST_H
#define HV_LIST_H

#include <hv/compiler.h>
#include <hv/types.h>

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name) { &(name), &(name) }

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

/* Is this node (not head) on a list? Valid for nodes that were set up with list_init. */
static inline bool list_linked(const struct list *node)
{
	return node->next != node;
}

static inline void list_insert_between(struct list *node, struct list *prev, struct list *next)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

static inline void list_add_head(struct list *head, struct list *node)
{
	list_insert_between(node, head, head->next);
}

static inline void list_add_tail(struct list *head, struct list *node)
{
	list_insert_between(node, head->prev, head);
}

/* Put node in front of "where", which is a node or the head (then it becomes the last). */
static inline void list_add_before(struct list *where, struct list *node)
{
	list_insert_between(node, where->prev, where);
}

/* Takes the node off its list and leaves it as list_init does; harmless on a node that is on no list. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Moves all of "from" to the end of "to"; "from" is then empty. */
static inline void list_splice_tail(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_entry(node, type, member) container_of(node, type, member)
/* First or last entry; NULL if the list is empty. */
#define list_first_entry(head, type, member) \
	(list_empty(head) ? NULL : list_entry((head)->next, type, member))
#define list_last_entry(head, type, member) \
	(list_empty(head) ? NULL : list_entry((head)->prev, type, member))

#define list_for_each(node, head) for ((node) = (head)->next; (node) != (head); (node) = (node)->next)

/* Loop over the entries; the body must not remove the entry it stands on. */
#define list_for_each_entry(pos, head, member) \
	for ((pos) = list_entry((head)->next, __typeof__(*(pos)), member); &(pos)->member != (head); \
	     (pos) = list_entry((pos)->member.next, __typeof__(*(pos)), member))

/* The body may remove pos (and only pos); "tmp" is of the same type and holds the next entry. */
#define list_for_each_entry_safe(pos, tmp, head, member) \
	for ((pos) = list_entry((head)->next, __typeof__(*(pos)), member), \
	     (tmp) = list_entry((pos)->member.next, __typeof__(*(pos)), member); &(pos)->member != (head); \
	     (pos) = (tmp), (tmp) = list_entry((pos)->member.next, __typeof__(*(pos)), member))

#endif
