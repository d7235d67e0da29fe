// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* enclave_id.c - see enclave_id.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/compiler.h"
#include "enclave_id.h"

#define LINE (8 + 1 + 2 * CCDM_DIGEST_MAX + 1) /* bytes of "REGISTER DIGEST\n" at most */

static const unsigned int ccdm_id_pcrs[] = { 2, 4, 8, 9, 11, 12, 13, 14, 15 };
static const unsigned int ccdm_id_rtmrs[] = { 1, 2, 3 };

/* The text to be hashed, while it is built. */
struct ccdm_id {
	const struct ccdm_boot *boot;
	char *text;
	size_t size;
	char *why;
	size_t why_size;
	bool unknown;
};

static void ccdm_id_unknown(struct ccdm_id *id, unsigned int reg, const char *why)
{
	if (!id->unknown)
		snprintf(id->why, id->why_size, "%s%u: %s", id->boot->rtmr ? "rtmr" : "pcr", reg,
			 why);
	id->unknown = true;
}

static bool ccdm_id_ours(const struct ccdm_id *id, unsigned int reg)
{
	return reg == (id->boot->rtmr ? 3 : 15);
}

/* Is the event the same in each image? */
static bool ccdm_id_constant(const struct ccdm_id *id, const struct ccdm_boot_event *e)
{
	const struct ccdm_known_event *known = ccdm_known_event(id->boot->known, e->digest);

	if (id->boot->rtmr && e->reg == 1 && e->gpt)
		return true;
	if (!known)
		return false;
	return (e->part == CCDM_PART_FIRMWARE && known->origin == CCDM_EVENT_OF_FIRMWARE) ||
	       (e->part == CCDM_PART_SYSTEMD && known->origin == CCDM_EVENT_OF_SYSTEMD);
}

static void ccdm_id_line(struct ccdm_id *id, const struct ccdm_boot_event *e)
{
	char hex[2 * CCDM_DIGEST_MAX + 1];

	ccdm_hex(e->digest, ccdm_digest_size(id->boot->bank), hex);
	id->size += sprintf(id->text + id->size, "%s%u %s\n", id->boot->rtmr ? "rtmr" : "pcr",
			    e->reg, hex);
}

/* Add the events of the firmware's log, then of ccdm's log, up to ccdm-ready. */
static void ccdm_id_own_register(struct ccdm_id *id, unsigned int reg)
{
	static const enum ccdm_part parts[] = { CCDM_PART_FIRMWARE, CCDM_PART_CCDM };
	size_t i, part;

	for (part = 0; part < 2; part++)
		for (i = 0; i < id->boot->count; i++) {
			const struct ccdm_boot_event *e = &id->boot->event[i];

			if (e->reg != reg || e->part != parts[part])
				continue;
			ccdm_id_line(id, e);
			if (!strcmp(e->name, CCDM_EVENT_READY))
				return;
		}
	ccdm_id_unknown(id, reg, "its log lacks " CCDM_EVENT_READY);
}

static void ccdm_id_register(struct ccdm_id *id, unsigned int reg)
{
	enum ccdm_part part;
	size_t i;

	for (part = CCDM_PART_FIRMWARE; part <= CCDM_PART_CAP; part++)
		for (i = 0; i < id->boot->count; i++) {
			const struct ccdm_boot_event *e = &id->boot->event[i];

			if (e->reg != reg || e->part != part || ccdm_id_constant(id, e))
				continue;
			/* The replay does not tell their place among systemd's events. */
			if (part == CCDM_PART_CAP)
				ccdm_id_unknown(id, reg, "ccdm's log has events after the cap");
			else
				ccdm_id_line(id, e);
		}
}

int ccdm_enclave_id_text(const struct ccdm_boot *boot, char **text, char *why, size_t why_size)
{
	const unsigned int *regs = boot->rtmr ? ccdm_id_rtmrs : ccdm_id_pcrs;
	size_t n = boot->rtmr ? ARRAY_SIZE(ccdm_id_rtmrs) : ARRAY_SIZE(ccdm_id_pcrs);
	struct ccdm_id id = { .boot = boot, .why = why, .why_size = why_size };
	size_t i;

	*text = NULL;
	if (why_size)
		why[0] = '\0';
	id.text = malloc(64 + boot->count * LINE);
	if (!id.text)
		return -ENOMEM;
	id.size = sprintf(id.text, "ccdm-enclave-id 1\n%s %s\n", boot->rtmr ? "tdx" : "tpm",
			  ccdm_digest_name(boot->bank));
	if (boot->bank == CCDM_ALG_SHA1)
		ccdm_id_unknown(&id, regs[0], "the bank is sha1");
	for (i = 0; i < n; i++) {
		if (!(boot->proved & 1U << regs[i]))
			ccdm_id_unknown(&id, regs[i], "its events do not count");
		else if (ccdm_id_ours(&id, regs[i]))
			ccdm_id_own_register(&id, regs[i]);
		else
			ccdm_id_register(&id, regs[i]);
	}
	if (id.unknown)
		free(id.text);
	else
		*text = id.text;
	return 0;
}

int ccdm_enclave_id_of(const char *text, char id[CCDM_ENCLAVE_ID_SIZE])
{
	struct ccdm_digest d;
	int r = ccdm_digest_of(CCDM_ALG_SHA256, text, strlen(text), NULL, 0, &d);

	if (!r)
		ccdm_hex(d.bytes, d.size, id);
	return r;
}

int ccdm_enclave_id(const struct ccdm_boot *boot, char id[CCDM_ENCLAVE_ID_SIZE], char *why,
		    size_t why_size)
{
	char *text;
	int r;

	id[0] = '\0';
	r = ccdm_enclave_id_text(boot, &text, why, why_size);
	if (!r && text)
		r = ccdm_enclave_id_of(text, id);
	free(text);
	return r;
}
