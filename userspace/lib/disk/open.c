// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* open.c - see open.h */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include "base/ui.h"
#include "ccdm_format.h"
#include "base/bytes.h"
#include "dm.h"
#include "open.h"

#define MIB (1ULL << 20)

static bool ccdm_open_known(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(word, *words))
			return true;
	return false;
}

bool ccdm_open_words(const struct ccdm_open *o, const char **wrong)
{
	static const char *const suites[] = { "aes-xts-gmac", "aes-xts-hmac-sha256", "aes-gcm",
					      NULL };
	static const char *const actions[] = { "panic", "poweroff", "eio", NULL };

	if (o->cipher && !ccdm_open_known(o->cipher, suites))
		*wrong = o->cipher;
	else if (o->on_tamper && !ccdm_open_known(o->on_tamper, actions))
		*wrong = o->on_tamper;
	else if (o->uuid && (strlen(o->uuid) != 32 || strspn(o->uuid, "0123456789abcdef") != 32))
		*wrong = o->uuid;
	else
		return true;
	return false;
}

/* Compute the length of the mapping, in blocks. */
static int ccdm_open_length(const struct ccdm_open *o, const struct ccdm_device *dev,
			    uint64_t *blocks, struct ccdm_err *err)
{
	uint64_t fit = ccdm_geometry_fit(dev->bytes >> CCDM_BLOCK_SHIFT);
	char have[32], want[32];

	if (!fit)
		return ccdm_err_set(err, -ENOSPC,
				    "%s is too small: expected at least %u bytes, found %llu",
				    dev->path, CCDM_MIN_BLOCKS * CCDM_BLOCK_SIZE,
				    (unsigned long long)dev->bytes);
	*blocks = fit;
	if (!o->size)
		return 0;
	if (o->size % CCDM_BLOCK_SIZE)
		return ccdm_err_set(err, -EINVAL,
				    "--size: expected a multiple of %u bytes, found %llu",
				    CCDM_BLOCK_SIZE, (unsigned long long)o->size);
	*blocks = o->size >> CCDM_BLOCK_SHIFT;
	if (*blocks > fit) {
		ccdm_err_hint(err, "data and tree together need 0.79 %% more than the data");
		return ccdm_err_set(err, -ENOSPC, "%s is too small for --size %s: at most %s fit",
				    dev->path, ccdm_ui_human(o->size, want),
				    ccdm_ui_human(fit << CCDM_BLOCK_SHIFT, have));
	}
	return 0;
}

static int ccdm_open_origin(const struct ccdm_open *o, uint64_t blocks, struct ccdm_device *origin,
			    struct ccdm_err *err)
{
	char have[32], want[32];
	int r;

	if (!o->origin)
		return 0;
	r = ccdm_device_look(o->origin, origin, err);
	if (r)
		return r;
	if (!origin->bytes || origin->bytes % CCDM_BLOCK_SIZE)
		return ccdm_err_set(err, -EINVAL,
				    "origin %s: expected a multiple of %u bytes, found %llu",
				    o->origin, CCDM_BLOCK_SIZE, (unsigned long long)origin->bytes);
	if (origin->bytes >> CCDM_BLOCK_SHIFT > blocks)
		return ccdm_err_set(
			err, -ENOSPC,
			"the mapping is too small: expected at least %s for the origin %s, found %s",
			ccdm_ui_human(origin->bytes, have), o->origin,
			ccdm_ui_human(blocks << CCDM_BLOCK_SHIFT, want));
	return 0;
}

static int ccdm_open_uuid(const struct ccdm_open *o, char *uuid, size_t size, struct ccdm_err *err)
{
	unsigned char random[16];
	char hex[33];

	if (o->uuid) {
		snprintf(hex, sizeof(hex), "%s", o->uuid);
	} else {
		if (getrandom(random, sizeof(random), 0) != sizeof(random))
			return ccdm_err_set(err, -EIO, "cannot read random numbers for the UUID");
		ccdm_hex(random, sizeof(random), hex);
	}
	snprintf(uuid, size, CCDM_UUID_PREFIX "%s-%s", hex, o->name);
	return 0;
}

