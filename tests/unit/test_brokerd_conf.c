// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* brokerd.conf: each error names its line. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include "core/conf.h"
#include "guest.h"

static void configuration(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", NULL },
		{ "[server]\nport = 1\n[broker]\nprotocol = 0.4.0\n", NULL },
		{ "port = 1\n", ":1:1: expected a section before the first key" },
		{ "[server]\nport = x\n", ":2:8: port: expected a number from 0 to 65535" },
		{ "[server]\nport = 65536\n", ":2:8: port: expected a number" },
		{ "[server]\nport = -1\n", ":2:8: port: expected a number" },
		{ "[server]\nport = 1x\n", ":2:8: port: expected a number" },
		{ "[server]\ntimeout = 0\n", "timeout: expected a number from 1 to 600" },
		{ "[server]\nport =\n", "port: expected a number" },
		{ "[server]\nport = 1\nport = 1\n", ":3:1: port: appears twice" },
		{ "[server]\nkey =\n", "key: expected a value, not empty and not too long" },
		{ "[server]\nstate = x\n", "state: unknown section or key" },
		{ "[servers]\n", "servers: unknown section or key" },
		{ "[limits]\nqueue = 0\n", NULL },
		{ "[limits]\nrate = 0\n", "rate: expected a number from 1 to 1000000" },
		{ "[broker]\nprotocol = 0.3.0\n", "found '0.3.0'" },
		{ "[broker]\nprotocol = ,\n", "expected 0.4.0, 0.2.0 or both" },
	};
	struct ccdm_conf conf;
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put("conf", cases[i].text, strlen(cases[i].text), 0600);
		r = ccdm_conf_load(file("conf"), &conf, &err);
		if (cases[i].why ? r != -EINVAL || !strstr(err.text, cases[i].why) : r)
			fail_msg("case %zu: %d %s", i, r, err.text);
	}
	assert_int_equal(ccdm_conf_versions(&conf), 0);
	{
		char text[CCDM_CONF_PATH + 32] = "[server]\nkey = ";

		memset(text + strlen(text), 'x', CCDM_CONF_PATH);
		put("conf", text, strlen(text), 0600);
		assert_int_equal(ccdm_conf_load(file("conf"), &conf, &err), -EINVAL);
		assert_non_null(
			strstr(err.text, "key: expected a value, not empty and not too long"));
	}
	unlink(file("conf"));
	assert_int_equal(ccdm_conf_load(file("conf"), &conf, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(configuration),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
