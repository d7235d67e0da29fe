// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* device_probe.c - the signature for device.h, through libblkid */
#include <blkid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "device.h"

static void ccdm_device_signature(blkid_probe probe, struct ccdm_device *device)
{
	const char *type = NULL, *usage = NULL, *size = NULL;

	if (!blkid_probe_lookup_value(probe, "PTTYPE", &type, NULL)) {
		snprintf(device->signature, sizeof(device->signature), "%s partition table", type);
		return;
	}
	if (blkid_probe_lookup_value(probe, "TYPE", &type, NULL))
		return;
	if (!blkid_probe_lookup_value(probe, "USAGE", &usage, NULL) && !strcmp(usage, "filesystem"))
		usage = "file system";
	snprintf(device->signature, sizeof(device->signature), "%s %s", type,
		 usage ? usage : "signature");
	if (!blkid_probe_lookup_value(probe, "FSBLOCKSIZE", &size, NULL) ||
	    !blkid_probe_lookup_value(probe, "BLOCK_SIZE", &size, NULL))
		device->fs_block = strtoul(size, NULL, 10);
}

int ccdm_device_probe(int fd, struct ccdm_device *device, struct ccdm_err *err)
{
	blkid_probe probe = blkid_new_probe();
	int r = -ENOMEM;

	if (!probe || blkid_probe_set_device(probe, fd, 0, 0))
		goto out;
	blkid_probe_enable_partitions(probe, 1);
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE |
#ifdef BLKID_SUBLKS_FSINFO
							 BLKID_SUBLKS_FSINFO |
#endif
							 0);
	errno = 0;
	r = blkid_do_safeprobe(probe);
	if (r == 0) {
		ccdm_device_signature(probe, device);
	} else if (r == -2) {
		snprintf(device->signature, sizeof(device->signature), "more than one signature");
		r = 0;
	} else if (r == 1) {
		r = 0;
	} else {
		r = ccdm_err_set(err, -EIO, "cannot read %s: %s", device->path,
				 errno ? strerror(errno) : "probing failed");
	}
out:
	if (probe)
		blkid_free_probe(probe);
	return r == -ENOMEM ? ccdm_err_memory(err) : r;
}
