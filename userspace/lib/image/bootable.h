/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * bootable.h - what a disk boots: partitions, files of the EFI system partition, UKI, ccdm.conf
 *
 * A UKI alone, as for QEMU's -kernel, counts as a disk without partitions.
 */
#ifndef CCDM_BOOTABLE_H
#define CCDM_BOOTABLE_H

#include "boot/measure.h"
#include "fat.h"
#include "gpt.h"
#include "source.h"
#include "uki.h"

#define CCDM_BOOTABLE_UKI   "EFI/BOOT/BOOTX64.EFI" /* UEFI 2.10, section 3.5.1.1 */
#define CCDM_BOOTABLE_FILES 64

/**
 * struct ccdm_bootable_file - a file of the EFI system partition
 * @path: from the root of the file system
 * @cluster, @size: its first cluster, its bytes
 * @beside: what the stub takes the file for, "an addon" for example; or NULL
 */
struct ccdm_bootable_file {
	char *path;
	uint32_t cluster, size;
	const char *beside;
};

/**
 * struct ccdm_bootable - a disk, or a UKI
 * @source: the file
 * @disk: it has a partition table, @gpt
 * @esp: the EFI system partition; NULL for a UKI alone
 * @files, @file: the files of the EFI system partition, without folders
 * @path: of the UKI: on the EFI system partition, or the file's name
 * @bytes: the UKI
 * @uki: the UKI, parsed
 * @conf: ccdm.conf of the initrd, or NULL
 * @config: @conf, parsed, if it is there and valid
 * @no_conf: why there is no @config; "" if there is one
 */
struct ccdm_bootable {
	struct ccdm_source source;
	bool disk;
	struct ccdm_gpt gpt;
	const struct ccdm_gpt_part *esp;
	unsigned int files;
	struct ccdm_bootable_file file[CCDM_BOOTABLE_FILES];
	const char *path;
	uint8_t *bytes;
	struct ccdm_uki uki;
	char *conf;
	size_t conf_size;
	struct ccdm_config config;
	char no_conf[512];
};

/**
 * ccdm_bootable_open() - read a disk, or a UKI
 * @file: untrusted; it is read, and never written
 * @b: filled; ccdm_bootable_close() ends it, after an error, too
 *
 * Return: 0; -EINVAL with the file and its fault in @err; -ENOMEM; errors of open(2) and read(2).
 */
int __must_check ccdm_bootable_open(const char *file, struct ccdm_bootable *b,
				    struct ccdm_err *err);

/* The same with an open source. @b becomes its owner. */
int __must_check ccdm_bootable_read(const struct ccdm_source *source, struct ccdm_bootable *b,
				    struct ccdm_err *err);
void ccdm_bootable_close(struct ccdm_bootable *b);

/*
 * Read a file that ccdm.conf names from the initrd. For ccdm_measure_files.read; @arg: the bootable
 */
int __must_check ccdm_bootable_initrd_file(const char *file, size_t max, char **text, size_t *size,
					   void *arg, struct ccdm_err *err);

#endif
