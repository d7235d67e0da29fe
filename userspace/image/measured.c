// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* measured.c - a prediction as JSON: events, values of registers, enclave IDs */
#include <stdio.h>
#include "base/json.h"
#include "image.h"

static const unsigned int measured_pcrs[] = { 4, 5, 9, 11, CCDM_EVENT_PCR };

static json_t *measured_digests(const struct ccdm_digest digest[CCDM_PREDICT_BANKS])
{
	char hex[2 * CCDM_DIGEST_MAX + 1];
	json_t *o = json_object();
	unsigned int k;

	for (k = 0; k < CCDM_PREDICT_BANKS; k++)
		ccdm_json_put(&o, ccdm_digest_name(ccdm_predict_bank(k)),
			      json_string(ccdm_image_hex(&digest[k], hex)));
	return o;
}

static json_t *measured_json_events(const struct ccdm_prediction *p)
{
	json_t *events = json_array(), *o;
	unsigned int i;

	for (i = 0; i < p->events; i++) {
		const struct ccdm_predicted *e = &p->event[i];

		o = json_pack("{s:i, s:s, s:o}", "pcr", (int)e->pcr, "what", e->what, "digests",
			      measured_digests(e->digest));
		if (e->of[0])
			ccdm_json_put(&o, "of", json_string(e->of));
		ccdm_json_add(&events, o);
	}
	return events;
}

/* Why a register of a TD is not known; NULL if it is. */
static const char *measured_rtmr_why(const struct ccdm_image_disk *disk, unsigned int reg)
{
	static const unsigned int pcrs[] = { 4, 5, 9, 11, 12, 13, CCDM_EVENT_PCR };
	const char *why = ccdm_predict_rtmr_why(&disk->boot, reg);
	unsigned int i;

	for (i = 0; !why && i < ARRAY_SIZE(pcrs); i++)
		if (ccdm_predict_rtmr(pcrs[i]) == reg)
			why = ccdm_predict_why(&disk->prediction, pcrs[i]);
	if (!why && reg == 1 && !disk->boot.disk)
		why = "a UKI alone has no partition table";
	return why;
}

/* RTMR 1 has two values: some firmware measures a separator into it, other firmware does not. */
static int measured_rtmr(const struct ccdm_image_disk *disk, unsigned int reg, json_t **o)
{
	const char *why = measured_rtmr_why(disk, reg);
	static const char *const said[] = { "without-separator", "with-separator" };
	char hex[2 * CCDM_DIGEST_MAX + 1];
	struct ccdm_digest value;
	unsigned int i;
	int r = 0;

	if (why) {
		*o = json_pack("{s:s}", "unknown", why);
		return *o ? 0 : -ENOMEM;
	}
	*o = reg == 1 ? json_object() : NULL;
	for (i = 0; !r && i < (reg == 1 ? 2 : 1); i++) {
		r = ccdm_predict_rtmr_value(&disk->prediction, reg, i, &value);
		if (r)
			break;
		ccdm_image_hex(&value, hex);
		if (reg == 1)
			ccdm_json_put(o, said[i], json_string(hex));
		else
			*o = json_string(hex);
	}
	if (!r && !*o)
		r = -ENOMEM;
	return r;
}

static void measured_rtmr_print(unsigned int reg, const json_t *o)
{
	const char *why = json_string_value(json_object_get(o, "unknown"));

	if (why)
		ccdm_ui_line("RTMR %u unknown: %s", reg, why);
	else if (json_is_string(o))
		printf("RTMR %u sha384 %s\n", reg, json_string_value(o));
	else
		printf("RTMR %u sha384 %s (OVMF: no separator)\n"
		       "RTMR %u sha384 %s (Google's firmware: one separator)\n",
		       reg, json_string_value(json_object_get(o, "without-separator")), reg,
		       json_string_value(json_object_get(o, "with-separator")));
}

static int measured_rtmrs(const struct ccdm_image_disk *disk, json_t *rtmrs)
{
	unsigned int reg;
	char name[16];
	json_t *o;
	int r;

	for (reg = 1; reg <= 3; reg++) {
		o = NULL;
		r = measured_rtmr(disk, reg, &o);
		snprintf(name, sizeof(name), "%u", reg);
		if (!r && rtmrs && json_object_set(rtmrs, name, o))
			r = -ENOMEM;
		if (!r && !rtmrs)
			measured_rtmr_print(reg, o);
		json_decref(o);
		if (r)
			return r;
	}
	return 0;
}

/* Values of a TPM's registers, and of the TD's registers that depend on the disk alone. */
int ccdm_image_values(const struct ccdm_image_disk *disk, json_t *pcrs, json_t *rtmrs)
{
	struct ccdm_digest value[CCDM_PREDICT_BANKS];
	char name[16], hex[2 * CCDM_DIGEST_MAX + 1];
	const struct ccdm_prediction *p = &disk->prediction;
	unsigned int i, k;
	int r = 0;

	for (i = 0; !r && i < ARRAY_SIZE(measured_pcrs); i++) {
		unsigned int pcr = measured_pcrs[i];
		const char *why = ccdm_predict_why(p, pcr);

		for (k = 0; !r && !why && k < CCDM_PREDICT_BANKS; k++)
			r = ccdm_predict_value(p, pcr, k, &value[k]);
		if (!disk->boot.disk && pcr == 5)
			why = "a UKI alone has no partition table";
		if (!r && pcrs) {
			snprintf(name, sizeof(name), "%u", pcr);
			if (json_object_set_new(pcrs, name,
						why ? json_pack("{s:s}", "unknown", why)
						    : measured_digests(value)))
				return -ENOMEM;
		} else if (!r && why) {
			ccdm_ui_line("PCR %u unknown: %s", pcr, why);
		}
		for (k = 0; !r && !pcrs && !why && k < CCDM_PREDICT_BANKS; k++)
			printf("PCR %u %s %s\n", pcr, ccdm_digest_name(ccdm_predict_bank(k)),
			       ccdm_image_hex(&value[k], hex));
	}
	return r ? r : measured_rtmrs(disk, rtmrs);
}

json_t *ccdm_image_measured(const struct ccdm_image_disk *disk)
{
	json_t *pcrs = json_object(), *rtmrs = json_object(), *o = NULL;

	if (pcrs && rtmrs && !ccdm_image_values(disk, pcrs, rtmrs))
		o = json_pack("{s:s, s:s, s:s, s:o, s:O, s:O, s:o}", "file", disk->boot.source.name,
			      "uki", disk->boot.path, "stub", disk->boot.uki.stub, "events",
			      measured_json_events(&disk->prediction), "pcrs", pcrs, "rtmrs", rtmrs,
			      "enclave-id", ccdm_image_ids(disk));
	json_decref(pcrs);
	json_decref(rtmrs);
	return o;
}
