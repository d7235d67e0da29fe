/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * note.h - audit log entries for the work of ccdm-broker itself
 *
 * Backup, restore, new certificates and keys need no daemon. The tool reports them to a daemon that
 * runs ({"do": "note", ...}), or else writes the line itself; in both cases this file makes the
 * line. Its event is "tool": a daemon has it from a member of its socket's group.
 */
#ifndef CCDM_BROKER_NOTE_H
#define CCDM_BROKER_NOTE_H

#include <jansson.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_NOTE_TEXT 1024 /* bytes of a name, or of a reason */

/**
 * ccdm_note_read() - make a log entry from a report of the tool
 * @said: untrusted: {"what": "backup" | "renew" | "rotate-key" | "restore",
 *	"result": "begun" | "done" | "failed", "name": file, "why"?, "hash"?: SHA-256 of the file,
 *	"lines"?: of the log in it}; other members are left out
 * @who: user who reports it
 * @entry: set; the caller drops it
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int __must_check ccdm_note_read(const json_t *said, const char *who, json_t **entry,
				struct ccdm_err *err);

#endif
