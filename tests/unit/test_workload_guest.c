// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* test_workload_guest.c - boot/workload_*.c: the bundle, the units, the rules, the state of health */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/compiler.h"
#include "base/file.h"
#include "boot/workload_bundle.h"
#include "boot/workload_health.h"
#include "boot/workload_mount.h"
#include "boot/workload_net.h"
#include "boot/workload_unit.h"

static struct ccdm_workload_json w;
static struct ccdm_err err;
static char top[] = "/tmp/ccdm-unit-XXXXXX";

static const char *at(const char *name)
{
	static char path[4][256];
	static unsigned int n;

	n = (n + 1) % 4;
	snprintf(path[n], sizeof(path[n]), "%s/%s", top, name);
	return path[n];
}

static void put(const char *name, const char *text)
{
	assert_int_equal(ccdm_file_write(at(name), text, strlen(text), 0644, &err), 0);
}

/* True if the file holds @text. */
static bool has(const char *name, const char *text)
{
	char *found;
	size_t size;
	bool yes;

	if (ccdm_file_read(at(name), 1 << 20, &found, &size, &err))
		return false;
	yes = strstr(found, text);
	free(found);
	return yes;
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	return lstat(at(name), &st) ? 0 : st.st_mode & 07777;
}

static int fresh(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", top);
	if (system(command))
		return -1;
	strcpy(top, "/tmp/ccdm-unit-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	memset(&w, 0, sizeof(w));
	memset(&err, 0, sizeof(err));
	w.uid = getuid();
	w.gid = getgid();
	strcpy(w.stop_signal, "SIGTERM");
	w.stop_timeout = 10;
	return 0;
}

static int gone(void **state)
{
	int r = fresh(state);

	return r || rmdir(top);
}

/* ---- the bundle --------------------------------------------------------------- */

#define CONFIG "{\"hostname\":\"web-1\",\"process\":{\"env\":[\"A=1\",\"DB=old\",\"DBX=2\"]}}"

static void secret(const char *name, const char *env, unsigned int mode)
{
	struct ccdm_workload_secret *s = &w.secret[w.nr_secrets++];

	snprintf(s->name, sizeof(s->name), "%s", name);
	snprintf(s->env, sizeof(s->env), "%s", env);
	s->mode = mode;
}

static int bundle(void)
{
	return ccdm_workload_bundle(&w, at("ro"), at("store"), at("to"), &err);
}

static void folders(void)
{
	assert_int_equal(mkdir(at("ro"), 0755) | mkdir(at("store"), 0755) | mkdir(at("to"), 0755),
			 0);
	put("ro/config.json", CONFIG);
}

static void bundles(void **state)
{
	(void)state;
	folders();
	put("store/key", "k\n");
	put("store/db", "pass \"word\"");
	put("store/new", "v");
	put("store/other", "stays");
	secret("key", "", 0440);
	secret("db", "DB", 0400);
	secret("new", "NEW", 0400);
	assert_int_equal(bundle(), 0);
	assert_true(has("to/secrets/key", "k\n"));
	assert_int_equal(mode_of("to/secrets/key"), 0440);
	assert_int_equal(mode_of("to/secrets"), 0700);
	assert_int_equal(access(at("to/secrets/db"), F_OK), -1);
	assert_int_equal(mode_of("to/config.json"), 0400);
	assert_true(has("to/config.json", "\"DB=pass \\\"word\\\"\""));
	assert_false(has("to/config.json", "DB=old"));
	assert_true(has("to/config.json", "\"DBX=2\""));
	assert_true(has("to/config.json", "\"NEW=v\""));
	assert_true(has("to/etc/hosts", "127.0.1.1\tweb-1\n"));
	assert_true(has("to/etc/hostname", "web-1\n"));
	assert_int_equal(mode_of("to/etc/resolv.conf"), 0644);
	/* they are gone from where they came, and nothing else is */
	assert_int_equal(access(at("store/key"), F_OK), -1);
	assert_int_equal(access(at("store/db"), F_OK), -1);
	assert_int_equal(access(at("store/other"), F_OK), 0);
	/* it runs once */
	assert_int_equal(bundle(), -EEXIST);
}

/* After tamper: no copy of a secret is left, and what a container has mounted is empty. */
static void bundle_wiped(void **state)
{
	(void)state;
	assert_int_equal(ccdm_workload_bundle_wipe(at("to"), at("crun"), &err), 0);
	folders();
	put("store/key", "k1");
	put("store/db", "p2");
	secret("key", "", 0400);
	secret("db", "DB", 0400);
	assert_int_equal(bundle(), 0);
	assert_int_equal(mkdir(at("crun"), 0700), 0);
	put("crun/config.json", "DB=p2");
	put("crun/status", "stays");
	assert_int_equal(link(at("to/secrets/key"), at("mounted")), 0);
	assert_int_equal(ccdm_workload_bundle_wipe(at("to"), at("crun"), &err), 0);
	assert_int_equal(access(at("to/secrets/key"), F_OK), -1);
	assert_false(has("mounted", "k1"));
	assert_int_equal(access(at("to/config.json"), F_OK), -1);
	assert_int_equal(access(at("crun/config.json"), F_OK), -1);
	assert_true(has("crun/status", "stays"));
	assert_true(has("to/etc/hosts", "web-1"));
	/* what cannot be wiped does not keep the rest */
	assert_int_equal(mkdir(at("to/secrets/folder"), 0700), 0);
	put("crun/config.json", "DB=p2");
	assert_int_equal(ccdm_workload_bundle_wipe(at("to"), at("crun"), &err), -EISDIR);
	assert_non_null(strstr(err.text, "secrets/folder"));
	assert_int_equal(access(at("crun/config.json"), F_OK), -1);
}

static void bundle_refuses(void **state)
{
	static const struct {
		const char *config;
		const char *secret;
		int error;
		const char *says;
	} table[] = {
		{ CONFIG, NULL, -ENOKEY, "secret 'db' of the workload: " },
		{ CONFIG, "\xff", -ENOKEY, "expected UTF-8 for the variable DB" },
		{ "{\"process\":{}}", "v", -EINVAL, "expected the array process.env" },
		{ "[]", "v", -EINVAL, "expected an object" },
		{ "{", "v", -EINVAL, "config.json:1:" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		fresh(NULL);
		folders();
		put("ro/config.json", table[i].config);
		if (table[i].secret)
			put("store/db", table[i].secret);
		secret("db", "DB", 0400);
		assert_int_equal(bundle(), table[i].error);
		if (!strstr(err.text, table[i].says))
			fail_msg("%zu: '%s' says not '%s'", i, err.text, table[i].says);
	}
	/* a zero byte would end the variable */
	fresh(NULL);
	folders();
	assert_int_equal(ccdm_file_write(at("store/db"), "a\0b", 3, 0400, &err), 0);
	secret("db", "DB", 0400);
	assert_int_equal(bundle(), -ENOKEY);
	assert_non_null(strstr(err.text, "found a zero byte"));
	/* a host name that is none */
	fresh(NULL);
	folders();
	put("ro/config.json", "{\"hostname\":\"a\\nb\",\"process\":{\"env\":[]}}");
	assert_int_equal(bundle(), 0);
	assert_true(has("to/etc/hostname", "workload\n"));
}

static void updates(void **state)
{
	struct stat before, after;

	(void)state;
	put("resolv.conf", "nameserver 10.0.0.1\nnameserver 10.0.0.2\n");
	assert_int_equal(stat(at("resolv.conf"), &before), 0);
	assert_int_equal(
		ccdm_workload_bundle_update(at("resolv.conf"), "nameserver 9.9.9.9\n", &err), 0);
	assert_int_equal(stat(at("resolv.conf"), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(after.st_size, 19);
	assert_int_equal(ccdm_workload_bundle_update(at("resolv.conf"), "", &err), 0);
	assert_int_equal(stat(at("resolv.conf"), &after), 0);
	assert_int_equal(after.st_size, 0);
	assert_int_equal(ccdm_workload_bundle_update(at("none"), "", &err), -ENOENT);
}

/* ---- volumes ------------------------------------------------------------------ */

static void volumes(void **state)
{
	(void)state;
	assert_int_equal(mkdir(at("root"), 0755) | mkdir(at("root/run"), 0755) |
				 mkdir(at("root/run/data"), 0750) | mkdir(at("out"), 0755),
			 0);
	put("root/run/data/file", "seed");
	put("out/file", "not the image's");
	/* an image's links lead to its own files */
	assert_int_equal(symlink("/run", at("root/var")) | symlink("../../../out", at("root/up")),
			 0);
	strcpy(w.volume[0], "/var/data");
	strcpy(w.volume[1], "/none");
	w.nr_volumes = 2;
	assert_int_equal(ccdm_workload_mount_volumes(&w, at("root"), at("vol"), &err), 0);
	assert_true(has("vol/0/file", "seed"));
	assert_int_equal(mode_of("vol/0"), 0750);
	assert_int_equal(mode_of("vol/1"), 0755);
	assert_int_equal(mode_of("vol"), 0700);
	/* a file is no folder; a link out of the image is none either */
	strcpy(w.volume[0], "/run/data/file");
	assert_int_equal(ccdm_workload_mount_volumes(&w, at("root"), at("vol2"), &err), -ENOTDIR);
	assert_non_null(strstr(err.text, "volume /run/data/file"));
	strcpy(w.volume[0], "/up");
	assert_int_equal(ccdm_workload_mount_volumes(&w, at("root"), at("vol3"), &err), 0);
	assert_false(has("vol3/0/file", "not the image's"));
}

/* ---- units -------------------------------------------------------------------- */

#define SERVICE "systemd/system/ccdm-workload.service.d/50-ccdm.conf"
#define WANTS	"systemd/system/multi-user.target.wants/"
#define NETWORK "systemd/network/05-ccdm-workload.network"

static int units(void)
{
	fresh(NULL);
	return 0;
}

static void unit_defaults(void **state)
{
	char link[256] = "";

	(void)state;
	assert_int_equal(ccdm_workload_unit_write(&w, top, &err), 0);
	assert_true(has(SERVICE, "SuccessAction=poweroff\nFailureAction=poweroff\n"));
	assert_true(has(SERVICE, "KillSignal=SIGTERM\nTimeoutStopSec=10\nRestart=no\n"));
	assert_true(has(SERVICE, "After=network-online.target\n"));
	assert_false(has(SERVICE, "StandardOutput"));
	assert_false(has(SERVICE, "health"));
	assert_true(has(NETWORK, "DHCP=yes\n"));
	assert_true(has("systemd/journald.conf.d/99-zz-ccdm.conf",
			"Storage=volatile\nForwardToConsole=no\n"));
	assert_true(readlink(at(WANTS "ccdm-workload.service"), link, sizeof(link) - 1) > 0);
	assert_string_equal(link, CCDM_WORKLOAD_UNIT_PATH);
	assert_true(readlink(at(WANTS "systemd-networkd.service"), link, sizeof(link) - 1) > 0);
	assert_int_equal(access(at("systemd/system/ccdm-workload-health.timer.d"), F_OK), -1);
	/* twice is as once */
	assert_int_equal(ccdm_workload_unit_write(&w, top, &err), 0);
}

static void unit_words(void **state)
{
	char link[256] = "";

	(void)state;
	w.on_exit = CCDM_WORKLOAD_REBOOT;
	w.restart = CCDM_WORKLOAD_FAILURE;
	w.delay = 3;
	w.most = 4;
	strcpy(w.stop_signal, "SIGQUIT");
	w.stop_timeout = 70;
	w.logs = CCDM_WORKLOAD_SILENT;
	w.net = CCDM_WORKLOAD_STATIC;
	strcpy(w.address, "10.0.0.5/24");
	strcpy(w.gateway, "10.0.0.1");
	strcpy(w.dns[0], "10.0.0.2");
	w.nr_dns = 1;
	w.health.test = json_pack("[s, s]", "CMD", "/x");
	w.health.interval = 1500;
	w.health.timeout = 2000;
	w.health.action = CCDM_WORKLOAD_ACTION_RESTART;
	assert_int_equal(ccdm_workload_unit_write(&w, top, &err), 0);
	assert_true(has(SERVICE, "SuccessAction=reboot\nFailureAction=reboot\n"));
	assert_true(has(SERVICE, "StartLimitIntervalSec=infinity\nStartLimitBurst=5\n"));
	assert_true(
		has(SERVICE,
		    "KillSignal=SIGQUIT\nTimeoutStopSec=70\nRestart=on-failure\nRestartSec=3\n"));
	assert_true(has(SERVICE, "RestartForceExitStatus=SIGKILL\n"));
	assert_true(has(SERVICE, "Wants=ccdm-workload-health.timer\n"));
	assert_true(has(SERVICE, "StandardOutput=null\nStandardError=null\n"));
	assert_true(has("systemd/system/ccdm-workload-health.timer.d/50-ccdm.conf",
			"OnActiveSec=1500ms\nOnUnitInactiveSec=1500ms\n"));
	assert_true(has(NETWORK, "DHCP=no\n"));
	assert_true(has(NETWORK,
			"Address=10.0.0.5/24\nIPv6AcceptRA=no\nGateway=10.0.0.1\nDNS=10.0.0.2\n"));
	ccdm_workload_json_drop(&w);
	/* always, without end; the output on the console; no network */
	units();
	w.restart = CCDM_WORKLOAD_ALWAYS;
	w.logs = CCDM_WORKLOAD_CONSOLE;
	w.net = CCDM_WORKLOAD_OFFLINE;
	assert_int_equal(ccdm_workload_unit_write(&w, top, &err), 0);
	assert_true(has(SERVICE, "Restart=always\n") && has(SERVICE, "StartLimitIntervalSec=0\n"));
	assert_false(has(SERVICE, "network-online"));
	assert_true(has("systemd/system/ccdm-workload-output.service.d/50-ccdm.conf",
			"StandardOutput=journal+console\n"));
	assert_int_equal(access(at(NETWORK), F_OK), -1);
	assert_true(readlink(at("systemd/system.control/systemd-networkd.service"), link,
			     sizeof(link) - 1) > 0);
	assert_string_equal(link, "/dev/null");
}

static void base(void **state)
{
	static const char *const files[] = { CCDM_WORKLOAD_UNIT_PATH, "/usr/bin/crun",
					     "/usr/sbin/nft",
					     "/usr/lib/systemd/system/systemd-networkd.service" };
	char command[600];
	size_t i;

	(void)state;
	snprintf(command, sizeof(command),
		 "mkdir -p %s/usr/lib/systemd/system %s/usr/bin %s/usr/sbin", top, top, top);
	assert_int_equal(system(command), 0);
	w.has_ports = true;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_int_equal(ccdm_workload_unit_base(&w, top, &err), -ENOENT);
		assert_non_null(strstr(err.text, files[i]));
		put(files[i] + 1, "");
	}
	assert_int_equal(ccdm_workload_unit_base(&w, top, &err), 0);
	/* what is not needed need not be there */
	unlink(at("usr/sbin/nft"));
	unlink(at("usr/lib/systemd/system/systemd-networkd.service"));
	w.has_ports = false;
	w.net = CCDM_WORKLOAD_OFFLINE;
	assert_int_equal(ccdm_workload_unit_base(&w, top, &err), 0);
}

static void names(void **state)
{
	char text[CCDM_NET_NAMES];

	(void)state;
	w.net = CCDM_WORKLOAD_STATIC;
	ccdm_workload_net_names(&w, text);
	assert_string_equal(text, "");
	w.nr_dns = 3;
	strcpy(w.dns[0], "192.0.2.1");
	strcpy(w.dns[1], "2001:db8:1111:2222:3333:4444:5555:6666");
	strcpy(w.dns[2], "192.0.2.3");
	ccdm_workload_net_names(&w, text);
	assert_string_equal(text, "nameserver 192.0.2.1\n"
				  "nameserver 2001:db8:1111:2222:3333:4444:5555:6666\n"
				  "nameserver 192.0.2.3\n");
	w.net = CCDM_WORKLOAD_OFFLINE;
	ccdm_workload_net_names(&w, text);
	assert_string_equal(text, "");
}

static void rules(void **state)
{
	static char text[CCDM_WORKLOAD_NET_RULES_MAX];
	unsigned int i;

	(void)state;
	ccdm_workload_net_rules(&w, text, sizeof(text));
	assert_non_null(strstr(text, "policy drop;"));
	assert_null(strstr(text, "tcp dport"));
	/* names of protocols need a file that a base does not have */
	assert_non_null(strstr(text, "meta l4proto { 1, 58 } accept\n"));
	w.nr_ports = 2;
	w.port[0] = 80;
	w.port[1] = 8443;
	ccdm_workload_net_rules(&w, text, sizeof(text));
	assert_non_null(strstr(text, "tcp dport { 80,8443 } accept\n"));
	/* there is room for all of them */
	w.nr_ports = CCDM_WORKLOAD_JSON_PORTS;
	for (i = 0; i < w.nr_ports; i++)
		w.port[i] = 65535;
	ccdm_workload_net_rules(&w, text, sizeof(text));
	assert_string_equal(text + strlen(text) - 4, "}\n}\n");
}

/* ---- health, programs ---------------------------------------------------------- */

static void health(void **state)
{
	const struct ccdm_workload_health h = { .retries = 2, .start_period = 1000 };
	struct ccdm_workload_state s, loaded;

	(void)state;
	ccdm_workload_health_reset(&s, 5000);
	assert_true(s.status == CCDM_WORKLOAD_STARTING && s.last == -1);
	/* in the start period failures do not count */
	assert_false(ccdm_workload_health_next(&h, &s, 5999, 1));
	assert_int_equal(s.failures, 0);
	assert_false(ccdm_workload_health_next(&h, &s, 6000, 1));
	assert_int_equal(s.failures, 1);
	assert_true(ccdm_workload_health_next(&h, &s, 6100, 7));
	assert_int_equal(s.status, CCDM_WORKLOAD_UNHEALTHY);
	/* it becomes so once */
	assert_false(ccdm_workload_health_next(&h, &s, 6200, 7));
	assert_int_equal(ccdm_workload_health_save(at("h"), &s, &err), 0);
	assert_int_equal(ccdm_workload_health_load(at("h"), &loaded, &err), 0);
	assert_true(loaded.status == s.status && loaded.failures == s.failures &&
		    loaded.last == s.last && loaded.since == s.since);
	/* one success in between counts from the beginning */
	assert_false(ccdm_workload_health_next(&h, &s, 6300, 0));
	assert_true(s.status == CCDM_WORKLOAD_HEALTHY && !s.failures);
	assert_false(ccdm_workload_health_next(&h, &s, 6400, 1));
	assert_int_equal(s.status, CCDM_WORKLOAD_HEALTHY);
	/* what has worked once has started, whatever the time is */
	ccdm_workload_health_reset(&s, 5000);
	assert_false(ccdm_workload_health_next(&h, &s, 5001, 0));
	assert_false(ccdm_workload_health_next(&h, &s, 5002, 1));
	assert_true(ccdm_workload_health_next(&h, &s, 5003, 1));
	put("h", "{\"status\":\"fine\",\"failures\":0,\"last\":0,\"since_ms\":0}");
	assert_int_equal(ccdm_workload_health_load(at("h"), &s, &err), -EINVAL);
	put("h", "x");
	assert_int_equal(ccdm_workload_health_load(at("h"), &s, &err), -EINVAL);
	assert_int_equal(ccdm_workload_health_load(at("none"), &s, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(bundles, fresh),
		cmocka_unit_test_setup(bundle_wiped, fresh),
		cmocka_unit_test_setup(bundle_refuses, fresh),
		cmocka_unit_test_setup(updates, fresh),
		cmocka_unit_test_setup(volumes, fresh),
		cmocka_unit_test_setup(unit_defaults, fresh),
		cmocka_unit_test_setup(unit_words, fresh),
		cmocka_unit_test_setup(base, fresh),
		cmocka_unit_test_setup(names, fresh),
		cmocka_unit_test_setup(rules, fresh),
		cmocka_unit_test_setup(health, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, gone);
}
