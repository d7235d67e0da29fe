// SPDX-License-Identifier: GPL-2.0-only
/* block.c - see block.h */
#include <sys/mman.h>
#include "block.h"
#include "sched.h"
#include "ccdm.h"

#ifdef SIM_ASAN
#include <sanitizer/asan_interface.h>
#define poison(p, n)   __asan_poison_memory_region(p, n)
#define unpoison(p, n) __asan_unpoison_memory_region(p, n)
#else
#define poison(p, n)   ((void)(p))
#define unpoison(p, n) ((void)(p))
#endif

#define PAGES 32768u
#define CREQS 3 /* request memory: few, so that it runs out */

static u64 held, called[SIM_CALLS], failed;

/* ---- what fails ------------------------------------------------------------------- */

static struct {
	enum sim_call call;
	u64 from, to;
	unsigned int per[SIM_CALLS];
} plan;

void sim_fail(enum sim_call call, u64 n, u64 times)
{
	plan.call = call;
	plan.from = (call < SIM_CALLS ? called[call] : 0) + n;
	plan.to = plan.from + times;
}

void sim_fail_often(enum sim_call call, unsigned int per)
{
	plan.per[call] = per;
}

void sim_fail_never(void)
{
	memset(&plan, 0, sizeof(plan));
	failed = 0;
}

u64 sim_failed(void)
{
	return failed;
}

bool sim_fails(enum sim_call call)
{
	u64 n = ++called[call];
	bool fails = (call == plan.call && n >= plan.from && n < plan.to) ||
		     (plan.per[call] && !sim_draw(plan.per[call]));

	failed += fails;
	return fails;
}

/* ---- memory ----------------------------------------------------------------------- */

void *sim_alloc(size_t size)
{
	void *p = sim_fails(SIM_ALLOC) ? NULL : calloc(1, size);

	if (p)
		held++;
	return p;
}

void sim_free(void *p)
{
	if (p)
		held--;
	free(p);
}

u64 sim_held(void)
{
	return held;
}

struct percpu {
	struct percpu *next;
	size_t size;
	char *base;
};

static struct percpu *areas;

void *sim_percpu_alloc(size_t size)
{
	struct percpu *a = sim_alloc(sizeof(*a));

	if (!a)
		return NULL;
	a->base = sim_alloc(SIM_CPUS * SIM_PERCPU);
	if (!a->base) {
		sim_free(a);
		return NULL;
	}
	assert(size <= SIM_PERCPU);
	a->size = size;
	a->next = areas;
	areas = a;
	return a->base;
}

/* What is not of such an area is the module's own, of which there is one. */
void *sim_percpu(void *base, unsigned int cpu)
{
	struct percpu *a;

	for (a = areas; a; a = a->next)
		if ((char *)base >= a->base && (char *)base < a->base + a->size)
			return (char *)base + cpu * SIM_PERCPU;
	return base;
}

void sim_percpu_free(void *base)
{
	struct percpu **p, *a;

	for (p = &areas; base && *p; p = &(*p)->next)
		if ((*p)->base == base) {
			a = *p;
			*p = a->next;
			sim_free(a->base);
			sim_free(a);
			return;
		}
}

static struct page page_table[PAGES];
static u8 *page_memory;
static unsigned int free_pages[PAGES], nr_free_pages, user_pages;

void sim_pages_init(unsigned int user)
{
	unsigned int i;

	page_memory = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert(page_memory != MAP_FAILED);
	user_pages = user;
	for (i = 0; i < PAGES; i++)
		page_table[i].nr = i;
	for (i = PAGES; i > user; i--)
		free_pages[nr_free_pages++] = i - 1;
	poison(page_memory + user * PAGE_SIZE, (PAGES - user) * PAGE_SIZE);
}

struct page *sim_user_pages(void)
{
	return page_table;
}

struct page *alloc_page(gfp_t gfp)
{
	struct page *page;

	if (sim_fails(SIM_ALLOC))
		return NULL;
	assert(nr_free_pages);
	page = &page_table[free_pages[--nr_free_pages]];
	held++;
	unpoison(page_address(page), PAGE_SIZE);
	memset(page_address(page), gfp & __GFP_ZERO ? 0 : 0xa5, PAGE_SIZE);
	return page;
}

void __free_page(struct page *page)
{
	assert(page->nr >= user_pages && page->nr < PAGES);
	poison(page_address(page), PAGE_SIZE);
	free_pages[nr_free_pages++] = page->nr;
	held--;
}

