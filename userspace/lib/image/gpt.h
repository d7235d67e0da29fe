/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * gpt.h - the partition table of a disk, and the event that firmware makes of it
 *
 * The parser accepts only a table that firmware measures unchanged, because the event consists of
 * the table's raw bytes. libfdisk repairs a table, or uses the copy at the end of the disk, so it
 * cannot be used here. (UEFI 2.10, section 5.3; TCG PC Client Platform Firmware Profile 1.06,
 * section 10.2.6, UEFI_GPT_DATA)
 */
#ifndef CCDM_GPT_H
#define CCDM_GPT_H

#include <stdbool.h>
#include "source.h"

#define CCDM_GPT_ESP	   "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
/* Our own type, so that no other program takes it for a file system of the machine. */
#define CCDM_GPT_WORKLOAD  "0f6a3c8e-7c1b-4a7e-9d43-5b0f2c8de1a6"
#define CCDM_GPT_SECTOR	   512
#define CCDM_GPT_PARTS_MAX 128

/**
 * struct ccdm_gpt_part - a partition
 * @number: as in /dev/sdaN
 * @type, @uuid: in lower case
 * @name: printable; letters outside of ASCII are "?"
 * @start, @size: in bytes
 */
struct ccdm_gpt_part {
	unsigned int number;
	char type[37];
	char uuid[37];
	char name[37];
	uint64_t start, size;
};

/**
 * struct ccdm_gpt - a partition table
 * @uuid: of the disk
 * @last: last byte that a partition may have; it grows with the disk
 * @count, @part: the entries that are used, in the order of the table
 * @event, @event_size: what firmware hashes: header, number of used entries, used entries
 */
struct ccdm_gpt {
	char uuid[37];
	uint64_t last;
	unsigned int count;
	struct ccdm_gpt_part part[CCDM_GPT_PARTS_MAX];
	uint8_t *event;
	size_t event_size;
};

/**
 * ccdm_gpt_read() - read the table of a disk, with sectors of 512 bytes
 * @gpt: filled; ccdm_gpt_drop() ends it
 *
 * Return: 0, -EINVAL with the field in @err, -ENOMEM, errors of read(2).
 */
int __must_check ccdm_gpt_read(const struct ccdm_source *source, struct ccdm_gpt *gpt,
			       struct ccdm_err *err);

/* The same from the data of an event. It does not check the checksums, and @event stays NULL. */
int __must_check ccdm_gpt_event(const char *name, const uint8_t *data, size_t size,
				struct ccdm_gpt *gpt, struct ccdm_err *err);

void ccdm_gpt_drop(struct ccdm_gpt *gpt);

/**
 * ccdm_gpt_difference() - describe the first difference of two tables
 * @what: of @size bytes
 */
void ccdm_gpt_difference(const struct ccdm_gpt *expected, const struct ccdm_gpt *found, char *what,
			 size_t size);

#endif
