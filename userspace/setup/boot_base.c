// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* boot_base.c - find base and workload, and open them with dm-verity */
#include <errno.h>
#include <string.h>
#include "disk/find.h"
#include "base/json.h"
#include "boot/report.h"
#include "boot/verity.h"
#include "boot.h"
#include "ccdm_format.h"

/**
 * struct boot_verity - a mapping that the boot opens with dm-verity
 * @name: of the mapping
 * @path: of the mapping
 * @what: its name in messages
 * @report: its name in the report
 * @types: file systems that it may hold
 * @none, @twice, @hash, @small, @fs, @error: codes of its failures
 */
struct boot_verity {
	const char *name, *path, *what, *report, *types;
	enum ccdm_boot_code none, twice, hash, small, fs, error;
};

static const struct boot_verity boot_verity_base = {
	.name = CCDM_BASE_NAME,
	.path = CCDM_BASE_PATH,
	.what = "base",
	.report = "base",
	.types = "ext4 or xfs",
	.none = CCDM_E_BASE_NONE,
	.twice = CCDM_E_BASE_TWICE,
	.hash = CCDM_E_BASE_HASH,
	.small = CCDM_E_BASE_SMALL,
	.fs = CCDM_E_BASE_FS,
	.error = CCDM_E_BASE_ERROR,
};

static const struct boot_verity boot_verity_workload = {
	.name = CCDM_WORKLOAD_NAME,
	.path = CCDM_WORKLOAD_PATH,
	.what = "workload",
	.report = "workload",
	.types = "ext4",
	.none = CCDM_E_WORK_NONE,
	.twice = CCDM_E_WORK_TWICE,
	.hash = CCDM_E_WORK_HASH,
	.small = CCDM_E_WORK_SMALL,
	.fs = CCDM_E_WORK_FS,
	.error = CCDM_E_WORK_ERROR,
};

static enum ccdm_boot_code boot_verity_code(const struct boot_verity *v, int error)
{
	switch (error) {
	case -ENODEV:
	case -ENOENT:
		return v->none;
	case -ENOTUNIQ:
		return v->twice;
	case -EBADMSG:
		return v->hash;
	case -ENOSPC:
		return v->small;
	default:
		return v->error;
	}
}

static int boot_verity_fs(const struct boot_verity *v, struct ccdm_base_fs *fs,
			  struct ccdm_err *err)
{
	int r = ccdm_verity_fs(v->path, fs, err);

	/* not btrfs: it assembles devices by their metadata, including devices of the host */
	if (!r && (!fs->type[0] || !strstr(v->types, fs->type)))
		r = ccdm_err_set(err, -EINVAL, "the %s: expected %s, found %s", v->what, v->types,
				 fs->type[0] ? fs->type : "no known file system");
	if (!r && fs->block && fs->block < CCDM_BLOCK_SIZE)
		r = ccdm_err_set(err, -EINVAL,
				 "the %s of the %s has blocks of %u bytes, expected %u: make it "
				 "with mkfs -b %u",
				 fs->type, v->what, fs->block, CCDM_BLOCK_SIZE, CCDM_BLOCK_SIZE);
	if (!r && fs->dirty)
		r = ccdm_err_set(
			err, -EINVAL,
			"the %s of the %s has a journal that is not empty; unmount it before the "
			"image is built",
			fs->type, v->what);
	return r;
}

static int boot_verity(const struct boot_verity *v, const struct ccdm_config_verity *config,
		       uint64_t timeout, enum ccdm_boot_code *code, struct ccdm_err *err)
{
	char data[CCDM_CONFIG_PATH], hash[CCDM_CONFIG_PATH], value[1024];
	struct ccdm_base_fs fs = { 0 };
	int r;

	r = ccdm_find_device(config->device, timeout, data, sizeof(data), err);
	if (!r)
		r = ccdm_find_device(config->hash_device[0] ? config->hash_device : data, timeout,
				     hash, sizeof(hash), err);
	if (!r)
		r = ccdm_verity_open(config, v->name, v->what, data, hash, err);
	*code = boot_verity_code(v, r);
	if (r)
		return r;
	r = boot_verity_fs(v, &fs, err);
	*code = r == -EINVAL ? v->fs : v->error;
	if (r)
		return r;
	ccdm_verity_value(config, value, sizeof(value));
	*code = v->error;
	return ccdm_report_put(v->report,
			       json_pack("{s:s, s:s, s:s, s:s, s:s}", "device", data, "hash_device",
					 hash, "roothash", config->roothash, "verity", value,
					 "filesystem", fs.type),
			       err);
}

int ccdm_boot_base(const struct ccdm_config *config, enum ccdm_boot_code *code,
		   struct ccdm_err *err)
{
	int r = boot_verity(&boot_verity_base, &config->base, config->timeout, code, err);

	if (r || !config->workload.device[0])
		return r;
	return boot_verity(&boot_verity_workload, &config->workload, config->timeout, code, err);
}
