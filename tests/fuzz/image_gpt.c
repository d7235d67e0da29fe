// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/image/gpt.c - a partition table, with and without valid checksums */
#include <zlib.h>
#include "image/gpt.h"
#include "fuzz.h"

static void set32(uint8_t *p, uint32_t n)
{
	p[0] = n & 0xff;
	p[1] = n >> 8 & 0xff;
	p[2] = n >> 16 & 0xff;
	p[3] = n >> 24;
}

static void table(const uint8_t *data, size_t size)
{
	struct ccdm_source source = { .name = "disk", .bytes = data, .size = size };
	struct ccdm_gpt *gpt = fuzz_own(malloc(sizeof(*gpt))),
			*again = fuzz_own(malloc(sizeof(*again)));
	struct ccdm_err err = { 0 };
	char what[256];

	if (!ccdm_gpt_read(&source, gpt, &err)) {
		if (!ccdm_gpt_event("event", gpt->event, gpt->event_size, again, &err))
			ccdm_gpt_difference(gpt, again, what, sizeof(what));
		fuzz_said("uuid", gpt->uuid);
	}
	ccdm_gpt_drop(gpt);
	free(gpt);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ccdm_gpt *gpt = fuzz_own(calloc(1, sizeof(*gpt)));
	struct ccdm_err err = { 0 };
	uint8_t *copy = fuzz_own(malloc(size + 1));
	size_t entries;

	/* the input as the event of a log */
	if (!ccdm_gpt_event("event", data, size, gpt, &err))
		fuzz_said("event", gpt->uuid);
	free(gpt);
	table(data, size);
	if (size >= 1024) {
		memcpy(copy, data, size);
		entries = (size_t)ccdm_le32(copy + 512 + 80) * 128;
		if (ccdm_le64(copy + 512 + 72) == 2 && entries <= size - 1024)
			set32(copy + 512 + 88, crc32(0, copy + 1024, entries));
		set32(copy + 512 + 16, 0);
		set32(copy + 512 + 16, crc32(0, copy + 512, 92));
		table(copy, size);
	}
	free(copy);
	return 0;
}
