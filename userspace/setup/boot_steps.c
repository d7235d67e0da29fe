// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* boot_steps.c - what happens between the kernel and the switch to the real root */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/compiler.h"
#include "boot/fence.h"
#include "base/file.h"
#include "disk/find.h"
#include "boot/system.h"
#include "boot/measure.h"
#include "base/json.h"
#include "disk/module.h"
#include "disk/open.h"
#include "boot/report.h"
#include "boot/verity.h"
#include "boot.h"
#include "ccdm_format.h"
#include "setup.h"

#define BOOT_CMDLINE_MAX 8192
#define BOOT_BASE	 "/dev/mapper/" CCDM_BASE_NAME
#define BOOT_SYSROOT	 "/sysroot"

/* ---- the fence ----------------------------------------------------------- */

/* PCR 12 and 13: what the UKI's stub found beside it, command lines, credentials, extensions. */
static int boot_fence_pcr(struct ccdm_err *err)
{
	static const unsigned int pcrs[] = { 12, 13 };
	char path[64], *text;
	size_t i, size;

	for (i = 0; i < ARRAY_SIZE(pcrs); i++) {
		snprintf(path, sizeof(path), "/sys/class/tpm/tpm0/pcr-sha256/%u", pcrs[i]);
		if (access(path, R_OK))
			return 0; /* no TPM yet, or another bank: the verifier sees it all the same */
		if (ccdm_file_read(path, 4096, &text, &size, err))
			return -EIO;
		size = strspn(text, "0\n");
		if (text[size]) {
			free(text);
			return ccdm_err_set(
				err, -ECANCELED,
				"PCR %u is not zero: something was added beside the UKI", pcrs[i]);
		}
		free(text);
	}
	return 0;
}

int ccdm_boot_fence(struct ccdm_config *config, enum ccdm_boot_code *code, struct ccdm_err *err)
{
	char *found;
	size_t size;
	int r;

	*code = CCDM_E_CONF;
	r = ccdm_config_load(CCDM_CONFIG_FILE, config, err);
	if (r)
		return r;
	*code = CCDM_E_FENCE_CMDLINE;
	r = ccdm_file_read("/proc/cmdline", BOOT_CMDLINE_MAX, &found, &size, err);
	if (r)
		return r;
	r = ccdm_fence_cmdline(config, found, err);
	free(found);
	if (!r)
		r = ccdm_fence_options("", err);
	if (r)
		return r;
	*code = CCDM_E_FENCE_FILES;
	return ccdm_fence_files("", err);
}

/* ---- measure ------------------------------------------------------------- */

static enum ccdm_boot_code boot_tpm_code(int error)
{
	switch (error) {
	case -ENODEV:
		return CCDM_E_TPM_NONE;
	case -ENXIO:
		return CCDM_E_RTMR_NONE;
	case -EBADMSG:
		return CCDM_E_TPM_VALUE;
	case -ECANCELED:
		return CCDM_E_FENCE_PCR;
	default:
		return CCDM_E_TPM_ERROR;
	}
}

/* What was measured, and where to; what a TDX guest lacks. */
static json_t *boot_measured(const struct ccdm_measure_to *to, const struct ccdm_measure_list *list,
			     const struct ccdm_measure_values *values)
{
	json_t *events = json_array(), *registers = json_object();
	char where[64], hex[2 * CCDM_DIGEST_MAX + 1];
	unsigned int i;
	json_t *o;

	for (i = 0; i < list->count; i++) {
		ccdm_measure_where(to, list->text[i], where, sizeof(where));
		ccdm_boot_note("%.*s is in %s", (int)strcspn(list->text[i], ":"), list->text[i],
			       where);
		ccdm_json_add(&events, json_string(list->text[i]));
		ccdm_json_put(&registers, list->text[i], json_string(where));
	}
	if (to->tdx && !to->rtmr)
		ccdm_boot_note("warning: a TDX guest without RTMR 3: nothing is measured there; "
			       "Linux 6.16 and later have it");
	o = json_pack("{s:b, s:b, s:b, s:o, s:o, s:o}", "tpm", to->tpm != NULL, "tdx", to->tdx,
		      "rtmr", to->rtmr != NULL, "events", events, "registers", registers, "pcr15",
		      ccdm_setup_values(&values->pcr));
	if (values->rtmr.size) {
		ccdm_hex(values->rtmr.bytes, values->rtmr.size, hex);
		ccdm_json_put(&o, "rtmr3", json_string(hex));
	}
	return o;
}

/* Measure @list (of at least one event), check that the registers hold it, and report. */
static int boot_measure(const struct ccdm_config *config, const struct ccdm_measure_list *list,
			const char *step, struct ccdm_err *err)
{
	struct ccdm_measure_values values;
	struct ccdm_measure_to to;
	unsigned int i;
	int r;

	r = ccdm_measure_open(config, &to, err);
	for (i = 0; !r && i < list->count; i++)
		r = ccdm_measure_event(&to, list->text[i], err);
	if (!r)
		r = ccdm_measure_check(&to, &values, err);
	if (!r && (config->tpm != CCDM_TPM_OFF || to.tdx))
		r = ccdm_report_put(step, boot_measured(&to, list, &values), err);
	ccdm_measure_close(&to);
	return r;
}

