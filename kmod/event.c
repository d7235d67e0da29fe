// SPDX-License-Identifier: GPL-2.0-only
/*
 * event.c - telling the world, and the one function that declares tamper
 *
 * Generic netlink family "ccdm", group "events", for CAP_NET_ADMIN; the
 * specification is Documentation/netlink/specs/ccdm.yaml.
 */
#include <linux/reboot.h>
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

int ccdm_event_module_init(void)
{
	return genl_register_family(&ccdm_genl);
}

void ccdm_event_module_exit(void)
{
	genl_unregister_family(&ccdm_genl);
}

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

/* Netlink, dm event, uevent: for what an administrator should act on. */
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
	if (test_and_clear_bit(CCDM_EVENT_TAMPER, &c->events)) {
		ccdm_event_all(c, "tamper", c->tamper_kind);
		if (c->opt.on_tamper == CCDM_TAMPER_POWEROFF) {
			schedule_delayed_work(&c->tamper_panic, CCDM_POWEROFF_SECONDS * HZ);
			/* In the kernel: a helper program would live on the dead root. */
			kernel_power_off();
		}
	}
}

static void ccdm_event_panic(struct work_struct *work)
{
	struct ccdm *c = container_of(to_delayed_work(work), struct ccdm, tamper_panic);

	panic("ccdm: %s: tamper, and power off did not come", ccdm_name(c));
}

void ccdm_event_unwritable(struct ccdm *c)
{
	set_bit(CCDM_EVENT_UNWRITABLE, &c->events);
	schedule_work(&c->event_work);
}

/* Who waits for nodes or for a sync waits in vain. */
static void ccdm_event_stopped(struct ccdm *c)
{
	wake_up_all(&c->cache.sync_wait);
	ccdm_room_wake(c);
}

void ccdm_failed(struct ccdm *c)
{
	if (cmpxchg(&c->state, CCDM_ACTIVE, CCDM_FAILED) != CCDM_ACTIVE)
		return;
	pr_crit("ccdm: %s: failed: sequence numbers used up\n", ccdm_name(c));
	set_bit(CCDM_EVENT_FAILED, &c->events);
	schedule_work(&c->event_work);
	ccdm_event_stopped(c);
}

void ccdm_tamper(struct ccdm *c, const char *kind, unsigned int level, u64 index)
{
	ccdm_count(c, CCDM_STAT_TAMPERS, 1);
	if (xchg(&c->state, CCDM_TAMPERED) == CCDM_TAMPERED)
		return;
	pr_emerg("ccdm: %s: tamper: %s level %u index %llu\n", ccdm_name(c), kind, level, index);
	if (c->opt.on_tamper == CCDM_TAMPER_PANIC)
		panic("ccdm: %s: tamper: %s level %u index %llu", ccdm_name(c), kind, level,
		      index);
	c->tamper_kind = kind;
	c->tamper_level = level;
	c->tamper_index = index;
	/* The work item reads what stands above. */
	smp_mb__before_atomic();
	set_bit(CCDM_EVENT_TAMPER, &c->events);
	schedule_work(&c->event_work);
	ccdm_event_stopped(c);
}

void ccdm_event_init(struct ccdm *c)
{
	INIT_WORK(&c->event_work, ccdm_event_work);
	INIT_DELAYED_WORK(&c->tamper_panic, ccdm_event_panic);
}

void ccdm_event_exit(struct ccdm *c)
{
	/* What has happened is told, also where the mapping is closed at once. */
	flush_work(&c->event_work);
	cancel_delayed_work_sync(&c->tamper_panic);
}
