/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* workload_conf.h - the text of ccdm.conf for an image that ccdm-image builds */
#ifndef CCDM_WORKLOAD_CONF_H
#define CCDM_WORKLOAD_CONF_H

#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "hashtree.h"
#include "workload.h"

/**
 * struct ccdm_workload_conf - what it says; a text that is NULL or empty is left out
 * @cmdline: words of the kernel's command line
 * @lockdown: "no": the running system has shells; NULL: ccdm.conf's default
 * @on_failure: "poweroff" or "reboot"; NULL: ccdm.conf's default
 * @base, @base_device, @base_hash_device: the base, "PARTUUID=..."
 * @root, @root_device: the workload's partition; @root NULL: there is none
 * @scratch: device of the root; NULL: found by its GPT type
 * @cipher: of the root
 * @min_size: bytes of the root, or 0
 * @tpm: "required", "optional" or "off"; NULL: ccdm.conf's default
 * @signer: path of the signer's key in the initrd
 * @policy_url: of the measured policy
 * @broker: https://HOST[:PORT]; NULL: no attestation
 * @ca: path of the broker's CA in the initrd
 * @pin: of the broker, SHA-256 in hex
 * @workload: has the secrets; may be NULL
 */
struct ccdm_workload_conf {
	const char *cmdline;
	const char *lockdown;
	const char *on_failure;
	const struct ccdm_hashtree *base;
	const char *base_device;
	const char *base_hash_device;
	const struct ccdm_hashtree *root;
	const char *root_device;
	const char *scratch;
	const char *cipher;
	uint64_t min_size;
	const char *tpm;
	const char *signer;
	const char *policy_url;
	const char *broker;
	const char *ca;
	const char *pin;
	const struct ccdm_workload *workload;
};

/**
 * ccdm_workload_conf_make() - write the text
 * @text: set; the caller frees it
 * @size: its bytes
 *
 * The text is read back with ccdm_config_parse(), so a boot can read it.
 *
 * Return: 0; -EINVAL if a boot could not read it, with the reason; -ENOMEM.
 */
int __must_check ccdm_workload_conf_make(const struct ccdm_workload_conf *conf, char **text,
					 size_t *size, struct ccdm_err *err);

#endif
