// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* dm.c - disk/dm.h with the kernel's ioctls alone: without libdevmapper, and without udev */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>
#include "base/trace.h"
#include "ccdm_format.h"
#include "disk/dm.h"
#include "disk/dm_calls.h"
#include "disk/dm_reason.h"
#include "node.h"

#define CCDM_DM_BUFFER	   16384
#define CCDM_DM_BUFFER_MAX (1u << 24)
#define CCDM_DM_TRIES	   25 /* of a removal, since udev may have the device open */
#define CCDM_DM_PAUSE_MS   200

/* libdevmapper.h: DM_UDEV_PRIMARY_SOURCE_FLAG, in the upper half of the cookie that udev's rules see */
#define CCDM_DM_UDEV_SOURCE 0x0040u
#define CCDM_DM_UDEV_SHIFT  16

/* ---- one ioctl --------------------------------------------------------------- */

/**
 * struct ccdm_dm_call - an ioctl of device-mapper
 * @io: the kernel's structure, and the data after it
 * @size: bytes of @io
 */
struct ccdm_dm_call {
	struct dm_ioctl *io;
	size_t size;
};

static int ccdm_dm_call_new(struct ccdm_dm_call *call, const char *name, struct ccdm_err *err)
{
	call->size = CCDM_DM_BUFFER;
	call->io = calloc(1, call->size);
	if (!call->io)
		return ccdm_err_memory(err);
	call->io->version[0] = DM_VERSION_MAJOR;
	call->io->data_start = sizeof(*call->io);
	if (!name)
		return 0;
	if (strlen(name) >= sizeof(call->io->name)) {
		free(call->io);
		return ccdm_err_set(err, -EINVAL, "%s: expected a name of at most %zu bytes", name,
				    sizeof(call->io->name) - 1);
	}
	memcpy(call->io->name, name, strlen(name) + 1);
	return 0;
}

/* Twice the room for the answer. */
static int ccdm_dm_call_grow(struct ccdm_dm_call *call, const struct dm_ioctl *request)
{
	struct dm_ioctl *more;

	if (call->size >= CCDM_DM_BUFFER_MAX)
		return -EFBIG;
	more = calloc(1, 2 * call->size);
	if (!more)
		return -ENOMEM;
	memcpy(more, request, sizeof(*request));
	free(call->io);
	call->io = more;
	call->size *= 2;
	return 0;
}

/* Call; the data of a request must fit into the first buffer, those of an answer may grow. */
static int ccdm_dm_call_run(struct ccdm_dm_call *call, unsigned long command)
{
	int fd = open(CCDM_DM_CONTROL, O_RDWR | O_CLOEXEC), r = 0;
	struct dm_ioctl request = *call->io;

	if (fd < 0)
		return -errno;
	for (;;) {
		call->io->data_size = (uint32_t)call->size;
		if (ioctl(fd, command, call->io)) {
			r = -errno;
			ccdm_trace_debug("dm: the kernel replied: %s", strerror(-r));
			break;
		}
		if (!(call->io->flags & DM_BUFFER_FULL_FLAG))
			break;
		r = ccdm_dm_call_grow(call, &request);
		if (r)
			break;
	}
	close(fd);
	return r;
}

/* The data of an answer: @bytes is set to their number. */
static const char *ccdm_dm_call_data(const struct ccdm_dm_call *call, size_t *bytes)
{
	const struct dm_ioctl *io = call->io;
	size_t end = io->data_size < call->size ? io->data_size : call->size;

	*bytes = io->data_start < end ? end - io->data_start : 0;
	return (const char *)io + (*bytes ? io->data_start : 0);
}

static void ccdm_dm_call_end(struct ccdm_dm_call *call)
{
	free(call->io);
	call->io = NULL;
}

/* ---- the target ---------------------------------------------------------------- */

void ccdm_dm_init(void)
{
}

