// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* firmware.c - see firmware.h */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "firmware.h"

/* Debian and Ubuntu, Fedora, Arch, openSUSE */
static const char *const firmware_known[] = {
	"/usr/share/OVMF/OVMF_CODE_4M.fd",	"/usr/share/OVMF/OVMF_CODE.fd",
	"/usr/share/edk2/ovmf/OVMF_CODE.fd",	"/usr/share/edk2/x64/OVMF_CODE.4m.fd",
	"/usr/share/qemu/ovmf-x86_64-code.bin",
};

/* The name of the variables' file. Return: 0, -ENOENT if there is no such name. */
static int firmware_vars(const char *code, char vars[PATH_MAX])
{
	static const char *const words[][2] = { { "CODE", "VARS" }, { "code", "vars" } };
	const char *slash = strrchr(code, '/'), *at = NULL;
	size_t i;

	for (i = 0; !at && i < 2; i++)
		at = strstr(slash ? slash : code, words[i][0]);
	if (!at)
		return -ENOENT;
	snprintf(vars, PATH_MAX, "%.*s%s%s", (int)(at - code), code, words[i - 1][1], at + 4);
	/* (the same variables serve the firmware with and without SMM) */
	at = strstr(vars, ".secboot");
	if (at && access(vars, R_OK))
		memmove(vars + (at - vars), at + 8, strlen(at + 8) + 1);
	return 0;
}

int ccdm_firmware_find(const char *file, struct ccdm_firmware *firmware, struct ccdm_err *err)
{
	size_t i;

	for (i = 0; !file && i < ARRAY_SIZE(firmware_known); i++)
		if (!access(firmware_known[i], R_OK))
			file = firmware_known[i];
	if (!file) {
		ccdm_err_hint(err, "install the package ovmf (Fedora: edk2-ovmf), or give "
				   "--firmware FILE");
		return ccdm_err_set(err, -ENOENT, "no UEFI firmware for QEMU: there is no %s",
				    firmware_known[0]);
	}
	if (access(file, R_OK))
		return ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	snprintf(firmware->code, sizeof(firmware->code), "%s", file);
	firmware->vars[0] = '\0';
	if (firmware_vars(file, firmware->vars))
		return 0;
	if (access(firmware->vars, R_OK))
		return ccdm_err_set(err, -errno, "%s: %s: the variables of %s", firmware->vars,
				    strerror(errno), file);
	return 0;
}
