// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* audit.c - see audit.h */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>
#include "base/ui.h"
#include "crypto/digest.h"
#include "base/json.h"
#include "audit.h"

struct ccdm_audit {
	int fd;
	const struct ccdm_signer *signer;
	uint64_t lines;
	off_t size;    /* bytes of complete lines */
	bool torn;     /* an incomplete line follows them */
	char prev[65]; /* hash of the last line */
};

static int ccdm_audit_hash(const char *line, size_t size, char hex[65])
{
	struct ccdm_digest d;
	int r = ccdm_digest_of(CCDM_ALG_SHA256, line, size, NULL, 0, &d);

	if (!r)
		ccdm_hex(d.bytes, 32, hex);
	return r;
}

/* Must the next line be a signed head? */
static bool ccdm_audit_due(uint64_t lines)
{
	return lines % CCDM_AUDIT_HEAD == CCDM_AUDIT_HEAD - 1;
}

/* ---- reading ------------------------------------------------------------------ */

/* Verify a head: it signs the hash of the line before it and the number of lines. */
static bool ccdm_audit_head(const struct ccdm_signer *signer, const json_t *entry, const char *prev,
			    uint64_t lines)
{
	const char *token = json_string_value(json_object_get(entry, "signature")), *hash;
	json_t *claims;
	bool good;

	if (!token || ccdm_token_verify(signer, token, 0, &claims))
		return false;
	hash = json_string_value(json_object_get(claims, "prev"));
	/* coverage: a matching hash implies the number of lines */
	good = hash && !strcmp(hash, prev) &&
	       json_integer_value(json_object_get(claims, "lines")) == (json_int_t)lines;
	json_decref(claims);
	return good;
}

static bool ccdm_audit_line(const struct ccdm_signer *signer, const char *line, size_t size,
			    const char *prev, uint64_t lines)
{
	json_t *entry = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
	const char *said = json_string_value(json_object_get(entry, "prev"));
	const char *event = json_string_value(json_object_get(entry, "event"));
	bool good = said && event && !strcmp(said, prev), head = good && !strcmp(event, "head");

	/*
	 * A head stands at each due line and nowhere else, so nobody without the key can omit
	 * heads.
	 */
	if (good && head != ccdm_audit_due(lines))
		good = false;
	if (good && head && signer)
		good = ccdm_audit_head(signer, entry, prev, lines);
	json_decref(entry);
	return good;
}

static int ccdm_audit_walk(FILE *f, const char *file, const struct ccdm_signer *signer,
			   uint64_t *lines, char prev[65], struct ccdm_err *err)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int r = 0;

	*lines = 0;
	memset(prev, '0', 64);
	prev[64] = '\0';
	while (!r && (n = getline(&line, &room, f)) > 0) {
		bool whole = line[n - 1] == '\n' && n <= CCDM_AUDIT_LINE;

		if (!whole || !ccdm_audit_line(signer, line, n - 1, prev, *lines))
			r = ccdm_err_set(
				err, -EBADMSG,
				ccdm_audit_due(*lines)
					? "%s: line %llu: expected a signed head of the lines before it"
					: "%s: line %llu does not continue the hash chain",
				file, (unsigned long long)*lines + 1);
		else
			r = ccdm_audit_hash(line, n - 1, prev);
		++*lines;
	}
	free(line);
	return r;
}

int ccdm_audit_verify(const char *file, const struct ccdm_signer *signer, uint64_t *lines,
		      struct ccdm_err *err)
{
	FILE *f = fopen(file, "re");
	char prev[65];
	int r;

	if (!f)
		return ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	r = ccdm_audit_walk(f, file, signer, lines, prev, err);
	fclose(f);
	return r;
}

void ccdm_audit_close(struct ccdm_audit *a)
{
	if (a && a->fd >= 0)
		close(a->fd);
	free(a);
}

/* ---- writing ---------------------------------------------------------------------- */

/*
 * Write the whole line or nothing. If the disk is full, cut off the part that was written: now or,
 * if that fails, before the next line.
 */
static int ccdm_audit_append(struct ccdm_audit *a, const char *line, int n)
{
	int r;

	/* coverage: needs two failing calls in a row; tests/program/faults makes one call fail */
	if (a->torn && ftruncate(a->fd, a->size))
		return -EIO;
	errno = ENOSPC; /* for a line that is written in part */
	a->torn = write(a->fd, line, n) != n || fdatasync(a->fd);
	if (!a->torn) {
		a->size += n;
		return 0;
	}
	r = -errno;
	a->torn = ftruncate(a->fd, a->size);
	return r;
}

