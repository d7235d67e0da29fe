// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* brokerd.c - ccdm-brokerd: the daemon, from its configuration to its end */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include "base/compiler.h"
#include "adminsock.h"
#include "base/options.h"
#include "base/trace.h"
#include "base/ui.h"
#include "core/conf.h"
#include "core/protocol.h"
#include "notify.h"
#include "server.h"
#include "trust_watch.h"

#define PROGRAM "ccdm-brokerd"
#define PRUNE	60 /* seconds between two prunings, and between two log lines that count refusals */

struct ccdm_daemon {
	const char *file;
	struct ccdm_conf conf;
	char state[CCDM_CONF_PATH]; /* a reload does not change it */
	struct event_base *base;
	struct ccdm_broker broker;
	struct ccdm_keys *keys;
	struct ccdm_signer *signer;
	struct ccdm_trust_dir *trust;
	struct ccdm_server *server;
	struct ccdm_adminsock *admin;
	struct event *end[2], *hup, *prune, *alive;
	struct ccdm_trust_watch watch;
};

/* ---- memory and configuration -------------------------------------------------- */

/* Wipe all memory of JSON and of connections' buffers: it may have held a secret. */
static void brokerd_free(void *p)
{
	if (p)
		OPENSSL_cleanse(p, malloc_usable_size(p));
	free(p);
}

/* Never resize in place: realloc() could leave the old content in freed memory. */
static void *brokerd_realloc(void *p, size_t size)
{
	size_t had = p ? malloc_usable_size(p) : 0;
	void *more = size ? ccdm_malloc_or_exit(size) : NULL;

	if (more && p)
		memcpy(more, p, had < size ? had : size);
	brokerd_free(p);
	return more;
}

static void brokerd_policy(struct ccdm_daemon *d)
{
	d->broker.keys = d->keys;
	d->broker.trust = d->trust;
	ccdm_store_keys(d->broker.store, d->keys);
	ccdm_broker_reloaded(&d->broker); /* what a removed key protected no longer counts */
	d->broker.versions = ccdm_conf_versions(&d->conf);
	d->broker.quota.limits = ccdm_conf_limits(&d->conf);
	d->broker.quota.directory = d->state;
	d->broker.nonce_lifetime = (int)d->conf.nonce_lifetime;
	d->broker.session_lifetime = (int)d->conf.session_lifetime;
}

static int brokerd_state(struct ccdm_daemon *d, struct ccdm_err *err)
{
	char path[CCDM_CONF_PATH + 32];
	int r;

	ccdm_trace("state: %s", d->conf.state);
	memcpy(d->state, d->conf.state, sizeof(d->state));
	snprintf(path, sizeof(path), "%s/broker.db", d->conf.state);
	r = ccdm_store_open(path, d->keys, &d->broker.store, err);
	snprintf(path, sizeof(path), "%s/audit.log", d->conf.state);
	if (!r)
		r = ccdm_audit_open(path, d->signer, &d->broker.audit, err);
	return r;
}

static void brokerd_answer(const struct ccdm_request *q, struct ccdm_reply *a, void *arg)
{
	struct ccdm_daemon *d = arg;

	ccdm_protocol_answer(&d->broker, q, a);
	ccdm_trace("request: %s: %s %s, %zu bytes: status %d", q->peer, q->post ? "POST" : "GET",
		   q->path, q->size, a->status);
}

/* Log an event of the daemon itself. @why: the error, or NULL after a success. */
static void brokerd_note(struct ccdm_daemon *d, const char *what, const char *why)
{
	struct ccdm_err err;

	if (ccdm_broker_refusals(&d->broker, time(NULL), &err) ||
	    ccdm_audit_add(d->broker.audit, time(NULL), "daemon",
			   json_pack("{s:s, s:s, s:s?}", "do", what, "result",
				     why ? "failed" : "done", "why", why),
			   &err))
		fprintf(stderr, PROGRAM ": %s\n", err.text);
}

/* ---- while it runs -------------------------------------------------------------- */

static void brokerd_end(evutil_socket_t fd, short what, void *arg)
{
	struct ccdm_daemon *d = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(d->base);
}

/* Read what both the start and a reload need. */
static int brokerd_read(const char *file, struct ccdm_conf *conf, struct ccdm_keys **keys,
			struct ccdm_trust_dir **trust, struct ccdm_err *err)
{
	int r;

	ccdm_trace("configuration: %s", file);
	r = ccdm_conf_load(file, conf, err);
	if (r)
		return r;
	ccdm_trace("keys: %s", conf->key_file);
	r = ccdm_keys_load(conf->key_file, keys, err);
	if (r)
		return r;
	ccdm_trace("trust: %s", conf->trust);
	return ccdm_trust_load(conf->trust, trust, err);
}

