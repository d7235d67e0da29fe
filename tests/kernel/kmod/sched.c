// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/* sched.c - see sched.h */
#include <stdarg.h>
#include <sys/mman.h>
#include "sched.h"

#ifdef SIM_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#define STACK	  (256u << 10)
#define MAX_STILL 3000000 /* steps without any progress: the run is stuck */

struct sim_coro {
	void *sp;
	void *stack;
	void *fake; /* the fake stack of the address sanitizer */
	void (*fn)(void *arg);
	void *arg;
	struct work_struct *work; /* the work item that it runs or will run */
	struct workqueue_struct *wq;
	bool started;
	enum sim_context context;
	unsigned int cpu;
	unsigned int locks;
	bool in_map;
	struct list_head bios; /* bios sent in map() */
	u64 away;	       /* preempted, or its CPU is stopped, until this step */
	bool blocked;
	unsigned long until; /* time limit while it is blocked, or 0 */
	struct list_head listen;
	bool listening;
	bool woken;
	unsigned int at; /* index among all coroutines */
	struct sim_coro *next_free;
};

struct workqueue_struct {
	int dummy;
};

char sim_what[256];
bool sim_verbose;
unsigned long jiffies;
static struct workqueue_struct thread;

static struct sim_coro **all;
static unsigned int nr_all, room_all;
static struct sim_coro *free_coros, *current;
static void *main_sp;
static u64 steps, still;
static wait_queue_head_t work_ended;
static LIST_HEAD(timers);
#ifdef SIM_ASAN
static void *main_fake;
static const void *main_stack;
static size_t main_size;
#endif

/* ---- choices --------------------------------------------------------------------- */

static u64 state;
static const u8 *input;
static size_t input_left;

void sim_choices(u64 seed, const u8 *data, size_t size)
{
	state = seed * 0x9e3779b97f4a7c15ull + 1;
	input = data;
	input_left = size;
	steps = still = 0;
	jiffies = 1000;
	INIT_LIST_HEAD(&timers);
	INIT_LIST_HEAD(&work_ended.waiters);
}

unsigned int sim_draw(unsigned int n)
{
	u64 x;

	if (n < 2)
		return 0;
	if (input_left) {
		input_left--;
		x = *input++;
		if (n <= 256 || !input_left)
			return x % n;
		input_left--;
		return (x << 8 | *input++) % n;
	}
	state += 0x9e3779b97f4a7c15ull;
	x = state;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return (unsigned int)((x ^ x >> 31) >> 11) % n;
}

void sim_progress(void)
{
	still = 0;
}

void sim_log(const char *fmt, ...)
{
	va_list ap;

	if (!sim_verbose)
		return;
	printf("# %llu: ", steps);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
}

void sim_bug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "BUG at step %llu, %s: ", steps, sim_what);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	abort();
}

/* ---- switching ----------------------------------------------------------------------- */

void sim_switch(void **save, void *load);
__asm__(".globl sim_switch\n"
	".type sim_switch, @function\n"
	"sim_switch:\n"
	"	push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, (%rdi)\n"
	"	mov %rsi, %rsp\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp\n"
	"	ret\n"
	".size sim_switch, .-sim_switch\n");

static void sim_leave(void)
{
#ifdef SIM_ASAN
	__sanitizer_start_switch_fiber(&current->fake, main_stack, main_size);
#endif
	sim_switch(&current->sp, main_sp);
#ifdef SIM_ASAN
	__sanitizer_finish_switch_fiber(current->fake, &main_stack, &main_size);
#endif
}

static void sim_enter(struct sim_coro *c)
{
	current = c;
#ifdef SIM_ASAN
	__sanitizer_start_switch_fiber(&main_fake, c->stack, STACK);
#endif
	sim_switch(&main_sp, c->sp);
#ifdef SIM_ASAN
	__sanitizer_finish_switch_fiber(main_fake, NULL, NULL);
#endif
	current = NULL;
}

