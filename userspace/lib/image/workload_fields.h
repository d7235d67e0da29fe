/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * workload_fields.h - the keys of a mapping in workload.yaml, as a table, and their values
 *
 * Functions return 0, -EINVAL with file, line and column, or -ENOMEM.
 */
#ifndef CCDM_WORKLOAD_FIELDS_H
#define CCDM_WORKLOAD_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/yaml.h"

/* The type of a key's value. */
enum ccdm_field_type {
	CCDM_FIELD_WORD,     /* const char *: one of @words */
	CCDM_FIELD_NUMBER,   /* uint64_t from @min to @max */
	CCDM_FIELD_SIZE,     /* uint64_t, bytes: "512M" */
	CCDM_FIELD_DURATION, /* uint64_t, seconds: "90" or "1m30s" */
	CCDM_FIELD_MODE,     /* uint64_t, permissions within @max: "0400" */
	CCDM_FIELD_BOOL,     /* bool */
	CCDM_FIELD_TEXT,     /* char[@max + 1], printable ASCII without blanks */
	CCDM_FIELD_PATH,     /* char[@max + 1], absolute, without ".." */
	CCDM_FIELD_LIST,     /* json_t *: array of at most @max texts */
	CCDM_FIELD_CALL,     /* @call does it */
};

/**
 * struct ccdm_field - a key of a mapping
 * @key: its name; the table ends with NULL
 * @type: of its value
 * @offset: where the value goes
 * @min, @max: limits
 * @words: the values of a CCDM_FIELD_WORD; ends with NULL
 * @call: function of a CCDM_FIELD_CALL; @to is the struct that the table is for
 */
struct ccdm_field {
	const char *key;
	enum ccdm_field_type type;
	size_t offset;
	uint64_t min, max;
	const char *const *words;
	int (*call)(struct ccdm_yaml *y, const yaml_node_t *n, void *to);
};

/* Read a mapping by a table into the struct @to. */
int __must_check ccdm_fields_read(struct ccdm_yaml *y, const yaml_node_t *map,
				  const struct ccdm_field *fields, void *to);

/* Read the value of one key of a table. */
int __must_check ccdm_field_value(struct ccdm_yaml *y, const yaml_node_t *n,
				  const struct ccdm_field *f, void *to);

/* A text; an empty one must have quotes, so that a forgotten value is an error. NULL: @r is set */
const char *ccdm_field_text(const struct ccdm_yaml *y, const yaml_node_t *n, int *r);

/* An absolute path of less than @size bytes, printable, without "..". */
int __must_check ccdm_field_path(const struct ccdm_yaml *y, const yaml_node_t *n, char *to,
				 size_t size);

/* A list whose elements @take appends to the array @list, which this function creates. */
int __must_check ccdm_field_array(struct ccdm_yaml *y, const yaml_node_t *n, uint64_t most,
				  int (*take)(struct ccdm_yaml *y, const yaml_node_t *n, void *arg),
				  json_t **list);

/* Append a value. NULL: out of memory. */
int __must_check ccdm_field_append(json_t *list, json_t *value);

#endif
