// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* module_version.c - see module.h */
#include <errno.h>
#include "ccdm_format.h"
#include "module.h"

int ccdm_module_version(const uint32_t version[3], struct ccdm_err *err)
{
	if (version[0] == CCDM_TABLE_VERSION)
		return 0;
	ccdm_err_hint(err, "install this program and dm-ccdm of the same release");
	return ccdm_err_set(err, -ECANCELED, "the module's table version: expected %u, found %u",
			    CCDM_TABLE_VERSION, version[0]);
}
