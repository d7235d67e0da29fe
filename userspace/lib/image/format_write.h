/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* format_write.h - the writer of each format, for format.c */
#ifndef CCDM_FORMAT_WRITE_H
#define CCDM_FORMAT_WRITE_H

#include "format.h"
#include "sparse.h"

/**
 * struct ccdm_format_out - a file that is being written
 * @name: its name, for messages and for qemu-img
 * @fd: the file, new and empty
 * @date: seconds since 1970
 */
struct ccdm_format_out {
	const char *name;
	int fd;
	int64_t date;
};

/* vhd.c: largest disk in a VHD of Hyper-V and of QEMU: 2040 GiB */
#define CCDM_VHD_MAX	((uint64_t)2040 << 30)
#define CCDM_VHD_FOOTER 512

/**
 * ccdm_vhd_footer() - the footer of a fixed VHD
 * @size: bytes of the disk
 * @date: seconds since 1970; a date before 2000 counts as 2000
 * @uuid: its identity
 *
 * Microsoft, Virtual Hard Disk Image Format Specification 1.0. The geometry is the largest one, as
 * "qemu-img convert -o force_size" writes it. Readers then ignore the geometry and use the size.
 */
void ccdm_vhd_footer(uint64_t size, int64_t date, const uint8_t uuid[16],
		     uint8_t footer[CCDM_VHD_FOOTER]);

int __must_check ccdm_vhd_write(const struct ccdm_sparse *disk, const struct ccdm_format_out *out,
				struct ccdm_err *err);

/**
 * ccdm_gcp_header() - the tar header of disk.raw
 * @size: bytes of the disk
 * @date: seconds since 1970
 *
 * GNU tar's format "oldgnu", without holes: what "tar --format=oldgnu" writes for a file of root's.
 */
#define CCDM_GCP_HEADER 512

void ccdm_gcp_header(uint64_t size, int64_t date, uint8_t header[CCDM_GCP_HEADER]);

int __must_check ccdm_gcp_write(const struct ccdm_sparse *disk, const struct ccdm_format_out *out,
				struct ccdm_err *err);

/* vmdk.c: runs qemu-img */
int __must_check ccdm_vmdk_write(const struct ccdm_sparse *disk, const struct ccdm_format_out *out,
				 struct ccdm_err *err);

#endif
