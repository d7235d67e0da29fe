// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * unpack.c - make one tar archive of a container image, by the library
 *
 *	unpack [-n NAME] [-m MAX_SIZE] [-s SPOOL_DIR] [-c CONFIG] [-p PREFIX] [-t MTIME] IMAGE TAR
 *
 * Prints the digests of the image and of the archive, and what was left out, as JSON. Ends with the
 * exit codes of ccdm-image.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/bytes.h"
#include "base/file.h"
#include "base/ui.h"
#include "image/oci.h"

static int tar(struct ccdm_oci *oci, struct ccdm_rootfs *fs, const char *prefix, int64_t mtime,
	       const char *file, struct ccdm_err *err)
{
	char image[2 * CCDM_DIGEST_MAX + 1], hex[2 * CCDM_DIGEST_MAX + 1];
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), r;
	struct ccdm_layers_count count;
	struct ccdm_digest digest;
	uint64_t bytes, entries;

	if (fd < 0)
		return ccdm_err_set(err, -errno, "%s: cannot open", file);
	r = ccdm_oci_rootfs(oci, fs, NULL, NULL, &count, err);
	if (!r)
		r = ccdm_rootfs_tar(fs, prefix, mtime, fd, &digest, &bytes, &entries, err);
	close(fd);
	if (r)
		return r;
	ccdm_hex(ccdm_oci_digest(oci)->bytes, ccdm_oci_digest(oci)->size, image);
	ccdm_hex(digest.bytes, digest.size, hex);
	printf("{\"image\": \"%s\", \"tar\": \"%s\", \"bytes\": %" PRIu64 ", \"entries\": %" PRIu64
	       ", \"whiteouts\": %" PRIu64 ", \"devices\": %" PRIu64 ", \"sockets\": %" PRIu64
	       ", \"xattrs\": %" PRIu64 ", \"acls\": %" PRIu64 "}\n",
	       image, hex, bytes, entries, count.whiteouts, count.devices, count.sockets,
	       count.xattrs, count.acls);
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = NULL, *spool = "/tmp", *conf = NULL, *prefix = NULL, *text;
	uint64_t max = CCDM_ROOTFS_SIZE;
	struct ccdm_rootfs *fs = NULL;
	struct ccdm_oci *oci = NULL;
	struct ccdm_err err = { 0 };
	int64_t mtime = -1;
	size_t size;
	int c, r;

	while ((c = getopt(argc, argv, "n:m:s:c:p:t:")) >= 0) {
		if (c == 'n')
			name = optarg;
		else if (c == 'm')
			max = strtoull(optarg, NULL, 10);
		else if (c == 's')
			spool = optarg;
		else if (c == 'c')
			conf = optarg;
		else if (c == 'p')
			prefix = optarg;
		else if (c == 't')
			mtime = strtoll(optarg, NULL, 10);
		else
			return 100;
	}
	if (argc != optind + 2)
		return 100;
	r = ccdm_oci_open(argv[optind], name, spool, &oci, &err);
	if (!r && conf) {
		text = ccdm_oci_config(oci, &size);
		r = ccdm_file_write(conf, text, size, 0644, &err);
	}
	if (!r)
		r = ccdm_rootfs_new(&fs, spool, &err);
	if (!r) {
		fs->max_size = max;
		r = tar(oci, fs, prefix, mtime, argv[optind + 1], &err);
	}
	ccdm_rootfs_free(fs);
	ccdm_oci_close(oci);
	return r ? (int)ccdm_ui_fail("unpack", &err, r) : 0;
}
