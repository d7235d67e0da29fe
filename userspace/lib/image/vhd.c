// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* vhd.c - the fixed VHD of format_write.h */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "format_write.h"
#include "guid.h"

#define VHD_2000 946684800 /* 2000-01-01T00:00:00Z, the beginning of its time */

static void vhd_put(uint8_t *p, uint64_t value, unsigned int size)
{
	while (size--) {
		p[size] = (uint8_t)value;
		value >>= 8;
	}
}

void ccdm_vhd_footer(uint64_t size, int64_t date, const uint8_t uuid[16],
		     uint8_t footer[CCDM_VHD_FOOTER])
{
	uint32_t sum = 0;
	unsigned int i;

	memset(footer, 0, CCDM_VHD_FOOTER);
	vhd_put(footer, 0x636f6e6563746978, 8); /* "conectix" */
	vhd_put(footer + 8, 2, 4);		/* features: a reserved bit that is always 1 */
	vhd_put(footer + 12, 0x10000, 4);	/* version 1.0 of the format */
	vhd_put(footer + 16, UINT64_MAX, 8);	/* data offset: a fixed disk has none */
	vhd_put(footer + 24, date > VHD_2000 ? (uint64_t)(date - VHD_2000) : 0, 4);
	vhd_put(footer + 28, 0x6363646d, 4); /* creator: "ccdm" */
	vhd_put(footer + 32, 0x10000, 4);    /* its version: the bytes do not depend on ccdm's */
	vhd_put(footer + 36, 0x5769326b, 4); /* "Wi2k": the system that all readers know */
	vhd_put(footer + 40, size, 8);
	vhd_put(footer + 48, size, 8);
	vhd_put(footer + 56, 65535, 2); /* cylinders, heads, sectors of a track */
	footer[58] = 16;
	footer[59] = 255;
	vhd_put(footer + 60, 2, 4); /* a fixed disk */
	memcpy(footer + 68, uuid, 16);
	for (i = 0; i < CCDM_VHD_FOOTER; i++)
		sum += footer[i];
	vhd_put(footer + 64, ~sum, 4);
}

struct vhd_state {
	const struct ccdm_format_out *out;
	struct ccdm_sparse_id id;
};

static int vhd_block(void *arg, uint64_t at, const uint8_t *bytes, size_t size,
		     struct ccdm_err *err)
{
	struct vhd_state *s = arg;
	int r = ccdm_sparse_id_add(&s->id, at, bytes, size, err);

	return r ? r : ccdm_sparse_put(s->out->fd, s->out->name, at, bytes, size, err);
}

int ccdm_vhd_write(const struct ccdm_sparse *disk, const struct ccdm_format_out *out,
		   struct ccdm_err *err)
{
	struct vhd_state s = { .out = out };
	uint8_t footer[CCDM_VHD_FOOTER], uuid[32];
	int r;

	if (ftruncate(out->fd, (off_t)disk->size))
		return ccdm_err_set(err, -errno, "%s: %s", out->name, strerror(errno));
	r = ccdm_sparse_walk(disk, vhd_block, NULL, &s, err);
	if (r)
		return r;
	r = ccdm_guid_bytes("vhd", s.id.digest, sizeof(s.id.digest), uuid);
	if (r)
		return ccdm_err_set(err, r, "%s: SHA-256 failed", out->name);
	uuid[6] = (uuid[6] & 0x0f) | 0x80; /* RFC 9562, version 8 */
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
	ccdm_vhd_footer(disk->size, out->date, uuid, footer);
	return ccdm_sparse_put(out->fd, out->name, disk->size, footer, sizeof(footer), err);
}