int ccdm_dm_need(struct ccdm_err *err)
{
	struct ccdm_dm_call call;
	int r = ccdm_dm_call_new(&call, NULL, err);

	ccdm_trace("dm: open " CCDM_DM_CONTROL);
	if (r)
		return r;
	r = ccdm_dm_call_run(&call, DM_VERSION);
	ccdm_dm_call_end(&call);
	return r ? ccdm_dm_unusable(err) : 0;
}

int ccdm_dm_target_version(uint32_t version[3], struct ccdm_err *err)
{
	const struct dm_target_versions *v;
	struct ccdm_dm_call call;
	size_t bytes, at = 0;
	const char *data;
	int r = ccdm_dm_call_new(&call, NULL, err);

	ccdm_trace("dm: versions of the targets");
	if (r)
		return r;
	r = ccdm_dm_call_run(&call, DM_LIST_VERSIONS);
	if (r) {
		ccdm_dm_call_end(&call);
		return ccdm_err_set(err, r, "device-mapper does not answer: %s", strerror(-r));
	}
	data = ccdm_dm_call_data(&call, &bytes);
	r = -ENOENT;
	while (at + sizeof(*v) < bytes) {
		v = (const struct dm_target_versions *)(data + at);
		if (!strncmp(v->name, "ccdm", bytes - at - sizeof(*v))) {
			memcpy(version, v->version, sizeof(v->version));
			r = 0;
			break;
		}
		if (!v->next)
			break;
		at += v->next;
	}
	ccdm_dm_call_end(&call);
	return r ? ccdm_err_set(err, r, "the kernel has no device-mapper target 'ccdm'") : 0;
}

/* ---- create, reload -------------------------------------------------------------- */

int ccdm_dm_create_empty(const char *name, const char *uuid, struct ccdm_err *err)
{
	struct ccdm_dm_call call;
	int r = ccdm_dm_call_new(&call, name, err);

	ccdm_trace("dm: create %s, UUID %s", name, uuid);
	if (r)
		return r;
	snprintf(call.io->uuid, sizeof(call.io->uuid), "%s", uuid);
	r = ccdm_dm_call_run(&call, DM_DEV_CREATE);
	ccdm_dm_call_end(&call);
	if (r == -EBUSY || r == -EEXIST)
		return ccdm_err_set(err, -EEXIST,
				    "a mapping with the name %s or its UUID already exists", name);
	return r ? ccdm_err_set(err, r, "cannot open %s: %s", name, strerror(-r)) : 0;
}

int ccdm_dm_load(const char *name, const struct ccdm_dm_target *table, struct ccdm_err *err)
{
	struct dm_target_spec *spec;
	struct ccdm_dm_call call;
	char reason[256];
	int r = ccdm_dm_call_new(&call, name, err), log;

	if (r)
		return r;
	ccdm_trace("dm: load the table of %s: 0 %llu %s %s%s", name,
		   (unsigned long long)table->length, table->target, table->params,
		   table->read_only ? " (read-only)" : "");
	spec = (struct dm_target_spec *)(call.io + 1);
	spec->length = table->length;
	snprintf(spec->target_type, sizeof(spec->target_type), "%s", table->target);
	snprintf((char *)(spec + 1), CCDM_DM_TEXT, "%s", table->params);
	call.io->target_count = 1;
	if (table->read_only)
		call.io->flags |= DM_READONLY_FLAG;
	log = ccdm_dm_reason_begin();
	r = ccdm_dm_call_run(&call, DM_TABLE_LOAD);
	ccdm_dm_reason_end(log, table->target, reason, sizeof(reason));
	ccdm_dm_call_end(&call);
	if (r && reason[0])
		return ccdm_err_set(err, r, "cannot open %s (target %s): the kernel says: %s", name,
				    table->target, reason);
	return r ? ccdm_err_set(err, r, "cannot open %s: %s", name, strerror(-r)) : 0;
}

