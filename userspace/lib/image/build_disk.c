// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* build_disk.c - the partitions of an image, and the disk */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/bytes.h"
#include "boot/manifest_part.h"
#include "build.h"
#include "ccdm_format.h"
#include "disk/find.h"
#include "esp.h"
#include "gpt.h"
#include "guid.h"

/* UAPI Group Specification DPS.1: root and hash tree of x86-64 */
#define TYPE_ROOT "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
#define TYPE_HASH "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5"

/* Numbers keep their meaning, also where a partition is missing. */
enum { ESP = 1, BASE, HASH, WORKLOAD, MANIFEST, SCRATCH };

static uint64_t ccdm_build_up(uint64_t bytes)
{
	return (bytes + CCDM_DISK_ALIGN - 1) / CCDM_DISK_ALIGN * CCDM_DISK_ALIGN;
}

/* @size: bytes; 0: the rest */
static struct ccdm_disk_part *ccdm_build_part(struct ccdm_build *b, unsigned int number,
					      const char *name, const char *type, uint64_t size,
					      const char *file)
{
	struct ccdm_disk_part *p = &b->part[b->parts];

	*p = (struct ccdm_disk_part){ .number = number,
				      .name = name,
				      .type = type,
				      .uuid = b->uuid[b->parts],
				      .size = size,
				      .file = file };
	b->parts++;
	return p;
}

/* A partition with a file. */
static int ccdm_build_filled(struct ccdm_build *b, unsigned int number, const char *name,
			     const char *type, const char *file, const struct ccdm_hashtree *tree,
			     struct ccdm_err *err)
{
	struct ccdm_disk_part *p;
	struct stat st;

	if (stat(file, &st))
		return ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	p = ccdm_build_part(b, number, name, type, ccdm_build_up((uint64_t)st.st_size), file);
	if (ccdm_build_base_guid(tree, name, b->uuid[p - b->part]))
		return ccdm_err_set(err, -EIO, "hashing failed");
	return 0;
}

/* A partition whose GUID derives from the UKI: the UKI contains the GUIDs of all others. */
static int ccdm_build_own(struct ccdm_build *b, unsigned int number, const char *name,
			  const char *type, uint64_t size, const char *file, struct ccdm_err *err)
{
	struct ccdm_disk_part *p = ccdm_build_part(b, number, name, type, size, file);

	if (ccdm_guid_text(name, b->uki_digest.bytes, 32, b->uuid[p - b->part]))
		return ccdm_err_set(err, -EIO, "hashing failed");
	return 0;
}

static int ccdm_build_parts(struct ccdm_build *b, const char *esp, uint64_t esp_size,
			    struct ccdm_err *err)
{
	int r = ccdm_build_own(b, ESP, "esp", CCDM_GPT_ESP, esp_size, esp, err);

	if (!r)
		r = ccdm_build_filled(b, BASE, "base", TYPE_ROOT, b->base_file, &b->base, err);
	if (!r)
		r = ccdm_build_filled(b, HASH, "base hash", TYPE_HASH, b->hash_file, &b->base, err);
	if (!r && b->root_file[0])
		r = ccdm_build_filled(b, WORKLOAD, "workload", CCDM_GPT_WORKLOAD, b->root_file,
				      &b->root, err);
	if (!r)
		r = ccdm_build_own(b, MANIFEST, "manifest", CCDM_GPT_MANIFEST,
				   CCDM_MANIFEST_PART_SIZE, NULL, err);
	if (!r)
		r = ccdm_build_own(b, SCRATCH, "scratch", CCDM_GPT_SCRATCH, 0, NULL, err);
	return r;
}

/* Compute the size of the disk, and compare it with what the content and a scratch need. */
static int ccdm_build_size(struct ccdm_build *b, struct ccdm_err *err)
{
	uint64_t content = CCDM_DISK_FRAME, size;
	unsigned int i;
	int r;

	for (i = 0; i < b->parts; i++)
		content += ccdm_build_up(b->part[i].size);
	size = b->ask->size ? b->ask->size / CCDM_DISK_ALIGN * CCDM_DISK_ALIGN
			    : content + CCDM_BUILD_ROOM;
	if (size < content + CCDM_BUILD_LEAST) {
		ccdm_err_hint(err, "give at least --size %" PRIu64 "M",
			      (content + CCDM_BUILD_LEAST) >> 20);
		return ccdm_err_set(err, -EINVAL,
				    "--size: expected room for the content of %" PRIu64
				    " MiB and a scratch of %" PRIu64 " MiB, found %" PRIu64 " MiB",
				    content >> 20, CCDM_BUILD_LEAST >> 20, size >> 20);
	}
	r = ccdm_format_size(b->ask->kind, &size, err);
	b->disk_size = size;
	return r;
}

static void ccdm_build_copied(uint64_t done, uint64_t all, void *arg)
{
	const struct ccdm_build_ask *ask = arg;

	if (ask->step)
		ask->step(ask->arg, "disk", done, all);
}

int ccdm_build_disk(struct ccdm_build *b, struct ccdm_err *err)
{
	char esp[PATH_MAX], uki[PATH_MAX], disk[PATH_MAX];
	uint64_t esp_size;
	uint8_t id[32];
	int r = ccdm_guid_bytes("esp id", b->uki_digest.bytes, 32, id);

	ccdm_build_path(b, "esp", esp);
	ccdm_build_made(b, CCDM_BUILD_EFI, uki);
	ccdm_build_made(b, CCDM_BUILD_DISK, disk);
	if (!r)
		r = ccdm_guid_text("disk", b->uki_digest.bytes, 32, b->disk_uuid);
	if (r)
		return ccdm_err_set(err, r, "hashing failed");
	r = ccdm_build_step(b, "disk", 0, 0, err);
	if (!r)
		r = ccdm_esp_make(uki, ccdm_le32(id), b->date, esp, &esp_size, err);
	if (!r)
		r = ccdm_build_parts(b, esp, esp_size, err);
	if (!r)
		r = ccdm_build_size(b, err);
	if (!r)
		r = ccdm_disk_write(disk, b->disk_size, b->disk_uuid, b->part, b->parts,
				    ccdm_build_copied, (void *)b->ask, err);
	unlink(esp);
	if (!r)
		b->there[CCDM_BUILD_DISK] = true;
	return r;
}
