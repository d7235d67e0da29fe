/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * enclave_id.h - the identity of a boot: all events of the registers that say what runs
 *
 * The ID is the SHA-256, in hexadecimal, of a text with an LF after each line:
 *
 *	ccdm-enclave-id 1
 *	tpm BANK | tdx sha384
 *	REGISTER DIGEST		for each event, register by register
 *
 * Registers: pcr2 (drivers and option ROMs, which run before the rest), pcr4, 8, 9, 11, 12, 13,
 * 14 and pcr15 up to ccdm-ready; rtmr1, rtmr2, and rtmr3 up to ccdm-ready. The firmware that
 * fills a TD's registers is not in the ID: a policy must also name its measurement (MRTD). Left out
 * are events that are the same on every machine
 * (known_events.h): firmware's in firmware's log, systemd's in systemd's log; and in rtmr1
 * the event of the partition table, which changes when a disk grows. Any other event gives
 * another ID. The order inside a register counts; between registers there is none.
 */
#ifndef CCDM_ENCLAVE_ID_H
#define CCDM_ENCLAVE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include "base/compiler.h"
#include "known_events.h"

#define CCDM_ENCLAVE_ID_SIZE 65 /* with its NUL */

/* Part of its register that an event belongs to; the replay takes the parts in this order. */
enum ccdm_part {
	CCDM_PART_FIRMWARE,
	CCDM_PART_CCDM,
	CCDM_PART_SYSTEMD,
	CCDM_PART_CAP, /* ccdm's from the cap on, between some of systemd's */
};

/**
 * struct ccdm_boot_event - an event of one of the logs
 * @part: its part of the register
 * @reg: number of the register
 * @digest: in the bank that is judged
 * @name: name that the digest proves, or ""
 * @gpt: the partition table, with the data that the digest covers
 */
struct ccdm_boot_event {
	enum ccdm_part part;
	unsigned int reg;
	uint8_t digest[CCDM_DIGEST_MAX];
	char name[64];
	bool gpt;
};

/**
 * struct ccdm_boot - all events of a boot, and which of them count
 * @rtmr: of TDX, else of a TPM
 * @bank: TPM_ALG_ID
 * @proved: bit i: the events of register i replay to a value that was quoted
 * @event: @count events, each log in its order
 * @count: how many
 * @known: digests of @bank
 */
struct ccdm_boot {
	bool rtmr;
	uint16_t bank;
	uint32_t proved;
	const struct ccdm_boot_event *event;
	size_t count;
	const struct ccdm_known_events *known;
};

/**
 * ccdm_enclave_id() - compute it
 * @boot: the events
 * @id: the ID; "" if it is unknown
 * @why: of @why_size bytes; why it is unknown
 *
 * Return: 0, also for an unknown ID; -ENOMEM, -EIO.
 */
int __must_check ccdm_enclave_id(const struct ccdm_boot *boot, char id[CCDM_ENCLAVE_ID_SIZE],
				 char *why, size_t why_size);

/*
 * The text whose SHA-256 it is, in place of it. @text: set; the caller frees it; NULL if the ID is
 * unknown. Return: 0, also for an unknown ID; -ENOMEM.
 */
int __must_check ccdm_enclave_id_text(const struct ccdm_boot *boot, char **text, char *why,
				      size_t why_size);

/* The ID of a text, which has no zero byte. Return: 0, -EIO */
int __must_check ccdm_enclave_id_of(const char *text, char id[CCDM_ENCLAVE_ID_SIZE]);

#endif
