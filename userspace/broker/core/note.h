/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * note.h - what ccdm-broker does itself, for the audit log
 *
 * Backup, restore, new certificates and keys need no daemon. The tool says so to the daemon that
 * runs ({"do": "note", ...}), or writes the line itself where none does; in both cases the line is
 * made here. Its event is "tool": a daemon has it from who is in the group of its socket.
 */
#ifndef CCDM_BROKER_NOTE_H
#define CCDM_BROKER_NOTE_H

#include <jansson.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_NOTE_TEXT 1024 /* bytes of a name, or of a reason */

/**
 * ccdm_note_read() - an entry of the log from what a tool says
 * @said: untrusted: {"what": "backup" | "renew" | "rotate-key" | "restore",
 *	"result": "begun" | "done" | "failed", "name": file, "why"?, "hash"?: SHA-256 of the file,
 *	"lines"?: of the log in it}; other members are left out
 * @who: says it
 * @entry: set; the caller drops it
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int __must_check ccdm_note_read(const json_t *said, const char *who, json_t **entry,
				struct ccdm_err *err);

#endif
