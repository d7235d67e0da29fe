// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * event.c - events, and the only function that declares tamper
 *
 * Generic netlink family "ccdm", group "events", for CAP_NET_ADMIN; the
 * specification is Documentation/reference/ccdm-netlink.yaml.
 *
 * With on_tamper:poweroff the host has every reason to delay the end: it may hang
 * another disk until memory is short and no worker can be made. So the order is:
 *
 *	1. a timer is armed, which panics: no memory, no worker, nothing to wait for
 *	2. power-off is queued on a queue without other work and with a rescuer
 *	3. the log and the events, which may wait for the console and for memory
 */
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/timer.h>
#include <net/genetlink.h>
#include "ccdm.h"

/* How long power off may take before the VM is stopped by a panic. */
#define CCDM_POWEROFF_SECONDS	30

enum {
	CCDM_EVENT_TAMPER,
	CCDM_EVENT_FAILED,
	CCDM_EVENT_UNWRITABLE,
};

static const struct genl_multicast_group ccdm_genl_groups[] = {
	{ .name = CCDM_GENL_GROUP, .flags = GENL_MCAST_CAP_NET_ADMIN },
};

static struct genl_family ccdm_genl = {
	.name = CCDM_GENL_NAME,
	.version = CCDM_GENL_VERSION,
	.maxattr = CCDM_ATTR_MAX,
	.module = THIS_MODULE,
	.mcgrps = ccdm_genl_groups,
	.n_mcgrps = ARRAY_SIZE(ccdm_genl_groups),
};

/* Two queues, so that power-off never waits for an event that waits for memory. */
static struct workqueue_struct *ccdm_event_wq;
static struct workqueue_struct *ccdm_halt_wq;

