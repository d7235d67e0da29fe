// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* /etc/ccdmtab: valid entries, and invalid ones. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "disk/tab.h"
#include "seed.h"

static struct ccdm_err err;
static struct ccdm_tab_entry last;
static int seen;

static int each(const struct ccdm_tab_entry *e, void *arg, struct ccdm_err *ignored)
{
	(void)arg;
	(void)ignored;
	last = *e;
	seen++;
	if (!strcmp(e->open.name, "ccdm-swap"))
		assert_true(e->swap && !e->open.device && e->nofail);
	if (!strcmp(e->open.name, "ccdm-data")) {
		assert_string_equal(e->open.device, "PARTUUID=12");
		assert_string_equal(e->mkfs, "xfs");
		assert_string_equal(e->open.cipher, "aes-gcm");
		assert_int_equal(e->open.cache, 8 << 20);
		assert_true(e->open.allow_discards && e->noauto && e->initrd && e->wipe);
	}
	return 0;
}

static int parse(const char *text)
{
	memset(&err, 0, sizeof(err));
	seen = 0;
	seed_texts("conf", 't', 0, text, NULL, NULL, NULL);
	return ccdm_tab_parse("tab", text, strlen(text), each, NULL, &err);
}

static void good(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_int_equal(parse("# nothing\n\n   \t\r\n"), 0);
	assert_int_equal(seen, 0);
	assert_int_equal(parse("ccdm-swap gpt swap,nofail\r\n"
			       "\tccdm-data  PARTUUID=12 mkfs=xfs,cipher=aes-gcm,cache-size=8M,"
			       "allow-discards,noauto,x-initrd.attach,yes\nccdm-x /dev/vdb"),
			 0);
	assert_int_equal(seen, 3);
}

/* With an invalid line no line is used, not even an earlier one. */
static void all_or_nothing(void **state)
{
	(void)state;
	assert_int_equal(parse("ccdm-x /dev/vdb\nccdm-y /dev/vdc nosuch\n"), -EINVAL);
	assert_non_null(strstr(err.text, "tab:2:17"));
	assert_int_equal(seen, 0);
}

static void bad(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "data /dev/vdb", "tab:1:1: 'data'" },
		{ "ccdm- /dev/vdb", "tab:1:1: " },
		{ "ccdm-a/b /dev/vdb", "tab:1:1: " },
		{ "#\nccdm-a", "tab:2:1: " },
		{ "ccdm-a vdb", "tab:1:8: 'vdb'" },
		{ "ccdm-a UUID=1", "tab:1:8: " },
		{ "ccdm-a /dev/vdb swap more", "tab:1:22: 'more'" },
		{ "ccdm-a /dev/vdb colour=red", "tab:1:17: 'colour=red'" },
		{ "ccdm-a /dev/vdb swap,colour", "tab:1:22: 'colour'" },
		{ "ccdm-a /dev/vdb swap=yes", "tab:1:17: " },
		{ "ccdm-a /dev/vdb cipher", "tab:1:17: " },
		{ "ccdm-a /dev/vdb cipher=", "tab:1:17: " },
		{ "ccdm-a /dev/vdb cipher=rot13", "tab:1:" },
		{ "ccdm-a /dev/vdb cache-size=0", "tab:1:28: " },
		{ "ccdm-a /dev/vdb cache-size=x", "tab:1:28: " },
		{ "ccdm-a /dev/vdb mkfs=btrfs", "tab:1:22: " },
		{ "ccdm-a /dev/vdb mkfs=ext4,swap", "tab:1:22: " },
		{ "ccdm-a /dev/vdb\nccdm-a /dev/vdc", "tab:2:1: " },
	};
	char *large, lines[257 * 32] = "";
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].text), -EINVAL);
		if (strncmp(err.text, cases[i].says, strlen(cases[i].says)))
			fail_msg("%s: %s", cases[i].text, err.text);
	}
	assert_int_equal(ccdm_tab_parse("tab", "ccdm-a\0/dev/vdb", 15, each, NULL, &err), -EINVAL);
	for (i = 0; i < 257; i++)
		sprintf(lines + strlen(lines), "ccdm-%zu /dev/vdb\n", i);
	assert_int_equal(parse(lines), -EINVAL);
	assert_non_null(strstr(err.text, "fewer lines"));
	large = calloc(1, CCDM_TAB_MAX + 1);
	assert_non_null(large);
	memset(large, '\n', CCDM_TAB_MAX + 1);
	assert_int_equal(ccdm_tab_parse("tab", large, CCDM_TAB_MAX, each, NULL, &err), 0);
	assert_int_equal(ccdm_tab_parse("tab", large, CCDM_TAB_MAX + 1, each, NULL, &err), -EINVAL);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_or_nothing),
					    cmocka_unit_test(good), cmocka_unit_test(bad) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
