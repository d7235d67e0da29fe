/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/*
 * oracle.h - what a read of a block may get, while others write
 *
 * A write is known by a number, from when it begins to when it ends; a read may get any write that
 * had not been superseded when the read began: by one that began after its end and ended well
 * before. A write that failed may have happened or not, and the block may then be unreadable.
 */
#ifndef CCDM_TEST_ORACLE_H
#define CCDM_TEST_ORACLE_H

#include "kernel.h"

#define ORACLE_WHO 7 /* who do one thing at a time each */

struct version;

/* Nothing is written; the first @nr_origin blocks read as sim_origin() says. */
void oracle_new(u64 nr, u64 nr_origin);
void oracle_free(void);

/* @who begins, and ends, something. Return: the moment. */
u64 oracle_begin(unsigned int who);
void oracle_end(unsigned int who);

/* The number of a write; 0 is for zeros. */
u64 oracle_id(void);
/* What write @id puts into @block. */
void oracle_fill(u8 *bytes, u64 id, u64 block);
/* Which write these bytes come from; a bug if they are of none. */
u64 oracle_version(const u8 *bytes, u64 block);

/* Write @id of @block begins, and ends. */
struct version *oracle_write(u64 block, u64 id);
void oracle_written(struct version *v, bool good);
/* Forgets what nobody can get any more. */
void oracle_trim(u64 block);
bool oracle_touched(u64 block);

/* A read that began at @begin got @id; or, with @error, nothing. A bug if it may not. */
void oracle_read(u64 block, u64 id, bool error, u64 begin);

#endif /* CCDM_TEST_ORACLE_H */
