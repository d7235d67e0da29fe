// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * fuzzes: lib/base/yaml.c lib/image/workload.c lib/image/workload_fields.c lib/image/workload_parts.c lib/image/workload_secrets.c lib/image/workload_network.c -
 * a workload.yaml
 */
#include "image/workload.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ccdm_workload w;
	struct ccdm_err err;
	char *text = fuzz_text(data, size);

	fuzz_said("workload", fuzz_yes(!ccdm_workload_parse("test", text, size, &w, &err)));
	ccdm_workload_drop(&w);
	free(text);
	return 0;
}
