/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * ccdm.h - libccdm: ephemeral encrypted disks with integrity and freshness, for other programs
 *
 * The library talks to the kernel alone: it needs neither libdevmapper nor udev, loads no module
 * and prints nothing. Link it with "pkg-config --libs libccdm".
 *
 * Functions return 0 or a negative errno, and fill a struct ccdm_disk_error, which may be NULL.
 * They may sleep. Threads may call them at the same time, but not with the same plan or the same
 * struct ccdm_disk_events. All but ccdm_disk_value(), ccdm_disk_plan_new(), ccdm_disk_plan_set() and the
 * functions that free need root (CAP_SYS_ADMIN).
 *
 * A structure that a function fills begins with its size: set it to sizeof before the call. A library
 * that is older or newer than this header fills the members that both know, and sets the others to 0.
 */
#ifndef LIBCCDM_H
#define LIBCCDM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CCDM_DISK_MUST_CHECK __attribute__((warn_unused_result))
#else
#define CCDM_DISK_MUST_CHECK
#endif

/**
 * struct ccdm_disk_error - an error for a person
 * @text: object, what was expected and what was found; one line of plain text
 * @hint: what to do next, or empty
 */
struct ccdm_disk_error {
	char text[512];
	char hint[256];
};

/* ---- open ------------------------------------------------------------------------- */

/* A mapping that may be opened. */
struct ccdm_disk_plan;

/**
 * ccdm_disk_plan_new() - begin a plan
 * @plan: set, to NULL on an error; free it with ccdm_disk_plan_free()
 * @device: path of the backing device; copied
 * @name: of the mapping: 1 to 90 letters, digits and #+-.:=@_; copied
 * @error: filled if it fails, or NULL
 *
 * Return: 0, -ENOMEM.
 */
int ccdm_disk_plan_new(struct ccdm_disk_plan **plan, const char *device, const char *name,
		       struct ccdm_disk_error *error) CCDM_DISK_MUST_CHECK;

/**
 * ccdm_disk_plan_set() - set an option
 * @plan: before ccdm_disk_plan_look()
 * @option: a long option of ccdm-setup(8) open without its dashes: "cipher", "cache-size",
 *	"on-tamper", "origin", "size", "uuid", "allow-discards", "allow-kdump"
 * @value: its value as text; copied. NULL for the last two, which have none
 * @error: filled if it fails, or NULL
 *
 * Return: 0; -EINVAL for an unknown option or a wrong value; -ENOMEM.
 */
int ccdm_disk_plan_set(struct ccdm_disk_plan *plan, const char *option, const char *value,
		       struct ccdm_disk_error *error) CCDM_DISK_MUST_CHECK;

/**
 * struct ccdm_disk_facts - what ccdm_disk_plan_look() found
 * @size: sizeof(struct ccdm_disk_facts), set by the caller. Later versions add members at the end
 * @bytes: size of the mapping
 * @device_bytes: size of the backing device
 * @content: what the device holds, such as "ext4 file system"; empty: nothing that is known
 * @table: the table line of device-mapper: "0 SECTORS ccdm ..."
 */
struct ccdm_disk_facts {
	size_t size;
	uint64_t bytes;
	uint64_t device_bytes;
	char content[96];
	char table[4096];
};

/**
 * ccdm_disk_plan_look() - examine the devices; writes nothing
 * @plan: the plan
 * @facts: filled
 * @error: filled if it fails, or NULL
 *
 * The table line can also be given to "dmsetup create".
 *
 * Return: 0; -ENOENT, -ENOTBLK, -EROFS: the device; -ENOSPC: it is too small; -EINVAL: the name or an
 * option; -EIO: it cannot be read; -EPERM, -EACCES; -ENOMEM.
 */
int ccdm_disk_plan_look(struct ccdm_disk_plan *plan, struct ccdm_disk_facts *facts,
			struct ccdm_disk_error *error) CCDM_DISK_MUST_CHECK;

/**
 * ccdm_disk_plan_open() - open the mapping as /dev/mapper/NAME
 * @plan: the plan, which may be used again after the mapping was closed
 * @destroy: open it also if the device holds something that is known. All of it is lost.
 * @error: filled if it fails, or NULL
 *
 * On failure nothing is left behind. The devices are examined once more.
 *
 * Return: 0; as ccdm_disk_plan_look(); -ECANCELED: it holds something and @destroy is not set, or the
 * kernel's target has another version of the table line; -EEXIST: the name is in use; -EBUSY: the
 * device is in use; -ENODEV: no device-mapper; other errors of the kernel, with its reason.
 */
int ccdm_disk_plan_open(struct ccdm_disk_plan *plan, bool destroy,
			struct ccdm_disk_error *error) CCDM_DISK_MUST_CHECK;

/* Free a plan; a mapping that was opened stays. NULL is allowed. */
void ccdm_disk_plan_free(struct ccdm_disk_plan *plan);

