/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/* kernel_bio.h - the kernel's bios and block devices; kernel.h includes it */
#ifndef CCDM_TEST_KERNEL_BIO_H
#define CCDM_TEST_KERNEL_BIO_H

#define REQ_OP_READ		0u
#define REQ_OP_WRITE		1u
#define REQ_OP_DISCARD		3u
#define REQ_OP_SECURE_ERASE	5u
#define REQ_OP_WRITE_ZEROES	9u
#define REQ_OP_ZONE_RESET	15u
#define REQ_OP_MASK		0xffu
#define REQ_SYNC		0x100u
#define REQ_META		0x200u
#define REQ_PRIO		0x400u
#define REQ_IDLE		0x800u
#define REQ_RAHEAD		0x1000u
#define REQ_NOWAIT		0x2000u
#define BLK_STS_OK		0
#define BLK_STS_NOTSUPP		1
#define BLK_STS_IOERR		10
#define BLK_STS_AGAIN		12
#define blk_status_to_errno(s)	((s) ? -EIO : 0)
#define IOPRIO_CLASS_BE		2
#define IOPRIO_CLASS_IDLE	3
#define IOPRIO_PRIO_CLASS(prio)	((prio) >> 13)
#define IOPRIO_PRIO_VALUE(c, d)	((c) << 13 | (d))
#define BIO_MAX_VECS		256u

struct request_queue {
	unsigned long nr_requests;
};

struct block_device;
bool bdev_nowait(struct block_device *bdev);
#define bdev_get_queue(b)	(b)
#define queue_max_segments(q)	((void)(q), 64u)
struct cgroup_subsys_state;
/* Number of references to control groups. */
int sim_css(void);

struct bio_vec {
	struct page *bv_page;
	unsigned int bv_len;
	unsigned int bv_offset;
};

struct bvec_iter {
	sector_t bi_sector;
	unsigned int bi_size;
	unsigned int bi_idx;
	unsigned int bi_bvec_done;
};

struct bio_set {
	unsigned int kept;
	unsigned int out;
	size_t front;
	wait_queue_head_t wait;
};

struct bio;
typedef void (bio_end_io_t)(struct bio *bio);

struct bio {
	struct block_device *bi_bdev;
	blk_opf_t bi_opf;
	blk_status_t bi_status;
	unsigned short bi_ioprio;
	unsigned short bi_vcnt;
	unsigned short bi_max_vecs;
	struct bvec_iter bi_iter;
	const void *bi_blkg;
	struct bio_vec *bi_io_vec;
	bio_end_io_t *bi_end_io;
	void *bi_private;
	struct bio_set *set;
	struct list_head sim;	/* waits in the device */
};

#define bio_op(b)		((b)->bi_opf & REQ_OP_MASK)
#define bio_sectors(b)		((b)->bi_iter.bi_size >> 9)
#define bio_set_dev(b, d)	((b)->bi_bdev = (d))
struct cgroup_subsys_state *ccdm_css_get(struct bio *bio);
void ccdm_css_put(struct cgroup_subsys_state *css);
#define ccdm_css_is_root(css)	(!(css))
#define ccdm_css_charge_root(b)	((b)->bi_blkg = NULL)
#define ccdm_css_charge(b, css)	((b)->bi_blkg = (css))
#define ccdm_bio_blkg(b)	((b)->bi_blkg)
#define bio_uninit(b)		((void)(b))

void bio_init(struct bio *bio, struct block_device *bdev, struct bio_vec *vec, unsigned short max,
	      blk_opf_t opf);
void __bio_add_page(struct bio *bio, struct page *page, unsigned int len, unsigned int offset);
int bioset_init(struct bio_set *set, unsigned int kept, size_t front, int flags);
void bioset_exit(struct bio_set *set);
#define BIOSET_NEED_BVECS	0
struct bio *bio_alloc_bioset(struct block_device *bdev, unsigned short vecs, blk_opf_t opf, gfp_t gfp,
			     struct bio_set *set);
void bio_put(struct bio *bio);
void submit_bio_noacct(struct bio *bio);
#define submit_bio(b)		submit_bio_noacct(b)
#define dm_submit_bio_remap(b, x)	submit_bio_noacct(b)

struct blk_plug {
	int dummy;
};

#define blk_start_plug(p)	((void)(p))
#define blk_finish_plug(p)	((void)(p))
void bio_endio(struct bio *bio);
#define bio_io_error(b)		({ (b)->bi_status = BLK_STS_IOERR; bio_endio(b); })

/* Advance by @n bytes, which are all in one bio_vec. */
static inline void bvec_iter_advance_single(const struct bio_vec *v, struct bvec_iter *it,
					    unsigned int n)
{
	it->bi_size -= n;
	it->bi_bvec_done += n;
	if (it->bi_bvec_done == v[it->bi_idx].bv_len) {
		it->bi_bvec_done = 0;
		it->bi_idx++;
	} else if (it->bi_bvec_done > v[it->bi_idx].bv_len) {
		sim_bug("a block in two pieces");
	}
}

static inline struct bio_vec mp_bvec_iter_bvec(const struct bio_vec *v, struct bvec_iter it)
{
	const struct bio_vec *bv = &v[it.bi_idx];
	struct bio_vec out = { bv->bv_page, bv->bv_len - it.bi_bvec_done,
			       bv->bv_offset + it.bi_bvec_done };

	return out;
}

#endif /* CCDM_TEST_KERNEL_BIO_H */
