// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* manifest_disk.c - see manifest_disk.h */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/json.h"
#include "boot/manifest_part.h"
#include "disk/find.h"
#include "manifest_disk.h"
#include "predict.h"

/* ---- IDs -------------------------------------------------------------------------- */

static const struct {
	const char *platform;
	bool rtmr;
	unsigned int bank;
} ccdm_manifest_kinds[] = { { "tpm", false, 0 }, { "tpm", false, 1 }, { "tdx", true, 1 } };

/* While IDs are collected. */
struct ccdm_manifest_maker {
	const struct ccdm_bootable *b;
	const struct ccdm_prediction *p;
	json_t *ids;
	json_t *events;
	char *why;
	size_t why_size;
};

/* One ID with its text. The first platform that has none says why. */
static int ccdm_manifest_one(struct ccdm_manifest_maker *m, unsigned int kind)
{
	const char *platform = ccdm_manifest_kinds[kind].platform;
	char id[CCDM_ENCLAVE_ID_SIZE], why[640], *text;
	json_t *list;
	int r;

	r = ccdm_predict_id_text(m->b, m->p, ccdm_manifest_kinds[kind].rtmr,
				 ccdm_manifest_kinds[kind].bank, &text, why, sizeof(why));
	if (r)
		return r;
	if (!text) {
		if (!m->why[0])
			snprintf(m->why, m->why_size, "%s: %s", platform, why);
		return 0;
	}
	r = ccdm_enclave_id_of(text, id);
	list = json_object_get(m->ids, platform);
	if (!r && !list) {
		list = json_array();
		if (json_object_set_new(m->ids, platform, list))
			r = -ENOMEM;
	}
	if (!r && (json_array_append_new(list, json_string(id)) ||
		   json_array_append_new(m->events, json_string(text))))
		r = -ENOMEM;
	free(text);
	return r;
}

int ccdm_manifest_predict(const struct ccdm_bootable *b, json_t **ids, json_t **events, char *why,
			  size_t why_size, struct ccdm_err *err)
{
	struct ccdm_prediction *p = calloc(1, sizeof(*p));
	struct ccdm_manifest_maker m = { b, p, json_object(), json_array(), why, why_size };
	unsigned int boot, kind;
	int r = p && m.ids && m.events ? 0 : -ENOMEM;

	why[0] = '\0';
	for (boot = 0; !r && boot < (b->uki.pe.certificates_size ? 2 : 1); boot++) {
		r = ccdm_predict(b, boot, p, err);
		for (kind = 0; !r && kind < ARRAY_SIZE(ccdm_manifest_kinds); kind++)
			r = ccdm_manifest_one(&m, kind);
	}
	free(p);
	if (r) {
		json_decref(m.ids);
		json_decref(m.events);
		if (r == -ENOMEM)
			return ccdm_err_memory(err);
		return err->text[0] ? r
				    : ccdm_err_set(err, r, "%s: hashing failed", b->source.name);
	}
	*ids = m.ids;
	*events = m.events;
	return 0;
}

/* ---- the partition ------------------------------------------------------------------ */

/* *@part: NULL: there is none */
static int ccdm_manifest_find(const char *file, const struct ccdm_gpt *gpt,
			      const struct ccdm_gpt_part **part, struct ccdm_err *err)
{
	unsigned int i;

	*part = NULL;
	for (i = 0; i < gpt->count; i++) {
		if (strcmp(gpt->part[i].type, CCDM_GPT_MANIFEST))
			continue;
		if (*part)
			return ccdm_err_set(err, -EINVAL,
					    "%s: partitions %u and %u: both are for the manifest; "
					    "expected one",
					    file, (*part)->number, gpt->part[i].number);
		*part = &gpt->part[i];
	}
	if (*part && (*part)->size < CCDM_MANIFEST_PART_SIZE)
		return ccdm_err_set(
			err, -EINVAL,
			"%s: partition %u, for the manifest: expected at least %u bytes", file,
			(*part)->number, CCDM_MANIFEST_PART_SIZE);
	return 0;
}

int ccdm_manifest_load(const struct ccdm_bootable *b, char **jws, struct ccdm_err *err)
{
	const struct ccdm_gpt_part *part = NULL;
	uint8_t *bytes = NULL;
	char what[600];
	size_t length = 0;
	int r;

	*jws = NULL;
	r = b->disk ? ccdm_manifest_find(b->source.name, &b->gpt, &part, err) : 0;
	if (r || !part)
		return r;
	snprintf(what, sizeof(what), "%.500s: partition %u", b->source.name, part->number);
	r = ccdm_source_load(&b->source, part->start, CCDM_MANIFEST_PART_SIZE,
			     "the manifest partition", &bytes, err);
	if (!r)
		r = ccdm_manifest_part_text(what, bytes, CCDM_MANIFEST_PART_SIZE, &length, err);
	if (!r && length) {
		*jws = strndup((const char *)bytes, length);
		if (!*jws)
			r = ccdm_err_memory(err);
	}
	free(bytes);
	return r;
}

static int ccdm_manifest_place(const char *file, uint64_t *start, struct ccdm_err *err)
{
	const struct ccdm_gpt_part *part;
	struct ccdm_source source;
	struct ccdm_gpt gpt;
	int r = ccdm_source_open(file, &source, err);

	if (r)
		return r;
	r = ccdm_gpt_read(&source, &gpt, err);
	if (!r) {
		r = ccdm_manifest_find(file, &gpt, &part, err);
		if (!r && !part)
			r = ccdm_err_set(
				err, -EINVAL,
				"%s: there is no partition for a manifest (type " CCDM_GPT_MANIFEST
				")",
				file);
		if (!r)
			*start = part->start;
		ccdm_gpt_drop(&gpt);
	}
	ccdm_source_close(&source);
	return r;
}

static int ccdm_manifest_write(int fd, const uint8_t *bytes, uint64_t start)
{
	size_t at = 0;
	ssize_t n;

	while (at < CCDM_MANIFEST_PART_SIZE) {
		n = pwrite(fd, bytes + at, CCDM_MANIFEST_PART_SIZE - at, (off_t)(start + at));
		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? n : 0;
	}
	return fdatasync(fd) ? -errno : 0;
}

int ccdm_manifest_store(const char *file, const char *jws, struct ccdm_err *err)
{
	size_t size = strlen(jws);
	uint64_t start = 0;
	struct stat st;
	uint8_t *bytes;
	int fd, r;

	/* (a zero ends it) */
	if (size >= CCDM_MANIFEST_PART_SIZE)
		return ccdm_err_set(err, -EINVAL,
				    "the manifest: expected less than %u bytes, found %zu",
				    CCDM_MANIFEST_PART_SIZE, size);
	r = ccdm_manifest_place(file, &start, err);
	if (r)
		return r;
	bytes = calloc(1, CCDM_MANIFEST_PART_SIZE);
	if (!bytes)
		return ccdm_err_memory(err);
	memcpy(bytes, jws, size);
	/* (of a device in use, O_EXCL says so) */
	fd = stat(file, &st)
		     ? -1
		     : open(file, O_WRONLY | O_CLOEXEC | (S_ISBLK(st.st_mode) ? O_EXCL : 0));
	r = fd < 0 ? -errno : ccdm_manifest_write(fd, bytes, start);
	if (fd >= 0 && close(fd) && !r)
		r = -errno;
	free(bytes);
	return r ? ccdm_err_set(err, r, "%s: %s", file, strerror(-r)) : 0;
}
