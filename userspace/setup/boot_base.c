// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* boot_base.c - find the base and open it with dm-verity */
#include <errno.h>
#include <string.h>
#include "disk/find.h"
#include "base/json.h"
#include "boot/report.h"
#include "boot/verity.h"
#include "boot.h"
#include "ccdm_format.h"

static enum ccdm_boot_code boot_base_code(int error)
{
	switch (error) {
	case -ENODEV:
	case -ENOENT:
		return CCDM_E_BASE_NONE;
	case -ENOTUNIQ:
		return CCDM_E_BASE_TWICE;
	case -EBADMSG:
		return CCDM_E_BASE_HASH;
	case -ENOSPC:
		return CCDM_E_BASE_SMALL;
	default:
		return CCDM_E_BASE_ERROR;
	}
}

static int boot_base_fs(struct ccdm_base_fs *fs, struct ccdm_err *err)
{
	int r = ccdm_verity_fs(CCDM_BASE_PATH, fs, err);

	/* (btrfs joins devices by what they say of themselves, the host's among them) */
	if (!r && strcmp(fs->type, "ext4") && strcmp(fs->type, "xfs"))
		r = ccdm_err_set(err, -EINVAL, "the base: expected ext4 or xfs, found %s",
				 fs->type[0] ? fs->type : "no known file system");
	if (!r && fs->block && fs->block < CCDM_BLOCK_SIZE)
		r = ccdm_err_set(err, -EINVAL,
				 "the %s of the base has blocks of %u bytes, expected %u: make it "
				 "with mkfs -b %u",
				 fs->type, fs->block, CCDM_BLOCK_SIZE, CCDM_BLOCK_SIZE);
	if (!r && fs->dirty)
		r = ccdm_err_set(
			err, -EINVAL,
			"the %s of the base has a journal that is not empty; unmount it before the "
			"image is built",
			fs->type);
	return r;
}

int ccdm_boot_base(const struct ccdm_config *config, enum ccdm_boot_code *code,
		   struct ccdm_err *err)
{
	char data[CCDM_CONFIG_PATH], hash[CCDM_CONFIG_PATH], value[1024];
	struct ccdm_base_fs fs = { 0 };
	int r;

	r = ccdm_find_device(config->base_device, config->timeout, data, sizeof(data), err);
	if (!r)
		r = ccdm_find_device(config->hash_device[0] ? config->hash_device : data,
				     config->timeout, hash, sizeof(hash), err);
	if (!r)
		r = ccdm_verity_open(config, data, hash, err);
	*code = boot_base_code(r);
	if (r)
		return r;
	r = boot_base_fs(&fs, err);
	*code = r == -EINVAL ? CCDM_E_BASE_FS : CCDM_E_BASE_ERROR;
	if (r)
		return r;
	ccdm_verity_value(config, value, sizeof(value));
	*code = CCDM_E_BASE_ERROR;
	return ccdm_report_put("base",
			       json_pack("{s:s, s:s, s:s, s:s, s:s}", "device", data, "hash_device",
					 hash, "roothash", config->roothash, "verity", value,
					 "filesystem", fs.type),
			       err);
}
