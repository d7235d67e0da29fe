// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* runtime.c - see runtime.h */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "capabilities.h"
#include "runtime_parts.h"
#include "sandbox.h"
#include "seccomp.h"

#define CCDM_RUNTIME_CGROUP "/system.slice/ccdm-workload.service/workload"

/* ---- warnings for the builder ----------------------------------------------------- */

void ccdm_runtime_say(struct ccdm_runtime_parts *p, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	ccdm_json_add(&p->said, text ? json_string(text) : NULL);
	free(text);
}

static int ccdm_runtime_notes(struct ccdm_runtime_parts *p, struct ccdm_err *err)
{
	const struct ccdm_workload *w = p->in->workload;
	json_t *more = ccdm_capabilities_json(p->caps & ~CCDM_CAPABILITIES_DOCKER);
	size_t i;

	if (!strcmp(w->logs, "console"))
		ccdm_runtime_say(p,
				 "logs: console: the host can read all that the workload prints");
	if (!w->no_new_privileges)
		ccdm_runtime_say(p,
				 "no_new_privileges: false: setuid bits and file capabilities of "
				 "the image's programs give rights");
	for (i = 0; i < json_array_size(more); i++)
		ccdm_runtime_say(p,
				 "capabilities: %s: a right that a container normally lacks; the "
				 "workload may be able to leave its container",
				 json_string_value(json_array_get(more, i)));
	for (i = 0; i < w->nr_secrets; i++)
		if (w->secret[i].env[0])
			ccdm_runtime_say(
				p,
				"secrets: %s: each program that the workload starts inherits "
				"the variable %s; a file is safer",
				w->secret[i].name, w->secret[i].env);
	json_decref(more);
	return more && p->said ? 0 : ccdm_err_memory(err);
}

/* ---- "linux" ---------------------------------------------------------------------------- */

static json_t *ccdm_runtime_texts(const char *const *texts)
{
	json_t *list = json_array();

	for (; *texts; texts++)
		ccdm_json_add(&list, json_string(*texts));
	return list;
}

static json_t *ccdm_runtime_namespaces(void)
{
	/* the VM's network is the container's */
	static const char *const types[] = { "pid", "ipc", "uts", "mount", "cgroup", NULL };
	json_t *list = json_array();
	size_t i;

	for (i = 0; types[i]; i++)
		ccdm_json_add(&list, json_pack("{s:s}", "type", types[i]));
	return list;
}

/* The standard devices, as Docker has them: no TPM, no TEE, no disk. */
static json_t *ccdm_runtime_devices(void)
{
	static const struct {
		int major, minor;
	} devices[] = {
		{ 1, 3 }, { 1, 5 }, { 1, 7 }, { 1, 8 }, { 1, 9 }, { 5, 0 }, { 5, 2 }, { 136, -1 },
	};
	json_t *list = json_array(), *one;
	size_t i;

	ccdm_json_add(&list, json_pack("{s:b,s:s}", "allow", 0, "access", "rwm"));
	for (i = 0; i < ARRAY_SIZE(devices); i++) {
		one = json_pack("{s:b,s:s,s:i,s:s}", "allow", 1, "type", "c", "major",
				devices[i].major, "access", "rwm");
		if (devices[i].minor >= 0)
			ccdm_json_put(&one, "minor", json_integer(devices[i].minor));
		ccdm_json_add(&list, one);
	}
	return list;
}

static json_t *ccdm_runtime_resources(const struct ccdm_workload *w)
{
	json_t *o = json_object();

	ccdm_json_put(&o, "devices", ccdm_runtime_devices());
	if (w->memory)
		ccdm_json_put(&o, "memory", json_pack("{s:I}", "limit", (json_int_t)w->memory));
	if (w->pids)
		ccdm_json_put(&o, "pids", json_pack("{s:I}", "limit", (json_int_t)w->pids));
	return o;
}

