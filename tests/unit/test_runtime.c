// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * config.json and workload.json: users, capabilities, seccomp, mounts; what tries to leave the
 * sandbox; and that the guest reads what the builder writes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/stat.h>
#include "base/file.h"
#include "boot/workload_json.h"
#include "image/capabilities.h"
#include "image/runtime.h"
#include "image/sandbox.h"
#include "image/seccomp.h"
#include "image/user.h"
#include "seed.h"

#define V "version: 1\n"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\napp:x:1234:1235::/home/app:/bin/sh\n"
			     "broken\nhigh:x:4294967295:0::/:\nnohome:x:7:8:::\nrel:x:9:9::home:\n"
			     "app:x:1:1::/second:\n";
static const char group[] = "root:x:0:\nextra:x:77:other,app\nmore:x:78:app,root\nbad:x:y:app\n"
			    "app:x:1235:\n";
static const char profile[] =
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"archMap\":[],\"syscalls\":["
	"{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":null,\"includes\":{}},"
	"{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}},"
	"{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":1,\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}},"
	"{\"names\":[\"arm\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"arches\":[\"arm64\"]}},"
	"{\"names\":[\"amd\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"arches\":[\"amd64\",\"x32\"]}},"
	"{\"names\":[\"late\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"6.12\"}},"
	"{\"names\":[\"early\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"4.8\"},"
	"\"args\":[{\"index\":0,\"value\":8,\"op\":\"SCMP_CMP_EQ\"}]}]}";

static struct ccdm_rootfs *fs;
static struct ccdm_err err;

/* ---- a container image ----------------------------------------------------------------- */

static void put(const char *path, uint32_t mode, const char *text)
{
	if (ccdm_rootfs_put(fs, path, mode, 0, 0, text, strlen(text), &err))
		fail_msg("%s: %s", path, err.text);
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(ccdm_rootfs_new(&fs, "/tmp", &err), 0);
	put("/etc/passwd", 0644, passwd);
	put("/etc/group", 0644, group);
	put("/run/app", S_IFDIR | 0755, "");
	put("/var/run", S_IFLNK | 0777, "/run");
	put("/srv/data", S_IFDIR | 0755, "");
	put("/bin/sh", 0755, "#!");
	put("/a/b", S_IFDIR | 0755, "");
	put("/a/proc", S_IFLNK | 0777, "../proc");
	put("/a/self", S_IFLNK | 0777, "proc/self");
	put("/a/root", S_IFLNK | 0777, "..");
	put("/a/sys", S_IFLNK | 0777, "/./sys/../sys/kernel");
	put("/a/secrets", S_IFLNK | 0777, "/var/run/secrets");
	put("/a/up", S_IFLNK | 0777, "../../../../../dev/shm");
	put("/a/loop", S_IFLNK | 0777, "loop");
	put("/a/back", S_IFLNK | 0777, "b/..");
	put("/a/gone", S_IFLNK | 0777, "/new/place");
	put("/a/hosts", S_IFLNK | 0777, "../etc/hosts");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ccdm_rootfs_free(fs);
	return 0;
}

/* What became of an image and a workload.yaml. */
struct made {
	int r;
	struct ccdm_runtime runtime;
	json_t *config, *workload;
};

static struct made make(const char *image, const char *yaml)
{
	static struct ccdm_workload w;
	struct ccdm_image_config c;
	struct made m = { .r = 0 };
	struct ccdm_runtime_input in = {
		"img", &c, &w, "product", fs, "seccomp.json", profile, sizeof(profile) - 1
	};

	if (ccdm_image_config_parse("img", image, strlen(image), &c, &err) ||
	    ccdm_workload_parse("w.yaml", yaml, strlen(yaml), &w, &err))
		fail_msg("%s", err.text);
	seed_texts("workload_image", 0, 0xff, image, yaml, profile, NULL);
	m.r = ccdm_runtime_make(&in, &m.runtime, &err);
	if (!m.r) {
		m.config = json_loads(m.runtime.config, 0, NULL);
		m.workload = json_loads(m.runtime.workload, 0, NULL);
		assert_non_null(m.config);
		assert_non_null(m.workload);
	}
	ccdm_image_config_drop(&c);
	ccdm_workload_drop(&w);
	return m;
}

