/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * oci.h - a container image in a file or a folder
 *
 * Formats, known by their content: a folder or an archive in OCI image layout (OCI image
 * specification 1.1, image-layout.md), and the archive of "docker save" (moby, image/spec/v1.2.md).
 * Archives may be compressed. The content is untrusted: a digest names each file, and is checked
 * over all of its bytes.
 */
#ifndef CCDM_OCI_H
#define CCDM_OCI_H

#include <stddef.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "crypto/digest.h"
#include "layers.h"
#include "rootfs.h"

#define CCDM_OCI_JSON_MAX (4 << 20) /* bytes of an index, a manifest or a configuration */

struct ccdm_oci;

/**
 * ccdm_oci_open() - open an image
 * @path: a folder or a file; must live until ccdm_oci_close()
 * @name: image in it, "app:1.0"; NULL: the only one
 * @spool_dir: folder for temporary files
 * @oci: set; the caller closes it, and may pass NULL to ccdm_oci_close()
 *
 * From an index of several platforms the function takes linux/amd64. Index, manifest and
 * configuration are read and checked; the layers are not.
 *
 * Return: 0; -EINVAL if there is no usable image, if @name is needed or not there, if a file is
 * missing or if a digest is wrong; -EFBIG, -ENOMEM, errors of open(2) and read(2).
 */
int __must_check ccdm_oci_open(const char *path, const char *name, const char *spool_dir,
			       struct ccdm_oci **oci, struct ccdm_err *err);
void ccdm_oci_close(struct ccdm_oci *oci);

/* The configuration of the image: JSON, @size bytes and a NUL; lives until ccdm_oci_close(). */
const char *ccdm_oci_config(const struct ccdm_oci *oci, size_t *size);

/*
 * Digest of the image: of its manifest; in an archive of "docker save" without one, of its
 * configuration. It lives until ccdm_oci_close().
 */
const struct ccdm_digest *ccdm_oci_digest(const struct ccdm_oci *oci);

/* Name of the image as the archive has it; "" if it has none. Untrusted. */
const char *ccdm_oci_name(const struct ccdm_oci *oci);

/**
 * ccdm_oci_progress_fn - told after each layer
 * @done, @all: bytes of the layers, as they are in the image
 */
typedef void (*ccdm_oci_progress_fn)(uint64_t done, uint64_t all, void *arg);

/**
 * ccdm_oci_rootfs() - put all layers into a tree
 * @fs: an empty tree
 * @progress: may be NULL; gets @arg
 * @count: filled
 *
 * Return: as ccdm_layer_apply().
 */
int __must_check ccdm_oci_rootfs(struct ccdm_oci *oci, struct ccdm_rootfs *fs,
				 ccdm_oci_progress_fn progress, void *arg,
				 struct ccdm_layers_count *count, struct ccdm_err *err);

#endif
