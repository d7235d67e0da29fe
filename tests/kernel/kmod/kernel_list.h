/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/* kernel_list.h - the kernel's lists and hashes; kernel.h includes it */
#ifndef CCDM_TEST_KERNEL_LIST_H
#define CCDM_TEST_KERNEL_LIST_H

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD(name)		struct list_head name = { &(name), &(name) }

static inline void INIT_LIST_HEAD(struct list_head *h)
{
	h->next = h->prev = h;
}

static inline void sim_list_put(struct list_head *e, struct list_head *prev, struct list_head *next)
{
	next->prev = e;
	e->next = next;
	e->prev = prev;
	prev->next = e;
}

static inline void list_add(struct list_head *e, struct list_head *h)
{
	sim_list_put(e, h, h->next);
}

static inline void list_add_tail(struct list_head *e, struct list_head *h)
{
	sim_list_put(e, h->prev, h);
}

static inline void list_del(struct list_head *e)
{
	if (e->next->prev != e || e->prev->next != e)
		sim_bug("a list is broken");
	e->next->prev = e->prev;
	e->prev->next = e->next;
	e->next = e->prev = NULL;
}

static inline void list_del_init(struct list_head *e)
{
	list_del(e);
	INIT_LIST_HEAD(e);
}

static inline bool list_empty(const struct list_head *h)
{
	return h->next == h;
}

#define list_empty_careful(h)	list_empty(h)

static inline void list_move_tail(struct list_head *e, struct list_head *h)
{
	list_del(e);
	list_add_tail(e, h);
}

static inline void list_splice_init(struct list_head *from, struct list_head *to)
{
	while (!list_empty(from)) {
		struct list_head *e = from->prev;

		list_del(e);
		list_add(e, to);
	}
}

#define list_entry(p, type, member)		container_of(p, type, member)
#define list_first_entry(h, type, member)	list_entry((h)->next, type, member)
#define list_first_entry_or_null(h, type, member) \
	(list_empty(h) ? NULL : list_first_entry(h, type, member))
#define list_for_each(p, h)	for ((p) = (h)->next; (p) != (h); (p) = (p)->next)
#define list_for_each_entry(p, h, member)					\
	for ((p) = list_entry((h)->next, __typeof__(*(p)), member); &(p)->member != (h); \
	     (p) = list_entry((p)->member.next, __typeof__(*(p)), member))
#define list_for_each_entry_safe(p, n, h, member)				\
	for ((p) = list_entry((h)->next, __typeof__(*(p)), member),		\
	     (n) = list_entry((p)->member.next, __typeof__(*(p)), member); &(p)->member != (h); \
	     (p) = (n), (n) = list_entry((n)->member.next, __typeof__(*(p)), member))

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

static inline void hlist_add_head(struct hlist_node *n, struct hlist_head *h)
{
	n->next = h->first;
	if (n->next)
		n->next->pprev = &n->next;
	h->first = n;
	n->pprev = &h->first;
}

static inline void hlist_del(struct hlist_node *n)
{
	*n->pprev = n->next;
	if (n->next)
		n->next->pprev = n->pprev;
	n->next = NULL;
	n->pprev = NULL;
}

#define sim_hlist_entry(p, type, member)	((p) ? container_of(p, type, member) : NULL)
#define hlist_for_each_entry(p, h, member)					\
	for ((p) = sim_hlist_entry((h)->first, __typeof__(*(p)), member); (p);	\
	     (p) = sim_hlist_entry((p)->member.next, __typeof__(*(p)), member))
#define hlist_for_each_entry_safe(p, n, h, member)				\
	for ((p) = sim_hlist_entry((h)->first, __typeof__(*(p)), member);	\
	     (p) && ((n) = (p)->member.next, true);				\
	     (p) = sim_hlist_entry(n, __typeof__(*(p)), member))

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

#define llist_entry(p, type, member)	container_of(p, type, member)

static inline bool llist_add(struct llist_node *n, struct llist_head *h)
{
	bool was_empty = !h->first;

	n->next = h->first;
	h->first = n;
	sim_yield();
	return was_empty;
}

static inline bool llist_empty(const struct llist_head *h)
{
	return !h->first;
}

static inline struct llist_node *llist_del_all(struct llist_head *h)
{
	struct llist_node *n = h->first;

	h->first = NULL;
	sim_yield();
	return n;
}

static inline struct llist_node *llist_reverse_order(struct llist_node *n)
{
	struct llist_node *out = NULL, *next;

	for (; n; n = next) {
		next = n->next;
		n->next = out;
		out = n;
	}
	return out;
}

#define hash_ptr(p, bits)	hash_64((uintptr_t)(p), bits)
#define hash_64(v, bits)	((unsigned int)(((u64)(v) * 0x61c8864680b583ebull) >> (64 - (bits))))

#endif /* CCDM_TEST_KERNEL_LIST_H */
