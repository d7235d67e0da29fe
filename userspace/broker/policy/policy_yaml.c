// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* policy_yaml.c - see policy_yaml.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/digest.h"
#include "policy_yaml.h"

/* The allowed words. */
struct ccdm_words {
	const char *const *words; /* one of these, ending with NULL; or */
	unsigned int min, max;	  /* an even number of hexadecimal digits in this range */
	json_t *to;
};

static int ccdm_word_take(struct ccdm_yaml *y, const yaml_node_t *n, void *arg)
{
	const struct ccdm_words *w = arg;
	const char *text = ccdm_yaml_text(n);
	char low[2 * CCDM_DIGEST_MAX + 1];
	size_t i, size;

	if (!text)
		return ccdm_yaml_bad(y, n, "expected a word", NULL);
	for (i = 0; w->words && w->words[i]; i++)
		if (!strcmp(text, w->words[i]))
			return json_array_append_new(w->to, json_string(text)) ? -ENOMEM : 0;
	if (w->words)
		return ccdm_yaml_bad(y, n, "unknown value:", text);
	size = strlen(text);
	if (size < w->min || size > w->max || size % 2 ||
	    strspn(text, "0123456789abcdefABCDEF") != size)
		return ccdm_yaml_bad(
			y, n, "expected a digest in hexadecimal of the right length, found:", text);
	for (i = 0; i <= size; i++)
		low[i] = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] + 32) : text[i];
	return json_array_append_new(w->to, json_string(low)) ? -ENOMEM : 0;
}

json_t *ccdm_value_words(struct ccdm_yaml *y, const yaml_node_t *n, const char *const *words,
			 unsigned int min, unsigned int max, int *r)
{
	struct ccdm_words w = { words, min, max, json_array() };

	*r = w.to ? ccdm_yaml_elements(y, n, ccdm_word_take, &w) : -ENOMEM;
	return w.to;
}

json_t *ccdm_value_number(struct ccdm_yaml *y, const yaml_node_t *n, unsigned long most, int *r)
{
	uint64_t value;

	*r = ccdm_yaml_number(y, n, 0, most, &value);
	return *r ? NULL : json_integer((json_int_t)value);
}

json_t *ccdm_value_bool(struct ccdm_yaml *y, const yaml_node_t *n, int *r)
{
	bool value;

	*r = ccdm_yaml_bool(y, n, &value);
	return *r ? NULL : json_boolean(value);
}

json_t *ccdm_value_name(struct ccdm_yaml *y, const yaml_node_t *n, int *r)
{
	const char *text = ccdm_yaml_text(n);
	size_t size = 0;

	*r = 0;
	while (text && text[size] > ' ' && text[size] <= '~')
		size++;
	if (text && size && !text[size] && size < CCDM_NAME_MAX)
		return json_string(text);
	*r = ccdm_yaml_bad(y, n, "expected a name of 1 to 63 characters without blanks", NULL);
	return NULL;
}

json_t *ccdm_value_register(struct ccdm_yaml *y, const yaml_node_t *n, int *r)
{
	const char *text = ccdm_yaml_text(n);
	char want[8];
	unsigned int i;

	*r = 0;
	/* the running system can reset PCRs 16 to 23 */
	for (i = 0; text && i < 20; i++) {
		snprintf(want, sizeof(want), i < 16 ? "pcr%u" : "rtmr%u", i < 16 ? i : i - 16);
		if (!strcmp(text, want))
			return json_string(text);
	}
	*r = ccdm_yaml_bad(y, n, "expected pcr0 to pcr15 or rtmr0 to rtmr3, found:", text);
	return NULL;
}
