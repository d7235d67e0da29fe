// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/image/fat.c - a FAT file system: its folders, and the file that a firmware boots */
#include "image/fat.h"
#include "fuzz.h"

struct walk {
	struct ccdm_fat fat;
	struct ccdm_fat_entry folder[32];
	unsigned int folders;
};

static int each(const struct ccdm_fat_entry *entry, void *arg)
{
	struct walk *w = arg;

	if (entry->folder && w->folders < 32)
		w->folder[w->folders++] = *entry;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ccdm_source source = { .name = "disk", .bytes = data, .size = size };
	struct walk *w = fuzz_own(calloc(1, sizeof(*w)));
	struct ccdm_fat_entry entry;
	struct ccdm_err err = { 0 };
	uint8_t *bytes;
	unsigned int i;

	if (!ccdm_fat_open(&source, 0, size, &w->fat, &err)) {
		if (!ccdm_fat_list(&w->fat, NULL, each, w, &err))
			for (i = 0; i < w->folders; i++)
				(void)!ccdm_fat_list(&w->fat, &w->folder[i], each, w, &err);
		if (!ccdm_fat_find(&w->fat, "EFI/BOOT/BOOTX64.EFI", &entry, &err) &&
		    !ccdm_fat_load(&w->fat, &entry, 1 << 20, &bytes, &err)) {
			fuzz_said("file", "loaded");
			free(bytes);
		}
	}
	free(w);
	return 0;
}