static json_t *ccdm_runtime_linux(const struct ccdm_runtime_parts *p, json_t *seccomp)
{
	/* Docker's, and folders that configure the kernel or show the firmware */
	static const char *const masked[] = { "/proc/acpi",
					      "/proc/asound",
					      "/proc/interrupts",
					      "/proc/kcore",
					      "/proc/keys",
					      "/proc/latency_stats",
					      "/proc/sched_debug",
					      "/proc/scsi",
					      "/proc/timer_list",
					      "/proc/timer_stats",
					      "/sys/devices/system/cpu/cpu0/thermal_throttle",
					      "/sys/devices/virtual/misc",
					      "/sys/devices/virtual/powercap",
					      "/sys/firmware",
					      "/sys/kernel/config",
					      "/sys/kernel/security",
					      NULL };
	static const char *const readonly[] = { "/proc/bus",	       "/proc/fs",
						"/proc/irq",	       "/proc/sys",
						"/proc/sysrq-trigger", NULL };
	json_t *o = json_object();

	ccdm_json_put(&o, "cgroupsPath", json_string(CCDM_RUNTIME_CGROUP));
	ccdm_json_put(&o, "maskedPaths", ccdm_runtime_texts(masked));
	ccdm_json_put(&o, "readonlyPaths", ccdm_runtime_texts(readonly));
	ccdm_json_put(&o, "namespaces", ccdm_runtime_namespaces());
	ccdm_json_put(&o, "resources", ccdm_runtime_resources(p->in->workload));
	ccdm_json_put(&o, "seccomp", json_incref(seccomp));
	return o;
}

/* ---- both texts ------------------------------------------------------------------------- */

static int ccdm_runtime_config(const struct ccdm_runtime_parts *p, json_t **config,
			       struct ccdm_err *err)
{
	const struct ccdm_runtime_input *in = p->in;
	json_t *seccomp = NULL, *process = NULL, *mounts = NULL;
	int r = ccdm_seccomp_resolve(in->seccomp_name, in->seccomp, in->seccomp_size, p->caps,
				     &seccomp, err);

	*config = NULL;
	if (!r)
		r = ccdm_runtime_process(p, &process, err);
	if (!r)
		r = ccdm_runtime_mounts(p, &mounts, err);
	if (!r) {
		*config = json_object();
		ccdm_json_put(config, "ociVersion", json_string("1.0.2"));
		ccdm_json_put(config, "hostname", json_string("workload"));
		ccdm_json_put(config, "process", json_incref(process));
		ccdm_json_put(config, "root",
			      json_pack("{s:s,s:b}", "path", "rootfs", "readonly",
					in->workload->read_only));
		ccdm_json_put(config, "mounts", json_incref(mounts));
		ccdm_json_put(config, "linux", ccdm_runtime_linux(p, seccomp));
		if (!*config)
			r = ccdm_err_memory(err);
	}
	json_decref(seccomp);
	json_decref(process);
	json_decref(mounts);
	return r;
}

/* Sorted keys, so that the same values are the same bytes. */
static int ccdm_runtime_text(const json_t *value, char **text, size_t *size, struct ccdm_err *err)
{
	char *plain = ccdm_json_dump(value, JSON_INDENT(1) | JSON_SORT_KEYS);
	int n = plain ? asprintf(text, "%s\n", plain) : -1;

	free(plain);
	if (n < 0) {
		*text = NULL;
		return ccdm_err_memory(err);
	}
	*size = (size_t)n;
	return 0;
}

static int ccdm_runtime_both(struct ccdm_runtime_parts *p, struct ccdm_runtime *out,
			     struct ccdm_err *err)
{
	json_t *config = NULL, *workload;
	int r = ccdm_runtime_config(p, &config, err);

	if (r)
		return r;
	workload = ccdm_runtime_workload(p);
	r = ccdm_runtime_text(config, &out->config, &out->config_size, err);
	if (!r)
		r = ccdm_runtime_text(workload, &out->workload, &out->workload_size, err);
	if (!r)
		r = ccdm_runtime_notes(p, err);
	json_decref(config);
	json_decref(workload);
	return r;
}

int ccdm_runtime_make(const struct ccdm_runtime_input *in, struct ccdm_runtime *runtime,
		      struct ccdm_err *err)
{
	const struct ccdm_workload *w = in->workload;
	struct ccdm_runtime_parts p = { .in = in, .said = json_array() };
	int r = ccdm_sandbox_root(in->fs, err);

	memset(runtime, 0, sizeof(*runtime));
	err->hint[0] = '\0';
	p.caps = (CCDM_CAPABILITIES_DOCKER & ~w->cap_drop) | w->cap_add;
	if (!r)
		r = ccdm_user_resolve(w->user[0] ? w->user : in->image->user, in->fs, &p.user, err);
	if (!r)
		r = ccdm_runtime_volumes(&p, err);
	if (!r)
		r = ccdm_runtime_both(&p, runtime, err);
	runtime->said = p.said;
	json_decref(p.user.groups);
	json_decref(p.volumes);
	return r;
}

void ccdm_runtime_drop(struct ccdm_runtime *runtime)
{
	free(runtime->config);
	free(runtime->workload);
	json_decref(runtime->said);
	memset(runtime, 0, sizeof(*runtime));
}
