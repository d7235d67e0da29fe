// SPDX-License-Identifier: Apache-2.0
/* cmd_open.c - ccdm-setup open DEVICE NAME */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "../lib/device.h"
#include "../lib/module.h"
#include "ccdm_format.h"
#include "setup.h"

#define MIB (1ULL << 20)

struct open_args {
	const char *cipher;
	const char *on_tamper;
	const char *origin;
	const char *uuid;
	uint64_t cache;
	uint64_t size;
	bool allow_discards;
	bool allow_kdump;
	bool yes;
};

enum { OPT_CACHE = 256, OPT_ON_TAMPER, OPT_ORIGIN, OPT_DISCARDS, OPT_KDUMP, OPT_SIZE, OPT_UUID };

static const struct option open_options[] = {
	{ "cipher", required_argument, NULL, 'c' },
	{ "cache-size", required_argument, NULL, OPT_CACHE },
	{ "on-tamper", required_argument, NULL, OPT_ON_TAMPER },
	{ "origin", required_argument, NULL, OPT_ORIGIN },
	{ "allow-discards", no_argument, NULL, OPT_DISCARDS },
	{ "allow-kdump", no_argument, NULL, OPT_KDUMP },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ "uuid", required_argument, NULL, OPT_UUID },
	{ "yes", no_argument, NULL, 'y' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static bool open_known(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(word, *words))
			return true;
	return false;
}

static enum ccdm_exit open_take(int option, void *arg)
{
	static const char *const suites[] = { "aes-xts-gmac", "aes-xts-hmac-sha256", "aes-gcm",
					      NULL };
	static const char *const actions[] = { "panic", "poweroff", "eio", NULL };
	struct open_args *a = arg;
	bool ok = true;

	switch (option) {
	case 'c':
		a->cipher = optarg;
		ok = open_known(optarg, suites);
		break;
	case OPT_CACHE:
		ok = !ccdm_ui_size(optarg, &a->cache) && a->cache;
		break;
	case OPT_ON_TAMPER:
		a->on_tamper = optarg;
		ok = open_known(optarg, actions);
		break;
	case OPT_ORIGIN:
		a->origin = optarg;
		break;
	case OPT_DISCARDS:
		a->allow_discards = true;
		break;
	case OPT_KDUMP:
		a->allow_kdump = true;
		break;
	case OPT_SIZE:
		ok = !ccdm_ui_size(optarg, &a->size) && a->size;
		break;
	case OPT_UUID:
		a->uuid = optarg;
		ok = strlen(optarg) == 32 && strspn(optarg, "0123456789abcdef") == 32;
		break;
	case 'y':
		a->yes = true;
		break;
	default:
		ok = false;
	}
	return ok ? CCDM_EXIT_OK : CCDM_EXIT_USAGE;
}

/* How long the mapping is, in blocks. */
static int open_length(const struct open_args *a, const struct ccdm_device *dev, uint64_t *blocks,
		       struct ccdm_err *err)
{
	uint64_t fit = ccdm_geometry_fit(dev->bytes >> CCDM_BLOCK_SHIFT);
	char have[32], want[32];

	if (!fit)
		return ccdm_err_set(err, -ENOSPC,
				    "%s is too small: %llu bytes, at least %u are needed",
				    dev->path, (unsigned long long)dev->bytes,
				    CCDM_MIN_BLOCKS * CCDM_BLOCK_SIZE);
	*blocks = fit;
	if (!a->size)
		return 0;
	if (a->size % CCDM_BLOCK_SIZE)
		return ccdm_err_set(err, -EINVAL, "--size %llu is not a multiple of %u bytes",
				    (unsigned long long)a->size, CCDM_BLOCK_SIZE);
	*blocks = a->size >> CCDM_BLOCK_SHIFT;
	if (*blocks > fit) {
		ccdm_err_hint(err, "data and tree together need 0.79 %% more than the data");
		return ccdm_err_set(err, -ENOSPC, "%s is too small for --size %s: at most %s fit",
				    dev->path, ccdm_ui_human(a->size, want),
				    ccdm_ui_human(fit << CCDM_BLOCK_SHIFT, have));
	}
	return 0;
}

static int open_origin(const struct open_args *a, uint64_t blocks, struct ccdm_err *err)
{
	struct ccdm_device origin;
	char have[32], want[32];
	int r;

	if (!a->origin)
		return 0;
	r = ccdm_device_look(a->origin, &origin, err);
	if (r)
		return r;
	if (!origin.bytes || origin.bytes % CCDM_BLOCK_SIZE)
		return ccdm_err_set(err, -EINVAL,
				    "origin %s: %llu bytes, expected a multiple of %u", a->origin,
				    (unsigned long long)origin.bytes, CCDM_BLOCK_SIZE);
	if (origin.bytes >> CCDM_BLOCK_SHIFT > blocks)
		return ccdm_err_set(err, -ENOSPC,
				    "too small: the origin %s has %s, the mapping would have %s",
				    a->origin, ccdm_ui_human(origin.bytes, have),
				    ccdm_ui_human(blocks << CCDM_BLOCK_SHIFT, want));
	if (origin.fs_block && origin.fs_block < CCDM_BLOCK_SIZE)
		fprintf(stderr,
			CCDM_PROGRAM
			": warning: the %s on %s has blocks of %u bytes and will not mount: "
			"the mapping has sectors of %u\n",
			origin.signature, a->origin, origin.fs_block, CCDM_BLOCK_SIZE);
	return 0;
}

