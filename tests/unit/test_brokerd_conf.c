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
		{ "[limits]\nrate = 0\nrefusals = 0\nrefusals_size = 0\n", NULL },
		{ "[limits]\nburst = 0\n", "burst: expected a number from 1 to 1000000" },
		{ "[limits]\nhandshake = 0\n", "handshake: expected a number from 1 to 600" },
		{ "[server]\nproxies =\n", NULL },
		{ "[server]\nproxies = 192.0.2.1 2001:db8::/64\n", NULL },
		{ "[server]\nproxies = lb.example\n",
		  "conf: proxies: expected an address, found 'lb.example'" },
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

/* brokerd.conf.d/NAME.conf replaces single keys, in the order of the names. */
static void drop_ins(void **state)
{
	static const char main_file[] = "[server]\nport = 1\ntimeout = 5\n[limits]\nburst = 7\n";
	static const char *const names[] = { "conf.d/10.conf",	   "conf.d/20.conf",
					     "conf.d/30.conf.old", "conf.d/.40.conf",
					     "conf.d/.conf",	   "conf.d/50.conf" };
	struct ccdm_conf conf;
	size_t i;

	(void)state;
	put("conf", main_file, strlen(main_file), 0600);
	assert_int_equal(ccdm_conf_load(file("conf"), &conf, &err), 0);
	assert_int_equal(conf.port, 1);
	assert_int_equal(mkdir(file("conf.d"), 0700), 0);
	assert_int_equal(ccdm_conf_load(file("conf"), &conf, &err), 0);
	put("conf.d/20.conf", "[server]\nport = 20\n", 19, 0600);
	put("conf.d/10.conf", "[server]\nport = 10\nproxies = 192.0.2.1\n", 39, 0600);
	put("conf.d/30.conf.old", "[server]\nport = 30\n", 19, 0600);
	put("conf.d/.40.conf", "[server]\nport = 40\n", 19, 0600);
	put("conf.d/.conf", "[server]\nport = 50\n", 19, 0600);
	assert_int_equal(ccdm_conf_load(file("conf"), &conf, &err), 0);
	assert_int_equal(conf.port, 20);
	assert_int_equal(conf.timeout, 5);
	assert_int_equal(conf.burst, 7);
	assert_int_equal(conf.proxy_list.count, 1);
	/* an error names the file */
	put("conf.d/20.conf", "[server]\nport = x\n", 18, 0600);
	assert_int_equal(ccdm_conf_load(file("conf"), &conf, &err), -EINVAL);
	assert_non_null(strstr(err.text, "conf.d/20.conf:2:8: port: expected a number"));
	put("conf.d/20.conf", "[server]\nproxies =\n", 19, 0600);
	assert_int_equal(ccdm_conf_load(file("conf"), &conf, &err), 0);
	assert_int_equal(conf.proxy_list.count, 0);
	put("conf.d/30.conf", "[server]\nport = 3\nport = 3\n", 27, 0600);
	assert_int_equal(ccdm_conf_load(file("conf"), &conf, &err), -EINVAL);
	assert_non_null(strstr(err.text, "conf.d/30.conf:3:1: port: appears twice"));
	unlink(file("conf.d/30.conf"));
	/* one that cannot be read is not left out */
	assert_int_equal(symlink("nowhere", file("conf.d/50.conf")), 0);
	assert_int_equal(ccdm_conf_load(file("conf"), &conf, &err), -ENOENT);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(unlink(file(names[i])), 0);
	assert_int_equal(rmdir(file("conf.d")), 0);
	put("conf.d", "", 0, 0600);
	assert_int_equal(ccdm_conf_load(file("conf"), &conf, &err), -ENOTDIR);
	unlink(file("conf.d"));
	unlink(file("conf"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(configuration),
		cmocka_unit_test(drop_ins),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
