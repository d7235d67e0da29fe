// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* Facts from the logs of a boot: launch values, logs that do or do not replay, enclave IDs. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "base/file.h"
#include "log/enclave_id.h"
#include "log/launches.h"
#include "machine.h"
#include "seed.h"

static struct ccdm_err err;

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
	/* a value counts only as the kind that it is listed as */
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
	/* a zero byte, and a list that is too large */
	assert_int_equal(ccdm_launches_parse("list", text, sizeof(text), &list, &err), -EINVAL);
	assert_int_equal(ccdm_launches_parse("list", text, CCDM_LAUNCHES_FILE + 1, &list, &err),
			 -EINVAL);
}

/* ---- logs --------------------------------------------------------------------- */

/* Check the phase, and the numbers of events and notes. */
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
	assert_int_equal(ccdm_bootlog_facts(&log, regs, facts, all, NULL, &err), 0);
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
	/* a register without a proof, and one whose value the log does not reach */
	regs.covered &= ~(1U << 4);
	logged(&m, &regs, "initrd", 8, 2);
	regs.value[11][0] ^= 1;
	logged(&m, &regs, "initrd", 7, 3);
	regs.value[15][0] ^= 1;
	logged(&m, &regs, "unknown", 5, 4);
	/* the same for ccdm's register */
	boot(&m, -1);
	registers(&m, &regs);
	regs.covered &= ~(1U << 15);
	logged(&m, &regs, "unknown", 7, 2);
	/* the cap is found at any position among systemd's events */
	for (caps = 0; caps <= 3; caps++) {
		boot(&m, caps);
		registers(&m, &regs);
		logged(&m, &regs, "running", 10, 0);
	}
	/* a missing event: the cap */
	m.ccdm.size = strstr(m.ccdm.text, "ccdm-cap") - m.ccdm.text;
	while (m.ccdm.text[m.ccdm.size] != 0x1e)
		m.ccdm.size--;
	logged(&m, &regs, "unknown", 4, 2);
	/* a firmware log of another register value */
	boot(&m, -1);
	registers(&m, &regs);
	m.firmware[32 + 33 + 66] = 4;
	logged(&m, &regs, "initrd", 7, 1);
	/* a record without the bank proves nothing, even if the register was extended by zeros */
	boot(&m, -1);
	m.ccdm.size = 0;
	memset(m.ccdm.text, 0, sizeof(m.ccdm.text));
	memset(&m.systemd, 0, sizeof(m.systemd));
	assert_int_equal(ccdm_eventlog_begin(CCDM_ALG_SHA256, &m.value[15], &err), 0);
	assert_int_equal(ccdm_eventlog_begin(CCDM_ALG_SHA256, &m.value[11], &err), 0);
	assert_int_equal(ccdm_eventlog_begin(CCDM_ALG_SHA256, &m.value[13], &err), 0);
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
	/* ccdm's log without ccdm-ready */
	boot(&m, -1);
	memset(&m.systemd, 0, sizeof(m.systemd));
	m.ccdm.size = 0;
	assert_int_equal(ccdm_eventlog_begin(CCDM_ALG_SHA256, &m.value[15], &err), 0);
	assert_int_equal(ccdm_eventlog_begin(CCDM_ALG_SHA256, &m.value[11], &err), 0);
	assert_int_equal(ccdm_eventlog_begin(CCDM_ALG_SHA256, &m.value[13], &err), 0);
	record(&m.ccdm, true, "pcr", 15, "ccdm-base:1", &m.value[15]);
	registers(&m, &regs);
	logged(&m, &regs, "unknown", 4, 1);
	/* an event that only begins like the cap, then the cap itself */
	record(&m.ccdm, true, "pcr", 15, "ccdm-ready:1", &m.value[15]);
	record(&m.ccdm, true, "pcr", 15, "ccdm-capital:", &m.value[15]);
	registers(&m, &regs);
	logged(&m, &regs, "initrd", 6, 0);
	record(&m.ccdm, true, "pcr", 15, "ccdm-cap", &m.value[15]);
	registers(&m, &regs);
	logged(&m, &regs, "running", 7, 0);
	/* a locality after the first event is ignored */
	boot(&m, -1);
	registers(&m, &regs);
	memcpy(m.firmware + m.firmware_size, m.firmware + 65, 67);
	m.firmware_size += 67;
	m.firmware[m.firmware_size - 1] = 4;
	logged(&m, &regs, "initrd", 9, 0);
	/* register numbers 24 and of 32 bits do not exist */
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

/* With very many systemd events, the cap is not tried behind all of them. */
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
		assert_int_equal(ccdm_eventlog_begin(CCDM_ALG_SHA256, &m.value[11], &err), 0);
		assert_int_equal(ccdm_eventlog_begin(CCDM_ALG_SHA256, &m.value[13], &err), 0);
		m.ccdm.size = 0;
		assert_int_equal(ccdm_eventlog_begin(CCDM_ALG_SHA256, &m.value[15], &err), 0);
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