/* Remove the largest member; the member "cut" receives its name and its size in bytes. */
static int ccdm_audit_cut(json_t *entry)
{
	json_t *cut = json_object_get(entry, "cut"), *value;
	const char *key, *name = NULL;
	size_t size, most = 0;

	json_object_foreach(entry, key, value)
	{
		size = json_dumpb(value, NULL, 0,
				  JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
		if (value != cut && size > most) {
			most = size;
			name = key;
		}
	}
	if (!cut) {
		cut = json_object();
		if (!cut || json_object_set_new(entry, "cut", cut))
			return -ENOMEM;
	}
	if (!name || json_object_set_new(cut, name, json_integer((json_int_t)most)))
		return -ENOMEM;
	return json_object_del(entry, name) ? -ENOMEM : 0;
}

int ccdm_audit_shorten(json_t *entry, size_t most)
{
	int r = 0;

	while (!r && json_dumpb(entry, NULL, 0, JSON_COMPACT | JSON_ENSURE_ASCII) > most)
		r = ccdm_audit_cut(entry);
	return r;
}

/* Format the entry as a line. While the line is too long, remove the entry's largest member. */
static int ccdm_audit_text(json_t *entry, char **line)
{
	char *text;
	int n;

	for (;;) {
		text = ccdm_json_dump(entry, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
		n = text ? (int)strlen(text) + 1 : -ENOMEM;
		if (n <= CCDM_AUDIT_LINE)
			break;
		free(text);
		n = ccdm_audit_cut(entry);
		if (n)
			return n;
	}
	if (text && asprintf(line, "%s\n", text) != n)
		n = -ENOMEM;
	free(text);
	return n;
}

static int ccdm_audit_write(struct ccdm_audit *a, int64_t now, const char *event, json_t *entry)
{
	char date[32], prev[sizeof(a->prev)], *line = NULL;
	int r = -ENOMEM, n = -1;

	if (entry && !json_object_set_new(entry, "time", json_string(ccdm_ui_date(now, date))) &&
	    !json_object_set_new(entry, "event", json_string(event)) &&
	    !json_object_set_new(entry, "prev", json_string(a->prev)))
		n = ccdm_audit_text(entry, &line);
	json_decref(entry);
	if (n > 0)
		r = ccdm_audit_hash(line, n - 1, prev);
	if (!r)
		r = ccdm_audit_append(a, line, n);
	if (!r) {
		a->lines++;
		memcpy(a->prev, prev, sizeof(prev));
	}
	if (n > 0)
		free(line);
	return r;
}

/* Write a head if one is due. */
static int ccdm_audit_sign(struct ccdm_audit *a, int64_t now)
{
	json_t *claims, *entry = NULL;
	char *token = NULL;

	if (!ccdm_audit_due(a->lines))
		return 0;
	claims = json_pack("{s:s, s:I, s:I}", "prev", a->prev, "lines", (json_int_t)a->lines, "exp",
			   (json_int_t)INT64_MAX);
	if (claims && !ccdm_token_sign(a->signer, claims, &token))
		entry = json_pack("{s:s}", "signature", token);
	free(token);
	json_decref(claims);
	return ccdm_audit_write(a, now, "head", entry);
}

int ccdm_audit_add(struct ccdm_audit *a, int64_t now, const char *event, json_t *entry,
		   struct ccdm_err *err)
{
	int r = ccdm_audit_sign(a, now); /* write the head that an earlier call could not write */

	if (r)
		json_decref(entry);
	else
		r = ccdm_audit_write(a, now, event, entry);
	if (!r)
		r = ccdm_audit_sign(a, now);
	return r ? ccdm_err_set(err, r, "the audit log: %s", strerror(-r)) : 0;
}

const char *ccdm_audit_end(const struct ccdm_audit *a, uint64_t *lines)
{
	*lines = a->lines;
	return a->prev;
}

/* ---- opening ------------------------------------------------------------------ */

/*
 * Cut off an incomplete last line, which a power failure can leave. *@torn: its bytes, for the log.
 */
static int ccdm_audit_mend(int fd, off_t *torn)
{
	off_t size = lseek(fd, 0, SEEK_END), at;
	char last = '\n';

	*torn = 0;
	for (at = size; at > 0 && size - at <= CCDM_AUDIT_LINE; at--) {
		if (pread(fd, &last, 1, at - 1) != 1)
			return -EIO;
		if (last == '\n')
			break;
	}
	*torn = size - at;
	if (*torn > CCDM_AUDIT_LINE)
		return -EBADMSG; /* longer than any line of this broker */
	/* coverage: a file that can be written but not truncated */
	return *torn && ftruncate(fd, at) ? -errno : 0;
}

int ccdm_audit_open(const char *file, const struct ccdm_signer *signer, struct ccdm_audit **audit,
		    struct ccdm_err *err)
{
	struct ccdm_audit *a = calloc(1, sizeof(*a));
	FILE *f = NULL;
	off_t torn = 0;
	int r = 0;

	*audit = NULL;
	if (!a)
		return ccdm_err_memory(err);
	a->signer = signer;
	a->fd = open(file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (a->fd < 0)
		r = ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	else if (flock(a->fd, LOCK_EX | LOCK_NB))
		r = ccdm_err_set(err, -EBUSY, "%s: another broker is writing to it", file);
	else if (ccdm_audit_mend(a->fd, &torn))
		r = ccdm_err_set(err, -EIO, "%s: cannot read its last line", file);
	else
		f = fopen(file, "re");
	if (!r && !f)
		r = ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	if (!r)
		r = ccdm_audit_walk(f, file, signer, &a->lines, a->prev, err);
	if (f)
		fclose(f);
	if (!r) {
		a->size = lseek(a->fd, 0, SEEK_END);
		r = a->size < 0 ? ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno)) : 0;
	}
	if (!r && torn)
		r = ccdm_audit_add(a, time(NULL), "torn",
				   json_pack("{s:I}", "bytes", (json_int_t)torn), err);
	if (r) {
		ccdm_audit_close(a);
		return r;
	}
	*audit = a;
	return 0;
}
