// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* workload_unit.c - see workload_unit.h */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/compiler.h"
#include "base/file.h"
#include "workload_unit.h"

#define NETWORKD "/usr/lib/systemd/system/systemd-networkd.service"

/* ---- parts that the base must have ----------------------------------------------- */

static int ccdm_workload_unit_has(const char *root, const char *file, const char *why,
				  struct ccdm_err *err)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s", root, file);
	if (!lstat(path, &st))
		return 0;
	return ccdm_err_set(err, -ENOENT, "the base has no %s, %s", file, why);
}

int ccdm_workload_unit_base(const struct ccdm_workload_json *w, const char *root,
			    struct ccdm_err *err)
{
	int r = ccdm_workload_unit_has(root, CCDM_WORKLOAD_UNIT_PATH, "which runs the workload",
				       err);

	if (!r)
		r = ccdm_workload_unit_has(root, "/usr/bin/crun", "which runs the workload", err);
	if (!r && w->has_ports)
		r = ccdm_workload_unit_has(root, "/usr/sbin/nft",
					   "which the workload's 'ports' need", err);
	if (!r && w->net != CCDM_WORKLOAD_OFFLINE)
		r = ccdm_workload_unit_has(root, NETWORKD, "which the workload's 'network' needs",
					   err);
	return r;
}

/* ---- files ------------------------------------------------------------------------ */

/* Create all folders of a path. */
static int ccdm_workload_unit_folders(char *path, struct ccdm_err *err)
{
	char *at;
	int r;

	for (at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		r = mkdir(path, 0755) && errno != EEXIST ? -errno : 0;
		if (r)
			ccdm_err_set(err, r, "%s: %s", path, strerror(-r));
		*at = '/';
		if (r)
			return r;
	}
	return 0;
}

static int ccdm_workload_unit_put(const char *run, const char *name, const char *text,
				  struct ccdm_err *err)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s", run, name);
	r = ccdm_workload_unit_folders(path, err);
	return r ? r : ccdm_file_write(path, text, strlen(text), 0644, err);
}

static int ccdm_workload_unit_link(const char *run, const char *name, const char *to,
				   struct ccdm_err *err)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s", run, name);
	r = ccdm_workload_unit_folders(path, err);
	if (r || !symlink(to, path) || errno == EEXIST)
		return r;
	r = -errno;
	return ccdm_err_set(err, r, "%s: %s", path, strerror(-r));
}

/* ---- the workload's own unit ------------------------------------------------------- */

static int ccdm_workload_unit_service(const struct ccdm_workload_json *w, const char *run,
				      struct ccdm_err *err)
{
	static const char *const restarts[] = { "no", "on-failure", "always" };
	const char *action = w->on_exit == CCDM_WORKLOAD_REBOOT ? "reboot" : "poweroff";
	bool again = w->health.test && w->health.action == CCDM_WORKLOAD_ACTION_RESTART;
	char text[2048], limit[96];

	/* the first start is not a restart */
	if (w->most)
		snprintf(limit, sizeof(limit), "StartLimitIntervalSec=infinity\nStartLimitBurst=%u",
			 w->most + 1);
	else
		strcpy(limit, "StartLimitIntervalSec=0");
	snprintf(text, sizeof(text),
		 "[Unit]\nSuccessAction=%s\nFailureAction=%s\n%s\n%s%s\n"
		 "[Service]\nKillSignal=%s\nTimeoutStopSec=%u\nRestart=%s\nRestartSec=%u\n%s%s",
		 action, action, limit,
		 w->net == CCDM_WORKLOAD_OFFLINE
			 ? ""
			 : "Wants=network-online.target ccdm-workload-names.path\n"
			   "After=network-online.target\n",
		 w->health.test ? "Wants=ccdm-workload-health.timer\n" : "", w->stop_signal,
		 w->stop_timeout, restarts[w->restart], w->delay,
		 /* the health check ends crun with this signal */
		 again ? "RestartForceExitStatus=SIGKILL\n" : "",
		 w->logs == CCDM_WORKLOAD_SILENT ? "StandardOutput=null\nStandardError=null\n"
						 : "");
	return ccdm_workload_unit_put(run, "systemd/system/" CCDM_WORKLOAD_UNIT ".d/50-ccdm.conf",
				      text, err);
}

static int ccdm_workload_unit_health(const struct ccdm_workload_health *h, const char *run,
				     struct ccdm_err *err)
{
	char text[512];
	int r;

	if (!h->test)
		return 0;
	snprintf(text, sizeof(text), "[Timer]\nOnActiveSec=%llums\nOnUnitInactiveSec=%llums\n",
		 (unsigned long long)h->interval, (unsigned long long)h->interval);
	r = ccdm_workload_unit_put(run, "systemd/system/ccdm-workload-health.timer.d/50-ccdm.conf",
				   text, err);
	if (r)
		return r;
	/* the verb itself ends a test that takes too long */
	snprintf(text, sizeof(text), "[Service]\nTimeoutStartSec=%llums\n",
		 (unsigned long long)h->timeout + 30000);
	return ccdm_workload_unit_put(
		run, "systemd/system/ccdm-workload-health.service.d/50-ccdm.conf", text, err);
}

