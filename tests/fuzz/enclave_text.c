// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/log/enclave_difference.c - texts of two enclave IDs, with the byte 1 between them */
#include "log/enclave_difference.h"
#include "fuzz.h"

#define LINES 5

static int say(const char *line, void *arg)
{
	unsigned int *lines = arg;

	if (strlen(line) < 8)
		abort();
	return ++*lines == LINES;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *a = fuzz_text(data, size), *b = strchr(a, 1);
	unsigned int lines = 0, count, again;
	const char *platform;

	if (b) {
		*b++ = '\0';
		platform = ccdm_enclave_text_platform(a);
		fuzz_said("platform", platform ? platform : "none");
		if (ccdm_enclave_text_alike(a, b)) {
			int r = ccdm_enclave_difference(a, b, NULL, NULL, &count);

			/* a text equals itself, and who stops the walk has seen no more than there is */
			if (!r && !strcmp(a, b) && count)
				abort();
			if (!r && ccdm_enclave_difference(a, b, say, &lines, &again) >= 0 &&
			    lines > count)
				abort();
			if (!r)
				fuzz_said("equal", fuzz_yes(!count));
		}
	}
	free(a);
	return 0;
}
