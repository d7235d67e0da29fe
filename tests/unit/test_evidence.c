// SPDX-License-Identifier: Apache-2.0
/*
 * What evidence proves: facts of reports and quotes, of logs that replay or do not, of
 * a TPM beside a TEE that something ties to it, or nothing.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include "log/bootlog.h"
#include "base/bytes.h"
#include "log/enclave_id.h"
#include "evidence/evidence.h"
#include "evidence/facts.h"
#include "base/file.h"
#include "log/launches.h"
#include "evidence/manifest.h"
#include "failed.h"
#include "forge_tpm_json.h"
#include "provider.h"
#include "seed.h"

#define AT 1750000000 /* 2025-06-15 */

static struct ccdm_err err;
static struct provider provider;
static EVP_PKEY *other_key;
static uint8_t nonce[32];

static int setup(void **state)
{
	(void)state;
	provider = provider_new();
	other_key = pki_key("P-256");
	memset(nonce, 0x5a, sizeof(nonce));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	provider_free(&provider);
	EVP_PKEY_free(other_key);
	return 0;
}

/* ---- lists of launch values ---------------------------------------------------- */

#define ONES "111111111111111111111111111111111111111111111111"

static void launches(void **state)
{
	static const char *const bad[] = {
		"id-key",
		"id-key " ONES,
		"id-key " ONES ONES " " ONES ONES,
		"id-key " ONES ONES "1",
		"mrseam " ONES ONES,
		"measurement " ONES "11111111111111111111111111111111111111111111111g",
		"mrtd 000000000000000000000000000000000000000000000000"
		"000000000000000000000000000000000000000000000000",
		"id-key " ONES ONES "\nmrtd",
	};
	const char text[] = "# paravisors\n\n  id-key\t" ONES ONES " # 2026\r\nmrtd " ONES ONES;
	struct ccdm_launches list;
	uint8_t value[CCDM_LAUNCH_SIZE];
	size_t i;

	(void)state;
	memset(value, 0x11, sizeof(value));
	assert_int_equal(ccdm_launches_parse("list", text, sizeof(text) - 1, &list, &err), 0);
	assert_int_equal(list.count, 2);
	assert_true(ccdm_launches_have(&list, CCDM_LAUNCH_ID_KEY, value));
	assert_true(ccdm_launches_have(&list, CCDM_LAUNCH_MRTD, value));
	/* a value counts as what it is listed as, and as nothing else */
	assert_false(ccdm_launches_have(&list, CCDM_LAUNCH_MEASUREMENT, value));
	value[47] ^= 1;
	assert_false(ccdm_launches_have(&list, CCDM_LAUNCH_ID_KEY, value));
	assert_false(ccdm_launches_have(NULL, CCDM_LAUNCH_ID_KEY, value));
	ccdm_launches_drop(&list);
	assert_false(ccdm_launches_have(&list, CCDM_LAUNCH_MRTD, value));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ccdm_launches_parse("list", bad[i], strlen(bad[i]), &list, &err),
				 -EINVAL);
		assert_int_equal(list.count, 0);
	}
	assert_non_null(strstr(err.text, "line 2: mrtd"));
	/* a zero byte, and more than a list may have */
	assert_int_equal(ccdm_launches_parse("list", text, sizeof(text), &list, &err), -EINVAL);
	assert_int_equal(ccdm_launches_parse("list", text, CCDM_LAUNCHES_FILE + 1, &list, &err),
			 -EINVAL);
}

/* ---- logs --------------------------------------------------------------------- */

struct text {
	char text[32768];
	size_t size;
};

static void extend(struct ccdm_digest *value, const void *digest)
{
	struct ccdm_digest d = { .alg = value->alg, .size = value->size };

	memcpy(d.bytes, digest, d.size);
	assert_int_equal(ccdm_eventlog_extend(value, &d), 0);
}

/* An event into a log of text, and into a register unless it is NULL. */
static void record(struct text *log, bool ours, const char *reg, unsigned int index,
		   const char *text, struct ccdm_digest *value)
{
	uint16_t alg = !strcmp(reg, "rtmr") ? CCDM_ALG_SHA384 : CCDM_ALG_SHA256;
	char hex[2 * CCDM_DIGEST_MAX + 1];
	struct ccdm_digest d;

	assert_int_equal(ccdm_digest_of(alg, text, strlen(text), NULL, 0, &d), 0);
	ccdm_hex(d.bytes, d.size, hex);
	log->size += snprintf(log->text + log->size, sizeof(log->text) - log->size,
			      "\x1e{\"%s\":%u,\"digests\":[{\"hashAlg\":\"%s\",\"digest\":\"%s\"}],"
			      "\"content_type\":\"%s\",\"content\":{\"%s\":\"%s\"}}\n",
			      reg, index, ccdm_digest_name(alg), hex, ours ? "ccdm" : "systemd",
			      ours ? "ccdm" : "string", text);
	if (value)
		extend(value, d.bytes);
}

/* The event that describes a log of firmware with one hash. Return: behind it */
static uint8_t *firmware_spec(uint8_t *p, uint8_t alg, uint8_t size)
{
	const uint8_t spec[] = { 'S', 'p', 'e', 'c', ' ', 'I', 'D', ' ', 'E',  'v', 'e',
				 'n', 't', '0', '3', 0,	  0,   0,   0,	 0,    0,   2,
				 0,   2,   1,	0,   0,	  0,   alg, 0,	 size, 0,   0 };

	memset(p, 0, 32);
	p[4] = CCDM_EV_NO_ACTION;
	p[28] = sizeof(spec);
	memcpy(p + 32, spec, sizeof(spec));
	return p + 32 + sizeof(spec);
}

/* An event without data, into @value unless it is NULL. */
static uint8_t *firmware_event(uint8_t *p, uint8_t index, uint8_t alg, uint8_t size, int digest,
			       struct ccdm_digest *value)
{
	memset(p, 0, 18UL + size);
	p[0] = index;
	p[4] = 0xd;
	p[8] = 1;
	p[12] = alg;
	memset(p + 14, digest, size);
	if (value)
		extend(value, p + 14);
	return p + 18 + size;
}

/* A log of firmware with SHA-256: @locality 0 for none, then two events in PCR 0 and one in 4. */
static size_t firmware(uint8_t *log, uint8_t locality, struct ccdm_digest value[CCDM_REGISTERS])
{
	static const unsigned int where[] = { 0, 0, 4 };
	uint8_t *p = firmware_spec(log, CCDM_ALG_SHA256, 32);
	unsigned int i;

	if (locality) {
		memset(p, 0, 65);
		p[4] = CCDM_EV_NO_ACTION;
		p[8] = 1;
		p[12] = 0xb;
		p[46] = 17;
		memcpy(p + 50, "StartupLocality", 16);
		p[66] = locality;
		p += 67;
		value[0].bytes[31] = locality;
	}
	for (i = 0; i < 3; i++)
		p = firmware_event(p, where[i], CCDM_ALG_SHA256, 32, 0x70 + i, &value[where[i]]);
	return p - log;
}

struct machine {
	struct text ccdm, systemd;
	uint8_t firmware[2048];
	size_t firmware_size;
	struct ccdm_digest value[CCDM_REGISTERS];
};

/*
 * What a boot leaves behind; @caps: events of systemd's before the cap, -1: no cap. Without
 * a cap systemd measures nothing into our register: its three events are in register 13.
 */
static void boot(struct machine *m, int caps)
{
	unsigned int i;
	int n;

	memset(m, 0, sizeof(*m));
	for (i = 0; i < CCDM_REGISTERS; i++)
		assert_int_equal(ccdm_eventlog_begin(CCDM_ALG_SHA256, &m->value[i], &err), 0);
	m->firmware_size = firmware(m->firmware, 3, m->value);
	record(&m->ccdm, true, "pcr", 15, "ccdm-base:0 1 verity", &m->value[15]);
	record(&m->ccdm, true, "pcr", 15, "ccdm-ready:1", &m->value[15]);
	record(&m->systemd, false, "pcr", 11, "enter-initrd", &m->value[11]);
	for (n = 0; n < 3; n++) {
		if (n == caps)
			record(&m->ccdm, true, "pcr", 15, "ccdm-cap:1", &m->value[15]);
		record(&m->systemd, false, "pcr", caps < 0 ? 13 : 15,
		       n ? "file-system:/" : "machine-id:1", &m->value[caps < 0 ? 13 : 15]);
	}
	if (caps == 3)
		record(&m->ccdm, true, "pcr", 15, "ccdm-cap:1", &m->value[15]);
}

