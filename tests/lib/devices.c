// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * devices - a TPM and a processor for a program that looks for them in /dev
 *
 *	LD_PRELOAD=devices.so CCDM_TEST_TPM=SOCKET CCDM_TEST_SEV=SOCKET ccdm-setup ...
 *
 * /dev/tpmrm0 becomes swtpm at its socket, /dev/sev-guest becomes tests/kernel/sim/signer.c at its
 * socket. If a variable is not set, the device does not exist. The machine's own logs and its
 * configfs-tsm are hidden.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sev-guest.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "log/eventlog.h"
#include "boot/measure.h"
#include "attest/sev_guest.h"
#include "tpm/tpm.h"
#include "tpm_socket.h"

static char tpm_path[108], sev_path[108];
static int sev_fd = -1;

/* read the variables first: the program clears its environment */
__attribute__((constructor)) static void devices_begin(void)
{
	const char *tpm = getenv("CCDM_TEST_TPM"), *sev = getenv("CCDM_TEST_SEV");

	snprintf(tpm_path, sizeof(tpm_path), "%s", tpm ? tpm : "");
	snprintf(sev_path, sizeof(sev_path), "%s", sev ? sev : "");
}

static bool devices_hidden(const char *path)
{
	static const char *const all[] = { "/sys/kernel/config", "/sys/kernel/security",
					   CCDM_EVENTLOG_DIR, CCDM_MEASURE_SYSTEMD_LOG };
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strncmp(path, all[i], strlen(all[i])))
			return true;
	return (!strcmp(path, CCDM_TPM_DEVICE) && !tpm_path[0]) ||
	       (!strcmp(path, CCDM_SEV_GUEST) && !sev_path[0]);
}

static int devices_none(void)
{
	errno = ENOENT;
	return -1;
}

int access(const char *path, int mode)
{
	if (devices_hidden(path))
		return devices_none();
	if (!strcmp(path, CCDM_TPM_DEVICE) || !strcmp(path, CCDM_SEV_GUEST))
		return 0;
	return syscall(SYS_faccessat, AT_FDCWD, path, mode);
}

int mkdir(const char *path, mode_t mode)
{
	return devices_hidden(path) ? devices_none()
				    : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int open(const char *path, int flags, ...)
{
	mode_t mode;
	va_list args;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	if (devices_hidden(path))
		return devices_none();
	if (strcmp(path, CCDM_SEV_GUEST))
		return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	sev_fd = socket_open(sev_path);
	return sev_fd < 0 ? devices_none() : sev_fd;
}

/*
 * Answer like the kernel: the report after 32 bytes, and the host's table if there is room for it.
 */
static bool devices_report(const struct snp_ext_report_req *req, struct snp_report_resp *resp)
{
	uint8_t ask[70] = { 'C', 'C', 'D', 'M', 'R', req->data.vmpl };
	uint32_t size[2]; /* of the report and of the table; little-endian */

	memcpy(ask + 6, req->data.user_data, sizeof(req->data.user_data));
	memset(resp, 0, sizeof(*resp));
	if (write(sev_fd, ask, sizeof(ask)) != sizeof(ask) ||
	    !socket_read(sev_fd, size, sizeof(size)) || size[0] > sizeof(resp->data) - 32 ||
	    size[1] > req->certs_len)
		return false;
	memcpy(resp->data + 4, size, 4);
	return socket_read(sev_fd, resp->data + 32, size[0]) &&
	       socket_read(sev_fd, (void *)(uintptr_t)req->certs_address, size[1]);
}

int ioctl(int fd, unsigned long request, ...)
{
	struct snp_guest_request_ioctl *io;
	va_list args;

	va_start(args, request);
	io = va_arg(args, void *);
	va_end(args);
	if (fd != sev_fd || fd < 0)
		return syscall(SYS_ioctl, fd, request, io);
	if (request == SNP_GET_EXT_REPORT &&
	    devices_report((void *)(uintptr_t)io->req_data, (void *)(uintptr_t)io->resp_data))
		return 0;
	errno = EIO;
	return -1;
}

TSS2_RC Tss2_Tcti_Device_Init(TSS2_TCTI_CONTEXT *c, size_t *size, const char *conf);
TSS2_RC Tss2_Tcti_Device_Init(TSS2_TCTI_CONTEXT *c, size_t *size, const char *conf)
{
	if (tpm_fd < 0)
		tpm_fd = socket_open(tpm_path);
	chip_gone = tpm_fd < 0;
	return __wrap_Tss2_Tcti_Device_Init(c, size, conf);
}
