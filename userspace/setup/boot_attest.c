// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* boot_attest.c - network, attestation and secrets: the step before the end of the initrd */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/file.h"
#include "boot/manifest_part.h"
#include "boot/net.h"
#include "boot/report.h"
#include "broker_args.h"
#include "boot.h"

#define CONFIGFS "/sys/kernel/config"
#define MONITOR	 "ccdm-monitor.service"
#define WANTS	 "/run/systemd/system/multi-user.target.wants"
#define STEP	 2 /* seconds by which the clock may be wrong */

static enum ccdm_boot_code boot_net_code(int error)
{
	switch (error) {
	case -ENODEV:
		return CCDM_E_NET_NONE;
	case -ENOLINK:
		return CCDM_E_NET_LINK;
	default:
		return CCDM_E_NET_ADDRESS;
	}
}

/*
 * Translate the error of an exchange with the broker. @denied: the code of a refusal in this step.
 */
static enum ccdm_boot_code boot_session_code(int error, enum ccdm_boot_code denied,
					     enum ccdm_boot_code other)
{
	switch (error) {
	case -ECANCELED:
	case -EBADE:
	case -ENOENT:
		return denied;
	case -EKEYREJECTED:
		return CCDM_E_ATTEST_BROKER;
	case -EHOSTUNREACH:
	case -ETIMEDOUT:
	case -ECONNREFUSED:
		return CCDM_E_NET_BROKER;
	default:
		return other;
	}
}

/* Until now the host set the clock. The broker is authenticated, so take its time. */
static int boot_clock(const char *token, json_t **report, struct ccdm_err *err)
{
	struct timespec now, said = { 0 };
	int64_t at;
	int r = ccdm_kbs_token_time(token, &at, err);

	if (r)
		return r;
	clock_gettime(CLOCK_REALTIME, &now);
	*report = json_pack("{s:I, s:I}", "was", (json_int_t)now.tv_sec, "is", (json_int_t)at);
	if (llabs(now.tv_sec - at) <= STEP)
		return 0;
	said.tv_sec = at;
	return clock_settime(CLOCK_REALTIME, &said)
		       ? ccdm_err_set(err, -errno, "cannot set the clock: %s", strerror(errno))
		       : 0;
}

/* Start the unit that removes the secrets in the running system if ccdm detects tamper. */
static int boot_monitor(struct ccdm_err *err)
{
	mkdir("/run/systemd/system", 0755);
	mkdir(WANTS, 0755);
	if (symlink("/usr/lib/systemd/system/" MONITOR, WANTS "/" MONITOR) && errno != EEXIST)
		return ccdm_err_set(err, -errno, "%s: %s", WANTS, strerror(errno));
	return 0;
}

/*
 * Send the image's manifest with the evidence. The broker judges it, so an invalid partition is not
 * an error of the boot. The console names it: if the broker refuses, no other log is left.
 */
static int boot_manifest(struct ccdm_broker_args *a, struct ccdm_err *err)
{
	struct ccdm_err why = { 0 };
	char *text;
	int r = ccdm_manifest_part_read(&text, &why);

	if (r == -ENOMEM)
		return ccdm_err_memory(err);
	if (r)
		ccdm_boot_line("warning: the evidence has no manifest: %s", why.text);
	if (r || !text)
		return ccdm_report_put(
			"manifest",
			json_pack("{s:b, s:s}", "sent", 0, "why", r ? why.text : "there is none"),
			err);
	r = ccdm_file_write(CCDM_MANIFEST_PART_FILE, text, strlen(text), 0444, err);
	if (!r)
		r = ccdm_report_put(
			"manifest",
			json_pack("{s:b, s:I}", "sent", 1, "bytes", (json_int_t)strlen(text)), err);
	free(text);
	a->manifest_file = CCDM_MANIFEST_PART_FILE;
	return r;
}

static json_t *boot_names(const struct ccdm_config *config)
{
	json_t *names = json_array();
	unsigned int i;

	for (i = 0; i < config->nr_secrets; i++)
		ccdm_json_add(&names, json_string(config->secret[i].name));
	return names;
}

static int boot_session(struct ccdm_broker_args *a, enum ccdm_boot_code *code, struct ccdm_err *err)
{
	struct ccdm_session *s = NULL;
	json_t *clock = NULL;
	int r;

	*code = CCDM_E_ATTEST_ERROR;
	r = ccdm_session_open(&a->session, &s, err);
	if (!r) {
		r = ccdm_session_attest(s, err);
		*code = boot_session_code(r, CCDM_E_ATTEST_DENIED, CCDM_E_ATTEST_ERROR);
	}
	if (!r)
		r = boot_clock(ccdm_session_token(s), &clock, err);
	if (!r && a->config.nr_secrets) {
		r = ccdm_broker_args_fetch(a, s, err);
		*code = boot_session_code(r, CCDM_E_SECRET_DENIED, CCDM_E_SECRET_ERROR);
		if (!r)
			r = boot_monitor(err);
	}
	ccdm_session_close(s);
	if (!r)
		r = ccdm_report_put("attested",
				    json_pack("{s:s, s:s, s:s, s:O, s:o}", "result", "accepted",
					      "broker", a->config.broker, "tee",
					      a->session.primary->tee, "clock", clock, "secrets",
					      boot_names(&a->config)),
				    err);
	json_decref(clock);
	return r;
}

static int boot_attest(const struct ccdm_config *config, enum ccdm_boot_code *code,
		       struct ccdm_err *err)
{
	struct ccdm_broker_args *a = calloc(1, sizeof(*a));
	int64_t began = ccdm_clock_ms(), took;
	struct ccdm_net net;
	int r = a ? 0 : ccdm_err_memory(err);

	*code = CCDM_E_ATTEST_ERROR;
	if (!r) {
		r = ccdm_net_wait(ccdm_net_is_name(config->broker), config->attest_timeout, &net,
				  err);
		*code = boot_net_code(r);
	}
	if (!r) {
		/* reports are made in configfs, and no unit of the initrd mounts it */
		if (!access(CONFIGFS, F_OK))
			mount("configfs", CONFIGFS, "configfs", MS_NODEV | MS_NOEXEC | MS_NOSUID,
			      NULL);
		took = (ccdm_clock_ms() - began) / 1000;
		a->timeout =
			took < (int64_t)config->attest_timeout ? config->attest_timeout - took : 1;
		r = boot_manifest(a, err);
		if (!r)
			r = ccdm_broker_args_conf(a, true, err);
		*code = r == -ENODEV ? CCDM_E_ATTEST_NONE : CCDM_E_ATTEST_ERROR;
	}
	if (!r)
		r = boot_session(a, code, err);
	if (a)
		ccdm_broker_args_drop(a);
	free(a);
	return r;
}

int ccdm_boot_attest(const struct ccdm_config *config, enum ccdm_boot_code *code,
		     struct ccdm_err *err)
{
	int r = config->attest == CCDM_ATTEST_OFF ? 0 : boot_attest(config, code, err);

	if (!r || config->attest == CCDM_ATTEST_REQUIRED)
		return r;
	ccdm_boot_tell(*code, err, "attest = optional, so the boot continues without secrets");
	return ccdm_report_put("attested",
			       json_pack("{s:s, s:s, s:s}", "result", "failed", "code",
					 ccdm_boot_code(*code), "why", err->text),
			       err);
}