static void drop(struct made *m)
{
	json_decref(m->config);
	json_decref(m->workload);
	ccdm_runtime_drop(&m->runtime);
}

/* The value at "a.b.2" as a text of JSON. */
static const char *at(const json_t *o, const char *path)
{
	static char text[8192];
	char part[64];
	size_t n;

	for (; *path; path += n + (path[n] ? 1 : 0)) {
		n = strcspn(path, ".");
		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		o = json_is_array(o) ? json_array_get(o, atoi(part)) : json_object_get(o, part);
	}
	n = o ? json_dumpb(o, text, sizeof(text) - 1, JSON_ENCODE_ANY | JSON_COMPACT) : 0;
	text[n] = '\0';
	return text;
}

static const json_t *mount_at(const json_t *config, const char *place)
{
	const json_t *list = json_object_get(config, "mounts"), *one;
	size_t i;

	json_array_foreach(list, i,
			   one) if (!strcmp(json_string_value(json_object_get(one, "destination")),
					    place)) return one;
	return NULL;
}

#define IMAGE(members) "{\"config\":{\"Entrypoint\":[\"/e\"],\"Cmd\":[\"c\"]" members "}}"

static void says(const char *image, const char *yaml, const char *path, const char *value)
{
	struct made m = make(image, yaml);

	if (m.r)
		fail_msg("%s: %s", err.text, yaml);
	assert_string_equal(at(m.config, path), value);
	drop(&m);
}

static void refuses(const char *image, const char *yaml, const char *why)
{
	struct made m = make(image, yaml);

	if (!m.r)
		fail_msg("accepted: %s %s", image, yaml);
	if (!strstr(err.text, why))
		fail_msg("%s: '%s', not '%s'", yaml, err.text, why);
	drop(&m);
}

/* ---- tests ------------------------------------------------------------------------------ */

static void users(void **state)
{
	static const struct {
		const char *spec;
		long uid, gid;
		const char *groups, *home;
	} all[] = {
		{ "", 0, 0, "[78]", "/root" },
		{ "root", 0, 0, "[78]", "/root" },
		{ "app", 1234, 1235, "[77,78]", "/home/app" },
		{ "1234", 1234, 1235, "[77,78]", "/home/app" },
		{ "app:", 1234, 1235, "[77,78]", "/home/app" },
		{ "app:extra", 1234, 77, "[]", "/home/app" },
		{ "app:5", 1234, 5, "[]", "/home/app" },
		{ "0:77", 0, 77, "[]", "/root" },
		{ ":77", 0, 77, "[]", "/root" },
		{ "99", 99, 0, "[]", "/" },
		{ "99:98", 99, 98, "[]", "/" },
		{ "2147483647", 2147483647, 0, "[]", "/" },
		{ "nohome", 7, 8, "[]", "/" },
		{ "rel", 9, 9, "[]", "/" },
		{ "2147483648", -1, 0, NULL, "expected a number up to 2147483647" },
		{ "0:99999999999999999999", -1, 0, NULL, "expected a number up to" },
		{ "none", -1, 0, NULL, "has no user none" },
		{ "broken", -1, 0, NULL, "has no user broken" },
		{ "high", -1, 0, NULL, "has no user high" },
		{ "app:none", -1, 0, NULL, "has no group none" },
		{ "app:bad", -1, 0, NULL, "has no group bad" },
		{ "a:b:c", -1, 0, NULL, "expected USER or USER:GROUP" },
		{ "-1", -1, 0, NULL, "has no user -1" },
		{ "0:root\n", -1, 0, NULL, "has no group" },
	};
	struct ccdm_rootfs *saved = fs, *empty;
	struct ccdm_user user;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		int r = ccdm_user_resolve(all[i].spec, fs, &user, &err);

		assert_int_equal(r, all[i].uid < 0 ? -EINVAL : 0);
		if (!r) {
			assert_int_equal(user.uid, all[i].uid);
			assert_int_equal(user.gid, all[i].gid);
			assert_string_equal(at(user.groups, ""), all[i].groups);
			assert_string_equal(user.home, all[i].home);
		} else if (!strstr(err.text, all[i].home)) {
			fail_msg("%s: %s", all[i].spec, err.text);
		}
		json_decref(user.groups);
	}
	/* an image without passwd and group, and one in which they are links and folders */
	assert_int_equal(ccdm_rootfs_new(&empty, "/tmp", &err), 0);
	assert_int_equal(ccdm_user_resolve("", empty, &user, &err), 0);
	assert_string_equal(user.home, "/");
	json_decref(user.groups);
	assert_int_equal(ccdm_user_resolve("root", empty, &user, &err), -EINVAL);
	json_decref(user.groups);
	fs = empty;
	put("/etc/passwd", S_IFLNK | 0777, "../x/passwd");
	put("/x/passwd", 0644, "via:x:3:4::/via:\n");
	put("/etc/group", S_IFLNK | 0777, "nowhere");
	assert_int_equal(ccdm_user_resolve("via", empty, &user, &err), 0);
	assert_int_equal(user.gid, 4);
	json_decref(user.groups);
	put("/etc/group", S_IFDIR | 0755, "");
	assert_int_equal(ccdm_user_resolve("via", empty, &user, &err), -EINVAL);
	json_decref(user.groups);
	fs = saved;
	ccdm_rootfs_free(empty);
}

