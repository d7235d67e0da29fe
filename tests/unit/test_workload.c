// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * workload.yaml: each word, each refusal with its line and column, the worked examples, texts that
 * are cut off, limits.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include "base/file.h"
#include "image/capabilities.h"
#include "image/workload.h"
#include "seed.h"

#define V    "version: 1\n"
#define X64  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X256 X64 X64 X64 X64
#define DIR_ "Documentation/workload/"

static struct ccdm_workload w;
static struct ccdm_err err;

static void parse(const char *text)
{
	seed("workload", text, strlen(text));
	if (ccdm_workload_parse("w.yaml", text, strlen(text), &w, &err))
		fail_msg("%s: %s", text, err.text);
}

static const char *text_at(const json_t *list, size_t i)
{
	return json_string_value(json_array_get(list, i));
}

/* Without words everything is the image's, and the strict default. */
static void defaults(void **state)
{
	(void)state;
	parse(V);
	assert_string_equal(w.product, "");
	assert_int_equal(w.svn, 1);
	assert_int_equal(w.nr_secrets, 0);
	assert_null(w.entrypoint);
	assert_null(w.command);
	assert_null(w.volumes);
	assert_null(w.ports);
	assert_int_equal(json_object_size(w.environment), 0);
	assert_int_equal(w.stop_timeout, 10);
	assert_true(w.no_new_privileges);
	assert_false(w.read_only);
	assert_int_equal(w.shm_size, 64 << 20);
	assert_string_equal(w.on_exit, "poweroff");
	assert_string_equal(w.restart, "never");
	assert_string_equal(w.logs, "journal");
	assert_string_equal(w.network, "dhcp");
	assert_string_equal(w.health.action, "none");
	assert_int_equal(w.cap_add | w.cap_drop, 0);
	ccdm_workload_drop(&w);
}

static void words(void **state)
{
	(void)state;
	parse(V "product: ghcr.io/x/web:1\nsvn: 1000000000\non_exit: reboot\nlogs: console\n"
		"restart: {when: always, delay: 1m, most: 0}\nports: [1, 65535]\n"
		"files: [{path: /a/b, source: c d, mode: \"0600\"}, {path: /x, source: /y}]\n"
		"health: {test: [a, b c], interval: 1h, timeout: 2, retries: 7, start_period: 0, "
		"action: poweroff}\n"
		"network: {address: \"2001:0db8::0:1/64\", gateway: \"fe80::1\", dns: [\"::1\", "
		"192.0.2.1]}\n");
	assert_string_equal(w.product, "ghcr.io/x/web:1");
	assert_int_equal(w.svn, 1000000000);
	assert_string_equal(w.on_exit, "reboot");
	assert_string_equal(w.logs, "console");
	assert_string_equal(w.restart, "always");
	assert_int_equal(w.restart_delay, 60);
	assert_int_equal(w.restart_most, 0);
	assert_int_equal(json_integer_value(json_array_get(w.ports, 1)), 65535);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(w.files, 0), "source")), "c d");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(w.files, 0), "mode")),
			 0600);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(w.files, 1), "mode")),
			 0644);
	assert_string_equal(text_at(w.health.test, 1), "b c");
	assert_int_equal(w.health.interval, 3600);
	assert_int_equal(w.health.timeout, 2);
	assert_int_equal(w.health.retries, 7);
	assert_int_equal(w.health.start_period, 0);
	assert_string_equal(w.health.action, "poweroff");
	assert_null(w.network);
	assert_string_equal(w.address, "2001:db8::1/64");
	assert_string_equal(w.gateway, "fe80::1");
	assert_string_equal(text_at(w.dns, 1), "192.0.2.1");
	ccdm_workload_drop(&w);
	parse(V "health: {test: none}\nnetwork: none\nports: []\nfiles: []\n"
		"run: {volumes: [], entrypoint: [], capabilities: {add: [], drop: []}}\n"
		"secrets: {}\n");
	assert_true(w.health.off);
	assert_string_equal(w.network, "none");
	assert_int_equal(json_array_size(w.ports), 0);
	assert_non_null(w.ports);
	assert_non_null(w.volumes);
	assert_int_equal(json_array_size(w.entrypoint), 0);
	ccdm_workload_drop(&w);
}

