/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * yaml.h - strict reading of YAML: members, lists and values, through libyaml
 *
 * A key that appears twice is an error. Errors begin with "FILE:LINE:COLUMN: ". Functions return
 * 0, -EINVAL or -ENOMEM.
 */
#ifndef CCDM_YAML_H
#define CCDM_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>
#include "compiler.h"
#include "err.h"

/**
 * struct ccdm_yaml - a document that is being read
 * @what: name of the text, for messages
 * @doc: libyaml's
 * @err: filled
 * @conds: conditions of a policy so far
 */
struct ccdm_yaml {
	const char *what;
	yaml_document_t *doc;
	struct ccdm_err *err;
	unsigned int conds;
};

/**
 * ccdm_yaml_load() - the next document of a text
 * @y: @what and @err are set; @doc points to memory, which is filled
 * @parser: has the text
 * @end: set to true behind the last document; otherwise the caller deletes the document
 */
int __must_check ccdm_yaml_load(struct ccdm_yaml *y, yaml_parser_t *parser, bool *end);

/**
 * ccdm_yaml_one() - read a text that has exactly one document, and no more than plain values
 * @what: its name, for messages
 * @text: untrusted
 * @size: its bytes
 * @max: size limit in bytes
 * @most: limit of keys, values and lists together
 * @take: called with the top of the document
 *
 * An alias (*NAME) and a tag (!NAME) are errors, and so is a second document.
 */
int __must_check ccdm_yaml_one(const char *what, const char *text, size_t size, size_t max,
			       size_t most,
			       int (*take)(struct ccdm_yaml *y, const yaml_node_t *top, void *arg),
			       void *arg, struct ccdm_err *err);

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

/* A whole number from @least to @most, in decimal, of at most 10 digits. */
int __must_check ccdm_yaml_number(const struct ccdm_yaml *y, const yaml_node_t *n, uint64_t least,
				  uint64_t most, uint64_t *value);

/* "true" or "false" */
int __must_check ccdm_yaml_bool(const struct ccdm_yaml *y, const yaml_node_t *n, bool *value);

/* One of @words, which end with NULL; its place among them. */
int __must_check ccdm_yaml_word(const struct ccdm_yaml *y, const yaml_node_t *n,
				const char *const *words, unsigned int *place);

#endif
