// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* compare_words.c - explains to a person what a departure means; see compare.h */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "compare.h"

#define EV_IMAGE_HEADER 32 /* bytes of UEFI_IMAGE_LOAD_EVENT before its device path */

static const struct {
	const char *section;
	const char *words;
} ccdm_words_sections[] = {
	{ ".linux", "the kernel" },
	{ ".osrel", "os-release" },
	{ ".cmdline", "the kernel's command line" },
	{ ".initrd", "the initrd" },
	{ ".ucode", "microcode" },
	{ ".splash", "the picture" },
	{ ".dtb", "the device tree" },
	{ ".uname", "the kernel's version" },
	{ ".sbat", "the generations for revocation" },
	{ ".pcrpkey", "the key for PCR signatures" },
	{ ".profile", "a profile" },
	{ ".dtbauto", "a device tree" },
	{ ".hwids", "hardware IDs" },
};

static const char *ccdm_words_section(const char *section)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ccdm_words_sections); i++)
		if (!strcmp(ccdm_words_sections[i].section, section))
			return ccdm_words_sections[i].words;
	return section;
}

/* The text while it is written. */
struct ccdm_words {
	char *text;
	size_t size, at;
};

__attribute__((format(printf, 2, 3))) static void ccdm_words_say(struct ccdm_words *w,
								 const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(w->text + w->at, w->size - w->at, fmt, ap);
	va_end(ap);
	if (n > 0)
		w->at = (size_t)n < w->size - w->at ? w->at + (size_t)n : w->size - 1;
}

/* ---- what a log says of an event ------------------------------------------------------- */