static int open_consent(const struct open_args *a, const struct ccdm_device *dev,
			struct ccdm_err *err)
{
	char question[256], size[32];

	if (!dev->signature[0] || a->yes)
		return 0;
	snprintf(question, sizeof(question),
		 "WARNING: %s (%s) holds: %s.\nOpening it destroys this irrevocably.", dev->path,
		 ccdm_ui_human(dev->bytes, size), dev->signature);
	if (ccdm_ui_confirm(question))
		return 0;
	ccdm_err_hint(err, "if it may be destroyed, say --yes");
	return ccdm_err_set(err, -ECANCELED, "%s holds: %s", dev->path, dev->signature);
}

static int open_uuid(const struct open_args *a, const char *name, char *uuid, size_t size,
		     struct ccdm_err *err)
{
	unsigned char random[16];
	char hex[33];
	size_t i;

	if (a->uuid) {
		snprintf(hex, sizeof(hex), "%s", a->uuid);
	} else {
		if (getrandom(random, sizeof(random), 0) != sizeof(random))
			return ccdm_err_set(err, -EIO, "no random numbers for the UUID");
		for (i = 0; i < sizeof(random); i++)
			sprintf(hex + 2 * i, "%02x", random[i]);
	}
	snprintf(uuid, size, CCDM_UUID_PREFIX "%s-%s", hex, name);
	return 0;
}

static int open_name(const char *name, struct ccdm_err *err)
{
	/* the UUID "CCDM-<32 hex>-<name>" must fit too */
	size_t most = CCDM_DM_UUID - 1 - sizeof(CCDM_UUID_PREFIX) - 32;
	const char *p;

	for (p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("#+-.:=@_", *p))
			break;
	if (*name && !*p && strcmp(name, ".") && strcmp(name, "..") && strlen(name) <= most)
		return 0;
	return ccdm_err_set(err, -EINVAL,
			    "'%s' is no name for a mapping: 1 to %zu letters, digits and #+-.:=@_",
			    name, most);
}

static void open_params(const struct open_args *a, const char *device, char *params, size_t size)
{
	unsigned int n = !!a->cipher + !!a->cache + !!a->on_tamper + !!a->origin +
			 a->allow_discards + a->allow_kdump;
	size_t at = snprintf(params, size, "%u %s %u", CCDM_TABLE_VERSION, device, n);

	if (a->cipher)
		at += snprintf(params + at, size - at, " cipher:%s", a->cipher);
	if (a->cache)
		at += snprintf(params + at, size - at, " cache_mib:%llu",
			       (unsigned long long)((a->cache + MIB - 1) / MIB));
	if (a->on_tamper)
		at += snprintf(params + at, size - at, " on_tamper:%s", a->on_tamper);
	if (a->origin)
		at += snprintf(params + at, size - at, " origin:%s", a->origin);
	snprintf(params + at, size - at, "%s%s", a->allow_discards ? " allow_discards" : "",
		 a->allow_kdump ? " allow_kdump" : "");
}

static int open_mapping(const struct open_args *a, const char *device, const char *name,
			struct ccdm_err *err)
{
	char uuid[CCDM_DM_UUID], params[CCDM_DM_TEXT];
	struct ccdm_device dev;
	uint64_t blocks = 0;
	int r;

	r = open_name(name, err);
	if (!r && (strpbrk(device, " \t\n") || (a->origin && strpbrk(a->origin, " \t\n"))))
		r = ccdm_err_set(err, -EINVAL,
				 "a path with white space has no place in a table line");
	if (!r)
		r = ccdm_setup_root(err);
	if (!r)
		r = ccdm_device_look(device, &dev, err);
	if (!r && dev.read_only)
		r = ccdm_err_set(err, -EROFS, "%s is read-only", device);
	if (!r)
		r = open_length(a, &dev, &blocks, err);
	if (!r)
		r = open_origin(a, blocks, err);
	if (!r)
		r = ccdm_module_need(err);
	if (!r)
		r = open_consent(a, &dev, err);
	if (!r)
		r = open_uuid(a, name, uuid, sizeof(uuid), err);
	if (r)
		return r;
	open_params(a, device, params, sizeof(params));
	return ccdm_dm_create(name, uuid, blocks * CCDM_BLOCK_SECTORS, params, err);
}

enum ccdm_exit cmd_open(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct open_args a = { 0 };
	struct ccdm_err err = { 0 };
	enum ccdm_exit e;
	bool over;
	int r;

	e = ccdm_setup_options(verb, argc, argv, open_options, open_take, &a, 2, 2, &over);
	if (over)
		return e;
	r = open_mapping(&a, argv[optind], argv[optind + 1], &err);
	return r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
}