static void sim_ended(struct sim_coro *c)
{
	if (c->locks)
		sim_bug("ended with %u locks held", c->locks);
	nr_all--;
	all[c->at] = all[nr_all];
	all[c->at]->at = c->at;
	c->next_free = free_coros;
	free_coros = c;
}

/* Run one function after the other on the same stack. */
static void sim_loop(void)
{
#ifdef SIM_ASAN
	__sanitizer_finish_switch_fiber(NULL, &main_stack, &main_size);
#endif
	for (;;) {
		struct sim_coro *c = current;

		c->started = true;
		c->fn(c->arg);
		sim_ended(c);
		sim_leave();
	}
}

static struct sim_coro *sim_coro_new(void (*fn)(void *arg), void *arg, enum sim_context context)
{
	struct sim_coro *c = free_coros;
	u64 *sp;

	if (c) {
		free_coros = c->next_free;
	} else {
		c = calloc(1, sizeof(*c));
		assert(c);
		c->stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		assert(c->stack != MAP_FAILED);
		sp = (u64 *)((char *)c->stack + STACK);
		*--sp = 0;
		*--sp = (u64)(uintptr_t)sim_loop;
		sp -= 6;
		c->sp = sp;
	}
	c->fn = fn;
	c->arg = arg;
	c->context = context;
	c->cpu = sim_draw(SIM_CPUS);
	c->locks = 0;
	c->in_map = false;
	c->away = 0;
	c->work = NULL;
	c->started = c->blocked = c->listening = c->woken = false;
	if (nr_all == room_all) {
		room_all = room_all * 2 + 64;
		all = realloc(all, room_all * sizeof(struct sim_coro *));
		assert(all);
	}
	c->at = nr_all;
	all[nr_all++] = c;
	return c;
}

void sim_spawn(void (*fn)(void *arg), void *arg, enum sim_context context)
{
	sim_coro_new(fn, arg, context);
}

static void sim_pass(void)
{
	if (current)
		sim_leave();
}

void sim_yield(void)
{
	if (!current || sim_draw(4))
		return;
	/* Sometimes much happens elsewhere before it continues. */
	if (!current->locks && !sim_draw(64))
		current->away = steps + sim_draw(2000);
	sim_leave();
}

unsigned int sim_cpu(void)
{
	return current ? current->cpu : 0;
}

bool sim_in_irq(void)
{
	return current && current->context == SIM_IRQ;
}

void sim_may_sleep(void)
{
	if (!current)
		return;
	if (current->context != SIM_TASK)
		sim_bug("sleeps in a completion");
	if (current->locks)
		sim_bug("sleeps with a spinlock held");
}

void sim_may_wait(void)
{
	sim_may_sleep();
	if (current && current->in_map)
		sim_bug("waits in map()");
}

void sim_map(bool in)
{
	current->in_map = in;
	if (in)
		INIT_LIST_HEAD(&current->bios);
}

struct list_head *sim_map_bios(void)
{
	return current && current->in_map ? &current->bios : NULL;
}

bool sim_on_queue(const struct workqueue_struct *wq)
{
	return current && current->work && current->wq == wq;
}

/* ---- the schedule --------------------------------------------------------------------- */

static struct delayed_work *sim_timer_first(void)
{
	struct delayed_work *d, *first = NULL;

	list_for_each_entry(d, &timers, timer) if (!first || time_before(d->when, first->when))
		first = d;
	return first;
}

/* Start everything whose time has come. */
static void sim_timers(void)
{
	struct delayed_work *d;

	while ((d = sim_timer_first()) && !time_before(jiffies, d->when)) {
		struct workqueue_struct *to = d->to;

		list_del_init(&d->timer);
		d->to = NULL;
		queue_work(to, &d->work);
	}
}

