// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* boot_workload.c - write the units that run the workload in the running system */
#include <stdlib.h>
#include "boot/workload_bundle.h"
#include "boot/workload_mount.h"
#include "boot/workload_unit.h"
#include "boot.h"

#define BOOT_SYSROOT "/sysroot"

/*
 * Read the partition's configuration. The running system mounts it again, since systemd there has
 * no unit for a mount of the initrd.
 */
static int boot_workload_read(struct ccdm_workload_json *w, enum ccdm_boot_code *code,
			      struct ccdm_err *err)
{
	struct ccdm_err why;
	int r = ccdm_workload_mount_ro(err), u;

	*code = CCDM_E_WORK_ERROR;
	if (r)
		return r;
	*code = CCDM_E_WORK_CONF;
	r = ccdm_workload_json_load(CCDM_WORKLOAD_RO, w, err);
	u = ccdm_workload_mount_undo(r ? &why : err);
	if (r)
		return r;
	*code = CCDM_E_WORK_ERROR;
	return u;
}

int ccdm_boot_workload(const struct ccdm_config *config, enum ccdm_boot_code *code,
		       struct ccdm_err *err)
{
	struct ccdm_workload_json *w;
	int r;

	if (!config->workload.device[0])
		return 0;
	w = calloc(1, sizeof(*w));
	*code = CCDM_E_WORK_ERROR;
	if (!w)
		return ccdm_err_memory(err);
	r = boot_workload_read(w, code, err);
	if (!r) {
		*code = CCDM_E_WORK_BASE;
		r = ccdm_workload_unit_base(w, BOOT_SYSROOT, err);
	}
	if (!r) {
		*code = CCDM_E_WORK_ERROR;
		r = ccdm_workload_unit_write(w, "/run", err);
	}
	ccdm_workload_json_drop(w);
	free(w);
	return r;
}
