/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* hashtree.h - the hash tree of dm-verity over a file, without a superblock */
#ifndef CCDM_HASHTREE_H
#define CCDM_HASHTREE_H

#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_HASHTREE_BLOCK 4096

/**
 * struct ccdm_hashtree - a tree, as ccdm.conf has it
 * @roothash, @salt: hex
 * @algorithm: "sha256"
 * @data_blocks: blocks of @data_block_size that it covers
 * @hash_start: its first block on its device, in blocks of @hash_block_size
 */
struct ccdm_hashtree {
	char roothash[65];
	char salt[65];
	char algorithm[16];
	uint64_t data_blocks;
	uint64_t hash_start;
	uint32_t data_block_size;
	uint32_t hash_block_size;
};

/**
 * ccdm_hashtree_make() - compute the tree
 * @data: file whose first @blocks blocks of 4096 bytes are covered
 * @hash: file that gets the tree. If it is the same as @data, the tree follows the data, and
 *	@hash_start is @blocks
 * @salt: 32 bytes
 * @tree: filled
 *
 * Return: 0, -ENOENT without veritysetup, -ENOSPC, -EINTR, -EIO with veritysetup's message.
 */
int __must_check ccdm_hashtree_make(const char *data, uint64_t blocks, const char *hash,
				    const uint8_t salt[32], struct ccdm_hashtree *tree,
				    struct ccdm_err *err);

#endif
