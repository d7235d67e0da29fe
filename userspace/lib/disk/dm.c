// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* dm.c - see dm.h */
#include <errno.h>
#include <libdevmapper.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/trace.h"
#include "ccdm_format.h"
#include "dm.h"
#include "dm_calls.h"
#include "dm_reason.h"

static void ccdm_dm_log(int level, const char *file, int line, int error, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

static void ccdm_dm_log(int level, const char *file, int line, int error, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	(void)error;
	if (ccdm_trace_level < CCDM_TRACE_DEBUG)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ccdm_err_plain(text);
	fprintf(stderr, "# dm %d %s:%d %s\n", level, file, line, text);
}

void ccdm_dm_init(void)
{
	dm_log_with_errno_init(ccdm_dm_log);
	dm_udev_set_sync_support(1);
}

/* ---- tasks --------------------------------------------------------------- */

static struct dm_task *ccdm_dm_task(int type, const char *name)
{
	struct dm_task *task = dm_task_create(type);

	if (task && name && !dm_task_set_name(task, name)) {
		dm_task_destroy(task);
		return NULL;
	}
	return task;
}

int ccdm_dm_need(struct ccdm_err *err)
{
	struct dm_task *task;

	ccdm_trace("dm: open " CCDM_DM_CONTROL);
	task = ccdm_dm_task(DM_DEVICE_LIST, NULL);
	if (!task)
		return ccdm_dm_unusable(err);
	dm_task_destroy(task);
	return 0;
}

static int ccdm_dm_run(struct dm_task *task)
{
	int r;

	if (dm_task_run(task))
		return 0;
	r = dm_task_get_errno(task);
	ccdm_trace_debug("dm: the kernel replied: %s", strerror(r ? r : EIO));
	return r ? -r : -EIO;
}

int ccdm_dm_target_version(uint32_t version[3], struct ccdm_err *err)
{
	struct dm_task *task = ccdm_dm_task(DM_DEVICE_LIST_VERSIONS, NULL);
	struct dm_versions *v, *next;
	int r;

	ccdm_trace("dm: versions of the targets");
	if (!task)
		return ccdm_dm_unusable(err);
	r = ccdm_dm_run(task);
	if (r) {
		dm_task_destroy(task);
		return ccdm_err_set(err, r, "device-mapper does not answer: %s", strerror(-r));
	}
	r = -ENOENT;
	next = dm_task_get_versions(task);
	do {
		v = next;
		if (!strcmp(v->name, "ccdm")) {
			memcpy(version, v->version, 3 * sizeof(uint32_t));
			r = 0;
			break;
		}
		next = (struct dm_versions *)((char *)v + v->next);
	} while (v != next);
	dm_task_destroy(task);
	return r ? ccdm_err_set(err, r, "the kernel has no device-mapper target 'ccdm'") : 0;
}

/* Create in single steps to get the errno of each; libdevmapper's own create hides it. */
int ccdm_dm_create_empty(const char *name, const char *uuid, struct ccdm_err *err)
{
	struct dm_task *task = ccdm_dm_task(DM_DEVICE_CREATE, name);
	int r = -ENOMEM;

	ccdm_trace("dm: create %s, UUID %s", name, uuid);
	if (!task)
		return ccdm_dm_unusable(err);
	if (dm_task_set_uuid(task, uuid) && dm_task_set_add_node(task, DM_ADD_NODE_ON_RESUME))
		r = ccdm_dm_run(task);
	dm_task_destroy(task);
	if (r == -EBUSY || r == -EEXIST)
		return ccdm_err_set(err, -EEXIST,
				    "a mapping with the name %s or its UUID already exists", name);
	return r ? ccdm_err_set(err, r, "cannot open %s: %s", name, strerror(-r)) : 0;
}

int ccdm_dm_load(const char *name, const struct ccdm_dm_target *table, struct ccdm_err *err)
{
	struct dm_task *task = ccdm_dm_task(DM_DEVICE_RELOAD, name);
	char reason[256];
	int r = -ENOMEM, kmsg = ccdm_dm_reason_begin();

	ccdm_trace("dm: load the table of %s: 0 %llu %s %s%s", name,
		   (unsigned long long)table->length, table->target, table->params,
		   table->read_only ? " (read-only)" : "");
	if (task && (!table->read_only || dm_task_set_ro(task)) &&
	    dm_task_add_target(task, 0, table->length, table->target, table->params))
		r = ccdm_dm_run(task);
	if (task)
		dm_task_destroy(task);
	ccdm_dm_reason_end(kmsg, table->target, reason, sizeof(reason));
	if (r && reason[0])
		return ccdm_err_set(err, r, "cannot open %s (target %s): the kernel says: %s", name,
				    table->target, reason);
	return r ? ccdm_err_set(err, r, "cannot open %s: %s", name, strerror(-r)) : 0;
}

int ccdm_dm_resume(const char *name, struct ccdm_err *err)
{
	struct dm_task *task = ccdm_dm_task(DM_DEVICE_RESUME, name);
	uint32_t cookie = 0;
	int r = -ENOMEM;

	ccdm_trace("dm: resume %s", name);
	if (task && dm_task_set_add_node(task, DM_ADD_NODE_ON_RESUME) &&
	    dm_task_set_cookie(task, &cookie, 0))
		r = ccdm_dm_run(task);
	if (cookie)
		dm_udev_wait(cookie);
	if (task)
		dm_task_destroy(task);
	return r ? ccdm_err_set(err, r, "cannot open %s: %s", name, strerror(-r)) : 0;
}

void ccdm_dm_undo(const char *name, struct ccdm_err *err)
{
	struct ccdm_err why = { 0 };

	if (ccdm_dm_remove(name, false, &why))
		ccdm_err_hint(err, "the mapping stays: %s; remove it with: dmsetup remove %s",
			      why.text, name);
}

int ccdm_dm_remove(const char *name, bool deferred, struct ccdm_err *err)
{
	struct dm_task *task = ccdm_dm_task(DM_DEVICE_REMOVE, name);
	uint32_t cookie = 0;
	int r;

	ccdm_trace("dm: remove %s%s", name, deferred ? " when its last user closes it" : "");
	if (!task)
		return ccdm_dm_unusable(err);
	if ((deferred && !dm_task_deferred_remove(task)) || !dm_task_retry_remove(task) ||
	    !dm_task_set_cookie(task, &cookie, 0)) {
		dm_task_destroy(task);
		return ccdm_err_set(err, -ENOMEM, "cannot prepare to close %s", name);
	}
	r = ccdm_dm_run(task);
	dm_udev_wait(cookie);
	dm_task_destroy(task);
	if (r == -EBUSY) {
		ccdm_err_hint(
			err,
			"list its users with \"fuser -vm /dev/mapper/%s\", or use close --deferred",
			name);
		return ccdm_err_set(err, r, "%s is in use", name);
	}
	return r ? ccdm_err_set(err, r, "cannot close %s: %s", name, strerror(-r)) : 0;
}

int ccdm_dm_line(bool table, const char *name, const char *want, struct ccdm_dm_info *info,
		 char *line, struct ccdm_err *err)
{
	struct dm_task *task = ccdm_dm_task(table ? DM_DEVICE_TABLE : DM_DEVICE_STATUS, name);
	char *target = NULL, *params = NULL;
	const char *text;
	uint64_t start, length;
	struct dm_info d;
	int r;

	if (!task)
		return ccdm_dm_unusable(err);
	ccdm_trace("dm: %s of %s", table ? "table" : "status", name);
	/* Without this flag, a status request makes the target flush to the device below. */
	dm_task_no_flush(task);
	r = ccdm_dm_run(task);
	if (!r && !dm_task_get_info(task, &d))
		r = -EIO;
	if (r == -ENXIO || (!r && !d.exists)) {
		dm_task_destroy(task);
		return ccdm_err_set(err, -ENXIO, "%s is not active", name);
	}
	if (r) {
		dm_task_destroy(task);
		return ccdm_err_set(err, r, "%s: %s", name, strerror(-r));
	}
	dm_get_next_target(task, NULL, &start, &length, &target, &params);
	if (!target || strcmp(target, want)) {
		ccdm_err_hint(err, "list the mappings with \"ccdm-setup list\"");
		ccdm_err_set(err, -ENXIO, "%s: expected a mapping of type %s, found type %s", name,
			     want, target ? target : "(none)");
		dm_task_destroy(task);
		return -ENXIO;
	}
	snprintf(info->name, sizeof(info->name), "%s", dm_task_get_name(task));
	text = dm_task_get_uuid(task);
	snprintf(info->uuid, sizeof(info->uuid), "%s", text ? text : "");
	snprintf(info->dev, sizeof(info->dev), "%u:%u", d.major, d.minor);
	info->open_count = d.open_count;
	info->event_nr = d.event_nr;
	info->suspended = d.suspended;
	info->length = length;
	snprintf(line, CCDM_DM_TEXT, "%s", params ? params : "");
	dm_task_destroy(task);
	return 0;
}

int ccdm_dm_message(const char *name, const char *message, struct ccdm_err *err)
{
	struct dm_task *task = ccdm_dm_task(DM_DEVICE_TARGET_MSG, name);
	int r;

	ccdm_trace("dm: message to %s: %s", name, message);
	if (!task)
		return ccdm_dm_unusable(err);
	if (!dm_task_set_sector(task, 0) || !dm_task_set_message(task, message)) {
		dm_task_destroy(task);
		return ccdm_err_memory(err);
	}
	r = ccdm_dm_run(task);
	dm_task_destroy(task);
	return r ? ccdm_err_set(err, r, "%s: message '%s': %s", name, message, strerror(-r)) : 0;
}

int ccdm_dm_list(int (*each)(const char *name, void *arg, struct ccdm_err *err), void *arg,
		 struct ccdm_err *err)
{
	struct dm_task *task = ccdm_dm_task(DM_DEVICE_LIST, NULL);
	struct ccdm_err one = { 0 };
	struct ccdm_dm_info *info;
	struct dm_names *n;
	unsigned int next = 0;
	int r;

	ccdm_trace("dm: list the mappings");
	info = malloc(sizeof(*info));
	if (!task || !info) {
		r = task ? ccdm_err_memory(err) : ccdm_dm_unusable(err);
		goto out;
	}
	r = ccdm_dm_run(task);
	if (r) {
		ccdm_err_set(err, r, "device-mapper does not answer: %s", strerror(-r));
		goto out;
	}
	n = dm_task_get_names(task);
	if (!n)
		r = ccdm_err_set(err, -EIO, "device-mapper returned no list of names");
	if (!n || !n->dev)
		goto out;
	do {
		n = (struct dm_names *)((char *)n + next);
		/* The mapping may have disappeared by now, or have another target. */
		r = ccdm_dm_line(true, n->name, "ccdm", info, info->table, &one);
		if (!r)
			r = each(n->name, arg, err);
		else if (r == -ENXIO)
			r = 0;
		else
			ccdm_err_set(err, r, "%s", one.text);
		next = n->next;
	} while (!r && next);
out:
	free(info);
	if (task)
		dm_task_destroy(task);
	return r;
}
