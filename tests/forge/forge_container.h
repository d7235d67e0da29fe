/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * forge_container.h - tar archives, and container images in them
 */
#ifndef CCDM_TEST_FORGE_CONTAINER_H
#define CCDM_TEST_FORGE_CONTAINER_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/bytes.h"
#include "crypto/digest.h"

/* struct forge_tar - an archive; free @bytes */
struct forge_tar {
	uint8_t *bytes;
	size_t size;
};

/* Bytes, then zeros up to a block. NULL: zeros */
static inline void forge_tar_bytes(struct forge_tar *t, const void *bytes, size_t size)
{
	size_t padded = (size + 511) & ~(size_t)511;

	t->bytes = realloc(t->bytes, t->size + padded + 1);
	memset(t->bytes + t->size, 0, padded);
	if (bytes)
		memcpy(t->bytes + t->size, bytes, size);
	t->size += padded;
}

static inline void forge_tar_header(struct forge_tar *t, char type, const char *name,
				    const char *link, size_t size)
{
	char h[512] = "";
	unsigned int sum = 0, i;

	memcpy(h, name, strlen(name) < 100 ? strlen(name) : 100);
	memcpy(h + 100, type == '5' ? "0000755" : "0000644", 7);
	memcpy(h + 108, "0000001", 7);
	memcpy(h + 116, "0000002", 7);
	snprintf(h + 124, 12, "%011o", (unsigned int)size);
	memcpy(h + 136, "00000001750", 11);
	memset(h + 148, ' ', 8);
	h[156] = type;
	if (link)
		memcpy(h + 157, link, strlen(link) < 100 ? strlen(link) : 100);
	memcpy(h + 257, "ustar\00000", 8);
	for (i = 0; i < sizeof(h); i++)
		sum += (uint8_t)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	forge_tar_bytes(t, h, sizeof(h));
}

/* An entry; @content is the target of a link. */
static inline void forge_tar_add(struct forge_tar *t, char type, const char *name,
				 const char *content)
{
	bool link = type == '1' || type == '2';
	size_t size = content && !link ? strlen(content) : 0;

	forge_tar_header(t, type, name, link ? content : NULL, size);
	forge_tar_bytes(t, content, size);
}

/* An extended header with one record, whose value may have any bytes. */
static inline void forge_tar_pax(struct forge_tar *t, const char *key, const void *value,
				 size_t size)
{
	size_t n = strlen(key) + size + 3, length = n + (n < 9 ? 1 : n < 98 ? 2 : n < 997 ? 3 : 4);
	char *text;

	text = malloc(length + 1);
	n = (size_t)snprintf(text, length, "%zu %s=", length, key);
	memcpy(text + n, value, size);
	text[length - 1] = '\n';
	forge_tar_header(t, 'x', "PaxHeader", NULL, length);
	forge_tar_bytes(t, text, length);
	free(text);
}

static inline void forge_tar_end(struct forge_tar *t)
{
	forge_tar_bytes(t, NULL, 1024);
}

static inline void forge_sha256(const void *bytes, size_t size, struct ccdm_digest *digest)
{
	if (ccdm_digest_of(CCDM_ALG_SHA256, bytes, size, NULL, 0, digest))
		abort();
}

#define FORGE_OCI_PARTS 4
#define FORGE_OCI_LAYER (FORGE_OCI_PARTS)

/*
 * The text with "@D2" replaced by the digest of part 2, and "@S2" by its size; "4" is a layer
 * without entries.
 */
static inline char *forge_oci_fill(const char *text, char *const part[FORGE_OCI_PARTS])
{
	char *out = calloc(1, 80 * strlen(text) + 1), *to = out, hex[65];
	static const uint8_t layer[1024];
	struct ccdm_digest digest;
	const void *bytes;
	size_t size;

	for (; *text; text++) {
		if (*text != '@' || (text[1] != 'D' && text[1] != 'S') || text[2] < '0' ||
		    text[2] > '4' || (text[2] != '4' && !part[text[2] - '0'])) {
			*to++ = *text;
			continue;
		}
		bytes = text[2] == '4' ? (const void *)layer : part[text[2] - '0'];
		size = text[2] == '4' ? sizeof(layer) : strlen(bytes);
		forge_sha256(bytes, size, &digest);
		ccdm_hex(digest.bytes, 32, hex);
		to += text[1] == 'D' ? sprintf(to, "sha256:%s", hex) : sprintf(to, "%zu", size);
		text += 2;
	}
	return out;
}

static inline void forge_oci_blob(struct forge_tar *t, const void *bytes, size_t size)
{
	struct ccdm_digest digest;
	char name[80] = "blobs/sha256/";

	forge_sha256(bytes, size, &digest);
	ccdm_hex(digest.bytes, 32, name + strlen(name));
	forge_tar_header(t, '0', name, NULL, size);
	forge_tar_bytes(t, bytes, size);
}

/*
 * An archive: part 0 is index.json, or manifest.json if it is an array; 1 to 3 are blobs. Without
 * @layout there is no oci-layout.
 */
static inline void forge_oci(struct forge_tar *t, const char *const text[FORGE_OCI_PARTS],
			     bool layout)
{
	char *part[FORGE_OCI_PARTS] = { 0 };
	static const uint8_t layer[1024];
	int i;

	for (i = FORGE_OCI_PARTS - 1; i >= 0; i--)
		part[i] = forge_oci_fill(text[i] ? text[i] : "", part);
	if (layout)
		forge_tar_add(t, '0', "oci-layout", "{\"imageLayoutVersion\": \"1.0.0\"}");
	forge_tar_add(t, '0', layout ? "index.json" : "manifest.json", part[0]);
	for (i = 1; i < FORGE_OCI_PARTS; i++)
		if (*part[i])
			forge_oci_blob(t, part[i], strlen(part[i]));
	forge_oci_blob(t, layer, sizeof(layer));
	forge_tar_add(t, '2', "c.json", "config");
	forge_tar_add(t, '0', "config", part[2]);
	forge_tar_add(t, '1', "id/layer.tar", "empty.tar");
	forge_tar_header(t, '0', "empty.tar", NULL, sizeof(layer));
	forge_tar_bytes(t, layer, sizeof(layer));
	forge_tar_end(t);
	for (i = 0; i < FORGE_OCI_PARTS; i++)
		free(part[i]);
}

/* A file without a name. @path: of at least 32 bytes, names it. Return: its descriptor */
static inline int forge_file(const void *bytes, size_t size, char *path)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	sprintf(path, "/proc/self/fd/%d", fd);
	return fd;
}

#endif
