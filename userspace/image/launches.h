/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* launches.h - the options of verbs that compute launch digests of SEV-SNP guests, and the digests */
#ifndef CCDM_IMAGE_LAUNCHES_H
#define CCDM_IMAGE_LAUNCHES_H

#include <jansson.h>
#include "image.h"
#include "image/snp_launch.h"

#define LAUNCHES_LISTED 32 /* numbers or types in an option */

/* Ids of options; no verb that has them uses these for others. */
enum { OPT_FIRMWARE = 512, OPT_VCPUS, OPT_TYPE, OPT_VMM, OPT_FEATURES };

/* The options: of program->options, since two verbs have them. */
extern const struct ccdm_option ccdm_image_launch_options[];

/**
 * struct ccdm_image_launches - which digests are wanted
 * @firmware: file, or NULL: none are
 * @vmm, @features: of each guest
 * @nr_vcpus, @vcpus: numbers of vCPUs
 * @nr_types, @type: types of vCPU
 * @asked: an option was given that needs a firmware
 */
struct ccdm_image_launches {
	const char *firmware;
	enum ccdm_snp_vmm vmm;
	uint64_t features;
	unsigned int nr_vcpus, vcpus[LAUNCHES_LISTED];
	unsigned int nr_types;
	char type[LAUNCHES_LISTED][32];
	bool asked;
};

/* Begin without wanted digests. */
void ccdm_image_launches_init(struct ccdm_image_launches *l);

/* Take option @id, whose argument is optarg. Return: CCDM_EXIT_USAGE for another option or value. */
enum ccdm_exit __must_check ccdm_image_launches_take(int id, struct ccdm_image_launches *l);

/* After the last option: fill in the defaults. Return: NULL, or the usage error. */
const char *ccdm_image_launches_end(struct ccdm_image_launches *l);

/**
 * ccdm_image_launches() - compute the digests, for each number and type of vCPU
 * @b: the image; the hypervisor loads its UKI, if it loads any
 * @launches: an array that gets them; NULL: they are printed
 *
 * Prints a warning if the digest does not prove the image.
 *
 * Return: 0, -EINVAL with what is wrong with the firmware in @err, -EIO, errors of open(2).
 */
int __must_check ccdm_image_launches(const struct ccdm_image_launches *l,
				     const struct ccdm_bootable *b, json_t **launches,
				     struct ccdm_err *err);

/*
 * Only those that prove the image, as an array of hexadecimal digits, which the caller drops; an
 * empty one without a firmware. Return: as above, -ENOMEM
 */
int __must_check ccdm_image_launches_proving(const struct ccdm_image_launches *l,
					     const struct ccdm_bootable *b, json_t **proving,
					     struct ccdm_err *err);

#endif
