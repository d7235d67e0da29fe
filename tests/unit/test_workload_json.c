// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* test_workload_json.c - boot/workload_json.c: workload.json is read strictly */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/compiler.h"
#include "boot/workload_json.h"
#include "seed.h"

#define START "{\"version\":1,\"product\":\"web\",\"user\":{\"uid\":1234,\"gid\":77}"

static struct ccdm_workload_json w;
static struct ccdm_err err;

static int parse(const char *text)
{
	memset(&err, 0, sizeof(err));
	ccdm_workload_json_drop(&w);
	seed_texts("workload_json", 0, 0, text, NULL, NULL, NULL);
	return ccdm_workload_json_parse(text, strlen(text), &w, &err);
}

static void defaults(void **state)
{
	(void)state;
	assert_int_equal(parse(START "}"), 0);
	assert_string_equal(w.product, "web");
	assert_true(w.uid == 1234 && w.gid == 77);
	assert_int_equal(w.on_exit, CCDM_WORKLOAD_POWEROFF);
	assert_int_equal(w.restart, CCDM_WORKLOAD_NEVER);
	assert_string_equal(w.stop_signal, "SIGTERM");
	assert_int_equal(w.stop_timeout, 10);
	assert_int_equal(w.logs, CCDM_WORKLOAD_JOURNAL);
	assert_int_equal(w.net, CCDM_WORKLOAD_DHCP);
	assert_false(w.has_ports);
	assert_null(w.health.test);
}

static void whole(void **state)
{
	(void)state;
	assert_int_equal(
		parse(START
		      ",\"on_exit\":\"reboot\",\"restart\":{\"when\":\"failure\",\"delay\":3,\"most\":5},"
		      "\"stop_signal\":\"SIGRTMIN+3\",\"stop_timeout\":70,\"logs\":\"console\","
		      "\"network\":{\"address\":\"10.0.0.5/24\",\"gateway\":\"10.0.0.1\","
		      "\"dns\":[\"10.0.0.2\",\"fd00::1\"]},\"ports\":[80,65535],"
		      "\"volumes\":[{\"path\":\"/data\"},{\"path\":\"/var/run/x\"}],"
		      "\"secrets\":[{\"name\":\"tls.key\",\"file\":\"/run/secrets/tls.key\"},"
		      "{\"name\":\"db\",\"env\":\"DB_1\"},"
		      "{\"name\":\"app\",\"path\":\"/etc/x\",\"mode\":\"0440\"}],"
		      "\"health\":{\"test\":[\"CMD\",\"/bin/true\"],\"interval\":1.5,\"timeout\":2,"
		      "\"retries\":4,\"start_period\":10,\"action\":\"restart\"}}"),
		0);
	assert_int_equal(w.on_exit, CCDM_WORKLOAD_REBOOT);
	assert_int_equal(w.restart, CCDM_WORKLOAD_FAILURE);
	assert_true(w.delay == 3 && w.most == 5);
	assert_string_equal(w.stop_signal, "SIGRTMIN+3");
	assert_int_equal(w.logs, CCDM_WORKLOAD_CONSOLE);
	assert_int_equal(w.net, CCDM_WORKLOAD_STATIC);
	assert_string_equal(w.address, "10.0.0.5/24");
	assert_string_equal(w.gateway, "10.0.0.1");
	assert_int_equal(w.nr_dns, 2);
	assert_string_equal(w.dns[1], "fd00::1");
	assert_true(w.has_ports && w.nr_ports == 2 && w.port[1] == 65535);
	assert_int_equal(w.nr_volumes, 2);
	assert_string_equal(w.volume[1], "/var/run/x");
	assert_int_equal(w.nr_secrets, 3);
	assert_int_equal(w.secret[0].mode, 0400);
	assert_string_equal(w.secret[0].env, "");
	assert_string_equal(w.secret[1].env, "DB_1");
	assert_int_equal(w.secret[2].mode, 0440);
	assert_int_equal(w.health.interval, 1500);
	assert_int_equal(w.health.retries, 4);
	assert_int_equal(w.health.action, CCDM_WORKLOAD_ACTION_RESTART);
	assert_int_equal(json_array_size(w.health.test), 2);
	/* what null stands for */
	assert_int_equal(parse(START ",\"ports\":null,\"health\":null,\"network\":\"none\"}"), 0);
	assert_false(w.has_ports);
	assert_int_equal(w.net, CCDM_WORKLOAD_OFFLINE);
	/* no port at all */
	assert_int_equal(parse(START ",\"ports\":[]}"), 0);
	assert_true(w.has_ports && !w.nr_ports);
	assert_int_equal(parse(START ",\"network\":{\"address\":\"fd00::5/64\",\"gateway\":null,"
				     "\"dns\":\"fd00::1\"}}"),
			 0);
	assert_int_equal(w.nr_dns, 1);
}