static bool boot_measures(const struct ccdm_config *config)
{
	return config->tpm != CCDM_TPM_OFF || config->rtmr != CCDM_RTMR_OFF;
}

int ccdm_boot_measure(const struct ccdm_config *config, enum ccdm_boot_code *code,
		      struct ccdm_err *err)
{
	struct ccdm_measure_list *list = malloc(sizeof(*list));
	int r = list ? ccdm_measure_events(config, list, err) : -ENOMEM;

	*code = CCDM_E_CONF;
	if (!r && boot_measures(config)) {
		r = boot_measure(config, list, "measured", err);
		if (!r && config->strict && config->tpm != CCDM_TPM_OFF)
			r = boot_fence_pcr(err);
		*code = boot_tpm_code(r);
	}
	free(list);
	return r;
}

int ccdm_boot_cap(const struct ccdm_config *config, enum ccdm_boot_code *code, struct ccdm_err *err)
{
	struct ccdm_measure_list *list = calloc(1, sizeof(*list));
	int r = list ? 0 : -ENOMEM;

	if (!r && boot_measures(config)) {
		list->count = 1;
		strcpy(list->text[0], "ccdm-cap:1");
		r = boot_measure(config, list, "capped", err);
	}
	*code = boot_tpm_code(r);
	free(list);
	return r;
}

/* ---- the base ------------------------------------------------------------ */

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
	int r = ccdm_verity_fs(BOOT_BASE, fs, err);

	/* (btrfs joins devices by what they say of themselves, the host's among them) */
	if (!r && strcmp(fs->type, "ext4") && strcmp(fs->type, "xfs"))
		r = ccdm_err_set(err, -EINVAL, "the base holds %s, expected ext4 or xfs",
				 fs->type[0] ? fs->type : "no file system that is known");
	if (!r && fs->block && fs->block < CCDM_BLOCK_SIZE)
		r = ccdm_err_set(err, -EINVAL,
				 "the %s of the base has blocks of %u bytes, expected %u: make it "
				 "with mkfs -b %u",
				 fs->type, fs->block, CCDM_BLOCK_SIZE, CCDM_BLOCK_SIZE);
	if (!r && fs->dirty)
		r = ccdm_err_set(err, -EINVAL,
				 "the %s of the base was not unmounted: its journal is not empty",
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

/* ---- the root ------------------------------------------------------------ */

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
				  .origin = BOOT_BASE };
	struct ccdm_open_facts facts;
	int r;

	*code = CCDM_E_ROOT_MODULE;
	r = ccdm_module_need(err);
	if (r)
		return r;
	r = ccdm_find_device(config->root_device[0] ? config->root_device : NULL, config->timeout,
			     path, sizeof(path), err);
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
				    "%s holds: %s; if it may be destroyed, set "
				    "wipe = yes in [root]",
				    path, facts.device.signature);
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

/* ---- the system that follows --------------------------------------------- */

/* Look at the system as it will see itself: links in it are followed within it. */
static int boot_mounts(struct ccdm_err *err)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), r = 1;

	if (root >= 0 && !chroot(BOOT_SYSROOT)) {
		r = chdir("/") ? 1 : ccdm_system_mounts("", err);
		/* back: what ends the machine needs our /dev and /proc */
		if (fchdir(root) || chroot("."))
			r = 1;
	}
	if (root >= 0)
		close(root);
	return r > 0 ? ccdm_err_set(err, -EIO, BOOT_SYSROOT ": %s", strerror(errno)) : r;
}

int ccdm_boot_host(const struct ccdm_config *config, enum ccdm_boot_code *code,
		   struct ccdm_err *err)
{
	int r = 0;

	*code = CCDM_E_HOST_ERROR;
	/* nothing loads another kernel, nor one for a crash, which would see all memory */
	if (!access("/proc/sys/kernel/kexec_load_disabled", F_OK))
		r = ccdm_file_tell("/proc/sys/kernel/kexec_load_disabled", "1", err);
	if (!r)
		r = ccdm_system_close(config, "/run", err);
	if (!r && config->first_boot == CCDM_MACHINE_ID_RANDOM)
		r = ccdm_system_machine_id(BOOT_SYSROOT, err);
	if (!r)
		r = ccdm_report_put(
			"system",
			json_pack("{s:b, s:s}", "lockdown", config->lockdown, "machine_id",
				  config->first_boot == CCDM_MACHINE_ID_RANDOM ? "random" : "kept"),
			err);
	if (r)
		return r;
	*code = CCDM_E_HOST_MOUNT;
	return boot_mounts(err);
}
