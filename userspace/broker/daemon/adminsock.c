// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* adminsock.c - see adminsock.h */
#include <errno.h>
#include <libgen.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "base/json.h"
#include "core/admin.h"
#include "adminsock.h"

struct ccdm_adminsock {
	struct evconnlistener *listener;
	struct ccdm_broker *broker;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static void ccdm_adminsock_who(struct bufferevent *bev, char who[32])
{
	socklen_t size = sizeof(struct ucred);
	struct ucred cred;

	if (getsockopt(bufferevent_getfd(bev), SOL_SOCKET, SO_PEERCRED, &cred, &size))
		snprintf(who, 32, "unknown");
	else
		snprintf(who, 32, "uid %u", cred.uid);
}

/* Return: whether the request has been answered. */
static bool ccdm_adminsock_line(struct bufferevent *bev, struct ccdm_broker *b, char *line,
				size_t size)
{
	char who[32], *text;
	json_t *answer;
	bool good;

	ccdm_adminsock_who(bev, who);
	answer = ccdm_admin_answer(b, line, size, who, time(NULL));
	text = answer ? ccdm_json_dump(answer, JSON_COMPACT) : NULL;
	json_decref(answer);
	good = text && !bufferevent_write(bev, text, strlen(text)) &&
	       !bufferevent_write(bev, "\n", 1);
	free(text);
	return good;
}

static void ccdm_adminsock_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct ccdm_adminsock *s = arg;
	bool good = true;
	size_t size;
	char *line;

	while (good && (line = evbuffer_readln(in, &size, EVBUFFER_EOL_LF))) {
		good = ccdm_adminsock_line(bev, s->broker, line, size);
		OPENSSL_clear_free(line, size);
	}
	if (!good || evbuffer_get_length(in) > CCDM_ADMIN_MAX)
		bufferevent_free(bev);
}

static void ccdm_adminsock_event(struct bufferevent *bev, short what, void *arg)
{
	(void)what;
	(void)arg;
	bufferevent_free(bev);
}

static void ccdm_adminsock_accept(struct evconnlistener *listener, evutil_socket_t fd,
				  struct sockaddr *name, int size, void *arg)
{
	struct bufferevent *bev = bufferevent_socket_new(evconnlistener_get_base(listener), fd,
							 BEV_OPT_CLOSE_ON_FREE);

	(void)name;
	(void)size;
	if (!bev) {
		close(fd);
		return;
	}
	bufferevent_setcb(bev, ccdm_adminsock_read, NULL, ccdm_adminsock_event, arg);
	if (bufferevent_enable(bev, EV_READ | EV_WRITE))
		bufferevent_free(bev);
}

int ccdm_adminsock_new(struct event_base *base, const char *path, struct ccdm_broker *broker,
		       struct ccdm_adminsock **sock, struct ccdm_err *err)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct ccdm_adminsock *s = calloc(1, sizeof(*s));
	mode_t mask;

	*sock = NULL;
	if (!s)
		return ccdm_err_memory(err);
	if (strlen(path) >= sizeof(name.sun_path)) {
		free(s);
		return ccdm_err_set(err, -ENAMETOOLONG, "%s: too long for a socket", path);
	}
	snprintf(s->path, sizeof(s->path), "%s", path);
	/* /run is empty after each boot, and without systemd nothing creates the directory. */
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	mkdir(dirname(name.sun_path), 0750);
	memcpy(name.sun_path, s->path, sizeof(name.sun_path));
	s->broker = broker;
	unlink(path);
	mask = umask(0117);
	s->listener = evconnlistener_new_bind(base, ccdm_adminsock_accept, s,
					      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 16,
					      (struct sockaddr *)&name, sizeof(name));
	umask(mask);
	if (!s->listener) {
		free(s);
		return ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno));
	}
	*sock = s;
	return 0;
}

void ccdm_adminsock_free(struct ccdm_adminsock *s)
{
	if (!s)
		return;
	evconnlistener_free(s->listener);
	unlink(s->path);
	free(s);
}
