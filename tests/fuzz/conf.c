// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* fuzzes: lib/boot/config.c lib/base/ini.c lib/disk/tab.c - ccdm.conf, ccdmtab, a command line; a letter selects one */
#include "boot/config.h"
#include "boot/fence.h"
#include "disk/tab.h"
#include "fuzz.h"

static int each(const struct ccdm_tab_entry *entry, void *arg, struct ccdm_err *err)
{
	(void)entry;
	(void)arg;
	(void)err;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ccdm_config config;
	struct ccdm_err err;
	char *text, *line;

	if (!size)
		return 0;
	text = fuzz_text(data + 1, size - 1);
	if (data[0] == 't') {
		fuzz_said("tab",
			  fuzz_yes(!ccdm_tab_parse("test", text, size - 1, each, NULL, &err)));
	} else if (data[0] == 'l') {
		/* a configuration, then 0xff and the kernel's command line */
		line = strchr(text, '\xff');
		if (line) {
			*line++ = '\0';
			if (!ccdm_config_parse("test", text, strlen(text), &config, &err))
				fuzz_said("line",
					  fuzz_yes(!ccdm_fence_cmdline(&config, line, true, &err)));
		}
	} else {
		fuzz_said("conf",
			  fuzz_yes(!ccdm_config_parse("test", text, size - 1, &config, &err)));
	}
	free(text);
	return 0;
}
