// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* broker_here.c - see broker_here.h */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "broker_here.h"
#include "manifest_disk.h"
#include "policy_text.h"
#include "program.h"

#define HERE_PATIENCE 20000 /* ms that the daemon has to start */
#define HERE_LOG      1500  /* bytes of the end of its log */
#define HERE_CA_MAX   65536

/* ---- keys, folders, programs ---------------------------------------------------------------- */

/* In the folder of this program, as after "make"; else in PATH. */
static int here_find(const char *name, char path[PATH_MAX], struct ccdm_err *err)
{
	struct ccdm_program_found found;
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;
	int r;

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash &&
	    snprintf(slash + 1, (size_t)(PATH_MAX - (slash + 1 - path)), "%s", name) <
		    PATH_MAX - (slash + 1 - path) &&
	    !access(path, X_OK))
		return 0;
	r = ccdm_program_find(name, &found, err);
	if (!r)
		snprintf(path, PATH_MAX, "%s", found.path);
	return r;
}

/* A folder and those above it, as mkdir -p makes them. */
static int here_folder(const char *path, struct ccdm_err *err)
{
	char part[PATH_MAX];
	const char *p = path;

	do {
		p = strchr(p + 1, '/');
		snprintf(part, sizeof(part), "%.*s", p ? (int)(p - path) : (int)strlen(path), path);
		if (mkdir(part, 0700) && errno != EEXIST)
			return ccdm_err_set(err, -errno, "%s: %s", part, strerror(errno));
	} while (p);
	return 0;
}

static int here_home(struct ccdm_broker_here *b, struct ccdm_err *err)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	int n;

	if (data && *data == '/')
		n = snprintf(b->home, sizeof(b->home), "%s/ccdm/broker-here", data);
	else if (home && *home == '/')
		n = snprintf(b->home, sizeof(b->home), "%s/.local/share/ccdm/broker-here", home);
	else
		return ccdm_err_set(err, -EINVAL, "HOME: expected the path of a folder");
	/* (file names are added, and ccdm-brokerd has shorter ones) */
	if (n > 200)
		return ccdm_err_set(err, -EINVAL, "%s: too long for the broker's keys", b->home);
	snprintf(b->ca, sizeof(b->ca), "%.200s/ca.pem", b->home);
	return here_folder(b->home, err);
}

static int here_conf(struct ccdm_broker_here *b, uint16_t port, struct ccdm_err *err)
{
	char *text;
	int r, n = asprintf(&text,
			    "[server]\nlisten = 127.0.0.1\nport = %u\n"
			    "certificate = %s/server.pem\nkey = %s/server.key\n"
			    "[broker]\nstate = %s/state\nkey_file = %s/secrets.key\n"
			    "token_key = %s/token.key\ntrust = %s/trust\nadmin = %s/admin.sock\n",
			    port, b->home, b->home, b->dir, b->home, b->home, b->dir, b->dir);

	if (n < 0)
		return ccdm_err_memory(err);
	snprintf(b->conf, sizeof(b->conf), "%s/brokerd.conf", b->dir);
	r = ccdm_file_write(b->conf, text, (size_t)n, 0600, err);
	free(text);
	return r;
}

static int here_tool(const struct ccdm_broker_here *b, const char *const *words, char **output,
		     struct ccdm_err *err)
{
	const char *argv[12] = { b->tool, "--config", b->conf };
	unsigned int n = 3;

	while (*words && n < 11)
		argv[n++] = *words++;
	argv[n] = NULL;
	return ccdm_program_run(argv, NULL, -1, output, err);
}

/* New keys; or a new certificate of the server for the keys that are there. */
static int here_keys(const struct ccdm_broker_here *b, struct ccdm_err *err)
{
	const char *const names[] = { "--name", CCDM_BROKER_HERE_HOST, "--name", "localhost" };
	const char *words[] = { "init", names[0], names[1], names[2], names[3], NULL };
	char *said = NULL;
	int r;

	if (!access(b->ca, F_OK))
		words[0] = "renew";
	r = here_tool(b, words, &said, err);
	free(said);
	return r;
}

