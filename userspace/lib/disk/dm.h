/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * dm.h - mappings: dm.c through libdevmapper, libccdm/dm.c with the ioctls of the kernel alone,
 * dm_mapping.c above either of them
 *
 * Functions return 0 or -errno and fill a struct ccdm_err; they print nothing.
 */
#ifndef CCDM_DM_H
#define CCDM_DM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_DM_TEXT 4096 /* bytes of a table or status line */
#define CCDM_DM_NAME 128
#define CCDM_DM_UUID 129

#define CCDM_ROOT_NAME "ccdm-root" /* the mapping that is the root file system */

/**
 * struct ccdm_dm_info - a mapping as device-mapper knows it
 * @name: name
 * @uuid: UUID
 * @dev: its major:minor
 * @backing: the backing device's major:minor
 * @open_count: users
 * @event_nr: events so far
 * @suspended: suspended
 * @length: sectors
 * @table: table line after "ccdm"
 * @status: status line after "ccdm"
 */
struct ccdm_dm_info {
	char name[CCDM_DM_NAME];
	char uuid[CCDM_DM_UUID];
	char dev[24];
	char backing[24];
	int open_count;
	uint32_t event_nr;
	bool suspended;
	uint64_t length;
	char table[CCDM_DM_TEXT];
	char status[CCDM_DM_TEXT];
};

/* Library set-up; with --debug libdevmapper's own log goes to standard error. */
void ccdm_dm_init(void);

/**
 * ccdm_dm_need() - check early that device-mapper can be used
 *
 * Return: 0; -ENODEV if there is no device-mapper or no control device; -EPERM, -EACCES; -ENOMEM.
 */
int __must_check ccdm_dm_need(struct ccdm_err *err);

/* Version of the target ccdm in the kernel. -ENOENT: no such target (module not loaded). */
int __must_check ccdm_dm_target_version(uint32_t version[3], struct ccdm_err *err);

/**
 * struct ccdm_dm_target - a table of one line
 * @target: its type, "ccdm"
 * @length: sectors
 * @params: what follows the type
 * @read_only: the whole mapping
 */
struct ccdm_dm_target {
	const char *target;
	uint64_t length;
	const char *params;
	bool read_only;
};

/**
 * ccdm_dm_create() - make a mapping and wait for udev
 * @name: its name
 * @uuid: its UUID
 * @table: its table
 *
 * On error nothing is left behind; the kernel's reason is in @err.
 */
int __must_check ccdm_dm_create(const char *name, const char *uuid,
				const struct ccdm_dm_target *table, struct ccdm_err *err);
/* Replace the table of a mapping; after an error the old table remains. */
int __must_check ccdm_dm_reload(const char *name, const struct ccdm_dm_target *table,
				struct ccdm_err *err);
int __must_check ccdm_dm_remove(const char *name, bool deferred, struct ccdm_err *err);
/* What follows a creation has failed: remove the mapping. If it stays, a hint in @err says so. */
void ccdm_dm_undo(const char *name, struct ccdm_err *err);

/* -ENXIO: no such mapping, or not one of ours. */
int __must_check ccdm_dm_info(const char *name, struct ccdm_dm_info *info, struct ccdm_err *err);

/* The status line of a mapping of type @target, after the type; @line: CCDM_DM_TEXT bytes. */
int __must_check ccdm_dm_status(const char *name, const char *target, char *line,
				struct ccdm_err *err);

int __must_check ccdm_dm_message(const char *name, const char *message, struct ccdm_err *err);

/* Calls @each for every mapping with target ccdm; stops at a nonzero result and returns it. */
int __must_check ccdm_dm_list(int (*each)(const char *name, void *arg, struct ccdm_err *err),
			      void *arg, struct ccdm_err *err);

/**
 * ccdm_dm_word() - a word of a status line
 * @status: "key:value key:value ..."
 * @key: without the colon
 * @value: set, at most @size bytes with its end
 *
 * Return: true if it is there.
 */
bool __must_check ccdm_dm_word(const char *status, const char *key, char *value, size_t size);
uint64_t ccdm_dm_number(const char *status, const char *key);

/* ccdm_dm_values() - numbers in @text, "n" or "n/n": how many, 0 if it is something else */
unsigned int ccdm_dm_values(const char *text, uint64_t values[2]);

#endif
