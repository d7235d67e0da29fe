// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* enclave_difference.c - see enclave_difference.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/digest.h"
#include "enclave_difference.h"

#define FIRST	  "ccdm-enclave-id 1\n"
#define REGISTERS 24
#define HEX	  "0123456789abcdef"

/* ---- the texts --------------------------------------------------------------------- */

/* An event of a text; no @digest: there is none. */
struct ccdm_id_event {
	unsigned int reg;
	const char *digest;
	size_t size; /* digits of it */
};

/* Its second line: the bank. 0: another line */
static uint16_t ccdm_enclave_text_bank(const char *text, bool *rtmr)
{
	char name[8] = "";
	size_t n;

	if (strncmp(text, FIRST, strlen(FIRST)))
		return 0;
	text += strlen(FIRST);
	*rtmr = !strncmp(text, "tdx ", 4);
	if (!*rtmr && strncmp(text, "tpm ", 4))
		return 0;
	text += 4;
	n = strcspn(text, "\n");
	if (n >= sizeof(name) || !text[n])
		return 0;
	memcpy(name, text, n);
	return ccdm_digest_alg(name);
}

/* The events behind the second line. */
static const char *ccdm_enclave_text_begin(const char *text)
{
	const char *second = strchr(text, '\n') + 1;

	return strchr(second, '\n') + 1;
}

/* Read the event at @at. Return: what follows its line; NULL: another line */
static const char *ccdm_enclave_text_event(const char *at, bool rtmr, uint16_t bank,
					   struct ccdm_id_event *e)
{
	const char *word = rtmr ? "rtmr" : "pcr";
	size_t n = 0;

	if (strncmp(at, word, strlen(word)))
		return NULL;
	at += strlen(word);
	for (e->reg = 0; at[n] >= '0' && at[n] <= '9' && n < 2; n++)
		e->reg = 10 * e->reg + (unsigned int)(at[n] - '0');
	if (!n || at[n] != ' ' || e->reg >= REGISTERS)
		return NULL;
	e->digest = at + n + 1;
	e->size = 2UL * ccdm_digest_size(bank);
	if (strspn(e->digest, HEX) != e->size || e->digest[e->size] != '\n')
		return NULL;
	return e->digest + e->size + 1;
}

const char *ccdm_enclave_text_platform(const char *text)
{
	struct ccdm_id_event e;
	bool rtmr;
	uint16_t bank = ccdm_enclave_text_bank(text, &rtmr);
	const char *at;

	if (!bank)
		return NULL;
	for (at = ccdm_enclave_text_begin(text); at && *at;)
		at = ccdm_enclave_text_event(at, rtmr, bank, &e);
	return !at ? NULL : rtmr ? "tdx" : "tpm";
}

bool ccdm_enclave_text_alike(const char *a, const char *b)
{
	size_t n;

	if (!ccdm_enclave_text_platform(a) || !ccdm_enclave_text_platform(b))
		return false;
	n = (size_t)(ccdm_enclave_text_begin(a) - a);
	return !strncmp(a, b, n);
}

/* ---- the events of a register ------------------------------------------------------------ */

/* All events of a text, by register: those of register i are event[first[i]] to event[first[i + 1]]. */
struct ccdm_id_list {
	bool rtmr;
	uint16_t bank;
	struct ccdm_id_event *event;
	size_t first[REGISTERS + 1];
};

/* @l: zero. Return: 0, -ENOMEM */
static int ccdm_id_read(const char *text, struct ccdm_id_list *l)
{
	const char *begin = ccdm_enclave_text_begin(text), *at;
	size_t next[REGISTERS];
	struct ccdm_id_event e;
	unsigned int reg;

	l->bank = ccdm_enclave_text_bank(text, &l->rtmr);
	for (at = begin; at && *at;) {
		at = ccdm_enclave_text_event(at, l->rtmr, l->bank, &e);
		if (at)
			l->first[e.reg + 1]++;
	}
	for (reg = 0; reg < REGISTERS; reg++) {
		l->first[reg + 1] += l->first[reg];
		next[reg] = l->first[reg];
	}
	l->event = calloc(l->first[REGISTERS] + 1, sizeof(*l->event));
	if (!l->event)
		return -ENOMEM;
	for (at = begin; at && *at;) {
		at = ccdm_enclave_text_event(at, l->rtmr, l->bank, &e);
		if (at)
			l->event[next[e.reg]++] = e;
	}
	return 0;
}

static size_t ccdm_id_count(const struct ccdm_id_list *l, unsigned int reg)
{
	return l->first[reg + 1] - l->first[reg];
}

/* Event @number of a register, from 0; without a digest from @end on. */
static struct ccdm_id_event ccdm_id_nth(const struct ccdm_id_list *l, unsigned int reg,
					size_t number, size_t end)
{
	return number < end ? l->event[l->first[reg] + number]
			    : (struct ccdm_id_event){ .reg = reg };
}

static bool ccdm_id_equal(const struct ccdm_id_event *a, const struct ccdm_id_event *b)
{
	return a->digest && b->digest && !memcmp(a->digest, b->digest, a->size);
}