/* Keep the workload's output in memory; print it on the console only if the image asks for it. */
static int ccdm_workload_unit_logs(const struct ccdm_workload_json *w, const char *run,
				   struct ccdm_err *err)
{
	int r = ccdm_workload_unit_put(
		run, "systemd/journald.conf.d/99-zz-ccdm.conf",
		"[Journal]\nStorage=volatile\nForwardToConsole=no\nForwardToKMsg=no\n"
		"ForwardToWall=no\n",
		err);

	if (r || w->logs != CCDM_WORKLOAD_CONSOLE)
		return r;
	return ccdm_workload_unit_put(run,
				      "systemd/system/ccdm-workload-output.service.d/50-ccdm.conf",
				      "[Service]\nStandardOutput=journal+console\n", err);
}

/* ---- network ------------------------------------------------------------------------ */

/*
 * No other program of the running system uses the network. This file hides networkd's file of the
 * same name.
 */
static int ccdm_workload_unit_network(const struct ccdm_workload_json *w, const char *run,
				      struct ccdm_err *err)
{
	char text[2048], more[768] = "";
	unsigned int i;
	size_t at;

	if (w->net == CCDM_WORKLOAD_STATIC) {
		snprintf(more, sizeof(more), "Address=%s\nIPv6AcceptRA=no\n", w->address);
		at = strlen(more);
		if (w->gateway[0])
			snprintf(more + at, sizeof(more) - at, "Gateway=%s\n", w->gateway);
		for (i = 0; i < w->nr_dns; i++) {
			at = strlen(more);
			snprintf(more + at, sizeof(more) - at, "DNS=%s\n", w->dns[i]);
		}
	}
	snprintf(text, sizeof(text),
		 "[Match]\nType=ether\n\n"
		 "[Network]\nDHCP=%s\nLLDP=no\nLLMNR=no\nMulticastDNS=no\nDNSSEC=no\n%s\n"
		 "[DHCPv4]\nClientIdentifier=mac\nSendHostname=no\nUseHostname=no\nUseDomains=no\n"
		 "UseNTP=no\nUseTimezone=no\nUseSIP=no\n\n"
		 "[DHCPv6]\nUseHostname=no\nUseDomains=no\nUseNTP=no\n\n"
		 "[IPv6AcceptRA]\nUseDomains=no\n",
		 w->net == CCDM_WORKLOAD_STATIC ? "no" : "yes", more);
	return ccdm_workload_unit_put(run, "systemd/network/05-ccdm-workload.network", text, err);
}

static int ccdm_workload_unit_online(const char *run, struct ccdm_err *err)
{
	static const struct {
		const char *name;
		const char *to;
	} links[] = {
		{ "systemd/system/multi-user.target.wants/systemd-networkd.service", NETWORKD },
		{ "systemd/system/network-online.target.wants/systemd-networkd-wait-online.service",
		  "/usr/lib/systemd/system/systemd-networkd-wait-online.service" },
	};
	size_t i;
	int r = 0;

	for (i = 0; !r && i < ARRAY_SIZE(links); i++)
		r = ccdm_workload_unit_link(run, links[i].name, links[i].to, err);
	/* one interface is enough, and a VM without any still starts its workload */
	if (!r)
		r = ccdm_workload_unit_put(
			run, "systemd/system/systemd-networkd-wait-online.service.d/50-ccdm.conf",
			"[Service]\nExecStart=\nExecStart=-/usr/lib/systemd/"
			"systemd-networkd-wait-online --any --timeout=30\n",
			err);
	return r;
}

/* Without a network for the workload, no unit sets up an interface. */
static int ccdm_workload_unit_offline(const char *run, struct ccdm_err *err)
{
	static const char *const names[] = { "systemd-networkd.service", "systemd-networkd.socket",
					     "systemd-networkd-wait-online.service" };
	char path[128];
	size_t i;
	int r = 0;

	for (i = 0; !r && i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "systemd/system.control/%s", names[i]);
		r = ccdm_workload_unit_link(run, path, "/dev/null", err);
	}
	return r;
}

int ccdm_workload_unit_write(const struct ccdm_workload_json *w, const char *run,
			     struct ccdm_err *err)
{
	int r = ccdm_workload_unit_service(w, run, err);

	if (!r)
		r = ccdm_workload_unit_health(&w->health, run, err);
	if (!r)
		r = ccdm_workload_unit_logs(w, run, err);
	if (!r && w->net == CCDM_WORKLOAD_OFFLINE)
		r = ccdm_workload_unit_offline(run, err);
	if (!r && w->net != CCDM_WORKLOAD_OFFLINE)
		r = ccdm_workload_unit_network(w, run, err);
	if (!r && w->net != CCDM_WORKLOAD_OFFLINE)
		r = ccdm_workload_unit_online(run, err);
	if (!r)
		r = ccdm_workload_unit_link(
			run, "systemd/system/multi-user.target.wants/" CCDM_WORKLOAD_UNIT,
			CCDM_WORKLOAD_UNIT_PATH, err);
	return r;
}