static bool sim_can_run(const struct sim_coro *c)
{
	unsigned int i;

	if (c->blocked)
		return c->woken || (c->until && !time_before(jiffies, c->until));
	if (c->started || !c->work)
		return true;
	/* A work item never runs twice at the same time. */
	for (i = 0; i < nr_all; i++)
		if (all[i] != c && all[i]->started && all[i]->work == c->work)
			return false;
	return true;
}

/* Advance the time until something can run. Return: false if nothing ever will. */
static bool sim_skip(void)
{
	struct delayed_work *d = sim_timer_first();
	unsigned long next = d ? d->when : 0;
	unsigned int i;

	for (i = 0; i < nr_all; i++)
		if (all[i]->blocked && all[i]->until && (!next || time_before(all[i]->until, next)))
			next = all[i]->until;
	if (!next)
		return false;
	if (time_before(jiffies, next))
		jiffies = next;
	sim_timers();
	return true;
}

static struct sim_coro *sim_choose(void)
{
	unsigned int i, from = sim_draw(nr_all);
	struct sim_coro *away = NULL;

	for (i = 0; i < nr_all; i++) {
		struct sim_coro *c = all[(from + i) % nr_all];

		if (!sim_can_run(c))
			continue;
		if (c->away <= steps)
			return c;
		away = c;
	}
	return away;
}

void sim_run(bool (*device)(void))
{
	struct sim_coro *c;

	while (nr_all) {
		steps++;
		if (++still > MAX_STILL)
			sim_bug("stuck: %u are there, and nothing ends", nr_all);
		if (!sim_draw(256)) {
			jiffies++;
			sim_timers();
		}
		if (!sim_draw(3) && device())
			continue;
		c = sim_choose();
		if (!c) {
			if (!device() && !sim_skip())
				sim_bug("stuck: %u wait, and nothing will ever wake them", nr_all);
			continue;
		}
		c->blocked = false;
		sim_enter(c);
	}
}

void sim_sched_exit(void)
{
	if (nr_all || !list_empty(&timers))
		sim_bug("something is left in the schedule");
}

/* ---- locks and waiting -------------------------------------------------------------------- */

void spin_lock(spinlock_t *lock)
{
	sim_yield();
	while (lock->holder) {
		if (lock->holder == current)
			sim_bug("takes a lock that it has");
		sim_pass();
	}
	lock->holder = current ? (void *)current : (void *)&main_sp;
	if (current)
		current->locks++;
}

void spin_unlock(spinlock_t *lock)
{
	if (lock->holder != (current ? (void *)current : (void *)&main_sp))
		sim_bug("gives a lock back that it does not have");
	lock->holder = NULL;
	if (current)
		current->locks--;
	sim_yield();
}

void lockdep_assert_held(spinlock_t *lock)
{
	if (lock->holder != (current ? (void *)current : (void *)&main_sp))
		sim_bug("does not hold the lock that it should");
}

void init_waitqueue_head(wait_queue_head_t *q)
{
	INIT_LIST_HEAD(&q->waiters);
}

void sim_listen(wait_queue_head_t *q)
{
	if (current->listening)
		return;
	current->woken = false;
	current->listening = true;
	list_add_tail(&current->listen, &q->waiters);
}

void sim_unlisten(void)
{
	if (current->listening && !current->woken)
		list_del(&current->listen);
	current->listening = current->woken = false;
}

void sim_wait(unsigned long timeout)
{
	current->blocked = true;
	current->until = timeout ? jiffies + timeout : 0;
	sim_leave();
}

void wake_up_all(wait_queue_head_t *q)
{
	while (!list_empty(&q->waiters)) {
		struct sim_coro *c = list_first_entry(&q->waiters, struct sim_coro, listen);

		list_del(&c->listen);
		c->woken = true;
	}
	sim_yield();
}

void mutex_init(struct mutex *m)
{
	m->holder = NULL;
	init_waitqueue_head(&m->wait);
}

void mutex_lock(struct mutex *m)
{
	wait_event(m->wait, !m->holder);
	m->holder = current;
}