static void run(void **state)
{
	(void)state;
	parse(V "run:\n  entrypoint: [/e, \"\"]\n  command: [c]\n"
		"  environment: {A: \"1\", B: yes, C.d-e: \"x\\ny\"}\n  workdir: /w//x\n"
		"  user: \"app:77\"\n  volumes: [/v]\n  tmpfs: [/t, {path: /u, size: 4K}]\n"
		"  read_only: true\n  stop_signal: RTMIN+3\n  stop_timeout: 1h2m3s\n"
		"  capabilities: {add: [NET_ADMIN, CAP_SYS_TIME], drop: [CHOWN]}\n"
		"  no_new_privileges: false\n  memory: 512M\n  pids: 4194304\n  shm_size: 1G\n");
	assert_string_equal(text_at(w.entrypoint, 1), "");
	assert_string_equal(text_at(w.command, 0), "c");
	assert_string_equal(json_string_value(json_object_get(w.environment, "B")), "yes");
	assert_string_equal(json_string_value(json_object_get(w.environment, "C.d-e")), "x\ny");
	assert_string_equal(w.workdir, "/w//x");
	assert_string_equal(w.user, "app:77");
	assert_string_equal(text_at(w.volumes, 0), "/v");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(w.tmpfs, 1), "size")),
			 4096);
	assert_true(w.read_only);
	assert_string_equal(w.stop_signal, "SIGRTMIN+3");
	assert_int_equal(w.stop_timeout, 3723);
	assert_int_equal(w.cap_add, 1 << 12 | 1 << 25);
	assert_int_equal(w.cap_drop, 1);
	assert_false(w.no_new_privileges);
	assert_int_equal(w.memory, 512 << 20);
	assert_int_equal(w.pids, 4194304);
	assert_int_equal(w.shm_size, 1 << 30);
	ccdm_workload_drop(&w);
	parse(V "run: {capabilities: {drop: ALL, add: [CHOWN]}}\n");
	assert_true(w.cap_drop == CCDM_CAPABILITIES_ALL);
	ccdm_workload_drop(&w);
}

static void secrets(void **state)
{
	(void)state;
	parse(V "secrets:\n  tls.key: a/b/c\n  db: {from: a/b/d, env: DB_1}\n"
		"  app: {from: a/b/e, path: /etc/app/x, mode: \"0440\"}\n"
		"  f: {from: a/b/f, mode: \"0444\"}\n");
	assert_int_equal(w.nr_secrets, 4);
	assert_string_equal(w.secret[0].name, "tls.key");
	assert_string_equal(w.secret[0].from, "a/b/c");
	assert_int_equal(w.secret[0].mode, 0400);
	assert_string_equal(w.secret[1].env, "DB_1");
	assert_string_equal(w.secret[2].path, "/etc/app/x");
	assert_int_equal(w.secret[2].mode, 0440);
	assert_int_equal(w.secret[3].mode, 0444);
	assert_string_equal(w.secret[3].path, "");
	ccdm_workload_drop(&w);
}

