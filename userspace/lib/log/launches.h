/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * launches.h - the operator's list of launch values: paravisors, or SVSMs
 *
 * A text with one value a line; "#" begins a comment:
 *
 *	id-key HEX		SNP: SHA-384 of the key that signed the ID block
 *	measurement HEX		SNP: launch measurement
 *	mrtd HEX		TDX: launch measurement
 *
 * Each value has 96 hexadecimal digits. A value of zeros is an error: a report without
 * an ID block has zeros in its id-key digest. MRSEAM cannot be listed: it names Intel's
 * module, which every TD has.
 */
#ifndef CCDM_LAUNCHES_H
#define CCDM_LAUNCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_LAUNCH_SIZE   48	     /* bytes of a value */
#define CCDM_LAUNCHES_FILE (1 << 20) /* bytes of a list */

enum ccdm_launch_kind {
	CCDM_LAUNCH_ID_KEY,
	CCDM_LAUNCH_MEASUREMENT,
	CCDM_LAUNCH_MRTD,
};

/**
 * struct ccdm_launch - one value of a list
 * @kind: what it is
 * @value: its bytes
 */
struct ccdm_launch {
	enum ccdm_launch_kind kind;
	uint8_t value[CCDM_LAUNCH_SIZE];
};

/**
 * struct ccdm_launches - a list; begins as zeros, which list nothing
 * @launch: @count values
 * @count: how many
 */
struct ccdm_launches {
	struct ccdm_launch *launch;
	unsigned int count;
};

/**
 * ccdm_launches_parse() - read a list
 * @what: its name, for messages
 * @text, @size: untrusted
 * @list: filled; free it with ccdm_launches_drop()
 *
 * Return: 0; -EINVAL with the line in @err; -ENOMEM. May sleep.
 */
int __must_check ccdm_launches_parse(const char *what, const char *text, size_t size,
				     struct ccdm_launches *list, struct ccdm_err *err);

/* Frees what a list holds; accepts zeros. */
void ccdm_launches_drop(struct ccdm_launches *list);

/* True if the list has this value as a value of this kind. @list may be NULL: it lists nothing. */
bool __must_check ccdm_launches_have(const struct ccdm_launches *list, enum ccdm_launch_kind kind,
				     const uint8_t value[CCDM_LAUNCH_SIZE]);

#endif
