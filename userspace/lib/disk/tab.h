/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* tab.h - /etc/ccdmtab: scratch volumes and swap that the boot opens (ccdmtab(5)) */
#ifndef CCDM_TAB_H
#define CCDM_TAB_H

#include <stddef.h>
#include "base/compiler.h"
#include "open.h"

#define CCDM_TAB_FILE	"/etc/ccdmtab"
#define CCDM_TAB_MAX	65536
#define CCDM_TAB_PREFIX "ccdm-"

/**
 * struct ccdm_tab_entry - a line
 * @open: what to open; @open.device is a path, "PARTUUID=...", or NULL for our GPT type
 * @mkfs: "ext4" or "xfs", or NULL
 * @swap: make and use it as swap
 * @nofail: the boot continues without it
 * @noauto: only on request
 * @initrd: in the initrd already
 * @wipe: the content of the device may be destroyed ("yes")
 */
struct ccdm_tab_entry {
	struct ccdm_open open;
	const char *mkfs;
	bool swap;
	bool nofail;
	bool noauto;
	bool initrd;
	bool wipe;
};

/**
 * ccdm_tab_parse() - walk through a text
 * @file: its name, for messages
 * @text: untrusted
 * @size: its bytes
 * @each: called for each line, after all lines were found valid; a nonzero result ends the walk and
 *	is returned
 * @arg: argument of the callback
 *
 * Strings of an entry live as long as the call.
 *
 * Return: 0, -EINVAL with "FILE:LINE:COLUMN: ..." in @err, -ENOMEM.
 */
int __must_check ccdm_tab_parse(const char *file, const char *text, size_t size,
				int (*each)(const struct ccdm_tab_entry *entry, void *arg,
					    struct ccdm_err *err),
				void *arg, struct ccdm_err *err);

#endif
