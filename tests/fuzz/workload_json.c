// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/boot/workload_json.c - workload.json, how a VM runs its workload */
#include "boot/workload_json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ccdm_workload_json w;
	struct ccdm_err err;
	char *text = fuzz_text(data, size);

	fuzz_said("workload", fuzz_yes(!ccdm_workload_json_parse(text, size, &w, &err)));
	ccdm_workload_json_drop(&w);
	free(text);
	return 0;
}
