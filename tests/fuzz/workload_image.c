// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * fuzzes: lib/image/image_config.c lib/image/runtime.c lib/image/runtime_process.c lib/image/runtime_mounts.c lib/image/runtime_workload.c lib/image/sandbox.c lib/image/seccomp.c lib/image/seccomp_gate.c -
 * the configuration of an image, a workload.yaml, and a seccomp profile or none, divided by a byte 0xff
 */
#include <sys/stat.h>
#include "image/runtime.h"
#include "fuzz.h"

static const char profile[] = "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[]}";
static const char passwd[] = "root:x:0:0::/root:\napp:x:1234:1234::/home/app:\n";

/* A tree with what attacks use. */
static struct ccdm_rootfs *tree(void)
{
	static const char *const links[][2] = {
		{ "/a/proc", "../proc" }, { "/a/loop", "loop" }, { "/var/run", "/run" },
		{ "/a/root", ".." },	  { "/a/back", "b/.." },
	};
	struct ccdm_rootfs *fs = NULL;
	struct ccdm_err err;
	size_t i;

	if (ccdm_rootfs_new(&fs, "/tmp", &err) ||
	    ccdm_rootfs_put(fs, "/etc/passwd", 0644, 0, 0, passwd, sizeof(passwd) - 1, &err) ||
	    ccdm_rootfs_put(fs, "/a/b", S_IFDIR | 0755, 0, 0, "", 0, &err))
		abort();
	for (i = 0; i < ARRAY_SIZE(links); i++)
		if (ccdm_rootfs_put(fs, links[i][0], S_IFLNK | 0777, 0, 0, links[i][1],
				    strlen(links[i][1]), &err))
			abort();
	return fs;
}

/* No mount is where none may be, whatever was asked for. */
static void check(const struct ccdm_runtime *runtime)
{
	static const char *const system[] = { "/proc",	     "/dev", "/dev/pts",      "/dev/shm",
					      "/dev/mqueue", "/sys", "/sys/fs/cgroup" };
	json_t *config = json_loads(runtime->config, 0, NULL), *mount;
	const char *place;
	size_t i;

	if (!config)
		abort();
	json_array_foreach(json_object_get(config, "mounts"), i, mount)
	{
		place = json_string_value(json_object_get(mount, "destination"));
		if (i < ARRAY_SIZE(system)
			    ? strcmp(place, system[i]) != 0
			    : !strncmp(place, "/proc/", 6) || !strncmp(place, "/sys/", 5) ||
				      !strncmp(place, "/dev/", 5) || !place[1] ||
				      strstr(place, "/../"))
			abort();
	}
	json_decref(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ccdm_workload w;
	static struct ccdm_rootfs *fs;
	struct ccdm_image_config c;
	struct ccdm_runtime runtime = { NULL, 0, NULL, 0, NULL };
	struct ccdm_err err;
	size_t n[3];
	const uint8_t *part[3];
	struct ccdm_runtime_input in = { .image_name = "test",
					 .image = &c,
					 .workload = &w,
					 .product = "test",
					 .seccomp_name = "test" };
	unsigned int i;
	int r;

	if (!fs)
		fs = fuzz_own(tree());
	for (i = 0; i < 3; i++)
		part[i] = fuzz_part(data, size, i, &n[i]);
	in.fs = fs;
	in.seccomp = n[2] ? (const char *)part[2] : profile;
	in.seccomp_size = n[2] ? n[2] : sizeof(profile) - 1;
	r = ccdm_image_config_parse("test", (const char *)part[0], n[0], &c, &err);
	if (!r) {
		r = ccdm_workload_parse("test", (const char *)part[1], n[1], &w, &err);
		if (!r)
			r = ccdm_runtime_make(&in, &runtime, &err);
		if (!r)
			fuzz_own((check(&runtime), 0));
		ccdm_runtime_drop(&runtime);
		ccdm_workload_drop(&w);
	}
	ccdm_image_config_drop(&c);
	fuzz_said("image", fuzz_yes(!r));
	return 0;
}