static void process(void **state)
{
	(void)state;
	says(IMAGE(""), V, "process.args", "[\"/e\",\"c\"]");
	says(IMAGE(""), V "run: {command: [d, e]}", "process.args", "[\"/e\",\"d\",\"e\"]");
	says(IMAGE(""), V "run: {entrypoint: [/f]}", "process.args", "[\"/f\"]");
	says(IMAGE(""), V "run: {entrypoint: [/f], command: [g]}", "process.args",
	     "[\"/f\",\"g\"]");
	says(IMAGE(""), V "run: {entrypoint: [], command: [g]}", "process.args", "[\"g\"]");
	refuses(IMAGE(""), V "run: {entrypoint: []}", "neither an entrypoint nor a command");
	refuses("{}", V, "image img: it has neither an entrypoint nor a command");
	refuses("{\"config\":{\"Cmd\":[\"\"]}}", V, "neither an entrypoint nor a command");
	says("{\"config\":null}", V "run: {command: [x]}", "process.cwd", "\"/\"");
	says(IMAGE(",\"WorkingDir\":\"w/x\""), V, "process.cwd", "\"/w/x\"");
	says(IMAGE(",\"WorkingDir\":\"/w\""), V "run: {workdir: /y}", "process.cwd", "\"/y\"");
	says(IMAGE(",\"Env\":[\"A=1\",\"B=\\n\",\"A=2\",\"PATH=/p\"]"),
	     V "run: {environment: {A: 3, Z: \"\"}}", "process.env",
	     "[\"PATH=/p\",\"TERM=xterm\",\"A=3\",\"B=\\n\",\"Z=\",\"HOME=/root\"]");
	says(IMAGE(",\"Env\":[\"HOME=/h\"],\"User\":\"app\""), V, "process.env.2", "\"HOME=/h\"");
	says(IMAGE(",\"User\":\"app\""), V, "process.user",
	     "{\"additionalGids\":[77,78],\"gid\":1235,\"uid\":1234}");
	says(IMAGE(",\"User\":\"app\""), V "run: {user: \"0:5\"}", "process.user",
	     "{\"gid\":5,\"uid\":0}");
	refuses(IMAGE(",\"User\":\"ghost\""), V, "has no user ghost");
	refuses(IMAGE(""), V "run: {user: ghost}", "has no user ghost");
	says(IMAGE(""), V, "process.terminal", "false");
	says(IMAGE(""), V, "process.noNewPrivileges", "true");
	says(IMAGE(""), V "run: {no_new_privileges: false}", "process.noNewPrivileges", "false");
}

