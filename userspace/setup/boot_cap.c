// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * boot_cap.c - the last measurement of the initrd, which separates the boot from the running system
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "boot/measure.h"
#include "boot.h"

int ccdm_boot_cap(const struct ccdm_config *config, enum ccdm_boot_code *code, struct ccdm_err *err)
{
	struct ccdm_measure_list *list = calloc(1, sizeof(*list));
	int r = list ? 0 : -ENOMEM;

	*code = CCDM_E_TPM_ERROR;
	if (!r) {
		list->count = 1;
		strcpy(list->text[0], "ccdm-cap:1");
		r = ccdm_boot_measure_list(config, list, "capped", code, err);
	}
	free(list);
	return r;
}
