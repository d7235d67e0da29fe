/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* broker_args.h - options of the verbs that talk to a broker */
#ifndef CCDM_BROKER_ARGS_H
#define CCDM_BROKER_ARGS_H

#include "base/compiler.h"
#include "boot/config.h"
#include "attest/session.h"
#include "setup.h"

/**
 * struct ccdm_broker_args - the broker, from options or from the configuration
 * @broker, @ca, @pin, @protocol: options, or NULL
 * @config_file: --config, or NULL
 * @manifest_file: --manifest, or NULL
 * @certificate: --certificate, or NULL
 * @no_activation: --no-activation
 * @timeout: --timeout in seconds, or 0
 * @config: the configuration, if it was read
 * @pin_bytes, @session, @manifest, @certs: filled by ccdm_broker_args_conf()
 */
struct ccdm_broker_args {
	const char *broker;
	const char *ca;
	const char *pin;
	const char *protocol;
	const char *config_file;
	const char *manifest_file;
	const char *certificate;
	bool no_activation;
	unsigned int timeout;
	struct ccdm_config config;
	uint8_t pin_bytes[CCDM_PIN_SIZE];
	struct ccdm_session_conf session;
	char *manifest;
	struct ccdm_certs *certs;
};

enum {
	OPT_BROKER = 512,
	OPT_CA,
	OPT_PIN,
	OPT_PROTOCOL,
	OPT_TIMEOUT,
	OPT_ATTEST_CONFIG,
	OPT_MANIFEST,
	OPT_CERTIFICATE,
	OPT_NO_ACTIVATION
};

/* clang-format off */
#define CCDM_BROKER_ARGS_OPTIONS \
	{ "broker", 0, OPT_BROKER, "URL", "https://HOST[:PORT] (default: [attest] of the configuration)", NULL, NULL }, \
	{ "ca", 0, OPT_CA, "FILE", "certificate of the broker's CA", "@file", NULL }, \
	{ "pin", 0, OPT_PIN, "HEX", "SHA-256 of the broker's public key, in place of --ca", NULL, NULL }, \
	{ "protocol", 0, OPT_PROTOCOL, "V", "version of the KBS protocol: 0.4.0 (default) or 0.2.0", "0.4.0 0.2.0", NULL }, \
	{ "timeout", 0, OPT_TIMEOUT, "SECONDS", "limit for the whole exchange (default 120)", NULL, NULL }, \
	{ "manifest", 0, OPT_MANIFEST, "FILE", "manifest of the image, signed by its builder", "@file", NULL }, \
	{ "certificate", 0, OPT_CERTIFICATE, "FILE", "the processor's VCEK or VLEK, if the host provides none", "@file", NULL }, \
	{ "no-activation", 0, OPT_NO_ACTIVATION, NULL, "do not ask the broker to verify the TPM's key", NULL, NULL }, \
	{ "config", 0, OPT_ATTEST_CONFIG, "FILE", "read FILE in place of /etc/ccdm/ccdm.conf", "@file", NULL }
/* clang-format on */

/* Read a manifest; the caller frees @text. Return: 0, -EINVAL, errors of ccdm_file_read() */
int __must_check ccdm_broker_args_manifest(const char *file, char **text, struct ccdm_err *err);

/* Read certificates; ccdm_certs_free() them, also after an error. Return: 0, -EINVAL, -ENOMEM */
int __must_check ccdm_broker_args_certs(const char *file, struct ccdm_certs **certs,
					struct ccdm_err *err);

/* Warn that the evidence leaves out the TPM: for @left_out of a session. */
void ccdm_broker_args_left_out(const struct ccdm_err *why);

void ccdm_broker_args_drop(struct ccdm_broker_args *a); /* frees the members, not @a */

/* Take an option. Return: true if it is one of these options */
bool __must_check ccdm_broker_args_take(struct ccdm_broker_args *a, int option, const char *value);

/* Fill the rest. @need_config: always read the configuration. Return: 0, -EINVAL, -ENODEV, ... */
int __must_check ccdm_broker_args_conf(struct ccdm_broker_args *a, bool need_config,
				       struct ccdm_err *err);

/**
 * ccdm_broker_args_fetch() - fetch the secrets of the configuration into /run/credstore
 *
 * Stores all secrets or none: a workload cannot use half of its secrets.
 *
 * Return: 0, or an error of ccdm_session_secret() or ccdm_credstore_put().
 */
int __must_check ccdm_broker_args_fetch(const struct ccdm_broker_args *a,
					struct ccdm_session *session, struct ccdm_err *err);

#endif