static void rights(void **state)
{
	struct made m = make(IMAGE(""), V);
	json_t *caps = json_object_get(json_object_get(m.config, "process"), "capabilities");

	(void)state;
	assert_int_equal(json_array_size(json_object_get(caps, "bounding")), 14);
	assert_int_equal(json_array_size(json_object_get(caps, "effective")), 14);
	assert_int_equal(json_array_size(json_object_get(caps, "permitted")), 14);
	assert_int_equal(json_array_size(json_object_get(caps, "inheritable")), 0);
	assert_int_equal(json_array_size(json_object_get(caps, "ambient")), 0);
	assert_string_equal(at(caps, "bounding.0"), "\"CAP_AUDIT_WRITE\"");
	assert_string_equal(at(m.config, "linux.namespaces"),
			    "[{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},"
			    "{\"type\":\"mount\"},{\"type\":\"cgroup\"}]");
	assert_string_equal(at(m.config, "linux.cgroupsPath"),
			    "\"/system.slice/ccdm-workload.service/workload\"");
	assert_string_equal(at(m.config, "linux.resources.devices.0"),
			    "{\"access\":\"rwm\",\"allow\":false}");
	assert_int_equal(json_array_size(json_object_get(
				 json_object_get(json_object_get(m.config, "linux"), "resources"),
				 "devices")),
			 9);
	assert_non_null(strstr(at(m.config, "linux.maskedPaths"), "\"/sys/firmware\""));
	assert_non_null(strstr(at(m.config, "linux.maskedPaths"), "\"/sys/kernel/config\""));
	assert_non_null(strstr(at(m.config, "linux.maskedPaths"), "\"/sys/kernel/security\""));
	assert_non_null(strstr(at(m.config, "linux.readonlyPaths"), "\"/proc/sys\""));
	assert_int_equal(json_array_size(m.runtime.said), 0);
	drop(&m);
	says(IMAGE(",\"User\":\"app\""), V, "process.capabilities.effective", "[]");
	says(IMAGE(",\"User\":\"app\""), V, "process.capabilities.permitted", "[]");
	says(IMAGE(""), V "run: {capabilities: {drop: ALL}}", "process.capabilities.bounding",
	     "[]");
	says(IMAGE(""), V "run: {capabilities: {drop: ALL, add: [KILL]}}",
	     "process.capabilities.effective", "[\"CAP_KILL\"]");
	/* what a user who is not root is given is of use to it */
	says(IMAGE(",\"User\":\"app\""), V "run: {capabilities: {add: [NET_ADMIN]}}",
	     "process.capabilities.ambient", "[\"CAP_NET_ADMIN\"]");
	says(IMAGE(""), V "run: {memory: 8M, pids: 7}", "linux.resources.memory",
	     "{\"limit\":8388608}");
	says(IMAGE(""), V "run: {memory: 8M, pids: 7}", "linux.resources.pids", "{\"limit\":7}");
	says(IMAGE(""), V "run: {read_only: true}", "root",
	     "{\"path\":\"rootfs\",\"readonly\":true}");
}

/* What is allowed, and is said. */
static void said(void **state)
{
	struct made m = make(IMAGE(""), V "logs: console\nsecrets: {s: {from: a/b/c, env: S}}\n"
					  "run: {no_new_privileges: false, capabilities: {add: "
					  "[SYS_ADMIN, CHOWN]}}\n");

	(void)state;
	assert_int_equal(m.r, 0);
	assert_int_equal(json_array_size(m.runtime.said), 4);
	assert_non_null(strstr(at(m.runtime.said, "0"), "the host can read all"));
	assert_non_null(strstr(at(m.runtime.said, "1"), "no_new_privileges"));
	assert_non_null(strstr(at(m.runtime.said, "2"), "CAP_SYS_ADMIN"));
	assert_non_null(strstr(at(m.runtime.said, "3"), "the variable S"));
	assert_non_null(strstr(at(m.config, "linux.seccomp.syscalls"),
			       "{\"action\":\"SCMP_ACT_ALLOW\",\"names\":[\"mount\"]}"));
	drop(&m);
}

