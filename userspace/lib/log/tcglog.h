/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * tcglog.h - event logs of firmware, and the values of registers to which they replay
 *
 * Both binary forms: all events with a SHA-1 digest, and crypto-agile, which begins
 * with a "Spec ID Event03". The log of a confidential guest (CCEL) has the second form
 * with SHA-384, and counts its registers from the measurement of the guest: 0 is MRTD,
 * 1 to 4 are RTMR 0 to 3. (TCG PC Client Platform Firmware Profile 1.06, section 10;
 * UEFI 2.10, EFI_CC_MEASUREMENT_PROTOCOL.)
 */
#ifndef CCDM_TCGLOG_H
#define CCDM_TCGLOG_H

#include <stdbool.h>
#include "base/compiler.h"
#include "base/err.h"
#include "crypto/digest.h"

#define CCDM_TCGLOG_MAX (4 << 20) /* bytes of a log */
#define CCDM_REGISTERS	24

#define CCDM_EV_NO_ACTION 3

/**
 * struct ccdm_tcg_event - an event
 * @index: number of the register
 * @type: EV_...
 * @digests: of the banks that we know; what the register was extended with
 * @data, @size: of the event; not covered by a digest in general
 * @at: where it begins in the log
 */
struct ccdm_tcg_event {
	uint32_t index;
	uint32_t type;
	struct ccdm_digests digests;
	const uint8_t *data;
	uint32_t size;
	size_t at;
};

/**
 * ccdm_tcglog_parse() - walk through a log
 * @log, @size: untrusted; padding of zeros or ones at the end is ignored
 * @each: called for every event but the one that describes the log; a nonzero result
 *	  ends the walk and is returned
 * @arg: argument of the callback
 *
 * Return: 0; -EINVAL with the event's number and place in @err; what @each returned.
 */
int __must_check ccdm_tcglog_parse(const void *log, size_t size,
				   int (*each)(const struct ccdm_tcg_event *event, void *arg),
				   void *arg, struct ccdm_err *err);

/* TPM2_Startup in another locality: PCR 0 begins with its number. Return: it, or -1 */
int __must_check ccdm_tcg_locality(const struct ccdm_tcg_event *event);

/**
 * struct ccdm_bank - the registers of a bank
 * @alg: TPM_ALG_ID
 * @value: of each
 * @used: it was extended, or begins at something else than zeros
 */
struct ccdm_bank {
	uint16_t alg;
	struct ccdm_digest value[CCDM_REGISTERS];
	bool used[CCDM_REGISTERS];
};

/**
 * struct ccdm_banks - all banks
 * @count: how many
 * @bank: in the order in which they appear; all there are in a log are in its every event
 */
struct ccdm_banks {
	unsigned int count;
	struct ccdm_bank bank[CCDM_BANKS_MAX];
};

/**
 * ccdm_tcglog_replay() - compute the registers after all events
 * @log, @size: untrusted
 * @banks: filled
 *
 * Return: as ccdm_tcglog_parse(); -EINVAL, too, for an event that lacks a bank of the
 * first one, or one whose register there is not.
 */
int __must_check ccdm_tcglog_replay(const void *log, size_t size, struct ccdm_banks *banks,
				    struct ccdm_err *err);

/* The registers of a bank, or NULL. */
const struct ccdm_bank *ccdm_banks_find(const struct ccdm_banks *banks, uint16_t alg);

#endif
