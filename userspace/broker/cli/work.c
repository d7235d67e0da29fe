// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* work.c - see work.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "crypto/digest.h"
#include "base/json.h"
#include "store/audit.h"
#include "client.h"
#include "core/note.h"
#include "work.h"

/* A file name may hold any bytes, and cutting a long one may split a character. */
static json_t *ccdm_work_text(const char *text)
{
	char copy[CCDM_NOTE_TEXT + 1];

	snprintf(copy, sizeof(copy), "%s", text);
	ccdm_err_plain(copy);
	return json_string(copy);
}

static json_t *ccdm_work_note(const struct ccdm_work *w, const char *result, const char *why)
{
	json_t *o = json_pack("{s:s, s:s, s:o, s:s, s:s*}", "do", "note", "what", w->what, "name",
			      ccdm_work_text(w->name), "result", result, "hash",
			      w->hash[0] ? w->hash : NULL);

	if (why)
		ccdm_json_put(&o, "why", ccdm_work_text(why));
	if (w->lines >= 0)
		ccdm_json_put(&o, "lines", json_integer(w->lines));
	return o;
}

static int ccdm_work_read(const json_t *note, json_t **entry, struct ccdm_err *err)
{
	char who[32];

	*entry = NULL;
	if (!note)
		return ccdm_err_memory(err);
	snprintf(who, sizeof(who), "uid %u", getuid());
	return ccdm_note_read(note, who, entry, err);
}

int ccdm_work_entry(const struct ccdm_work *w, const char *result, json_t **entry,
		    struct ccdm_err *err)
{
	json_t *note = ccdm_work_note(w, result, NULL);
	int r = ccdm_work_read(note, entry, err);

	json_decref(note);
	return r;
}

int ccdm_work_own(const struct ccdm_conf *conf, const char *file, struct ccdm_err *err)
{
	struct stat st;

	/* lchown: the owner may have put a link in its place */
	if (stat(conf->state, &st) || (!geteuid() && lchown(file, st.st_uid, st.st_gid)))
		return ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	return 0;
}

/* Make sure that no daemon runs: take the log's lock, which a starting daemon needs, too. */
static int ccdm_work_alone(const struct ccdm_work *w, const json_t *note, struct ccdm_err *err)
{
	char log[CCDM_CONF_PATH + 32];
	struct ccdm_signer *signer = NULL;
	struct ccdm_audit *audit = NULL;
	json_t *entry;
	int r = ccdm_work_read(note, &entry, err);

	snprintf(log, sizeof(log), "%s/audit.log", w->conf->state);
	if (!r)
		r = ccdm_signer_load(w->conf->token_key, &signer, err);
	if (!r)
		r = ccdm_audit_open(log, signer, &audit, err);
	if (!r)
		r = ccdm_work_own(w->conf, log, err);
	if (!r)
		r = ccdm_audit_add(audit, time(NULL), "tool", json_incref(entry), err);
	ccdm_audit_close(audit);
	ccdm_signer_free(signer);
	json_decref(entry);
	return r;
}

static int ccdm_work_say(const struct ccdm_work *w, const char *result, const char *why,
			 struct ccdm_err *err)
{
	json_t *note = ccdm_work_note(w, result, why), *answer = NULL;
	struct ccdm_err nobody = { 0 };
	int r = ccdm_client_ask(w->conf->admin, json_incref(note), &answer, &nobody);

	json_decref(answer);
	if (r == -ECONNREFUSED)
		r = ccdm_work_alone(w, note, err);
	else if (r)
		*err = nobody;
	json_decref(note);
	return r;
}

int ccdm_work_begin(const struct ccdm_work *w, struct ccdm_err *err)
{
	return ccdm_work_say(w, "begun", NULL, err);
}

int ccdm_work_end(const struct ccdm_work *w, int r, struct ccdm_err *err)
{
	struct ccdm_err bad = { 0 }, why = *err;
	int n;

	if (r && !why.text[0])
		ccdm_err_text(&why, "%s", strerror(-r));
	n = ccdm_work_say(w, r ? "failed" : "done", r ? why.text : NULL, &bad);
	if (!n)
		return r;
	if (!r)
		return ccdm_err_set(err, n, "done, but not written to the audit log: %s", bad.text);
	return ccdm_err_set(err, r,
			    "%.240s; this failure could not be written to the audit log: %.200s",
			    why.text, bad.text);
}

int ccdm_work_hash(struct ccdm_work *w, struct ccdm_err *err)
{
	struct ccdm_digest d;
	int r = ccdm_digest_file(CCDM_ALG_SHA256, w->name, &d);

	if (r)
		return ccdm_err_set(err, r, "%s: %s", w->name, strerror(-r));
	ccdm_hex(d.bytes, 32, w->hash);
	return 0;
}
