/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/*
 * oracle.h - permitted results of a read during concurrent writes
 *
 * A write has a number, a beginning and an end. A read may get any write that
 * was not superseded when the read began: by a write that began after its end and succeeded
 * before. A failed write may or may not have happened, and the block may then be unreadable.
 */
#ifndef CCDM_TEST_ORACLE_H
#define CCDM_TEST_ORACLE_H

#include "kernel.h"

#define ORACLE_WHO 7 /* actors, each with one operation at a time */

struct version;

/* Start: nothing is written; the first @nr_origin blocks read as sim_origin(). */
void oracle_new(u64 nr, u64 nr_origin);
void oracle_free(void);

/* @who begins or ends an operation. Return: the time. */
u64 oracle_begin(unsigned int who);
void oracle_end(unsigned int who);

/* Get the number for a write; 0 stands for zeros. */
u64 oracle_id(void);
/* Set @bytes to what write @id writes to @block. */
void oracle_fill(u8 *bytes, u64 id, u64 block);
/* Number of the write with these bytes; a bug if there is none. */
u64 oracle_version(const u8 *bytes, u64 block);

/* Write @id of @block begins, and ends. */
struct version *oracle_write(u64 block, u64 id);
void oracle_written(struct version *v, bool good);
/* Forget writes that no read can get any more. */
void oracle_trim(u64 block);
bool oracle_touched(u64 block);

/* A read that began at @begin got @id, or with @error failed. A bug if this is not permitted. */
void oracle_read(u64 block, u64 id, bool error, u64 begin);

#endif /* CCDM_TEST_ORACLE_H */
