/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* user.h - the user of a container: by name or number, from the image's own passwd and group */
#ifndef CCDM_IMAGE_USER_H
#define CCDM_IMAGE_USER_H

#include <jansson.h>
#include <stdint.h>
#include "base/compiler.h"
#include "base/err.h"
#include "rootfs.h"

#define CCDM_USER_MAX 0x7fffffff /* highest user and group */

/**
 * struct ccdm_user - who a process runs as
 * @uid, @gid: numbers
 * @groups: array of supplementary groups; NULL before it is resolved
 * @home: folder, "/" if the image has none
 */
struct ccdm_user {
	uint32_t uid;
	uint32_t gid;
	json_t *groups;
	char home[1024];
};

/**
 * ccdm_user_resolve() - resolve a user
 * @spec: "", USER, USER:GROUP or :GROUP, each a name or a number
 * @fs: has /etc/passwd and /etc/group, or not
 * @user: filled; the caller drops @groups, after an error, too
 *
 * As runc, Docker and umoci do: "" is user 0; a number needs no entry, and has group 0 without one;
 * supplementary groups count only without a GROUP; the first entry counts.
 *
 * Return: 0; -EINVAL for a user or group that is unknown or too high, or for a passwd or group that
 * is no file or too large; -ENOMEM; errors of reading.
 */
int __must_check ccdm_user_resolve(const char *spec, const struct ccdm_rootfs *fs,
				   struct ccdm_user *user, struct ccdm_err *err);

#endif