static void mounts(void **state)
{
	struct made m = make(IMAGE(",\"Volumes\":{\"/srv/data\":{},\"/new/one\":{}}"),
			     V "run: {tmpfs: [/var/run/app, {path: /t, size: 1M}], shm_size: 1M}\n"
			       "secrets: {k: a/b/c, p: {from: a/b/d, path: /a/gone/x}, "
			       "e: {from: a/b/e, env: E}}\n");

	(void)state;
	if (m.r)
		fail_msg("%s", err.text);
	assert_string_equal(at(mount_at(m.config, "/srv/data"), "source"),
			    "\"/var/lib/ccdm/volumes/1\"");
	assert_string_equal(at(mount_at(m.config, "/new/one"), "options"),
			    "[\"bind\",\"rw\",\"nosuid\",\"nodev\"]");
	/* links of the image are resolved, so that the runtime follows none */
	assert_non_null(mount_at(m.config, "/run/app"));
	assert_non_null(strstr(at(mount_at(m.config, "/t"), "options"), "\"size=1048576\""));
	assert_non_null(strstr(at(mount_at(m.config, "/dev/shm"), "options"), "\"size=1048576\""));
	assert_string_equal(at(mount_at(m.config, "/run/secrets/k"), "source"),
			    "\"/run/ccdm/workload/secrets/k\"");
	assert_string_equal(at(mount_at(m.config, "/run/secrets/k"), "options"),
			    "[\"bind\",\"ro\",\"nosuid\",\"nodev\",\"noexec\"]");
	assert_non_null(mount_at(m.config, "/new/place/x"));
	assert_null(mount_at(m.config, "/run/secrets/e"));
	assert_string_equal(at(mount_at(m.config, "/etc/hosts"), "source"),
			    "\"/run/ccdm/workload/etc/hosts\"");
	assert_string_equal(at(m.config, "mounts.0.destination"), "\"/proc\"");
	assert_string_equal(at(m.workload, "volumes"),
			    "[{\"path\":\"/new/one\"},{\"path\":\"/srv/data\"}]");
	drop(&m);
	says(IMAGE(",\"Volumes\":{\"/srv/data\":{}}"), V "run: {volumes: []}",
	     "mounts.7.destination", "\"/etc/hostname\"");
	/* the folder before what is in it */
	m = make(IMAGE(""), V "run: {volumes: [/run/x/y], tmpfs: [/run]}\nsecrets: {k: a/b/c}\n");
	assert_int_equal(m.r, 0);
	assert_string_equal(at(m.config, "mounts.10.destination"), "\"/run\"");
	assert_string_equal(at(m.config, "mounts.11.destination"), "\"/run/secrets/k\"");
	assert_string_equal(at(m.config, "mounts.12.destination"), "\"/run/x/y\"");
	drop(&m);
}

/* Each way out of the sandbox that a path could be. */
static void escapes(void **state)
{
	static const char *const places[][2] = {
		{ "/a/proc/x", "leads to /proc/x" },
		{ "/a/self", "leads to /proc/self" },
		{ "/a/root", "leads to /: expected a path below /" },
		{ "/a/root/proc", "leads to /proc" },
		{ "/a/root/a/root/sys/x", "leads to /sys/x" },
		{ "/a/sys", "leads to /sys/kernel" },
		{ "/a/sys/config", "leads to /sys/kernel/config" },
		{ "/a/secrets/x", "leads to /run/secrets/x" },
		{ "/var/run/secrets", "leads to /run/secrets" },
		{ "/a/up", "leads to /dev/shm" },
		{ "/a/loop", "Too many levels" },
		{ "/a/hosts", "leads to /etc/hosts" },
		{ "/bin/sh/x", "Not a directory" },
		{ "/bin/sh", "expected a folder of the image" },
	};
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(text, sizeof(text), V "run: {volumes: [%s]}\n", places[i][0]);
		refuses(IMAGE(""), text, places[i][1]);
		snprintf(text, sizeof(text), V "run: {tmpfs: [%s]}\n", places[i][0]);
		refuses(IMAGE(""), text, places[i][1]);
		snprintf(text, sizeof(text), IMAGE(",\"Volumes\":{\"%s\":{}}"), places[i][0]);
		refuses(text, V, places[i][1]);
		if (strcmp(places[i][0], "/bin/sh")) {
			snprintf(text, sizeof(text), V "secrets: {a: {from: a/b/c, path: %s}}\n",
				 places[i][0]);
			refuses(IMAGE(""), text, places[i][1]);
		}
	}
	/* an image's own words are no weaker rule */
	refuses(IMAGE(",\"Volumes\":{\"/proc\":{}}"), V, "below /proc, /sys and /dev");
	refuses(IMAGE(",\"Volumes\":{\"/\":{}}"), V, "expected a path below /");
	refuses(IMAGE(",\"Volumes\":{\"/sys/fs/cgroup\":{}}"), V, "below /proc, /sys and /dev");
	assert_non_null(strstr(err.hint, "volumes: []"));
	refuses(IMAGE(",\"Volumes\":{\"/x/../proc\":{}}"), V, "leads to /proc");
	refuses(IMAGE(""), V "secrets: {a: {from: a/b/c, path: /srv/data}}\n", "expected a file");
	/* two at one place, by a link or not */
	refuses(IMAGE(""), V "run: {volumes: [/v, /v]}\n", "/v: two mounts");
	refuses(IMAGE(""), V "run: {volumes: [/run/app], tmpfs: [/var/run/app]}\n", "two mounts");
	refuses(IMAGE(""), V "run: {volumes: [/a/back/b, /a/b]}\n", "/a/b: two mounts");
	refuses(IMAGE(""), V "run: {tmpfs: [/x]}\nsecrets: {a: {from: a/b/c, path: /x}}\n",
		"/x: two mounts");
}

