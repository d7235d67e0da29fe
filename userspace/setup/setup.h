/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* setup.h - the other verbs of ccdm-setup: each in its own cmd_<verb>.c */
#ifndef CCDM_SETUP_H
#define CCDM_SETUP_H

#include "base/ui_report.h"
#include "crypto/digest.h"
#include "verb.h"

extern const struct ccdm_setup_verb ccdm_verb_cache;
extern const struct ccdm_setup_verb ccdm_verb_scrub;
extern const struct ccdm_setup_verb ccdm_verb_monitor;
extern const struct ccdm_setup_verb ccdm_verb_config;
extern const struct ccdm_setup_verb ccdm_verb_measure;
extern const struct ccdm_setup_verb ccdm_verb_evidence;
extern const struct ccdm_setup_verb ccdm_verb_attest;
extern const struct ccdm_setup_verb ccdm_verb_secret;
extern const struct ccdm_setup_verb ccdm_verb_benchmark;
extern const struct ccdm_setup_verb ccdm_verb_doctor;
extern const struct ccdm_setup_verb ccdm_verb_boot;
extern const struct ccdm_setup_verb ccdm_verb_verify;
extern const struct ccdm_setup_verb ccdm_verb_workload;

/* Call ccdm_ui_json(); return its exit code. */
enum ccdm_exit __must_check ccdm_setup_print(json_t *object);

/* For measure and boot: the values of a PCR, by bank */
json_t *ccdm_setup_values(const struct ccdm_digests *values);

#endif