/* A log that is cut anywhere is an error or proves less; the parser never crashes. */
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
		if (!ccdm_bootlog_facts(&log, &regs, facts, notes, NULL, &err))
			assert_string_equal(json_string_value(json_object_get(facts, "phase")),
					    "unknown");
		json_decref(facts);
		json_decref(notes);
	}
}

/* The number of events of all logs has a limit, and exceeding it is an error. */
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
	assert_int_equal(ccdm_bootlog_facts(&log, &regs, facts, notes, NULL, &err), 0);
	log.systemd_size = (HALF + 1) * SIZE;
	assert_int_equal(ccdm_bootlog_facts(&log, &regs, facts, notes, NULL, &err), -EINVAL);
	assert_string_equal(err.text, "the logs have more than 16384 events");
	json_decref(facts);
	json_decref(notes);
	free(text);
}

/* In the firmware log of a confidential guest, register 0 does not count as an RTMR. */
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
	assert_int_equal(ccdm_eventlog_begin(CCDM_ALG_SHA384, &value, &err), 0);
	record(&m.ccdm, true, "rtmr", 3, "ccdm-ready:1", &value);
	record(&m.ccdm, true, "pcr", 15, "ccdm-ready:1",
	       NULL); /* of a TPM, which does not count here */
	memcpy(regs.value[3], value.bytes, 48);
	logged(&m, &regs, "initrd", 1, 0);
	record(&m.ccdm, true, "rtmr", 3, "ccdm-cap:1", &value);
	memcpy(regs.value[3], value.bytes, 48);
	logged(&m, &regs, "running", 2, 0);
	/* with a firmware log: two events of RTMR 0, and one of RTMR 3 before ccdm's */
	{
		struct ccdm_digest all[4];
		unsigned int i;

		memset(&m, 0, sizeof(m));
		for (i = 0; i < 4; i++)
			assert_int_equal(ccdm_eventlog_begin(CCDM_ALG_SHA384, &all[i], &err), 0);
		m.firmware_size = guest_firmware(m.firmware, 3, all);
		record(&m.ccdm, true, "rtmr", 3, "ccdm-ready:1", &all[3]);
		for (i = 0; i < 4; i++)
			memcpy(regs.value[i], all[i].bytes, 48);
		logged(&m, &regs, "initrd", 4, 0);
		regs.value[0][7] ^= 1;
		logged(&m, &regs, "initrd", 2, 1);
		/* nothing but ccdm measures into RTMR 3 before the cap */
		memset(&m, 0, sizeof(m));
		for (i = 0; i < 4; i++)
			assert_int_equal(ccdm_eventlog_begin(CCDM_ALG_SHA384, &all[i], &err), 0);
		m.firmware_size = guest_firmware(m.firmware, 4, all);
		record(&m.ccdm, true, "rtmr", 3, "ccdm-ready:1", &all[3]);
		for (i = 0; i < 4; i++)
			memcpy(regs.value[i], all[i].bytes, 48);
		logged(&m, &regs, "unknown", 4, 0);
	}
}

/* ---- enclave IDs ------------------------------------------------------------------- */

/* Get the enclave ID of a machine; "" if it is unknown. */
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
	assert_int_equal(ccdm_bootlog_facts(&log, &regs, facts, notes, NULL, &err), 0);
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

/* Changes that keep the ID and changes that do not, each compared with the same honest boot. */
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

/* With the cap under another label, the phase is still "running". */
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
		if (k == 1) /* a record of another type in ccdm's log */
			record(&m.ccdm, false, "pcr", 15, "ccdm-cap:1", &m.value[15]);
		else if (k == 2)
			record(&m.systemd, false, "pcr", 15, "ccdm-cap:1", &m.value[15]);
		else if (k == 3) { /* by firmware, before ccdm's events */
			fresh(&m);
			memset(&m.ccdm, 0, sizeof(m.ccdm));
			firmware_text(&m, 15, "ccdm-base:0", 11);
			firmware_text(&m, 15, "ccdm-ready:1", 12);
			firmware_text(&m, 15, "ccdm-cap:1", 10);
		} else if (k == 4) /* an unknown event */
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

/* The ID of a real boot, in both banks. */
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
		assert_int_equal(ccdm_bootlog_facts(&log, &regs, facts, notes, NULL, &err), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(launches),    cmocka_unit_test(logs),
		cmocka_unit_test(late_cap),    cmocka_unit_test(cut_logs),
		cmocka_unit_test(many_events), cmocka_unit_test(rtmrs),
		cmocka_unit_test(enclave_ids), cmocka_unit_test(relabelled_cap),
		cmocka_unit_test(real_boot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
