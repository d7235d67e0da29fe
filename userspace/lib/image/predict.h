/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * predict.h - what a boot of a disk will measure, computed from the disk alone
 *
 * The events of PCR 4, 5, 9, 11 and 15 in the order in which firmware, stub, kernel and ccdm-setup
 * make them; PCR 2, 8, 12, 13 and 14 have none but a separator. If an event cannot be predicted,
 * the prediction has the reason, and the enclave ID is unknown.
 * Documentation/explanation/image-measurement.rst says where each event comes from.
 */
#ifndef CCDM_PREDICT_H
#define CCDM_PREDICT_H

#include "bootable.h"
#include "log/enclave_id.h"

#define CCDM_PREDICT_EVENTS  64
#define CCDM_PREDICT_UNKNOWN 8
#define CCDM_PREDICT_BANKS   2 /* SHA-256, SHA-384 */

/* What an event measures. */
enum ccdm_predict_kind {
	CCDM_PREDICT_CONSTANT, /* the same on every machine */
	CCDM_PREDICT_GPT,
	CCDM_PREDICT_UKI,
	CCDM_PREDICT_KERNEL,
	CCDM_PREDICT_OPTIONS,
	CCDM_PREDICT_INITRD,
	CCDM_PREDICT_SECTION_NAME,
	CCDM_PREDICT_SECTION,
	CCDM_PREDICT_CCDM,
};

/**
 * struct ccdm_predicted - an event that a boot will measure
 * @kind: what it measures
 * @pcr: the register
 * @digest: in SHA-256 and SHA-384
 * @what: for a person: "section .cmdline, its content"
 * @of: the section, or the name of ccdm's event; else ""
 */
struct ccdm_predicted {
	enum ccdm_predict_kind kind;
	unsigned int pcr;
	struct ccdm_digest digest[CCDM_PREDICT_BANKS];
	char what[96];
	char of[32];
};

/**
 * struct ccdm_predict_unknown - a register that cannot be predicted
 * @pcr: the register
 * @why: the reason
 */
struct ccdm_predict_unknown {
	unsigned int pcr;
	char why[600];
};

/**
 * struct ccdm_prediction - all of it
 * @event: @events of them
 * @unknown: @unknowns of them
 * @measured: what ccdm-setup measures, if ccdm.conf is there
 */
struct ccdm_prediction {
	unsigned int events;
	struct ccdm_predicted event[CCDM_PREDICT_EVENTS];
	unsigned int unknowns;
	struct ccdm_predict_unknown unknown[CCDM_PREDICT_UNKNOWN];
	struct ccdm_measure_list measured;
};

/**
 * ccdm_predict() - predict the events of a boot
 * @secure_boot: Secure Boot is on: the stub verifies the kernel instead of the firmware, and the
 *	firmware does not measure it
 * @p: filled
 *
 * Return: 0, -EINVAL with what is wrong in @err, -ENOMEM, -EIO.
 */
int __must_check ccdm_predict(const struct ccdm_bootable *b, bool secure_boot,
			      struct ccdm_prediction *p, struct ccdm_err *err);

/* SHA-256 and SHA-384: the banks of a prediction. */
uint16_t ccdm_predict_bank(unsigned int number);

/* Why a register is unknown; NULL if it is known. */
const char *ccdm_predict_why(const struct ccdm_prediction *p, unsigned int pcr);

/**
 * ccdm_predict_value() - what a register holds after the events that were predicted
 * @bank: number of the bank
 *
 * Later in the boot, systemd extends PCR 11, and ccdm and systemd extend PCR 15.
 *
 * Return: 0, -EIO.
 */
int __must_check ccdm_predict_value(const struct ccdm_prediction *p, unsigned int pcr,
				    unsigned int bank, struct ccdm_digest *value);

/**
 * ccdm_predict_id() - the enclave ID of the boot
 * @rtmr: of a TD without a TPM, whose registers are of SHA-384; else of a TPM's @bank
 * @id: "" if it is unknown
 * @why: of @why_size bytes; why it is unknown
 *
 * Return: 0, also for an unknown ID; -ENOMEM, -EIO.
 */
int __must_check ccdm_predict_id(const struct ccdm_bootable *b, const struct ccdm_prediction *p,
				 bool rtmr, unsigned int bank, char id[CCDM_ENCLAVE_ID_SIZE],
				 char *why, size_t why_size);

/* The text of the ID (enclave_id.h), which the caller frees; NULL if it is unknown. */
int __must_check ccdm_predict_id_text(const struct ccdm_bootable *b,
				      const struct ccdm_prediction *p, bool rtmr, unsigned int bank,
				      char **text, char *why, size_t why_size);

/**
 * ccdm_predict_rtmr_value() - what a register of a TD holds after the events that were predicted
 * @reg: 1, 2 or 3
 * @separator: for register 1: the firmware measures a separator after its first event, as Google's
 *	does; else none, as OVMF. The disk does not tell which
 *
 * Later in the boot, ccdm extends register 3.
 *
 * Return: 0, -EIO.
 */
int __must_check ccdm_predict_rtmr_value(const struct ccdm_prediction *p, unsigned int reg,
					 bool separator, struct ccdm_digest *value);

/*
 * Why a register of a TD is unknown, apart from the reasons in the prediction; NULL if it is known.
 */
const char *ccdm_predict_rtmr_why(const struct ccdm_bootable *b, unsigned int reg);

/* The register of a TD that gets the events of a TPM's @pcr. (UEFI 2.10, section 38.4.1) */
unsigned int ccdm_predict_rtmr(unsigned int pcr);

#endif
