// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/image/base_json.c - base.json, which names the files of a base */
#include "image/base.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ccdm_base base;
	struct ccdm_err err = { 0 };

	fuzz_said("base",
		  fuzz_yes(!ccdm_base_parse("/none", (const char *)data, size, &base, &err)));
	ccdm_base_close(&base);
	return 0;
}
