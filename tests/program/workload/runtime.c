// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * runtime.c - write config.json and workload.json for the configuration of an image
 *
 *	runtime CONFIG.json WORKLOAD.yaml ROOTFS SECCOMP.json OUTPUT
 *
 * OUTPUT is a folder. Prints the warnings for the builder. Ends with 1 and a message on an error.
 */
#include <stdio.h>
#include <stdlib.h>
#include "base/file.h"
#include "image/runtime.h"

static struct ccdm_err err;

static int fail(void)
{
	fprintf(stderr, "runtime: %s\n", err.text);
	return 1;
}

static int save(const char *folder, const char *name, const char *text, size_t size)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return ccdm_file_write(path, text, size, 0644, &err);
}

int main(int argc, char **argv)
{
	static struct ccdm_workload w;
	struct ccdm_image_config image = { .json = NULL };
	struct ccdm_runtime runtime = { .said = NULL };
	struct ccdm_rootfs *fs = NULL;
	char *config = NULL, *seccomp = NULL;
	struct ccdm_runtime_input in = { .image_name = "test",
					 .image = &image,
					 .workload = &w,
					 .product = "test",
					 .seccomp_name = "seccomp.json" };
	size_t size, i;
	int r;

	if (argc != 6)
		return 2;
	r = ccdm_file_read(argv[1], CCDM_IMAGE_CONFIG_MAX, &config, &size, &err);
	if (!r)
		r = ccdm_image_config_parse("test", config, size, &image, &err);
	if (!r)
		r = ccdm_workload_load(argv[2], &w, &err);
	if (!r)
		r = ccdm_rootfs_new(&fs, argv[5], &err);
	if (!r)
		r = ccdm_rootfs_folder(fs, argv[3], NULL, &err);
	if (!r)
		r = ccdm_file_read(argv[4], 4 << 20, &seccomp, &in.seccomp_size, &err);
	in.fs = fs;
	in.seccomp = seccomp;
	if (!r)
		r = ccdm_runtime_make(&in, &runtime, &err);
	if (!r)
		r = save(argv[5], "config.json", runtime.config, runtime.config_size);
	if (!r)
		r = save(argv[5], "workload.json", runtime.workload, runtime.workload_size);
	for (i = 0; !r && i < json_array_size(runtime.said); i++)
		puts(json_string_value(json_array_get(runtime.said, i)));
	ccdm_runtime_drop(&runtime);
	ccdm_rootfs_free(fs);
	ccdm_workload_drop(&w);
	ccdm_image_config_drop(&image);
	free(config);
	free(seccomp);
	return r ? fail() : 0;
}
