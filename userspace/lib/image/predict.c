// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* predict.c - see predict.h */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "predict.h"

#define SEPARATOR "separator"

static const uint16_t ccdm_predict_banks[CCDM_PREDICT_BANKS] = { CCDM_ALG_SHA256, CCDM_ALG_SHA384 };

uint16_t ccdm_predict_bank(unsigned int number)
{
	return ccdm_predict_banks[number];
}

unsigned int ccdm_predict_rtmr(unsigned int pcr)
{
	return pcr == CCDM_EVENT_PCR ? CCDM_EVENT_RTMR : pcr >= 8 ? 2 : 1;
}

/* While events are added: the first failure stays. */
struct ccdm_predict_maker {
	const struct ccdm_bootable *b;
	struct ccdm_prediction *p;
	struct ccdm_err *err;
	int r;
};

/* ---- adding ----------------------------------------------------------------------- */

static struct ccdm_predicted *ccdm_predict_new(struct ccdm_predict_maker *m,
					       enum ccdm_predict_kind kind, unsigned int pcr,
					       const char *what, const char *of)
{
	struct ccdm_predicted *e;

	if (m->r)
		return NULL;
	if (m->p->events == CCDM_PREDICT_EVENTS) {
		m->r = ccdm_err_set(m->err, -EINVAL, "%s: more events than there is room for",
				    m->b->source.name);
		return NULL;
	}
	e = &m->p->event[m->p->events++];
	memset(e, 0, sizeof(*e));
	e->kind = kind;
	e->pcr = pcr;
	snprintf(e->what, sizeof(e->what), "%s", what);
	snprintf(e->of, sizeof(e->of), "%s", of);
	return e;
}

static void ccdm_predict_pieces(struct ccdm_predict_maker *m, enum ccdm_predict_kind kind,
				unsigned int pcr, const char *what, const char *of,
				const struct ccdm_piece *piece, size_t count)
{
	struct ccdm_predicted *e = ccdm_predict_new(m, kind, pcr, what, of);
	unsigned int i;

	for (i = 0; !m->r && i < CCDM_PREDICT_BANKS; i++)
		m->r = ccdm_digest_pieces(ccdm_predict_banks[i], piece, count, &e->digest[i]);
}

static void ccdm_predict_bytes(struct ccdm_predict_maker *m, enum ccdm_predict_kind kind,
			       unsigned int pcr, const char *what, const char *of,
			       const void *bytes, size_t size)
{
	struct ccdm_piece piece = { bytes, size };

	ccdm_predict_pieces(m, kind, pcr, what, of, &piece, 1);
}

static void ccdm_predict_constant(struct ccdm_predict_maker *m, unsigned int pcr, const char *text)
{
	ccdm_predict_bytes(m, CCDM_PREDICT_CONSTANT, pcr, text, "", text, strlen(text));
}

static void ccdm_predict_pe(struct ccdm_predict_maker *m, enum ccdm_predict_kind kind,
			    const char *what, const struct ccdm_pe *pe)
{
	struct ccdm_predicted *e = ccdm_predict_new(m, kind, 4, what, "");
	unsigned int i;

	for (i = 0; !m->r && i < CCDM_PREDICT_BANKS; i++)
		m->r = ccdm_pe_digest(pe, ccdm_predict_banks[i], &e->digest[i]);
}

__attribute__((format(printf, 3, 4))) static void ccdm_predict_unknown(struct ccdm_predict_maker *m,
								       unsigned int pcr,
								       const char *fmt, ...)
{
	struct ccdm_predict_unknown *u;
	va_list ap;

	/* (one reason a register is enough) */
	if (m->r || ccdm_predict_why(m->p, pcr) || m->p->unknowns == CCDM_PREDICT_UNKNOWN)
		return;
	u = &m->p->unknown[m->p->unknowns++];
	u->pcr = pcr;
	va_start(ap, fmt);
	vsnprintf(u->why, sizeof(u->why), fmt, ap);
	va_end(ap);
	ccdm_err_plain(u->why);
}

