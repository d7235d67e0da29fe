// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* boot_fence.c - check that only the image configures this boot */
#include <stdlib.h>
#include "boot/fence.h"
#include "base/file.h"
#include "boot.h"

#define BOOT_CMDLINE_MAX 8192

int ccdm_boot_fence(struct ccdm_config *config, enum ccdm_boot_code *code, struct ccdm_err *err)
{
	char *found;
	size_t size;
	int r;

	*code = CCDM_E_CONF;
	r = ccdm_config_load(CCDM_CONFIG_FILE, config, err);
	if (r)
		return r;
	*code = CCDM_E_FENCE_CMDLINE;
	r = ccdm_file_read("/proc/cmdline", BOOT_CMDLINE_MAX, &found, &size, err);
	if (r)
		return r;
	r = ccdm_fence_cmdline(config, found, ccdm_fence_direct(""), err);
	free(found);
	if (!r)
		r = ccdm_fence_options("", err);
	if (r)
		return r;
	*code = CCDM_E_FENCE_FILES;
	return ccdm_fence_files("", err);
}