/* The error of each text, after "w.yaml:". */
static void refused(void **state)
{
	static const struct {
		const char *text, *where;
	} all[] = {
		{ "", "w.yaml: expected a document, found none" },
		{ "# nothing\n", "expected a document, found none" },
		{ "{}\n", "w.yaml:1:1: expected 'version: 1'" },
		{ "[a]\n", "w.yaml:1:1: expected members KEY: VALUE" },
		{ "version: 2\n", "w.yaml:1:10: expected a number from 1 to 1, found 2" },
		{ "version: one\n", ":1:10: expected a whole number" },
		{ V "version: 1\n", ":2:1: this key appears twice: version" },
		{ V "run:\n  user: a\n  user: b\n", ":4:3: this key appears twice: user" },
		{ V "colour: red\n", ":2:1: expected version, product, svn, secrets, run, files, "
				     "on_exit, restart, health, logs, network, ports; unknown key "
				     "colour" },
		{ V "run: {colour: red}\n", ":2:7: expected entrypoint, command," },
		{ V "\tx: 1\n", "w.yaml:2:" },
		{ V "product: \"\xff\"\n", "w.yaml:" },
		{ V "---\n" V, "w.yaml:3:1: expected the end of the file, found a second" },
		{ V "run: &a {user: x}\nhealth: *a\n", ":3:1: an alias (*NAME) is not allowed" },
		{ V "run: &a {entrypoint: [*a]}\n", "an alias (*NAME) is not allowed" },
		{ V "product: !!str web\n", "" /* the tag that a text has anyway */ },
		{ V "product: !!binary aGk=\n", ":2:10: a tag is not allowed: tag:yaml" },
		{ V "ports: !x [1]\n", ":2:8: a tag is not allowed: !x" },
		{ "!x {version: 1}\n", ":1:1: a tag is not allowed" },
		{ "? [version]\n: 1\n", "expected a word" },
		{ V "product:\n", ":2:9: expected a value, found none; quote a text like \"\"" },
		{ V "product: ~\n", "expected a value, found none" },
		{ V "product: null\n", "expected a value, found none" },
		{ V "product: \"\"\n", "expected 1 to 63 letters" },
		{ V "product: a b\n", "expected 1 to 63 letters" },
		{ V "product: " X64 "\n", "expected 1 to 63 letters" },
		{ V "product: [a]\n", "expected a text" },
		{ V "svn: -1\n", "expected a whole number" },
		{ V "svn: 1000000001\n", "from 0 to 1000000000, found 1000000001" },
		{ V "svn: 1.5\n", "expected a whole number" },
		{ V "on_exit: halt\n", ":2:10: expected poweroff or reboot, found halt" },
		{ V "on_exit: [poweroff]\n", "expected poweroff or reboot" },
		{ V "logs: serial\n", "expected journal, none or console, found serial" },
		{ V "restart: failure\n", "expected members KEY: VALUE" },
		{ V "restart: {when: often}\n", "expected never, failure or always, found often" },
		{ V "restart: {delay: 25h}\n", "expected 0 to 86400 seconds" },
		{ V "restart: {delay: 1s1m}\n", "expected 0 to 86400 seconds" },
		{ V "restart: {delay: 1m1m}\n", "expected 0 to 86400 seconds" },
		{ V "restart: {delay: 1m1}\n", "expected 0 to 86400 seconds" },
		{ V "restart: {delay: 5ms}\n", "expected 0 to 86400 seconds" },
		{ V "restart: {delay: \"\"}\n", "expected 0 to 86400 seconds" },
		{ V "restart: {delay: -1}\n", "expected 0 to 86400 seconds" },
		{ V "restart: {delay: 9999999999}\n", "expected 0 to 86400 seconds" },
		{ V "restart: {most: 1000001}\n", "from 0 to 1000000" },
		{ V "health: {test: []}\n", "expected a list of a command and its arguments" },
		{ V "health: {test: curl}\n", "expected a list of a command and its arguments" },
		{ V "health: {test: {a: b}}\n", "expected a list" },
		{ V "health: {test: [[a]]}\n", "expected a text" },
		{ V "health: {interval: 0}\n", "expected 1 to 86400 seconds" },
		{ V "health: {retries: 0}\n", "from 1 to 1000" },
		{ V "health: {action: kill}\n", "expected none, restart or poweroff, found kill" },
		{ V "ports: 80\n", "expected a list" },
		{ V "ports: [0]\n", "from 1 to 65535, found 0" },
		{ V "ports: [65536]\n", "from 1 to 65535, found 65536" },
		{ V "ports: [80/tcp]\n", "expected a whole number" },
		{ V "ports: [80, 80]\n", ":2:13: this port appears twice: 80" },
		{ V "network: wifi\n", "expected dhcp or none, found wifi" },
		{ V "network: [dhcp]\n", "expected dhcp or none" },
		{ V "network: {}\n", "a network needs an 'address'" },
		{ V "network: {address: 192.0.2.7}\n", "with the length of its prefix" },
		{ V "network: {address: 192.0.2.7/33}\n", "with the length of its prefix" },
		{ V "network: {address: 192.0.2.7/0}\n", "with the length of its prefix" },
		{ V "network: {address: 192.0.2.7/24x}\n", "with the length of its prefix" },
		{ V "network: {address: 192.0.2/24}\n", "with the length of its prefix" },
		{ V "network: {address: \"::1/129\"}\n", "with the length of its prefix" },
		{ V "network: {address: \"" X64 "/9\"}\n", "with the length of its prefix" },
		{ V "network: {address: \"1.2.3.4/24\\nGateway=1.2.3.5\"}\n", "with the length" },
		{ V "network: {address: 1.2.3.4/8, gateway: x}\n", "expected an IP address" },
		{ V "network: {address: 1.2.3.4/8, gateway: \"::1\"}\n", "both be IPv4 or both" },
		{ V "network: {address: 1.2.3.4/8, dns: 1.1.1.1}\n", "expected a list" },
		{ V "network: {address: 1.2.3.4/8, dns: [x]}\n", "expected an IP address" },
		{ V "network: {address: 1.2.3.4/8, dns: [1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4]}\n",
		  "this list is too long" },
		{ V "files: [{path: /a}]\n", "a file needs 'path' and 'source'" },
		{ V "files: [{source: a}]\n", "a file needs 'path' and 'source'" },
		{ V "files: {path: /a, source: b}\n", "expected a list" },
		{ V "files: [{path: a, source: b}]\n", "expected an absolute path" },
		{ V "files: [{path: /a/../b, source: b}]\n", "expected an absolute path" },
		{ V "files: [{path: \"/a\\n\", source: b}]\n", "a control character" },
		{ V "files: [{path: /" X256 X256 X256 X256 ", source: b}]\n", "path is too long" },
		{ V "files: [{path: /a, source: \"\"}]\n", "expected the name of a file" },
		{ V "files: [{path: /a, source: b, mode: 644}]\n", "four octal digits" },
		{ V "files: [{path: /a, source: b, mode: 4755}]\n", "four octal digits" },
		{ V "files: [{path: /a, source: b, mode: \"0999\"}]\n", "four octal digits" },
		{ V "files: [{path: /proc/x, source: b}]\n", "below /proc, /sys and /dev" },
		{ V "files: [{path: /etc/hosts, source: b}]\n", "ccdm writes /etc/hosts" },
		{ V "run: []\n", "expected members KEY: VALUE" },
		{ V "run: {entrypoint: /bin/sh}\n", ":2:19: expected a list" },
		{ V "run: {command: [[a]]}\n", "expected a text" },
		{ V "run: {command: [\"a\\0b\"]}\n", "expected a text" },
		{ V "run: {command: [a, ]}\n", "" },
		{ V "run: {command: [a, ~]}\n", ":2:20: expected a value, found none" },
		{ V "run: {environment: [A=1]}\n", "expected members KEY: VALUE" },
		{ V "run: {environment: {A=B: c}}\n", "expected the name of a variable" },
		{ V "run: {environment: {1A: c}}\n", "expected the name of a variable" },
		{ V "run: {environment: {\"A\\nB\": c}}\n", "expected the name of a variable" },
		{ V "run: {environment: {\"\": c}}\n", "expected the name of a variable" },
		{ V "run: {environment: {A: }}\n", "expected a value, found none" },
		{ V "run: {environment: {A: [1]}}\n", "expected a text" },
		{ V "run: {workdir: srv}\n", "expected an absolute path" },
		{ V "run: {workdir: /..}\n", "expected an absolute path" },
		{ V "run: {user: \"a b\"}\n", "expected 1 to 255 characters" },
		{ V "run: {user: \"\"}\n", "expected 1 to 255 characters" },
		{ V "run: {user: " X256 "}\n", "expected 1 to 255 characters" },
		{ V "run: {volumes: /v}\n", "expected a list" },
		{ V "run: {volumes: [v]}\n", "expected an absolute path" },
		{ V "run: {tmpfs: [{size: 1M}]}\n", "expected a path" },
		{ V "run: {tmpfs: [{path: /t, size: 1}]}\n", "expected a size from 4096" },
		{ V "run: {tmpfs: [{path: /t, mode: 1}]}\n", "expected path, size; unknown key" },
		{ V "run: {read_only: yes}\n", "expected true or false" },
		{ V "run: {stop_signal: SIGNONE}\n", "expected a signal (SIGTERM, QUIT, 15)" },
		{ V "run: {stop_signal: 65}\n", "expected a signal" },
		{ V "run: {stop_signal: 33}\n", "expected a signal" },
		{ V "run: {stop_signal: 0}\n", "expected a signal" },
		{ V "run: {stop_signal: RTMIN+31}\n", "expected a signal" },
		{ V "run: {stop_signal: RTMAX-x}\n", "expected a signal" },
		{ V "run: {stop_timeout: never}\n", "expected 0 to 86400 seconds" },
		{ V "run: {capabilities: [CHOWN]}\n", "expected members KEY: VALUE" },
		{ V "run: {capabilities: {add: ALL}}\n", "expected a list of capabilities" },
		{ V "run: {capabilities: {add: [ALL]}}\n", "expected a capability (NET_ADMIN)" },
		{ V "run: {capabilities: {add: [[CHOWN]]}}\n", "expected a text" },
		{ V "run: {capabilities: {drop: all}}\n", "expected a list of capabilities" },
		{ V "run: {capabilities: {add: [KILL], drop: [KILL]}}\n",
		  "both added and dropped" },
		{ V "run: {no_new_privileges: 1}\n", "expected true or false" },
		{ V "run: {memory: 1M}\n", "expected a size from 4194304" },
		{ V "run: {memory: lots}\n", "expected a size from" },
		{ V "run: {memory: 99999999999999999999}\n", "expected a size from" },
		{ V "run: {pids: 0}\n", "from 1 to 4194304" },
		{ V "run: {shm_size: -1}\n", "expected a size from" },
		{ V "secrets: [a]\n", "expected members KEY: VALUE" },
		{ V "secrets: {a: b}\n", ":2:14: expected a secret as REPO/TYPE/TAG, found b" },
		{ V "secrets: {a: a/b/../c}\n", "expected a secret as REPO/TYPE/TAG" },
		{ V "secrets: {a: a/b/c/d}\n", "expected a secret as REPO/TYPE/TAG" },
		{ V "secrets: {a: a/b/*}\n", "" },
		{ V "secrets: {a: \"a/b/c\\n\"}\n", "expected a secret as REPO/TYPE/TAG" },
		{ V "secrets: {a: a/cryptsetup/c}\n", "which is for keys of volumes" },
		{ V "secrets: {a: a/b/" X256 "}\n", "expected a secret as REPO/TYPE/TAG" },
		{ V "secrets: {.a: a/b/c}\n", "expected the name of a secret" },
		{ V "secrets: {a/b: a/b/c}\n", "expected the name of a secret" },
		{ V "secrets: {\"\": a/b/c}\n", "expected the name of a secret" },
		{ V "secrets: {" X64 "x: a/b/c}\n", "expected the name of a secret" },
		{ V "secrets: {a: {env: A}}\n", "a secret needs 'from'" },
		{ V "secrets: {a: {from: a/b/c, env: A, path: /x}}\n", "either 'env' or 'path'" },
		{ V "secrets: {a: {from: a/b/c, env: A, mode: \"0400\"}}\n", "has no 'mode'" },
		{ V "secrets: {a: {from: a/b/c, mode: \"0600\"}}\n",
		  "four octal digits, with bits of 0555 only" },
		{ V "secrets: {a: {from: a/b/c, mode: 0x20}}\n", "four octal digits" },
		{ V "secrets: {a: {from: a/b/c, env: A.B}}\n", "expected the name of a variable" },
		{ V "secrets: {a: {from: a/b/c, env: \"A=B\"}}\n",
		  "expected the name of a variable" },
		{ V "secrets: {a: {from: a/b/c, env: 1A}}\n", "expected the name of a variable" },
		{ V "secrets: {a: {from: a/b/c, env: PATH}}\n", "which code runs: PATH" },
		{ V "secrets: {a: {from: a/b/c, env: LD_PRELOAD}}\n", "which code runs: LD_PRE" },
		{ V "secrets: {a: {from: a/b/c, env: BASH_ENV}}\n", "which code runs: BASH_ENV" },
		{ V "secrets: {a: {from: a/b/c, path: x}}\n", "expected an absolute path" },
		{ V "secrets: {a: {from: a/b/c, path: /x/}}\n", "expected the path of a file" },
		{ V "secrets: {a: {from: a/b/c, path: /run/secrets/b}}\n", "where ccdm puts" },
		{ V "secrets: {a: {from: a/b/c, env: A}, b: {from: a/b/d, env: A}}\n",
		  "two secrets have the same variable A" },
		{ V "secrets: {a: {from: a/b/c, path: /x}, b: {from: a/b/d, path: /x}}\n",
		  "two secrets have the same path /x" },
		{ V "secrets: {a: {from: a/b/c, env: A}}\nrun: {environment: {A: x}}\n",
		  "a secret and 'environment' have the same variable A" },
	};
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		seed("workload", all[i].text, strlen(all[i].text));
		r = ccdm_workload_parse("w.yaml", all[i].text, strlen(all[i].text), &w, &err);
		ccdm_workload_drop(&w);
		/* these are what they look like */
		if (!all[i].where[0]) {
			if (strstr(all[i].text, "/*"))
				assert_int_equal(r, -EINVAL);
			else
				assert_int_equal(r, 0);
			continue;
		}
		if (r != -EINVAL)
			fail_msg("case %zu is accepted: %s", i, all[i].text);
		if (!strstr(err.text, all[i].where))
			fail_msg("case %zu: '%s', not '%s'", i, err.text, all[i].where);
	}
}

