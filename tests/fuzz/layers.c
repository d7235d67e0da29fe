// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/image/layers.c lib/image/whiteout.c lib/image/tar.c lib/image/archive.c lib/image/rootfs_path.c - two layers of a container image */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/bytes.h"
#include "image/layers.h"
#include "fuzz.h"

/* A layer whose digest is right. */
static int apply(struct ccdm_rootfs *fs, const uint8_t *data, size_t size, unsigned int number)
{
	struct ccdm_source source = { .name = "layer", .bytes = data, .size = size };
	struct ccdm_layer layer = { .source = &source, .size = size };
	struct ccdm_layers_count count = { 0 };
	struct ccdm_err err = { 0 };

	fuzz_pause(true);
	if (ccdm_digest_of(CCDM_ALG_SHA256, data, size, NULL, 0, &layer.diff_id))
		abort();
	layer.digest = layer.diff_id;
	fuzz_pause(false);
	return ccdm_layer_apply(fs, &layer, number, &count, &err);
}

/* Put a file at the path that the second layer begins with, and a link to it; read it. */
static void put(struct ccdm_rootfs *fs, const uint8_t *data, size_t size)
{
	size_t n = size < 100 ? size : 100, length;
	char *path = fuzz_text(data, n), *text;
	const struct ccdm_rootfs_node *node;
	struct ccdm_err err = { 0 };

	if (!ccdm_rootfs_put(fs, path, 0600, 0, 0, "text", 4, &err)) {
		node = ccdm_rootfs_find(fs, path);
		if (node && !ccdm_rootfs_read(fs, node, 4, &text, &length, &err)) {
			fuzz_said("put", text);
			free(text);
			if (!ccdm_rootfs_put(fs, "link", S_IFLNK, 0, 0, path, strlen(path), &err) &&
			    !ccdm_rootfs_put(fs, "link/x", S_IFDIR | 0700, 0, 0, NULL, 0, &err))
				fuzz_said("link", "followed");
		}
	}
	free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t first = size < 2 ? 0 : ccdm_le16(data);
	struct ccdm_rootfs *fs;
	struct ccdm_digest digest;
	struct ccdm_err err = { 0 };
	uint64_t bytes, entries;
	char said[96];
	int fd;

	if (size < 2 || first > size - 2 || ccdm_rootfs_new(&fs, "/tmp", &err))
		return 0;
	fs->max_size = 1 << 24;
	if (!apply(fs, data + 2, first, 1) && !apply(fs, data + 2 + first, size - 2 - first, 2)) {
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (!ccdm_rootfs_tar(fs, NULL, 1000, fd, &digest, &bytes, &entries, &err)) {
			ccdm_hex(digest.bytes, 32, said);
			fuzz_said("tree", said);
			if (entries != fs->entries + 1)
				abort();
		}
		close(fd);
		put(fs, data + 2 + first, size - 2 - first);
	}
	ccdm_rootfs_free(fs);
	return 0;
}
