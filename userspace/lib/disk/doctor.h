/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * doctor.h - what a machine has that ccdm needs, and what could bypass ccdm
 *
 * Each function reads files of /proc, /sys and /run below the root of a struct ccdm_doctor, and adds
 * one line for each thing it has looked at. Nothing is changed, and no module is loaded.
 */
#ifndef CCDM_DOCTOR_H
#define CCDM_DOCTOR_H

#include "base/compiler.h"

/**
 * enum ccdm_doctor_grade - how good a thing is
 * @CCDM_DOCTOR_OK: as it should be
 * @CCDM_DOCTOR_NOTE: something optional is missing, or something cannot be told
 * @CCDM_DOCTOR_WARNING: ccdm works, but slower, or protects less than it could
 * @CCDM_DOCTOR_FAILED: ccdm does not work here, or something else gives secrets to the host
 */
enum ccdm_doctor_grade {
	CCDM_DOCTOR_OK,
	CCDM_DOCTOR_NOTE,
	CCDM_DOCTOR_WARNING,
	CCDM_DOCTOR_FAILED,
};

#define CCDM_DOCTOR_MAX 32

/**
 * struct ccdm_doctor_line - one thing
 * @check: its name, of a-z and "-"
 * @grade: how good it is
 * @found: for a person
 * @next: what to do; empty if there is nothing to do
 */
struct ccdm_doctor_line {
	const char *check;
	enum ccdm_doctor_grade grade;
	char found[320];
	char next[256];
};

/**
 * struct ccdm_doctor - all lines; starts as zeros
 * @root: the path before /proc, /sys and /run; "" for this machine
 * @count: how many lines
 * @line: in the order in which they were added
 */
struct ccdm_doctor {
	const char *root;
	unsigned int count;
	struct ccdm_doctor_line line[CCDM_DOCTOR_MAX];
};

/**
 * ccdm_doctor_add() - add a line
 * @d: the lines
 * @check: its name; stays where it is
 * @grade: how good it is
 * @next: what to do, or ""
 * @fmt: what was found, as printf; may contain untrusted text
 *
 * Lines after the last place of @d replace the one in it, and the worst grade of both stays.
 */
void ccdm_doctor_add(struct ccdm_doctor *d, const char *check, enum ccdm_doctor_grade grade,
		     const char *next, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The worst grade of all lines */
enum ccdm_doctor_grade __must_check ccdm_doctor_worst(const struct ccdm_doctor *d);

/* "ok", "note", "warning" or "failed" */
const char *ccdm_doctor_word(enum ccdm_doctor_grade grade);

/**
 * ccdm_doctor_kernel() - is this a kernel that ccdm supports?
 * @release: "6.1.0-52-amd64", as in struct utsname
 * @version: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1 (2026-11-02)": Debian's first number is the
 *	release of Linux
 */
void ccdm_doctor_kernel(struct ccdm_doctor *d, const char *release, const char *version);

/**
 * ccdm_doctor_cpu() - has the CPU a random number generator, and instructions for AES?
 * @machine: "x86_64" or "aarch64", as in struct utsname
 */
void ccdm_doctor_cpu(struct ccdm_doctor *d, const char *machine);

/* Is udev running, and does it have ccdm's rules? */
void ccdm_doctor_udev(struct ccdm_doctor *d);

/* Where does each swap device write pages of memory to? */
void ccdm_doctor_swap(struct ccdm_doctor *d);

/* Can a crash kernel or hibernation write the memory to a disk? */
void ccdm_doctor_memory_images(struct ccdm_doctor *d);

/* Is there a TPM 2.0? */
void ccdm_doctor_tpm(struct ccdm_doctor *d);

/* For the functions above: the beginning of a file, without the newline; "" if there is none. */
void ccdm_doctor_read(const struct ccdm_doctor *d, const char *path, char *text, unsigned int size);

#endif