static void bad(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} table[] = {
		{ "", "workload.json:" },
		{ "[]", "the file: expected an object" },
		{ "{}", "version: expected a number from 1 to 1" },
		{ "{\"version\":2}", "version: expected a number from 1 to 1" },
		{ "{\"version\":1}", "product: expected a text" },
		{ "{\"version\":1,\"product\":\"a\"}", "user: expected an object" },
		{ "{\"version\":1,\"product\":\"a b\"}", "product: expected a text without" },
		{ "{\"version\":1,\"product\":\"a\",\"user\":{\"uid\":4294967295,\"gid\":0}}",
		  "user.uid: expected a number from 0 to 4294967294" },
		{ "{\"version\":1,\"product\":\"a\",\"user\":{\"uid\":-1,\"gid\":0}}", "user.uid" },
		{ "{\"version\":1,\"product\":\"a\",\"user\":{\"uid\":0,\"gid\":\"0\"}}",
		  "user.gid" },
		{ "{\"version\":1,\"product\":\"a\",\"user\":{\"uid\":0,\"gid\":0,\"x\":1}}",
		  "user: expected one of: uid gid; found 'x'" },
		{ START "x", "workload.json:1:" },
		{ START ",\"version\":1}", "duplicate" },
		{ START ",\"colour\":1}", "found 'colour'" },
		{ START ",\"on_exit\":\"halt\"}", "on_exit: expected one of: poweroff reboot" },
		{ START ",\"on_exit\":null}", "on_exit: expected one of" },
		{ START ",\"restart\":{\"when\":\"often\"}}", "restart.when" },
		{ START ",\"restart\":{\"delay\":86401}}", "restart.delay" },
		{ START ",\"restart\":{\"most\":-1}}", "restart.most" },
		{ START ",\"restart\":[]}", "restart: expected an object" },
		{ START ",\"stop_signal\":\"TERM\"}", "stop_signal: expected SIGTERM" },
		{ START ",\"stop_signal\":\"SIG\"}", "stop_signal: expected SIGTERM" },
		{ START ",\"stop_signal\":\"SIGTERM\\nExecStart=x\"}", "stop_signal" },
		{ START ",\"stop_timeout\":1.5}", "stop_timeout" },
		{ START ",\"logs\":\"file\"}", "logs: expected one of: journal none console" },
		{ START ",\"network\":\"bridge\"}", "network: expected one of: dhcp none" },
		{ START ",\"network\":{}}", "network.address" },
		{ START ",\"network\":{\"address\":\"10.0.0.1\"}}", "ADDRESS/BITS" },
		{ START ",\"network\":{\"address\":\"10.0.0.1/33\"}}", "ADDRESS/BITS" },
		{ START ",\"network\":{\"address\":\"10.0.0.1/0\"}}", "ADDRESS/BITS" },
		{ START ",\"network\":{\"address\":\"10.0.0.1/2x\"}}", "ADDRESS/BITS" },
		{ START ",\"network\":{\"address\":\"a\\nb/24\"}}", "ADDRESS/BITS" },
		{ START ",\"network\":{\"address\":\"10.0.0.1/8\",\"gateway\":\"x\"}}",
		  "network.gateway: expected an IP address" },
		{ START ",\"network\":{\"address\":\"10.0.0.1/8\",\"dns\":[1]}}", "network.dns" },
		{ START ",\"network\":{\"address\":\"10.0.0.1/8\",\"dns\":[\"1.1.1.1\",\"1.1.1.1\","
			"\"1.1.1.1\",\"1.1.1.1\"]}}",
		  "at most 3 addresses" },
		{ START ",\"ports\":[0]}", "ports: expected a number from 1 to 65535" },
		{ START ",\"ports\":[65536]}", "ports" },
		{ START ",\"ports\":80}", "ports: expected an array" },
		{ START ",\"volumes\":{}}", "volumes: expected an array" },
		{ START ",\"volumes\":[{\"path\":\"data\"}]}",
		  "volumes.path: expected an absolute" },
		{ START ",\"volumes\":[{\"path\":\"/a\\u0000b\"}]}", "volumes.path" },
		{ START ",\"volumes\":[\"/a\"]}", "volumes: expected an object" },
		{ START ",\"secrets\":[{\"name\":\"a\"}]}",
		  "secrets: expected one of: env, file, path" },
		{ START ",\"secrets\":[{\"name\":\"a\",\"env\":\"A\",\"file\":\"/x\"}]}",
		  "secrets: expected one of: env, file, path" },
		{ START ",\"secrets\":[{\"name\":\"../a\",\"env\":\"A\"}]}", "secrets.name" },
		{ START ",\"secrets\":[{\"name\":\".a\",\"env\":\"A\"}]}", "secrets.name" },
		{ START ",\"secrets\":[{\"name\":\"\",\"env\":\"A\"}]}", "secrets.name" },
		{ START ",\"secrets\":[{\"name\":\"a\",\"env\":\"A=\"}]}", "secrets.env" },
		{ START ",\"secrets\":[{\"name\":\"a\",\"env\":\"1\"}]}", "secrets.env" },
		{ START ",\"secrets\":[{\"name\":\"a\",\"file\":\"x\"}]}", "secrets.path" },
		{ START ",\"secrets\":[{\"name\":\"a\",\"file\":\"/x\",\"mode\":\"1777\"}]}",
		  "secrets.mode" },
		{ START ",\"secrets\":[{\"name\":\"a\",\"file\":\"/x\",\"mode\":256}]}",
		  "secrets.mode" },
		{ START
		  ",\"secrets\":[{\"name\":\"a\",\"env\":\"A\"},{\"name\":\"a\",\"env\":\"B\"}]}",
		  "secrets.name: expected each name once" },
		{ START ",\"health\":{}}", "health.test" },
		{ START ",\"health\":{\"test\":[\"NONE\"]}}", "health.test" },
		{ START ",\"health\":{\"test\":[\"CMD\"]}}", "health.test" },
		{ START ",\"health\":{\"test\":[\"CMD\",1]}}",
		  "health.test: expected an array of texts" },
		{ START ",\"health\":{\"test\":[\"CMD-SHELL\",\"a\",\"b\"]}}", "health.test" },
		{ START ",\"health\":{\"test\":[\"CMD\",\"a\"],\"interval\":-1}}",
		  "health.interval" },
		{ START ",\"health\":{\"test\":[\"CMD\",\"a\"],\"timeout\":\"1\"}}",
		  "health.timeout" },
		{ START ",\"health\":{\"test\":[\"CMD\",\"a\"],\"start_period\":1e9}}",
		  "health.start_period" },
		{ START ",\"health\":{\"test\":[\"CMD\",\"a\"],\"retries\":1001}}",
		  "health.retries" },
		{ START ",\"health\":{\"test\":[\"CMD\",\"a\"],\"action\":\"pray\"}}",
		  "health.action" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (parse(table[i].text) != -EINVAL)
			fail_msg("%zu: accepted: %s", i, table[i].text);
		if (!strstr(err.text, table[i].says))
			fail_msg("%zu: '%s' says not '%s'", i, err.text, table[i].says);
	}
	ccdm_workload_json_drop(&w);
	assert_int_equal(ccdm_workload_json_load("/nosuch", &w, &err), -ENOENT);
}