int ccdm_broker_here_make(struct ccdm_broker_here *b, struct ccdm_err *err)
{
	static const char *const folders[] = { "state", "trust/tpm-keys", "trust/roots" };
	char path[PATH_MAX];
	size_t i;
	int r;

	r = here_find("ccdm-broker", b->tool, err);
	if (!r)
		r = here_find("ccdm-brokerd", b->brokerd, err);
	if (!r)
		r = here_home(b, err);
	for (i = 0; !r && i < ARRAY_SIZE(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", b->dir, folders[i]);
		r = here_folder(path, err);
	}
	if (!r)
		r = here_conf(b, CCDM_BROKER_HERE_PORT, err);
	return r ? r : here_keys(b, err);
}

/* ---- the image ---------------------------------------------------------------------------------- */

static int here_differs(const struct ccdm_broker_here *b, const char *disk, const char *what,
			struct ccdm_err *err)
{
	ccdm_err_hint(err, "build it with --broker https://" CCDM_BROKER_HERE_HOST ":%d --ca %s",
		      CCDM_BROKER_HERE_PORT, b->ca);
	return ccdm_err_set(err, -EINVAL, "%s: %s", disk, what);
}

/* The port of https://10.0.2.2:PORT; 0 for another address. */
static unsigned long here_port(const char *url)
{
	static const char begin[] = "https://" CCDM_BROKER_HERE_HOST;
	unsigned long port;
	char *end;

	if (strncmp(url, begin, sizeof(begin) - 1))
		return 0;
	url += sizeof(begin) - 1;
	if (!*url)
		return 443;
	port = *url == ':' ? strtoul(url + 1, &end, 10) : 0;
	return port && port < 65536 && !*end ? port : 0;
}

int ccdm_broker_here_match(const struct ccdm_broker_here *b, struct ccdm_bootable *disk,
			   uint16_t *port, struct ccdm_err *err)
{
	const struct ccdm_config *c = &disk->config;
	const char *name = disk->source.name;
	size_t size, has_size = 0;
	char *ca, *has = NULL, text[400];
	int r;

	if (disk->no_conf[0])
		return ccdm_err_set(err, -EINVAL, "%s: %s", name, disk->no_conf);
	if (!c->broker[0])
		return here_differs(b, name, "the image attests to no broker", err);
	*port = (uint16_t)here_port(c->broker);
	if (!*port) {
		snprintf(text, sizeof(text),
			 "the image attests to %s, and this broker is at https://%s:PORT",
			 c->broker, CCDM_BROKER_HERE_HOST);
		return here_differs(b, name, text, err);
	}
	if (!c->ca[0])
		return here_differs(b, name, "the image names no CA", err);
	r = ccdm_file_read(b->ca, HERE_CA_MAX, &ca, &size, err);
	if (r)
		return r;
	r = ccdm_bootable_initrd_file(c->ca, HERE_CA_MAX, &has, &has_size, disk, err);
	if (!r && (size != has_size || memcmp(ca, has, size)))
		r = here_differs(b, name, "the image has the CA of another broker", err);
	free(ca);
	free(has);
	return r;
}

int ccdm_broker_here_policy_of(const struct ccdm_broker_here *b, const struct ccdm_bootable *disk,
			       struct ccdm_err *err)
{
	struct ccdm_manifest m = { .product = "run", .base_svn = -1 };
	json_t *secrets = json_array();
	const struct ccdm_policy_words words = { .platform = CCDM_POLICY_TPM,
						 .manifest = &m,
						 .secrets = secrets };
	char *text = NULL, path[PATH_MAX], why[700];
	unsigned int i;
	int r = ccdm_manifest_predict(disk, &m.ids, &m.events, why, sizeof(why), err);

	if (!r && !json_object_get(m.ids, "tpm"))
		r = ccdm_err_set(err, -EINVAL, "%s: %s", disk->source.name, why);
	for (i = 0; i < disk->config.nr_secrets; i++)
		ccdm_json_add(&secrets, json_string(disk->config.secret[i].path));
	/* (a guest must satisfy a policy, and a policy must name a secret) */
	if (!i)
		ccdm_json_add(&secrets, json_string("default/run/none"));
	if (!r)
		r = secrets ? ccdm_policy_text(&words, &text, err) : ccdm_err_memory(err);
	snprintf(path, sizeof(path), "%s/run.policy.yaml", b->dir);
	if (!r)
		r = ccdm_file_write(path, text, strlen(text), 0600, err);
	if (!r)
		r = ccdm_broker_here_policy(b, path, err);
	free(text);
	json_decref(secrets);
	ccdm_manifest_drop(&m);
	return r;
}

/* ---- the daemon ----------------------------------------------------------------------------------- */

/* Read its messages until it says that it listens. */
static int here_listens(struct ccdm_broker_here *b, struct ccdm_err *err)
{
	int64_t end = ccdm_clock_ms() + HERE_PATIENCE, left;
	char text[1024] = "";
	size_t size = 0;
	ssize_t n;

	while (!strstr(text, "ccdm-brokerd: port ")) {
		struct pollfd fds[2] = { { .fd = b->messages, .events = POLLIN },
					 { .fd = ccdm_interrupt_fd(), .events = POLLIN } };

		if (ccdm_interrupted())
			return ccdm_interrupt_check(err);
		left = end - ccdm_clock_ms();
		n = left > 0 ? poll(fds, 2, (int)left) : 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (!n)
			return ccdm_err_set(err, -EIO, "ccdm-brokerd: did not start: %.300s", text);
		if (!fds[0].revents)
			continue;
		n = read(b->messages, text + size, sizeof(text) - 1 - size);
		if (n <= 0)
			return ccdm_err_set(err, -EIO, "ccdm-brokerd: ended: %.300s", text);
		size += (size_t)n;
		text[size] = '\0';
	}
	return 0;
}

int ccdm_broker_here_start(struct ccdm_broker_here *b, uint16_t port, struct ccdm_err *err)
{
	const char *const argv[] = { b->brokerd, "--config", b->conf, NULL };
	struct ccdm_child_fds fds = { .in = -1, .out = -1 };
	int r, messages[2];

	r = here_conf(b, port, err);
	if (r)
		return r;
	if (pipe2(messages, O_CLOEXEC))
		return ccdm_err_set(err, -errno, "pipe: %s", strerror(errno));
	fds.messages = messages[1];
	r = ccdm_child_start(&b->daemon, argv, b->dir, &fds, err);
	close(messages[1]);
	b->messages = messages[0];
	return r ? r : here_listens(b, err);
}

int ccdm_broker_here_policy(const struct ccdm_broker_here *b, const char *file,
			    struct ccdm_err *err)
{
	const char *const words[] = { "policy", "add", file, NULL };
	char *said = NULL;
	int r = here_tool(b, words, &said, err);

	free(said);
	return r;
}

int ccdm_broker_here_secret(const struct ccdm_broker_here *b, const char *path, const char *file,
			    struct ccdm_err *err)
{
	const char *const words[] = { "secret", "put", path, file, NULL };
	char *said = NULL;
	int r = here_tool(b, words, &said, err);

	free(said);
	return r;
}

int ccdm_broker_here_log(const struct ccdm_broker_here *b, char **text, struct ccdm_err *err)
{
	const char *const words[] = { "log", NULL };
	int r = here_tool(b, words, text, err);
	size_t size = r ? 0 : strlen(*text);
	char *from;

	if (size <= HERE_LOG)
		return r;
	from = strchr(*text + size - HERE_LOG, '\n');
	if (from)
		memmove(*text, from + 1, strlen(from + 1) + 1);
	return 0;
}

void ccdm_broker_here_end(struct ccdm_broker_here *b)
{
	ccdm_child_end(&b->daemon);
	if (b->messages >= 0)
		close(b->messages);
	b->messages = -1;
}
