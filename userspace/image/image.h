/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* image.h - the verbs of ccdm-image: each in its own cmd_<verb>.c */
#ifndef CCDM_IMAGE_H
#define CCDM_IMAGE_H

#include <getopt.h>
#include "base/options.h"
#include "base/ui.h"
#include "base/ui_report.h"
#include "image/predict.h"

#define CCDM_PROGRAM "ccdm-image"

/**
 * struct ccdm_image_verb - a verb
 * @verb: its words and options
 * @run: gets the program's name and the words after the verb; returns an exit code
 */
struct ccdm_image_verb {
	struct ccdm_verb verb;
	enum ccdm_exit (*run)(const struct ccdm_verb *verb, int argc, char **argv);
};

extern const struct ccdm_image_verb ccdm_verb_build;
extern const struct ccdm_image_verb ccdm_verb_base;
extern const struct ccdm_image_verb ccdm_verb_measure;
extern const struct ccdm_image_verb ccdm_verb_inspect;
extern const struct ccdm_image_verb ccdm_verb_verify;
extern const struct ccdm_image_verb ccdm_verb_run;
extern const struct ccdm_image_verb ccdm_verb_sign;

/* main.c: print a usage error to standard error */
enum ccdm_exit __must_check ccdm_image_usage(const struct ccdm_verb *verb, const char *what);

/*
 * Read the verb's options: call @take for each, and count the arguments. Return: CCDM_EXIT_OK with
 * optind at the first argument; otherwise *over is set: the verb must end with this exit code.
 */
enum ccdm_exit __must_check ccdm_image_options(const struct ccdm_verb *verb, int argc, char **argv,
					       enum ccdm_exit (*take)(int option, void *arg),
					       void *arg, bool *over);

/* Call ccdm_ui_json(); return its exit code. */
enum ccdm_exit __must_check ccdm_image_print(json_t *object);

/**
 * struct ccdm_image_disk - a disk, and what it will measure
 */
struct ccdm_image_disk {
	struct ccdm_bootable boot;
	struct ccdm_prediction prediction;
};

/*
 * Reads @file and predicts, of a machine with or without Secure Boot. Return: it, or NULL with the
 * error printed and *@e set.
 */
struct ccdm_image_disk *ccdm_image_load(const char *file, bool secure_boot, enum ccdm_exit *e);
void ccdm_image_free(struct ccdm_image_disk *disk);

/* {"tpm": {"sha256": HEX, "sha384": HEX}, "tdx": {"sha384": HEX}}; null, and "unknown", for an unknown ID */
json_t *ccdm_image_ids(const struct ccdm_image_disk *disk);

/* The same as lines. Return: 0, -ENOMEM, -EIO. */
int __must_check ccdm_image_print_ids(const struct ccdm_image_disk *disk);

/* measured.c: the prediction, as "measure --json" prints it; NULL: out of memory */
json_t *ccdm_image_measured(const struct ccdm_image_disk *disk);

/*
 * The values of the registers, into @pcrs and @rtmrs by number; both NULL: they are printed.
 * Return: 0, -ENOMEM, -EIO.
 */
int __must_check ccdm_image_values(const struct ccdm_image_disk *disk, json_t *pcrs, json_t *rtmrs);

/* The hexadecimal digits of a digest, in a buffer of the caller's. */
const char *ccdm_image_hex(const struct ccdm_digest *digest, char hex[2 * CCDM_DIGEST_MAX + 1]);

#endif
