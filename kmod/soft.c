// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * soft.c - run steps in softirq, on the same CPU
 *
 * Not by work in softirq (WQ_BH), which costs 1,000 instructions more, and not by a
 * tasklet in each I/O: the kernel looks at a tasklet after its last step, when the I/O
 * is gone. The tasklets are the module's, so no mapping needs to wait for them.
 *
 * Softirq comes before every thread, and a step may decipher a block. A program that waits
 * for the first of many completions has to run, and send its next I/O, before the last of
 * them is dealt with. Otherwise all its I/Os go in step, and the device stands still while
 * they are opened. So a tasklet goes on for a short time only. A worker does the rest. After
 * each such time it sleeps for a moment if another task is ready to run. To yield is not
 * enough: CFS lets the worker go on until both tasks have had the same time.
 */
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/sched/mm.h>
#include <linux/sched/stat.h>
#include <linux/workqueue.h>
#include "soft.h"

#define CCDM_SOFT_NS		100000

/**
 * struct ccdm_soft_cpu - steps to be taken on a CPU
 * @arrived: newest first
 * @next: oldest first; belongs to the worker while @deferred, else to the tasklet
 * @deferred: set by the tasklet, cleared by the worker
 * @tasklet: takes steps
 * @work: takes steps for which the tasklet had no time
 */
struct ccdm_soft_cpu {
	struct llist_head arrived;
	struct llist_node *next;
	bool deferred;
	struct tasklet_struct tasklet;
	struct work_struct work;
};

static DEFINE_PER_CPU(struct ccdm_soft_cpu, ccdm_soft_cpu);
static struct workqueue_struct *ccdm_soft_wq;

/* Take steps for a short time. Return: false if some may be left. */
static bool ccdm_soft_go(struct ccdm_soft_cpu *s)
{
	u64 end = local_clock() + CCDM_SOFT_NS;
	struct ccdm_soft *soft;

	do {
		if (!s->next)
			s->next = llist_reverse_order(llist_del_all(&s->arrived));
		if (!s->next)
			return true;
		soft = llist_entry(s->next, struct ccdm_soft, node);
		s->next = s->next->next;
		soft->step(soft);
	} while (local_clock() < end);
	return false;
}

static void ccdm_soft_tasklet(struct tasklet_struct *tasklet)
{
	struct ccdm_soft_cpu *s = container_of(tasklet, struct ccdm_soft_cpu, tasklet);

	/* Pairs with the worker's end: it sees what has arrived, or we see that it has ended. */
	if (smp_load_acquire(&s->deferred) || ccdm_soft_go(s))
		return;
	WRITE_ONCE(s->deferred, true);
	queue_work(ccdm_soft_wq, &s->work);
}

static void ccdm_soft_work(struct work_struct *work)
{
	struct ccdm_soft_cpu *s = container_of(work, struct ccdm_soft_cpu, work);
	unsigned int noio = memalloc_noio_save();

	while (!ccdm_soft_go(s)) {
		if (single_task_running())
			cond_resched();
		else
			usleep_range(30, 50);
	}
	/* From here on @next is the tasklet's. */
	smp_store_release(&s->deferred, false);
	smp_mb();	/* pairs with llist_add(): it sees that we have ended, or we see it */
	if (!llist_empty(&s->arrived))
		tasklet_schedule(&s->tasklet);
	memalloc_noio_restore(noio);
}

void ccdm_soft_queue(struct ccdm_soft *soft)
{
	/* On PREEMPT_RT one may be moved here; a tasklet runs once at a time, wherever it is. */
	struct ccdm_soft_cpu *s = raw_cpu_ptr(&ccdm_soft_cpu);

	if (llist_add(&soft->node, &s->arrived))
		tasklet_schedule(&s->tasklet);
}

int ccdm_soft_module_init(void)
{
	unsigned int cpu;

	ccdm_soft_wq = alloc_workqueue("ccdm_soft", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (!ccdm_soft_wq)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct ccdm_soft_cpu *s = &per_cpu(ccdm_soft_cpu, cpu);

		tasklet_setup(&s->tasklet, ccdm_soft_tasklet);
		INIT_WORK(&s->work, ccdm_soft_work);
	}
	return 0;
}

void ccdm_soft_module_exit(void)
{
	unsigned int cpu;

	/* There is no mapping any more, so nothing arrives. */
	for_each_possible_cpu(cpu)
		tasklet_kill(&per_cpu(ccdm_soft_cpu, cpu).tasklet);
	destroy_workqueue(ccdm_soft_wq);
	for_each_possible_cpu(cpu)
		tasklet_kill(&per_cpu(ccdm_soft_cpu, cpu).tasklet);
}