static void registers(const struct machine *m, struct ccdm_registers *regs)
{
	unsigned int i;

	memset(regs, 0, sizeof(*regs));
	regs->bank = CCDM_ALG_SHA256;
	regs->covered = 0xffffff;
	for (i = 0; i < CCDM_REGISTERS; i++)
		memcpy(regs->value[i], m->value[i].bytes, 32);
}

/* Phase, number of events and of notes. */
static void logged(const struct machine *m, const struct ccdm_registers *regs, const char *phase,
		   size_t events, size_t notes)
{
	struct ccdm_bootlog log = { m->firmware_size ? m->firmware : NULL,
				    m->firmware_size,
				    m->ccdm.text,
				    m->ccdm.size,
				    m->systemd.text,
				    m->systemd.size };
	json_t *facts = json_object(), *all = json_array();
	uint8_t bytes[sizeof(m->ccdm) + sizeof(m->systemd) + sizeof(m->firmware)], *p = bytes;

	memcpy(p, m->ccdm.text, m->ccdm.size);
	p += m->ccdm.size;
	*p++ = 0xff;
	memcpy(p, m->systemd.text, m->systemd.size);
	p += m->systemd.size;
	*p++ = 0xff;
	memcpy(p, m->firmware, m->firmware_size);
	seed("bootlog", bytes, p + m->firmware_size - bytes);
	assert_int_equal(ccdm_bootlog_facts(&log, regs, facts, all, &err), 0);
	assert_string_equal(json_string_value(json_object_get(facts, "phase")), phase);
	assert_int_equal(json_array_size(json_object_get(facts, "events")), events);
	assert_int_equal(json_array_size(all), notes);
	json_decref(facts);
	json_decref(all);
}

static void logs(void **state)
{
	struct ccdm_registers regs;
	struct machine m;
	int caps;

	(void)state;
	boot(&m, -1);
	registers(&m, &regs);
	logged(&m, &regs, "initrd", 3 + 2 + 1 + 3, 0);
	/* a register that nothing proves, and one whose log is not its own */
	regs.covered &= ~(1U << 4);
	logged(&m, &regs, "initrd", 8, 2);
	regs.value[11][0] ^= 1;
	logged(&m, &regs, "initrd", 7, 3);
	regs.value[15][0] ^= 1;
	logged(&m, &regs, "unknown", 5, 4);
	/* ours, too */
	boot(&m, -1);
	registers(&m, &regs);
	regs.covered &= ~(1U << 15);
	logged(&m, &regs, "unknown", 7, 2);
	/* the cap may stand anywhere among systemd's, and is seen there */
	for (caps = 0; caps <= 3; caps++) {
		boot(&m, caps);
		registers(&m, &regs);
		logged(&m, &regs, "running", 10, 0);
	}
	/* an event left out: the cap */
	m.ccdm.size = strstr(m.ccdm.text, "ccdm-cap") - m.ccdm.text;
	while (m.ccdm.text[m.ccdm.size] != 0x1e)
		m.ccdm.size--;
	logged(&m, &regs, "unknown", 4, 2);
	/* a log of firmware that begins elsewhere */
	boot(&m, -1);
	registers(&m, &regs);
	m.firmware[32 + 33 + 66] = 4;
	logged(&m, &regs, "initrd", 7, 1);
	/* a record without the bank proves nothing, though somebody extended by zeros */
	boot(&m, -1);
	m.ccdm.size = 0;
	memset(m.ccdm.text, 0, sizeof(m.ccdm.text));
	memset(&m.systemd, 0, sizeof(m.systemd));
	ccdm_eventlog_begin(CCDM_ALG_SHA256, &m.value[15], &err);
	ccdm_eventlog_begin(CCDM_ALG_SHA256, &m.value[11], &err);
	ccdm_eventlog_begin(CCDM_ALG_SHA256, &m.value[13], &err);
	record(&m.ccdm, true, "pcr", 15, "ccdm-ready:1", NULL);
	{
		struct ccdm_digest d;
		char hex[97], *at = strstr(m.ccdm.text, "\"sha256\"");

		assert_int_equal(ccdm_digest_of(CCDM_ALG_SHA384, "ccdm-ready:1", 12, NULL, 0, &d),
				 0);
		ccdm_hex(d.bytes, 48, hex);
		m.ccdm.size = at - m.ccdm.text;
		m.ccdm.size += sprintf(at,
				       "\"sha384\",\"digest\":\"%s\"}],\"content_type\":\"ccdm\","
				       "\"content\":{\"ccdm\":\"ccdm-ready:1\"}}\n",
				       hex);
		memset(d.bytes, 0, 32);
		extend(&m.value[15], d.bytes);
	}
	registers(&m, &regs);
	logged(&m, &regs, "unknown", 3, 2);
	/* one of ours that ends before it is ready */
	boot(&m, -1);
	memset(&m.systemd, 0, sizeof(m.systemd));
	m.ccdm.size = 0;
	ccdm_eventlog_begin(CCDM_ALG_SHA256, &m.value[15], &err);
	ccdm_eventlog_begin(CCDM_ALG_SHA256, &m.value[11], &err);
	ccdm_eventlog_begin(CCDM_ALG_SHA256, &m.value[13], &err);
	record(&m.ccdm, true, "pcr", 15, "ccdm-base:1", &m.value[15]);
	registers(&m, &regs);
	logged(&m, &regs, "unknown", 4, 1);
	/* a word that only begins like the cap, and the cap without more */
	record(&m.ccdm, true, "pcr", 15, "ccdm-ready:1", &m.value[15]);
	record(&m.ccdm, true, "pcr", 15, "ccdm-capital:", &m.value[15]);
	registers(&m, &regs);
	logged(&m, &regs, "initrd", 6, 0);
	record(&m.ccdm, true, "pcr", 15, "ccdm-cap", &m.value[15]);
	registers(&m, &regs);
	logged(&m, &regs, "running", 7, 0);
	/* a locality that is told when there has been an event is none */
	boot(&m, -1);
	registers(&m, &regs);
	memcpy(m.firmware + m.firmware_size, m.firmware + 65, 67);
	m.firmware_size += 67;
	m.firmware[m.firmware_size - 1] = 4;
	logged(&m, &regs, "initrd", 9, 0);
	/* nor is there a register 24, or one of 32 bits */
	for (caps = 0; caps < 2; caps++) {
		boot(&m, -1);
		registers(&m, &regs);
		m.firmware_size = firmware_event(m.firmware + m.firmware_size, 24, CCDM_ALG_SHA256,
						 32, 9, NULL) -
				  m.firmware;
		m.firmware[m.firmware_size - 50 + 3] = caps ? 0xff : 0;
		logged(&m, &regs, "initrd", 9, 0);
	}
}

/* Where the cap may be among very many events of systemd's: not behind all of them. */
static void late_cap(void **state)
{
	enum { TRIES = 128 };
	struct ccdm_registers regs;
	struct machine m;
	unsigned int before, i;

	(void)state;
	for (before = TRIES; before <= TRIES + 1; before++) {
		boot(&m, -1);
		memset(&m.systemd, 0, sizeof(m.systemd));
		ccdm_eventlog_begin(CCDM_ALG_SHA256, &m.value[11], &err);
		ccdm_eventlog_begin(CCDM_ALG_SHA256, &m.value[13], &err);
		m.ccdm.size = 0;
		ccdm_eventlog_begin(CCDM_ALG_SHA256, &m.value[15], &err);
		record(&m.ccdm, true, "pcr", 15, "ccdm-ready:1", &m.value[15]);
		for (i = 0; i <= TRIES + 1; i++) {
			if (i == before)
				record(&m.ccdm, true, "pcr", 15, "ccdm-cap:1", &m.value[15]);
			record(&m.systemd, false, "pcr", 15, "x", &m.value[15]);
		}
		registers(&m, &regs);
		if (before == TRIES)
			logged(&m, &regs, "running", 3 + 2 + i, 0);
		else
			logged(&m, &regs, "unknown", 3, 2);
	}
}

