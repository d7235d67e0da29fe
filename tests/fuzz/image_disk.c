// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * fuzzes: lib/image/bootable.c lib/image/predict.c lib/image/difference.c lib/image/compare.c lib/image/compare_words.c -
 * four bytes with the size of a disk or a UKI, the disk or UKI, the log of a boot
 */
#include <zlib.h>
#include "image/compare.h"
#include "image/difference.h"
#include "fuzz.h"

static int line(const char *text, void *arg)
{
	(void)text;
	(void)arg;
	return 0;
}

static void set32(uint8_t *p, uint32_t n)
{
	p[0] = n & 0xff;
	p[1] = n >> 8 & 0xff;
	p[2] = n >> 16 & 0xff;
	p[3] = n >> 24;
}

static void predict(const struct ccdm_bootable *b, struct ccdm_prediction *p, const uint8_t *log,
		    size_t size)
{
	struct ccdm_compare_logs logs = { .firmware = log, .firmware_size = size };
	struct ccdm_comparison *c = fuzz_own(malloc(sizeof(*c)));
	char id[CCDM_ENCLAVE_ID_SIZE], why[640];
	struct ccdm_err err = { 0 };
	struct ccdm_digest value;
	unsigned int k;

	if (ccdm_predict(b, b->files & 1, p, &err)) {
		free(c);
		return;
	}
	(void)!ccdm_predict_value(p, 4, 0, &value);
	for (k = 0; k < 3; k++)
		if (!ccdm_predict_id(b, p, k == 2, k & 1, id, why, sizeof(why)) && id[0])
			fuzz_said("id", id);
	for (k = 0; k < 2; k++) {
		logs.rtmr = k;
		if (!ccdm_compare(b, p, &logs, c, &err) && ccdm_compare_same(c))
			fuzz_said("log", "same");
		ccdm_compare_drop(c);
	}
	free(c);
}

/* Compare the image with itself, and with one that lacks a part. */
static void differ(const struct ccdm_bootable *a)
{
	struct ccdm_bootable *b = fuzz_own(malloc(sizeof(*b)));
	struct ccdm_err err = { 0 };
	unsigned int i;

	*b = *a;
	(void)!ccdm_difference(a, b, line, NULL, &err);
	b->files /= 2;
	b->gpt.event_size /= 2;
	b->gpt.count /= 2;
	b->uki.stub[0] = 'x';
	b->uki.pe.count -= b->uki.pe.count / 2;
	for (i = 0; i < b->uki.pe.count; i++)
		b->uki.pe.section[i].virtual_size /= 2;
	(void)!ccdm_difference(a, b, line, NULL, &err);
	b->conf = NULL;
	(void)!ccdm_difference(a, b, line, NULL, &err);
	(void)!ccdm_difference(b, a, line, NULL, &err);
	free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ccdm_bootable *a = fuzz_own(calloc(1, sizeof(*a)));
	struct ccdm_prediction *p = fuzz_own(calloc(1, sizeof(*p)));
	struct ccdm_source source = { .name = "disk", .fd = -1 };
	struct ccdm_err err = { 0 };
	uint8_t *disk;
	size_t n;

	n = size >= 4 ? ccdm_le32(data) : 0;
	if (size >= 4 && n <= size - 4) {
		data += 4;
		size -= 4;
	} else {
		n = size;
	}
	disk = fuzz_own(malloc(n + 1));
	memcpy(disk, data, n);
	if (n >= 1024 && (size_t)ccdm_le32(disk + 512 + 80) * 128 <= n - 1024) {
		set32(disk + 512 + 88,
		      crc32(0, disk + 1024, (size_t)ccdm_le32(disk + 512 + 80) * 128));
		set32(disk + 512 + 16, 0);
		set32(disk + 512 + 16, crc32(0, disk + 512, 92));
	}
	source.bytes = disk;
	source.size = n;
	if (!ccdm_bootable_read(&source, a, &err)) {
		predict(a, p, data + n, size - n);
		differ(a);
	}
	ccdm_bootable_close(a);
	free(disk);
	free(p);
	free(a);
	return 0;
}
