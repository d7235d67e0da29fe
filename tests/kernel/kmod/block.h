/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/* block.h - bios, and the device */
#ifndef CCDM_TEST_BLOCK_H
#define CCDM_TEST_BLOCK_H

#include "kernel.h"

/* struct block_device - a disk in memory; unwritten blocks are zeros */
struct block_device {
	u64 blocks;
	u8 **block;
	bool *bad;   /* the last write failed */
	bool origin; /* read-only, with the content of sim_origin() */
};

void sim_block_init(struct block_device *bdev, u64 blocks);
void sim_block_exit(struct block_device *bdev);
/* One step of the device: a block of a waiting bio, or its end. false: no bio waits. */
bool sim_device(void);
/* Submit @bio when the device has a free tag; sleeps. */
struct bio;
void sim_device_take(struct bio *bio);
/* Hold the device: it takes no step meanwhile. */
void sim_device_hold(bool hold);
/* From now on a write or discard is a bug. */
void sim_device_no_writes(void);
/* Copy of the device's content at @block, for a host that puts it back; the caller frees it. */
u8 *sim_device_copy(struct block_device *bdev, u64 block);
bool sim_device_bad(struct block_device *bdev, u64 block);
void sim_device_put(struct block_device *bdev, u64 block, const u8 *bytes);
/* Set @bytes to the content of block @block of an origin. */
void sim_origin(u64 block, u8 *bytes);

#endif /* CCDM_TEST_BLOCK_H */
