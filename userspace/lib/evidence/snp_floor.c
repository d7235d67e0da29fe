// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* snp_floor.c - see snp_floor.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/lines.h"
#include "snp_floor.h"

static const char *const ccdm_snp_part_names[CCDM_SNP_PARTS] = { "fmc", "bootloader", "tee", "snp",
								 "microcode" };

/* ---- reading ---------------------------------------------------------------- */

/* Parse exactly two hexadecimal digits and the character @end. */
static int ccdm_floor_byte(const char **text, char end, uint8_t *byte)
{
	const char *p = *text;

	if (strspn(p, "0123456789abcdefABCDEF") != 2 || p[2] != end)
		return -EINVAL;
	*byte = strtoul(p, NULL, 16);
	*text = p + 2 + (end != '\0');
	return 0;
}

/* Parse "milan" or "milan:19/01/01". */
static int ccdm_floor_whose(const char *word, struct ccdm_snp_floor_line *line)
{
	size_t n = strcspn(word, ":");
	enum ccdm_snp_generation g;

	for (g = CCDM_SNP_MILAN; g <= CCDM_SNP_VENICE; g++)
		if (strlen(ccdm_snp_generation_name(g)) == n &&
		    !strncasecmp(word, ccdm_snp_generation_name(g), n))
			break;
	if (g > CCDM_SNP_VENICE)
		return -EINVAL;
	line->generation = g;
	line->one_cpu = word[n];
	if (!word[n])
		return 0;
	word += n + 1;
	if (ccdm_floor_byte(&word, '/', &line->cpu[0]) ||
	    ccdm_floor_byte(&word, '/', &line->cpu[1]) ||
	    ccdm_floor_byte(&word, '\0', &line->cpu[2]) ||
	    ccdm_snp_cpuid(line->cpu[0], line->cpu[1]) != g)
		return -EINVAL;
	return 0;
}

static int ccdm_floor_part(const char *word, struct ccdm_snp_floor_line *line)
{
	for (line->part = 0; line->part < CCDM_SNP_PARTS; line->part++)
		if (!strcmp(word, ccdm_snp_part_names[line->part]))
			return 0;
	return -EINVAL;
}

static int ccdm_floor_version(const char *word, struct ccdm_snp_floor_line *line)
{
	bool hex = !strncmp(word, "0x", 2);
	const char *digits = word + (hex ? 2 : 0);
	size_t n = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
	unsigned long value;

	if (!n || n > 3 || digits[n])
		return -EINVAL;
	value = strtoul(digits, NULL, hex ? 16 : 10);
	line->least = value;
	return value <= UINT8_MAX ? 0 : -EINVAL;
}

static int ccdm_floor_line(const char *where, char *const *word, unsigned int words, void *arg,
			   struct ccdm_err *err)
{
	struct ccdm_snp_floor *floor = arg;
	struct ccdm_snp_floor_line *line = &floor->line[floor->count];

	if (floor->count == CCDM_SNP_FLOOR_LINES)
		return ccdm_err_set(err, -EINVAL, "%s: more than %u lines", where,
				    CCDM_SNP_FLOOR_LINES);
	if (words != 4)
		return ccdm_err_set(err, -EINVAL,
				    "%s: expected generation, part, version and source", where);
	if (ccdm_floor_whose(word[0], line))
		return ccdm_err_set(err, -EINVAL,
				    "%s: '%.40s': expected milan, genoa, turin or venice, or with "
				    "one of its processors, such as milan:19/01/01",
				    where, word[0]);
	if (ccdm_floor_part(word[1], line))
		return ccdm_err_set(err, -EINVAL,
				    "%s: '%.40s': expected fmc, bootloader, tee, snp or microcode",
				    where, word[1]);
	if (ccdm_floor_version(word[2], line))
		return ccdm_err_set(err, -EINVAL, "%s: '%.40s': expected a version of 0 to 255",
				    where, word[2]);
	if (strlen(word[3]) >= sizeof(line->source))
		return ccdm_err_set(err, -EINVAL, "%s: a source has at most %zu letters", where,
				    sizeof(line->source) - 1);
	snprintf(line->source, sizeof(line->source), "%s", word[3]);
	floor->count++;
	return 0;
}

int ccdm_snp_floor_parse(const char *what, const char *text, size_t size,
			 struct ccdm_snp_floor *floor, struct ccdm_err *err)
{
	int r;

	memset(floor, 0, sizeof(*floor));
	r = ccdm_lines_read(what, text, size, CCDM_SNP_FLOOR_FILE, ccdm_floor_line, floor, err);
	if (r)
		memset(floor, 0, sizeof(*floor));
	return r;
}

