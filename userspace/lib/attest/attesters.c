// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* attesters.c - see attesters.h */
#include <errno.h>
#include "attest_azure.h"
#include "attest_snp.h"
#include "attest_tdx.h"
#include "attest_tpm.h"
#include "attesters.h"

const struct ccdm_attester *const ccdm_attesters[] = {
	&ccdm_attest_snp_tsm,
	&ccdm_attest_tdx,
	&ccdm_attest_snp_ioctl,
	&ccdm_attest_azure_snp,
	&ccdm_attest_azure_tdx,
	&ccdm_attest_tpm,
	NULL,
};

int ccdm_attesters_choose(const struct ccdm_attester **primary, const struct ccdm_attester **beside,
			  struct ccdm_err *err)
{
	unsigned int i;

	*primary = NULL;
	*beside = NULL;
	for (i = 0; ccdm_attesters[i]; i++) {
		const struct ccdm_attester *a = ccdm_attesters[i];

		if (!a->exists(a))
			continue;
		if (!*primary)
			*primary = a;
		else if (a == &ccdm_attest_tpm && *primary != &ccdm_attest_azure_snp &&
			 *primary != &ccdm_attest_azure_tdx) /* their evidence has the vTPM */
			*beside = a;
	}
	if (*primary)
		return 0;
	ccdm_err_hint(err, "check that its driver is loaded; \"ccdm-setup evidence\" lists the "
			   "sources of evidence");
	return ccdm_err_set(err, -ENODEV, "found no source of evidence: no TEE, no TPM");
}
