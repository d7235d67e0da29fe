/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* measure.h - what ccdm measures, and into which registers (ccdm-setup(8), measure) */
#ifndef CCDM_MEASURE_H
#define CCDM_MEASURE_H

#include "base/compiler.h"
#include "config.h"
#include "log/eventlog.h"

#define CCDM_MEASURE_SIGNER_PCR \
	16 /* as others use it; any program can reset it, so no decision uses it */
#define CCDM_MEASURE_RTMR_FILE	 "/sys/devices/virtual/misc/tdx_guest/measurements/rtmr3:sha384"
#define CCDM_MEASURE_TDX_DEVICE	 "/dev/tdx_guest"
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

/**
 * struct ccdm_measure_files - where the files are that a configuration names
 * @read: as ccdm_file_read()
 * @arg: argument of the callback
 */
struct ccdm_measure_files {
	int (*read)(const char *file, size_t max, char **text, size_t *size, void *arg,
		    struct ccdm_err *err);
	void *arg;
};

/* Reads the named files: their hash is the value. */
int __must_check ccdm_measure_events_of(const struct ccdm_config *config,
					const struct ccdm_measure_files *files,
					struct ccdm_measure_list *list, struct ccdm_err *err);

/* The same with the files of this system. */
int __must_check ccdm_measure_events(const struct ccdm_config *config,
				     struct ccdm_measure_list *list, struct ccdm_err *err);

/**
 * struct ccdm_measure_to - targets of events
 * @tpm: NULL for none
 * @rtmr: file of the register of TDX, NULL for none
 * @tdx: this is a TDX guest, whether or not its register can be reached
 * @log: file of the log
 * @after: file of systemd's log, whose events follow ccdm's; NULL for none
 */
struct ccdm_measure_to {
	struct ccdm_tpm *tpm;
	const char *rtmr;
	bool tdx;
	const char *log;
	const char *after;
};

/**
 * struct ccdm_measure_tdx - files that show a TDX guest and its register
 * @cpuinfo: the flags of the processors; the kernel sets "tdx_guest" before any driver is there
 * @device: node of the driver, which the kernel makes after the register's file
 * @rtmr: file of the register
 * @load: loads and initialises the driver. Return: 0, -errno
 */
struct ccdm_measure_tdx {
	const char *cpuinfo;
	const char *device;
	const char *rtmr;
	int (*load)(void);
};

/**
 * ccdm_measure_find_rtmr() - find the register of a TDX guest, when its driver is loaded
 * @use: off, optional or required
 * @seconds: how long to wait for the driver
 * @to: @rtmr and @tdx are set
 *
 * The driver is a module, so the file can appear later.
 *
 * Return: 0, -ENXIO if a register is required and there is none.
 */
int __must_check ccdm_measure_find_rtmr(const struct ccdm_measure_tdx *tdx, enum ccdm_rtmr_use use,
					unsigned int seconds, struct ccdm_measure_to *to,
					struct ccdm_err *err);

/**
 * ccdm_measure_open() - find the registers
 * @config: required registers, and how long to wait for the driver of an announced register
 * @to: filled; free it with ccdm_measure_close()
 *
 * Return: 0; -ENODEV if a TPM is required and there is none, or what it answers; -ENXIO if the
 * register of a TDX guest is required and there is none.
 */
int __must_check ccdm_measure_open(const struct ccdm_config *config, struct ccdm_measure_to *to,
				   struct ccdm_err *err);
void ccdm_measure_close(struct ccdm_measure_to *to);

/* Extend and log one event. */
int __must_check ccdm_measure_event(const struct ccdm_measure_to *to, const char *text,
				    struct ccdm_err *err);

/* The registers that @text goes to, for a person: "PCR 15, RTMR 3", or "no register" */
void ccdm_measure_where(const struct ccdm_measure_to *to, const char *text, char *where,
			size_t size);

/**
 * struct ccdm_measure_values - what registers hold
 * @pcr: the PCR, in every active bank; none without a TPM
 * @rtmr: the register of a TDX guest; of size 0 without one
 */
struct ccdm_measure_values {
	struct ccdm_digests pcr;
	struct ccdm_digest rtmr;
};

/**
 * ccdm_measure_check() - check that the logs replay to the registers' values
 * @values: set to what they hold
 *
 * PCR 15 holds our log, and systemd's after it; RTMR 3 holds our log.
 *
 * Return: 0, -EBADMSG if not, -EINVAL for a malformed log.
 */
int __must_check ccdm_measure_check(const struct ccdm_measure_to *to,
				    struct ccdm_measure_values *values, struct ccdm_err *err);

#endif
