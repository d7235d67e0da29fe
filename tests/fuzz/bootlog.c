// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * fuzzes: lib/log/tcglog.c lib/log/eventlog.c lib/log/bootlog.c - logs of ccdm and of
 * systemd, each followed by 0xff, then the firmware's log; the registers match the logs
 */
#include "log/bootlog.h"
#include "log/tcglog.h"
#include "fuzz.h"

/* Each event that was read can be written again. */
static int again(const struct ccdm_event *event, void *arg)
{
	struct ccdm_err err;

	(void)arg;
	ccdm_eventlog_append("/dev/null", event, &err);
	return 0;
}

static void facts(const struct ccdm_bootlog *log, const struct ccdm_banks *banks, bool rtmr)
{
	struct ccdm_registers regs = { .rtmr = rtmr,
				       .bank = rtmr ? CCDM_ALG_SHA384 : CCDM_ALG_SHA256 };
	const struct ccdm_bank *bank = ccdm_banks_find(banks, regs.bank);
	json_t *o = fuzz_own(json_object()), *notes = fuzz_own(json_array());
	char *text;
	struct ccdm_digest value;
	struct ccdm_err err;
	unsigned int i;

	fuzz_pause(true);
	for (i = 0; i < CCDM_REGISTERS; i++) {
		if (bank)
			memcpy(regs.value[i], bank->value[i].bytes, bank->value[i].size);
		if (!ccdm_eventlog_begin(regs.bank, &value, &err) &&
		    !ccdm_eventlog_replay(log->ccdm, log->ccdm_size, rtmr, i, &value, &err) &&
		    !ccdm_eventlog_replay(log->systemd, log->systemd_size, rtmr, i, &value, &err) &&
		    (i == 15 || rtmr))
			memcpy(regs.value[i], value.bytes, value.size);
		regs.covered |= 1u << i;
	}
	fuzz_pause(false);
	if (!ccdm_bootlog_facts(log, &regs, o, notes, NULL, &err)) {
		text = fuzz_own(json_dumps(o, JSON_SORT_KEYS));
		fuzz_said("facts", text);
		free(text);
	}
	json_decref(o);
	json_decref(notes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ccdm_banks *banks = fuzz_own(calloc(1, sizeof(*banks)));
	struct ccdm_bootlog log = { 0 };
	uint8_t *firmware;
	char *ccdm, *systemd;
	struct ccdm_err err;
	const uint8_t *p, *stop;

	p = fuzz_part(data, size, 0, &log.ccdm_size);
	ccdm = fuzz_text(p, log.ccdm_size);
	p = fuzz_part(data, size, 1, &log.systemd_size);
	systemd = fuzz_text(p, log.systemd_size);
	stop = memchr(p, 0xff, data + size - p);
	log.firmware_size = stop ? data + size - (stop + 1) : 0;
	firmware = fuzz_own(malloc(log.firmware_size ? log.firmware_size : 1));
	if (stop)
		memcpy(firmware, stop + 1, log.firmware_size);
	log.firmware = firmware;
	log.ccdm = ccdm;
	log.systemd = systemd;
	/* the registers hold the values to which the logs replay */
	(void)!fuzz_own(ccdm_tcglog_replay(firmware, log.firmware_size, banks, &err));
	ccdm_eventlog_parse(ccdm, log.ccdm_size, again, NULL, &err);
	facts(&log, banks, false);
	facts(&log, banks, true);
	free(firmware);
	free(ccdm);
	free(systemd);
	free(banks);
	return 0;
}