/* One more than there may be of each kind. */
static void many(void **state)
{
	static char text[70000];
	size_t i;

	(void)state;
	strcpy(text, START ",\"ports\":[1");
	for (i = 0; i < CCDM_WORKLOAD_JSON_PORTS; i++)
		strcat(text, ",1");
	assert_int_equal(parse(strcat(text, "]}")), -EINVAL);
	assert_non_null(strstr(err.text, "at most 256 ports"));
	strcpy(text, START ",\"volumes\":[{\"path\":\"/a\"}");
	for (i = 0; i < CCDM_WORKLOAD_JSON_VOLUMES; i++)
		strcat(text, ",{\"path\":\"/a\"}");
	assert_int_equal(parse(strcat(text, "]}")), -EINVAL);
	assert_non_null(strstr(err.text, "at most 64 volumes"));
	strcpy(text, START ",\"secrets\":[{\"name\":\"a\",\"env\":\"A\"}");
	for (i = 0; i < CCDM_WORKLOAD_JSON_SECRETS; i++)
		sprintf(text + strlen(text), ",{\"name\":\"a%zu\",\"env\":\"A\"}", i);
	assert_int_equal(parse(strcat(text, "]}")), -EINVAL);
	assert_non_null(strstr(err.text, "at most 64 secrets"));
}

static int drop(void **state)
{
	(void)state;
	ccdm_workload_json_drop(&w);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(whole),
		cmocka_unit_test(bad),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, drop);
}
