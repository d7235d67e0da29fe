/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* machine.h - the results of a boot: logs of firmware, systemd and ccdm, and the registers */
#ifndef CCDM_TEST_MACHINE_H
#define CCDM_TEST_MACHINE_H

#include <stdio.h>
#include "log/bootlog.h"
#include "base/bytes.h"

struct text {
	char text[32768];
	size_t size;
};

static inline void extend(struct ccdm_digest *value, const void *digest)
{
	struct ccdm_digest d = { .alg = value->alg, .size = value->size };

	memcpy(d.bytes, digest, d.size);
	assert_int_equal(ccdm_eventlog_extend(value, &d), 0);
}

/* Append an event to a log in JSON; extend a register with it unless @value is NULL. */
static inline void record(struct text *log, bool ours, const char *reg, unsigned int index,
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

/* Write the event that describes a firmware log with one hash. Return: the position behind it */
static inline uint8_t *firmware_spec(uint8_t *p, uint8_t alg, uint8_t size)
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

/* Write an event without data; extend @value with it unless it is NULL. */
static inline uint8_t *firmware_event(uint8_t *p, uint8_t index, uint8_t alg, uint8_t size,
				      int digest, struct ccdm_digest *value)
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

/*
 * Write a firmware log with SHA-256: a locality event unless @locality is 0, then two events in PCR
 * 0 and one in PCR 4.
 */
static inline size_t firmware(uint8_t *log, uint8_t locality,
			      struct ccdm_digest value[CCDM_REGISTERS])
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
 * Make the results of a boot. @caps: number of systemd's events before the cap; -1: no cap. Without
 * a cap systemd measures nothing into ccdm's register: its three events go into register 13.
 */
static inline void boot(struct machine *m, int caps)
{
	struct ccdm_err err;
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

static inline void registers(const struct machine *m, struct ccdm_registers *regs)
{
	unsigned int i;

	memset(regs, 0, sizeof(*regs));
	regs->bank = CCDM_ALG_SHA256;
	regs->covered = 0xffffff;
	for (i = 0; i < CCDM_REGISTERS; i++)
		memcpy(regs->value[i], m->value[i].bytes, 32);
}

#endif