void *page_address(struct page *page)
{
	return page_memory + page->nr * PAGE_SIZE;
}

struct page *virt_to_page(const void *p)
{
	return &page_table[((const u8 *)p - page_memory) / PAGE_SIZE];
}

struct shrinker *ccdm_shrinker_new(unsigned long (*count)(struct shrinker *,
							  struct shrink_control *),
				   unsigned long (*scan)(struct shrinker *,
							 struct shrink_control *),
				   void *private, const char *name)
{
	struct shrinker *s = sim_alloc(sizeof(*s));

	(void)name;
	if (s)
		*s = (struct shrinker){ count, scan, private };
	return s;
}

void ccdm_shrinker_free(struct shrinker *s)
{
	sim_free(s);
}

/* ---- bios --------------------------------------------------------------------------- */

void bio_init(struct bio *bio, struct block_device *bdev, struct bio_vec *vec, unsigned short max,
	      blk_opf_t opf)
{
	memset(bio, 0, sizeof(*bio));
	bio->bi_bdev = bdev;
	bio->bi_io_vec = vec;
	bio->bi_max_vecs = max;
	bio->bi_opf = opf;
}

void __bio_add_page(struct bio *bio, struct page *page, unsigned int len, unsigned int offset)
{
	assert(bio->bi_vcnt < bio->bi_max_vecs);
	bio->bi_io_vec[bio->bi_vcnt++] = (struct bio_vec){ page, len, offset };
	bio->bi_iter.bi_size += len;
}

int bioset_init(struct bio_set *set, unsigned int kept, size_t front, int flags)
{
	(void)flags;
	set->kept = kept;
	set->out = 0;
	set->front = front;
	init_waitqueue_head(&set->wait);
	return 0;
}

void bioset_exit(struct bio_set *set)
{
	if (set->out)
		sim_bug("%u bios are not given back", set->out);
}

struct bio *bio_alloc_bioset(struct block_device *bdev, unsigned short vecs, blk_opf_t opf,
			     gfp_t gfp, struct bio_set *set)
{
	struct bio *bio;
	char *p;

	assert(gfp == GFP_NOIO);
	/* Memory may be short at any time: then there is what is kept, in the end. */
	wait_event(set->wait, set->out < set->kept);
	set->out++;
	p = calloc(1, set->front + sizeof(*bio) + vecs * sizeof(struct bio_vec));
	assert(p);
	held++;
	bio = (struct bio *)(p + set->front);
	bio_init(bio, bdev, (struct bio_vec *)(bio + 1), vecs, opf);
	bio->set = set;
	return bio;
}

void bio_put(struct bio *bio)
{
	struct bio_set *set = bio->set;

	set->out--;
	held--;
	free((char *)bio - set->front);
	wake_up(&set->wait);
}

void bio_endio(struct bio *bio)
{
	bio->bi_end_io(bio);
}

static void sim_wait_end(struct bio *bio)
{
	complete(bio->bi_private);
}

int submit_bio_wait(struct bio *bio)
{
	struct completion done;

	init_completion(&done);
	bio->bi_private = &done;
	bio->bi_end_io = sim_wait_end;
	submit_bio(bio);
	wait_for_completion(&done);
	return blk_status_to_errno(bio->bi_status);
}

/* ---- the device ------------------------------------------------------------------------ */

/* struct request - a bio in the device: its blocks are done one by one, in any order */
struct request {
	struct bio *bio;
	struct block_device *bdev;
	unsigned int op, n, left;
	u64 block;
	bool fails, done[CCDM_NODE_ENTRIES];
	u8 *bytes[CCDM_NODE_ENTRIES];
};

static struct request *waiting[4096];
static unsigned int nr_waiting;
static bool held_back;

void sim_block_init(struct block_device *bdev, u64 blocks)
{
	memset(bdev, 0, sizeof(*bdev));
	bdev->blocks = blocks;
	bdev->block = calloc(blocks, sizeof(u8 *));
	bdev->bad = calloc(blocks, sizeof(bool));
	assert(bdev->block && bdev->bad);
}

bool sim_device_bad(struct block_device *bdev, u64 block)
{
	return bdev->bad[block];
}

void sim_block_exit(struct block_device *bdev)
{
	u64 i;

	for (i = 0; i < bdev->blocks; i++)
		free(bdev->block[i]);
	free(bdev->block);
	free(bdev->bad);
}

