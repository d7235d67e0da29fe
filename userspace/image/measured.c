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

/* Values of a TPM's registers, and of those of a TD that hang on the disk alone. */
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
		/* (what ccdm measures is the same there) */
		if (!r && !why && pcr == CCDM_EVENT_PCR &&
		    disk->boot.config.rtmr != CCDM_RTMR_OFF) {
			if (rtmrs &&
			    json_object_set_new(rtmrs, "3",
						json_string(ccdm_image_hex(&value[1], hex))))
				return -ENOMEM;
			if (!rtmrs)
				printf("RTMR 3 sha384 %s\n", ccdm_image_hex(&value[1], hex));
		}
	}
	return r;
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