int ccdm_event_module_init(void)
{
	int r = -ENOMEM;

	ccdm_event_wq = alloc_workqueue("ccdm_event", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	ccdm_halt_wq = alloc_workqueue("ccdm_halt", WQ_MEM_RECLAIM | WQ_HIGHPRI | WQ_UNBOUND, 1);
	if (ccdm_event_wq && ccdm_halt_wq)
		r = genl_register_family(&ccdm_genl);
	if (!r)
		return 0;
	if (ccdm_event_wq)
		destroy_workqueue(ccdm_event_wq);
	if (ccdm_halt_wq)
		destroy_workqueue(ccdm_halt_wq);
	return r;
}

void ccdm_event_module_exit(void)
{
	genl_unregister_family(&ccdm_genl);
	destroy_workqueue(ccdm_event_wq);
	destroy_workqueue(ccdm_halt_wq);
}

/* ---- the end ------------------------------------------------------------- */

static char ccdm_halt_name[DM_NAME_LEN];
static unsigned long ccdm_halting;

static void ccdm_halt_expired(struct timer_list *timer)
{
	panic("ccdm: %s: tamper, but the machine did not power off", ccdm_halt_name);
}

/*
 * Nothing cancels it: after a tamper the machine powers off or panics. Closing the
 * mapping must not save the machine, because a shutdown closes it and may hang after that.
 */
static DEFINE_TIMER(ccdm_halt_timer, ccdm_halt_expired);

static void ccdm_halt_run(struct work_struct *work)
{
	/* In the kernel, because a helper program would be on the stopped root. */
	kernel_power_off();
	panic("ccdm: %s: tamper, but this machine cannot power off", ccdm_halt_name);
}

static DECLARE_WORK(ccdm_halt_work, ccdm_halt_run);

/* Start to power off the machine. Any context; allocates nothing and waits for nothing. */
static void ccdm_halt(struct ccdm *c)
{
	/* A second tamper, of another mapping, does not start the time again. */
	if (test_and_set_bit(0, &ccdm_halting))
		return;
	/* The timer runs this module's code: the module stays. */
	__module_get(THIS_MODULE);
	strscpy(ccdm_halt_name, ccdm_name(c), sizeof(ccdm_halt_name));
	mod_timer(&ccdm_halt_timer, jiffies + CCDM_POWEROFF_SECONDS * HZ);
	queue_work(ccdm_halt_wq, &ccdm_halt_work);
}

/* ---- events -------------------------------------------------------------- */

static void ccdm_event_netlink(struct ccdm *c, const char *event, const char *kind)
{
	struct gendisk *disk = dm_disk(c->md);
	char dev[24];
	struct sk_buff *skb;
	void *head;

	ccdm_name_update(c);
	snprintf(dev, sizeof(dev), "%u:%u", disk->major, disk->first_minor);

	skb = genlmsg_new(NLMSG_GOODSIZE, GFP_NOIO);
	if (!skb)
		return;
	head = genlmsg_put(skb, 0, 0, &ccdm_genl, 0, CCDM_CMD_EVENT);
	if (!head)
		goto bad;
	if (nla_put_string(skb, CCDM_ATTR_EVENT, event) ||
	    nla_put_string(skb, CCDM_ATTR_NAME, c->name) ||
	    nla_put_string(skb, CCDM_ATTR_UUID, c->uuid) ||
	    nla_put_string(skb, CCDM_ATTR_DEV, dev))
		goto bad;
	if (kind && (nla_put_string(skb, CCDM_ATTR_KIND, kind) ||
		     nla_put_u32(skb, CCDM_ATTR_LEVEL, c->tamper_level) ||
		     nla_put_u64_64bit(skb, CCDM_ATTR_INDEX, c->tamper_index, CCDM_ATTR_PAD)))
		goto bad;
	genlmsg_end(skb, head);
	/* -ESRCH: nobody listens */
	genlmsg_multicast(&ccdm_genl, skb, 0, 0, GFP_NOIO);
	return;
bad:
	nlmsg_free(skb);
}

void ccdm_event_send(struct ccdm *c, const char *name)
{
	ccdm_event_netlink(c, name, NULL);
}

/* Send a netlink event, a dm event and a uevent that an administrator should act on. */
static void ccdm_event_all(struct ccdm *c, const char *name, const char *kind)
{
	char env[40];
	char *envp[] = { env, NULL };

	ccdm_event_netlink(c, name, kind);
	dm_table_event(c->ti->table);
	snprintf(env, sizeof(env), "CCDM_EVENT=%s", name);
	kobject_uevent_env(&disk_to_dev(dm_disk(c->md))->kobj, KOBJ_CHANGE, envp);
}

static void ccdm_event_work(struct work_struct *work)
{
	struct ccdm *c = container_of(work, struct ccdm, event_work);

	if (test_and_clear_bit(CCDM_EVENT_UNWRITABLE, &c->events))
		ccdm_event_all(c, "unwritable", NULL);
	if (test_and_clear_bit(CCDM_EVENT_FAILED, &c->events))
		ccdm_event_all(c, "failed", NULL);
	if (test_and_clear_bit(CCDM_EVENT_TAMPER, &c->events))
		ccdm_event_all(c, "tamper", c->tamper_kind);
}

static void ccdm_event_queue(struct ccdm *c, unsigned int event)
{
	set_bit(event, &c->events);
	queue_work(ccdm_event_wq, &c->event_work);
}

void ccdm_event_unwritable(struct ccdm *c)
{
	ccdm_event_queue(c, CCDM_EVENT_UNWRITABLE);
}

void ccdm_failed(struct ccdm *c)
{
	/* coverage: rare: two use up the last number in the same moment */
	if (cmpxchg(&c->state, CCDM_ACTIVE, CCDM_FAILED) != CCDM_ACTIVE)
		return;
	pr_crit("ccdm: %s: failed: sequence numbers used up\n", ccdm_name(c));
	ccdm_event_queue(c, CCDM_EVENT_FAILED);
	c->on_stop(c);
}

void ccdm_tamper(struct ccdm *c, const char *kind, unsigned int level, u64 index)
{
	ccdm_count(c, CCDM_STAT_TAMPERS, 1);
	if (xchg(&c->state, CCDM_TAMPERED) == CCDM_TAMPERED)
		return;
	/* Before the log: the host's console may delay the log. */
	if (c->opt.on_tamper == CCDM_TAMPER_POWEROFF)
		ccdm_halt(c);
	pr_emerg("ccdm: %s: tamper: %s level %u index %llu\n", ccdm_name(c), kind, level, index);
	if (c->opt.on_tamper == CCDM_TAMPER_PANIC)
		panic("ccdm: %s: tamper: %s level %u index %llu", ccdm_name(c), kind, level,
		      index);
	c->tamper_kind = kind;
	c->tamper_level = level;
	c->tamper_index = index;
	/* The work item reads what stands above. */
	smp_mb__before_atomic();
	ccdm_event_queue(c, CCDM_EVENT_TAMPER);
	c->on_stop(c);
}

void ccdm_event_init(struct ccdm *c)
{
	INIT_WORK(&c->event_work, ccdm_event_work);
}

void ccdm_event_exit(struct ccdm *c)
{
	/* Send pending events even if the mapping is closed at once. */
	flush_work(&c->event_work);
}
