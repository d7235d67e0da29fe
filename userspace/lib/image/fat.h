/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * fat.h - files of a FAT file system, read only
 *
 * The file system is untrusted: a chain of clusters that loops, or that is longer than its file, is
 * an error. So is anything that EDK II would read in another way. (Microsoft FAT32 File System
 * Specification 1.03; EDK II, FatPkg/EnhancedFatDxe)
 */
#ifndef CCDM_FAT_H
#define CCDM_FAT_H

#include <stdbool.h>
#include "source.h"

#define CCDM_FAT_NAME 768 /* bytes of a name of 255 letters in UTF-8, and more */

/**
 * struct ccdm_fat - a file system
 * @source, @at, @size: where it is
 * @bits: 12, 16 or 32
 * @cluster_size: in bytes
 * @clusters: how many
 * @table: byte of the first table
 * @data: byte of cluster 2
 * @root, @root_size: the root folder of FAT12 and FAT16, in bytes
 * @root_cluster: the first cluster of that of FAT32
 */
struct ccdm_fat {
	const struct ccdm_source *source;
	uint64_t at, size;
	unsigned int bits;
	uint32_t cluster_size;
	uint32_t clusters;
	uint64_t table, data, root;
	uint32_t root_size;
	uint32_t root_cluster;
};

/**
 * struct ccdm_fat_entry - a file or a folder
 * @name: long, in UTF-8, or short
 * @folder: it is one
 * @cluster: its first one, 0 for an empty file
 * @size: of a file
 */
struct ccdm_fat_entry {
	char name[CCDM_FAT_NAME];
	bool folder;
	uint32_t cluster;
	uint32_t size;
};

/* Could firmware find a FAT file system that begins with this sector? */
bool __must_check ccdm_fat_maybe(const uint8_t sector[512]);

/* Reads the first sector. Return: 0, -EINVAL with the field in @err, errors of read(2). */
int __must_check ccdm_fat_open(const struct ccdm_source *source, uint64_t at, uint64_t size,
			       struct ccdm_fat *fat, struct ccdm_err *err);

/**
 * ccdm_fat_list() - walk through a folder
 * @folder: NULL for the root
 * @each: called for each entry but "." and ".."; a nonzero result ends the walk and is returned
 *
 * Return: 0, -EINVAL for a folder that is none, -ENOMEM.
 */
int __must_check ccdm_fat_list(const struct ccdm_fat *fat, const struct ccdm_fat_entry *folder,
			       int (*each)(const struct ccdm_fat_entry *entry, void *arg),
			       void *arg, struct ccdm_err *err);

/**
 * ccdm_fat_find() - a file or a folder by its path
 * @path: "EFI/BOOT/BOOTX64.EFI"; upper and lower case are the same
 *
 * Return: 0, -ENOENT, and as ccdm_fat_list(); two entries of one name are -EINVAL.
 */
int __must_check ccdm_fat_find(const struct ccdm_fat *fat, const char *path,
			       struct ccdm_fat_entry *entry, struct ccdm_err *err);

/* The content of a file of at most @max bytes; the caller frees it. */
int __must_check ccdm_fat_load(const struct ccdm_fat *fat, const struct ccdm_fat_entry *entry,
			       size_t max, uint8_t **bytes, struct ccdm_err *err);

#endif
