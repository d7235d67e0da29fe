// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* eventlog.c - see eventlog.h */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/bytes.h"
#include "eventlog.h"
#include "base/json.h"

#define CCDM_RS 0x1e

/* ---- writing ------------------------------------------------------------- */

static json_t *ccdm_eventlog_json(const struct ccdm_event *event)
{
	json_t *digests = json_array(), *record;
	char hex[2 * CCDM_DIGEST_MAX + 1];
	unsigned int i;

	for (i = 0; i < event->digests.count; i++) {
		const struct ccdm_digest *d = &event->digests.digest[i];
		const char *name = ccdm_digest_name(d->alg);

		if (!name)
			continue; /* no verifier could replay this bank */
		ccdm_hex(d->bytes, d->size, hex);
		ccdm_json_add(&digests, json_pack("{s:s, s:s}", "hashAlg", name, "digest", hex));
	}
	record = json_pack("{s:i, s:o, s:s, s:{s:s}}", event->rtmr ? "rtmr" : "pcr",
			   (int)event->index, "digests", digests, "content_type", "ccdm", "content",
			   "ccdm", event->text);
	return record;
}

int ccdm_eventlog_append(const char *file, const struct ccdm_event *event, struct ccdm_err *err)
{
	json_t *record = ccdm_eventlog_json(event);
	char *text = record ? ccdm_json_dump(record, JSON_COMPACT) : NULL, *line = NULL;
	int n = -1;
	int fd = -1, r = -ENOMEM;
	ssize_t done;

	if (text)
		n = asprintf(&line, "%c%s\n", CCDM_RS, text);
	if (n > 0) {
		fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
		r = fd < 0 ? -errno : 0;
	}
	if (!r) {
		done = write(fd, line, n);
		if (done != n)
			r = done < 0 ? -errno : -EIO;
	}
	if (fd >= 0)
		close(fd);
	if (n > 0)
		free(line);
	free(text);
	json_decref(record);
	return r ? ccdm_err_set(err, r, "%s: %s", file, strerror(-r)) : 0;
}

/* ---- reading ------------------------------------------------------------- */

/*
 * Parse the digest of one bank: its hash is known and its size matches. In a record of ccdm, it
 * must be the digest of the record's text.
 */
static int ccdm_eventlog_digest(json_t *bank, struct ccdm_event *event)
{
	struct ccdm_digest *d = &event->digests.digest[event->digests.count], want;
	const char *name, *hex;
	unsigned int i;

	/* coverage: each known hash occurs once, and there are fewer */
	if (event->digests.count == CCDM_BANKS_MAX ||
	    json_unpack(bank, "{s:s, s:s!}", "hashAlg", &name, "digest", &hex))
		return -EINVAL;
	d->alg = ccdm_digest_alg(name);
	d->size = ccdm_digest_size(d->alg);
	/* lower case, as systemd and ccdm write it */
	if (!d->size || hex[strcspn(hex, "ABCDEF")] || ccdm_unhex(hex, d->bytes, d->size))
		return -EINVAL;
	for (i = 0; i < event->digests.count; i++)
		if (event->digests.digest[i].alg == d->alg)
			return -EINVAL;
	if (!event->foreign &&
	    (ccdm_digest_of(d->alg, event->text, strlen(event->text), NULL, 0, &want) ||
	     memcmp(want.bytes, d->bytes, d->size)))
		return -EINVAL;
	event->digests.count++;
	return 0;
}

static int ccdm_eventlog_record(const char *text, size_t size, struct ccdm_event *event)
{
	json_t *record = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL), *digests, *bank;
	const char *type, *content;
	size_t i;
	int index, r = -EINVAL;

	memset(event, 0, sizeof(*event));
	event->rtmr = !!json_object_get(record, "rtmr");
	if (!record || json_unpack(record, "{s:i, s:o, s:s}", event->rtmr ? "rtmr" : "pcr", &index,
				   "digests", &digests, "content_type", &type))
		goto out;
	if (index < 0 || index > (event->rtmr ? 3 : 23) || !json_array_size(digests))
		goto out;
	event->index = index;
	event->foreign = strcmp(type, "ccdm");
	if (!event->foreign) {
		if (json_object_size(record) != 4 ||
		    json_unpack(record, "{s:{s:s!}}", "content", "ccdm", &content) ||
		    strlen(content) > CCDM_EVENT_MAX)
			goto out;
		snprintf(event->text, sizeof(event->text), "%s", content);
	}
	r = 0;
	json_array_foreach(digests, i, bank) if (!r) r = ccdm_eventlog_digest(bank, event);
out:
	json_decref(record);
	return r;
}

int ccdm_eventlog_parse(const char *text, size_t size,
			int (*each)(const struct ccdm_event *event, void *arg), void *arg,
			struct ccdm_err *err)
{
	const char *at = text, *end = text + size, *stop;
	struct ccdm_event *event;
	unsigned int number = 1;
	int r = 0;

	if (size > CCDM_EVENTLOG_MAX)
		return ccdm_err_set(err, -EINVAL, "the log is larger than %u bytes",
				    CCDM_EVENTLOG_MAX);
	event = malloc(sizeof(*event));
	if (!event)
		return ccdm_err_memory(err);
	for (; !r && at < end; at = stop + 1, number++) {
		stop = memchr(at, '\n', end - at);
		if (!stop || *at != CCDM_RS || ccdm_eventlog_record(at + 1, stop - at - 1, event)) {
			r = ccdm_err_set(err, -EINVAL, "record %u of the log is invalid", number);
			break;
		}
		r = each(event, arg);
	}
	free(event);
	return r;
}

int ccdm_eventlog_extend(struct ccdm_digest *value, const struct ccdm_digest *digest)
{
	struct ccdm_digest old = *value;

	return ccdm_digest_of(old.alg, old.bytes, old.size, digest->bytes, digest->size, value);
}

struct ccdm_eventlog_register {
	bool rtmr;
	unsigned int index;
	struct ccdm_digest *value;
};

static int ccdm_eventlog_each(const struct ccdm_event *event, void *arg)
{
	struct ccdm_eventlog_register *reg = arg;
	unsigned int i;

	if (event->rtmr != reg->rtmr || event->index != reg->index)
		return 0;
	for (i = 0; i < event->digests.count; i++)
		if (event->digests.digest[i].alg == reg->value->alg)
			return ccdm_eventlog_extend(reg->value, &event->digests.digest[i]);
	return -ENOENT;
}

int ccdm_eventlog_begin(uint16_t alg, struct ccdm_digest *value, struct ccdm_err *err)
{
	memset(value, 0, sizeof(*value));
	value->alg = alg;
	value->size = ccdm_digest_size(alg);
	return value->size ? 0 : ccdm_err_set(err, -ENOTSUP, "hash %#x is not known", alg);
}

int ccdm_eventlog_replay(const char *text, size_t size, bool rtmr, unsigned int index,
			 struct ccdm_digest *value, struct ccdm_err *err)
{
	struct ccdm_eventlog_register reg = { rtmr, index, value };
	int r = ccdm_eventlog_parse(text, size, ccdm_eventlog_each, &reg, err);

	if (r == -ENOENT)
		ccdm_err_set(err, r, "a record of the log lacks the digest for %s",
			     ccdm_digest_name(value->alg));
	return r;
}
