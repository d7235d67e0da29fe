/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* bench_device.h - ccdm-setup benchmark --device: a device with and without encryption, side by side */
#ifndef CCDM_SETUP_BENCH_DEVICE_H
#define CCDM_SETUP_BENCH_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"

#define CCDM_BENCH_JOBS	   6
#define CCDM_BENCH_TARGETS 4

/**
 * struct ccdm_bench_job - what fio does
 * @name: for a person
 * @key: for JSON
 * @rw: of fio
 * @block: bytes of an I/O
 * @depth: how many are in flight
 * @once: write the area once from its beginning to its end; otherwise it runs for a time
 */
struct ccdm_bench_job {
	const char *name;
	const char *key;
	const char *rw;
	unsigned int block;
	unsigned int depth;
	bool once;
};

/**
 * struct ccdm_bench_result - one job on one target
 * @iops: I/Os per second
 * @mib_s: MiB per second
 * @mean_us, @p99_us: from the request to its completion
 */
struct ccdm_bench_result {
	double iops;
	double mib_s;
	double mean_us;
	double p99_us;
};

/**
 * struct ccdm_bench_target - the device, or a mapping on it
 * @name: for a person and for JSON
 * @why: why there are no results; empty: there are
 * @result: one for each job
 */
struct ccdm_bench_target {
	const char *name;
	char why[512];
	struct ccdm_bench_result result[CCDM_BENCH_JOBS];
};

/**
 * struct ccdm_bench - a comparison
 * @device: path of the device, whose content is destroyed
 * @bytes: its size
 * @area: bytes at the beginning that are measured
 * @seconds: how long each job runs
 * @quiet: do not name each step on standard error
 * @target: results, the device itself first
 */
struct ccdm_bench {
	const char *device;
	uint64_t bytes;
	uint64_t area;
	unsigned int seconds;
	bool quiet;
	struct ccdm_bench_target target[CCDM_BENCH_TARGETS];
};

extern const struct ccdm_bench_job ccdm_bench_jobs[CCDM_BENCH_JOBS];

/**
 * ccdm_bench_run() - measure all targets, one after the other
 * @b: device, bytes, area, seconds and quiet are set
 *
 * A target that cannot be opened has its reason, and the others are measured. No mapping stays.
 *
 * Return: 0; -ENOENT without fio or cryptsetup; -EINTR; errors of the device and of ccdm's mapping.
 */
int __must_check ccdm_bench_run(struct ccdm_bench *b, struct ccdm_err *err);

/* Print the results as a table, or as JSON. Return: 0, -ENOMEM, -EIO. */
int __must_check ccdm_bench_print(const struct ccdm_bench *b, bool json, struct ccdm_err *err);

/* Write a plot of the results, as parts of the device's own. Return: 0, -ENOMEM, -errno. */
int __must_check ccdm_bench_plot(const struct ccdm_bench *b, const char *file,
				 struct ccdm_err *err);

#endif