const char *ccdm_predict_why(const struct ccdm_prediction *p, unsigned int pcr)
{
	unsigned int i;

	for (i = 0; i < p->unknowns; i++)
		if (p->unknown[i].pcr == pcr)
			return p->unknown[i].why;
	return NULL;
}

/* ---- the events, in their order ------------------------------------------------------- */

static void ccdm_predict_firmware(struct ccdm_predict_maker *m)
{
	unsigned int pcr;

	ccdm_predict_constant(m, 4, "Calling EFI Application from Boot Option");
	for (pcr = 2; pcr <= 5; pcr++)
		if (pcr != 3)
			ccdm_predict_bytes(m, CCDM_PREDICT_CONSTANT, pcr, SEPARATOR, "", "\0\0\0\0",
					   4);
	if (m->b->disk)
		ccdm_predict_bytes(m, CCDM_PREDICT_GPT, 5, "the partition table", "",
				   m->b->gpt.event, m->b->gpt.event_size);
	ccdm_predict_pe(m, CCDM_PREDICT_UKI, "the UKI", &m->b->uki.pe);
}

static void ccdm_predict_sections(struct ccdm_predict_maker *m)
{
	const struct ccdm_uki *uki = &m->b->uki;
	const uint8_t *bytes;
	const char *name;
	char what[96];
	unsigned int i;
	size_t size;

	for (i = 0; (name = ccdm_uki_measured(uki, i)); i++) {
		bytes = ccdm_uki_content(uki, name, &size);
		if (!bytes)
			continue;
		snprintf(what, sizeof(what), "section %s: its name", name);
		ccdm_predict_bytes(m, CCDM_PREDICT_SECTION_NAME, 11, what, name, name,
				   strlen(name) + 1);
		snprintf(what, sizeof(what), "section %s: its content", name);
		ccdm_predict_bytes(m, CCDM_PREDICT_SECTION, 11, what, name, bytes, size);
	}
}

static void ccdm_predict_kernel(struct ccdm_predict_maker *m)
{
	struct ccdm_err why = { 0 };
	const uint8_t *bytes;
	struct ccdm_pe *pe;
	size_t size;

	bytes = ccdm_uki_content(&m->b->uki, ".linux", &size);
	pe = malloc(sizeof(*pe));
	if (!pe) {
		m->r = m->r ? m->r : -ENOMEM;
		return;
	}
	if (ccdm_pe_parse(".linux", bytes, size, pe, &why))
		ccdm_predict_unknown(m, 4, "%s: %s", m->b->path, why.text);
	else
		ccdm_predict_pe(m, CCDM_PREDICT_KERNEL, "the kernel, section .linux of the UKI",
				pe);
	free(pe);
}

static void ccdm_predict_options(struct ccdm_predict_maker *m)
{
	struct ccdm_piece piece[3];
	uint8_t *bytes = NULL;
	const char *why = NULL;
	size_t size;

	if (m->r)
		return;
	m->r = ccdm_uki_options(&m->b->uki, &bytes, &size, &why);
	if (why)
		ccdm_predict_unknown(m, 9, "%s: %s", m->b->path, why);
	else
		ccdm_predict_bytes(m, CCDM_PREDICT_OPTIONS, 9,
				   "the kernel's load options, section .cmdline of the UKI",
				   ".cmdline", bytes, size);
	free(bytes);
	bytes = NULL;
	if (m->r)
		return;
	m->r = ccdm_uki_initrd(&m->b->uki, piece, &bytes, &size);
	ccdm_predict_pieces(m, CCDM_PREDICT_INITRD, 9, "the initrd as the kernel gets it",
			    ".initrd", piece, size);
	free(bytes);
}

