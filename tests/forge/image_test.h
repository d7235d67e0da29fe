/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * image_test.h - shared by the unit tests of disk images: a valid UKI, a valid disk, and the error
 */
#ifndef CCDM_IMAGE_TEST_H
#define CCDM_IMAGE_TEST_H

#include "forge_image.h"
#include "image/bootable.h"

static struct ccdm_err err;

/* Files of the EFI system partition besides the UKI. */
#define LONG_NAME "a long name that needs three entries.cred"

static const struct forge_file more_files[] = {
	{ "EFI/BOOT/BOOTX64.EFI.extra.d/" LONG_NAME, "x", 1 },
	{ "LOADER/EMPTY.TXT", "", 0 },
};

static inline struct ccdm_source source_of(const struct forge_bytes *b)
{
	const struct ccdm_source s = { .name = "test.img", .bytes = b->p, .size = b->size };

	return s;
}

/* Make a UKI whose initrd contains ccdm.conf. */
static inline struct forge_bytes good_uki(const char *version)
{
	struct forge_bytes initrd = { 0 }, uki = { 0 };

	forge_initrd(&initrd, forge_conf);
	forge_uki(&uki, version, FORGE_CMDLINE, &initrd);
	forge_free(&initrd);
	return uki;
}

static inline struct forge_bytes good_disk(unsigned int bits, const struct forge_file *more,
					   unsigned int count)
{
	struct forge_bytes uki = good_uki("257.13-1"), disk = { 0 };

	forge_image(&disk, bits, &uki, more, count);
	forge_free(&uki);
	return disk;
}

static inline void open_disk(const struct forge_bytes *disk, struct ccdm_bootable *b)
{
	const struct ccdm_source s = { .name = "test.img", .bytes = disk->p, .size = disk->size };

	assert_int_equal(ccdm_bootable_read(&s, b, &err), 0);
}

static inline struct forge_bytes disk_of(const char *stub, const char *cmdline, const char *conf,
					 const struct forge_file *more, unsigned int count)
{
	struct forge_bytes initrd = { 0 }, uki = { 0 }, disk = { 0 };

	forge_initrd(&initrd, conf);
	forge_uki(&uki, stub, cmdline, &initrd);
	forge_image(&disk, 12, &uki, more, count);
	forge_free(&initrd);
	forge_free(&uki);
	return disk;
}

#endif
