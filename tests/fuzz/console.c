// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/image/console.c - what a VM prints */
#include "fuzz.h"
#include "image/console.h"

/* Text and newlines, and nothing that steers a terminal. */
static void put(void *arg, const char *text, size_t size)
{
	size_t i;

	(void)arg;
	for (i = 0; i < size; i++)
		if (((unsigned char)text[i] < ' ' && text[i] != '\n') || text[i] == 0x7f)
			abort();
}

static void bounded(const char *found)
{
	if (strlen(found) >= CCDM_CONSOLE_FOUND)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ccdm_console c = { .put = put };
	size_t half = size / 2;

	ccdm_console_take(&c, (const char *)data, half);
	ccdm_console_idle(&c);
	ccdm_console_take(&c, (const char *)data + half, size - half);
	ccdm_console_idle(&c);
	bounded(c.code);
	bounded(c.tamper);
	bounded(c.panic);
	bounded(c.ended);
	return 0;
}
