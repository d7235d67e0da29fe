// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* module.c - see module.h */
#include <errno.h>
#include <libkmod.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "base/trace.h"
#include "dm.h"
#include "module.h"

#define CCDM_MODULE "dm-ccdm"

int ccdm_module_insert(const char *name)
{
	struct kmod_ctx *ctx = kmod_new(NULL, NULL);
	struct kmod_list *list = NULL, *at;
	int r;

	if (!ctx)
		return -ENOMEM;
	ccdm_trace("kmod: load the module %s", name);
	kmod_set_log_fn(ctx, NULL, NULL);
	kmod_set_log_priority(ctx, 0);
	r = kmod_module_new_from_lookup(ctx, name, &list);
	if (!r && !list)
		r = -ENOENT;
	kmod_list_foreach(at, list)
	{
		struct kmod_module *mod = kmod_module_get_module(at);

		if (!r)
			r = kmod_module_probe_insert_module(mod, KMOD_PROBE_APPLY_BLACKLIST, NULL,
							    NULL, NULL, NULL);
		kmod_module_unref(mod);
	}
	kmod_module_unref_list(list);
	kmod_unref(ctx);
	return r > 0 ? -ECANCELED : r;
}

void ccdm_module_find(struct ccdm_module_state *state)
{
	struct kmod_list *list = NULL, *info = NULL, *at;
	struct kmod_ctx *ctx = kmod_new(NULL, NULL);
	struct kmod_module *mod;
	int now;

	memset(state, 0, sizeof(*state));
	if (!ctx)
		return;
	kmod_set_log_fn(ctx, NULL, NULL);
	kmod_set_log_priority(ctx, 0);
	if (!kmod_module_new_from_lookup(ctx, CCDM_MODULE, &list) && list) {
		mod = kmod_module_get_module(list);
		now = kmod_module_get_initstate(mod);
		state->there = true;
		state->active = now == KMOD_MODULE_BUILTIN || now == KMOD_MODULE_LIVE;
		if (kmod_module_get_info(mod, &info) < 0)
			info = NULL;
		kmod_list_foreach(at, info)
		{
			if (!strcmp(kmod_module_info_get_key(at), "signer"))
				snprintf(state->signer, sizeof(state->signer), "%s",
					 kmod_module_info_get_value(at));
		}
		kmod_module_info_free_list(info);
		kmod_module_unref(mod);
	}
	kmod_module_unref_list(list);
	kmod_unref(ctx);
}

static int ccdm_module_load(struct ccdm_err *err)
{
	int r = ccdm_module_insert(CCDM_MODULE);

	if (r == -ENOMEM)
		return ccdm_err_memory(err);
	if (r == -ECANCELED)
		return ccdm_err_set(err, -ECANCELED, "module " CCDM_MODULE " is on the blacklist");
	if (r == -ENOENT) {
		ccdm_err_hint(err,
			      "check that it is installed for this kernel: modinfo " CCDM_MODULE
			      ", dkms status");
		return ccdm_err_set(err, r, "no kernel module " CCDM_MODULE);
	}
	if (r == -ENOKEY || r == -EKEYREJECTED || r == -EBADMSG) {
		ccdm_err_hint(
			err,
			"Secure Boot requires a signed module; see Documentation/howto/secure-boot.rst");
		return ccdm_err_set(err, -ECANCELED,
				    "the kernel refuses the signature of " CCDM_MODULE);
	}
	return r ? ccdm_err_set(err, r, "cannot load module " CCDM_MODULE ": %s", strerror(-r)) : 0;
}

int ccdm_module_need(struct ccdm_err *err)
{
	uint32_t version[3];
	int r = ccdm_dm_target_version(version, err);

	if (r == -ENOENT || r == -ENXIO) {
		r = ccdm_module_load(err);
		if (!r)
			r = ccdm_dm_target_version(version, err);
	}
	return r ? r : ccdm_module_version(version, err);
}
