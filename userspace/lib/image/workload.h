/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * workload.h - workload.yaml: how the VM runs a container image
 *
 * ccdm-workload.yaml(5) explains each key. The parser is strict: an unknown key, a key that
 * appears twice, a wrong type, an alias or a tag is an error with "FILE:LINE:COLUMN: ".
 */
#ifndef CCDM_WORKLOAD_H
#define CCDM_WORKLOAD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "rootfs.h"
#include "signal_name.h"

/* The letters of a product that the guest accepts. */
#define CCDM_WORKLOAD_PRODUCT "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+:"

#define CCDM_WORKLOAD_MAX      65536 /* bytes of the file */
#define CCDM_WORKLOAD_PATH_MAX 1024  /* bytes of a path in it, with the zero */
#define CCDM_WORKLOAD_SECRETS  64
#define CCDM_WORKLOAD_MOUNTS   64 /* volumes; tmpfs; files */
#define CCDM_WORKLOAD_PORTS    256
#define CCDM_WORKLOAD_DNS      3

/**
 * struct ccdm_workload_want - a secret of the broker, and its place in the container
 * @name: of the credential
 * @from: REPO/TYPE/TAG at the broker
 * @env: variable of the environment; or empty
 * @path: of a file; or empty: neither @env nor @path is CCDM_SANDBOX_SECRETS/NAME
 * @mode: permissions of that file
 */
struct ccdm_workload_want {
	char name[65];
	char from[256];
	char env[129];
	char path[CCDM_WORKLOAD_PATH_MAX];
	uint64_t mode;
};

/**
 * struct ccdm_workload_check - the health check
 * @off: the image's is not used
 * @test: command, an array of texts; NULL: the image's
 * @interval, @timeout, @start_period: seconds; UINT64_MAX: the image's
 * @retries: UINT64_MAX: the image's
 * @action: "none", "restart" or "poweroff"
 */
struct ccdm_workload_check {
	bool off;
	json_t *test;
	uint64_t interval;
	uint64_t timeout;
	uint64_t start_period;
	uint64_t retries;
	const char *action;
};

/**
 * struct ccdm_workload - validated
 * @product: letters of CCDM_WORKLOAD_PRODUCT, at most CCDM_MANIFEST_PRODUCT; empty: not given
 * @svn: security version
 * @nr_secrets, @secret: secrets to fetch
 * @entrypoint, @command: arrays of texts; NULL: the image's
 * @environment: object of texts, which are added to the image's or replace them
 * @workdir, @user: empty: the image's
 * @volumes: array of paths; NULL: the image's
 * @tmpfs: array of {"path", "size" in bytes or 0}
 * @read_only: the container cannot write to its root
 * @stop_signal: empty: the image's
 * @stop_timeout: seconds
 * @cap_add, @cap_drop: sets of capabilities.h
 * @no_new_privileges: setuid programs give no rights
 * @memory: bytes, or 0: no limit
 * @pids: processes, or 0: no limit
 * @shm_size: bytes of /dev/shm
 * @files: array of {"path", "source", "mode"}; "source" is as written
 * @on_exit: "poweroff" or "reboot"
 * @restart: "never", "failure" or "always"
 * @restart_delay: seconds
 * @restart_most: 0: no limit
 * @health: health check
 * @logs: "journal", "none" or "console"
 * @network: "dhcp" or "none"; NULL: static
 * @address, @gateway: of a static network: "192.0.2.7/24", "192.0.2.1" or empty
 * @dns: array of addresses
 * @ports: array of numbers; NULL: not given
 */
struct ccdm_workload {
	char product[65];
	uint64_t svn;
	unsigned int nr_secrets;
	struct ccdm_workload_want secret[CCDM_WORKLOAD_SECRETS];
	json_t *entrypoint;
	json_t *command;
	json_t *environment;
	char workdir[CCDM_WORKLOAD_PATH_MAX];
	char user[256];
	json_t *volumes;
	json_t *tmpfs;
	bool read_only;
	char stop_signal[CCDM_SIGNAL_NAME];
	uint64_t stop_timeout;
	uint64_t cap_add;
	uint64_t cap_drop;
	bool no_new_privileges;
	uint64_t memory;
	uint64_t pids;
	uint64_t shm_size;
	json_t *files;
	const char *on_exit;
	const char *restart;
	uint64_t restart_delay;
	uint64_t restart_most;
	struct ccdm_workload_check health;
	const char *logs;
	const char *network;
	char address[64];
	char gateway[64];
	json_t *dns;
	json_t *ports;
};

/**
 * ccdm_workload_default() - the settings without a workload.yaml
 * @w: filled; ccdm_workload_drop() frees what it holds, after an error, too
 *
 * Return: 0, -ENOMEM.
 */
int __must_check ccdm_workload_default(struct ccdm_workload *w, struct ccdm_err *err);

/**
 * ccdm_workload_parse() - read a workload.yaml
 * @file: its name, for messages
 * @text: untrusted
 * @size: its bytes
 * @w: filled; ccdm_workload_drop() frees what it holds, after an error, too
 *
 * Return: 0, -EINVAL with "FILE:LINE:COLUMN: ..." in @err, -ENOMEM.
 */
int __must_check ccdm_workload_parse(const char *file, const char *text, size_t size,
				     struct ccdm_workload *w, struct ccdm_err *err);

/* The same from a file; also -ENOENT, -EACCES ... */
int __must_check ccdm_workload_load(const char *file, struct ccdm_workload *w,
				    struct ccdm_err *err);

void ccdm_workload_drop(struct ccdm_workload *w); /* accepts zeros */

/**
 * ccdm_workload_files() - put the files of "files" into the container's tree (workload_files.c)
 * @folder: the folder of workload.yaml, for relative paths of sources
 * @fs: the container's files
 *
 * They are owned by root. Call it before ccdm_runtime_make(): a file may be /etc/passwd.
 *
 * Return: 0, -EINVAL for a path that ccdm itself fills, -EFBIG, -ENOMEM, errors of open(2), read(2)
 * and ccdm_rootfs_put().
 */
int __must_check ccdm_workload_files(const struct ccdm_workload *w, const char *folder,
				     struct ccdm_rootfs *fs, struct ccdm_err *err);

#endif
