// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_workload.c - ccdm-setup workload: for the units that run a workload (dracut.ccdm(7)) */
#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/compiler.h"
#include "base/file.h"
#include "boot/credstore.h"
#include "boot/report.h"
#include "boot/workload_bundle.h"
#include "boot/workload_health.h"
#include "boot/workload_mount.h"
#include "boot/workload_net.h"
#include "boot/workload_run.h"
#include "boot/workload_unit.h"
#include "boot/workload_userns.h"
#include "boot.h"
#include "setup.h"

#define WORKLOAD_CRUN	    "/usr/bin/crun"
#define WORKLOAD_CGROUP	    "/sys/fs/cgroup/system.slice/" CCDM_WORKLOAD_UNIT
#define WORKLOAD_LOG	    "/run/ccdm/crun.log"
#define WORKLOAD_LOG_MAX    65536
#define WORKLOAD_PID	    "/run/ccdm/health.pid"
/* (only root enters this folder) */
#define WORKLOAD_HEALTH_LOG "/run/ccdm/workload/health.log"
#define WORKLOAD_LATE	    124 /* exit status of a check that took too long, as timeout(1) has it */

/* ---- prepare: once in a boot ---------------------------------------------------------- */

/* Strings of JSON hold secrets. */
static void workload_free(void *memory)
{
	if (memory)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

static int workload_prepare(struct ccdm_workload_json *w, enum ccdm_boot_code *code,
			    struct ccdm_err *err)
{
	int r = ccdm_workload_mount_ro(err);

	*code = CCDM_E_WORK_PREPARE;
	if (!r) {
		r = ccdm_workload_json_load(CCDM_WORKLOAD_RO, w, err);
		*code = r ? CCDM_E_WORK_CONF : CCDM_E_WORK_PREPARE;
	}
	if (!r)
		r = ccdm_workload_net_close(w, err);
	if (!r)
		r = ccdm_workload_userns_close(CCDM_WORKLOAD_RO, CCDM_WORKLOAD_USERNS, err);
	if (!r)
		r = ccdm_workload_mount_bundle(err);
	if (!r)
		r = ccdm_workload_mount_rootfs(err);
	if (!r)
		r = ccdm_workload_mount_volumes(w, CCDM_WORKLOAD_RO "/rootfs",
						CCDM_WORKLOAD_VOLUMES, err);
	if (!r) {
		r = ccdm_workload_bundle(w, CCDM_WORKLOAD_RO, CCDM_CREDSTORE, CCDM_WORKLOAD_BUNDLE,
					 err);
		if (r == -ENOKEY)
			*code = CCDM_E_WORK_SECRET;
		if (r == -EINVAL)
			*code = CCDM_E_WORK_CONF;
	}
	return r;
}

/* As ccdm.conf says, which is in the initrd alone. */
static enum ccdm_on_failure workload_on_failure(void)
{
	struct ccdm_err ignored;
	json_t *report = ccdm_report_load(&ignored);
	const char *word =
		json_string_value(json_object_get(json_object_get(report, "system"), "on_failure"));
	enum ccdm_on_failure on_failure =
		word && !strcmp(word, "reboot") ? CCDM_FAILURE_REBOOT : CCDM_FAILURE_POWEROFF;

	json_decref(report);
	return on_failure;
}

static int cmd_workload_prepare(struct ccdm_workload_json *w, struct ccdm_err *err)
{
	enum ccdm_boot_code code;
	int r;

	/* a failure here powers off or reboots; but not when somebody types the command */
	if (!access(CCDM_WORKLOAD_BUNDLE "/config.json", F_OK))
		return ccdm_err_set(err, -EBUSY, "the workload is prepared");
	if (access(CCDM_WORKLOAD_PATH, F_OK))
		return ccdm_err_set(err, -ENODEV,
				    "this system has no workload: no "
				    "device " CCDM_WORKLOAD_PATH);
	json_set_alloc_funcs(malloc, workload_free);
	prctl(PR_SET_DUMPABLE, 0);
	r = workload_prepare(w, &code, err);
	if (r)
		ccdm_boot_stop(code, err, workload_on_failure(), false);
	return 0;
}

/* ---- start, names: before each start, and when the network changes --------------------- */

static int cmd_workload_names(struct ccdm_workload_json *w, struct ccdm_err *err)
{
	char text[CCDM_NET_NAMES];
	int r = ccdm_workload_json_load(CCDM_WORKLOAD_RO, w, err);

	if (r)
		return r;
	ccdm_workload_net_names(w, text);
	return ccdm_workload_bundle_update(CCDM_WORKLOAD_BUNDLE "/etc/resolv.conf", text, err);
}

static int cmd_workload_start(struct ccdm_workload_json *w, struct ccdm_err *err)
{
	struct ccdm_workload_state state;
	int r = cmd_workload_names(w, err);

	ccdm_workload_health_reset(&state, ccdm_clock_ms());
	return r ? r : ccdm_workload_health_save(CCDM_WORKLOAD_HEALTH_FILE, &state, err);
}

/* ---- run: it becomes crun ---------------------------------------------------------------- */

static int cmd_workload_run(struct ccdm_workload_json *w, struct ccdm_err *err)
{
	static const char *const argv[] = { WORKLOAD_CRUN,
					    "--root",
					    CCDM_WORKLOAD_CRUN,
					    "--cgroup-manager=cgroupfs",
					    "--log=file:/run/ccdm/crun.log", /* WORKLOAD_LOG */
					    "run",
					    "--no-new-keyring",
					    "--bundle",
					    CCDM_WORKLOAD_BUNDLE,
					    CCDM_WORKLOAD_CONTAINER,
					    NULL };
	int r = ccdm_workload_supervisor(WORKLOAD_CGROUP, err);

	(void)w;
	if (!r)
		r = ccdm_workload_become(argv, err);
	ccdm_boot_tell(CCDM_E_WORK_START, err, "the workload did not start");
	return r;
}

/* ---- health ------------------------------------------------------------------------------- */

/*
 * crun's own messages. They name files and settings of the container, and none of its output.
 * Return: true if there is one; @err has its first line.
 */
static bool workload_crun_said(const char *file, struct ccdm_err *err)
{
	struct ccdm_err ignored;
	char *text, *line;
	bool said;
	size_t size;

	if (ccdm_file_read(file, WORKLOAD_LOG_MAX, &text, &size, &ignored))
		return false;
	text[strcspn(text, "\n")] = '\0';
	/* (a time stands before the message) */
	line = strstr(text, "Z: ");
	line = line ? line + 3 : text;
	said = *line;
	if (said)
		ccdm_err_text(err, "crun: %.300s", line);
	free(text);
	unlink(file);
	return said;
}

/* A check that takes too long: crun is gone, and the program in the container goes, too. */
static void workload_kill(void)
{
	struct ccdm_err ignored;
	size_t size;
	char *text;
	long pid;

	if (ccdm_file_read(WORKLOAD_PID, 32, &text, &size, &ignored))
		return;
	pid = strtol(text, NULL, 10);
	free(text);
	if (pid > 1)
		kill((pid_t)pid, SIGKILL);
}

static int workload_check(const struct ccdm_workload_health *h, int *result, struct ccdm_err *err)
{
	const char *argv[CCDM_WORKLOAD_RUN_MAX] = {
		WORKLOAD_CRUN,
		"--root",
		CCDM_WORKLOAD_CRUN,
		"--log=file:/run/ccdm/workload/health.log", /* WORKLOAD_HEALTH_LOG */
		"exec",
		"--no-new-privs", /* (crun does not take it from config.json here) */
		"--pid-file",
		WORKLOAD_PID,
		CCDM_WORKLOAD_CONTAINER
	};
	size_t i, n = 9, size = json_array_size(h->test);
	struct ccdm_err said = { 0 };
	int r;

	if (!strcmp(json_string_value(json_array_get(h->test, 0)), "CMD-SHELL")) {
		argv[n++] = "/bin/sh";
		argv[n++] = "-c";
	}
	for (i = 1; i < size && n + 1 < ARRAY_SIZE(argv); i++)
		argv[n++] = json_string_value(json_array_get(h->test, i));
	argv[n] = NULL;
	unlink(WORKLOAD_PID);
	unlink(WORKLOAD_HEALTH_LOG);
	r = ccdm_workload_run(argv, (unsigned int)h->timeout, result, err);
	if (workload_crun_said(WORKLOAD_HEALTH_LOG, &said))
		fprintf(stderr, "%s\n", said.text);
	if (r != -ETIMEDOUT)
		return r;
	workload_kill();
	*result = WORKLOAD_LATE;
	return 0;
}

static int workload_act(const struct ccdm_workload_json *w, const struct ccdm_workload_state *state,
			struct ccdm_err *err)
{
	static const char *const again[] = { "/usr/bin/systemctl", "kill",
					     "--kill-whom=main",   "--signal=SIGKILL",
					     CCDM_WORKLOAD_UNIT,   NULL };
	static const char *const off[] = {
		"/usr/bin/systemctl", "--no-block", "--job-mode=replace-irreversibly", "start",
		"poweroff.target",    NULL
	};
	struct ccdm_err why = { 0 };

	ccdm_err_text(&why,
		      "the workload is unhealthy: %u checks in a row failed, the last with "
		      "status %d",
		      state->failures, state->last);
	switch (w->health.action) {
	case CCDM_WORKLOAD_ACTION_RESTART:
		ccdm_boot_tell(CCDM_E_WORK_HEALTH, &why, "it is started again");
		return ccdm_workload_run_well(again, err);
	case CCDM_WORKLOAD_ACTION_POWEROFF:
		ccdm_boot_tell(CCDM_E_WORK_HEALTH, &why, "power off");
		return ccdm_workload_run_well(off, err);
	default:
		ccdm_boot_note("%s", why.text);
		return 0;
	}
}

static int cmd_workload_health(struct ccdm_workload_json *w, struct ccdm_err *err)
{
	struct ccdm_workload_state state;
	struct ccdm_err none;
	bool unhealthy;
	int result, r = ccdm_workload_json_load(CCDM_WORKLOAD_RO, w, err);

	/* between two runs there is nothing to ask */
	if (r || !w->health.test || access(CCDM_WORKLOAD_CRUN "/" CCDM_WORKLOAD_CONTAINER, F_OK))
		return r;
	r = workload_check(&w->health, &result, err);
	if (r || access(CCDM_WORKLOAD_CRUN "/" CCDM_WORKLOAD_CONTAINER, F_OK))
		return r;
	/* (read only here: the workload may have been started again meanwhile) */
	if (ccdm_workload_health_load(CCDM_WORKLOAD_HEALTH_FILE, &state, &none))
		ccdm_workload_health_reset(&state, ccdm_clock_ms());
	unhealthy = ccdm_workload_health_next(&w->health, &state, ccdm_clock_ms(), result);
	r = ccdm_workload_health_save(CCDM_WORKLOAD_HEALTH_FILE, &state, err);
	return r || !unhealthy ? r : workload_act(w, &state, err);
}

/* ---- ended: after each run --------------------------------------------------------------------- */

static void workload_crun_log(void)
{
	struct ccdm_err err = { 0 };

	if (workload_crun_said(WORKLOAD_LOG, &err))
		ccdm_boot_tell(CCDM_E_WORK_START, &err, "the workload did not start");
}

static int cmd_workload_ended(struct ccdm_workload_json *w, struct ccdm_err *err)
{
	static const char *const clean[] = { WORKLOAD_CRUN, "--root",  CCDM_WORKLOAD_CRUN,
					     "delete",	    "--force", CCDM_WORKLOAD_CONTAINER,
					     NULL };
	const char *code = getenv("EXIT_CODE"), *status = getenv("EXIT_STATUS");
	const char *result = getenv("SERVICE_RESULT");
	struct ccdm_err text = { 0 };

	(void)w;
	workload_crun_log();
	if (!code || !status)
		ccdm_err_text(&text, "it did not start");
	else
		ccdm_err_text(
			&text, "%s %.16s%s", strcmp(code, "exited") ? "signal" : "exit", status,
			result && !strcmp(result, "timeout") ? ", because it did not stop in time"
							     : "");
	ccdm_boot_line("workload ended: %s", text.text);
	/* what a crun that was killed left: it would not start a container of this name */
	if (access(CCDM_WORKLOAD_CRUN "/" CCDM_WORKLOAD_CONTAINER, F_OK))
		return 0;
	return ccdm_workload_run_well(clean, err);
}

/* ---- the verb ------------------------------------------------------------------------------------ */

static const struct workload_step {
	const char *name;
	int (*run)(struct ccdm_workload_json *w, struct ccdm_err *err);
} workload_steps[] = {
	{ "prepare", cmd_workload_prepare }, { "start", cmd_workload_start },
	{ "run", cmd_workload_run },	     { "names", cmd_workload_names },
	{ "health", cmd_workload_health },   { "ended", cmd_workload_ended },
};

static enum ccdm_exit cmd_workload(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct ccdm_workload_json *w;
	struct ccdm_err err = { 0 };
	enum ccdm_exit e;
	bool over;
	size_t i;
	int r;

	e = ccdm_setup_options(verb, argc, argv, NULL, NULL, &over);
	if (over)
		return e;
	for (i = 0; i < ARRAY_SIZE(workload_steps); i++)
		if (!strcmp(argv[optind], workload_steps[i].name))
			break;
	if (i == ARRAY_SIZE(workload_steps))
		return ccdm_setup_usage(verb, "unknown step");
	r = ccdm_setup_root(&err);
	if (r)
		return ccdm_ui_fail(CCDM_PROGRAM, &err, r);
	w = calloc(1, sizeof(*w));
	if (!w)
		return ccdm_setup_memory();
	r = workload_steps[i].run(w, &err);
	ccdm_workload_json_drop(w);
	free(w);
	return r ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
}

const struct ccdm_setup_verb ccdm_verb_workload = {
	.verb = { .name = "workload",
		  .usage = "STEP",
		  .summary = "prepare and watch the workload of an image (used by its units)",
		  .offer = "prepare start run names health ended|",
		  .min_args = 1,
		  .max_args = 1 },
	.run = cmd_workload,
};
