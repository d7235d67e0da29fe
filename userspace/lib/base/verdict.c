// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* verdict.c - see verdict.h */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "compiler.h"
#include "json.h"
#include "verdict.h"

static const char *const ccdm_allow_words[] = {
	"debug", "vmpl", "expired", "tcb-out-of-date", "tcb-config", "tcb-sw-hardening",
	"smt",	 "sha1", "no-crl",  "migration",       "sept-ve"
};

#define CCDM_ALLOW_WORDS (ARRAY_SIZE(ccdm_allow_words))

unsigned int ccdm_allow_word(const char *word)
{
	size_t i;

	for (i = 0; i < CCDM_ALLOW_WORDS; i++)
		if (!strcmp(word, ccdm_allow_words[i]))
			return 1U << i;
	return 0;
}

/* Names in certificates and words of an operator's list may contain any character. */
static void ccdm_check_plain(char *p)
{
	for (; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

bool ccdm_verdict_add(struct ccdm_verdict *v, const char *name, bool good, unsigned int needs,
		      const char *expected, const char *found, ...)
{
	struct ccdm_check *c;
	va_list ap;

	if (v->count == CCDM_CHECKS_MAX) {
		v->check[CCDM_CHECKS_MAX - 1].passed = false;
		return false;
	}
	c = &v->check[v->count++];
	memset(c, 0, sizeof(*c));
	snprintf(c->name, sizeof(c->name), "%s", name);
	snprintf(c->expected, sizeof(c->expected), "%s", expected);
	va_start(ap, found);
	vsnprintf(c->found, sizeof(c->found), found, ap);
	va_end(ap);
	ccdm_check_plain(c->expected);
	ccdm_check_plain(c->found);
	c->passed = good;
	if (!good && needs && (v->allow & needs) == needs) {
		c->allowed = needs;
		c->passed = true;
	}
	return c->passed;
}

const struct ccdm_check *ccdm_verdict_failed(const struct ccdm_verdict *v)
{
	unsigned int i;

	for (i = 0; i < v->count; i++)
		if (!v->check[i].passed)
			return &v->check[i];
	return NULL;
}

bool ccdm_verdict_accepted(const struct ccdm_verdict *v)
{
	return v->complete && v->count && !ccdm_verdict_failed(v);
}

json_t *ccdm_verdict_json(const struct ccdm_verdict *v)
{
	json_t *checks = json_array(), *o, *words;
	unsigned int i;
	size_t w;

	for (i = 0; i < v->count; i++) {
		const struct ccdm_check *c = &v->check[i];

		o = json_pack("{s:s, s:s, s:s, s:b}", "name", c->name, "expected", c->expected,
			      "found", c->found, "passed", c->passed);
		if (c->allowed) {
			words = json_array();
			for (w = 0; w < CCDM_ALLOW_WORDS; w++)
				if (c->allowed & 1U << w)
					ccdm_json_add(&words, json_string(ccdm_allow_words[w]));
			ccdm_json_put(&o, "allowed", words);
		}
		ccdm_json_add(&checks, o);
	}
	return json_pack("{s:s, s:o}", "verdict", ccdm_verdict_accepted(v) ? "accepted" : "refused",
			 "checks", checks);
}
