/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * plain.h - included before each file of user space whose coverage is counted
 *
 * jansson's macros check for NULL once more, in a line of the caller. That condition would count as
 * the caller's, so these versions have no condition.
 */
#ifndef CCDM_COVERAGE_PLAIN_H
#define CCDM_COVERAGE_PLAIN_H

#include <jansson.h>
#include <stdbool.h>

static inline bool counted_is(const json_t *json, json_type type)
{
	return json && json_typeof(json) == type;
}

static inline bool counted_element(const json_t *array, size_t index, json_t **value)
{
	*value = json_array_get(array, index);
	return *value;
}

static inline bool counted_member(const char *key, json_t **value)
{
	*value = key ? json_object_iter_value(json_object_key_to_iter(key)) : NULL;
	return *value;
}

#undef json_is_object
#undef json_is_array
#undef json_is_string
#undef json_is_integer
#undef json_is_true
#undef json_is_null
#define json_is_object(json)  counted_is(json, JSON_OBJECT)
#define json_is_array(json)   counted_is(json, JSON_ARRAY)
#define json_is_string(json)  counted_is(json, JSON_STRING)
#define json_is_integer(json) counted_is(json, JSON_INTEGER)
#define json_is_true(json)    counted_is(json, JSON_TRUE)
#define json_is_null(json)    counted_is(json, JSON_NULL)

#undef json_array_foreach
#define json_array_foreach(array, index, value)                                                    \
	for (index = 0; counted_element(array, index, (json_t **)&(value)); index++)

#undef json_object_foreach
#define json_object_foreach(object, key, value)                                                    \
	for (key = json_object_iter_key(json_object_iter(object));                                 \
	     counted_member(key, (json_t **)&(value));                                             \
	     key = json_object_iter_key(json_object_iter_next(object, json_object_key_to_iter(key))))

#endif
