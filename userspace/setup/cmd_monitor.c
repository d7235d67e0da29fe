// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* cmd_monitor.c - ccdm-setup monitor [NAME] */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "boot/credstore.h"
#include "boot/workload_bundle.h"
#include "disk/events.h"
#include "base/json.h"
#include "disk/module.h"
#include "setup.h"

struct monitor_args {
	const char *name;
	bool json;
	bool drop_secrets;
	unsigned long count; /* events still to print; 0: no limit */
	unsigned long seen;
	struct ccdm_err *err;
};

static const struct ccdm_option monitor_options[] = {
	{ "json", 0, 'j', NULL, "print one JSON object per line", NULL, NULL },
	{ "count", 'n', 'n', "N", "end after N events", NULL, NULL },
	{ "drop-secrets", 0, 'd', NULL, "on tamper, remove all secrets in memory", NULL, NULL },
	{ 0 },
};

static enum ccdm_exit monitor_take(int option, void *arg)
{
	struct monitor_args *a = arg;
	char *end;

	if (option == 'j') {
		a->json = true;
		return CCDM_EXIT_OK;
	}
	if (option == 'd') {
		a->drop_secrets = true;
		return CCDM_EXIT_OK;
	}
	if (option != 'n')
		return CCDM_EXIT_USAGE;
	a->count = strtoul(optarg, &end, 10);
	return *end || !a->count ? CCDM_EXIT_USAGE : CCDM_EXIT_OK;
}

static int monitor_json(const struct ccdm_event *e, const char *when)
{
	json_t *o = json_pack("{s:s, s:s}", "time", when, "event", e->event);
	int r = -ENOMEM;

	/* coverage: each event of the module names its mapping */
	if (e->name[0]) {
		ccdm_json_put(&o, "name", json_string(e->name));
		ccdm_json_put(&o, "uuid", json_string(e->uuid));
		ccdm_json_put(&o, "dev", json_string(e->dev));
	}
	if (e->kind) {
		ccdm_json_put(&o, "kind", json_string(e->kind));
		ccdm_json_put(&o, "level", json_integer(e->level));
		ccdm_json_put(&o, "index", json_integer((json_int_t)e->index));
	}
	if (o)
		r = json_dumpf(o, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) || putchar('\n') == EOF
			    ? -EIO
			    : 0;
	json_decref(o);
	return r;
}

/* Remove all secrets in memory: those of services, and those of the workload. */
static int monitor_forget(struct ccdm_err *err)
{
	struct ccdm_err ignored;
	int r = ccdm_credstore_drop(err);
	int k = ccdm_workload_bundle_wipe(CCDM_WORKLOAD_BUNDLE,
					  CCDM_WORKLOAD_CRUN "/" CCDM_WORKLOAD_CONTAINER,
					  r ? &ignored : err);

	return r ? r : k;
}

static int monitor_tampered(const char *name, void *arg, struct ccdm_err *err)
{
	struct ccdm_dm_info *info = malloc(sizeof(*info));
	const struct monitor_args *a = arg;
	bool tampered = false;
	char state[16];
	int r;

	if (!info)
		return ccdm_err_memory(err);
	r = a->name && strcmp(a->name, name) ? -ENXIO : ccdm_dm_info(name, info, err);
	/* A mapping that does not report its state may hide that it is "tampered". */
	if (!r)
		tampered = !ccdm_dm_word(info->status, "state", state, sizeof(state)) ||
			   !strcmp(state, "tampered");
	free(info);
	if (tampered)
		return monitor_forget(err);
	return r == -ENXIO ? 0 : r;
}

/* If events were lost, check the state of each mapping: it shows tamper that was missed. */
static int monitor_drop(struct monitor_args *a, const char *event)
{
	if (!a->drop_secrets)
		return 0;
	if (!strcmp(event, "lost"))
		return ccdm_dm_list(monitor_tampered, a, a->err);
	return strcmp(event, "tamper") ? 0 : monitor_forget(a->err);
}

static int monitor_each(const struct ccdm_event *e, void *arg)
{
	struct monitor_args *a = arg;
	time_t now = time(NULL);
	bool lost = !strcmp(e->event, "lost");
	struct tm tm;
	char when[32];
	int r;

	if (a->name && strcmp(a->name, e->name) && !lost)
		return 0;
	/* If this fails, monitor ends; systemd starts it again, and it checks again. */
	r = monitor_drop(a, e->event);
	if (r)
		return r;
	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (a->json) {
		r = monitor_json(e, when);
	} else if (lost) {
		printf("%s events were lost\n", when);
	} else {
		printf("%s %s %s (%s)", when, e->name, e->event, e->dev);
		if (e->kind)
			printf(" %s level %" PRIu32 " index %" PRIu64, e->kind, e->level, e->index);
		putchar('\n');
	}
	if (r || ferror(stdout) || fflush(stdout))
		return ccdm_err_set(a->err, r ? r : -EIO,
				    "cannot write the event to standard output");
	return a->count && !lost && ++a->seen == a->count;
}

static enum ccdm_exit cmd_monitor(const struct ccdm_verb *verb, int argc, char **argv)
{
	struct ccdm_events *events;
	struct ccdm_err err = { 0 };
	struct monitor_args a = { .err = &err };
	enum ccdm_exit e;
	bool over;
	int r;

	e = ccdm_setup_options(verb, argc, argv, monitor_take, &a, &over);
	if (over)
		return e;
	if (optind < argc)
		a.name = argv[optind];
	r = ccdm_setup_dm(&err);
	if (!r)
		r = ccdm_module_need(&err);
	if (!r)
		r = ccdm_events_open(&events, &err);
	if (r)
		return ccdm_ui_fail(CCDM_PROGRAM, &err, r);
	/* Events from before this program listened are lost: check the states once. */
	r = monitor_drop(&a, "lost");
	if (!r)
		r = ccdm_events_run(events, monitor_each, &a, &err);
	ccdm_events_close(events);
	return r < 0 ? ccdm_ui_fail(CCDM_PROGRAM, &err, r) : CCDM_EXIT_OK;
}

const struct ccdm_setup_verb ccdm_verb_monitor = {
	.verb = { .name = "monitor",
		  .usage = "[NAME]",
		  .summary = "print events as they happen",
		  .options = monitor_options,
		  .offer = "@mapping|",
		  .min_args = 0,
		  .max_args = 1 },
	.run = cmd_monitor,
};