int ccdm_dm_resume(const char *name, struct ccdm_err *err)
{
	struct ccdm_dm_call call;
	uint64_t dev = 0;
	int r = ccdm_dm_call_new(&call, name, err);

	ccdm_trace("dm: resume %s", name);
	if (r)
		return r;
	/* Without this flag, udev takes the device for one that is not ready. */
	call.io->event_nr = CCDM_DM_UDEV_SOURCE << CCDM_DM_UDEV_SHIFT;
	r = ccdm_dm_call_run(&call, DM_DEV_SUSPEND);
	dev = call.io->dev;
	ccdm_dm_call_end(&call);
	if (r)
		return ccdm_err_set(err, r, "cannot open %s: %s", name, strerror(-r));
	return ccdm_node_create(name, dev, err);
}

/* ---- remove -------------------------------------------------------------------------- */

void ccdm_dm_undo(const char *name, struct ccdm_err *err)
{
	struct ccdm_err why = { 0 };

	if (ccdm_dm_remove(name, false, &why))
		ccdm_err_hint(err, "the mapping stays: %s; remove it with: ccdm-open close %s",
			      why.text, name);
}

/* @later: set if the mapping goes when its last user closes it. */
static int ccdm_dm_remove_once(const char *name, bool deferred, bool *later, struct ccdm_err *err)
{
	struct ccdm_dm_call call;
	int r = ccdm_dm_call_new(&call, name, err);

	if (r)
		return r;
	if (deferred)
		call.io->flags |= DM_DEFERRED_REMOVE;
	r = ccdm_dm_call_run(&call, DM_DEV_REMOVE);
	*later = !r && deferred && (call.io->flags & DM_DEFERRED_REMOVE);
	ccdm_dm_call_end(&call);
	return r;
}

/* The number of a mapping, as device-mapper encodes it; 0 if there is no such mapping. */
static uint64_t ccdm_dm_dev(const char *name, struct ccdm_err *err)
{
	struct ccdm_dm_call call;
	uint64_t dev = 0;

	if (ccdm_dm_call_new(&call, name, err))
		return 0;
	if (!ccdm_dm_call_run(&call, DM_DEV_STATUS))
		dev = call.io->dev;
	ccdm_dm_call_end(&call);
	return dev;
}

int ccdm_dm_remove(const char *name, bool deferred, struct ccdm_err *err)
{
	static const struct timespec pause = { .tv_nsec = CCDM_DM_PAUSE_MS * 1000000L };
	unsigned int tries = CCDM_DM_TRIES;
	uint64_t dev = ccdm_dm_dev(name, err);
	bool later = false;
	int r;

	ccdm_trace("dm: remove %s%s", name, deferred ? " when its last user closes it" : "");
	while ((r = ccdm_dm_remove_once(name, deferred, &later, err)) == -EBUSY && --tries)
		nanosleep(&pause, NULL);
	if (!r && !later)
		ccdm_node_remove(name, dev);
	if (r == -EBUSY) {
		ccdm_err_hint(
			err,
			"list its users with \"fuser -vm /dev/mapper/%s\", or use close --deferred",
			name);
		return ccdm_err_set(err, r, "%s is in use", name);
	}
	if (r == -ENXIO)
		return ccdm_err_set(err, r, "%s is not active", name);
	return r ? ccdm_err_set(err, r, "cannot close %s: %s", name, strerror(-r)) : 0;
}

/* ---- read ------------------------------------------------------------------------------ */

/* Copy what the kernel said of a mapping, whose target must be @want. */
static int ccdm_dm_line_take(const struct ccdm_dm_call *call, const char *want,
			     struct ccdm_dm_info *info, char *line, struct ccdm_err *err)
{
	const struct dm_ioctl *io = call->io;
	const struct dm_target_spec *spec;
	const char *found = "(none)";
	size_t bytes;