/* An image whose own /proc or /etc leads elsewhere. */
static void links(void **state)
{
	struct ccdm_rootfs *saved = fs;

	(void)state;
	assert_int_equal(ccdm_rootfs_new(&fs, "/tmp", &err), 0);
	put("/proc", S_IFLNK | 0777, "tmp");
	refuses(IMAGE(""), V, "the image's /proc: expected a folder");
	put("/proc", S_IFDIR | 0755, "");
	put("/dev", 0644, "");
	ccdm_rootfs_free(fs);
	assert_int_equal(ccdm_rootfs_new(&fs, "/tmp", &err), 0);
	put("/etc/resolv.conf", S_IFLNK | 0777, "../run/systemd/resolve/stub-resolv.conf");
	says(IMAGE(""), V, "mounts.9.destination", "\"/run/systemd/resolve/stub-resolv.conf\"");
	put("/etc/hosts", S_IFLNK | 0777, "/proc/sys/kernel/hostname");
	refuses(IMAGE(""), V, "leads to /proc/sys/kernel/hostname");
	put("/etc/hosts", 0644, "");
	put("/run/secrets", S_IFLNK | 0777, "/dev/shm");
	says(IMAGE(""), V, "mounts.7.destination", "\"/etc/hostname\"");
	refuses(IMAGE(""), V "secrets: {k: a/b/c}\n", "leads to /dev/shm/k");
	ccdm_rootfs_free(fs);
	fs = saved;
}

static void files(void **state)
{
	static struct ccdm_workload w;
	static const char *const bad[][2] = {
		{ "/a/proc/x", "leads to /proc/x" },
		{ "/a/root/etc/hosts", "leads to /etc/hosts" },
		{ "/a/up/x", "leads to /dev/shm/x" },
		{ "/bin/sh/x", "Not a directory" },
	};
	const struct ccdm_rootfs_node *node;
	char text[512], *content;
	size_t i, size;

	(void)state;
	snprintf(text, sizeof(text), "%s",
		 V "files: [{path: /a/back/f, source: VERSION, mode: \"0640\"}, {path: /a/self, "
		   "source: VERSION}]\n");
	assert_int_equal(ccdm_workload_parse("w", text, strlen(text), &w, &err), 0);
	if (ccdm_workload_files(&w, ".", fs, &err))
		fail_msg("%s", err.text);
	ccdm_workload_drop(&w);
	node = ccdm_rootfs_find(fs, "/a/f");
	assert_non_null(node);
	assert_int_equal(node->inode->mode, S_IFREG | 0640);
	assert_int_equal(ccdm_rootfs_read(fs, node, 100, &content, &size, &err), 0);
	free(content);
	/* a link at the end is replaced, and nothing is written where it led */
	assert_true(S_ISREG(ccdm_rootfs_find(fs, "/a/self")->inode->mode));
	assert_null(ccdm_rootfs_find(fs, "/proc"));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), V "files: [{path: %s, source: VERSION}]\n", bad[i][0]);
		assert_int_equal(ccdm_workload_parse("w", text, strlen(text), &w, &err), 0);
		assert_true(ccdm_workload_files(&w, ".", fs, &err) < 0);
		if (!strstr(err.text, bad[i][1]))
			fail_msg("%s: %s", bad[i][0], err.text);
		ccdm_workload_drop(&w);
	}
	snprintf(text, sizeof(text), V "files: [{path: /x, source: no-such}]\n");
	assert_int_equal(ccdm_workload_parse("w", text, strlen(text), &w, &err), 0);
	assert_int_equal(ccdm_workload_files(&w, "/tmp", fs, &err), -ENOENT);
	ccdm_workload_drop(&w);
	/* two files for one place, by two paths; what is no file */
	snprintf(text, sizeof(text),
		 V
		 "files: [{path: /a/f2, source: VERSION}, {path: /a/back/f2, source: VERSION}]\n");
	assert_int_equal(ccdm_workload_parse("w", text, strlen(text), &w, &err), 0);
	assert_int_equal(ccdm_workload_files(&w, ".", fs, &err), -EINVAL);
	assert_non_null(strstr(err.text, "/a/f2: there are two files for this place"));
	ccdm_workload_drop(&w);
	snprintf(text, sizeof(text), V "files: [{path: /x, source: /dev/null}]\n");
	assert_int_equal(ccdm_workload_parse("w", text, strlen(text), &w, &err), 0);
	assert_int_equal(ccdm_workload_files(&w, ".", fs, &err), -EINVAL);
	assert_non_null(strstr(err.text, "/dev/null: expected a regular file"));
	ccdm_workload_drop(&w);
}