/* Every log cut off anywhere is an error or proves less; none crashes. */
static void cut_logs(void **state)
{
	struct ccdm_bootlog log = { 0 };
	struct ccdm_registers regs;
	struct machine m;
	size_t i;

	(void)state;
	boot(&m, 1);
	registers(&m, &regs);
	log.ccdm = m.ccdm.text;
	for (i = 0; i < m.ccdm.size; i++) {
		json_t *facts = json_object(), *notes = json_array();

		log.ccdm_size = i;
		if (!ccdm_bootlog_facts(&log, &regs, facts, notes, &err))
			assert_string_equal(json_string_value(json_object_get(facts, "phase")),
					    "unknown");
		json_decref(facts);
		json_decref(notes);
	}
}

/* How many there may be, of all logs, is bounded; who has more is told so. */
static void many_events(void **state)
{
	static const char one[] = "\x1e{\"pcr\":0,\"digests\":[{\"hashAlg\":\"sha1\",\"digest\":"
				  "\"0000000000000000000000000000000000000000\"}],"
				  "\"content_type\":\"other\"}\n";
	enum { HALF = 8192, SIZE = sizeof(one) - 1 };
	char *text = malloc((HALF + 1) * SIZE);
	struct ccdm_bootlog log = { .ccdm = text, .systemd = text, .ccdm_size = HALF * SIZE };
	json_t *facts = json_object(), *notes = json_array();
	struct ccdm_registers regs;
	struct machine m;
	size_t i;

	(void)state;
	for (i = 0; i <= HALF; i++)
		memcpy(text + i * SIZE, one, SIZE);
	boot(&m, 1);
	registers(&m, &regs);
	log.systemd_size = HALF * SIZE;
	assert_int_equal(ccdm_bootlog_facts(&log, &regs, facts, notes, &err), 0);
	log.systemd_size = (HALF + 1) * SIZE;
	assert_int_equal(ccdm_bootlog_facts(&log, &regs, facts, notes, &err), -EINVAL);
	assert_string_equal(err.text, "the logs have more than 16384 events");
	json_decref(facts);
	json_decref(notes);
	free(text);
}

/* A confidential guest's log of firmware: what stands for register 0 is no event of an RTMR's. */
static size_t guest_firmware(uint8_t *log, unsigned int third, struct ccdm_digest value[4])
{
	const unsigned int where[] = { 0, 1, third, 1 };
	uint8_t *p = firmware_spec(log, CCDM_ALG_SHA384, 48);
	unsigned int i;

	for (i = 0; i < 4; i++)
		p = firmware_event(p, where[i], CCDM_ALG_SHA384, 48, 0x60 + i,
				   where[i] ? &value[where[i] - 1] : NULL);
	return p - log;
}

static void rtmrs(void **state)
{
	struct ccdm_registers regs = { .rtmr = true, .bank = CCDM_ALG_SHA384, .covered = 0xf };
	struct machine m = { 0 };
	struct ccdm_digest value;

	(void)state;
	ccdm_eventlog_begin(CCDM_ALG_SHA384, &value, &err);
	record(&m.ccdm, true, "rtmr", 3, "ccdm-ready:1", &value);
	record(&m.ccdm, true, "pcr", 15, "ccdm-ready:1",
	       NULL); /* of a TPM, which is not asked here */
	memcpy(regs.value[3], value.bytes, 48);
	logged(&m, &regs, "initrd", 1, 0);
	record(&m.ccdm, true, "rtmr", 3, "ccdm-cap:1", &value);
	memcpy(regs.value[3], value.bytes, 48);
	logged(&m, &regs, "running", 2, 0);
	/* with one of firmware: two events of RTMR 0, one of RTMR 3 before ours */
	{
		struct ccdm_digest all[4];
		unsigned int i;

		memset(&m, 0, sizeof(m));
		for (i = 0; i < 4; i++)
			ccdm_eventlog_begin(CCDM_ALG_SHA384, &all[i], &err);
		m.firmware_size = guest_firmware(m.firmware, 3, all);
		record(&m.ccdm, true, "rtmr", 3, "ccdm-ready:1", &all[3]);
		for (i = 0; i < 4; i++)
			memcpy(regs.value[i], all[i].bytes, 48);
		logged(&m, &regs, "initrd", 4, 0);
		regs.value[0][7] ^= 1;
		logged(&m, &regs, "initrd", 2, 1);
		/* nobody but ccdm measures into RTMR 3 before the cap */
		memset(&m, 0, sizeof(m));
		for (i = 0; i < 4; i++)
			ccdm_eventlog_begin(CCDM_ALG_SHA384, &all[i], &err);
		m.firmware_size = guest_firmware(m.firmware, 4, all);
		record(&m.ccdm, true, "rtmr", 3, "ccdm-ready:1", &all[3]);
		for (i = 0; i < 4; i++)
			memcpy(regs.value[i], all[i].bytes, 48);
		logged(&m, &regs, "unknown", 4, 0);
	}
}

static json_t *last_note(const json_t *notes)
{
	return json_array_get(notes, json_array_size(notes) - 1);
}

/* ---- enclave IDs ------------------------------------------------------------------- */

/* Facts of a machine; "" for an ID that is unknown. */
static void boot_facts(const struct machine *m, char id[CCDM_ENCLAVE_ID_SIZE], char phase[16])
{
	struct ccdm_bootlog log = { m->firmware_size ? m->firmware : NULL,
				    m->firmware_size,
				    m->ccdm.text,
				    m->ccdm.size,
				    m->systemd.text,
				    m->systemd.size };
	json_t *facts = json_object(), *notes = json_array();
	struct ccdm_registers regs;
	const char *text;

	registers(m, &regs);
	assert_int_equal(ccdm_bootlog_facts(&log, &regs, facts, notes, &err), 0);
	text = json_string_value(json_array_get(json_object_get(facts, "enclave-id"), 0));
	snprintf(id, CCDM_ENCLAVE_ID_SIZE, "%s", text ? text : "");
	snprintf(phase, 16, "%s", json_string_value(json_object_get(facts, "phase")));
	json_decref(facts);
	json_decref(notes);
}

static void fresh(struct machine *m)
{
	unsigned int i;

	memset(m, 0, sizeof(*m));
	for (i = 0; i < CCDM_REGISTERS; i++)
		assert_int_equal(ccdm_eventlog_begin(CCDM_ALG_SHA256, &m->value[i], &err), 0);
	m->firmware_size = firmware(m->firmware, 0, m->value);
}

static void firmware_text(struct machine *m, unsigned int reg, const void *text, size_t size)
{
	struct ccdm_digest d;
	uint8_t *p;

	p = firmware_event(m->firmware + m->firmware_size, reg, CCDM_ALG_SHA256, 32, 0, NULL);
	assert_int_equal(ccdm_digest_of(CCDM_ALG_SHA256, text, size, NULL, 0, &d), 0);
	memcpy(p - 36, d.bytes, 32);
	extend(&m->value[reg], d.bytes);
	m->firmware_size = p - m->firmware;
}

