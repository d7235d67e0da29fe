/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * snp_launch.h - the launch digest of an SEV-SNP guest, before it is launched
 *
 * The digest is extended with each page that the hypervisor gives to the guest: the firmware,
 * the sections of its metadata, and the registers of each vCPU. If the firmware has a place for
 * them, one page holds the hashes of kernel, initrd and command line. (AMD SEV-SNP Firmware ABI 1.55,
 * section 8.17, PAGE_INFO; AMD64 Architecture Programmer's Manual, volume 2, table B-4; QEMU,
 * target/i386/sev.c)
 */
#ifndef CCDM_SNP_LAUNCH_H
#define CCDM_SNP_LAUNCH_H

#include "ovmf.h"

#define CCDM_SNP_LAUNCH_SIZE	 48
#define CCDM_SNP_LAUNCH_VCPUS	 4096
#define CCDM_SNP_LAUNCH_FEATURES 1 /* SNP active; 0x20: debug registers are swapped, too */

enum ccdm_snp_vmm { CCDM_SNP_QEMU, CCDM_SNP_EC2, CCDM_SNP_GCE };

/**
 * struct ccdm_snp_launch - how a guest is launched
 * @ovmf: its firmware
 * @vmm: the hypervisor, which sets the vCPU's registers
 * @vcpus: how many
 * @signature: CPUID Fn0000_0001_EAX of the type of vCPU; EC2 and GCE do not use it
 * @features: SEV_FEATURES of the vCPU
 * @hashes: SHA-256 of the command line, the initrd and the kernel, in this order; NULL: the
 *	hypervisor loads no kernel
 */
struct ccdm_snp_launch {
	const struct ccdm_ovmf *ovmf;
	enum ccdm_snp_vmm vmm;
	unsigned int vcpus;
	uint32_t signature;
	uint64_t features;
	const uint8_t (*hashes)[32];
};

/* The digest after the firmware's pages alone. Return: 0, -EIO. */
int __must_check ccdm_snp_launch_firmware(const struct ccdm_ovmf *ovmf,
					  uint8_t digest[CCDM_SNP_LAUNCH_SIZE]);

/**
 * ccdm_snp_launch_rest() - continue the digest of ccdm_snp_launch_firmware()
 *
 * Return: 0; -EINVAL if the firmware has no place for the hashes, or does not say where other
 * vCPUs begin; -EIO.
 */
int __must_check ccdm_snp_launch_rest(const struct ccdm_snp_launch *launch,
				      uint8_t digest[CCDM_SNP_LAUNCH_SIZE], struct ccdm_err *err);

/* CPUID signature of a type of vCPU of QEMU's, "EPYC-Milan-v1"; 0: it is not known */
uint32_t ccdm_snp_launch_cpu(const char *type);

/* Known type @number; NULL after the last. */
const char *ccdm_snp_launch_type(unsigned int number);

#endif
