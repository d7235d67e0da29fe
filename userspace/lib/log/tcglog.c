// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* tcglog.c - see tcglog.h */
#include <stdio.h>
#include "base/bytes.h"
#include "tcglog.h"

/* The hashes that the log's first event declares, with their sizes. */
struct ccdm_tcg_spec {
	bool agile;
	unsigned int count;
	struct {
		uint16_t alg;
		uint16_t size;
	} hash[CCDM_BANKS_MAX];
};

/* ---- reading ------------------------------------------------------------- */

struct ccdm_tcg_reader {
	const uint8_t *at;
	const uint8_t *end;
	bool short_of;
};

static const uint8_t *ccdm_tcg_take(struct ccdm_tcg_reader *in, size_t size)
{
	const uint8_t *p = in->at;

	if (in->short_of || (size_t)(in->end - in->at) < size) {
		in->short_of = true;
		return NULL;
	}
	in->at += size;
	return p;
}

static uint32_t ccdm_tcg_u32(struct ccdm_tcg_reader *in)
{
	const uint8_t *p = ccdm_tcg_take(in, 4);

	return p ? ccdm_le32(p) : 0;
}

static uint16_t ccdm_tcg_u16(struct ccdm_tcg_reader *in)
{
	const uint8_t *p = ccdm_tcg_take(in, 2);

	return p ? ccdm_le16(p) : 0;
}

/* The result of parsing an event; zero is a failure. */
enum ccdm_tcg_read {
	CCDM_TCG_CUT,
	CCDM_TCG_DIGESTS,
	CCDM_TCG_HASH,
	CCDM_TCG_TWICE,
	CCDM_TCG_NO_SPEC,
	CCDM_TCG_SPEC_CUT,
	CCDM_TCG_SPEC_HASHES,
	CCDM_TCG_SPEC_HASH,
	CCDM_TCG_READ,
};

static const char *const ccdm_tcg_texts[] = {
	[CCDM_TCG_CUT] = "is truncated",
	[CCDM_TCG_DIGESTS] = "has no digest, or more digests than the log has hashes",
	[CCDM_TCG_HASH] = "has a digest of a hash that the log does not declare",
	[CCDM_TCG_TWICE] = "has two digests of the same hash",
	[CCDM_TCG_NO_SPEC] = "does not describe the log",
	[CCDM_TCG_SPEC_CUT] = "is too short to describe the log",
	[CCDM_TCG_SPEC_HASHES] = "declares no hash, or too many",
	[CCDM_TCG_SPEC_HASH] = "declares a hash twice, or with a wrong size",
};

static void ccdm_tcg_data(struct ccdm_tcg_reader *in, struct ccdm_tcg_event *e)
{
	e->size = ccdm_tcg_u32(in);
	e->data = ccdm_tcg_take(in, e->size);
}

static enum ccdm_tcg_read ccdm_tcg_sha1(struct ccdm_tcg_reader *in, struct ccdm_tcg_event *e)
{
	const uint8_t *p;

	e->index = ccdm_tcg_u32(in);
	e->type = ccdm_tcg_u32(in);
	p = ccdm_tcg_take(in, 20);
	if (p) {
		e->digests.count = 1;
		e->digests.digest[0].alg = CCDM_ALG_SHA1;
		e->digests.digest[0].size = 20;
		memcpy(e->digests.digest[0].bytes, p, 20);
	}
	ccdm_tcg_data(in, e);
	return in->short_of ? CCDM_TCG_CUT : CCDM_TCG_READ;
}

/* The size of a hash; 0 if the log's first event does not declare it. */
static uint16_t ccdm_tcg_hash_size(const struct ccdm_tcg_spec *spec, uint16_t alg)
{
	unsigned int i;

	for (i = 0; i < spec->count; i++)
		if (spec->hash[i].alg == alg)
			return spec->hash[i].size;
	return 0;
}