int ccdm_snp_floor_builtin(struct ccdm_snp_floor *floor, struct ccdm_err *err)
{
	return ccdm_snp_floor_parse("floor", ccdm_snp_floor_text, strlen(ccdm_snp_floor_text),
				    floor, err);
}

/* ---- judging ---------------------------------------------------------------- */

static bool ccdm_floor_fits(const struct ccdm_snp_floor_line *line, const struct ccdm_snp *snp)
{
	if (line->generation != snp->generation)
		return false;
	return !line->one_cpu || snp->version < 3 ||
	       (line->cpu[0] == snp->cpuid_family && line->cpu[1] == snp->cpuid_model &&
		line->cpu[2] == snp->cpuid_stepping);
}

/* For each part find the line with the highest version; NULL if there is none. */
static void ccdm_floor_highest(const struct ccdm_snp_floor *floor, const struct ccdm_snp *snp,
			       const struct ccdm_snp_floor_line *highest[CCDM_SNP_PARTS])
{
	const struct ccdm_snp_floor_line *line;

	for (line = floor->line; line < floor->line + floor->count; line++)
		if (ccdm_floor_fits(line, snp) &&
		    (!highest[line->part] || line->least > highest[line->part]->least))
			highest[line->part] = line;
}

/* The version of one part; the parts are numbered as in the table of their names. */
static uint8_t ccdm_floor_of(const uint8_t raw[8], enum ccdm_snp_generation generation,
			     unsigned int part)
{
	struct ccdm_snp_tcb tcb = ccdm_snp_tcb(raw, generation);
	const uint8_t parts[CCDM_SNP_PARTS] = { tcb.fmc, tcb.bootloader, tcb.tee, tcb.snp,
						tcb.microcode };

	return parts[part];
}

static void __attribute__((format(printf, 3, 4)))
ccdm_floor_say(char *text, size_t size, const char *format, ...)
{
	size_t n = strlen(text);
	va_list ap;

	va_start(ap, format);
	vsnprintf(text + n, size - n, format, ap);
	va_end(ap);
}

/* Is one part at its floor? Appends to the texts what was expected and found. */
static bool ccdm_floor_part_good(const struct ccdm_snp_floor_line *line, const struct ccdm_snp *snp,
				 struct ccdm_snp_firmware *f)
{
	const char *name = ccdm_snp_part_names[line->part];
	uint8_t reported = ccdm_floor_of(snp->tcb_raw.reported, snp->generation, line->part);
	uint8_t committed = ccdm_floor_of(snp->tcb_raw.committed, snp->generation, line->part);
	uint8_t launch = ccdm_floor_of(snp->tcb_raw.launch, snp->generation, line->part);

	if (f->expected[0])
		ccdm_floor_say(f->expected, sizeof(f->expected), ",");
	else
		ccdm_floor_say(f->expected, sizeof(f->expected), "%s at",
			       ccdm_snp_generation_name(snp->generation));
	ccdm_floor_say(f->expected, sizeof(f->expected), " %s %u (%s)", name, line->least,
		       line->source);
	if (reported >= line->least && committed >= line->least && launch >= line->least)
		return true;
	ccdm_floor_say(f->found, sizeof(f->found), "%s%s reported %u, committed %u, at launch %u",
		       f->found[0] ? "; " : "", name, reported, committed, launch);
	return false;
}

void ccdm_snp_floor_judge(const struct ccdm_snp_floor *floor, const struct ccdm_snp *snp,
			  struct ccdm_snp_firmware *f)
{
	const struct ccdm_snp_floor_line *highest[CCDM_SNP_PARTS] = { 0 };
	struct ccdm_snp_floor own;
	struct ccdm_err ignored;
	unsigned int i, known = 0, good = 0;

	memset(f, 0, sizeof(*f));
	/* without memory no floor is known, and the status says so */
	if (!floor && !ccdm_snp_floor_builtin(&own, &ignored))
		floor = &own;
	if (floor)
		ccdm_floor_highest(floor, snp, highest);
	for (i = 0; i < CCDM_SNP_PARTS; i++) {
		known += !!highest[i];
		good += highest[i] && ccdm_floor_part_good(highest[i], snp, f);
	}
	f->status = !known	   ? CCDM_SNP_NO_FLOOR
		    : good < known ? CCDM_SNP_OUT_OF_DATE
				   : CCDM_SNP_UP_TO_DATE;
	if (known)
		ccdm_floor_say(f->expected, sizeof(f->expected), " or above");
	else
		snprintf(f->expected, sizeof(f->expected), "firmware whose floor is known");
	if (!known)
		snprintf(f->found, sizeof(f->found), "none is for %s",
			 ccdm_snp_generation_name(snp->generation));
	else if (good == known)
		snprintf(f->found, sizeof(f->found), "none below it");
}
