// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/* host.c - a host that changes the device */
#include "block.h"
#include "mapping.h"
#include "sched.h"
#include "ccdm.h"

/* Let other coroutines run for a while. */
static void attack_waits(void)
{
	unsigned int i;

	for (i = sim_draw(6000); i && sim.left; i--)
		sim_yield();
}

/* Write back the old content @old of @block. */
static void attack_replay(u64 block, const u8 *old)
{
	u8 *now = old ? sim_device_copy(&sim.backing, block) : NULL;

	if (now && memcmp(old, now, PAGE_SIZE)) {
		sim.attacked = true;
		sim_device_put(&sim.backing, block, old);
	}
	free(now);
}

static void attack_flip(u64 block)
{
	u8 *now = sim_device_copy(&sim.backing, block);

	if (now) {
		now[sim_draw(PAGE_SIZE)] ^= 1 << sim_draw(8);
		sim.attacked = true;
		sim_device_put(&sim.backing, block, now);
	}
	free(now);
}

/* Copy genuine content from elsewhere: from another block, or a node of any level. */
static void attack_move(u64 block)
{
	u64 from = sim_draw(2) ? sim.c.g.blocks + sim_draw(sim.c.g.total - sim.c.g.blocks)
			       : ((sim.hot[sim_draw(HOT)] << CCDM_NODE_SHIFT) + sim_draw(4)) %
					 sim.c.g.blocks;
	u8 *other = sim_device_copy(&sim.backing, from);

	attack_replay(block, other);
	free(other);
}

/* Restore an old state of the whole device, whose blocks all fit each other. */
static void attack_rollback(void)
{
	u8 **old = calloc(sim.c.g.total, sizeof(*old));
	u64 i;

	assert(old);
	for (i = 0; i < sim.c.g.total; i++)
		old[i] = sim_device_copy(&sim.backing, i);
	attack_waits();
	for (i = 0; i < sim.c.g.total; i++) {
		attack_replay(i, old[i]);
		free(old[i]);
	}
	free(old);
}

/* The host. It never undoes a change. */
void host_run(void *arg)
{
	unsigned int tries;
	u64 block;
	u8 *old;

	(void)arg;
	for (tries = 0; tries < 50 && sim.left && !sim.attacked; tries++) {
		attack_waits();
		/* a node, or a data block that was used */
		block = sim_draw(2) ? sim.c.g.blocks + sim_draw(sim.c.g.total - sim.c.g.blocks)
				    : ((sim.hot[sim_draw(HOT)] << CCDM_NODE_SHIFT) + sim_draw(4)) %
					      sim.c.g.blocks;
		switch (sim_draw(4)) {
		case 0:
			attack_flip(block);
			break;
		case 1:
			attack_move(block);
			break;
		case 2:
			old = sim_device_copy(&sim.backing, block);
			attack_waits();
			attack_replay(block, old);
			free(old);
			break;
		default:
			attack_rollback();
		}
	}
	sim_total.attacks += sim.attacked;
}
