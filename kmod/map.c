// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/* map.c - entry point of bios: checks, and the first step */
#include "ccdm.h"

/* A block must be one linear piece: its bytes go to the crypto API as such. */
static bool ccdm_map_linear(struct bio *bio)
{
	const struct bio_vec *bv = &bio->bi_io_vec[bio->bi_iter.bi_idx];
	unsigned int left = bio->bi_iter.bi_size, n = bv->bv_len - bio->bi_iter.bi_bvec_done;

	/* The last piece is what is left of whole blocks. */
	for (; n < left; n = (++bv)->bv_len) {
		if (n % CCDM_BLOCK_SIZE)
			return false;
		left -= n;
	}
	return true;
}

/* Inside the mapping: to the leaf. In map() or a worker. */
static void ccdm_map_begin(struct ccdm_io *io)
{
	struct ccdm *c = io->c;
	bool write = bio_op(io->bio) == REQ_OP_WRITE;

	io->leaf = ccdm_cache_find(c, 0, io->block >> CCDM_NODE_SHIFT);
	if (likely(io->leaf)) {
		ccdm_count(c, CCDM_STAT_HITS, 1);
		if (write)
			ccdm_write_start(io);
		else
			ccdm_read_start(io);
	} else if (io->direct && (io->user_opf & REQ_NOWAIT)) {
		/* A load of nodes may wait for the device, which this sender must not do. */
		ccdm_io_queue(io, c->done, ccdm_map_begin);
	} else {
		ccdm_count(c, CCDM_STAT_MISSES, 1);
		if (write)
			ccdm_write_miss(io);
		else
			ccdm_read_miss(io);
	}
}

static void ccdm_map_let_in(struct ccdm_page_req *req)
{
	struct ccdm_io *io = container_of(req, struct ccdm_io, req);

	io->inside = req->nr;
	ccdm_io_queue(io, io->c->done, ccdm_map_begin);
}

void ccdm_map_bio(struct ccdm *c, struct bio *bio, struct ccdm_io *io)
{
	u64 sector = dm_target_offset(c->ti, bio->bi_iter.bi_sector);

	memset(io, 0, offsetof(struct ccdm_io, direct));
	io->req.pages = NULL;
	io->c = c;
	io->bio = bio;
	io->end_io = bio->bi_end_io;
	io->user_opf = bio->bi_opf;
	io->user_vec = bio->bi_io_vec;
	io->user_iter = bio->bi_iter;
	io->block = sector / CCDM_BLOCK_SECTORS;
	io->direct = true;
	atomic_set(&io->pending, 1);
	/*
	 * Here, where the sender is: it says to which control group the bio belongs. The bio
	 * forgets it when it has been sent; bios of our own that follow it do not.
	 */
	bio_set_dev(bio, c->dev->bdev);
	io->css = ccdm_css_get(bio);
	io->group = ccdm_pages_group(&c->pages, io->css);

	if (unlikely(!ccdm_active(c)) ||
	    unlikely((sector | bio_sectors(bio)) % CCDM_BLOCK_SECTORS)) {
		ccdm_io_finish(io, BLK_STS_IOERR);
		return;
	}
	if (unlikely(bio_op(bio) != REQ_OP_READ && bio_op(bio) != REQ_OP_WRITE)) {
		if (bio_op(bio) == REQ_OP_DISCARD || bio_op(bio) == REQ_OP_WRITE_ZEROES)
			ccdm_io_queue(io, c->walk, ccdm_discard_start);
		else
			ccdm_io_finish(io, BLK_STS_NOTSUPP);
		return;
	}
	if (unlikely(!bio_sectors(bio))) {
		ccdm_io_finish(io, BLK_STS_OK);
		return;
	}
	if (unlikely(!ccdm_map_linear(bio))) {
		ccdm_io_finish(io, BLK_STS_IOERR);
		return;
	}
	io->nr = bio_sectors(bio) / CCDM_BLOCK_SECTORS;
	io->first = io->block % CCDM_NODE_ENTRIES;
	io->mask = ccdm_mask_range(io->first, io->nr);

	io->direct = false;	/* it may be let in by somebody else */
	io->req.nr = ccdm_pages_weight(io->nr);
	io->req.on_granted = ccdm_map_let_in;
	ccdm_waiter_set(&io->req.waiter, bio, io->group);
	if (likely(ccdm_pages_enter(&c->pages, &io->req))) {
		io->inside = io->req.nr;
		io->direct = true;
		ccdm_map_begin(io);
	}
}