/* Add the events of ccdm-setup, whose texts are in @p->measured. */
static void ccdm_predict_ccdm(struct ccdm_predict_maker *m)
{
	const struct ccdm_measure_files files = { .read = ccdm_bootable_initrd_file,
						  .arg = (void *)m->b };
	struct ccdm_measure_list *list = &m->p->measured;
	struct ccdm_err why = { 0 };
	char name[32];
	unsigned int i;
	int r;

	if (m->b->no_conf[0]) {
		ccdm_predict_unknown(m, CCDM_EVENT_PCR, "%s", m->b->no_conf);
		return;
	}
	if (m->b->config.tpm == CCDM_TPM_OFF)
		ccdm_predict_unknown(m, CCDM_EVENT_PCR,
				     "%s: [measure] tpm = off: nothing is measured",
				     CCDM_CONFIG_FILE);
	r = ccdm_measure_events_of(&m->b->config, &files, list, &why);
	if (r == -ENOMEM)
		m->r = m->r ? m->r : r;
	if (r) {
		ccdm_predict_unknown(m, CCDM_EVENT_PCR, "%s", why.text);
		return;
	}
	for (i = 0; i < list->count; i++) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(list->text[i], ":"),
			 list->text[i]);
		ccdm_predict_bytes(m, CCDM_PREDICT_CCDM, CCDM_EVENT_PCR, name, name, list->text[i],
				   strlen(list->text[i]));
	}
}

/* The stub puts such files into the initrd, or changes the command line, and measures them. */
static void ccdm_predict_beside(struct ccdm_predict_maker *m)
{
	static const unsigned int pcrs[] = { 12, 9, 13 };
	const struct ccdm_bootable *b = m->b;
	unsigned int i, k;

	for (i = 0; i < b->files; i++)
		for (k = 0; b->file[i].beside && k < ARRAY_SIZE(pcrs); k++)
			ccdm_predict_unknown(
				m, pcrs[k],
				"%s: the stub takes it as %s and measures it; expected only the UKI on the EFI system partition",
				b->file[i].path, b->file[i].beside);
}

int ccdm_predict(const struct ccdm_bootable *b, bool secure_boot, struct ccdm_prediction *p,
		 struct ccdm_err *err)
{
	struct ccdm_predict_maker m = { .b = b, .p = p, .err = err };
	char why[192];

	memset(p, 0, sizeof(*p));
	ccdm_predict_firmware(&m);
	ccdm_uki_unknown(&b->uki, why, sizeof(why));
	if (why[0]) {
		ccdm_predict_unknown(&m, 11, "%s: %s", b->path, why);
		ccdm_predict_unknown(&m, 9, "%s: %s", b->path, why);
	}
	ccdm_predict_beside(&m);
	ccdm_uki_kernel(&b->uki, why, sizeof(why));
	if (why[0])
		ccdm_predict_unknown(&m, 9, "%s: %s", b->path, why);
	if (!ccdm_predict_why(p, 11))
		ccdm_predict_sections(&m);
	if (!secure_boot)
		ccdm_predict_kernel(&m);
	if (!ccdm_predict_why(p, 9))
		ccdm_predict_options(&m);
	ccdm_predict_constant(&m, 5, "Exit Boot Services Invocation");
	ccdm_predict_constant(&m, 5, "Exit Boot Services Returned with Success");
	ccdm_predict_ccdm(&m);
	if (m.r == -ENOMEM)
		return ccdm_err_memory(err);
	return m.r && !err->text[0] ? ccdm_err_set(err, m.r, "%s: hashing failed", b->source.name)
				    : m.r;
}

/* ---- values and IDs -------------------------------------------------------------------- */

int ccdm_predict_value(const struct ccdm_prediction *p, unsigned int pcr, unsigned int bank,
		       struct ccdm_digest *value)
{
	unsigned int i;
	int r = 0;

	memset(value, 0, sizeof(*value));
	value->alg = ccdm_predict_banks[bank];
	value->size = ccdm_digest_size(value->alg);
	for (i = 0; !r && i < p->events; i++)
		if (p->event[i].pcr == pcr)
			r = ccdm_eventlog_extend(value, &p->event[i].digest[bank]);
	return r;
}

/* The event of four zero bytes, of which firmware makes one in each PCR. */
static bool ccdm_predict_separator(const struct ccdm_predicted *e)
{
	return e->kind == CCDM_PREDICT_CONSTANT && !strcmp(e->what, SEPARATOR);
}