static enum ccdm_tcg_read ccdm_tcg_agile(struct ccdm_tcg_reader *in,
					 const struct ccdm_tcg_spec *spec, struct ccdm_tcg_event *e)
{
	uint32_t i, n;

	e->index = ccdm_tcg_u32(in);
	e->type = ccdm_tcg_u32(in);
	n = ccdm_tcg_u32(in);
	if (!in->short_of && (!n || n > spec->count))
		return CCDM_TCG_DIGESTS;
	for (i = 0; i < n && !in->short_of; i++) {
		uint16_t alg = ccdm_tcg_u16(in), size = ccdm_tcg_hash_size(spec, alg);
		struct ccdm_digest *d = &e->digests.digest[e->digests.count];
		const uint8_t *p;
		unsigned int k;

		if (!in->short_of && !size)
			return CCDM_TCG_HASH;
		for (k = 0; k < e->digests.count; k++)
			if (e->digests.digest[k].alg == alg)
				return CCDM_TCG_TWICE;
		p = ccdm_tcg_take(in, size);
		if (!p || ccdm_digest_size(alg) != size)
			continue; /* no verifier could replay this bank */
		d->alg = alg;
		d->size = size;
		memcpy(d->bytes, p, size);
		e->digests.count++;
	}
	ccdm_tcg_data(in, e);
	return in->short_of ? CCDM_TCG_CUT : CCDM_TCG_READ;
}

/* Parse the first event, if it declares the log's hashes. */
static enum ccdm_tcg_read ccdm_tcg_spec(const struct ccdm_tcg_event *e, struct ccdm_tcg_spec *spec)
{
	struct ccdm_tcg_reader in = { .at = e->data, .end = e->data + e->size };
	const uint8_t *p = ccdm_tcg_take(&in, 16);
	uint32_t i, n;

	if (!p)
		return CCDM_TCG_SPEC_CUT;
	if (memcmp(p, "Spec ID Event03", 16))
		return memcmp(p, "Spec ID Event0", 14) ? CCDM_TCG_NO_SPEC : CCDM_TCG_READ;
	ccdm_tcg_take(&in, 8);
	n = ccdm_tcg_u32(&in);
	if (!in.short_of && (!n || n > CCDM_BANKS_MAX))
		return CCDM_TCG_SPEC_HASHES;
	for (i = 0; i < n; i++) {
		uint16_t alg = ccdm_tcg_u16(&in), size = ccdm_tcg_u16(&in);

		if (in.short_of)
			break;
		if (!size || size > CCDM_DIGEST_MAX || ccdm_tcg_hash_size(spec, alg) ||
		    (ccdm_digest_size(alg) && ccdm_digest_size(alg) != size))
			return CCDM_TCG_SPEC_HASH;
		spec->hash[spec->count].alg = alg;
		spec->hash[spec->count++].size = size;
	}
	p = ccdm_tcg_take(&in, 1);
	if (p)
		ccdm_tcg_take(&in, *p);
	spec->agile = true;
	return in.short_of ? CCDM_TCG_SPEC_CUT : CCDM_TCG_READ;
}

/* Is the rest of the log nothing but padding? */
static bool ccdm_tcg_filler(const struct ccdm_tcg_reader *in)
{
	const uint8_t *p;

	if (in->at == in->end)
		return true;
	if (*in->at != 0x00 && *in->at != 0xff)
		return false;
	for (p = in->at; p < in->end; p++)
		if (*p != *in->at)
			return false;
	return true;
}

int ccdm_tcglog_parse(const void *log, size_t size,
		      int (*each)(const struct ccdm_tcg_event *event, void *arg), void *arg,
		      struct ccdm_err *err)
{
	struct ccdm_tcg_reader in = { .at = log, .end = (const uint8_t *)log + size };
	struct ccdm_tcg_spec spec = { 0 };
	struct ccdm_tcg_event e;
	unsigned int number;
	enum ccdm_tcg_read read;
	int r = 0;

