/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * snp_floor.h - the lowest firmware of SNP platforms without known vulnerabilities
 *
 * AMD has no signed answer to "is this firmware up to date?", as Intel's TCB info is one. Its
 * security bulletins name the lowest security version (SVN) of a part in which a vulnerability is
 * fixed. The list is a text with one version per line; "#" starts a comment:
 *
 *	GENERATION[:FAMILY/MODEL/STEPPING] PART VERSION SOURCE
 *
 *	milan		 snp	   0x1d AMD-SB-3030
 *	genoa:19/11/01	 microcode 0x56 AMD-SB-3027
 *
 * GENERATION is milan, genoa, turin or venice; family, model and stepping are hexadecimal, as a
 * report's CPUID has them, without them the line is for all of the generation. PART is fmc,
 * bootloader, tee, snp or microcode; VERSION a number to 255, decimal or with 0x. SOURCE is the
 * bulletin, one word, and must be there. Of more lines for one part the highest version counts.
 */
#ifndef CCDM_SNP_FLOOR_H
#define CCDM_SNP_FLOOR_H

#include "base/compiler.h"
#include "snp.h"

#define CCDM_SNP_FLOOR_LINES 256
#define CCDM_SNP_FLOOR_FILE  (64 << 10) /* bytes of a list */
#define CCDM_SNP_PARTS	     5

/**
 * struct ccdm_snp_floor_line - one version
 * @generation: whose
 * @one_cpu: for the processors of @cpu alone
 * @cpu: family, model, stepping
 * @part: 0 to 4: fmc, bootloader, tee, snp, microcode
 * @least: the lowest version
 * @source: bulletin
 */
struct ccdm_snp_floor_line {
	enum ccdm_snp_generation generation;
	bool one_cpu;
	uint8_t cpu[3];
	uint8_t part;
	uint8_t least;
	char source[32];
};

/**
 * struct ccdm_snp_floor - a list
 * @line: @count lines
 * @count: how many
 */
struct ccdm_snp_floor {
	struct ccdm_snp_floor_line line[CCDM_SNP_FLOOR_LINES];
	unsigned int count;
};

/**
 * struct ccdm_snp_firmware - result for a platform
 * @status: whether its firmware is at the floor or above
 * @expected, @found: the floor, and what is below it, for a person
 */
struct ccdm_snp_firmware {
	enum ccdm_snp_status status;
	char expected[192];
	char found[352];
};

/* The built-in list, as text. */
extern const char ccdm_snp_floor_text[];

/**
 * ccdm_snp_floor_parse() - read a list
 * @what: its name, for messages
 * @text, @size: untrusted
 * @floor: filled
 *
 * Return: 0; -EINVAL with the line in @err; -ENOMEM. May sleep.
 */
int __must_check ccdm_snp_floor_parse(const char *what, const char *text, size_t size,
				      struct ccdm_snp_floor *floor, struct ccdm_err *err);

/* The same of ccdm_snp_floor_text. */
int __must_check ccdm_snp_floor_builtin(struct ccdm_snp_floor *floor, struct ccdm_err *err);

/**
 * ccdm_snp_floor_judge() - compare a platform's firmware with the floor
 * @floor: the list; NULL: the one that ccdm comes with
 * @snp: a report, with its generation
 * @firmware: filled
 *
 * What is reported, what is committed (the host can go back to it) and what the guest was
 * launched on must be. A report of version 2 does not say which processor it is of: all lines
 * of its generation are for it.
 */
void ccdm_snp_floor_judge(const struct ccdm_snp_floor *floor, const struct ccdm_snp *snp,
			  struct ccdm_snp_firmware *firmware);

#endif
