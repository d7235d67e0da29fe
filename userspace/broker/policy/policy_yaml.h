/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * policy_yaml.h - the YAML of a policy: members, lists and values, through libyaml
 *
 * Errors have line and column. Functions return 0, -EINVAL or
 * -ENOMEM; functions that return JSON set it in @r, and the caller must
 * drop the JSON even after an error.
 */
#ifndef CCDM_POLICY_YAML_H
#define CCDM_POLICY_YAML_H

#include <jansson.h>
#include <yaml.h>
#include "base/compiler.h"
#include "base/err.h"

/**
 * struct ccdm_yaml - a document that is being read
 * @what: name of the text, for messages
 * @doc: libyaml's
 * @err: filled
 * @conds: conditions so far
 */
struct ccdm_yaml {
	const char *what;
	yaml_document_t *doc;
	struct ccdm_err *err;
	unsigned int conds;
};

/* Set an error at a node: @why, and the word @which, or NULL. Return: -EINVAL */
int __must_check ccdm_yaml_bad(const struct ccdm_yaml *y, const yaml_node_t *at, const char *why,
			       const char *which);

yaml_node_t *ccdm_yaml_node(const struct ccdm_yaml *y, int index);

/* The text of a scalar without zero bytes, or NULL. */
const char *ccdm_yaml_text(const yaml_node_t *n);

/* Calls @take for each member, whose key is a word that appears once. */
int __must_check ccdm_yaml_members(struct ccdm_yaml *y, const yaml_node_t *map,
				   int (*take)(struct ccdm_yaml *y, const yaml_node_t *key,
					       const char *word, const yaml_node_t *value,
					       void *arg),
				   void *arg);

/* Calls @take for each element, or once for a value that is not a list. */
int __must_check ccdm_yaml_elements(struct ccdm_yaml *y, const yaml_node_t *list,
				    int (*take)(struct ccdm_yaml *y, const yaml_node_t *n,
						void *arg),
				    void *arg);

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
