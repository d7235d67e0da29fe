/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * policy_text.h - the policy of an image, as "ccdm-broker policy add" takes it (ccdm-policy(5))
 */
#ifndef CCDM_POLICY_TEXT_H
#define CCDM_POLICY_TEXT_H

#include <jansson.h>
#include "base/compiler.h"
#include "base/err.h"
#include "evidence/manifest.h"

/* The platform that proves the image. */
enum ccdm_policy_platform {
	CCDM_POLICY_SNP, /* with a vTPM that is bound to it, or with kernel hashes */
	CCDM_POLICY_TDX,
	CCDM_POLICY_TPM, /* a TPM alone, if the user asks for it: it proves no confidential VM */
};

/**
 * struct ccdm_policy_words - what the policy says
 * @platform: of the machine
 * @manifest: product, svn, base's svn, ids; @key of it is "" if the manifest is not signed
 * @secrets: array of REPO/TYPE/TAG; each once
 * @firmware: array of HEX: MRTDs of the firmware; TDX alone needs it, else NULL
 */
struct ccdm_policy_words {
	enum ccdm_policy_platform platform;
	const struct ccdm_manifest *manifest;
	const json_t *secrets;
	const json_t *firmware;
};

/**
 * ccdm_policy_text() - write the policy
 * @w: what it says
 * @text: set; the caller frees it
 *
 * With a signer the policy names key, product and lowest security versions: later images of the
 * same product need no other policy. Without one it names the enclave IDs of this image.
 *
 * Return: 0; -ENODATA: the image asks for no secret, and a policy must have one; -EINVAL with what
 * is missing or wrong in @err: no known ID, no MRTD; -ENOMEM.
 */
int __must_check ccdm_policy_text(const struct ccdm_policy_words *w, char **text,
				  struct ccdm_err *err);

/* "snp", "tdx" or "tpm". Return: 0; -EINVAL for another word. */
int __must_check ccdm_policy_platform(const char *word, enum ccdm_policy_platform *platform);

#endif
