// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* events.c - see events.h */
#include <errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include "ccdm_format.h"
#include "events.h"

struct ccdm_events {
	struct nl_sock *sock;
	int (*each)(const struct ccdm_event *event, void *arg);
	void *arg;
	int result;
};

static struct nla_policy ccdm_policy[CCDM_ATTR_MAX + 1] = {
	[CCDM_ATTR_EVENT] = { .type = NLA_STRING }, [CCDM_ATTR_NAME] = { .type = NLA_STRING },
	[CCDM_ATTR_UUID] = { .type = NLA_STRING },  [CCDM_ATTR_DEV] = { .type = NLA_STRING },
	[CCDM_ATTR_KIND] = { .type = NLA_STRING },  [CCDM_ATTR_LEVEL] = { .type = NLA_U32 },
	[CCDM_ATTR_INDEX] = { .type = NLA_U64 },
};

static const char *ccdm_events_text(struct nlattr *a)
{
	return a ? nla_get_string(a) : "";
}

static int ccdm_events_message(struct nl_msg *msg, void *arg)
{
	struct nlattr *a[CCDM_ATTR_MAX + 1];
	struct ccdm_events *events = arg;
	struct ccdm_event e;

	if (genlmsg_parse(nlmsg_hdr(msg), 0, a, CCDM_ATTR_MAX, ccdm_policy) < 0)
		return NL_SKIP;
	e.event = ccdm_events_text(a[CCDM_ATTR_EVENT]);
	e.name = ccdm_events_text(a[CCDM_ATTR_NAME]);
	e.uuid = ccdm_events_text(a[CCDM_ATTR_UUID]);
	e.dev = ccdm_events_text(a[CCDM_ATTR_DEV]);
	e.kind = a[CCDM_ATTR_KIND] ? nla_get_string(a[CCDM_ATTR_KIND]) : NULL;
	e.level = a[CCDM_ATTR_LEVEL] ? nla_get_u32(a[CCDM_ATTR_LEVEL]) : 0;
	e.index = a[CCDM_ATTR_INDEX] ? nla_get_u64(a[CCDM_ATTR_INDEX]) : 0;
	events->result = events->each(&e, events->arg);
	return events->result ? NL_STOP : NL_OK;
}

int ccdm_events_open(struct ccdm_events **out, struct ccdm_err *err)
{
	struct ccdm_events *events = calloc(1, sizeof(*events));
	int group, r;

	if (!events || !(events->sock = nl_socket_alloc())) {
		free(events);
		return ccdm_err_memory(err);
	}
	nl_socket_disable_seq_check(events->sock);
	r = genl_connect(events->sock);
	if (r < 0) {
		r = ccdm_err_set(err, -EIO, "netlink: %s", nl_geterror(r));
		goto bad;
	}
	group = genl_ctrl_resolve_grp(events->sock, CCDM_GENL_NAME, CCDM_GENL_GROUP);
	if (group < 0) {
		r = ccdm_err_set(err, -ENOENT,
				 "no netlink family " CCDM_GENL_NAME
				 ": the module dm-ccdm is not loaded");
		goto bad;
	}
	r = nl_socket_add_membership(events->sock, group);
	if (r < 0) {
		r = ccdm_err_set(err, -EPERM, "cannot receive events: %s", nl_geterror(r));
		ccdm_err_hint(err, "receiving events needs CAP_NET_ADMIN; run it as root");
		goto bad;
	}
	*out = events;
	return 0;
bad:
	ccdm_events_close(events);
	return r;
}

void ccdm_events_close(struct ccdm_events *events)
{
	nl_socket_free(events->sock);
	free(events);
}

int ccdm_events_run(struct ccdm_events *events,
		    int (*each)(const struct ccdm_event *event, void *arg), void *arg,
		    struct ccdm_err *err)
{
	static const struct ccdm_event lost = {
		.event = "lost", .name = "", .uuid = "", .dev = ""
	};
	int r;

	events->each = each;
	events->arg = arg;
	events->result = 0;
	nl_socket_modify_cb(events->sock, NL_CB_VALID, NL_CB_CUSTOM, ccdm_events_message, events);
	while (!events->result) {
		r = nl_recvmsgs_default(events->sock);
		if (r == -NLE_NOMEM)
			events->result = each(&lost, arg);
		else if (r < 0 && r != -NLE_INTR)
			return ccdm_err_set(err, -EIO, "netlink: %s", nl_geterror(r));
	}
	return events->result;
}
