/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* conf.h - /etc/ccdm-broker/brokerd.conf and brokerd.conf.d (ccdm-brokerd(8)) */
#ifndef CCDM_BROKER_CONF_H
#define CCDM_BROKER_CONF_H

#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "limit.h"
#include "proxy.h"

#define CCDM_CONF_DIR  "/etc/ccdm-broker"
#define CCDM_CONF_FILE CCDM_CONF_DIR "/brokerd.conf"
#define CCDM_CONF_PATH 256

/**
 * struct ccdm_conf - content of the file, validated
 * @listen: numeric address; "::" is every address
 * @port: of TCP
 * @certificate: chain of the server, PEM
 * @key: its private key, PEM
 * @state: directory of the database and the audit log
 * @key_file: see keys.h
 * @token_key: PEM, P-256
 * @trust: directory, see trust.h
 * @admin: socket of the admin tool
 * @nonce_lifetime, @session_lifetime: seconds
 * @max_body: bytes of a request's body
 * @max_connections: at the same time
 * @timeout: seconds for a connection, from its first byte to its last
 * @proxies, @proxy_list: addresses of load balancers, as text and read
 * @rate, @burst: new connections of one address in a second, and at once
 * @handshake: seconds until TLS is up
 * @queue: requests that wait for their answer; 0: 64 for each processor
 * @refusals: of one address in a minute that get a line in the log
 * @refusals_size: MiB of these lines in a day
 * @protocol: versions, "0.4.0 0.2.0"
 */
struct ccdm_conf {
	char listen[64];
	uint64_t port;
	char certificate[CCDM_CONF_PATH];
	char key[CCDM_CONF_PATH];
	char state[CCDM_CONF_PATH];
	char key_file[CCDM_CONF_PATH];
	char token_key[CCDM_CONF_PATH];
	char trust[CCDM_CONF_PATH];
	char admin[CCDM_CONF_PATH];
	uint64_t nonce_lifetime;
	uint64_t session_lifetime;
	uint64_t max_body;
	uint64_t max_connections;
	uint64_t timeout;
	char proxies[1024];
	struct ccdm_proxies proxy_list;
	uint64_t rate;
	uint64_t burst;
	uint64_t handshake;
	uint64_t queue;
	uint64_t refusals;
	uint64_t refusals_size;
	char protocol[64];
};

/**
 * ccdm_conf_load() - read a file, and the files FILE.d/NAME.conf after it, in the order of their names
 *
 * A later file replaces single keys. Return: 0; -EINVAL with "FILE:LINE:COLUMN: ..." in @err; errors of
 * open(2).
 */
int __must_check ccdm_conf_load(const char *file, struct ccdm_conf *conf, struct ccdm_err *err);

/* What one address may take. */
struct ccdm_limits ccdm_conf_limits(const struct ccdm_conf *conf);

/* Bit set of enum ccdm_kbs_version from @protocol; 0 if a version is unknown. */
unsigned int ccdm_conf_versions(const struct ccdm_conf *conf);

#endif
