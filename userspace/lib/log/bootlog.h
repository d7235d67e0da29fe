/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * bootlog.h - events since power on, as far as registers prove them
 *
 * Three logs lead to the registers: firmware's (or a confidential guest's, CCEL),
 * systemd's and ccdm's. A log alone is only a claim; an event counts if all
 * events of its register replay to a quoted or reported value. This proves the event's
 * digest, and its name only if the digest covers the name, as in ccdm's log.
 */
#ifndef CCDM_BOOTLOG_H
#define CCDM_BOOTLOG_H

#include <jansson.h>
#include "base/compiler.h"
#include "base/err.h"
#include "eventlog.h"
#include "tcglog.h"

/**
 * struct ccdm_bootlog - the logs; NULL for a missing one. All untrusted
 * @firmware, @firmware_size: binary
 * @ccdm, @ccdm_size: CEL-JSON, as ccdm writes it
 * @systemd, @systemd_size: CEL-JSON, as systemd writes it
 */
struct ccdm_bootlog {
	const void *firmware;
	size_t firmware_size;
	const char *ccdm;
	size_t ccdm_size;
	const char *systemd;
	size_t systemd_size;
};

/**
 * struct ccdm_registers - proved values of registers
 * @rtmr: of TDX, else PCRs
 * @bank: TPM_ALG_ID; SHA-384 for TDX
 * @covered: bit i: value[i] is what register i held
 * @value: their values
 */
struct ccdm_registers {
	bool rtmr;
	uint16_t bank;
	uint32_t covered;
	uint8_t value[CCDM_REGISTERS][CCDM_DIGEST_MAX];
};

/**
 * ccdm_bootlog_facts() - derive facts from logs and registers
 * @log: the logs
 * @regs: the registers
 * @facts: gets "events" [{"register": "pcrN" | "rtmrN", "name"?, "digest"}]; "phase":
 *	   "initrd", "running" or "unknown"; and "enclave-id" [HEX], unless it is unknown
 * @notes: gets a text for each register whose events do not count, and for an unknown ID
 * @id_text: set to the text of the ID (enclave_id.h), which the caller frees, or to NULL; may be NULL
 *
 * An event has a name only where its digest proves it: a record of ccdm's, or an event of
 * known_events.h under any label. The phase is "initrd" only if ccdm's register has
 * ccdm-ready, no cap, and no unknown event.
 *
 * No log records the order of systemd's events and ccdm's in one register; the replay
 * finds it: ccdm's come first, except "ccdm-cap" and those after it, which follow
 * some number of systemd's.
 *
 * Return: 0; -EINVAL for a log that cannot be read; -ENOMEM.
 */
int __must_check ccdm_bootlog_facts(const struct ccdm_bootlog *log,
				    const struct ccdm_registers *regs, json_t *facts, json_t *notes,
				    char **id_text, struct ccdm_err *err);

#endif
