// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* events.c - the events of ccdm.h: generic netlink without libnl (Documentation/reference/abi.rst) */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ccdm_format.h"
#include "error.h"

/* A message of the kernel is at most as large as a page, and an answer about a family is smaller. */
#define CCDM_EVENTS_ROOM 8192

/**
 * struct ccdm_disk_events - see ccdm.h
 * @fd: a socket in the group
 * @family: type of its messages
 */
struct ccdm_disk_events {
	int fd;
	uint16_t family;
};

/* A message, aligned as netlink's structures need it. */
union ccdm_events_message {
	struct nlmsghdr head;
	char bytes[CCDM_EVENTS_ROOM];
};

/* ---- attributes --------------------------------------------------------------------- */

/**
 * struct ccdm_events_attr - an attribute
 * @type: without its flags; -1: there are no more
 * @data: its value
 * @size: bytes of @data
 */
struct ccdm_events_attr {
	int type;
	const char *data;
	size_t size;
};

/* Take the attribute at the beginning of *@data; *@data and *@size become what follows it. */
static bool ccdm_events_attr(const char **data, size_t *size, struct ccdm_events_attr *attr)
{
	struct nlattr head;
	size_t all;

	if (*size < sizeof(head))
		return false;
	memcpy(&head, *data, sizeof(head));
	if (head.nla_len < sizeof(head) || head.nla_len > *size)
		return false;
	attr->type = head.nla_type & NLA_TYPE_MASK;
	attr->data = *data + NLA_HDRLEN;
	attr->size = head.nla_len - NLA_HDRLEN;
	all = ((size_t)head.nla_len + 3) & ~(size_t)3;
	if (all > *size)
		all = *size;
	*data += all;
	*size -= all;
	return true;
}

static void ccdm_events_text(const struct ccdm_events_attr *attr, char *to, size_t size)
{
	snprintf(to, size, "%.*s", (int)attr->size, attr->data);
	ccdm_err_plain(to);
}

static uint64_t ccdm_events_number(const struct ccdm_events_attr *attr)
{
	uint64_t eight;
	uint32_t four;

	if (attr->size == sizeof(eight)) {
		memcpy(&eight, attr->data, sizeof(eight));
		return eight;
	}
	if (attr->size != sizeof(four))
		return 0;
	memcpy(&four, attr->data, sizeof(four));
	return four;
}

/* The attributes of a generic message. Return: false if it is another message, or too short. */
static bool ccdm_events_body(const union ccdm_events_message *m, size_t got, const char **data,
			     size_t *size)
{
	size_t head = NLMSG_HDRLEN + GENL_HDRLEN;

	if (got < head || m->head.nlmsg_len < head || m->head.nlmsg_len > got)
		return false;
	*data = m->bytes + head;
	*size = m->head.nlmsg_len - head;
	return true;
}

/* ---- the group ----------------------------------------------------------------------- */

/* The number of the group "events" in the list of groups; 0: there is none. */
static uint32_t ccdm_events_group(const char *list, size_t list_size)
{
	struct ccdm_events_attr group, attr;
	const char *data;
	uint32_t number;
	bool found;
	size_t size;

	while (ccdm_events_attr(&list, &list_size, &group)) {
		data = group.data;
		size = group.size;
		number = 0;
		found = false;
		while (ccdm_events_attr(&data, &size, &attr)) {
			if (attr.type == CTRL_ATTR_MCAST_GRP_ID)
				number = (uint32_t)ccdm_events_number(&attr);
			if (attr.type == CTRL_ATTR_MCAST_GRP_NAME)
				found = attr.size == sizeof(CCDM_GENL_GROUP) &&
					!memcmp(attr.data, CCDM_GENL_GROUP, attr.size);
		}
		if (found)
			return number;
	}
	return 0;
}

/* Receive a message of the kernel, the only one that has port 0. Return: its bytes, or -errno. */
static ssize_t ccdm_events_receive(int fd, union ccdm_events_message *m, int flags)
{
	struct sockaddr_nl from = { 0 };
	socklen_t size;
	ssize_t n;

	do {
		size = sizeof(from);
		n = recvfrom(fd, m, sizeof(*m), flags, (struct sockaddr *)&from, &size);
	} while ((n < 0 && errno == EINTR) || (n >= 0 && (size < sizeof(from) || from.nl_pid)));
	return n < 0 ? -errno : n;
}

