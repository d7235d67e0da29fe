// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* boot_root.c - find the disk of the root and open it as ccdm, over the base */
#include <errno.h>
#include "base/json.h"
#include "base/ui.h"
#include "disk/find.h"
#include "disk/grow.h"
#include "disk/module.h"
#include "disk/open.h"
#include "boot/report.h"
#include "boot.h"
#include "ccdm_format.h"

static enum ccdm_boot_code boot_root_code(int error)
{
	switch (error) {
	case -ENODEV:
		return CCDM_E_ROOT_NONE;
	case -ENOTUNIQ:
		return CCDM_E_ROOT_TWICE;
	case -EROFS:
		return CCDM_E_ROOT_READONLY;
	case -ENOSPC:
		return CCDM_E_ROOT_SMALL;
	default:
		return CCDM_E_ROOT_ERROR;
	}
}

static int boot_root_size(const struct ccdm_config *config, const struct ccdm_open_facts *facts,
			  struct ccdm_err *err)
{
	uint64_t bytes = facts->blocks << CCDM_BLOCK_SHIFT;
	char have[32], want[32];

	if (bytes >= config->min_size)
		return 0;
	return ccdm_err_set(err, -ENOSPC, "%s is too small: the root would have %s, min_size is %s",
			    facts->device.path, ccdm_ui_human(bytes, have),
			    ccdm_ui_human(config->min_size, want));
}

int ccdm_boot_root(const struct ccdm_config *config, enum ccdm_boot_code *code,
		   struct ccdm_err *err)
{
	char path[CCDM_CONFIG_PATH];
	struct ccdm_open open = { .device = path,
				  .name = CCDM_ROOT_NAME,
				  .cipher = config->cipher[0] ? config->cipher : NULL,
				  .on_tamper = config->on_tamper[0] ? config->on_tamper : NULL,
				  .cache = config->cache_size,
				  .origin = CCDM_BASE_PATH };
	struct ccdm_open_facts facts;
	uint64_t grown;
	char human[32];
	int r;

	*code = CCDM_E_ROOT_MODULE;
	r = ccdm_module_need(err);
	if (r)
		return r;
	r = ccdm_find_device(config->root_device[0] ? config->root_device : NULL, config->timeout,
			     path, sizeof(path), err);
	if (!r)
		r = ccdm_grow(path, &grown, err);
	if (!r && grown)
		ccdm_boot_note("%s: the last partition, extended to %s", path,
			       ccdm_ui_human(grown, human));
	if (!r)
		r = ccdm_open_look(&open, &facts, err);
	if (!r)
		r = boot_root_size(config, &facts, err);
	*code = boot_root_code(r);
	if (r)
		return r;
	if (facts.device.signature[0] && !config->wipe) {
		*code = CCDM_E_ROOT_FOREIGN;
		return ccdm_err_set(err, -ECANCELED,
				    "%s holds: %s; to destroy it, set wipe = yes in [root]", path,
				    facts.device.signature);
	}
	*code = CCDM_E_ROOT_ERROR;
	r = ccdm_open_map(&open, &facts, err);
	if (r)
		return r;
	return ccdm_report_put("root",
			       json_pack("{s:s, s:s, s:I, s:s}", "name", CCDM_ROOT_NAME, "device",
					 path, "bytes",
					 (json_int_t)facts.blocks << CCDM_BLOCK_SHIFT, "cipher",
					 open.cipher ? open.cipher : "aes-xts-gmac"),
			       err);
}