/* What would cover or leave the container's own mounts. */
static void reserved(void **state)
{
	static const char *const places[] = {
		"/",
		"//",
		"/.",
		"/proc",
		"/proc/self",
		"/./proc",
		"//proc//",
		"/sys",
		"/sys/fs/cgroup",
		"/dev",
		"/dev/shm",
		"/sys/firmware",
		"/proc/kcore",
		"/run/secrets",
		"/run//secrets/./x",
		"/etc/resolv.conf",
		"/etc/./hosts",
		"/etc/hostname",
	};
	static const char *const formats[] = {
		V "run: {volumes: [\"%s\"]}\n",
		V "run: {tmpfs: [\"%s\"]}\n",
		V "run: {tmpfs: [{path: \"%s\"}]}\n",
		V "files: [{path: \"%s\", source: x}]\n",
		V "secrets: {a: {from: a/b/c, path: \"%s\"}}\n",
	};
	char text[256];
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(places); i++)
		for (j = 0; j < ARRAY_SIZE(formats); j++) {
			/* (the formats are above) */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			snprintf(text, sizeof(text), formats[j], places[i]);
#pragma GCC diagnostic pop
			if (ccdm_workload_parse("w.yaml", text, strlen(text), &w, &err) != -EINVAL)
				fail_msg("accepted: %s", text);
			ccdm_workload_drop(&w);
		}
	parse(V "run: {volumes: [/procx, /run, /run/secretsx, /etc, /...]}\n");
	ccdm_workload_drop(&w);
}