int ccdm_predict_rtmr_value(const struct ccdm_prediction *p, unsigned int reg, bool separator,
			    struct ccdm_digest *value)
{
	unsigned int i;
	int r = 0;

	memset(value, 0, sizeof(*value));
	value->alg = CCDM_ALG_SHA384;
	value->size = ccdm_digest_size(value->alg);
	for (i = 0; !r && i < p->events; i++) {
		const struct ccdm_predicted *e = &p->event[i];

		if (ccdm_predict_rtmr(e->pcr) != reg)
			continue;
		if (ccdm_predict_separator(e)) {
			if (!separator)
				continue;
			separator = false;
		}
		r = ccdm_eventlog_extend(value, &e->digest[1]);
	}
	return r;
}

const char *ccdm_predict_rtmr_why(const struct ccdm_bootable *b, unsigned int reg)
{
	if (reg == 2 && b->uki.version == 252)
		return "systemd-stub 252 measures into a TPM only";
	if (reg == CCDM_EVENT_RTMR && b->config.rtmr == CCDM_RTMR_OFF)
		return CCDM_CONFIG_FILE ": [measure] rtmr = off";
	return NULL;
}

/* The reason why a register of an ID is unknown; "" if all are known. */
static void ccdm_predict_id_why(const struct ccdm_bootable *b, const struct ccdm_prediction *p,
				bool rtmr, char *why, size_t size)
{
	unsigned int reg;

	why[0] = '\0';
	if (p->unknowns)
		snprintf(why, size, "pcr%u: %s", p->unknown[0].pcr, p->unknown[0].why);
	for (reg = 1; rtmr && !why[0] && reg <= 3; reg++)
		if (ccdm_predict_rtmr_why(b, reg))
			snprintf(why, size, "rtmr%u: %s", reg, ccdm_predict_rtmr_why(b, reg));
}

int ccdm_predict_id_text(const struct ccdm_bootable *b, const struct ccdm_prediction *p, bool rtmr,
			 unsigned int bank, char **text, char *why, size_t why_size)
{
	unsigned int i, number = rtmr ? 1 : bank;
	struct ccdm_known_events known;
	struct ccdm_boot_event *event;
	struct ccdm_boot boot = { .rtmr = rtmr,
				  .bank = ccdm_predict_banks[number],
				  .proved = ~0U,
				  .count = p->events,
				  .known = &known };
	int r;

	*text = NULL;
	ccdm_predict_id_why(b, p, rtmr, why, why_size);
	if (why[0])
		return 0;
	event = calloc(p->events, sizeof(*event));
	if (!event)
		return -ENOMEM;
	for (i = 0; i < p->events; i++) {
		const struct ccdm_predicted *e = &p->event[i];

		event[i].part = e->kind == CCDM_PREDICT_CCDM ? CCDM_PART_CCDM : CCDM_PART_FIRMWARE;
		event[i].reg = rtmr ? ccdm_predict_rtmr(e->pcr) : e->pcr;
		event[i].gpt = e->kind == CCDM_PREDICT_GPT;
		memcpy(event[i].digest, e->digest[number].bytes, e->digest[number].size);
		if (e->kind == CCDM_PREDICT_CCDM)
			snprintf(event[i].name, sizeof(event[i].name), "%s", e->of);
	}
	boot.event = event;
	r = ccdm_known_events_init(boot.bank, &known);
	if (!r)
		r = ccdm_enclave_id_text(&boot, text, why, why_size);
	free(event);
	return r;
}

int ccdm_predict_id(const struct ccdm_bootable *b, const struct ccdm_prediction *p, bool rtmr,
		    unsigned int bank, char id[CCDM_ENCLAVE_ID_SIZE], char *why, size_t why_size)
{
	char *text;
	int r;

	id[0] = '\0';
	r = ccdm_predict_id_text(b, p, rtmr, bank, &text, why, why_size);
	if (!r && text)
		r = ccdm_enclave_id_of(text, id);
	free(text);
	return r;
}