static void seccomp(void **state)
{
	static const char *const bad[][2] = {
		{ "", "seccomp:1:" },
		{ "[]", "expected a seccomp profile" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[]}", "that refuses" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{}]}", "a rule needs" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"a\"],"
		  "\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"moon\":[\"full\"]}}]}",
		  "unknown condition moon" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"a\"],"
		  "\"action\":\"SCMP_ACT_ALLOW\",\"excludes\":{\"caps\":[\"CAP_X\"]}}]}",
		  "unknown capability CAP_X" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"a\"],"
		  "\"action\":\"SCMP_ACT_ALLOW\",\"includes\":1}]}",
		  "is no object" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"a\"],"
		  "\"action\":\"SCMP_ACT_ALLOW\",\"args\":1}]}",
		  "expected an array" },
		/* what lets calls through, or is no action at all */
		{ "{\"defaultAction\":\"SCMP_ACT_LOG\",\"syscalls\":[]}", "that refuses" },
		{ "{\"defaultAction\":\"SCMP_ACT_NOTIFY\",\"syscalls\":[]}", "that refuses" },
		{ "{\"defaultAction\":\"SCMP_ACT_X\",\"syscalls\":[]}", "that refuses" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultAction\":\"SCMP_ACT_TRAP\","
		  "\"syscalls\":[]}",
		  "duplicate" },
#define RULE(names, action, args)                                               \
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":" names \
	",\"action\":\"" action "\",\"args\":[" args "]}]}"
		{ RULE("[\"a\"]", "SCMP_ACT_X", ""), "'action' of a rule" },
		{ RULE("[\"a\"]", "SCMP_ACT_NOTIFY", ""), "'action' of a rule" },
		{ RULE("[\"\"]", "SCMP_ACT_ALLOW", ""), "names of system calls" },
		{ RULE("[\"a\",1]", "SCMP_ACT_ALLOW", ""), "names of system calls" },
		{ RULE("[\"a\"]", "SCMP_ACT_ALLOW", "1"), "an index of 0 to 5" },
		{ RULE("[\"a\"]", "SCMP_ACT_ALLOW",
		       "{\"index\":6,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}"),
		  "an index of 0 to 5" },
		{ RULE("[\"a\"]", "SCMP_ACT_ALLOW",
		       "{\"index\":-1,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}"),
		  "an index of 0 to 5" },
		{ RULE("[\"a\"]", "SCMP_ACT_ALLOW", "{\"index\":0,\"op\":\"SCMP_CMP_EQ\"}"),
		  "a number as value" },
		{ RULE("[\"a\"]", "SCMP_ACT_ALLOW", "{\"index\":0,\"value\":1,\"op\":\"EQ\"}"),
		  "an op such as" },
	};
	json_t *filter;
	size_t i;

	(void)state;
	assert_int_equal(ccdm_seccomp_resolve("seccomp", profile, sizeof(profile) - 1,
					      CCDM_CAPABILITIES_DOCKER, &filter, &err),
			 0);
	assert_string_equal(
		at(filter, "syscalls"),
		/* (of the gate, test_seccomp.c) */
		"[{\"names\":[\"socketcall\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":1},"
		"{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":97,"
		"\"args\":[{\"index\":0,\"value\":17,\"valueTwo\":0,\"op\":\"SCMP_CMP_GT\"}]},"
		"{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"},"
		"{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":1},"
		"{\"names\":[\"amd\"],\"action\":\"SCMP_ACT_ALLOW\"},"
		"{\"names\":[\"early\"],\"action\":\"SCMP_ACT_ALLOW\","
		"\"args\":[{\"index\":0,\"value\":8,\"op\":\"SCMP_CMP_EQ\"}]}]");
	assert_string_equal(at(filter, "defaultErrnoRet"), "38");
	assert_string_equal(at(filter, "architectures.0"), "\"SCMP_ARCH_X86_64\"");
	json_decref(filter);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(ccdm_seccomp_resolve("seccomp", bad[i][0], strlen(bad[i][0]), 0,
						      &filter, &err),
				 -EINVAL);
		assert_null(filter);
		if (!strstr(err.text, bad[i][1]))
			fail_msg("case %zu: %s", i, err.text);
		seed_texts("workload_image", 0, 0xff, IMAGE(""), V, bad[i][0], NULL);
	}
}

