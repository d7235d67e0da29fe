// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/image/initrd.c lib/image/initrd_find.c - an initrd: cpio archives, also compressed with gzip or zstd */
#include "image/initrd.h"
#include "fuzz.h"

static int each(struct ccdm_initrd_file *file, void *arg)
{
	*(size_t *)arg += file->size;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ccdm_err err = { 0 };
	char *content;
	size_t n = 0;

	if (!ccdm_initrd_walk("x.efi", data, size, NULL, each, &n, &err))
		fuzz_said("walk", "over");
	if (!ccdm_initrd_find("x.efi", data, size, "etc/ccdm/ccdm.conf", 65536, &content, &n,
			      &err)) {
		fuzz_said("conf", content);
		free(content);
	}
	return 0;
}
