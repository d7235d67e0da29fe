/* SPDX-License-Identifier: Apache-2.0 */
/* measure.h - what ccdm measures, and into which registers (ccdm-setup(8), measure) */
#ifndef CCDM_MEASURE_H
#define CCDM_MEASURE_H

#include "config.h"
#include "eventlog.h"

#define CCDM_MEASURE_PCR 15
#define CCDM_MEASURE_SIGNER_PCR \
	16 /* as others have it; anybody can reset it: nothing rests on it */
#define CCDM_MEASURE_RTMR	 3
#define CCDM_MEASURE_RTMR_FILE	 "/sys/devices/virtual/misc/tdx_guest/measurements/rtmr3:sha384"
#define CCDM_MEASURE_SYSTEMD_LOG "/run/log/systemd/tpm2-measure.log"
#define CCDM_MEASURE_EVENTS	 5

/**
 * struct ccdm_measure_list - the events of a configuration, in order
 * @count: how many
 * @text: NAME:VALUE of each; the last is ccdm-ready
 */
struct ccdm_measure_list {
	unsigned int count;
	char text[CCDM_MEASURE_EVENTS][CCDM_EVENT_MAX + 1];
};

/* Reads the files that are named: their hash is the value. */
int ccdm_measure_events(const struct ccdm_config *config, struct ccdm_measure_list *list,
			struct ccdm_err *err);

/**
 * struct ccdm_measure_to - where events go
 * @tpm: NULL for none
 * @rtmr: file of the register of TDX, NULL for none
 * @log: file of the log
 * @after: file of systemd's log, which begins where ours ends; NULL for none
 */
struct ccdm_measure_to {
	struct ccdm_tpm *tpm;
	const char *rtmr;
	const char *log;
	const char *after;
};

/**
 * ccdm_measure_open() - the registers there are
 * @use: off, optional or required
 * @seconds: how long to wait for a TPM that the firmware announces
 * @to: filled; ccdm_measure_close() ends it
 *
 * Return: 0, -ENODEV if a TPM is required and there is none, or what it answers.
 */
int ccdm_measure_open(enum ccdm_tpm_use use, unsigned int seconds, struct ccdm_measure_to *to,
		      struct ccdm_err *err);
void ccdm_measure_close(struct ccdm_measure_to *to);

/* Extend and log one event. */
int ccdm_measure_event(const struct ccdm_measure_to *to, const char *text, struct ccdm_err *err);

/**
 * ccdm_measure_check() - does the log, and systemd's after it, replay to what the TPM holds?
 * @values: set to the values of the PCR
 *
 * Return: 0, -EBADMSG if not, -EINVAL for a malformed log.
 */
int ccdm_measure_check(const struct ccdm_measure_to *to, struct ccdm_digests *values,
		       struct ccdm_err *err);

#endif
