/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * compare.h - compare a prediction with the event log of a boot, and explain the differences
 *
 * Anybody can write a log, and no register proves it here. The comparison tells a person why a boot
 * has another enclave ID than predicted.
 */
#ifndef CCDM_COMPARE_H
#define CCDM_COMPARE_H

#include "log/tcglog.h"
#include "predict.h"

#define CCDM_COMPARE_MAX 64

/* The enclave ID of the boot, compared with the predicted one. */
enum ccdm_compare_id {
	CCDM_COMPARE_UNKNOWN_ID, /* a register of it was not compared */
	CCDM_COMPARE_SAME_ID,
	CCDM_COMPARE_OTHER_ID,
};

/**
 * struct ccdm_compare_found - an event of a log
 * @number: of the event in its log, from 1
 * @reg: PCR, or RTMR
 * @type: EV_...
 * @has: bit i: @digest[i] is there
 * @digest: in SHA-256 and SHA-384
 * @data, @size: the log's data about the event
 * @known: firmware makes it on every machine
 * @gpt: a partition table, which the digest covers
 * @text: NAME:VALUE, of ccdm's log; else ""
 */
struct ccdm_compare_found {
	unsigned int number;
	unsigned int reg;
	uint32_t type;
	unsigned int has;
	struct ccdm_digest digest[CCDM_PREDICT_BANKS];
	const uint8_t *data;
	uint32_t size;
	bool known;
	bool gpt;
	char text[CCDM_EVENT_MAX + 1];
};

/**
 * struct ccdm_departure - a place where the boot departs from the prediction
 * @reg: PCR, or RTMR
 * @number: of the event in its register, from 1
 * @log_number: of the event in its log, from 1. If the log lacks the event: the number of the event
 *	in its place, or, if the register has no more events, one more than the number of the log's
 *	last event
 * @expected: NULL: the log has an event that was not predicted
 * @found: NULL: the log lacks the event
 * @why: the explanation
 */
struct ccdm_departure {
	unsigned int reg;
	unsigned int number;
	unsigned int log_number;
	const struct ccdm_predicted *expected;
	const struct ccdm_compare_found *found;
	char why[512];
};

/**
 * struct ccdm_comparison - all of it
 * @rtmr: the log is of a TD
 * @found: @found_count events of the logs, of the registers that are compared
 * @end: one more than the number of the last event of the firmware's log
 * @equal: how many events are as they were predicted, in each bank that the log has
 * @banks: bit i: the log has the bank i
 * @departures: in the order of the logs
 * @left_out: @left of them: registers that were not compared, with the reason
 * @id: the enclave ID
 */
struct ccdm_comparison {
	bool rtmr;
	struct ccdm_compare_found *found;
	size_t found_count;
	unsigned int end;
	unsigned int equal;
	unsigned int banks;
	unsigned int count;
	struct ccdm_departure departure[CCDM_COMPARE_MAX];
	unsigned int left;
	struct ccdm_predict_unknown left_out[CCDM_PREDICT_UNKNOWN + 2];
	enum ccdm_compare_id id;
};

/**
 * struct ccdm_compare_logs - the logs; both untrusted
 * @rtmr: the firmware's log is of a TD (CCEL)
 * @firmware, @firmware_size: binary
 * @ccdm, @ccdm_size: CEL-JSON, or NULL
 */
struct ccdm_compare_logs {
	bool rtmr;
	const void *firmware;
	size_t firmware_size;
	const char *ccdm;
	size_t ccdm_size;
};

/**
 * ccdm_compare() - compare them
 * @c: filled; it points into @b, @p and @logs; ccdm_compare_drop() ends it, after an error, too
 *
 * Return: 0, also if the boot differs; -EINVAL for a log that cannot be read; -ENOMEM; -EIO.
 */
int __must_check ccdm_compare(const struct ccdm_bootable *b, const struct ccdm_prediction *p,
			      const struct ccdm_compare_logs *logs, struct ccdm_comparison *c,
			      struct ccdm_err *err);
void ccdm_compare_drop(struct ccdm_comparison *c);

/* True if every register was compared, and no event differs. */
bool __must_check ccdm_compare_same(const struct ccdm_comparison *c);

/* compare_words.c: fill @why of each departure, and sort them */
void ccdm_compare_words(const struct ccdm_bootable *b, const struct ccdm_prediction *p,
			struct ccdm_comparison *c);

#endif