/* Say so if there are fewer connections than in the configuration. */
static void brokerd_connections(const struct ccdm_daemon *d)
{
	unsigned int most = ccdm_server_connections(d->server);

	if (most < d->conf.max_connections)
		fprintf(stderr,
			PROGRAM
			": warning: max_connections: %llu connections need more open files "
			"than this process may have: accepting %u; raise LimitNOFILE of the unit\n",
			(unsigned long long)d->conf.max_connections, most);
}

/* Reload configuration, keys, certificates and trust. After an error all old values stay in use. */
static void brokerd_reload(evutil_socket_t fd, short what, void *arg)
{
	struct ccdm_daemon *d = arg;
	struct ccdm_trust_dir *trust = NULL;
	struct ccdm_keys *keys = NULL;
	struct ccdm_err err = { 0 };
	struct ccdm_conf conf;
	int r;

	(void)fd;
	(void)what;
	ccdm_trace("reload");
	d->broker.life.reloaded = time(NULL);
	r = brokerd_read(d->file, &conf, &keys, &trust, &err);
	if (!r)
		r = ccdm_server_reload(d->server, &conf, &err);
	snprintf(d->broker.life.why, sizeof(d->broker.life.why), "%s", r ? err.text : "");
	if (r) {
		ccdm_keys_free(keys);
		ccdm_trust_free(trust);
		brokerd_note(d, "reload", err.text);
		fprintf(stderr, PROGRAM ": not reloaded: %s\n", err.text);
		return;
	}
	ccdm_keys_free(d->keys);
	ccdm_trust_free(d->trust);
	d->keys = keys;
	d->trust = trust;
	d->conf = conf;
	brokerd_connections(d);
	brokerd_policy(d);
	brokerd_note(d, "reload", NULL);
	d->broker.trust_state = ccdm_trust_watch(&d->watch, d->trust, false, PROGRAM);
	fprintf(stderr, PROGRAM ": reloaded\n");
}

static void brokerd_prune(evutil_socket_t fd, short what, void *arg)
{
	struct ccdm_daemon *d = arg;
	struct ccdm_err err = { 0 };

	(void)fd;
	(void)what;
	ccdm_trace_debug("look at what has expired");
	if (ccdm_store_sessions_prune(d->broker.store, time(NULL), &err))
		fprintf(stderr, PROGRAM ": %s\n", err.text);
	if (ccdm_broker_refusals(&d->broker, time(NULL), &err))
		fprintf(stderr, PROGRAM ": %s\n", err.text);
	d->broker.trust_state = ccdm_trust_watch(&d->watch, d->trust, true, PROGRAM);
}

/* The loop runs. */
static void brokerd_alive(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	ccdm_notify("WATCHDOG=1");
}

static int brokerd_watchdog(struct ccdm_daemon *d, struct ccdm_err *err)
{
	uint64_t us = ccdm_notify_watchdog();
	const struct timeval every = { .tv_sec = (time_t)(us / 1000000),
				       .tv_usec = (suseconds_t)(us % 1000000) };

	if (!us)
		return 0;
	d->alive = event_new(d->base, -1, EV_PERSIST, brokerd_alive, d);
	return d->alive && !evtimer_add(d->alive, &every) ? 0 : ccdm_err_memory(err);
}

static int brokerd_events(struct ccdm_daemon *d, struct ccdm_err *err)
{
	const struct timeval every = { .tv_sec = PRUNE };

	d->end[0] = evsignal_new(d->base, SIGTERM, brokerd_end, d);
	d->end[1] = evsignal_new(d->base, SIGINT, brokerd_end, d);
	d->hup = evsignal_new(d->base, SIGHUP, brokerd_reload, d);
	d->prune = event_new(d->base, -1, EV_PERSIST, brokerd_prune, d);
	if (!d->end[0] || !d->end[1] || !d->hup || !d->prune || evsignal_add(d->end[0], NULL) ||
	    evsignal_add(d->end[1], NULL) || evsignal_add(d->hup, NULL) ||
	    evtimer_add(d->prune, &every))
		return ccdm_err_memory(err);
	return brokerd_watchdog(d, err);
}

/* ---- start and end ----------------------------------------------------------------- */

/* Load everything that --check examines; this works while another daemon runs. */
static int brokerd_load(struct ccdm_daemon *d, struct ccdm_err *err)
{
	int r = brokerd_read(d->file, &d->conf, &d->keys, &d->trust, err);

	if (!r)
		r = ccdm_signer_load(d->conf.token_key, &d->signer, err);
	d->broker.signer = d->signer;
	return r ? r : ccdm_server_check(&d->conf, err);
}