	spec = (const struct dm_target_spec *)ccdm_dm_call_data(call, &bytes);
	if (io->target_count && bytes > sizeof(*spec))
		found = spec->target_type;
	if (strncmp(found, want, sizeof(spec->target_type))) {
		ccdm_err_hint(err, "list the mappings with \"ccdm-open list\"");
		return ccdm_err_set(err, -ENXIO,
				    "%.127s: expected a mapping of type %s, found type %.16s",
				    io->name, want, found);
	}
	snprintf(info->name, sizeof(info->name), "%.127s", io->name);
	snprintf(info->uuid, sizeof(info->uuid), "%.128s", io->uuid);
	snprintf(info->dev, sizeof(info->dev), "%u:%u", major(io->dev), minor(io->dev));
	info->open_count = io->open_count;
	info->event_nr = io->event_nr;
	info->suspended = io->flags & DM_SUSPEND_FLAG;
	info->length = spec->length;
	snprintf(line, CCDM_DM_TEXT, "%.*s", (int)(bytes - sizeof(*spec)),
		 (const char *)(spec + 1));
	return 0;
}

int ccdm_dm_line(bool table, const char *name, const char *want, struct ccdm_dm_info *info,
		 char *line, struct ccdm_err *err)
{
	struct ccdm_dm_call call;
	int r = ccdm_dm_call_new(&call, name, err);

	if (r)
		return r;
	ccdm_trace("dm: %s of %s", table ? "table" : "status", name);
	/* Without this flag, a status request makes the target flush to the device below. */
	call.io->flags = DM_NOFLUSH_FLAG | (table ? DM_STATUS_TABLE_FLAG : 0);
	r = ccdm_dm_call_run(&call, DM_TABLE_STATUS);
	if (!r)
		r = ccdm_dm_line_take(&call, want, info, line, err);
	else if (r == -ENXIO)
		ccdm_err_set(err, r, "%s is not active", name);
	else
		ccdm_err_set(err, r, "%s: %s", name, strerror(-r));
	ccdm_dm_call_end(&call);
	return r;
}

/* Call @each for the mappings of a list that are of ours. */
static int ccdm_dm_list_walk(const struct ccdm_dm_call *call, struct ccdm_dm_info *info,
			     int (*each)(const char *name, void *arg, struct ccdm_err *err),
			     void *arg, struct ccdm_err *err)
{
	const struct dm_name_list *n;
	struct ccdm_err one = { 0 };
	size_t bytes, at = 0;
	const char *data = ccdm_dm_call_data(call, &bytes);
	int r = 0;

	while (!r && at + sizeof(*n) < bytes) {
		n = (const struct dm_name_list *)(data + at);
		/* an empty list has one element without a device */
		if (!n->dev ||
		    !memchr(n->name, '\0', bytes - at - offsetof(struct dm_name_list, name)))
			break;
		/* The mapping may have disappeared by now, or have another target. */
		r = ccdm_dm_line(true, n->name, "ccdm", info, info->table, &one);
		if (!r)
			r = each(n->name, arg, err);
		else if (r == -ENXIO)
			r = 0;
		else
			ccdm_err_set(err, r, "%s", one.text);
		if (!n->next)
			break;
		at += n->next;
	}
	return r;
}

int ccdm_dm_list(int (*each)(const char *name, void *arg, struct ccdm_err *err), void *arg,
		 struct ccdm_err *err)
{
	struct ccdm_dm_info *info = malloc(sizeof(*info));
	struct ccdm_dm_call call;
	int r;

	ccdm_trace("dm: list the mappings");
	if (!info)
		return ccdm_err_memory(err);
	r = ccdm_dm_call_new(&call, NULL, err);
	if (r)
		goto out;
	r = ccdm_dm_call_run(&call, DM_LIST_DEVICES);
	if (r)
		ccdm_err_set(err, r, "device-mapper does not answer: %s", strerror(-r));
	else
		r = ccdm_dm_list_walk(&call, info, each, arg, err);
	ccdm_dm_call_end(&call);
out:
	free(info);
	return r;
}
