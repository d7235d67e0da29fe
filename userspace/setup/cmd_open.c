// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_open.c - ccdm-setup open DEVICE NAME */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "disk/module.h"
#include "disk/open.h"
#include "ccdm_format.h"
#include "verb.h"

struct open_args {
	struct ccdm_open open;
	bool yes;
};

enum { OPT_CACHE = 256, OPT_ON_TAMPER, OPT_ORIGIN, OPT_DISCARDS, OPT_KDUMP, OPT_SIZE, OPT_UUID };

static const struct ccdm_option open_options[] = {
	{ "cipher", 'c', 'c', "SUITE", "aes-xts-gmac (default), aes-xts-hmac-sha256 or aes-gcm",
	  "aes-xts-gmac aes-xts-hmac-sha256 aes-gcm", NULL },
	{ "cache-size", 0, OPT_CACHE, "SIZE",
	  "memory for the tree, 2 MiB to half of the RAM\n(default 2 % of the RAM, 4 MiB to 1 GiB)",
	  NULL, NULL },
	{ "on-tamper", 0, OPT_ON_TAMPER, "WHAT", "panic (default), poweroff or eio",
	  "panic poweroff eio", NULL },
	{ "origin", 0, OPT_ORIGIN, "DEV",
	  "read-only DEV that shows through where nothing was written", "@file", NULL },
	{ "allow-discards", 0, OPT_DISCARDS, NULL, "pass discards on to DEVICE", NULL, NULL },
	{ "allow-kdump", 0, OPT_KDUMP, NULL, "open even if a crash kernel is loaded", NULL, NULL },
	{ "size", 0, OPT_SIZE, "SIZE", "size of the mapping (default: the largest that fits)", NULL,
	  NULL },
	{ "uuid", 0, OPT_UUID, "HEX", "UUID of the mapping, 32 hex digits (default: random)", NULL,
	  NULL },
	{ "yes", 'y', 'y', NULL, "do not ask before the content of DEVICE is destroyed", NULL,
	  NULL },
	{ 0 },
};

static enum ccdm_exit open_take(int option, void *arg)
{
	struct open_args *a = arg;
	const char *wrong;
	bool ok = true;

	switch (option) {
	case 'c':
		a->open.cipher = optarg;
		break;
	case OPT_CACHE:
		ok = !ccdm_ui_size(optarg, &a->open.cache) && a->open.cache;
		break;
	case OPT_ON_TAMPER:
		a->open.on_tamper = optarg;
		break;
	case OPT_ORIGIN:
		a->open.origin = optarg;
		break;
	case OPT_DISCARDS:
		a->open.allow_discards = true;
		break;
	case OPT_KDUMP:
		a->open.allow_kdump = true;
		break;
	case OPT_SIZE:
		ok = !ccdm_ui_size(optarg, &a->open.size) && a->open.size;
		break;
	case OPT_UUID:
		a->open.uuid = optarg;
		break;
	case 'y':
		a->yes = true;
		break;
	default:
		ok = false;
	}
	return ok && ccdm_open_words(&a->open, &wrong) ? CCDM_EXIT_OK : CCDM_EXIT_USAGE;
}

static void open_warn(const struct ccdm_device *origin)
{
	if (origin->fs_block && origin->fs_block < CCDM_BLOCK_SIZE)
		fprintf(stderr,
			CCDM_PROGRAM
			": warning: the %s on %s has blocks of %u bytes and will not mount: "
			"the mapping has sectors of %u\n",
			origin->signature, origin->path, origin->fs_block, CCDM_BLOCK_SIZE);
}

static int open_consent(const struct open_args *a, const struct ccdm_device *dev,
			struct ccdm_err *err)
{
	char question[256], size[32];

	if (!dev->signature[0] || a->yes)
		return 0;
	snprintf(question, sizeof(question),
		 "warning: %s (%s) holds: %s.\n"
		 "Writes to the mapping destroy this content irrevocably.",
		 dev->path, ccdm_ui_human(dev->bytes, size), dev->signature);
	if (ccdm_ui_confirm(question))
		return 0;
	ccdm_err_hint(err, "to destroy it, give --yes");
	return ccdm_err_set(err, -ECANCELED, "%s holds: %s", dev->path, dev->signature);
}

static int open_mapping(const struct open_args *a, struct ccdm_err *err)
{
	struct ccdm_open_facts facts;
	int r = ccdm_setup_dm(err);

	if (!r)
		r = ccdm_open_look(&a->open, &facts, err);
	if (r)
		return r;
	open_warn(&facts.origin);
	r = ccdm_module_need(err);
	if (!r)
		r = open_consent(a, &facts.device, err);
	return r ? r : ccdm_open_map(&a->open, &facts, err);
}

static enum ccdm_exit cmd_open(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct open_args a = { 0 };
	struct ccdm_err err = { 0 };
	enum ccdm_exit e;
	bool over;
	int r;

	e = ccdm_setup_options(verb, argc, argv, open_take, &a, &over);
	if (over)
		return e;
	a.open.device = argv[optind];
	a.open.name = argv[optind + 1];
	r = open_mapping(&a, &err);
	return r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
}

const struct ccdm_setup_verb ccdm_verb_open = {
	.verb = { .name = "open",
		  .usage = "DEVICE NAME",
		  .summary = "open an ephemeral encrypted disk on DEVICE",
		  .text = "SIZE is in bytes, or with S (512 bytes), K M G T, KiB ... (1024), KB ... "
			  "(1000).\n"
			  "Opening writes nothing to DEVICE, but writes to the mapping destroy its "
			  "content.\n"
			  "The content of the mapping is lost when it is closed.\n",
		  .options = open_options,
		  .offer = "@file|",
		  .min_args = 2,
		  .max_args = 2 },
	.run = cmd_open,
};
