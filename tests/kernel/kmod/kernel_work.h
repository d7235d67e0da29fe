/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/* kernel_work.h - the kernel's locks, waits, time, workqueues and tasklets; kernel.h includes it */
#ifndef CCDM_TEST_KERNEL_WORK_H
#define CCDM_TEST_KERNEL_WORK_H

/* ---- locks and waits -------------------------------------------------------------- */

typedef struct {
	void *holder;
} spinlock_t;

#define spin_lock_init(l)	((l)->holder = NULL)
void spin_lock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);
#define spin_lock_irq(l)	spin_lock(l)
#define spin_unlock_irq(l)	spin_unlock(l)
#define spin_lock_irqsave(l, flags)	({ (flags) = 0; spin_lock(l); })
#define spin_unlock_irqrestore(l, flags)	({ (void)(flags); spin_unlock(l); })
void lockdep_assert_held(spinlock_t *lock);

typedef struct {
	struct list_head waiters;
} wait_queue_head_t;

void init_waitqueue_head(wait_queue_head_t *q);
void wake_up_all(wait_queue_head_t *q);
#define wake_up(q)		wake_up_all(q)
/* Begin to listen; wait to be woken, at most @timeout jiffies if not 0; stop listening. */
void sim_listen(wait_queue_head_t *q);
void sim_wait(unsigned long timeout);
void sim_unlisten(void);
#define sim_wait_event(q, cond, timeout) ({					\
	unsigned long _t = (timeout), _end = jiffies + _t;			\
										\
	sim_may_wait();								\
	for (;;) {								\
		sim_listen(&(q));						\
		if (cond)							\
			break;							\
		if (_t && jiffies >= _end)					\
			break;							\
		sim_wait(_t ? _end - jiffies : 0);				\
		sim_unlisten();							\
	}									\
	sim_unlisten();								\
})
#define wait_event(q, cond)	sim_wait_event(q, cond, 0)
#define wait_event_timeout(q, cond, t)	sim_wait_event(q, cond, t)
#define wait_event_killable(q, cond)	({ sim_wait_event(q, cond, 0); 0; })
/* The caller may sleep. A bug in a completion, in a tasklet, or with a spinlock held. */
void sim_may_sleep(void);
/* The caller may wait for another coroutine. A bug in map() as well, where crypto may sleep. */
void sim_may_wait(void);
bool sim_in_irq(void);
#define in_hardirq()		sim_in_irq()
#define irqs_disabled()		sim_in_irq()
#define may_use_simd()		(sim_draw(8) != 0)
#define cond_resched()		({ sim_may_sleep(); sim_yield(); })

struct mutex {
	void *holder;
	wait_queue_head_t wait;
};

void mutex_init(struct mutex *m);
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);

struct completion {
	bool done;
	wait_queue_head_t wait;
};

void init_completion(struct completion *x);
#define reinit_completion(x)	((x)->done = false)
void complete(struct completion *x);
void wait_for_completion(struct completion *x);

/* ---- time, work, tasklets ----------------------------------------------------------- */

#define HZ			250
extern unsigned long jiffies;
#define local_clock()		((u64)sim_draw(200000))
#define single_task_running()	(sim_draw(2) == 0)
#define usleep_range(least, most)	cond_resched()
#define time_before(a, b)	((long)((a) - (b)) < 0)

struct workqueue_struct;
struct work_struct;
typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	work_func_t func;
	struct workqueue_struct *wq;	/* queue that it is on, or NULL */
	struct workqueue_struct *last;	/* where it was queued last */
	struct list_head list;
};

struct delayed_work {
	struct work_struct work;
	struct workqueue_struct *to;	/* after @when, or NULL */
	unsigned long when;
	struct list_head timer;
};

#define WQ_MEM_RECLAIM		1
#define WQ_UNBOUND		2
#define alloc_ordered_workqueue(name, flags, ...)	sim_workqueue()
#define alloc_workqueue(name, flags, ...)	sim_workqueue()
#define destroy_workqueue(wq)	sim_workqueue_free(wq)
struct workqueue_struct *sim_workqueue(void);
void sim_workqueue_free(struct workqueue_struct *wq);
#define INIT_WORK(w, f)		({ (w)->func = (f); (w)->wq = NULL; (w)->last = NULL; })
#define INIT_DELAYED_WORK(w, f)	({ INIT_WORK(&(w)->work, f); (w)->to = NULL; })
#define to_delayed_work(w)	container_of(w, struct delayed_work, work)
bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *work, unsigned long delay);
bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *work, unsigned long delay);
bool flush_work(struct work_struct *work);
bool cancel_work_sync(struct work_struct *work);
bool cancel_delayed_work_sync(struct delayed_work *work);
void flush_workqueue(struct workqueue_struct *wq);

/* A kthread worker is a workqueue here, and has no priority. */
#define kthread_worker		workqueue_struct
#define kthread_work		work_struct
struct kthread_worker *sim_kthread_worker(void);
#define kthread_run_worker(flags, ...)	sim_kthread_worker()
#define kthread_destroy_worker(worker)	((void)(worker))
#define kthread_init_work(w, f)	INIT_WORK(w, f)
#define kthread_queue_work(worker, w)	queue_work(worker, w)
#define kthread_flush_work(w)	flush_work(w)
#define MAX_NICE		19
#define set_user_nice(task, nice)	((void)(nice))
#define set_task_ioprio(task, prio)	((void)(prio))

struct tasklet_struct {
	void (*func)(struct tasklet_struct *tasklet);
	bool queued;
	bool running;
};

void tasklet_setup(struct tasklet_struct *t, void (*func)(struct tasklet_struct *));
void tasklet_schedule(struct tasklet_struct *t);
#define tasklet_kill(t)		((void)(t))

#endif /* CCDM_TEST_KERNEL_WORK_H */