/* Ask the kernel for the family, and for the number of the group; 0: there is no such family. */
static int ccdm_events_ask(int fd, uint16_t *family, uint32_t *group)
{
	struct {
		struct nlmsghdr head;
		struct genlmsghdr genl;
		struct nlattr attr;
		char name[NLA_ALIGN(sizeof(CCDM_GENL_NAME))];
	} ask = {
		.head = { .nlmsg_len = sizeof(ask),
			  .nlmsg_type = GENL_ID_CTRL,
			  .nlmsg_flags = NLM_F_REQUEST },
		.genl = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
		.attr = { .nla_len = NLA_HDRLEN + sizeof(CCDM_GENL_NAME),
			  .nla_type = CTRL_ATTR_FAMILY_NAME },
		.name = CCDM_GENL_NAME,
	};
	union ccdm_events_message answer;
	struct ccdm_events_attr attr;
	const char *data;
	size_t size;
	ssize_t n;

	*group = 0;
	if (send(fd, &ask, sizeof(ask), 0) < 0)
		return -errno;
	n = ccdm_events_receive(fd, &answer, 0);
	if (n < 0)
		return (int)n;
	/* an unknown family: NLMSG_ERROR with -ENOENT */
	if (!ccdm_events_body(&answer, (size_t)n, &data, &size) ||
	    answer.head.nlmsg_type != GENL_ID_CTRL)
		return 0;
	while (ccdm_events_attr(&data, &size, &attr)) {
		if (attr.type == CTRL_ATTR_FAMILY_ID && attr.size == sizeof(*family))
			memcpy(family, attr.data, sizeof(*family));
		if (attr.type == CTRL_ATTR_MCAST_GROUPS)
			*group = ccdm_events_group(attr.data, attr.size);
	}
	return 0;
}

static int ccdm_events_join(struct ccdm_disk_events *e, struct ccdm_err *err)
{
	uint32_t group;
	int r = ccdm_events_ask(e->fd, &e->family, &group);

	if (r)
		return ccdm_err_set(err, r, "netlink: %s", strerror(-r));
	if (!group) {
		ccdm_err_hint(err, "load it with: modprobe dm-ccdm");
		return ccdm_err_set(err, -ENOENT,
				    "no netlink family " CCDM_GENL_NAME
				    ": the module dm-ccdm is not loaded");
	}
	if (!setsockopt(e->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		return 0;
	r = -errno;
	ccdm_err_hint(err, "receiving events needs CAP_NET_ADMIN; run it as root");
	return ccdm_err_set(err, r, "cannot receive events: %s", strerror(-r));
}

int ccdm_disk_events_open(struct ccdm_disk_events **events, struct ccdm_disk_error *error)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	struct ccdm_disk_events *e = calloc(1, sizeof(*e));
	struct ccdm_err err = { 0 };
	int r;

	*events = NULL;
	if (!e)
		return ccdm_disk_error_fill(error, &err, ccdm_err_memory(&err));
	e->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (e->fd < 0 || bind(e->fd, (const struct sockaddr *)&address, sizeof(address)))
		r = ccdm_err_set(&err, -errno, "netlink: %s", strerror(errno));
	else
		r = ccdm_events_join(e, &err);
	if (r) {
		ccdm_disk_events_close(e);
		return ccdm_disk_error_fill(error, &err, r);
	}
	*events = e;
	return 0;
}

/* ---- events ---------------------------------------------------------------------------- */

int ccdm_disk_events_fd(const struct ccdm_disk_events *events)
{
	return events->fd;
}

static void ccdm_events_take(const char *data, size_t size, struct ccdm_disk_event *e)
{
	struct ccdm_events_attr attr;

	while (ccdm_events_attr(&data, &size, &attr)) {
		switch (attr.type) {
		case CCDM_ATTR_EVENT:
			ccdm_events_text(&attr, e->event, sizeof(e->event));
			break;
		case CCDM_ATTR_NAME:
			ccdm_events_text(&attr, e->name, sizeof(e->name));
			break;
		case CCDM_ATTR_UUID:
			ccdm_events_text(&attr, e->uuid, sizeof(e->uuid));
			break;
		case CCDM_ATTR_DEV:
			ccdm_events_text(&attr, e->dev, sizeof(e->dev));
			break;
		case CCDM_ATTR_KIND:
			ccdm_events_text(&attr, e->kind, sizeof(e->kind));
			break;
		case CCDM_ATTR_LEVEL:
			e->level = (uint32_t)ccdm_events_number(&attr);
			break;
		case CCDM_ATTR_INDEX:
			e->index = ccdm_events_number(&attr);
			break;
		}
	}
}

static int ccdm_events_next(const struct ccdm_disk_events *events, struct ccdm_disk_event *event,
			    struct ccdm_err *err)
{
	union ccdm_events_message m;
	struct ccdm_disk_event found;
	const char *data;
	size_t left;
	ssize_t n;

	do {
		memset(&found, 0, sizeof(found));
		n = ccdm_events_receive(events->fd, &m, MSG_DONTWAIT);
		if (n == -ENOBUFS)
			strcpy(found.event, "lost");
		else if (n < 0)
			return ccdm_err_set(err, (int)n, "netlink: %s", strerror((int)-n));
		else if (ccdm_events_body(&m, (size_t)n, &data, &left) &&
			 m.head.nlmsg_type == events->family)
			ccdm_events_take(data, left, &found);
	} while (!found.event[0]);
	return ccdm_disk_copy(event, &found, sizeof(found), CCDM_DISK_EVENT_FIRST, err);
}

int ccdm_disk_events_next(struct ccdm_disk_events *events, struct ccdm_disk_event *event,
			  struct ccdm_disk_error *error)
{
	struct ccdm_err err = { 0 };

	return ccdm_disk_error_fill(error, &err, ccdm_events_next(events, event, &err));
}

void ccdm_disk_events_close(struct ccdm_disk_events *events)
{
	if (!events)
		return;
	if (events->fd >= 0)
		close(events->fd);
	free(events);
}
