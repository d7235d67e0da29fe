/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * workload_json.h - workload.json: how a VM runs its workload
 *
 * ccdm-image writes the file into the workload's partition, beside the container's files and its
 * OCI runtime configuration. The partition is under dm-verity, and its root hash is measured.
 */
#ifndef CCDM_WORKLOAD_JSON_H
#define CCDM_WORKLOAD_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_WORKLOAD_JSON_FILE	   "workload.json"
#define CCDM_WORKLOAD_JSON_MAX	   (1 << 20) /* bytes of its text */
#define CCDM_WORKLOAD_JSON_PORTS   256
#define CCDM_WORKLOAD_JSON_VOLUMES 64
#define CCDM_WORKLOAD_JSON_SECRETS 64
#define CCDM_WORKLOAD_JSON_DNS	   3 /* as many as a resolver asks */
#define CCDM_WORKLOAD_JSON_PATH	   1024

enum ccdm_workload_on_exit { CCDM_WORKLOAD_POWEROFF, CCDM_WORKLOAD_REBOOT };
enum ccdm_workload_restart { CCDM_WORKLOAD_NEVER, CCDM_WORKLOAD_FAILURE, CCDM_WORKLOAD_ALWAYS };
enum ccdm_workload_logs { CCDM_WORKLOAD_JOURNAL, CCDM_WORKLOAD_SILENT, CCDM_WORKLOAD_CONSOLE };
enum ccdm_workload_net { CCDM_WORKLOAD_DHCP, CCDM_WORKLOAD_OFFLINE, CCDM_WORKLOAD_STATIC };
enum ccdm_workload_action {
	CCDM_WORKLOAD_ACTION_NONE,
	CCDM_WORKLOAD_ACTION_RESTART,
	CCDM_WORKLOAD_ACTION_POWEROFF
};

/**
 * struct ccdm_workload_secret - a secret of the broker, and its place in the container
 * @name: of the credential, and of the file in the bundle
 * @env: variable of the environment; empty: a file that config.json binds
 * @mode: of that file
 */
struct ccdm_workload_secret {
	char name[65];
	char env[129];
	unsigned int mode;
};

/**
 * struct ccdm_workload_health - how to ask the workload whether it works
 * @test: array of texts: CMD and a command, or CMD-SHELL and a line; NULL: it is not asked
 * @interval: milliseconds between the end of a test and the next
 * @timeout: milliseconds that a test may take
 * @start_period: milliseconds after the start in which failures do not count
 * @retries: failures in a row that make it unhealthy
 * @action: what happens then
 */
struct ccdm_workload_health {
	json_t *test;
	uint64_t interval;
	uint64_t timeout;
	uint64_t start_period;
	unsigned int retries;
	enum ccdm_workload_action action;
};

/**
 * struct ccdm_workload_json - content of the file, validated
 * @product: name of the product
 * @uid, @gid: of the workload's process
 * @on_exit: what the VM does when the workload has ended
 * @restart: when to start the workload again instead
 * @delay: seconds before that
 * @most: how many times at most; 0: no limit
 * @stop_signal: "SIGTERM"
 * @stop_timeout: seconds from that signal to SIGKILL
 * @logs: where its output goes
 * @net: network of the running system
 * @address, @gateway, @dns, @nr_dns: of a static network
 * @has_ports: connections to other ports are dropped
 * @nr_ports, @port: TCP and UDP ports that are reachable
 * @nr_volumes, @volume: folders of the container that have a volume of their own
 * @nr_secrets, @secret: secrets
 * @health: health check
 */
struct ccdm_workload_json {
	char product[65];
	uint32_t uid, gid;
	enum ccdm_workload_on_exit on_exit;
	enum ccdm_workload_restart restart;
	unsigned int delay;
	unsigned int most;
	char stop_signal[17];
	unsigned int stop_timeout;
	enum ccdm_workload_logs logs;
	enum ccdm_workload_net net;
	char address[64];
	char gateway[64];
	unsigned int nr_dns;
	char dns[CCDM_WORKLOAD_JSON_DNS][64];
	bool has_ports;
	unsigned int nr_ports;
	uint16_t port[CCDM_WORKLOAD_JSON_PORTS];
	unsigned int nr_volumes;
	char volume[CCDM_WORKLOAD_JSON_VOLUMES][CCDM_WORKLOAD_JSON_PATH];
	unsigned int nr_secrets;
	struct ccdm_workload_secret secret[CCDM_WORKLOAD_JSON_SECRETS];
	struct ccdm_workload_health health;
};

/**
 * ccdm_workload_json_parse() - read workload.json
 * @text: untrusted
 * @size: its bytes
 * @w: filled; ccdm_workload_json_drop() frees what it holds, after an error, too
 *
 * Return: 0; -EINVAL with the field, what was expected and what was found; -ENOMEM.
 */
int __must_check ccdm_workload_json_parse(const char *text, size_t size,
					  struct ccdm_workload_json *w, struct ccdm_err *err);

/* The same from the folder of the partition; also -ENOENT, -EFBIG, -EIO ... */
int __must_check ccdm_workload_json_load(const char *folder, struct ccdm_workload_json *w,
					 struct ccdm_err *err);

void ccdm_workload_json_drop(struct ccdm_workload_json *w); /* accepts zeros */

#endif