/* As many as there may be, and one more. */
static void limits(void **state)
{
	char *text = calloc(1, 200000);
	unsigned int i;
	size_t at;

	(void)state;
	at = sprintf(text, V "secrets:\n");
	for (i = 0; i < 65; i++) {
		at += sprintf(text + at, "  s%u: a/b/s%u\n", i, i);
		if (i == 63)
			parse(text);
	}
	assert_int_equal(w.nr_secrets, 64);
	ccdm_workload_drop(&w);
	assert_int_equal(ccdm_workload_parse("w.yaml", text, at, &w, &err), -EINVAL);
	assert_non_null(strstr(err.text, "w.yaml:67:3: more than 64 secrets"));
	ccdm_workload_drop(&w);
	at = sprintf(text, V "run: {volumes: [/v");
	for (i = 0; i < 64; i++)
		at += sprintf(text + at, ", /v%u", i);
	sprintf(text + at, "]}\n");
	assert_int_equal(ccdm_workload_parse("w.yaml", text, strlen(text), &w, &err), -EINVAL);
	assert_non_null(strstr(err.text, "this list is too long"));
	ccdm_workload_drop(&w);
	/* nodes, bytes */
	at = sprintf(text, V "run:\n  command: [a");
	for (i = 0; i < 9000; i++)
		at += sprintf(text + at, ",a");
	sprintf(text + at, "]\n");
	assert_int_equal(ccdm_workload_parse("w.yaml", text, strlen(text), &w, &err), -EINVAL);
	assert_non_null(strstr(err.text, "more than 8192 keys and values"));
	ccdm_workload_drop(&w);
	memset(text, '#', 65537);
	assert_int_equal(ccdm_workload_parse("w.yaml", text, 65537, &w, &err), -EINVAL);
	assert_non_null(strstr(err.text, "larger than 65536 bytes"));
	ccdm_workload_drop(&w);
	/* deep nesting, and the bomb of aliases */
	memset(text, '[', 20000);
	assert_int_equal(ccdm_workload_parse("w.yaml", text, 20000, &w, &err), -EINVAL);
	ccdm_workload_drop(&w);
	strcpy(text, V "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a]\n"
		       "c: &c [*b,*b,*b,*b,*b,*b]\nrun: {command: *c}\n");
	assert_int_equal(ccdm_workload_parse("w.yaml", text, strlen(text), &w, &err), -EINVAL);
	assert_non_null(strstr(err.text, "w.yaml:3:4: an alias"));
	ccdm_workload_drop(&w);
	free(text);
}