static int ccdm_open_name(const char *name, struct ccdm_err *err)
{
	/* the UUID "CCDM-<32 hex>-<name>" must fit too */
	size_t most = CCDM_DM_UUID - 1 - sizeof(CCDM_UUID_PREFIX) - 32;
	const char *p;

	for (p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("#+-.:=@_", *p))
			break;
	/* /dev/mapper has names of its own: the directories, and the control device */
	if (*name && !*p && strcmp(name, ".") && strcmp(name, "..") && strcmp(name, "control") &&
	    strlen(name) <= most)
		return 0;
	return ccdm_err_set(err, -EINVAL,
			    "name of the mapping: expected 1 to %zu letters, digits and #+-.:=@_, "
			    "found '%s'",
			    most, name);
}

int ccdm_open_params(const struct ccdm_open *o, char *params, size_t size, struct ccdm_err *err)
{
	unsigned int n = !!o->cipher + !!o->cache + !!o->on_tamper + !!o->origin +
			 o->allow_discards + o->allow_kdump;
	char cache[40] = "";
	int length;

	if (o->cache)
		snprintf(cache, sizeof(cache), " cache_mib:%llu",
			 (unsigned long long)((o->cache + MIB - 1) / MIB));
	length = snprintf(params, size, "%u %s %u%s%s%s%s%s%s%s%s%s", CCDM_TABLE_VERSION, o->device,
			  n, o->cipher ? " cipher:" : "", o->cipher ? o->cipher : "", cache,
			  o->on_tamper ? " on_tamper:" : "", o->on_tamper ? o->on_tamper : "",
			  o->origin ? " origin:" : "", o->origin ? o->origin : "",
			  o->allow_discards ? " allow_discards" : "",
			  o->allow_kdump ? " allow_kdump" : "");
	if (length >= 0 && (size_t)length < size)
		return 0;
	ccdm_err_hint(err, "use a shorter path of the device, such as /dev/block/MAJOR:MINOR");
	return ccdm_err_set(err, -EINVAL,
			    "the table line is too long: expected less than %zu bytes, found %d",
			    size, length);
}

int ccdm_open_look(const struct ccdm_open *o, struct ccdm_open_facts *facts, struct ccdm_err *err)
{
	char params[CCDM_OPEN_PARAMS];
	int r = ccdm_open_name(o->name, err);

	memset(facts, 0, sizeof(*facts));
	if (!r && (strpbrk(o->device, " \t\n") || (o->origin && strpbrk(o->origin, " \t\n"))))
		r = ccdm_err_set(err, -EINVAL,
				 "a device path with white space cannot be used in a table line");
	if (!r)
		r = ccdm_open_params(o, params, sizeof(params), err);
	if (!r)
		r = ccdm_device_look(o->device, &facts->device, err);
	if (!r && facts->device.read_only)
		r = ccdm_err_set(err, -EROFS,
				 "%s: expected a writable device, found a read-only one",
				 o->device);
	if (!r)
		r = ccdm_open_length(o, &facts->device, &facts->blocks, err);
	return r ? r : ccdm_open_origin(o, facts->blocks, &facts->origin, err);
}

int ccdm_open_map(const struct ccdm_open *o, const struct ccdm_open_facts *facts,
		  struct ccdm_err *err)
{
	char uuid[CCDM_DM_UUID], params[CCDM_OPEN_PARAMS];
	const struct ccdm_dm_target table = { .target = "ccdm",
					      .length = facts->blocks * CCDM_BLOCK_SECTORS,
					      .params = params };
	int r = ccdm_open_uuid(o, uuid, sizeof(uuid), err);

	if (!r)
		r = ccdm_open_params(o, params, sizeof(params), err);
	return r ? r : ccdm_dm_create(o->name, uuid, &table, err);
}
