// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/image/ovmf.c lib/image/snp_launch.c - a firmware for SEV-SNP, and its launch digest */
#include "image/snp_launch.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t hashes[3][32] = { { 1 }, { 2 }, { 3 } };
	uint8_t digest[CCDM_SNP_LAUNCH_SIZE];
	struct ccdm_err err = { 0 };
	struct ccdm_ovmf ovmf;
	unsigned int vmm, type;

	if (ccdm_ovmf_parse("fw.fd", data, size, &ovmf, &err))
		return 0;
	for (vmm = 0; vmm < 3; vmm++) {
		struct ccdm_snp_launch launch = { .ovmf = &ovmf,
						  .vmm = vmm,
						  .vcpus = 2,
						  .signature = ccdm_snp_launch_cpu("EPYC-Turin"),
						  .features = 1,
						  .hashes = vmm ? NULL : hashes };

		if (!ccdm_snp_launch_firmware(&ovmf, digest) &&
		    !ccdm_snp_launch_rest(&launch, digest, &err))
			fuzz_said("launch", "digest");
	}
	for (type = 0; ccdm_snp_launch_type(type); type++)
		;
	return 0;
}