/* Each worked example is valid; each prefix of one is an error or valid, and never a crash. */
static void examples(void **state)
{
	DIR *dir = opendir(DIR_);
	struct dirent *entry;
	unsigned int found = 0;
	char path[512], *text, *copy;
	size_t size, n;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (!strstr(entry->d_name, ".yaml"))
			continue;
		found++;
		snprintf(path, sizeof(path), DIR_ "%s", entry->d_name);
		if (ccdm_workload_load(path, &w, &err))
			fail_msg("%s", err.text);
		ccdm_workload_drop(&w);
		assert_int_equal(ccdm_file_read(path, 65536, &text, &size, &err), 0);
		seed("workload", text, size);
		for (n = 0; n < size; n++) {
			copy = malloc(n ? n : 1);
			memcpy(copy, text, n);
			if (!ccdm_workload_parse("w.yaml", copy, n, &w, &err))
				assert_non_null(w.environment);
			ccdm_workload_drop(&w);
			free(copy);
		}
		free(text);
	}
	closedir(dir);
	assert_true(found >= 7);
	assert_int_equal(ccdm_workload_load("/no/such/file", &w, &err), -ENOENT);
}

static void signals(void **state)
{
	static const struct {
		const char *text, *name;
	} all[] = {
		{ "TERM", "SIGTERM" },
		{ "SIGTERM", "SIGTERM" },
		{ "15", "SIGTERM" },
		{ "1", "SIGHUP" },
		{ "31", "SIGSYS" },
		{ "34", "SIGRTMIN" },
		{ "RTMIN", "SIGRTMIN" },
		{ "SIGRTMIN+3", "SIGRTMIN+3" },
		{ "37", "SIGRTMIN+3" },
		{ "RTMAX", "SIGRTMIN+30" },
		{ "RTMAX-30", "SIGRTMIN" },
		{ "64", "SIGRTMIN+30" },
		{ "WINCH", "SIGWINCH" },
		{ "", NULL },
		{ "32", NULL },
		{ "SIG", NULL },
		{ "sigterm", NULL },
		{ "999", NULL },
		{ "-1", NULL },
		{ "RTMIN-1", NULL },
		{ "RTMAX-31", NULL },
		{ "RTMIN+", NULL },
		{ "SIGSIGTERM", NULL },
	};
	char name[CCDM_SIGNAL_NAME];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		assert_int_equal(ccdm_signal_name(all[i].text, name), all[i].name ? 0 : -EINVAL);
		if (all[i].name)
			assert_string_equal(name, all[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults), cmocka_unit_test(words),	cmocka_unit_test(run),
		cmocka_unit_test(secrets),  cmocka_unit_test(refused),	cmocka_unit_test(reserved),
		cmocka_unit_test(limits),   cmocka_unit_test(examples), cmocka_unit_test(signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
