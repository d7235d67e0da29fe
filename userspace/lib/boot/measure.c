// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* measure.c - see measure.h */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "disk/find.h"
#include "measure.h"
#include "disk/module.h"
#include "tpm/tpm.h"

/* ---- registers ----------------------------------------------------------- */

/* Does the firmware or an SVSM announce a TPM? Then it makes sense to wait for the driver. */
static bool ccdm_measure_announced(void)
{
	return !access("/sys/firmware/acpi/tables/TPM2", F_OK) ||
	       !access("/sys/bus/platform/devices/tpm-svsm", F_OK);
}

/* Is "tdx_guest" one of the flags of the first processor? */
static bool ccdm_measure_is_tdx(const char *cpuinfo)
{
	static const char word[] = "tdx_guest";
	FILE *f = fopen(cpuinfo, "re");
	size_t size = 0, n = strlen(word);
	bool found = false, flags = false;
	char *line = NULL, *at;

	while (f && !flags && getline(&line, &size, f) > 0) {
		flags = !strncmp(line, "flags", 5);
		for (at = line; flags && !found && (at = strstr(at, word)); at += n)
			found = at[-1] == ' ' && strchr(" \n", at[n]);
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

static int ccdm_measure_load_tdx(void)
{
	return ccdm_module_insert("tdx-guest");
}

int ccdm_measure_find_rtmr(const struct ccdm_measure_tdx *tdx, enum ccdm_rtmr_use use,
			   unsigned int seconds, struct ccdm_measure_to *to, struct ccdm_err *err)
{
	bool flag;

	if (use == CCDM_RTMR_OFF)
		return 0;
	flag = ccdm_measure_is_tdx(tdx->cpuinfo);
	/*
	 * a driver that was loaded soon creates its device; a driver that is not in the initrd
	 * never does
	 */
	if (access(tdx->device, F_OK) && (use == CCDM_RTMR_REQUIRED || (flag && !tdx->load())))
		ccdm_find_node(tdx->device, seconds);
	to->tdx = flag || !access(tdx->device, F_OK);
	if (!access(tdx->rtmr, R_OK | W_OK))
		to->rtmr = tdx->rtmr;
	if (to->rtmr || use == CCDM_RTMR_OPTIONAL)
		return 0;
	ccdm_err_hint(err, "Linux 6.16 and later have it in a TDX guest");
	return ccdm_err_set(err, -ENXIO, "RTMR 3 is required, but %s did not appear within %u s",
			    tdx->rtmr, seconds);
}

int ccdm_measure_open(const struct ccdm_config *config, struct ccdm_measure_to *to,
		      struct ccdm_err *err)
{
	static const struct ccdm_measure_tdx tdx = { "/proc/cpuinfo", CCDM_MEASURE_TDX_DEVICE,
						     CCDM_MEASURE_RTMR_FILE,
						     ccdm_measure_load_tdx };
	int r;

	memset(to, 0, sizeof(*to));
	to->log = CCDM_EVENTLOG_FILE;
	to->after = CCDM_MEASURE_SYSTEMD_LOG;
	mkdir(CCDM_EVENTLOG_DIR, 0755);
	r = ccdm_measure_find_rtmr(&tdx, config->rtmr, config->timeout, to, err);
	if (r || config->tpm == CCDM_TPM_OFF)
		return r;
	if (access(CCDM_TPM_DEVICE, F_OK) && ccdm_measure_announced())
		ccdm_find_node(CCDM_TPM_DEVICE, config->timeout);
	r = ccdm_tpm_open(CCDM_TPM_DEVICE, &to->tpm, err);
	/* only a missing TPM is acceptable; a TPM that fails is an error */
	if (r == -ENODEV && config->tpm == CCDM_TPM_OPTIONAL && !ccdm_measure_announced())
		return 0;
	return r;
}

void ccdm_measure_close(struct ccdm_measure_to *to)
{
	ccdm_tpm_close(to->tpm);
	to->tpm = NULL;
}

/*
 * Extend RTMR 3: a single write of 48 bytes
 * (Documentation/ABI/testing/sysfs-devices-virtual-misc-tdx_guest).
 */
static int ccdm_measure_rtmr(const struct ccdm_measure_to *to, struct ccdm_event *event,
			     struct ccdm_err *err)
{
	struct ccdm_digest *d = &event->digests.digest[0];
	int fd, r;

	event->rtmr = true;
	event->index = CCDM_EVENT_RTMR;
	event->digests.count = 1;
	r = ccdm_digest_of(CCDM_ALG_SHA384, event->text, strlen(event->text), NULL, 0, d);
	if (r)
		return ccdm_err_set(err, r, "SHA-384 failed");
	fd = open(to->rtmr, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		r = -errno;
	else if (pwrite(fd, d->bytes, d->size, 0) != d->size)
		r = errno ? -errno : -EIO;
	if (fd >= 0)
		close(fd);
	if (r)
		return ccdm_err_set(err, r, "%s: %s", to->rtmr, strerror(-r));
	return ccdm_eventlog_append(to->log, event, err);
}

static int ccdm_measure_pcr(const struct ccdm_measure_to *to, unsigned int pcr,
			    struct ccdm_event *event, struct ccdm_err *err)
{
	int r;

	event->rtmr = false;
	event->index = pcr;
	r = ccdm_tpm_extend(to->tpm, pcr, event->text, &event->digests, err);
	return r ? r : ccdm_eventlog_append(to->log, event, err);
}

int ccdm_measure_event(const struct ccdm_measure_to *to, const char *text, struct ccdm_err *err)
{
	struct ccdm_event event = { 0 };
	int r = 0;

	snprintf(event.text, sizeof(event.text), "%s", text);
	if (to->tpm)
		r = ccdm_measure_pcr(to, CCDM_EVENT_PCR, &event, err);
	if (!r && to->tpm && !strncmp(text, "ccdm-signer:", strlen("ccdm-signer:")))
		r = ccdm_measure_pcr(to, CCDM_MEASURE_SIGNER_PCR, &event, err);
	if (!r && to->rtmr)
		r = ccdm_measure_rtmr(to, &event, err);
	return r;
}

void ccdm_measure_where(const struct ccdm_measure_to *to, const char *text, char *where,
			size_t size)
{
	bool signer = to->tpm && !strncmp(text, "ccdm-signer:", strlen("ccdm-signer:"));

	snprintf(where, size, "%s%s%s%s", to->tpm ? "PCR 15" : "", signer ? ", PCR 16" : "",
		 to->tpm && to->rtmr ? ", " : "",
		 to->rtmr  ? "RTMR 3"
		 : to->tpm ? ""
			   : "no register");
}

/* The value of a register after ccdm's log and, for a PCR, systemd's log. */
static int ccdm_measure_replay(const struct ccdm_measure_to *to, bool rtmr,
			       struct ccdm_digest *value, struct ccdm_err *err)
{
	const char *const logs[] = { to->log, to->after };
	char *text;
	size_t i, size;
	int r = 0;

	for (i = 0; !r && i < (rtmr ? 1 : 2); i++) {
		if (i && (!logs[i] || access(logs[i], F_OK)))
			continue;
		r = ccdm_file_read(logs[i], CCDM_EVENTLOG_MAX, &text, &size, err);
		if (r)
			return r;
		r = ccdm_eventlog_replay(text, size, rtmr, rtmr ? CCDM_EVENT_RTMR : CCDM_EVENT_PCR,
					 value, err);
		free(text);
	}
	return r;
}

static int ccdm_measure_compare(const struct ccdm_measure_to *to, bool rtmr,
				const struct ccdm_digest *v, struct ccdm_err *err)
{
	char have[2 * CCDM_DIGEST_MAX + 1], want[2 * CCDM_DIGEST_MAX + 1];
	struct ccdm_digest replayed;
	int r = ccdm_eventlog_begin(v->alg, &replayed, err);

	if (!r)
		r = ccdm_measure_replay(to, rtmr, &replayed, err);
	if (r || !memcmp(replayed.bytes, v->bytes, v->size))
		return r;
	ccdm_hex(v->bytes, v->size, have);
	ccdm_hex(replayed.bytes, v->size, want);
	return ccdm_err_set(err, -EBADMSG, "%s %u (%s): expected %s from the log, found %s",
			    rtmr ? "RTMR" : "PCR", rtmr ? CCDM_EVENT_RTMR : CCDM_EVENT_PCR,
			    ccdm_digest_name(v->alg), want, have);
}

/* Read RTMR 3; the kernel asks the TDX module at each read. */
static int ccdm_measure_check_rtmr(const struct ccdm_measure_to *to, struct ccdm_digest *value,
				   struct ccdm_err *err)
{
	char *bytes;
	size_t size;
	int r = ccdm_file_read(to->rtmr, CCDM_DIGEST_MAX, &bytes, &size, err);

	if (r)
		return r;
	value->alg = CCDM_ALG_SHA384;
	value->size = ccdm_digest_size(CCDM_ALG_SHA384);
	if (size == value->size)
		memcpy(value->bytes, bytes, size);
	else
		r = ccdm_err_set(err, -EBADMSG, "%s: expected %u bytes, found %zu", to->rtmr,
				 value->size, size);
	free(bytes);
	return r ? r : ccdm_measure_compare(to, true, value, err);
}

/* A register that an earlier step extended must still exist. */
static int ccdm_measure_check_gone(const struct ccdm_measure_to *to, struct ccdm_err *err)
{
	struct ccdm_digest value, none;
	int r = ccdm_eventlog_begin(CCDM_ALG_SHA384, &value, err);

	if (r || access(to->log, F_OK))
		return r;
	none = value;
	r = ccdm_measure_replay(to, true, &value, err);
	if (r || !memcmp(value.bytes, none.bytes, value.size))
		return r;
	return ccdm_err_set(err, -EBADMSG,
			    "the log has events of RTMR %u, but the register has disappeared",
			    CCDM_EVENT_RTMR);
}

int ccdm_measure_check(const struct ccdm_measure_to *to, struct ccdm_measure_values *values,
		       struct ccdm_err *err)
{
	unsigned int i;
	int r = 0;

	memset(values, 0, sizeof(*values));
	if (to->tpm)
		r = ccdm_tpm_read(to->tpm, CCDM_EVENT_PCR, &values->pcr, err);
	if (!r && to->tpm && !values->pcr.count)
		r = ccdm_err_set(err, -EBADMSG, "the TPM has no bank with PCR %u", CCDM_EVENT_PCR);
	for (i = 0; !r && i < values->pcr.count; i++)
		r = ccdm_measure_compare(to, false, &values->pcr.digest[i], err);
	if (!r)
		r = to->rtmr ? ccdm_measure_check_rtmr(to, &values->rtmr, err)
			     : ccdm_measure_check_gone(to, err);
	return r;
}