/* ---- words ----------------------------------------------------------------------------------- */

/* The section whose name the stub measured, or NULL. Return: 0, -EIO. */
static int ccdm_id_section(const struct ccdm_id_list *w, const struct ccdm_id_event *e,
			   const char **section)
{
	static const char *const names[] = { ".linux", ".osrel",   ".cmdline", ".initrd",
					     ".ucode", ".splash",  ".dtb",     ".uname",
					     ".sbat",  ".pcrpkey", ".profile", ".hwids" };
	char hex[2 * CCDM_DIGEST_MAX + 1];
	struct ccdm_digest d;
	size_t i;
	int r;

	*section = NULL;
	for (i = 0; e->digest && i < ARRAY_SIZE(names); i++) {
		r = ccdm_digest_of(w->bank, names[i], strlen(names[i]) + 1, NULL, 0, &d);
		if (r)
			return r;
		ccdm_hex(d.bytes, d.size, hex);
		if (!memcmp(hex, e->digest, e->size)) {
			*section = names[i];
			return 0;
		}
	}
	return 0;
}

/* What an image of ours has at this place; "" if that is not known. */
static int ccdm_id_words(const struct ccdm_id_list *w, const struct ccdm_id_event *e, size_t number,
			 char *words, size_t size)
{
	static const struct {
		unsigned int pcr;
		size_t number;
		const char *words;
	} places[] = { { 4, 0, "the UKI" },
		       { 4, 1, "the kernel" },
		       { 9, 0, "the kernel's command line" },
		       { 9, 1, "the initrd" } };
	bool sections = e->reg == (w->rtmr ? 2 : 11);
	struct ccdm_id_event before;
	const char *section;
	size_t i;
	int r;

	words[0] = '\0';
	for (i = 0; e->digest && i < ARRAY_SIZE(places); i++)
		if (places[i].number == number &&
		    (w->rtmr ? e->reg == 1 && places[i].pcr == 4 : e->reg == places[i].pcr))
			snprintf(words, size, " (%s)", places[i].words);
	if (!sections || !e->digest)
		return 0;
	r = ccdm_id_section(w, e, &section);
	if (!r && section) {
		snprintf(words, size, " (name of section %s)", section);
	} else if (!r && number) {
		before = ccdm_id_nth(w, e->reg, number - 1, number);
		r = ccdm_id_section(w, &before, &section);
		if (!r && section)
			snprintf(words, size, " (content of section %s)", section);
	}
	return r;
}

static int ccdm_id_say(const struct ccdm_id_list *w, const struct ccdm_id_event *expected,
		       const struct ccdm_id_event *found, size_t number,
		       int (*say)(const char *line, void *arg), void *arg)
{
	char line[2 * 2 * CCDM_DIGEST_MAX + 160], words[64];
	int r = ccdm_id_words(w, expected, number, words, sizeof(words));

	if (r)
		return r;
	snprintf(line, sizeof(line), "%s%u, event %zu%s: expected %.*s, found %.*s",
		 w->rtmr ? "rtmr" : "pcr", expected->reg, number + 1, words,
		 expected->digest ? (int)expected->size : 4,
		 expected->digest ? expected->digest : "none", found->digest ? (int)found->size : 4,
		 found->digest ? found->digest : "none");
	return say(line, arg);
}

/* ---- comparing ------------------------------------------------------------------------------- */

static int ccdm_id_register(const struct ccdm_id_list *a, const struct ccdm_id_list *b,
			    unsigned int reg, int (*say)(const char *line, void *arg), void *arg,
			    unsigned int *count)
{
	size_t n = ccdm_id_count(a, reg), m = ccdm_id_count(b, reg), i;
	struct ccdm_id_event x, y;
	int r = 0;

	/* what is equal at the end */
	for (; n && m; n--, m--) {
		x = ccdm_id_nth(a, reg, n - 1, n);
		y = ccdm_id_nth(b, reg, m - 1, m);
		if (!ccdm_id_equal(&x, &y))
			break;
	}
	for (i = 0; !r && i < (n > m ? n : m); i++) {
		x = ccdm_id_nth(a, reg, i, n);
		y = ccdm_id_nth(b, reg, i, m);
		if (ccdm_id_equal(&x, &y))
			continue;
		(*count)++;
		if (say)
			r = ccdm_id_say(a, &x, &y, i, say, arg);
	}
	return r;
}

int ccdm_enclave_difference(const char *expected, const char *found,
			    int (*say)(const char *line, void *arg), void *arg, unsigned int *count)
{
	struct ccdm_id_list a = { 0 }, b = { 0 };
	unsigned int reg;
	int r;

	*count = 0;
	r = ccdm_id_read(expected, &a);
	if (!r)
		r = ccdm_id_read(found, &b);
	for (reg = 0; !r && reg < REGISTERS; reg++)
		r = ccdm_id_register(&a, &b, reg, say, arg, count);
	free(a.event);
	free(b.event);
	return r;
}
