/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * workload_unit.h - settings of the running system that depend on workload.json
 *
 * The base is the same for all workloads. The initrd writes what a workload needs into /run, which
 * systemd reads beside the units of the base (systemd.unit(5)).
 */
#ifndef CCDM_WORKLOAD_UNIT_H
#define CCDM_WORKLOAD_UNIT_H

#include "base/compiler.h"
#include "base/err.h"
#include "workload_json.h"

/* The unit that runs the workload; where a base has it. */
#define CCDM_WORKLOAD_UNIT	"ccdm-workload.service"
#define CCDM_WORKLOAD_UNIT_PATH "/usr/lib/systemd/system/" CCDM_WORKLOAD_UNIT

/**
 * ccdm_workload_unit_base() - check that a base can run a workload
 * @w: the workload
 * @root: folder of the base
 *
 * Return: 0, -ENOENT with the file that is missing.
 */
int __must_check ccdm_workload_unit_base(const struct ccdm_workload_json *w, const char *root,
					 struct ccdm_err *err);

/**
 * ccdm_workload_unit_write() - write drop-ins of the workload's units, and the network's files
 * @w: the workload
 * @run: "/run"
 *
 * Return: 0, -errno.
 */
int __must_check ccdm_workload_unit_write(const struct ccdm_workload_json *w, const char *run,
					  struct ccdm_err *err);

#endif
