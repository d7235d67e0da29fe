/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* boot.h - the steps of a boot: each in boot_<step>.c, called by its unit */
#ifndef CCDM_BOOT_H
#define CCDM_BOOT_H

#include "base/compiler.h"
#include "boot/config.h"

struct ccdm_measure_list;

/**
 * enum ccdm_boot_code - why a boot failed: "CCDM-E-AREA-NN" in dracut.ccdm(7)
 *
 * The codes are stable: a number is never used for something else.
 */
enum ccdm_boot_code {
	CCDM_E_BOOT_STEP,     /* BOOT-01 a step crashed or took too long */
	CCDM_E_BOOT_SHELL,    /* BOOT-02 something asked for an emergency shell */
	CCDM_E_CONF,	      /* CONF-01 configuration missing or malformed */
	CCDM_E_FENCE_CMDLINE, /* FENCE-01 unexpected command line */
	CCDM_E_FENCE_FILES,   /* FENCE-02 credentials or extensions from outside */
	CCDM_E_FENCE_PCR,     /* FENCE-03 the boot loaded something beside the UKI */
	CCDM_E_TPM_NONE,      /* TPM-01 */
	CCDM_E_TPM_ERROR,     /* TPM-02 */
	CCDM_E_TPM_VALUE,     /* TPM-03 a register does not have the measured value */
	CCDM_E_RTMR_NONE,     /* RTMR-01 no register of a TDX guest */
	CCDM_E_BASE_NONE,     /* BASE-01 */
	CCDM_E_BASE_TWICE,    /* BASE-02 */
	CCDM_E_BASE_HASH,     /* BASE-03 root hash */
	CCDM_E_BASE_SMALL,    /* BASE-04 */
	CCDM_E_BASE_FS,	      /* BASE-05 blocks below 4096, journal not clean */
	CCDM_E_BASE_ERROR,    /* BASE-06 */
	CCDM_E_ROOT_NONE,     /* ROOT-01 */
	CCDM_E_ROOT_TWICE,    /* ROOT-02 */
	CCDM_E_ROOT_READONLY, /* ROOT-03 */
	CCDM_E_ROOT_SMALL,    /* ROOT-04 */
	CCDM_E_ROOT_FOREIGN,  /* ROOT-05 */
	CCDM_E_ROOT_MODULE,   /* ROOT-06 */
	CCDM_E_ROOT_ERROR,    /* ROOT-07 */
	CCDM_E_HOST_MOUNT,    /* HOST-01 the system would mount a device of the host */
	CCDM_E_HOST_ERROR,    /* HOST-02 */
	CCDM_E_NET_NONE,      /* NET-01 no network interface */
	CCDM_E_NET_LINK,      /* NET-02 no link */
	CCDM_E_NET_ADDRESS,   /* NET-03 no address, or no name server */
	CCDM_E_NET_BROKER,    /* NET-04 the broker does not answer */
	CCDM_E_ATTEST_NONE,   /* ATTEST-01 no source of evidence */
	CCDM_E_ATTEST_BROKER, /* ATTEST-02 the broker cannot be verified */
	CCDM_E_ATTEST_DENIED, /* ATTEST-03 the broker refuses */
	CCDM_E_ATTEST_ERROR,  /* ATTEST-04 */
	CCDM_E_SECRET_DENIED, /* SECRET-01 a secret is refused */
	CCDM_E_SECRET_ERROR,  /* SECRET-02 */
	CCDM_E_WORK_NONE,     /* WORK-01 no partition of the workload */
	CCDM_E_WORK_TWICE,    /* WORK-02 */
	CCDM_E_WORK_HASH,     /* WORK-03 root hash */
	CCDM_E_WORK_SMALL,    /* WORK-04 */
	CCDM_E_WORK_FS,	      /* WORK-05 no file system that the boot accepts */
	CCDM_E_WORK_ERROR,    /* WORK-06 */
	CCDM_E_WORK_CONF,     /* WORK-07 workload.json or config.json malformed */
	CCDM_E_WORK_BASE,     /* WORK-08 the base cannot run a workload */
	CCDM_E_WORK_PREPARE,  /* WORK-09 mounts, volumes or files */
	CCDM_E_WORK_SECRET,   /* WORK-10 a secret is missing, or one for a variable is not text */
	CCDM_E_WORK_START,    /* WORK-11 crun did not start the container */
	CCDM_E_WORK_HEALTH,   /* WORK-12 the workload is unhealthy */
};

const char *ccdm_boot_code(enum ccdm_boot_code code);

/**
 * ccdm_boot_fence() - check that only the image gave this boot instructions
 * @config: loaded from the initrd
 * @code: set on error
 *
 * Every step starts with it, because the fence of the generator ends if the generator is killed.
 */
int __must_check ccdm_boot_fence(struct ccdm_config *config, enum ccdm_boot_code *code,
				 struct ccdm_err *err);

/* The steps. Return: 0, or -errno with @code and @err. */
int __must_check ccdm_boot_measure(const struct ccdm_config *config, enum ccdm_boot_code *code,
				   struct ccdm_err *err);
int __must_check ccdm_boot_base(const struct ccdm_config *config, enum ccdm_boot_code *code,
				struct ccdm_err *err);
int __must_check ccdm_boot_root(const struct ccdm_config *config, enum ccdm_boot_code *code,
				struct ccdm_err *err);
int __must_check ccdm_boot_system(const struct ccdm_config *config, enum ccdm_boot_code *code,
				  struct ccdm_err *err);
int __must_check ccdm_boot_attest(const struct ccdm_config *config, enum ccdm_boot_code *code,
				  struct ccdm_err *err);
int __must_check ccdm_boot_cap(const struct ccdm_config *config, enum ccdm_boot_code *code,
			       struct ccdm_err *err);

/**
 * ccdm_boot_measure_list() - measure events, check that the registers hold them, and report
 * @list: at least one event
 * @step: the name of the report
 *
 * Does nothing if the configuration has neither a TPM nor RTMR 3.
 */
int __must_check ccdm_boot_measure_list(const struct ccdm_config *config,
					const struct ccdm_measure_list *list, const char *step,
					enum ccdm_boot_code *code, struct ccdm_err *err);

/**
 * ccdm_boot_workload() - write the units of the workload into /run
 *
 * Part of the step "system". Does nothing without a section [workload].
 */
int __must_check ccdm_boot_workload(const struct ccdm_config *config, enum ccdm_boot_code *code,
				    struct ccdm_err *err);

/* Write a line to the kernel's log, and to a quiet console, too. */
void ccdm_boot_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Write a line to the kernel's log. */
void ccdm_boot_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Log @err with its code. @then: what happens next */
void ccdm_boot_tell(enum ccdm_boot_code code, const struct ccdm_err *err, const char *then);

/**
 * ccdm_boot_stop() - log the reason, wait, and power off or reboot
 * @on_failure: power off or reboot
 * @generator: systemd kills generators after 90 s
 *
 * Does not return.
 */
void ccdm_boot_stop(enum ccdm_boot_code code, const struct ccdm_err *err,
		    enum ccdm_on_failure on_failure, bool generator) __attribute__((noreturn));

#endif