	if (!size || size > CCDM_TCGLOG_MAX)
		return ccdm_err_set(err, -EINVAL, "expected an event log, found %zu other bytes",
				    size);
	for (number = 1; !r && (number == 1 || !ccdm_tcg_filler(&in)); number++) {
		memset(&e, 0, sizeof(e));
		e.at = in.at - (const uint8_t *)log;
		read = spec.agile ? ccdm_tcg_agile(&in, &spec, &e) : ccdm_tcg_sha1(&in, &e);
		if (read == CCDM_TCG_READ && number == 1 && e.type == CCDM_EV_NO_ACTION) {
			read = ccdm_tcg_spec(&e, &spec);
			if (read == CCDM_TCG_READ)
				continue;
		}
		if (read != CCDM_TCG_READ)
			return ccdm_err_set(err, -EINVAL, "event %u, at byte %zu, %s", number, e.at,
					    ccdm_tcg_texts[read]);
		r = each(&e, arg);
	}
	return r;
}

/* ---- replaying ------------------------------------------------------------- */

const struct ccdm_bank *ccdm_banks_find(const struct ccdm_banks *banks, uint16_t alg)
{
	unsigned int i;

	for (i = 0; i < banks->count; i++)
		if (banks->bank[i].alg == alg)
			return &banks->bank[i];
	return NULL;
}

struct ccdm_replay {
	struct ccdm_banks *banks;
	struct ccdm_err *err;
};

int ccdm_tcg_locality(const struct ccdm_tcg_event *e)
{
	if (e->type != CCDM_EV_NO_ACTION || e->index || e->size != 17 ||
	    memcmp(e->data, "StartupLocality", 16))
		return -1;
	return e->data[16];
}

static void ccdm_replay_locality(const struct ccdm_tcg_event *e, struct ccdm_banks *banks)
{
	int locality = ccdm_tcg_locality(e);
	unsigned int i;

	if (locality < 0)
		return;
	for (i = 0; i < banks->count; i++) {
		struct ccdm_bank *bank = &banks->bank[i];

		if (bank->used[0])
			continue; /* register 0 already has events: ignore the locality */
		bank->value[0].bytes[bank->value[0].size - 1] = locality;
		bank->used[0] = true;
	}
}

static int ccdm_replay_banks(const struct ccdm_tcg_event *e, struct ccdm_banks *banks)
{
	unsigned int i, k;

	if (!e->digests.count)
		return -EINVAL;
	for (i = 0; i < e->digests.count; i++) {
		struct ccdm_bank *bank = &banks->bank[i];

		bank->alg = e->digests.digest[i].alg;
		for (k = 0; k < CCDM_REGISTERS; k++) {
			bank->value[k].alg = bank->alg;
			bank->value[k].size = e->digests.digest[i].size;
		}
	}
	banks->count = e->digests.count;
	return 0;
}

static int ccdm_replay_event(const struct ccdm_tcg_event *e, void *arg)
{
	struct ccdm_replay *replay = arg;
	struct ccdm_banks *banks = replay->banks;
	unsigned int i, k;
	int r = 0;

	if (!banks->count && ccdm_replay_banks(e, banks))
		return ccdm_err_set(replay->err, -EINVAL, "the log has no known bank");
	if (e->type == CCDM_EV_NO_ACTION) {
		ccdm_replay_locality(e, banks);
		return 0;
	}
	if (e->index >= CCDM_REGISTERS)
		return ccdm_err_set(replay->err, -EINVAL,
				    "the event at byte %zu: unknown register %u", e->at, e->index);
	for (i = 0; !r && i < banks->count; i++) {
		struct ccdm_bank *bank = &banks->bank[i];
		struct ccdm_digest *value = &bank->value[e->index], old = *value;

		for (k = 0; k < e->digests.count; k++)
			if (e->digests.digest[k].alg == bank->alg)
				break;
		if (k == e->digests.count)
			return ccdm_err_set(replay->err, -EINVAL,
					    "the event at byte %zu lacks the digest for %s", e->at,
					    ccdm_digest_name(bank->alg));
		r = ccdm_digest_of(bank->alg, old.bytes, old.size, e->digests.digest[k].bytes,
				   old.size, value);
		bank->used[e->index] = true;
	}
	return r;
}

int ccdm_tcglog_replay(const void *log, size_t size, struct ccdm_banks *banks, struct ccdm_err *err)
{
	struct ccdm_replay replay = { banks, err };

	memset(banks, 0, sizeof(*banks));
	return ccdm_tcglog_parse(log, size, ccdm_replay_event, &replay, err);
}