u8 *sim_device_copy(struct block_device *bdev, u64 block)
{
	u8 *p;

	if (!bdev->block[block])
		return NULL;
	p = malloc(PAGE_SIZE);
	assert(p);
	return memcpy(p, bdev->block[block], PAGE_SIZE);
}

void sim_device_put(struct block_device *bdev, u64 block, const u8 *bytes)
{
	if (!bdev->block[block])
		bdev->block[block] = malloc(PAGE_SIZE);
	assert(bdev->block[block]);
	memcpy(bdev->block[block], bytes, PAGE_SIZE);
}

void sim_origin(u64 block, u8 *bytes)
{
	u64 i, *w = (u64 *)(void *)bytes;

	for (i = 0; i < PAGE_SIZE / 8; i++)
		w[i] = 0x0417 + (block << 20) + i;
}

void submit_bio_noacct(struct bio *bio)
{
	struct request *q = calloc(1, sizeof(*q));
	struct bvec_iter it = bio->bi_iter;
	unsigned int i;

	assert(q && nr_waiting < ARRAY_SIZE(waiting));
	q->bio = bio;
	q->bdev = bio->bi_bdev;
	q->op = bio_op(bio);
	q->block = it.bi_sector / CCDM_BLOCK_SECTORS;
	q->n = q->left = it.bi_size / CCDM_BLOCK_SIZE;
	if (!q->n || q->n > CCDM_NODE_ENTRIES || it.bi_sector % CCDM_BLOCK_SECTORS ||
	    it.bi_size % CCDM_BLOCK_SIZE || q->block + q->n > q->bdev->blocks)
		sim_bug("a bio of %u bytes at sector %llu", it.bi_size, it.bi_sector);
	if (q->bdev->origin && q->op != REQ_OP_READ)
		sim_bug("the origin is written");
	for (i = 0; q->op != REQ_OP_DISCARD && i < q->n; i++) {
		struct bio_vec v = mp_bvec_iter_bvec(bio->bi_io_vec, it);

		q->bytes[i] = (u8 *)page_address(v.bv_page) + v.bv_offset;
		if (!q->bdev->origin && v.bv_page->nr < user_pages)
			sim_bug("the sender's page goes to the host");
		if (v.bv_offset && !q->bdev->origin)
			sim_bug("a page of the pool with an offset");
		bvec_iter_advance_single(bio->bi_io_vec, &it, CCDM_BLOCK_SIZE);
	}
	q->fails = sim_fails(q->op == REQ_OP_READ ? SIM_READ : SIM_WRITE);
	waiting[nr_waiting++] = q;
	sim_yield();
}

static void sim_block_do(struct request *q, unsigned int i)
{
	u8 **p = &q->bdev->block[q->block + i], *bytes = q->bytes[i];

	q->done[i] = true;
	q->left--;
	if (q->op == REQ_OP_WRITE)
		q->bdev->bad[q->block + i] = q->fails;
	if (q->fails && sim_draw(2))
		return;
	if (q->op == REQ_OP_DISCARD) {
		/* What is read there then is anything. */
		if (*p)
			memset(*p, sim_draw(256), PAGE_SIZE);
	} else if (q->op == REQ_OP_WRITE) {
		sim_device_put(q->bdev, q->block + i, bytes);
	} else if (q->bdev->origin) {
		sim_origin(q->block + i, bytes);
	} else if (*p) {
		memcpy(bytes, *p, PAGE_SIZE);
	} else {
		memset(bytes, 0, PAGE_SIZE);
	}
}

static void sim_bio_end(void *arg)
{
	bio_endio(arg);
}

void sim_device_hold(bool hold)
{
	held_back = hold;
}

bool sim_device(void)
{
	unsigned int at = sim_draw(nr_waiting), i, n;
	struct request *q;
	struct bio *bio;

	if (!nr_waiting || held_back)
		return false;
	q = waiting[at];
	for (n = 1 + sim_draw(8); n && q->left; n--) {
		i = sim_draw(q->n);
		while (q->done[i])
			i = (i + 1) % q->n;
		sim_block_do(q, i);
	}
	if (q->left)
		return true;
	waiting[at] = waiting[--nr_waiting];
	bio = q->bio;
	bio->bi_status = q->fails ? BLK_STS_IOERR : BLK_STS_OK;
	/* As block drivers do, who have gone through the table. */
	bio->bi_iter.bi_size = 0;
	bio->bi_iter.bi_sector += q->n * CCDM_BLOCK_SECTORS;
	free(q);
	sim_progress();
	sim_spawn(sim_bio_end, bio, sim_draw(2) ? SIM_IRQ : SIM_SOFTIRQ);
	return true;
}

