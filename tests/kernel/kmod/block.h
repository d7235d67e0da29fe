/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/* block.h - bios, and the device */
#ifndef CCDM_TEST_BLOCK_H
#define CCDM_TEST_BLOCK_H

#include "kernel.h"

/* struct block_device - a disk in memory; blocks that nobody wrote are zeros */
struct block_device {
	u64 blocks;
	u8 **block;
	bool *bad;   /* the last write failed */
	bool origin; /* read only, and its own content: sim_origin() */
};

void sim_block_init(struct block_device *bdev, u64 blocks);
void sim_block_exit(struct block_device *bdev);
/* One thing of the device's: a block of a bio that waits, or its end. false: none waits. */
bool sim_device(void);
/* The device takes @bio when it has a tag free; sleeps. */
struct bio;
void sim_device_take(struct bio *bio);
/* While it is held the device does nothing. */
void sim_device_hold(bool hold);
/* From now on who writes or discards is wrong. */
void sim_device_no_writes(void);
/* What the device holds at @block, for a host that puts it back; the caller's to free. */
u8 *sim_device_copy(struct block_device *bdev, u64 block);
bool sim_device_bad(struct block_device *bdev, u64 block);
void sim_device_put(struct block_device *bdev, u64 block, const u8 *bytes);
/* Content of block @block of an origin. */
void sim_origin(u64 block, u8 *bytes);

#endif /* CCDM_TEST_BLOCK_H */