static int brokerd_start(struct ccdm_daemon *d, struct ccdm_err *err)
{
	int r;

	d->base = event_base_new();
	r = d->base ? brokerd_state(d, err) : ccdm_err_memory(err);
	if (r)
		return r;
	brokerd_policy(d);
	r = brokerd_events(d, err);
	if (!r)
		r = ccdm_adminsock_new(d->base, d->conf.admin, &d->broker, &d->admin, err);
	if (!r)
		r = ccdm_server_new(d->base, &d->conf, brokerd_answer, d, &d->server, err);
	if (!r) {
		ccdm_server_count(d->server, &d->broker.refusals);
		d->broker.life.started = time(NULL);
		brokerd_note(d, "start", NULL);
		d->broker.trust_state = ccdm_trust_watch(&d->watch, d->trust, false, PROGRAM);
		brokerd_connections(d);
		fprintf(stderr, PROGRAM ": port %u\n", ccdm_server_port(d->server));
		ccdm_notify("READY=1");
	}
	return r;
}

static void brokerd_stop(struct ccdm_daemon *d)
{
	struct event *events[] = { d->end[0], d->end[1], d->hup, d->prune, d->alive };
	size_t i;

	ccdm_server_free(d->server);
	ccdm_adminsock_free(d->admin);
	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i])
			event_free(events[i]);
	if (d->base)
		event_base_free(d->base);
	ccdm_broker_drop(&d->broker);
	ccdm_audit_close(d->broker.audit);
	ccdm_store_close(d->broker.store);
	ccdm_trust_free(d->trust);
	ccdm_signer_free(d->signer);
	ccdm_keys_free(d->keys);
}

/* Values of the command line. */
struct brokerd_args {
	const char *file;
	bool check;
};

static const struct ccdm_option brokerd_options[] = {
	{ "config", 0, 'c', "FILE", "read FILE instead of " CCDM_CONF_FILE, "@file", NULL },
	{ "check", 0, 'n', NULL, "check the configuration and every file that it names", NULL,
	  NULL },
	{ 0 },
};

/* The program has no verbs: a single entry describes its options. */
static const struct ccdm_verb *brokerd_verb(unsigned int number)
{
	static const struct ccdm_verb verb = {
		.name = "",
		.usage = "",
		.summary = "verify evidence, evaluate policies, release secrets",
		.text = "On SIGHUP it reads configuration, keys, certificates and trust directory again.\n"
			"man 8 " PROGRAM "\n",
		.options = brokerd_options,
	};

	return number ? NULL : &verb;
}

static const struct ccdm_program brokerd_program = { .name = PROGRAM,
						     .manual = "man 8 " PROGRAM,
						     .verb = brokerd_verb };

static enum ccdm_exit brokerd_take(int id, void *arg)
{
	struct brokerd_args *a = arg;

	if (id == 'c')
		a->file = optarg;
	else
		a->check = true;
	return CCDM_EXIT_OK;
}

static int brokerd_run(struct ccdm_daemon *d, bool check, struct ccdm_err *err)
{
	int r = brokerd_load(d, err);

	if (r || check)
		return r;
	r = brokerd_start(d, err);
	if (r)
		return r;
	/* coverage: libevent's loop fails instead of ending */
	if (event_base_dispatch(d->base) < 0)
		r = ccdm_err_set(err, -EIO, "the event loop ended unexpectedly");
	/* Close the connections first: refusals up to now are logged before "stop". */
	ccdm_server_free(d->server);
	d->server = NULL;
	ccdm_trace("stop");
	ccdm_notify("STOPPING=1");
	brokerd_note(d, "stop", r ? err->text : NULL);
	return r;
}

int main(int argc, char **argv)
{
	struct brokerd_args a = { .file = CCDM_CONF_FILE };
	const struct ccdm_verb *verb;
	struct ccdm_daemon d = { 0 };
	struct ccdm_err err = { 0 };
	enum ccdm_exit e;
	int r;

	verb = ccdm_verb_find(&brokerd_program, &argc, argv, &e);
	if (!verb || !ccdm_options(&brokerd_program, verb, argc, argv, brokerd_take, &a, &e))
		return ccdm_ui_end(PROGRAM, e);
	d.file = a.file;
	/* No core dump, and no access by a debugger. */
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGPIPE, SIG_IGN);
	json_set_alloc_funcs(malloc, brokerd_free);
	/*
	 * Out of memory in libevent ends the daemon; systemd restarts it. All state is on the disk.
	 */
	event_set_mem_functions(ccdm_malloc_or_exit, brokerd_realloc, brokerd_free);
	r = brokerd_run(&d, a.check, &err);
	brokerd_stop(&d);
	return r ? (int)ccdm_ui_fail(PROGRAM, &err, r) : CCDM_EXIT_OK;
}