/* The guest's reader takes each text, and reads what was meant. */
static void guest(void **state)
{
	static struct ccdm_workload_json j;
	struct made m = make(
		IMAGE(",\"User\":\"app\",\"StopSignal\":\"37\",\"Shell\":[\"/bin/ash\",\"-c\"],"
		      "\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"a b\"],\"Interval\":1500000000}"),
		V "secrets: {k: {from: a/b/c, mode: \"0444\"}, e: {from: a/b/d, env: E}}\n"
		  "network: {address: 192.0.2.7/24, gateway: 192.0.2.1, dns: [192.0.2.2]}\n"
		  "ports: [80]\nrestart: {when: failure, most: 3}\nhealth: {action: restart}\n"
		  "run: {volumes: [/srv/data]}\n");

	(void)state;
	if (m.r || ccdm_workload_json_parse(m.runtime.workload, m.runtime.workload_size, &j, &err))
		fail_msg("%s", err.text);
	assert_string_equal(j.product, "product");
	assert_int_equal(j.uid, 1234);
	assert_string_equal(j.stop_signal, "SIGRTMIN+3");
	assert_int_equal(j.restart, CCDM_WORKLOAD_FAILURE);
	assert_int_equal(j.most, 3);
	assert_int_equal(j.nr_secrets, 2);
	assert_int_equal(j.secret[0].mode, 0444);
	assert_string_equal(j.secret[1].env, "E");
	assert_string_equal(j.address, "192.0.2.7/24");
	assert_true(j.has_ports);
	assert_string_equal(j.volume[0], "/srv/data");
	assert_string_equal(at(j.health.test, ""), "[\"CMD\",\"/bin/ash\",\"-c\",\"a b\"]");
	assert_int_equal(j.health.interval, 2000);
	assert_int_equal(j.health.retries, 3);
	assert_int_equal(j.health.action, CCDM_WORKLOAD_ACTION_RESTART);
	ccdm_workload_json_drop(&j);
	drop(&m);
	m = make(IMAGE(""), V);
	if (m.r || ccdm_workload_json_parse(m.runtime.workload, m.runtime.workload_size, &j, &err))
		fail_msg("%s", err.text);
	assert_false(j.has_ports);
	assert_null(j.health.test);
	ccdm_workload_json_drop(&j);
	drop(&m);
}

/* The same input is the same bytes, whatever the order of the image's members. */
static void same(void **state)
{
	struct made a = make("{\"config\":{\"Cmd\":[\"x\"],\"Volumes\":{\"/b\":{},\"/c\":{}}}}", V);
	struct made b = make("{\"config\":{\"Volumes\":{\"/c\":{},\"/b\":{}},\"Cmd\":[\"x\"]}}", V);

	(void)state;
	assert_string_equal(a.runtime.config, b.runtime.config);
	assert_string_equal(a.runtime.workload, b.runtime.workload);
	drop(&a);
	drop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users), cmocka_unit_test(process), cmocka_unit_test(rights),
		cmocka_unit_test(said),	 cmocka_unit_test(mounts),  cmocka_unit_test(escapes),
		cmocka_unit_test(links), cmocka_unit_test(files),   cmocka_unit_test(seccomp),
		cmocka_unit_test(guest), cmocka_unit_test(same),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
