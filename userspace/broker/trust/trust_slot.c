// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* trust_slot.c - the revocation lists that AMD and Intel publish; see trust_keep.h */
#include <string.h>
#include "base/compiler.h"
#include "trust_keep.h"

static const struct ccdm_slot ccdm_slots[] = {
	{ "amd-vcek-milan.pem", "ARK-Milan", "SEV-Milan", "list for VCEKs of Milan", false, true },
	{ "amd-vlek-milan.pem", "ARK-Milan", "SEV-VLEK-Milan", "list for VLEKs of Milan", false,
	  true },
	{ "amd-vcek-genoa.pem", "ARK-Genoa", "SEV-Genoa", "list for VCEKs of Genoa", false, true },
	{ "amd-vlek-genoa.pem", "ARK-Genoa", "SEV-VLEK-Genoa", "list for VLEKs of Genoa", false,
	  true },
	{ "amd-vcek-turin.pem", "ARK-Turin", "SEV-Turin", "list for VCEKs of Turin", false, true },
	{ "amd-vlek-turin.pem", "ARK-Turin", "SEV-VLEK-Turin", "list for VLEKs of Turin", false,
	  true },
	{ "intel-root.pem", "Intel SGX Root CA", "Intel SGX PCK Platform CA",
	  "list of Intel's root", true, true },
	{ "intel-pck-platform.pem", "Intel SGX PCK Platform CA", "Intel SGX PCK Certificate",
	  "list of Intel's platform CA", true, false },
	{ "intel-pck-processor.pem", "Intel SGX PCK Processor CA", "Intel SGX PCK Certificate",
	  "list of Intel's processor CA", true, false },
};

const struct ccdm_slot *ccdm_slot(unsigned int i)
{
	return i < ARRAY_SIZE(ccdm_slots) ? &ccdm_slots[i] : NULL;
}

const struct ccdm_slot *ccdm_slot_of(const char *issuer, bool vlek)
{
	const struct ccdm_slot *slot;
	unsigned int i;

	for (i = 0; (slot = ccdm_slot(i)); i++)
		if (!strcmp(slot->issuer, issuer) &&
		    (slot->tdx || !strncmp(slot->subject, "SEV-VLEK", 8) == vlek))
			return slot;
	return NULL;
}
