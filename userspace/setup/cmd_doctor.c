// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * cmd_doctor.c - ccdm-setup doctor: is everything here that ccdm needs, and does anything bypass it?
 *
 * lib/disk/doctor.c looks at the kernel's files; what needs libkmod, AF_ALG or the attesters is here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "attest/attesters.h"
#include "base/json.h"
#include "disk/doctor.h"
#include "disk/module.h"
#include "primitive.h"
#include "setup.h"

static const struct ccdm_option doctor_options[] = {
	{ "json", 0, 'j', NULL, "print JSON", NULL, NULL },
	{ 0 },
};

static enum ccdm_exit doctor_take(int option, void *arg)
{
	if (option != 'j')
		return CCDM_EXIT_USAGE;
	*(bool *)arg = true;
	return CCDM_EXIT_OK;
}

/* Does the kernel refuse modules without a signature? */
static bool doctor_signatures(const struct ccdm_doctor *d)
{
	char text[64];

	ccdm_doctor_read(d, "/sys/module/module/parameters/sig_enforce", text, sizeof(text));
	if (!strcmp(text, "Y"))
		return true;
	ccdm_doctor_read(d, "/sys/kernel/security/lockdown", text, sizeof(text));
	return strstr(text, "[integrity]") || strstr(text, "[confidentiality]");
}

static void doctor_module(struct ccdm_doctor *d, const char *release)
{
	struct ccdm_module_state state;
	struct ccdm_err err = { 0 };
	uint32_t version[3];

	ccdm_module_find(&state);
	if (!state.there)
		ccdm_doctor_add(d, "module", CCDM_DOCTOR_FAILED,
				"install it: package ccdm-dkms, a package of prebuilt modules, or "
				"\"make install-dkms\"",
				"no module dm-ccdm for the kernel %s", release);
	else if (state.active && !ccdm_dm_target_version(version, &err) &&
		 ccdm_module_version(version, &err))
		ccdm_doctor_add(d, "module", CCDM_DOCTOR_FAILED, err.hint, "%s", err.text);
	else if (state.active)
		ccdm_doctor_add(d, "module", CCDM_DOCTOR_OK, "", "in the kernel");
	else if (doctor_signatures(d) && !state.signer[0])
		ccdm_doctor_add(d, "module", CCDM_DOCTOR_FAILED,
				"sign it; see Documentation/howto/secure-boot.rst",
				"this kernel loads signed modules only, and dm-ccdm is not signed");
	else
		ccdm_doctor_add(d, "module", CCDM_DOCTOR_OK, "",
				"installed%s%s; the first open loads it",
				state.signer[0] ? ", signed by " : "", state.signer);
}

static void doctor_suites(struct ccdm_doctor *d)
{
	static const struct {
		const char *name;
		struct ccdm_primitive parts[2];
	} suites[] = {
		{ "aes-xts-gmac", { CCDM_PRIMITIVE_XTS, CCDM_PRIMITIVE_GMAC } },
		{ "aes-gcm", { CCDM_PRIMITIVE_GCM, CCDM_PRIMITIVE_GCM } },
		{ "aes-xts-hmac-sha256", { CCDM_PRIMITIVE_XTS, CCDM_PRIMITIVE_HMAC } },
	};
	char have[128] = "", lack[128] = "", *list;
	unsigned int i, j;
	size_t used;
	int r, fd;

	for (i = 0; i < ARRAY_SIZE(suites); i++) {
		for (j = 0, r = 0; j < 2 && !r; j++) {
			r = ccdm_primitive_open(&suites[i].parts[j], &fd);
			if (fd >= 0)
				close(fd);
		}
		if (r && r != -ENOENT) {
			ccdm_doctor_add(d, "suites", CCDM_DOCTOR_NOTE,
					"load af_alg, algif_skcipher, algif_aead and algif_hash",
					"cannot ask the kernel's crypto API (AF_ALG): %s",
					strerror(-r));
			return;
		}
		list = r ? lack : have;
		used = strlen(list);
		snprintf(list + used, sizeof(have) - used, " %s", suites[i].name);
	}
	if (!lack[0])
		ccdm_doctor_add(d, "suites", CCDM_DOCTOR_OK, "", "%s", have + 1);
	else
		ccdm_doctor_add(d, "suites", have[0] ? CCDM_DOCTOR_NOTE : CCDM_DOCTOR_WARNING,
				"check CONFIG_CRYPTO_XTS, _GCM, _HMAC, _SHA256 and _USER_API_*",
				"AF_ALG lacks%s", lack);
}

static void doctor_tee(struct ccdm_doctor *d)
{
	unsigned int i;

	for (i = 0; ccdm_attesters[i]; i++)
		if (strcmp(ccdm_attesters[i]->tee, "tpm") &&
		    ccdm_attesters[i]->exists(ccdm_attesters[i])) {
			ccdm_doctor_add(d, "tee", CCDM_DOCTOR_OK, "", "%s",
					ccdm_attesters[i]->what);
			return;
		}
	ccdm_doctor_add(d, "tee", CCDM_DOCTOR_WARNING,
			"start the VM with SEV-SNP or TDX, and load sev-guest or tdx-guest",
			"found neither SEV-SNP nor TDX: the host can read the memory, and the keys "
			"in it");
}

static enum ccdm_exit doctor_print(const struct ccdm_doctor *d, bool json)
{
	const struct ccdm_doctor_line *line;
	json_t *all = json ? json_array() : NULL;
	unsigned int i;

	for (i = 0; i < d->count; i++) {
		line = &d->line[i];
		if (json) {
			ccdm_json_add(&all, json_pack("{s:s, s:s, s:s, s:s}", "check", line->check,
						      "verdict", ccdm_doctor_word(line->grade),
						      "found", line->found, "next", line->next));
			continue;
		}
		printf("%-8s %-12s %s\n", ccdm_doctor_word(line->grade), line->check, line->found);
		if (line->next[0])
			printf("%-21s next: %s\n", "", line->next);
	}
	return json ? ccdm_setup_print(all) : CCDM_EXIT_OK;
}

static enum ccdm_exit cmd_doctor(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct ccdm_doctor d = { .root = "" };
	bool json = false, over;
	struct utsname uts;
	enum ccdm_exit e;

	e = ccdm_setup_options(verb, argc, argv, doctor_take, &json, &over);
	if (over)
		return e;
	uname(&uts);
	ccdm_doctor_kernel(&d, uts.release, uts.version);
	doctor_module(&d, uts.release);
	ccdm_doctor_cpu(&d, uts.machine);
	doctor_suites(&d);
	ccdm_doctor_udev(&d);
	ccdm_doctor_swap(&d);
	ccdm_doctor_memory_images(&d);
	ccdm_doctor_tpm(&d);
	doctor_tee(&d);
	e = doctor_print(&d, json);
	if (e)
		return e;
	return ccdm_doctor_worst(&d) == CCDM_DOCTOR_FAILED ? CCDM_EXIT_REFUSED : CCDM_EXIT_OK;
}

const struct ccdm_setup_verb ccdm_verb_doctor = {
	.verb = { .name = "doctor",
		  .usage = "",
		  .summary = "check that this machine has what ccdm needs",
		  .options = doctor_options,
		  .min_args = 0,
		  .max_args = 0 },
	.run = cmd_doctor,
};
