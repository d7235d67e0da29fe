// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* device.c - the signature for disk/device.h, without libblkid */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "disk/device.h"
#include "signature.h"

/* Read all of a piece: a device that ends early has an error. */
static int ccdm_device_read(int fd, uint8_t *to, size_t size, uint64_t at)
{
	ssize_t n;

	for (; size; size -= (size_t)n, to += n, at += (uint64_t)n) {
		n = pread(fd, to, size, (off_t)at);
		if (n <= 0)
			return n ? -errno : -EIO;
	}
	return 0;
}

int ccdm_device_probe(int fd, struct ccdm_device *device, struct ccdm_err *err)
{
	size_t head = device->bytes < CCDM_SIGNATURE_HEAD ? device->bytes : CCDM_SIGNATURE_HEAD;
	size_t tail = device->bytes < CCDM_SIGNATURE_TAIL ? device->bytes : CCDM_SIGNATURE_TAIL;
	uint8_t *bytes = malloc(head + tail);
	const struct ccdm_content content = { .head = bytes,
					      .head_size = head,
					      .tail = bytes ? bytes + head : NULL,
					      .tail_size = tail,
					      .bytes = device->bytes };
	const char *found;
	int r;

	if (!bytes)
		return ccdm_err_memory(err);
	r = ccdm_device_read(fd, bytes, head, 0);
	if (!r)
		r = ccdm_device_read(fd, bytes + head, tail, device->bytes - tail);
	if (r) {
		ccdm_err_set(err, -EIO, "cannot read %s: %s", device->path, strerror(-r));
		free(bytes);
		return -EIO;
	}
	found = ccdm_signature_find(&content, &device->fs_block);
	snprintf(device->signature, sizeof(device->signature), "%s", found ? found : "");
	free(bytes);
	return 0;
}
