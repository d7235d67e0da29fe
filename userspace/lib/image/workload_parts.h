/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * workload_parts.h - the larger parts of workload.yaml: run, secrets, network
 *
 * Each reads the value of one key into a struct ccdm_workload; as in workload_fields.h.
 */
#ifndef CCDM_WORKLOAD_PARTS_H
#define CCDM_WORKLOAD_PARTS_H

#include "base/compiler.h"
#include "base/yaml.h"

int __must_check ccdm_workload_run_fields(struct ccdm_yaml *y, const yaml_node_t *n,
					  void *workload);
int __must_check ccdm_workload_secrets(struct ccdm_yaml *y, const yaml_node_t *n, void *workload);
int __must_check ccdm_workload_network(struct ccdm_yaml *y, const yaml_node_t *n, void *workload);

#endif
