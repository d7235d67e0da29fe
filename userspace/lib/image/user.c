// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* user.c - see user.h */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "user.h"

#define CCDM_USER_FILE (4 << 20) /* bytes of passwd or group */

/* One half of USER:GROUP. */
struct ccdm_user_half {
	char text[256];
	bool numeric;
	uint32_t number;
};

static int ccdm_user_half(const char *what, struct ccdm_user_half *half, struct ccdm_err *err)
{
	size_t n = strlen(half->text);
	unsigned long value;

	half->numeric = n && strspn(half->text, "0123456789") == n;
	if (!half->numeric)
		return 0;
	value = n <= 12 ? strtoul(half->text, NULL, 10) : CCDM_USER_MAX + 1UL;
	if (value > CCDM_USER_MAX)
		return ccdm_err_set(err, -EINVAL, "%s %s: expected a number up to %u", what,
				    half->text, CCDM_USER_MAX);
	half->number = (uint32_t)value;
	return 0;
}

/* A file of the image; *text is NULL if it is not there. */
static int ccdm_user_file(const struct ccdm_rootfs *fs, const char *path, char **text,
			  struct ccdm_err *err)
{
	const struct ccdm_rootfs_node *node = ccdm_rootfs_find(fs, path);
	size_t size;

	*text = NULL;
	return node ? ccdm_rootfs_read(fs, node, CCDM_USER_FILE, text, &size, err) : 0;
}

/* The next field of a line, which ends with ':'. */
static char *ccdm_user_field(char **line)
{
	char *field = *line, *colon = field ? strchr(field, ':') : NULL;

	if (colon)
		*colon = '\0';
	*line = colon ? colon + 1 : NULL;
	return field ? field : "";
}

/* A number of a field; false: it is none, and the line is skipped. */
static bool ccdm_user_number(const char *text, uint32_t *number)
{
	size_t n = strlen(text);
	unsigned long value = n && n <= 12 ? strtoul(text, NULL, 10) : CCDM_USER_MAX + 1UL;

	*number = (uint32_t)value;
	return strspn(text, "0123456789") == n && value <= CCDM_USER_MAX;
}

/* NAME:PASSWORD:UID:GID:GECOS:HOME:SHELL. Return: true if the first that fits was found. */
static bool ccdm_user_passwd(char *text, const struct ccdm_user_half *want, struct ccdm_user *user,
			     char *name, size_t room)
{
	char *line, *rest, *save = NULL, *login, *home;
	uint32_t uid, gid;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		rest = line;
		login = ccdm_user_field(&rest);
		ccdm_user_field(&rest);
		if (!ccdm_user_number(ccdm_user_field(&rest), &uid) ||
		    !ccdm_user_number(ccdm_user_field(&rest), &gid))
			continue;
		if (want->numeric || !want->text[0] ? uid != want->number
						    : strcmp(login, want->text) != 0)
			continue;
		ccdm_user_field(&rest);
		home = ccdm_user_field(&rest);
		user->uid = uid;
		user->gid = gid;
		if (*home == '/' && strlen(home) < sizeof(user->home))
			memcpy(user->home, home, strlen(home) + 1);
		snprintf(name, room, "%s", login);
		return true;
	}
	return false;
}

/* Is a name in a list that commas divide? */
static bool ccdm_user_member(char *list, const char *name)
{
	char *save = NULL, *one;

	for (one = strtok_r(list, ",", &save); one; one = strtok_r(NULL, ",", &save))
		if (!strcmp(one, name))
			return true;
	return false;
}

/* NAME:PASSWORD:GID:MEMBER,... With a @want its number, else all groups of the user @name. */
static bool ccdm_user_group(char *text, const struct ccdm_user_half *want, const char *name,
			    struct ccdm_user *user)
{
	char *line, *rest, *save = NULL, *group;
	uint32_t gid;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		rest = line;
		group = ccdm_user_field(&rest);
		ccdm_user_field(&rest);
		if (!ccdm_user_number(ccdm_user_field(&rest), &gid))
			continue;
		if (!want->text[0]) {
			if (*name && ccdm_user_member(ccdm_user_field(&rest), name))
				ccdm_json_add(&user->groups, json_integer(gid));
		} else if (want->numeric ? gid == want->number : !strcmp(group, want->text)) {
			user->gid = gid;
			return true;
		}
	}
	return false;
}

static int ccdm_user_split(const char *spec, struct ccdm_user_half *user,
			   struct ccdm_user_half *group, struct ccdm_err *err)
{
	size_t n = strcspn(spec, ":");
	const char *rest = spec[n] ? spec + n + 1 : "";
	int r;

	if (n >= sizeof(user->text) || strlen(rest) >= sizeof(group->text) || strchr(rest, ':'))
		return ccdm_err_set(err, -EINVAL, "user '%.80s': expected USER or USER:GROUP",
				    spec);
	memcpy(user->text, spec, n);
	memcpy(group->text, rest, strlen(rest) + 1);
	r = ccdm_user_half("user", user, err);
	return r ? r : ccdm_user_half("group", group, err);
}

int ccdm_user_resolve(const char *spec, const struct ccdm_rootfs *fs, struct ccdm_user *user,
		      struct ccdm_err *err)
{
	struct ccdm_user_half who = { .number = 0 }, group = { .number = 0 };
	char *text, name[256] = "";
	bool found;
	int r;

	*user = (struct ccdm_user){ .groups = json_array(), .home = "/" };
	r = user->groups ? ccdm_user_split(spec, &who, &group, err) : ccdm_err_memory(err);
	if (r)
		return r;
	r = ccdm_user_file(fs, "/etc/passwd", &text, err);
	if (r)
		return r;
	user->uid = who.number;
	found = text && ccdm_user_passwd(text, &who, user, name, sizeof(name));
	free(text);
	if (!found && who.text[0] && !who.numeric)
		return ccdm_err_set(err, -EINVAL, "the image's /etc/passwd has no user %s",
				    who.text);
	r = ccdm_user_file(fs, "/etc/group", &text, err);
	if (r)
		return r;
	found = text && ccdm_user_group(text, &group, name, user);
	free(text);
	if (!found && group.text[0] && !group.numeric)
		return ccdm_err_set(err, -EINVAL, "the image's /etc/group has no group %s",
				    group.text);
	if (!found && group.numeric)
		user->gid = group.number;
	return user->groups ? 0 : ccdm_err_memory(err);
}