/* What leaves the ID as it is, and what does not; each beside the same honest boot. */
static void enclave_ids(void **state)
{
	static const char *const kinds[] = {
		"plain",
		"separator in pcr4",
		"systemd's words",
		"os-separator",
		"after the ready",
		"a cap",
		"another kernel",
		"another order",
		"systemd's word in firmware's log",
		"NvPCR anchor",
		"firmware's in systemd's log",
		"an event before ours",
		"no ready",
		"another base",
		"ours behind systemd's in pcr11",
	};
	enum { SAME = 6 };
	char good[CCDM_ENCLAVE_ID_SIZE] = "", id[CCDM_ENCLAVE_ID_SIZE], phase[16];
	struct machine m;
	unsigned int k;

	(void)state;
	for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		fresh(&m);
		if (k == 1)
			firmware_text(&m, 4, "\0\0\0\0", 4);
		if (k == 7)
			firmware_text(&m, 4, "initrd", 6);
		firmware_text(&m, 4, k == 6 ? "kerneL" : "kernel", 6);
		if (k != 7)
			firmware_text(&m, 4, "initrd", 6);
		if (k == 8)
			firmware_text(&m, 11, "enter-initrd", 12);
		if (k == 11)
			firmware_text(&m, 15, "anything", 8);
		record(&m.ccdm, true, "pcr", 15, k == 13 ? "ccdm-base:1" : "ccdm-base:0",
		       &m.value[15]);
		if (k != 12)
			record(&m.ccdm, true, "pcr", 15, "ccdm-ready:1", &m.value[15]);
		if (k == 2)
			record(&m.systemd, false, "pcr", 11, "enter-initrd", &m.value[11]);
		if (k == 3)
			record(&m.systemd, false, "pcr", 4, "os-separator", &m.value[4]);
		if (k == 4)
			record(&m.ccdm, true, "pcr", 15, "ccdm-more:1", &m.value[15]);
		if (k == 5)
			record(&m.ccdm, true, "pcr", 15, "ccdm-cap:1", &m.value[15]);
		if (k == 9)
			record(&m.systemd, false, "pcr", 9, "anchor", &m.value[9]);
		if (k == 10)
			record(&m.systemd, false, "pcr", 11, "Exit Boot Services Invocation",
			       &m.value[11]);
		if (k == 14) {
			record(&m.ccdm, true, "pcr", 15, "ccdm-cap:1", &m.value[15]);
			record(&m.ccdm, true, "pcr", 11, "ccdm-x:1", &m.value[11]);
		}
		boot_facts(&m, id, phase);
		if (!k)
			memcpy(good, id, sizeof(good));
		if (!good[0] || !strcmp(id, good) != (k < SAME))
			fail_msg("%s: %s, beside %s", kinds[k], id, good);
		if (k == 12 || k == 14)
			assert_string_equal(id, "");
	}
}

/* The cap under another label: the running system stays the running system. */
static void relabelled_cap(void **state)
{
	char id[CCDM_ENCLAVE_ID_SIZE], phase[16];
	struct machine m;
	unsigned int k;

	(void)state;
	for (k = 0; k < 6; k++) {
		fresh(&m);
		record(&m.ccdm, true, "pcr", 15, "ccdm-base:0", &m.value[15]);
		record(&m.ccdm, true, "pcr", 15, "ccdm-ready:1", &m.value[15]);
		if (k == 1) /* a record of another type in our log */
			record(&m.ccdm, false, "pcr", 15, "ccdm-cap:1", &m.value[15]);
		else if (k == 2)
			record(&m.systemd, false, "pcr", 15, "ccdm-cap:1", &m.value[15]);
		else if (k == 3) { /* before ours, by firmware */
			fresh(&m);
			memset(&m.ccdm, 0, sizeof(m.ccdm));
			firmware_text(&m, 15, "ccdm-base:0", 11);
			firmware_text(&m, 15, "ccdm-ready:1", 12);
			firmware_text(&m, 15, "ccdm-cap:1", 10);
		} else if (k == 4) /* an event that nobody knows */
			record(&m.ccdm, false, "pcr", 15, "ccdm-cap:2", &m.value[15]);
		else if (k == 5)
			record(&m.ccdm, true, "pcr", 15, "ccdm-cap:2", &m.value[15]);
		boot_facts(&m, id, phase);
		assert_string_equal(phase, !k ? "initrd" : k == 4 ? "unknown" : "running");
	}
}

static char *vector_file(const char *name, size_t *size)
{
	const char *dir = getenv("CCDM_VECTORS");
	struct ccdm_err none;
	char path[512], *text;

	snprintf(path, sizeof(path), "%s/ccdm-boots/%s", dir ? dir : "../shared/vectors", name);
	return ccdm_file_read(path, CCDM_TCGLOG_MAX, &text, size, &none) ? NULL : text;
}

/* A real boot: its ID in two banks is known. */
static void real_boot(void **state)
{
	static const struct {
		uint16_t bank;
		const char *word, *id;
	} banks[] = {
		{ CCDM_ALG_SHA256, "sha256",
		  "cf7aca9fd5f555f8a8dbe39db2b8226049405ca1b542b6ea9cb3a4b48984ddf4" },
		{ CCDM_ALG_SHA384, "sha384",
		  "d15eb7eef664eeb5d9f147b160eda49655c61904afed2260f23e8ca0c2c0171a" },
	};
	size_t sizes[4], i;
	char *firmware_log = vector_file("A.tcglog", &sizes[0]), *line, *rest;
	char *ccdm = vector_file("A.ccdmlog", &sizes[1]);
	char *systemd = vector_file("A.sdlog", &sizes[2]), *pcrs = vector_file("A.pcrs", &sizes[3]);
	char word[16], hex[129];
	unsigned int index;

	(void)state;
	if (!firmware_log || !ccdm || !systemd || !pcrs) {
		print_message("skipped: no vectors of ccdm's boots\n");
		skip();
	}
	for (i = 0; i < 2; i++) {
		struct ccdm_registers regs = { .bank = banks[i].bank };
		struct ccdm_bootlog log = { firmware_log, sizes[0], ccdm,
					    sizes[1],	  systemd,  sizes[2] };
		json_t *facts = json_object(), *notes = json_array(), *id;
		char *copy = strndup(pcrs, sizes[3]);

		for (rest = copy; (line = strsep(&rest, "\n"));)
			if (sscanf(line, "%15s %u %128s", word, &index, hex) == 3 &&
			    !strcmp(word, banks[i].word) && index < 24) {
				assert_int_equal(ccdm_unhex(hex, regs.value[index],
							    ccdm_digest_size(regs.bank)),
						 0);
				regs.covered |= 1U << index;
			}
		free(copy);
		assert_int_equal(ccdm_bootlog_facts(&log, &regs, facts, notes, &err), 0);
		id = json_array_get(json_object_get(facts, "enclave-id"), 0);
		assert_string_equal(json_string_value(id) ? json_string_value(id) : "",
				    banks[i].id);
		assert_string_equal(json_string_value(json_object_get(facts, "phase")), "running");
		json_decref(facts);
		json_decref(notes);
	}
	free(firmware_log);
	free(ccdm);
	free(systemd);
	free(pcrs);
}

/* ---- a TPM's evidence -------------------------------------------------------------- */

struct spoil {
	bool no_cert, other_cert, other_key, other_nonce, flip;
	const char *log;      /* in place of ours */
	uint32_t without;     /* registers that the quote leaves out */
	const char *eku, *ku; /* of the key's certificate, in place of the right ones */
	bool ca;
};

static json_t *tpm_evidence(const struct machine *m, const struct spoil *s)
{
	uint8_t pcr[CCDM_TPM_PCRS][32], other[32] = { 0 };
	X509 *made = NULL;
	json_t *o;
	size_t i;

	if (s->eku || s->ku || s->ca)
		made = pki_cert(&(struct pki_want){ .cn = "AK",
						    .key = provider.ak_key,
						    .issuer = provider.ca,
						    .issuer_key = provider.ca_key,
						    .serial = 5,
						    .ca = s->ca,
						    .eku = s->eku,
						    .ku = s->ku });
	for (i = 0; i < CCDM_TPM_PCRS; i++)
		memcpy(pcr[i], m->value[i].bytes, 32);
	o = forge_tpm_json(&(struct forge_tpm){ .key = s->other_key ? other_key : provider.ak_key,
						.cert = s->no_cert ? NULL
							: made	   ? made
								   : provider.ak_cert,
						.pcr = pcr,
						.nonce = s->other_nonce ? other : nonce,
						.nonce_size = 32,
						.flip = s->flip,
						.without = s->without });
	X509_free(made);
	json_object_set_new(o, "firmware_log", forge_base64(m->firmware, m->firmware_size));
	json_object_set_new(o, "ccdm_log",
			    s->log ? json_string(s->log)
				   : json_stringn(m->ccdm.text, m->ccdm.size));
	json_object_set_new(o, "systemd_log", json_stringn(m->systemd.text, m->systemd.size));
	seed_json("tpm", o);
	return o;
}