/* A text of UTF-16, up to its zero, as ASCII; '?' stands for any other letter. */
static void ccdm_words_utf16(const uint8_t *p, size_t size, char *text, size_t room)
{
	size_t i, n = 0;

	for (i = 0; i + 1 < size && n + 1 < room; i += 2) {
		uint16_t c = ccdm_le16(p + i);

		if (!c)
			break;
		text[n++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
	}
	text[n] = '\0';
}

/* The file from which a program was loaded: nodes of a device path, of type 4.4 */
static void ccdm_words_path(const struct ccdm_compare_found *f, char *text, size_t room)
{
	const uint8_t *p = f->data + EV_IMAGE_HEADER, *end = f->data + f->size;
	size_t size;

	text[0] = '\0';
	if (f->size < EV_IMAGE_HEADER)
		return;
	for (; end - p >= 4; p += size) {
		size = ccdm_le16(p + 2);
		if (size < 4 || size > (size_t)(end - p))
			return;
		if (p[0] == 4 && p[1] == 4)
			ccdm_words_utf16(p + 4, size - 4, text, room);
	}
}

/* The section whose name has this digest; NULL: there is none */
static const char *ccdm_words_named(const struct ccdm_compare_found *f)
{
	struct ccdm_digest d;
	const char *name;
	unsigned int i, k = f->has & 1 ? 0 : 1;

	for (i = 0; (name = ccdm_uki_name(i)); i++)
		if (!ccdm_digest_of(ccdm_predict_bank(k), name, strlen(name) + 1, NULL, 0, &d) &&
		    !memcmp(d.bytes, f->digest[k].bytes, d.size))
			return name;
	return NULL;
}

/* ---- one departure ------------------------------------------------------------------------- */

/* An event that was not predicted. */
static void ccdm_words_more(const struct ccdm_comparison *c, const struct ccdm_compare_found *f,
			    struct ccdm_words *w)
{
	char text[256] = "";
	const char *name;

	if (f->text[0]) {
		ccdm_words_say(w, "ccdm measured one more event: %s", f->text);
		return;
	}
	if (c->rtmr) {
		ccdm_words_say(w, "an event was measured that does not come from this disk");
		return;
	}
	switch (f->reg) {
	case 2:
		ccdm_words_say(w, "a driver or an option ROM ran before the UKI");
		break;
	case 4:
		ccdm_words_path(f, text, sizeof(text));
		ccdm_words_say(w, "a program ran that this disk does not start%s%s%s",
			       text[0] ? " (the log calls it " : "", text, text[0] ? ")" : "");
		break;
	case 5:
		ccdm_words_say(w, "another partition table, or a setting of a boot loader, was "
				  "measured");
		break;
	case 8:
		ccdm_words_say(w, "GRUB ran a command");
		break;
	case 9:
		ccdm_words_say(w, "a file was measured that is not part of this UKI");
		break;
	case 11:
		name = ccdm_words_named(f);
		if (name)
			ccdm_words_say(w, "the UKI that was booted has a section %s (%s)", name,
				       ccdm_words_section(name));
		else
			ccdm_words_say(w, "the UKI that was booted has a section with another "
					  "content");
		break;
	case 12:
		ccdm_words_utf16(f->data, f->size, text, sizeof(text));
		ccdm_words_say(w,
			       "the stub used an addon, a credential or a command line from "
			       "outside of the UKI%s%s%s",
			       text[0] ? " (the log says '" : "", text, text[0] ? "')" : "");
		break;
	case 13:
		ccdm_words_say(w, "the stub used a system extension from outside of the UKI");
		break;
	case 14:
		ccdm_words_say(w, "shim ran before the UKI");
		break;
	default:
		ccdm_words_say(w, "an event was not predicted");
	}
}

static void ccdm_words_gpt(const struct ccdm_bootable *b, const struct ccdm_compare_found *f,
			   struct ccdm_words *w)
{
	struct ccdm_err ignored = { 0 };
	struct ccdm_gpt *gpt = malloc(sizeof(*gpt));
	char what[256] = "";

	if (gpt && f->gpt && !ccdm_gpt_event("the log", f->data, f->size, gpt, &ignored))
		ccdm_gpt_difference(&b->gpt, gpt, what, sizeof(what));
	free(gpt);
	ccdm_words_say(w, "the partition table differs%s%s",
		       what[0]	? ": "
		       : f->gpt ? ""
				: ", or something else was measured in its place",
		       what);
}

/* ccdm's own event: its predicted text */
static const char *ccdm_words_measured(const struct ccdm_prediction *p, const char *name)
{
	size_t n = strlen(name);
	unsigned int i;

	for (i = 0; i < p->measured.count; i++)
		if (!strncmp(p->measured.text[i], name, n) && p->measured.text[i][n] == ':')
			return p->measured.text[i];
	return name;
}

/* @f: the event of the log instead of @e; NULL: the log lacks @e */
static void ccdm_words_other(const struct ccdm_bootable *b, const struct ccdm_prediction *p,
			     const struct ccdm_predicted *e, const struct ccdm_compare_found *f,
			     struct ccdm_words *w)
{
	char text[256];

	switch (e->kind) {
	case CCDM_PREDICT_UKI:
		if (f && f->data)
			ccdm_words_path(f, text, sizeof(text));
		else
			text[0] = '\0';
		ccdm_words_say(w,
			       f ? "another program than %s of this disk was started%s%s%s"
				 : "%s of this disk was not started%s%s%s",
			       b->path, text[0] ? " (the log calls it " : "", text,
			       text[0] ? ")" : "");
		break;
	case CCDM_PREDICT_KERNEL:
		ccdm_words_say(
			w,
			f ? "another kernel was started than .linux of the UKI"
			  : "the firmware measured no kernel: Secure Boot is on, perhaps (--secure-boot)");
		break;
	case CCDM_PREDICT_OPTIONS:
		ccdm_words_say(w, f ? "the kernel got another command line than .cmdline of the UKI"
				    : "the kernel did not measure its command line");
		break;
	case CCDM_PREDICT_INITRD:
		ccdm_words_say(w, f ? "the kernel got another initrd than the stub makes of .initrd"
				    : "the kernel did not measure its initrd");
		break;
	case CCDM_PREDICT_SECTION_NAME:
		ccdm_words_say(w,
			       "the UKI that was booted lacks section %s (%s), or its stub does "
			       "not measure it",
			       e->of, ccdm_words_section(e->of));
		break;
	case CCDM_PREDICT_SECTION:
		ccdm_words_say(w,
			       f ? "%s differs (section %s of the UKI)"
				 : "the content of %s is missing (section %s of the UKI)",
			       ccdm_words_section(e->of), e->of);
		break;
	case CCDM_PREDICT_GPT:
		if (f)
			ccdm_words_gpt(b, f, w);
		else
			ccdm_words_say(w, "the firmware measured no partition table");
		break;
	case CCDM_PREDICT_CCDM:
		ccdm_words_say(w,
			       "/etc/ccdm/ccdm.conf in the initrd, or a file that it names, "
			       "differs: expected '%s', found %s%s%s",
			       ccdm_words_measured(p, e->of), f && f->text[0] ? "'" : "",
			       f && f->text[0] ? f->text : "no event", f && f->text[0] ? "'" : "");
		break;
	case CCDM_PREDICT_CONSTANT:
		ccdm_words_say(w, "the firmware did not measure '%s'", e->what);
		break;
	}
}

/* ---- all ------------------------------------------------------------------------------------- */

/* The UKI's hash shows only that the UKI differs; PCR 11 shows which sections differ. */
static void ccdm_words_uki(const struct ccdm_comparison *c, struct ccdm_departure *uki)
{
	struct ccdm_words w = { uki->why, sizeof(uki->why), strlen(uki->why) };
	const char *between = ": ";
	bool kernel = false;
	unsigned int i, n = 0;

	for (i = 0; i < c->count; i++) {
		const struct ccdm_departure *d = &c->departure[i];

		if (!d->expected)
			continue;
		kernel |= d->expected->kind == CCDM_PREDICT_KERNEL;
		if (d->expected->kind != CCDM_PREDICT_SECTION &&
		    d->expected->kind != CCDM_PREDICT_SECTION_NAME)
			continue;
		if (d->expected->kind == CCDM_PREDICT_SECTION && !d->found)
			continue; /* (the event of its name is missing, too) */
		ccdm_words_say(&w, "%s%s (%s) %s", between, ccdm_words_section(d->expected->of),
			       d->expected->of, d->found ? "differs" : "is missing");
		between = ", ";
		n++;
	}
	for (i = 0; i < c->count; i++) {
		const struct ccdm_compare_found *f = c->departure[i].found;
		const char *name = !c->departure[i].expected && f && !f->text[0] &&
						   c->departure[i].reg == (c->rtmr ? 2U : 11U)
					   ? ccdm_words_named(f)
					   : NULL;

		if (!name)
			continue;
		ccdm_words_say(&w, "%s%s (%s) was added", between, ccdm_words_section(name), name);
		between = ", ";
		n++;
	}
	for (i = 0; !n && i < c->left; i++)
		if (c->left_out[i].pcr == (c->rtmr ? 2U : 11U))
			return;
	if (!n && !kernel)
		ccdm_words_say(&w, ": all measured sections are the same, so its stub differs, or "
				   "a section that the stub does not measure");
}

/* Is it in ccdm's own log? PCR 3 is not compared, so register 3 is always the RTMR. */
static bool ccdm_words_ours(const struct ccdm_departure *d)
{
	return d->reg == CCDM_EVENT_PCR || d->reg == CCDM_EVENT_RTMR;
}

static int ccdm_words_order(const void *a, const void *b)
{
	const struct ccdm_departure *x = a, *y = b;
	bool later_x = ccdm_words_ours(x), later_y = ccdm_words_ours(y);

	/* (ccdm's log begins when firmware's has ended) */
	if (later_x != later_y)
		return later_x - later_y;
	return (x->log_number > y->log_number) - (x->log_number < y->log_number);
}

void ccdm_compare_words(const struct ccdm_bootable *b, const struct ccdm_prediction *p,
			struct ccdm_comparison *c)
{
	unsigned int i;

	qsort(c->departure, c->count, sizeof(c->departure[0]), ccdm_words_order);
	for (i = 0; i < c->count; i++) {
		struct ccdm_departure *d = &c->departure[i];
		struct ccdm_words w = { d->why, sizeof(d->why), 0 };

		if (d->expected)
			ccdm_words_other(b, p, d->expected, d->found, &w);
		else
			ccdm_words_more(c, d->found, &w);
		if (d->expected && d->expected->kind == CCDM_PREDICT_UKI && d->found)
			ccdm_words_uki(c, d);
		ccdm_err_plain(d->why);
	}
}