/* ---- close, list, status ------------------------------------------------------------- */

/**
 * ccdm_disk_close() - close a mapping; its content is lost
 * @name: of the mapping, which must have the target ccdm
 * @deferred: if it is in use, close it when its last user closes it
 * @error: filled if it fails, or NULL
 *
 * A mapping that is in use is tried for 5 s, since udev may have it open for a moment. If udev runs, the
 * function then gives it 2 s to remove /dev/mapper/NAME.
 *
 * Return: 0; -EBUSY: it is in use; -ENXIO: no such mapping.
 */
int ccdm_disk_close(const char *name, bool deferred,
		    struct ccdm_disk_error *error) CCDM_DISK_MUST_CHECK;

/**
 * struct ccdm_disk_status - a mapping
 * @size: sizeof(struct ccdm_disk_status), set by the caller. Later versions add members at the end
 * @name: its name
 * @uuid: its UUID in device-mapper
 * @dev: its number, "MAJOR:MINOR"
 * @backing: the backing device's number
 * @bytes: its size
 * @in_use: it has users
 * @suspended: it is suspended
 * @table: its table line after "ccdm"
 * @status: its status line after "ccdm": "state:active suite:aes-xts-gmac ..."; see abi.rst
 */
struct ccdm_disk_status {
	size_t size;
	char name[128];
	char uuid[129];
	char dev[24];
	char backing[24];
	uint64_t bytes;
	bool in_use;
	bool suspended;
	char table[4096];
	char status[4096];
};

/**
 * ccdm_disk_status() - read the state of a mapping; writes nothing to the device
 * @name: of the mapping
 * @status: filled
 * @error: filled if it fails, or NULL
 *
 * Return: 0; -ENXIO: no such mapping, or one with another target.
 */
int ccdm_disk_status(const char *name, struct ccdm_disk_status *status,
		     struct ccdm_disk_error *error) CCDM_DISK_MUST_CHECK;

/**
 * ccdm_disk_value() - a word of a status line
 * @status: status->status
 * @key: "state", "tampers", ...
 * @value: set; empty if there is no such word
 * @size: bytes of @value
 *
 * Return: true if the word is there and fits.
 */
bool ccdm_disk_value(const char *status, const char *key, char *value,
		     size_t size) CCDM_DISK_MUST_CHECK;

/**
 * ccdm_disk_list() - call a function for each mapping
 * @each: gets a name; a result other than 0 ends the list and is returned
 * @arg: argument of @each
 * @error: filled if it fails, or NULL
 *
 * Return: 0, the result of @each, or a negative errno.
 */
int ccdm_disk_list(int (*each)(const char *name, void *arg), void *arg,
		   struct ccdm_disk_error *error) CCDM_DISK_MUST_CHECK;

/* ---- events ---------------------------------------------------------------------------- */

/* A queue of events. */
struct ccdm_disk_events;

/**
 * struct ccdm_disk_event - an event
 * @size: sizeof(struct ccdm_disk_event), set by the caller. Later versions add members at the end
 * @event: opened closed tamper failed unwritable scrub-done; "lost": the kernel had more events than
 *	the socket could hold, and the other members are empty
 * @name: of the mapping
 * @uuid: its UUID in device-mapper
 * @dev: its number, "MAJOR:MINOR"
 * @kind: tamper: "block" or "node", else empty
 * @level: tamper: level of the node
 * @index: tamper: index within the level
 */
struct ccdm_disk_event {
	size_t size;
	char event[32];
	char name[128];
	char uuid[129];
	char dev[24];
	char kind[16];
	uint32_t level;
	uint64_t index;
};

/**
 * ccdm_disk_events_open() - receive events from now on (CAP_NET_ADMIN)
 * @events: set, to NULL on an error; free it with ccdm_disk_events_close()
 * @error: filled if it fails, or NULL
 *
 * Return: 0; -ENOENT: the kernel has no target ccdm; -EPERM; -ENOMEM.
 */
int ccdm_disk_events_open(struct ccdm_disk_events **events,
			  struct ccdm_disk_error *error) CCDM_DISK_MUST_CHECK;

/* A file descriptor for poll(2): readable when there is an event. It belongs to @events. */
int ccdm_disk_events_fd(const struct ccdm_disk_events *events) CCDM_DISK_MUST_CHECK;

/**
 * ccdm_disk_events_next() - take one event
 * @events: the queue
 * @event: filled
 * @error: filled if it fails, or NULL
 *
 * Return: 0; -EAGAIN: there is none; other errors of recvmsg(2).
 */
int ccdm_disk_events_next(struct ccdm_disk_events *events, struct ccdm_disk_event *event,
			  struct ccdm_disk_error *error) CCDM_DISK_MUST_CHECK;

/* NULL is allowed. */
void ccdm_disk_events_close(struct ccdm_disk_events *events);

#ifdef __cplusplus
}
#endif

#endif
