/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * policy_yaml.h - the values in a policy's YAML, as JSON
 *
 * Functions set @r to 0, -EINVAL or -ENOMEM. The caller must drop the JSON even after an error.
 */
#ifndef CCDM_POLICY_YAML_H
#define CCDM_POLICY_YAML_H

#include <jansson.h>
#include "base/yaml.h"

/* One or a list of @words, which end with NULL; without, of @min to @max hexadecimal digits. */
json_t *ccdm_value_words(struct ccdm_yaml *y, const yaml_node_t *n, const char *const *words,
			 unsigned int min, unsigned int max, int *r);

/* A whole number from 0 to @most, in decimal. */
json_t *ccdm_value_number(struct ccdm_yaml *y, const yaml_node_t *n, unsigned long most, int *r);

json_t *ccdm_value_bool(struct ccdm_yaml *y, const yaml_node_t *n, int *r);

/* A name of printable characters, as a product's or an event's, which have at most 63. */
#define CCDM_NAME_MAX 64
json_t *ccdm_value_name(struct ccdm_yaml *y, const yaml_node_t *n, int *r);

/* pcr0 to pcr15, rtmr0 to rtmr3 */
json_t *ccdm_value_register(struct ccdm_yaml *y, const yaml_node_t *n, int *r);

#endif
