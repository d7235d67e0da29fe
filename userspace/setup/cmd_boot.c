// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_boot.c - ccdm-setup boot STEP: for the units of the initrd (dracut.ccdm(7)) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/compiler.h"
#include "boot.h"
#include "setup.h"

#define BOOT_LEAVE 3 /* seconds for a unit that knows the reason */

static const struct boot_step {
	const char *name;
	int (*run)(const struct ccdm_config *config, enum ccdm_boot_code *code,
		   struct ccdm_err *err);
} boot_steps[] = {
	{ "fence", NULL },
	{ "measure", ccdm_boot_measure },
	{ "base", ccdm_boot_base },
	{ "root", ccdm_boot_root },
	{ "system", ccdm_boot_system },
	{ "attest", ccdm_boot_attest },
	{ "cap", ccdm_boot_cap },
};

/*
 * Only units that end the machine after a failure run this step. If systemd says that the failed
 * unit succeeded, it never began, and another unit knows the reason; the same is true of an
 * emergency shell. Then wait for that unit to report it first.
 */
static int boot_failed(const char *what, const char *unit, enum ccdm_boot_code *code,
		       struct ccdm_err *err)
{
	const char *result = getenv("MONITOR_SERVICE_RESULT");

	if (!strcmp(what, "shell") || (result && !strcmp(result, "success")))
		sleep(BOOT_LEAVE);
	if (!strcmp(what, "shell")) {
		*code = CCDM_E_BOOT_SHELL;
		return ccdm_err_set(err, -ECANCELED, "the boot failed, and there is no shell (%s)",
				    unit ? unit : "emergency");
	}
	*code = CCDM_E_BOOT_STEP;
	return ccdm_err_set(err, -ECANCELED, "%s failed: %s", unit ? unit : "a step",
			    result ? result : "it crashed or took too long");
}

static enum ccdm_exit cmd_boot(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct ccdm_config config = { 0 };
	struct ccdm_err err = { 0 };
	enum ccdm_boot_code code;
	const char *name, *unit;
	enum ccdm_exit e;
	bool over;
	size_t i;
	int r;

	e = ccdm_setup_options(verb, argc, argv, NULL, NULL, &over);
	if (over)
		return e;
	/* A failing step powers off or reboots, so refuse to run in a running system. */
	if (access("/etc/initrd-release", F_OK))
		return ccdm_setup_usage(verb, "expected to run in an initrd");
	name = argv[optind];
	unit = argv[optind + 1];
	r = ccdm_setup_root(&err);
	if (r)
		return ccdm_ui_fail(CCDM_PROGRAM, &err, r);
	for (i = 0; i < ARRAY_SIZE(boot_steps); i++)
		if (!strcmp(name, boot_steps[i].name))
			break;
	if (i == ARRAY_SIZE(boot_steps) && strcmp(name, "shell") && strcmp(name, "failed"))
		return ccdm_setup_usage(verb, "unknown step");
	r = ccdm_boot_fence(&config, &code, &err);
	if (!r && i == ARRAY_SIZE(boot_steps))
		r = boot_failed(name, unit, &code, &err);
	else if (!r && boot_steps[i].run)
		r = boot_steps[i].run(&config, &code, &err);
	if (r)
		ccdm_boot_stop(code, &err, config.on_failure, !strcmp(name, "fence"));
	return CCDM_EXIT_OK;
}

const struct ccdm_setup_verb ccdm_verb_boot = {
	.verb = { .name = "boot",
		  .usage = "STEP [UNIT]",
		  .summary = "run a step of the boot (used by the units of the initrd)",
		  .offer = "fence measure base root system attest cap|",
		  .min_args = 1,
		  .max_args = 2 },
	.run = cmd_boot,
};
