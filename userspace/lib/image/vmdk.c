// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * vmdk.c - the VMDK of format_write.h
 *
 * qemu-img writes it. Two words of its descriptor differ from run to run, and are replaced: CID, a
 * random number, becomes a digest of the content, and the extent gets a fixed name.
 * (VMware, Virtual Disk Format 5.0; QEMU, block/vmdk.c)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/bytes.h"
#include "format_write.h"
#include "program.h"

#define VMDK_HEADER	512
#define VMDK_DESCRIPTOR (64 << 10) /* bytes, at most */
#define VMDK_NAME	"disk.vmdk"

static int vmdk_id_block(void *arg, uint64_t at, const uint8_t *bytes, size_t size,
			 struct ccdm_err *err)
{
	return ccdm_sparse_id_add(arg, at, bytes, size, err);
}

/* Append a part of a text. Return: the end, or NULL if there is no room. */
static char *vmdk_add(char *to, const char *end, const char *text, size_t size)
{
	if (!to || size >= (size_t)(end - to))
		return NULL;
	memcpy(to, text, size);
	return to + size;
}

/* @from with another CID and another name of the extent, in @to, which is zero. */
static int vmdk_descriptor(const char *from, const char *cid, char *to, size_t size)
{
	const char *end = to + size, *line, *rest, *quote;
	unsigned int cids = 0, extents = 0;

	for (line = from; to && *line; line = rest) {
		rest = line + strcspn(line, "\n");
		rest += *rest == '\n';
		quote = memchr(line, '"', (size_t)(rest - line));
		if (!strncmp(line, "CID=", 4)) {
			to = vmdk_add(to, end, "CID=", 4);
			to = vmdk_add(to, end, cid, strlen(cid));
			to = vmdk_add(to, end, "\n", 1);
			cids++;
		} else if (!strncmp(line, "RW ", 3) && quote) {
			to = vmdk_add(to, end, line, (size_t)(quote - line) + 1);
			to = vmdk_add(to, end, VMDK_NAME "\"\n", sizeof(VMDK_NAME) + 1);
			extents++;
		} else {
			to = vmdk_add(to, end, line, (size_t)(rest - line));
		}
	}
	return to && cids == 1 && extents == 1 ? 0 : -EINVAL;
}

static int vmdk_fix(const struct ccdm_format_out *out, const struct ccdm_sparse_id *id,
		    struct ccdm_err *err)
{
	uint8_t header[VMDK_HEADER];
	uint64_t at, size;
	char *text, cid[9];
	int r = -EINVAL;

	if (pread(out->fd, header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header, "KDMV", 4))
		return ccdm_err_set(err, r, "%s: qemu-img wrote no header of a VMDK", out->name);
	at = ccdm_le64(header + 28) * 512;
	size = ccdm_le64(header + 36) * 512;
	if (!size || size > VMDK_DESCRIPTOR)
		return ccdm_err_set(err, r, "%s: qemu-img wrote no descriptor", out->name);
	text = calloc(2, size + 1);
	if (!text)
		return ccdm_err_memory(err);
	/* (ffffffff means that there is no parent, fffffffe is not used either) */
	snprintf(cid, sizeof(cid), "%08x", ccdm_le32(id->digest) & 0x7fffffff);
	if (pread(out->fd, text, size, (off_t)at) == (ssize_t)size)
		r = vmdk_descriptor(text, cid, text + size + 1, size);
	if (r)
		r = ccdm_err_set(err, r, "%s: qemu-img wrote an unknown descriptor", out->name);
	else
		r = ccdm_sparse_put(out->fd, out->name, at, text + size + 1, size, err);
	free(text);
	return r;
}

int ccdm_vmdk_write(const struct ccdm_sparse *disk, const struct ccdm_format_out *out,
		    struct ccdm_err *err)
{
	struct ccdm_program_found qemu;
	struct ccdm_sparse_id id = { 0 };
	char *from = NULL, *to = NULL;
	int r;

	r = ccdm_program_find("qemu-img", &qemu, err);
	if (!r)
		r = ccdm_sparse_walk(disk, vmdk_id_block, NULL, &id, err);
	if (r)
		return r;
	/* (a name with a colon is a file, too) */
	if (asprintf(&from, "file:%s", disk->name) < 0)
		from = NULL;
	if (asprintf(&to, "file:%s", out->name) < 0)
		to = NULL;
	if (from && to) {
		const char *const argv[] = { qemu.path, "convert", "-q",
					     "-f",	"raw",	   "-O",
					     "vmdk",	"-o",	   "subformat=streamOptimized",
					     from,	to,	   NULL };

		r = ccdm_program_run(argv, NULL, -1, NULL, err);
	} else {
		r = ccdm_err_memory(err);
	}
	free(from);
	free(to);
	return r ? r : vmdk_fix(out, &id, err);
}