/* The provider's root and its list. */
static struct ccdm_trust trusting(struct ccdm_anchor *anchor, bool trusted)
{
	struct ccdm_trust t = { .certs = ccdm_certs_new(), .at = AT };
	const struct ccdm_cert *root;

	assert_int_equal(
		ccdm_certs_add(t.certs, "root", provider.pem.text, provider.pem.size, &root, &err),
		0);
	*anchor = (struct ccdm_anchor){ .name = "provider" };
	assert_int_equal(ccdm_cert_fingerprint(root, anchor->sha256), 0);
	anchor->sha256[0] ^= !trusted;
	t.ak_anchors = anchor;
	t.nr_ak_anchors = 1;
	return t;
}

static const char *word(const struct ccdm_proof *proof, const char *key)
{
	const char *text = json_string_value(json_object_get(proof->facts, key));

	return text ? text : "";
}

static bool known_key(const void *arg, const struct ccdm_pubkey *key)
{
	return ccdm_pubkey_equal(arg, key);
}

static void tpm_alone(void **state)
{
	static const struct {
		struct spoil spoil;
		bool untrusted;
		const char *fails;
		bool known; /* the key, one by one */
	} cases[] = {
		{ { 0 }, false, "", false },
		/* what the quote does not cover is no fact, nor are its events */
		{ { .without = 1 << 4 }, false, "", false },
		{ { .no_cert = true }, true, "", true },
		{ { .other_key = true, .no_cert = true }, true, "ak", true },
		{ { .no_cert = true }, false, "ak", false },
		{ { .other_key = true }, false, "ak", false },
		{ { .other_nonce = true }, false, "report-data", false },
		{ { .flip = true }, false, "signature", false },
		{ { 0 }, true, "ak-root", false },
		/* of a TLS client, of a server, of anything, of an endorsement key, of a CA */
		{ { .eku = "clientAuth", .ku = "digitalSignature" }, false, "ak-usage", false },
		{ { .eku = "serverAuth", .ku = "digitalSignature" }, false, "ak-usage", false },
		{ { .eku = "anyExtendedKeyUsage", .ku = "digitalSignature" },
		  false,
		  "ak-usage",
		  false },
		{ { .eku = CCDM_USAGE_AK ",clientAuth", .ku = "digitalSignature" },
		  false,
		  "ak-usage",
		  false },
		{ { .eku = CCDM_USAGE_EK, .ku = "digitalSignature" }, false, "ak-usage", false },
		{ { .eku = CCDM_USAGE_AK, .ku = "keyEncipherment" }, false, "ak-usage", false },
		{ { .ku = "digitalSignature" }, false, "ak-usage", false },
		{ { .eku = CCDM_USAGE_AK }, false, "ak-usage", false },
		{ { .eku = CCDM_USAGE_AK, .ca = true }, false, "ak-usage", false },
		{ { .eku = "clientAuth", .ku = "digitalSignature" }, false, "", true },
	};
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_bound bound = { nonce, 32 };
	struct ccdm_anchor anchor;
	struct ccdm_proof proof;
	struct machine m;
	uint8_t *spki = NULL;
	int der = i2d_PUBKEY(provider.ak_key, &spki);
	json_t *bank;
	size_t i;

	(void)state;
	boot(&m, -1);
	assert_int_equal(ccdm_tee_bound("tpm"), 32);
	assert_false(ccdm_tee_known("sample"));
	assert_int_equal(ccdm_tee_bound("sample"), 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ccdm_trust t = trusting(&anchor, !cases[i].untrusted);
		json_t *o = tpm_evidence(&m, &cases[i].spoil);
		bool less = cases[i].spoil.without;
		struct ccdm_pubkey *key = ccdm_pubkey_spki(spki, der);

		t.known = cases[i].known ? known_key : NULL;
		t.known_arg = key;
		memset(v, 0, sizeof(*v));
		assert_int_equal(ccdm_evidence_judge("tpm", o, &t, &bound, v, &proof, &err), 0);
		if (strcmp(failed(v), cases[i].fails))
			fail_msg("case %zu: failed: '%s', not '%s'", i, failed(v), cases[i].fails);
		assert_int_equal(!!proof.facts, !cases[i].fails[0]);
		if (proof.facts) {
			assert_string_equal(word(&proof, "tee"), "tpm");
			assert_string_equal(word(&proof, "binding"), "tpm-only");
			assert_string_equal(word(&proof, "phase"), "initrd");
			assert_int_equal(json_array_size(json_object_get(proof.facts, "events")),
					 less ? 8 : 9);
			bank = json_object_get(json_object_get(proof.facts, "pcr"), "sha256");
			assert_int_equal(json_object_size(bank), less ? 23 : 24);
			assert_int_equal(!!json_object_get(bank, "4"), !less);
		}
		ccdm_proof_drop(&proof);
		ccdm_pubkey_free(key);
		json_decref(o);
		ccdm_certs_free(t.certs);
	}
	OPENSSL_free(spki);
	free(v);
}

/* What stands beside a quote, and is not what it must be. */
static void members(void **state)
{
	static const struct {
		const char *key, *value;
		int r;
		const char *said;
	} cases[] = {
		{ "firmware_log", "7", -EINVAL, "firmware_log is no base64" },
		{ "firmware_log", "null", 0, NULL },
		{ "ccdm_log", "[]", -EINVAL, "ccdm_log is no text" },
		{ "systemd_log", "null", 0, NULL },
		{ "ak_cert", "7", -EINVAL, "ak_cert is no text" },
		{ "manifest", "7", -EINVAL, "manifest is no text" },
		{ "manifest", "null", 0, NULL },
		{ "manifest", "\"a.b\"", 0, "no signer" },
	};
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_bound bound = { nonce, 32 };
	struct ccdm_anchor anchor;
	struct ccdm_proof proof;
	static const struct spoil good;
	struct machine m;
	const char *said;
	size_t i;

	(void)state;
	boot(&m, -1);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ccdm_trust t = trusting(&anchor, true);
		json_t *o = tpm_evidence(&m, &good);

		json_object_set_new(o, cases[i].key,
				    json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
		seed_json("tpm", o);
		memset(v, 0, sizeof(*v));
		memset(&err, 0, sizeof(err));
		assert_int_equal(ccdm_evidence_judge("tpm", o, &t, &bound, v, &proof, &err),
				 cases[i].r);
		said = cases[i].r ? err.text : json_string_value(last_note(proof.notes));
		if (cases[i].said && (!said || !strstr(said, cases[i].said)))
			fail_msg("case %zu: '%s'", i, said ? said : "");
		assert_null(json_object_get(proof.facts, "signer"));
		ccdm_proof_drop(&proof);
		json_decref(o);
		ccdm_certs_free(t.certs);
	}
	free(v);
}

/* ---- a TPM beside a TEE --------------------------------------------------------------- */

