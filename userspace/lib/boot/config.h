/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* config.h - /etc/ccdm/ccdm.conf, the configuration of the boot (ccdm.conf(5)) */
#ifndef CCDM_CONFIG_H
#define CCDM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "disk/dm.h"

#define CCDM_CONFIG_FILE   "/etc/ccdm/ccdm.conf"
#define CCDM_CONFIG_PATH   256
#define CCDM_ROOT_PATH	   "/dev/mapper/" CCDM_ROOT_NAME
#define CCDM_BASE_NAME	   "ccdm-base"
#define CCDM_BASE_PATH	   "/dev/mapper/" CCDM_BASE_NAME
#define CCDM_WORKLOAD_NAME "ccdm-workload"
#define CCDM_WORKLOAD_PATH "/dev/mapper/" CCDM_WORKLOAD_NAME

#define CCDM_SECRETS_MAX 64

/**
 * struct ccdm_config_secret - a secret that becomes a credential
 * @name: of the credential
 * @path: REPO/TYPE/TAG
 */
struct ccdm_config_secret {
	char name[65];
	char path[CCDM_CONFIG_PATH];
};

/**
 * struct ccdm_config_verity - a read-only file system under dm-verity, without a superblock
 * @device: path or PARTUUID=... of its blocks; empty: there is none
 * @hash_device: of its hash tree; empty: the same device
 * @roothash: hex
 * @salt: hex, or "-"
 * @algorithm: of dm-verity
 * @data_blocks: its blocks
 * @hash_start: first block of the tree, in blocks of the tree
 * @data_block_size: bytes
 * @hash_block_size: bytes
 */
struct ccdm_config_verity {
	char device[CCDM_CONFIG_PATH];
	char hash_device[CCDM_CONFIG_PATH];
	char roothash[129];
	char salt[513];
	char algorithm[32];
	uint64_t data_blocks;
	uint64_t hash_start;
	uint64_t data_block_size;
	uint64_t hash_block_size;
};

enum ccdm_on_failure { CCDM_FAILURE_POWEROFF, CCDM_FAILURE_REBOOT };
enum ccdm_first_boot { CCDM_MACHINE_ID_RANDOM, CCDM_MACHINE_ID_KEEP };
enum ccdm_attest_use { CCDM_ATTEST_OFF, CCDM_ATTEST_OPTIONAL, CCDM_ATTEST_REQUIRED };
enum ccdm_tpm_use { CCDM_TPM_OFF, CCDM_TPM_OPTIONAL, CCDM_TPM_REQUIRED };
enum ccdm_rtmr_use { CCDM_RTMR_OFF, CCDM_RTMR_OPTIONAL, CCDM_RTMR_REQUIRED };

/**
 * struct ccdm_config - content of the file, validated
 * @cmdline: expected command line of the kernel
 * @strict: compare it word by word; else only require the mandatory words
 * @on_failure: action after a failed boot
 * @first_boot: machine-id of a root that is new at every boot
 * @lockdown: no console logins, no SysRq, no agents of the host's in the running system
 * @timeout: seconds to wait for a device
 * @base: the file system under the root
 * @workload: the container that this image runs; its device is empty if there is none
 * @root_device: path, "blank" (CCDM_FIND_BLANK), or empty: the partition of our GPT type
 * @wipe: its content may be destroyed
 * @min_size: bytes it must have
 * @cipher: as open has it, or empty
 * @cache_size: bytes, or 0
 * @on_tamper: as open has it, or empty
 * @tpm: whether to measure into a TPM
 * @rtmr: whether to measure into RTMR 3 of a TDX guest
 * @workload_file: to be measured as ccdm-workload, or empty
 * @signer: public key to be measured as ccdm-signer, or empty
 * @policy_url: to be measured as ccdm-policy-url, or empty
 * @attest: whether to attest
 * @broker: https://HOST[:PORT]
 * @ca: file of its CA, or empty
 * @pin: SHA-256 of its public key in hex, or empty
 * @protocol: 0: 0.4.0, 1: 0.2.0
 * @no_activation: the broker cannot activate a TPM's key
 * @certificate: file of a VCEK or VLEK, for a host that provides none; or empty
 * @attest_timeout: seconds for network, attestation and secrets together
 * @nr_secrets, @secret: secrets to fetch
 */
struct ccdm_config {
	char cmdline[2048];
	bool strict;
	enum ccdm_on_failure on_failure;
	enum ccdm_first_boot first_boot;
	bool lockdown;
	uint64_t timeout;
	struct ccdm_config_verity base;
	struct ccdm_config_verity workload;
	char root_device[CCDM_CONFIG_PATH];
	bool wipe;
	uint64_t min_size;
	char cipher[32];
	uint64_t cache_size;
	char on_tamper[16];
	enum ccdm_tpm_use tpm;
	enum ccdm_rtmr_use rtmr;
	char workload_file[CCDM_CONFIG_PATH];
	char signer[CCDM_CONFIG_PATH];
	char policy_url[512];
	enum ccdm_attest_use attest;
	char broker[256];
	char ca[CCDM_CONFIG_PATH];
	char pin[65];
	unsigned int protocol;
	unsigned int no_activation;
	char certificate[CCDM_CONFIG_PATH];
	uint64_t attest_timeout;
	unsigned int nr_secrets;
	struct ccdm_config_secret secret[CCDM_SECRETS_MAX];
};

/**
 * ccdm_config_parse() - a configuration from a text
 * @file: its name, for messages
 * @text: untrusted
 * @size: its bytes
 * @config: filled; meaningless after an error, but for @config->on_failure
 *
 * Return: 0, -EINVAL with "FILE:LINE:COLUMN: ..." in @err, -ENOMEM.
 */
int __must_check ccdm_config_parse(const char *file, const char *text, size_t size,
				   struct ccdm_config *config, struct ccdm_err *err);

/* The same from a file; also -ENOENT, -EACCES ... */
int __must_check ccdm_config_load(const char *file, struct ccdm_config *config,
				  struct ccdm_err *err);

#endif