/* ---- suite.c's place: no secrecy, but each sealing differs ------------------------------------ */

static u64 mix(u64 x)
{
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ull;
	return x ^ x >> 32;
}

static u64 key_of(const struct ccdm_place *place)
{
	return mix(place->seq * 0x9e3779b97f4a7c15ull + place->index * 31 + place->domain);
}

static void tag_of(u64 key, const u64 *bytes, u8 *tag)
{
	u64 a = key, b = ~key, i;

	for (i = 0; i < PAGE_SIZE / 8; i += 2) {
		a = mix(a ^ bytes[i]);
		b = mix(b + bytes[i + 1]);
	}
	b = mix(b ^ a);
	memcpy(tag, &a, 8);
	memcpy(tag + 8, &b, 8);
}

static unsigned int creqs_out;
static wait_queue_head_t creqs_wait;
static u64 last_seq;

void sim_suite_init(void)
{
	creqs_out = 0;
	last_seq = 0;
	init_waitqueue_head(&creqs_wait);
}

struct ccdm_creq *ccdm_creq_get(struct ccdm_creqs *q, gfp_t gfp)
{
	(void)q;
	if (gfp == GFP_NOIO)
		wait_event(creqs_wait, creqs_out < CREQS);
	else if (creqs_out >= CREQS)
		return NULL;
	creqs_out++;
	held++;
	return calloc(1, sizeof(struct ccdm_creq));
}

void ccdm_creq_put(struct ccdm_creqs *q, struct ccdm_creq *creq)
{
	(void)q;
	creqs_out--;
	held--;
	free(creq);
	wake_up(&creqs_wait);
}

int ccdm_seal(const struct ccdm_cipher *cipher, struct ccdm_creq *creq,
	      const struct ccdm_place *place, struct page *src, unsigned int offset,
	      struct page *dst, u8 *tag)
{
	u64 *from = (u64 *)(void *)((u8 *)page_address(src) + offset), *to = page_address(dst), i;
	u64 key = key_of(place);
	static u8 *used;
	static u64 room;

	(void)cipher;
	sim_may_sleep();
	creq->wait.err = 0;
	sim_yield();
	/* A number is for one sealing. */
	if (place->seq >= room * 8) {
		used = realloc(used, place->seq / 4 + 1024);
		assert(used);
		memset(used + room, 0, place->seq / 4 + 1024 - room);
		room = place->seq / 4 + 1024;
	}
	if (!last_seq)
		memset(used, 0, room);
	last_seq = place->seq;
	if (place->seq < CCDM_SEQ_FIRST || used[place->seq / 8] >> place->seq % 8 & 1)
		sim_bug("the number %llu is used twice", place->seq);
	used[place->seq / 8] |= 1 << place->seq % 8;
	if (sim_fails(SIM_SEAL))
		return sim_draw(2) ? -ENOMEM : -EIO;
	for (i = 0; i < PAGE_SIZE / 8; i++)
		to[i] = from[i] ^ (key + i);
	tag_of(key, to, tag);
	return 0;
}

static void sim_opened(void *arg)
{
	struct ccdm_creq *creq = arg;

	creq->done(creq->arg);
}

int ccdm_open(const struct ccdm_cipher *cipher, struct ccdm_creq *creq,
	      const struct ccdm_place *place, const u8 *tag, struct page *src, struct page *dst,
	      unsigned int offset, bool atomic)
{
	u64 *from = page_address(src), *to = (u64 *)(void *)((u8 *)page_address(dst) + offset), i;
	u64 key = key_of(place);
	u8 found[CCDM_TAG_SIZE];

	(void)cipher;
	if (atomic && sim_in_irq())
		sim_bug("opens with interrupts off");
	if (!atomic)
		sim_may_sleep();
	creq->wait.err = 0;
	sim_yield();
	if (atomic && !sim_draw(16)) {
		sim_spawn(sim_opened, creq, sim_draw(2) ? SIM_IRQ : SIM_SOFTIRQ);
		return -EINPROGRESS;
	}
	if (sim_fails(SIM_OPEN)) {
		memset(to, 0x5a, PAGE_SIZE);
		return sim_draw(2) ? -ENOMEM : -EINVAL;
	}
	tag_of(key, from, found);
	if (memcmp(found, tag, CCDM_TAG_SIZE))
		return -EBADMSG;
	for (i = 0; i < PAGE_SIZE / 8; i++)
		to[i] = from[i] ^ (key + i);
	return 0;
}
