// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* boot_measure.c - measure the image's configuration, and check the registers */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/compiler.h"
#include "base/file.h"
#include "base/json.h"
#include "boot/measure.h"
#include "boot/report.h"
#include "boot.h"
#include "setup.h"

static enum ccdm_boot_code boot_tpm_code(int error)
{
	switch (error) {
	case -ENODEV:
		return CCDM_E_TPM_NONE;
	case -ENXIO:
		return CCDM_E_RTMR_NONE;
	case -EBADMSG:
		return CCDM_E_TPM_VALUE;
	default:
		return CCDM_E_TPM_ERROR;
	}
}

/* The events and their registers; and the register that a TDX guest lacks. */
static json_t *boot_measured(const struct ccdm_measure_to *to, const struct ccdm_measure_list *list,
			     const struct ccdm_measure_values *values)
{
	json_t *events = json_array(), *registers = json_object();
	char where[64], hex[2 * CCDM_DIGEST_MAX + 1];
	unsigned int i;
	json_t *o;

	for (i = 0; i < list->count; i++) {
		ccdm_measure_where(to, list->text[i], where, sizeof(where));
		ccdm_boot_note("measured %.*s into %s", (int)strcspn(list->text[i], ":"),
			       list->text[i], where);
		ccdm_json_add(&events, json_string(list->text[i]));
		ccdm_json_put(&registers, list->text[i], json_string(where));
	}
	if (to->tdx && !to->rtmr)
		ccdm_boot_note(
			"warning: this TDX guest has no RTMR 3, so nothing is measured there; "
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

int ccdm_boot_measure_list(const struct ccdm_config *config, const struct ccdm_measure_list *list,
			   const char *step, enum ccdm_boot_code *code, struct ccdm_err *err)
{
	struct ccdm_measure_values values;
	struct ccdm_measure_to to;
	unsigned int i;
	int r;

	if (config->tpm == CCDM_TPM_OFF && config->rtmr == CCDM_RTMR_OFF)
		return 0;
	r = ccdm_measure_open(config, &to, err);
	for (i = 0; !r && i < list->count; i++)
		r = ccdm_measure_event(&to, list->text[i], err);
	if (!r)
		r = ccdm_measure_check(&to, &values, err);
	if (!r && (config->tpm != CCDM_TPM_OFF || to.tdx))
		r = ccdm_report_put(step, boot_measured(&to, list, &values), err);
	ccdm_measure_close(&to);
	*code = boot_tpm_code(r);
	return r;
}

/*
 * Check that PCRs 12 and 13 are zero: the stub measures command lines, credentials and extensions
 * into them that are not part of the UKI.
 */
static int boot_fence_pcr(struct ccdm_err *err)
{
	static const unsigned int pcrs[] = { 12, 13 };
	char path[64], *text;
	size_t i, size;

	for (i = 0; i < ARRAY_SIZE(pcrs); i++) {
		snprintf(path, sizeof(path), "/sys/class/tpm/tpm0/pcr-sha256/%u", pcrs[i]);
		if (access(path, R_OK))
			return 0; /* no TPM yet, or another bank: a verifier sees it */
		if (ccdm_file_read(path, 4096, &text, &size, err))
			return -EIO;
		size = strspn(text, "0\n");
		if (text[size]) {
			free(text);
			return ccdm_err_set(
				err, -ECANCELED,
				"PCR %u is not zero: the boot loaded a command line, credential or "
				"extension beside the UKI",
				pcrs[i]);
		}
		free(text);
	}
	return 0;
}

int ccdm_boot_measure(const struct ccdm_config *config, enum ccdm_boot_code *code,
		      struct ccdm_err *err)
{
	struct ccdm_measure_list *list = malloc(sizeof(*list));
	int r = list ? ccdm_measure_events(config, list, err) : -ENOMEM;

	*code = CCDM_E_CONF;
	if (!r)
		r = ccdm_boot_measure_list(config, list, "measured", code, err);
	if (!r && config->strict && config->tpm != CCDM_TPM_OFF) {
		r = boot_fence_pcr(err);
		*code = r == -ECANCELED ? CCDM_E_FENCE_PCR : CCDM_E_TPM_ERROR;
	}
	free(list);
	return r;
}
