// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/* cipher.c - see cipher.h */
#include "cipher.h"
#include "memory.h"
#include "sched.h"
#include "ccdm.h"

#define CREQS 3 /* number of crypto requests: few, so they run out */

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
static u64 last_seq, sealings;
static u64 sealed_at[8][256]; /* of the first nodes of each domain */

u64 sim_sealed(unsigned int domain, u64 index)
{
	return sealed_at[domain][index];
}

void sim_cipher_init(void)
{
	creqs_out = 0;
	last_seq = sealings = 0;
	memset(sealed_at, 0, sizeof(sealed_at));
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
	return sim_take(sizeof(struct ccdm_creq));
}

void ccdm_creq_put(struct ccdm_creqs *q, struct ccdm_creq *creq)
{
	(void)q;
	creqs_out--;
	sim_free(creq);
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
	/* Each sequence number is used for one sealing only. */
	if (place->seq >= room * 8) {
		used = realloc(used, place->seq / 4 + 1024);
		assert(used);
		memset(used + room, 0, place->seq / 4 + 1024 - room);
		room = place->seq / 4 + 1024;
	}
	if (!last_seq)
		memset(used, 0, room);
	last_seq = place->seq;
	if (place->domain < ARRAY_SIZE(sealed_at) && place->index < ARRAY_SIZE(sealed_at[0]))
		sealed_at[place->domain][place->index] = ++sealings;
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

	u64 *to;

	memcpy(&to, creq->iv, sizeof(to));
	memset(to, UNVERIFIED, PAGE_SIZE);
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
		memcpy(creq->iv, &to, sizeof(to));
		sim_spawn(sim_opened, creq, sim_draw(2) ? SIM_IRQ : SIM_SOFTIRQ);
		return -EINPROGRESS;
	}
	if (sim_fails(SIM_OPEN)) {
		memset(to, UNVERIFIED, PAGE_SIZE);
		return sim_draw(2) ? -ENOMEM : -EINVAL;
	}
	tag_of(key, from, found);
	if (memcmp(found, tag, CCDM_TAG_SIZE)) {
		/*
		 * GCM deciphers while it computes the tag, so a refused block leaves such content.
		 */
		memset(to, UNVERIFIED, PAGE_SIZE);
		return -EBADMSG;
	}
	for (i = 0; i < PAGE_SIZE / 8; i++)
		to[i] = from[i] ^ (key + i);
	return 0;
}
