/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * tpm_activation.h - prove that an attestation key is in the TPM of an endorsement key
 *
 * An AK signs quotes but has no certificate; an EK has its manufacturer's certificate but
 * signs nothing. A credential ties them: a value that is encrypted for the EK and
 * that its TPM releases only if the AK with this name is its own. (TCG TPM 2.0 Library,
 * Part 1, "Credential Protection"; EK: TCG EK Credential Profile, template L-1.)
 *
 * On the wire, in both directions: {"ek-cert" | "ek-pub", "ak-pub"}, "value" with it in
 * evidence, {"blob", "secret"} in the challenge; all in base64.
 */
#ifndef CCDM_TPM_ACTIVATION_H
#define CCDM_TPM_ACTIVATION_H

#include "base/compiler.h"
#include "evidence.h"

#define CCDM_EK_CERT_MAX    8192 /* bytes of DER */
#define CCDM_TPM_AREA_MAX   1024 /* bytes of a TPMT_PUBLIC */
#define CCDM_TPM_NAME_SIZE  34	 /* of an object with SHA-256 */
#define CCDM_CREDENTIAL_MAX 32	 /* bytes of a value: as long as the EK's hash */

/**
 * struct ccdm_tpm_pair - an EK and an AK that claim to be of one TPM
 * @ek: RSA
 * @ek_cert: its certificate, in the set; NULL: the key alone was given
 * @ak: the key in its public area
 * @attributes: TPMA_OBJECT of the AK
 * @name: of the AK: its hash algorithm, and the hash of its public area
 */
struct ccdm_tpm_pair {
	struct ccdm_pubkey *ek;
	const struct ccdm_cert *ek_cert;
	struct ccdm_pubkey *ak;
	uint32_t attributes;
	uint8_t name[CCDM_TPM_NAME_SIZE];
};

/**
 * ccdm_tpm_pair_parse() - "ek-cert" or "ek-pub", and "ak-pub" (TPMT_PUBLIC)
 * @o: untrusted
 * @certs: gets the certificate
 * @pair: filled; free it with ccdm_tpm_pair_drop()
 *
 * Return: 0, -EINVAL with the member's name, -ENOMEM.
 */
int __must_check ccdm_tpm_pair_parse(const json_t *o, struct ccdm_certs *certs,
				     struct ccdm_tpm_pair *pair, struct ccdm_err *err);
void ccdm_tpm_pair_drop(struct ccdm_tpm_pair *pair); /* accepts zeros */

/**
 * ccdm_tpm_ek_parse() - the key of an endorsement key's public area
 * @area, @size: TPMT_PUBLIC, untrusted
 *
 * Return: the key, of RSA, restricted to decryption and never outside its TPM; NULL: anything else.
 */
struct ccdm_pubkey *ccdm_tpm_ek_parse(const uint8_t *area, size_t size);

/**
 * ccdm_tpm_credential_make() - encrypt a value for the pair's TPM
 * @value: of CCDM_CREDENTIAL_MAX bytes
 *
 * Return: {"blob", "secret"}; NULL: out of memory, or a key that OpenSSL refuses.
 */
json_t *ccdm_tpm_credential_make(const struct ccdm_tpm_pair *pair,
				 const uint8_t value[CCDM_CREDENTIAL_MAX]);

/**
 * ccdm_tpm_activation_judge() - verify an activation
 * @o: the pair and "value", untrusted
 * @ak: the key that signed the quote
 * @trust: roots for EKs, and the check of the value
 * @v: checks "ak", "ak-attributes", "activation", "ek", then those of the EK's path, if it
 *     has a certificate and is not known as such, with "ek-" before them
 *
 * Return: 0 for any verdict; -EINVAL if it is malformed; -ENOMEM.
 */
int __must_check ccdm_tpm_activation_judge(const json_t *o, const struct ccdm_pubkey *ak,
					   const struct ccdm_trust *trust, struct ccdm_verdict *v,
					   struct ccdm_err *err);

#endif
