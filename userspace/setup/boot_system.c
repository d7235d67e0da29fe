// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* boot_system.c - restrict the running system, and check which devices it would mount */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "base/json.h"
#include "boot/report.h"
#include "boot/system.h"
#include "boot.h"

#define BOOT_SYSROOT "/sysroot"

/* Check the system as it will see itself: its links must be resolved inside of it. */
static int boot_mounts(struct ccdm_err *err)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), r = 1;

	if (root >= 0 && !chroot(BOOT_SYSROOT)) {
		r = chdir("/") ? 1 : ccdm_system_mounts("", err);
		/* return to the initrd's root: ending the machine needs its /dev and /proc */
		if (fchdir(root) || chroot("."))
			r = 1;
	}
	if (root >= 0)
		close(root);
	return r > 0 ? ccdm_err_set(err, -EIO, BOOT_SYSROOT ": %s", strerror(errno)) : r;
}

int ccdm_boot_system(const struct ccdm_config *config, enum ccdm_boot_code *code,
		     struct ccdm_err *err)
{
	int r = 0;

	*code = CCDM_E_HOST_ERROR;
	/* forbid to load another kernel, and a crash kernel, which would see all memory */
	if (!access("/proc/sys/kernel/kexec_load_disabled", F_OK))
		r = ccdm_file_tell("/proc/sys/kernel/kexec_load_disabled", "1", err);
	if (!r)
		r = ccdm_system_close(config, "/run", err);
	if (!r && config->first_boot == CCDM_MACHINE_ID_RANDOM)
		r = ccdm_system_machine_id(BOOT_SYSROOT, err);
	if (!r)
		r = ccdm_report_put(
			"system",
			json_pack("{s:b, s:s, s:s}", "lockdown", config->lockdown, "machine_id",
				  config->first_boot == CCDM_MACHINE_ID_RANDOM ? "random" : "kept",
				  "on_failure",
				  config->on_failure == CCDM_FAILURE_REBOOT ? "reboot"
									    : "poweroff"),
			err);
	if (r)
		return r;
	*code = CCDM_E_HOST_MOUNT;
	r = boot_mounts(err);
	return r ? r : ccdm_boot_workload(config, code, err);
}
