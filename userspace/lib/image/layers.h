/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * layers.h - layers of a container image become one tree
 *
 * A layer is an untrusted tar archive, perhaps compressed. (OCI image specification 1.1, layer.md)
 * Its digests are checked over all of its bytes before any entry is read. An entry ".wh.NAME"
 * removes what lower layers have at NAME, and ".wh..wh..opq" all that they have in its folder.
 * Their place in the layer does not matter, and they never remove the layer's own entries.
 */
#ifndef CCDM_LAYERS_H
#define CCDM_LAYERS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "crypto/digest.h"
#include "rootfs.h"
#include "source.h"

#define CCDM_LAYERS_MAX 256

/**
 * struct ccdm_layer - one layer
 * @source, @at, @size: where its bytes are
 * @digest: of these bytes; @digest.size is 0 if it is unknown
 * @diff_id: digest of the archive when it is not compressed
 */
struct ccdm_layer {
	const struct ccdm_source *source;
	uint64_t at;
	uint64_t size;
	struct ccdm_digest digest;
	struct ccdm_digest diff_id;
};

/**
 * struct ccdm_layers_count - what was found, over all layers
 * @entries: entries of the archives
 * @whiteouts: of these, whiteouts
 * @devices, @sockets: that were left out
 * @xattrs: extended attributes that were left out, for their names or because they are empty
 * @acls: access control lists as texts, which were left out
 */
struct ccdm_layers_count {
	uint64_t entries;
	uint64_t whiteouts;
	uint64_t devices;
	uint64_t sockets;
	uint64_t xattrs;
	uint64_t acls;
};

/**
 * ccdm_layer_apply() - put a layer over the lower ones
 * @fs: the tree; after an error it is incomplete, and only to be freed
 * @number: of the layer, 1 for the lowest; larger than that of the last one
 * @count: added to
 *
 * Messages name the layer's number and the entry.
 *
 * Return: 0; -EINVAL for a layer that is refused, also for its digest; -EFBIG, -ENFILE,
 * -ENAMETOOLONG, -ELOOP, -ENOTDIR beyond a limit of rootfs.h; -ENOMEM, errors of read(2) and
 * write(2).
 */
int __must_check ccdm_layer_apply(struct ccdm_rootfs *fs, const struct ccdm_layer *layer,
				  unsigned int number, struct ccdm_layers_count *count,
				  struct ccdm_err *err);

#endif
