// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* sev_guest.c - see sev_guest.h */
#include <errno.h>
#include <fcntl.h>
#include <linux/sev-guest.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "base/bytes.h"
#include "base/file.h"
#include "sev_guest.h"

#define SEV_RESPONSE	 32 /* bytes before the report: status, size, reserved */
#define SEV_CERTS_LENGTH 1  /* the host's answer: the buffer is too small for its certificates */
#define SEV_VMPCK	 "/sys/module/sev_guest/parameters/vmpck_id"

/* The VMPL whose key the kernel holds; the kernel cannot ask for reports of other levels. */
static unsigned int ccdm_sev_vmpl(void)
{
	struct ccdm_err ignored;
	unsigned int vmpl = 0;
	size_t size;
	char *text;

	if (ccdm_file_read(SEV_VMPCK, 32, &text, &size, &ignored))
		return 0;
	if (text[0] >= '0' && text[0] <= '3' && text[1] == '\n')
		vmpl = text[0] - '0';
	free(text);
	return vmpl;
}

/*
 * Return: 0 or -errno. @answer: the firmware's status in the low 32 bits, the host's in the high
 * ones.
 */
static int ccdm_sev_ask(int fd, unsigned long request, void *req, struct snp_report_resp *resp,
			uint64_t *answer)
{
	struct snp_guest_request_ioctl io = {
		.msg_version = 1,
		.req_data = (uintptr_t)req,
		.resp_data = (uintptr_t)resp,
	};
	int r = ioctl(fd, request, &io) ? -errno : 0;

	*answer = io.exitinfo2;
	return r;
}

static int ccdm_sev_why(const char *device, int error, uint64_t answer, struct ccdm_err *err)
{
	if (error == -ENOTTY)
		ccdm_err_hint(err, "after an error the kernel stops using its key; reboot");
	else if (error == -EAGAIN || error == -EBUSY)
		ccdm_err_hint(err, "the host throttles requests; try again later");
	return ccdm_err_set(err, error, "%s: %s (firmware %#x, host %#x)", device, strerror(-error),
			    (uint32_t)answer, (uint32_t)(answer >> 32));
}

static int ccdm_sev_report(int fd, const char *device, const uint8_t *data,
			   struct snp_report_resp *resp, uint8_t *certs, size_t *certs_size,
			   struct ccdm_err *err)
{
	struct snp_ext_report_req ext = {
		.data.vmpl = ccdm_sev_vmpl(),
		.certs_address = (uintptr_t)certs,
		.certs_len = CCDM_SEV_CERTS_MAX,
	};
	uint64_t answer;
	int r;

	memcpy(ext.data.user_data, data, CCDM_SEV_REPORT_DATA);
	*certs_size = CCDM_SEV_CERTS_MAX;
	r = ccdm_sev_ask(fd, SNP_GET_EXT_REPORT, &ext, resp, &answer);
	if (r && answer >> 32 == SEV_CERTS_LENGTH) {
		/*
		 * The host's certificates exceed the kernel's limit: ask for the report without
		 * them.
		 */
		*certs_size = 0;
		r = ccdm_sev_ask(fd, SNP_GET_REPORT, &ext.data, resp, &answer);
	}
	return r ? ccdm_sev_why(device, r, answer, err) : 0;
}

int ccdm_sev_guest_report(const char *device, const uint8_t data[CCDM_SEV_REPORT_DATA],
			  uint8_t raw[CCDM_SNP_REPORT_SIZE], uint8_t certs[CCDM_SEV_CERTS_MAX],
			  size_t *certs_size, struct ccdm_err *err)
{
	struct snp_report_resp *resp = calloc(1, sizeof(*resp));
	uint8_t *table = aligned_alloc(4096, CCDM_SEV_CERTS_MAX);
	int fd = open(device, O_RDWR | O_CLOEXEC), r = 0;
	uint32_t status, size;

	if (fd < 0)
		r = ccdm_err_set(err, -errno, "%s: %s", device, strerror(errno));
	else if (!resp || !table)
		r = ccdm_err_memory(err);
	if (!r) {
		memset(table, 0, CCDM_SEV_CERTS_MAX);
		r = ccdm_sev_report(fd, device, data, resp, table, certs_size, err);
	}
	if (!r) {
		status = ccdm_le32(resp->data);
		size = ccdm_le32(resp->data + 4);
		if (status || size != CCDM_SNP_REPORT_SIZE)
			r = ccdm_err_set(err, -EIO,
					 "%s: invalid answer: status %#x, report of %u bytes",
					 device, status, size);
	}
	if (!r) {
		memcpy(raw, resp->data + SEV_RESPONSE, CCDM_SNP_REPORT_SIZE);
		memcpy(certs, table, CCDM_SEV_CERTS_MAX);
	}
	if (fd >= 0)
		close(fd);
	free(table);
	free(resp);
	return r;
}
