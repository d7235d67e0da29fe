// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/image/oci.c lib/image/oci_choose.c lib/image/oci_json.c - a container image: its JSON, or a whole archive */
#include "forge_container.h"
#include "image/oci.h"
#include "fuzz.h"

/* Texts of index.json or manifest.json, and of three blobs that may name each other by "@D1". */
static void texts(struct forge_tar *t, const uint8_t *data, size_t size, bool layout)
{
	char *text[FORGE_OCI_PARTS];
	const uint8_t *part;
	unsigned int i;
	size_t n;

	for (i = 0; i < FORGE_OCI_PARTS; i++) {
		part = fuzz_part(data, size, i, &n);
		text[i] = fuzz_text(part, n);
	}
	forge_oci(t, (const char *const *)text, layout);
	for (i = 0; i < FORGE_OCI_PARTS; i++)
		free(text[i]);
}

/* The first letter: o for an OCI layout, d for docker save, n and m the same, of the name "app:1"; else an archive. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ccdm_layers_count count;
	struct forge_tar t = { 0 };
	struct ccdm_err err = { 0 };
	struct ccdm_rootfs *fs;
	struct ccdm_oci *oci;
	char path[32];
	size_t n;
	int fd;

	if (!size)
		return 0;
	fuzz_pause(true);
	if (strchr("odnm", data[0]) && data[0])
		texts(&t, data + 1, size - 1, data[0] == 'o' || data[0] == 'n');
	fd = t.bytes ? forge_file(t.bytes, t.size, path) : forge_file(data + 1, size - 1, path);
	free(t.bytes);
	fuzz_pause(false);
	if (!ccdm_oci_open(path, data[0] == 'n' || data[0] == 'm' ? "app:1" : NULL, "/tmp", &oci,
			   &err)) {
		fuzz_said("configuration", ccdm_oci_config(oci, &n));
		fuzz_said("name", ccdm_oci_name(oci));
		if (!ccdm_rootfs_new(&fs, "/tmp", &err)) {
			fs->max_size = 1 << 24;
			if (!ccdm_oci_rootfs(oci, fs, NULL, NULL, &count, &err))
				fuzz_said("tree", "read");
			ccdm_rootfs_free(fs);
		}
		ccdm_oci_close(oci);
	}
	close(fd);
	return 0;
}
