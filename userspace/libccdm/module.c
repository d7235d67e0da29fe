// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* module.c - disk/module.h without libkmod: the kernel must have the target */
#include <errno.h>
#include "ccdm_format.h"
#include "disk/dm.h"
#include "disk/module.h"

int ccdm_module_need(struct ccdm_err *err)
{
	uint32_t version[3];
	int r = ccdm_dm_target_version(version, err);

	if (r == -ENOENT || r == -ENXIO)
		ccdm_err_hint(err, "load it with: modprobe dm-ccdm (for a container, on its host)");
	return r ? r : ccdm_module_version(version, err);
}
