// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* note.c - see note.h */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "base/json.h"
#include "note.h"

static const char *const ccdm_note_verbs[] = { "backup", "renew", "rotate-key", "restore", NULL };
static const char *const ccdm_note_results[] = { "begun", "done", "failed", NULL };

static bool ccdm_note_word(const json_t *value, const char *const *words)
{
	const char *text = json_string_value(value);

	for (; text && *words; words++)
		if (!strcmp(text, *words))
			return true;
	return false;
}

static bool ccdm_note_text(const json_t *value)
{
	return json_is_string(value) && json_string_length(value) <= CCDM_NOTE_TEXT;
}

static bool ccdm_note_hash(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

int ccdm_note_read(const json_t *said, const char *who, json_t **entry, struct ccdm_err *err)
{
	json_t *what = json_object_get(said, "what"), *result = json_object_get(said, "result");
	json_t *name = json_object_get(said, "name"), *why = json_object_get(said, "why");
	json_t *hash = json_object_get(said, "hash"), *lines = json_object_get(said, "lines");

	*entry = NULL;
	if (!ccdm_note_word(what, ccdm_note_verbs))
		return ccdm_err_set(err, -EINVAL,
				    "what: expected a verb that works without the daemon");
	if (!ccdm_note_word(result, ccdm_note_results))
		return ccdm_err_set(err, -EINVAL, "result: expected begun, done or failed");
	if (!ccdm_note_text(name) || (why && !ccdm_note_text(why)))
		return ccdm_err_set(err, -EINVAL, "name, why: expected strings of at most %u bytes",
				    CCDM_NOTE_TEXT);
	if (hash && !ccdm_note_hash(hash))
		return ccdm_err_set(err, -EINVAL, "hash: expected 64 hexadecimal digits");
	if (lines && (!json_is_integer(lines) || json_integer_value(lines) < 0))
		return ccdm_err_set(err, -EINVAL, "lines: expected a number");
	*entry = json_pack("{s:s, s:O, s:O, s:O, s:O*, s:O*, s:O*}", "who", who, "do", what, "name",
			   name, "result", result, "why", why, "hash", hash, "lines", lines);
	return *entry ? 0 : ccdm_err_memory(err);
}
