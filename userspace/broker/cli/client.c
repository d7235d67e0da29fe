// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* client.c - see client.h */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/json.h"
#include "base/trace.h"
#include "base/ui.h"
#include "core/admin.h"
#include "client.h"

#define TIMEOUT 30 /* seconds to wait for an answer */

static int ccdm_client_open(const char *path, struct ccdm_err *err)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT };
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), e;

	if (strlen(path) >= sizeof(name.sun_path)) {
		close(fd);
		return ccdm_err_set(err, -ENAMETOOLONG, "%s: too long for a socket", path);
	}
	memcpy(name.sun_path, path, strlen(path) + 1);
	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) &&
	    !connect(fd, (struct sockaddr *)&name, sizeof(name)))
		return fd;
	e = errno;
	if (fd >= 0)
		close(fd);
	ccdm_err_hint(err, e == EACCES
				   ? "administrators need membership in the group of this socket"
				   : "check that ccdm-brokerd runs: systemctl status ccdm-brokerd");
	return ccdm_err_set(err, e == EACCES ? -EACCES : -ECONNREFUSED, "%s: %s", path,
			    strerror(e));
}

static bool ccdm_client_send(int fd, const char *text, size_t size)
{
	ssize_t n = 0;

	for (; size && n >= 0; text += n, size -= n)
		n = send(fd, text, size, MSG_NOSIGNAL);
	return !size;
}

/* Read one line. */
static json_t *ccdm_client_line(int fd)
{
	char *text = malloc(CCDM_ADMIN_MAX);
	size_t size = 0;
	ssize_t n;
	json_t *o;

	while (text && size < CCDM_ADMIN_MAX && !memchr(text, '\n', size) &&
	       (n = recv(fd, text + size, CCDM_ADMIN_MAX - size, 0)) > 0)
		size += n;
	o = text ? json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL) : NULL;
	free(text);
	return o;
}

/* Translate the exit code in the broker's answer back into an error. */
static int ccdm_client_error(enum ccdm_exit code)
{
	switch (code) {
	case CCDM_EXIT_PERMISSION:
		return -EACCES;
	case CCDM_EXIT_MEMORY:
		return -ENOMEM;
	case CCDM_EXIT_DEVICE:
		return -ENOENT;
	case CCDM_EXIT_BUSY:
		return -EEXIST;
	case CCDM_EXIT_USAGE:
		return -EINVAL;
	default:
		return -EIO;
	}
}

int ccdm_client_ask(const char *socket, json_t *question, json_t **answer, struct ccdm_err *err)
{
	char *text = question ? ccdm_json_dump(question, JSON_COMPACT) : NULL;
	const char *why;
	int fd, r = 0;

	*answer = NULL;
	/* print only the word: its parameters may hold a secret */
	if (question)
		ccdm_trace("admin: ask %s: %s", socket,
			   json_string_value(json_object_get(question, "do")));
	json_decref(question);
	if (!text)
		return ccdm_err_memory(err);
	fd = ccdm_client_open(socket, err);
	if (fd < 0)
		r = fd;
	else if (!ccdm_client_send(fd, text, strlen(text)) || !ccdm_client_send(fd, "\n", 1))
		r = ccdm_err_set(err, -EIO, "%s: cannot send the request to the broker", socket);
	OPENSSL_cleanse(text, strlen(text));
	free(text);
	if (!r) {
		*answer = ccdm_client_line(fd);
		if (!*answer)
			r = ccdm_err_set(err, -EIO, "%s: the broker did not answer", socket);
	}
	if (fd >= 0)
		close(fd);
	ccdm_trace("admin: %s", *answer ? "it answered" : "no answer");
	why = json_string_value(json_object_get(*answer, "error"));
	if (why) {
		r = ccdm_client_error(json_integer_value(json_object_get(*answer, "code")));
		ccdm_err_set(err, r, "%s", why);
		json_decref(*answer);
		*answer = NULL;
	}
	return r;
}

bool ccdm_client_there(const char *path)
{
	struct ccdm_err ignored = { 0 };
	int fd = ccdm_client_open(path, &ignored);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}