static void beside(void **state)
{
	static const struct {
		struct spoil spoil;
		bool untrusted;
		const char *text; /* in place of the evidence */
		const char *binding, *phase, *note;
		bool known; /* the key is */
	} cases[] = {
		{ { 0 }, false, NULL, "provider", "initrd", "", false },
		/* that it is known does not say where it is; its provider does */
		{ { 0 }, false, NULL, "provider", "initrd", "", true },
		{ { 0 }, true, NULL, "none", "unknown", "no provider", true },
		{ { .no_cert = true }, false, NULL, "none", "unknown", "no provider", true },
		{ { .eku = "clientAuth", .ku = "digitalSignature" },
		  false,
		  NULL,
		  "none",
		  "unknown",
		  "no provider",
		  true },
		{ { .eku = "clientAuth", .ku = "digitalSignature" },
		  false,
		  NULL,
		  "none",
		  "unknown",
		  "ak-usage",
		  false },
		{ { .eku = CCDM_USAGE_EK, .ku = "keyEncipherment" },
		  false,
		  NULL,
		  "none",
		  "unknown",
		  "ak-usage",
		  false },
		{ { .eku = CCDM_USAGE_AK, .ca = true },
		  false,
		  NULL,
		  "none",
		  "unknown",
		  "ak-usage",
		  false },
		{ { 0 }, true, NULL, "none", "unknown", "ak-root", false },
		{ { .no_cert = true },
		  false,
		  NULL,
		  "none",
		  "unknown",
		  "a certificate of the attestation key",
		  false },
		{ { .other_nonce = true }, false, NULL, "none", "unknown", "report-data", false },
		{ { .flip = true }, false, NULL, "none", "unknown", "signature", false },
		{ { .log = "\x1e{" }, false, NULL, "none", "unknown", "record 1", false },
		{ { 0 }, false, "", "none", "unknown", "", false },
		{ { 0 }, false, "{", "none", "unknown", "no object", false },
		{ { 0 }, false, "[1]", "none", "unknown", "no object", false },
		{ { 0 }, false, "{\"tpm\": 1}", "none", "unknown", "no object", false },
		{ { 0 },
		  false,
		  "{\"tpm\": {}, \"tpm\": {}}",
		  "none",
		  "unknown",
		  "no object",
		  false },
		{ { 0 }, false, "{\"gpu\": {}}", "none", "unknown", "no object", false },
	};
	struct ccdm_bound bound = { nonce, 32 };
	struct ccdm_anchor anchor;
	struct machine m;
	uint8_t *spki = NULL;
	int der = i2d_PUBKEY(provider.ak_key, &spki);
	struct ccdm_pubkey *key = ccdm_pubkey_spki(spki, der);
	size_t i;

	(void)state;
	OPENSSL_free(spki);
	boot(&m, -1);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ccdm_proof proof = { .facts = json_pack("{s:s, s:s, s:s}", "tee", "snp",
							       "binding", "none", "phase",
							       "unknown"),
					    .notes = json_array() };
		struct ccdm_trust t = trusting(&anchor, !cases[i].untrusted);
		json_t *o = json_pack("{s:o}", "tpm", tpm_evidence(&m, &cases[i].spoil));
		char *text = json_dumps(o, 0);
		const char *note;

		t.known = cases[i].known ? known_key : NULL;
		t.known_arg = key;
		assert_int_equal(ccdm_evidence_additional("snp",
							  cases[i].text ? cases[i].text : text,
							  NULL, &t, &bound, &proof),
				 0);
		note = json_string_value(last_note(proof.notes));
		assert_string_equal(word(&proof, "binding"), cases[i].binding);
		assert_string_equal(word(&proof, "phase"), cases[i].phase);
		if (!!note != !!cases[i].note[0] || (note && !strstr(note, cases[i].note)))
			fail_msg("case %zu: '%s', not '%s'", i, note ? note : "", cases[i].note);
		assert_int_equal(!!json_object_get(proof.facts, "pcr"),
				 !strcmp(cases[i].binding, "provider"));
		free(text);
		json_decref(o);
		ccdm_proof_drop(&proof);
		ccdm_certs_free(t.certs);
	}
	ccdm_pubkey_free(key);
}

/* What was known before of the TEE's own registers stays, but that it runs already. */
static void merged(void **state)
{
	static const struct {
		const char *had, *events;
		int caps;
		const char *phase;
		size_t count;
		const char *rtmr3;
	} cases[] = {
		{ "unknown", NULL, -1, "initrd", 9, NULL },
		{ "unknown", NULL, -1, "initrd", 9, "000" },
		/* somebody measured, and shows no log of it */
		{ "unknown", NULL, -1, "unknown", 9, "001" },
		{ "unknown", NULL, 1, "running", 10, "001" },
		{ "initrd", NULL, -1, "initrd", 9, NULL },
		{ "initrd", "[{}, {}]", 1, "running", 12, NULL },
		{ "running", "[{}]", -1, "running", 10, NULL },
	};
	struct ccdm_bound bound = { nonce, 32 };
	static const struct spoil good;
	struct ccdm_anchor anchor;
	struct machine m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ccdm_proof proof = { .facts = json_pack("{s:s, s:s, s:[s], s:{}}", "tee",
							       "tdx", "phase", cases[i].had,
							       "enclave-id", "a1", "signer"),
					    .notes = json_array() };
		struct ccdm_trust t = trusting(&anchor, true);
		char *text;
		json_t *o;

		if (cases[i].events)
			json_object_set_new(proof.facts, "events",
					    json_loads(cases[i].events, 0, NULL));
		if (cases[i].rtmr3)
			json_object_set_new(proof.facts, "rtmr",
					    json_pack("{s:s}", "3", cases[i].rtmr3));
		boot(&m, cases[i].caps);
		o = json_pack("{s:o}", "tpm", tpm_evidence(&m, &good));
		text = json_dumps(o, 0);
		assert_int_equal(ccdm_evidence_additional("tdx", text, NULL, &t, &bound, &proof),
				 0);
		assert_string_equal(word(&proof, "phase"), cases[i].phase);
		assert_int_equal(json_array_size(json_object_get(proof.facts, "events")),
				 cases[i].count);
		/* what the TD's own registers prove stands alone */
		assert_int_equal(json_array_size(json_object_get(proof.facts, "enclave-id")), 1);
		assert_string_equal(json_string_value(json_array_get(
					    json_object_get(proof.facts, "enclave-id"), 0)),
				    "a1");
		assert_null(json_object_get(proof.facts, "signer"));
		free(text);
		json_decref(o);
		ccdm_proof_drop(&proof);
		ccdm_certs_free(t.certs);
	}
}

/* The key's certificate from elsewhere; and more of them than anybody needs. */
static void leaf_given(void **state)
{
	static const struct spoil none = { .no_cert = true },
				  other = { .other_key = true, .no_cert = true };
	struct pki_pem pem = pki_pem(provider.ak_cert, NULL);
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_bound bound = { nonce, 32 };
	struct ccdm_anchor anchor;
	struct ccdm_proof proof;
	struct ccdm_trust t;
	struct machine m;
	char *all, *text;
	json_t *o;
	int i;

	(void)state;
	boot(&m, -1);
	for (i = 0; i < 3; i++) {
		/* of this key; of this key, and no root is trusted; of another */
		o = tpm_evidence(&m, i < 2 ? &none : &other);
		t = trusting(&anchor, true);
		if (i == 1)
			t.ak_anchors = NULL;
		assert_int_equal(ccdm_certs_add(t.certs, "t", pem.text, pem.size, &t.leaf, &err),
				 0);
		memset(v, 0, sizeof(*v));
		assert_int_equal(ccdm_evidence_judge("tpm", o, &t, &bound, v, &proof, &err), 0);
		assert_string_equal(failed(v), !i ? "" : i == 1 ? "ak-root" : "ak");
		ccdm_proof_drop(&proof);
		ccdm_certs_free(t.certs);
		json_decref(o);
	}
	all = calloc(40, pem.size + 1);
	for (i = 0; i < 40; i++)
		strncat(all, pem.text, pem.size);
	o = json_pack("{s:o}", "tpm", tpm_evidence(&m, &none));
	json_object_set_new(json_object_get(o, "tpm"), "ak_cert", json_string(all));
	text = json_dumps(o, 0);
	t = trusting(&anchor, true);
	proof = (struct ccdm_proof){ .facts = json_pack("{s:s}", "phase", "unknown"),
				     .notes = json_array() };
	assert_int_equal(ccdm_evidence_additional("snp", text, NULL, &t, &bound, &proof), 0);
	assert_non_null(strstr(json_string_value(last_note(proof.notes)), "more than 32"));
	assert_string_equal(word(&proof, "phase"), "unknown");
	ccdm_proof_drop(&proof);
	ccdm_certs_free(t.certs);
	json_decref(o);
	free(text);
	free(all);
	free(v);
}

