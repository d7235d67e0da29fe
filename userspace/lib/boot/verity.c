// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* verity.c - see verity.h */
#include <blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "disk/device.h"
#include "disk/dm.h"
#include "verity.h"

/* Does @path hold @blocks blocks of @block bytes from block @start on? */
static int ccdm_verity_size(const char *path, const char *what, uint64_t start, uint64_t blocks,
			    uint64_t block, struct ccdm_err *err)
{
	struct ccdm_device device;
	uint64_t need = (start + blocks) * block;
	int r = ccdm_device_look(path, &device, err);

	if (r || device.bytes >= need)
		return r;
	return ccdm_err_set(err, -ENOSPC, "%s: expected at least %llu bytes for the %s, found %llu",
			    path, (unsigned long long)need, what, (unsigned long long)device.bytes);
}

/* The number of blocks of the hash tree. */
static uint64_t ccdm_verity_tree(const struct ccdm_config_verity *v)
{
	/* dm-verity rounds the digest's size up to a power of two; 32 and 64 are powers already */
	uint64_t each = v->hash_block_size / (strlen(v->roothash) / 2);
	uint64_t n = v->data_blocks, sum = 0;

	do {
		n = (n + each - 1) / each;
		sum += n;
	} while (n > 1);
	return sum;
}

static int ccdm_verity_try(const char *name, const char *what, struct ccdm_err *err)
{
	char status[CCDM_DM_TEXT], path[64];
	void *block = NULL;
	int fd, r = 0;

	snprintf(path, sizeof(path), "/dev/mapper/%s", name);
	if (posix_memalign(&block, 4096, 4096))
		return ccdm_err_memory(err);
	fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0 || pread(fd, block, 4096, 0) != 4096)
		r = -EIO;
	if (fd >= 0)
		close(fd);
	free(block);
	if (!r)
		return 0;
	if (!ccdm_dm_status(name, "verity", status, err) && status[0] == 'C')
		return ccdm_err_set(
			err, -EBADMSG,
			"the root hash does not match the %s: its first block differs from the "
			"image that was built",
			what);
	return ccdm_err_set(err, r, "cannot read the %s: %s", what, strerror(-r));
}

int ccdm_verity_open(const struct ccdm_config_verity *verity, const char *name, const char *what,
		     const char *data, const char *hash, struct ccdm_err *err)
{
	char tail[1024], params[CCDM_DM_TEXT], uuid[CCDM_DM_UUID];
	struct ccdm_dm_target table = { .target = "verity",
					.length = verity->data_blocks *
						  (verity->data_block_size / 512),
					.params = params,
					.read_only = true };
	int r;

	r = ccdm_verity_size(data, what, 0, verity->data_blocks, verity->data_block_size, err);
	if (!r)
		r = ccdm_verity_size(hash, what, verity->hash_start, ccdm_verity_tree(verity),
				     verity->hash_block_size, err);
	if (r)
		return r;
	ccdm_verity_tail(verity, tail, sizeof(tail));
	snprintf(params, sizeof(params), "1 %s %s %s", data, hash, tail);
	/* the name that veritysetup would give; other tools recognize dm-verity by it */
	snprintf(uuid, sizeof(uuid), "CRYPT-VERITY-%.32s-%s", verity->roothash, name);
	r = ccdm_dm_create(name, uuid, &table, err);
	if (r)
		return r;
	r = ccdm_verity_try(name, what, err);
	if (!r) {
		snprintf(params, sizeof(params), "1 %s %s %s" CCDM_VERITY_PANIC, data, hash, tail);
		r = ccdm_dm_reload(name, &table, err);
	}
	if (r)
		ccdm_dm_undo(name, err);
	return r;
}

/* For ext4: does s_feature_incompat contain INCOMPAT_RECOVER (Documentation/filesystems/ext4)? */
static int ccdm_verity_ext(int fd, bool *dirty)
{
	unsigned char super[4096];

	if (pread(fd, super, sizeof(super), 0) != sizeof(super))
		return -EIO;
	*dirty = super[1024 + 0x60] & 0x04;
	return 0;
}

int ccdm_verity_fs(const char *path, struct ccdm_base_fs *fs, struct ccdm_err *err)
{
	struct ccdm_device device;
	int fd, r = ccdm_device_look(path, &device, err);

	memset(fs, 0, sizeof(*fs));
	if (r)
		return r;
	snprintf(fs->type, sizeof(fs->type), "%.*s", (int)strcspn(device.signature, " "),
		 device.signature);
	fs->block = device.fs_block;
	if (strncmp(fs->type, "ext", 3))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : ccdm_verity_ext(fd, &fs->dirty);
	if (fd >= 0)
		close(fd);
	return r ? ccdm_err_set(err, r, "%s: %s", path, strerror(-r)) : 0;
}
