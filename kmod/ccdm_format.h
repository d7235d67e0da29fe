/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* Copyright The ccdm authors */
/*
 * ccdm_format.h - format of the backing device and of the table line
 *
 * This is the only definition of the format: the kernel module, ccdm-setup and the
 * unit tests all include this file. It needs no kernel header beyond the
 * fixed-width types, and holds nothing secret.
 *
 * Layout, in blocks of 4096 bytes:
 *
 *	| data blocks | leaf nodes | level 1 nodes | ... | top node | unused |
 *
 * Nothing on the device is trusted, and nothing on it is valid after the mapping closes:
 * there is no superblock.
 */
#ifndef CCDM_FORMAT_H
#define CCDM_FORMAT_H

#include <linux/types.h>
#ifdef __KERNEL__
#include <asm/byteorder.h>
#define ccdm_le64_to_cpu(x)	le64_to_cpu(x)
#define ccdm_cpu_to_le64(x)	cpu_to_le64(x)
#else
#include <endian.h>
#define ccdm_le64_to_cpu(x)	le64toh(x)
#define ccdm_cpu_to_le64(x)	htole64(x)
#endif

#define CCDM_TABLE_VERSION	1	/* first word of the table line */

#define CCDM_BLOCK_SHIFT	12
#define CCDM_BLOCK_SIZE		(1u << CCDM_BLOCK_SHIFT)
#define CCDM_BLOCK_SECTORS	(CCDM_BLOCK_SIZE >> 9)

#define CCDM_NODE_SHIFT		7	/* log2 of the entries in a node */
#define CCDM_NODE_ENTRIES	(1u << CCDM_NODE_SHIFT)
#define CCDM_LEAF_SECTORS	(CCDM_NODE_ENTRIES * CCDM_BLOCK_SECTORS)

#define CCDM_MAX_LEVELS		8
#define CCDM_MIN_BLOCKS		2	/* one data block and its leaf */

#define CCDM_TAG_SIZE		16

/* GPT type of a partition that serves only as scratch and may be overwritten. */
#define CCDM_GPT_SCRATCH "6f1ac5ee-08c4-4f0b-8d5b-3a3dcc9be1d7"
#define CCDM_UUID_PREFIX	"CCDM-"

/* Bounds of the option cache_mib; half of the RAM is a further upper bound. */
#define CCDM_CACHE_MIB_MIN		2
#define CCDM_CACHE_MIB_DEFAULT_MIN	4
#define CCDM_CACHE_MIB_DEFAULT_MAX	1024

/* Generic netlink; attributes in Documentation/reference/ccdm-netlink.yaml */
#define CCDM_GENL_NAME		"ccdm"
#define CCDM_GENL_VERSION	1
#define CCDM_GENL_GROUP		"events"

enum ccdm_genl_cmd {
	CCDM_CMD_UNSPEC,
	CCDM_CMD_EVENT,
};

enum ccdm_genl_attr {
	CCDM_ATTR_UNSPEC,
	CCDM_ATTR_EVENT,	/* string: opened closed tamper failed unwritable scrub-done */
	CCDM_ATTR_NAME,		/* string: name of the mapping */
	CCDM_ATTR_UUID,		/* string: device-mapper UUID */
	CCDM_ATTR_DEV,		/* string: major:minor of the mapping */
	CCDM_ATTR_KIND,		/* string, tamper only: block or node */
	CCDM_ATTR_LEVEL,	/* u32, tamper only: level of the node, 0 for a block */
	CCDM_ATTR_INDEX,	/* u64, tamper only: index within its level */
	CCDM_ATTR_PAD,
	__CCDM_ATTR_MAX,
};

#define CCDM_ATTR_MAX (__CCDM_ATTR_MAX - 1)

/**
 * struct ccdm_entry - what the tree stores for one child (block or node)
 * @seq: sequence number of the sealing that is valid now, or one of
 *	 enum ccdm_seq
 * @tag: authentication tag of that sealing
 * @zero: written as zero, ignored when read
 */
struct ccdm_entry {
	__le64 seq;
	__u8 tag[CCDM_TAG_SIZE];
	__u8 zero[8];
};

/**
 * enum ccdm_seq - reserved sequence numbers
 * @CCDM_SEQ_UNWRITTEN: never written: reads as the origin, or zeros
 * @CCDM_SEQ_ZEROED: discarded or written with zeroes: reads as zeros
 * @CCDM_SEQ_POISONED: a device write failed: reads as EIO; leaves only
 * @CCDM_SEQ_FIRST: the first number of a sealing
 *
 * Any value may replace @CCDM_SEQ_UNWRITTEN; no entry becomes unwritten again, so an
 * origin never shows through again.
 */
enum ccdm_seq {
	CCDM_SEQ_UNWRITTEN = 0,
	CCDM_SEQ_ZEROED = 1,
	CCDM_SEQ_POISONED = 2,
	CCDM_SEQ_FIRST = 16,
};

/* Sealing stops here (state "failed"): 2^63 writes do not happen by accident. */
#define CCDM_SEQ_LIMIT (1ULL << 63)

/**
 * struct ccdm_geometry - layout, all in blocks
 * @blocks: data blocks of the mapping
 * @total: blocks of the backing device in use: data and tree
 * @levels: levels of the tree, 1 to CCDM_MAX_LEVELS; level 0 are the leaves
 * @first: first block of each level
 * @nodes: nodes in each level; the top level has one
 */
struct ccdm_geometry {
	__u64 blocks;
	__u64 total;
	unsigned int levels;
	__u64 first[CCDM_MAX_LEVELS];
	__u64 nodes[CCDM_MAX_LEVELS];
};

/**
 * ccdm_geometry_set() - compute the layout for a number of data blocks
 * @g: filled in
 * @blocks: data blocks, at least 1, below 2^52
 *
 * Return: 0, or -1 if @blocks is out of range.
 */
static inline int ccdm_geometry_set(struct ccdm_geometry *g, __u64 blocks)
{
	__u64 at = blocks, n = blocks;
	unsigned int l = 0;

	/* coverage: the unit test of the format has these sizes */
	if (!blocks || blocks >> 52)
		return -1;

	g->blocks = blocks;
	do {
		/* coverage: a guard for another fan-out: no size below 2^52 has more levels */
		if (l == CCDM_MAX_LEVELS)
			return -1;
		n = (n + CCDM_NODE_ENTRIES - 1) >> CCDM_NODE_SHIFT;
		g->first[l] = at;
		g->nodes[l] = n;
		at += n;
		l++;
	} while (n > 1);

	g->levels = l;
	g->total = at;
	return 0;
}

/**
 * ccdm_geometry_fit() - the most data blocks that fit with their tree
 * @backing: blocks of the backing device
 *
 * Return: data blocks, 0 if the device is too small.
 */
static inline __u64 ccdm_geometry_fit(__u64 backing)
{
	struct ccdm_geometry g;
	__u64 low = 0, high = backing, mid;

	if (backing >> 52)
		high = (1ULL << 52) - 1;

	/* total() grows with blocks: the largest that fits, by halving */
	while (low < high) {
		mid = low + (high - low + 1) / 2;
		if (ccdm_geometry_set(&g, mid) || g.total > backing)
			high = mid - 1;
		else
			low = mid;
	}
	return low;
}

#endif /* CCDM_FORMAT_H */