/* ---- words ------------------------------------------------------------------------------ */

static void statuses(void **state)
{
	static const struct {
		unsigned int allowed;
		const char *status;
	} cases[] = {
		{ 0, "UpToDate" },
		{ CCDM_ALLOW_DEBUG | CCDM_ALLOW_EXPIRED, "UpToDate" },
		{ CCDM_ALLOW_TCB_SW_HARDENING, "SWHardeningNeeded" },
		{ CCDM_ALLOW_TCB_CONFIG, "ConfigurationNeeded" },
		{ CCDM_ALLOW_TCB_CONFIG | CCDM_ALLOW_TCB_SW_HARDENING,
		  "ConfigurationAndSWHardeningNeeded" },
		{ CCDM_ALLOW_TCB_OUT_OF_DATE, "OutOfDate" },
		{ CCDM_ALLOW_TCB_OUT_OF_DATE | CCDM_ALLOW_TCB_SW_HARDENING, "OutOfDate" },
		{ CCDM_ALLOW_TCB_OUT_OF_DATE | CCDM_ALLOW_TCB_CONFIG,
		  "OutOfDateConfigurationNeeded" },
	};
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	uint8_t zeros[48] = { 0 }, debug[8] = { 1 };
	struct ccdm_tdx tdx = { .tdattributes = debug,
				.mrtd = zeros,
				.rtmr = { zeros, zeros, zeros, zeros } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *facts = json_object();

		memset(v, 0, sizeof(*v));
		v->allow = cases[i].allowed;
		ccdm_verdict_add(v, "good", true, 0, "x", "x\n\x7f\xc3\xa4 ~");
		assert_string_equal(v->check[0].found, "x???? ~");
		/* two parts of the platform, each with some of it */
		ccdm_verdict_add(v, "tcb", false, cases[i].allowed & ~CCDM_ALLOW_TCB_CONFIG, "x",
				 "x");
		ccdm_verdict_add(v, "qe-tcb", false, cases[i].allowed & CCDM_ALLOW_TCB_CONFIG, "x",
				 "x");
		assert_int_equal(ccdm_facts_tdx(&tdx, v, facts), 0);
		assert_string_equal(
			json_string_value(json_object_get(json_object_get(facts, "tcb"), "status")),
			cases[i].status);
		assert_true(json_is_true(json_object_get(facts, "debug")));
		json_decref(facts);
	}
	free(v);
}

static const char *snp_text(const json_t *facts, const char *key)
{
	const char *text = json_string_value(json_object_get(facts, key));

	return text ? text : "";
}

static void snp_facts(void **state)
{
	struct ccdm_snp snp = { .policy = CCDM_SNP_POLICY_ONE,
				.vmpl = 1,
				.generation = CCDM_SNP_TURIN };
	json_t *facts = json_object(), *tcb;

	(void)state;
	snp.tcb_raw.reported[3] = 7; /* "snp" since Turin */
	snp.tcb_raw.launch[7] = 9;
	assert_int_equal(ccdm_facts_snp(&snp, facts), 0);
	tcb = json_object_get(facts, "tcb");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(tcb, "reported"), "snp")), 7);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(tcb, "launch"), "microcode")),
		9);
	assert_int_equal(json_integer_value(json_object_get(facts, "vmpl")), 1);
	assert_true(json_is_false(json_object_get(facts, "debug")));
	snp.policy |= CCDM_SNP_POLICY_DEBUG;
	assert_int_equal(ccdm_facts_snp(&snp, facts), 0);
	assert_true(json_is_true(json_object_get(facts, "debug")));
	/* of what no floor is known, or what nobody verified, there is no status */
	assert_null(json_object_get(json_object_get(facts, "tcb"), "status"));
	snp.status = CCDM_SNP_OUT_OF_DATE;
	assert_int_equal(ccdm_facts_snp(&snp, facts), 0);
	assert_string_equal(snp_text(json_object_get(facts, "tcb"), "status"), "OutOfDate");
	snp.status = CCDM_SNP_UP_TO_DATE;
	assert_int_equal(ccdm_facts_snp(&snp, facts), 0);
	assert_string_equal(snp_text(json_object_get(facts, "tcb"), "status"), "UpToDate");
	json_decref(facts);
}

/* ---- manifests ---------------------------------------------------------------------- */

static char *b64(const void *bytes, size_t size)
{
	return ccdm_base64url(bytes, size);
}

/* A JWS of @body under @header, with the key's x and y in the place of %s in it. */
static char *jws(const char *header, const char *body, EVP_PKEY *key, bool flip)
{
	char *x, *y, *text, *part[3], *signed_, *all;
	uint8_t point[65], sig[64];
	size_t n;

	assert_true(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point,
						    sizeof(point), &n));
	x = b64(point + 1, 32);
	y = b64(point + 33, 32);
	assert_true(asprintf(&text, header, x, y) > 0);
	part[0] = b64(text, strlen(text));
	part[1] = b64(body, strlen(body));
	assert_true(asprintf(&signed_, "%s.%s", part[0], part[1]) > 0);
	pki_sign(key, EVP_sha256(), signed_, strlen(signed_), sig, sig + 32, 32);
	sig[9] ^= flip;
	part[2] = b64(sig, 64);
	assert_true(asprintf(&all, "%s.%s", signed_, part[2]) > 0);
	free(x);
	free(y);
	free(text);
	free(signed_);
	free(part[0]);
	free(part[1]);
	free(part[2]);
	return all;
}

#define HEADER \
	"{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}}"
#define ID	  "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"
#define SAYS(ids) "{\"product\":\"web\",\"svn\":7,\"ids\":" ids "}"