void mutex_unlock(struct mutex *m)
{
	if (m->holder != current)
		sim_bug("gives a mutex back that it does not have");
	m->holder = NULL;
	wake_up_all(&m->wait);
}

void init_completion(struct completion *x)
{
	x->done = false;
	init_waitqueue_head(&x->wait);
}

void complete(struct completion *x)
{
	x->done = true;
	wake_up_all(&x->wait);
}

void wait_for_completion(struct completion *x)
{
	wait_event(x->wait, x->done);
}

/* ---- work ----------------------------------------------------------------------------------- */

struct workqueue_struct *sim_workqueue(void)
{
	return calloc(1, sizeof(struct workqueue_struct));
}

struct kthread_worker *sim_kthread_worker(void)
{
	return sim_fails(SIM_ALLOC) ? ERR_PTR(-ENOMEM) : &thread;
}

void sim_workqueue_free(struct workqueue_struct *wq)
{
	free(wq);
}

static void sim_work(void *arg)
{
	struct work_struct *work = current->work;

	(void)arg;
	if (work) {
		/* Do not touch it after this: the object that contains it may be freed. */
		work->wq = NULL;
		work->func(work);
		current->work = NULL;
	}
	if (current->locks)
		sim_bug("work ended with %u locks held", current->locks);
	sim_progress();
	wake_up_all(&work_ended);
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	struct sim_coro *c;

	if (work->wq)
		return false;
	/* it could run twice at the same time */
	if (work->last && work->last != wq)
		sim_bug("one work item on two queues");
	work->wq = work->last = wq;
	c = sim_coro_new(sim_work, NULL, SIM_TASK);
	c->work = work;
	c->wq = wq;
	sim_yield();
	return true;
}

/* Is @work queued or running? With @wq: is anything there? */
static bool sim_work_there(const struct work_struct *work, const struct workqueue_struct *wq)
{
	unsigned int i;

	for (i = 0; i < nr_all; i++)
		if (all[i] != current && all[i]->work &&
		    (wq ? all[i]->wq == wq : all[i]->work == work))
			return true;
	return false;
}

bool flush_work(struct work_struct *work)
{
	wait_event(work_ended, !sim_work_there(work, NULL));
	return true;
}

void flush_workqueue(struct workqueue_struct *wq)
{
	wait_event(work_ended, !sim_work_there(NULL, wq));
}

bool cancel_work_sync(struct work_struct *work)
{
	unsigned int i;

	for (i = 0; i < nr_all; i++)
		if (all[i]->work == work && !all[i]->started) {
			all[i]->work = NULL;
			work->wq = NULL;
		}
	return flush_work(work);
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *work, unsigned long delay)
{
	if (work->to || work->work.wq)
		return false;
	if (!delay)
		return queue_work(wq, &work->work);
	work->to = wq;
	work->when = jiffies + delay;
	list_add_tail(&work->timer, &timers);
	return true;
}

bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *work, unsigned long delay)
{
	if (work->to) {
		list_del_init(&work->timer);
		work->to = NULL;
	}
	return queue_delayed_work(wq, work, delay);
}

bool cancel_delayed_work_sync(struct delayed_work *work)
{
	do {
		if (work->to) {
			list_del_init(&work->timer);
			work->to = NULL;
		}
		cancel_work_sync(&work->work);
	} while (work->to);
	return true;
}

static void sim_tasklet(void *arg)
{
	struct tasklet_struct *t = arg;

	while (t->running)
		sim_pass();
	t->queued = false;
	t->running = true;
	t->func(t);
	t->running = false;
}

void tasklet_setup(struct tasklet_struct *t, void (*func)(struct tasklet_struct *))
{
	t->func = func;
	t->queued = t->running = false;
}

void tasklet_schedule(struct tasklet_struct *t)
{
	if (t->queued)
		return;
	t->queued = true;
	sim_spawn(sim_tasklet, t, SIM_SOFTIRQ);
}