static void manifests(void **state)
{
	static const struct {
		const char *header, *body;
		bool flip;
		const char *says; /* NULL: it is good */
	} all[] = {
		{ HEADER, SAYS("{\"snp\":[\"" ID "\"]}"), false, NULL },
		{ HEADER, SAYS("{\"tpm\":[],\"tdx\":[\"" ID "\"]}"), false, NULL },
		{ HEADER, SAYS("{\"snp\":[\"" ID "\"]}"), true, "signature" },
		{ "{\"alg\":\"none\",\"x\":[\"%s%s\"]}", SAYS("{\"snp\":[]}"), false, "ES256" },
		{ "{\"alg\":\"ES256\",\"jwk\":[\"%s%s\"]}", SAYS("{\"snp\":[]}"), false,
		  "the key" },
		{ "{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"y\":\"%s\",\"x\":\"%s\"}}",
		  SAYS("{\"snp\":[]}"), false, "the key" },
		{ HEADER, "[]", false, "product" },
		{ HEADER, "{\"product\":\"\",\"svn\":7,\"ids\":{\"snp\":[]}}", false, "product" },
		{ HEADER, "{\"product\":\"a\\u0000\",\"svn\":7,\"ids\":{\"snp\":[]}}", false,
		  "product" },
		{ HEADER, "{\"product\":\"" ID "a\",\"svn\":7,\"ids\":{\"snp\":[]}}", false,
		  "product" },
		{ HEADER, "{\"product\":\"web\",\"svn\":-1,\"ids\":{\"snp\":[]}}", false, "svn" },
		{ HEADER, "{\"product\":\"web\",\"svn\":1000000001,\"ids\":{\"snp\":[]}}", false,
		  "svn" },
		{ HEADER, "{\"product\":\"web\",\"svn\":\"7\",\"ids\":{\"snp\":[]}}", false,
		  "svn" },
		{ HEADER, "{\"product\":\"web\",\"svn\":7,\"svn\":8,\"ids\":{\"snp\":[]}}", false,
		  "product" },
		{ HEADER, SAYS("{}"), false, "no ids" },
		{ HEADER, SAYS("[]"), false, "no ids" },
		{ HEADER, SAYS("{\"sgx\":[]}"), false, "sgx" },
		{ HEADER, SAYS("{\"snp\":\"" ID "\"}"), false, "ids.snp is no list" },
		{ HEADER, SAYS("{\"snp\":[\"" ID "\",7]}"), false, "number 2" },
		{ HEADER, SAYS("{\"snp\":[\"A1" ID "\"]}"), false, "number 1" },
		{ HEADER, SAYS("{\"snp\":[\"a1\"]}"), false, "number 1" },
		{ HEADER, SAYS("{\"snp\":[\"" ID ID "a1\"]}"), false, "number 1" },
		{ HEADER, SAYS("{\"snp\":[\"" ID "\\u0000\"]}"), false, "product" },
	};
	static const char *const none[] = {
		"", ".", "..", "a.b", "a.b.c", "a.b.c.d", "e30.e30.e30"
	};
	json_t *ids = json_pack("[s,s]", "x", ID), *other = json_pack("[s]", "a1");
	struct ccdm_manifest m;
	size_t i, k;
	char *text;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		text = jws(all[i].header, all[i].body, other_key, all[i].flip);
		seed_texts("manifest", 0, 0, text, NULL, NULL, NULL);
		if (ccdm_manifest_read(text, &m, &err) != (all[i].says ? -EINVAL : 0))
			fail_msg("case %zu: %s", i, err.text);
		if (all[i].says && !strstr(err.text, all[i].says))
			fail_msg("case %zu: %s", i, err.text);
		if (!i) {
			assert_string_equal(m.product, "web");
			assert_int_equal(m.svn, 7);
			assert_int_equal(strlen(m.key), 64);
			assert_true(ccdm_manifest_lists(&m, "snp", ids));
			assert_false(ccdm_manifest_lists(&m, "snp", other));
			assert_false(ccdm_manifest_lists(&m, "snp", NULL));
			assert_false(ccdm_manifest_lists(&m, "tdx", ids));
			/* cut anywhere */
			for (k = strlen(text); k-- > 0;) {
				struct ccdm_manifest cut;

				text[k] = '\0';
				assert_int_equal(ccdm_manifest_read(text, &cut, &err), -EINVAL);
			}
		}
		if (!all[i].says)
			ccdm_manifest_drop(&m);
		free(text);
	}
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(ccdm_manifest_read(none[i], &m, &err), -EINVAL);
	json_decref(ids);
	json_decref(other);
}

/* What is no evidence at all is an error that says so, and proves nothing. */
static void no_evidence(void **state)
{
	struct ccdm_verdict *v = calloc(1, sizeof(*v));
	struct ccdm_proof proof = { 0 };
	json_t *object = json_object(), *text = json_string("x");

	(void)state;
	assert_int_equal(ccdm_evidence_judge("sgx", object, NULL, NULL, v, &proof, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no TEE is called sgx"));
	assert_null(proof.facts);
	assert_int_equal(ccdm_evidence_judge("snp", text, NULL, NULL, v, &proof, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no object"));
	assert_int_equal(ccdm_evidence_judge("snp", NULL, NULL, NULL, v, &proof, &err), -EINVAL);
	assert_null(proof.facts);
	assert_null(proof.notes);
	json_decref(object);
	json_decref(text);
	free(v);
}

/* ---- what an SNP report says of its launch and its chip ---------------------------- */

static void snp_launch(void **state)
{
	static const struct {
		const char *name;
		unsigned int at; /* a byte of the report that is not zero */
		uint8_t value;
		bool author; /* the key of the author counts */
		bool turin, old;
		const char *fact;
		size_t digits; /* 0: absent */
	} rows[] = {
		{ "host data", 0xc0, 0x5a, .fact = "host-data", .digits = 64 },
		{ "last byte of host data", 0xdf, 0x5a, .fact = "host-data", .digits = 64 },
		{ "no host data", 0x90, 1, .fact = "host-data" },
		{ "id key", 0xe0, 0x5a, .fact = "id-key", .digits = 96 },
		{ "no id key", 0xdf, 0x5a, .fact = "id-key" },
		{ "id key alone", 0xe0, 0x5a, true, .fact = "author-key" },
		{ "author key", 0x110, 0x5a, true, .fact = "author-key", .digits = 96 },
		{ "author key that does not count", 0x110, 0x5a, .fact = "author-key" },
		{ "author key is no id key", 0x110, 0x5a, true, .fact = "id-key" },
		{ "chip", 0x1a0, 0x5a, .fact = "chip", .digits = 128 },
		{ "chip, Turin", 0x1a0, 0x5a, .turin = true, .fact = "chip", .digits = 16 },
		{ "masked chip", 0x90, 1, .fact = "chip" },
		{ "masked chip, Turin", 0x90, 1, .turin = true, .fact = "chip" },
		{ "Milan", 0x90, 1, .fact = "generation", .digits = 5 },
		{ "Turin", 0x90, 1, .turin = true, .fact = "generation", .digits = 5 },
		{ "version 2", 0x90, 1, .old = true, .fact = "generation" },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t raw[CCDM_SNP_REPORT_SIZE] = { 0 };
		json_t *facts = json_object();
		struct ccdm_snp snp;
		struct ccdm_err err;

		raw[0] = rows[i].old ? 2 : 3;
		raw[0x48] = rows[i].author;
		raw[0x188] = rows[i].turin ? 0x1a : 0x19;
		raw[0x189] = 1;
		raw[rows[i].at] = rows[i].value;
		assert_int_equal(ccdm_snp_parse(raw, sizeof(raw), &snp, &err), 0);
		assert_int_equal(ccdm_facts_snp(&snp, facts), 0);
		if (strlen(snp_text(facts, rows[i].fact)) != rows[i].digits)
			fail_msg("%s: %s is '%s'", rows[i].name, rows[i].fact,
				 snp_text(facts, rows[i].fact));
		json_decref(facts);
	}
}

/* Bit 5 of the platform alone is the alias check; the ABI is of the guest's policy. */
static void snp_platform(void **state)
{
	unsigned int bit;

	(void)state;
	for (bit = 0; bit < 8; bit++) {
		uint8_t raw[CCDM_SNP_REPORT_SIZE] = { 3 };
		json_t *facts = json_object(), *abi;
		struct ccdm_snp snp;
		struct ccdm_err err;

		raw[0x40] = 1U << bit;
		raw[8] = 55;
		raw[9] = 1;
		assert_int_equal(ccdm_snp_parse(raw, sizeof(raw), &snp, &err), 0);
		assert_int_equal(ccdm_facts_snp(&snp, facts), 0);
		assert_int_equal(json_is_true(json_object_get(facts, "alias-check")), bit == 5);
		abi = json_object_get(facts, "abi");
		assert_int_equal(json_integer_value(json_object_get(abi, "major")), 1);
		assert_int_equal(json_integer_value(json_object_get(abi, "minor")), 55);
		json_decref(facts);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(launches),	  cmocka_unit_test(late_cap),
		cmocka_unit_test(logs),		  cmocka_unit_test(enclave_ids),
		cmocka_unit_test(relabelled_cap), cmocka_unit_test(real_boot),
		cmocka_unit_test(cut_logs),	  cmocka_unit_test(many_events),
		cmocka_unit_test(rtmrs),	  cmocka_unit_test(tpm_alone),
		cmocka_unit_test(beside),	  cmocka_unit_test(statuses),
		cmocka_unit_test(snp_facts),	  cmocka_unit_test(manifests),
		cmocka_unit_test(no_evidence),	  cmocka_unit_test(members),
		cmocka_unit_test(merged),	  cmocka_unit_test(leaf_given),
		cmocka_unit_test(snp_launch),	  cmocka_unit_test(snp_platform),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
