// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* The image that is meant is found in an archive, and only files with the right digests are used. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include "forge_container.h"
#include "image/oci.h"
#include "seed.h"

#define CONF_TYPE  "application/vnd.oci.image.config.v1+json"
#define IMAGE_TYPE "application/vnd.oci.image.manifest.v1+json"
#define INDEX_TYPE "application/vnd.oci.image.index.v1+json"
#define LAYER_TYPE "application/vnd.oci.image.layer.v1.tar"

#define DESCRIPTOR(type, n) \
	"{\"mediaType\": \"" type "\", \"digest\": \"@D" #n "\", \"size\": @S" #n "}"
#define NAMED(type, n, name)                                                      \
	"{\"mediaType\": \"" type "\", \"digest\": \"@D" #n "\", \"size\": @S" #n \
	", \"annotations\": "                                                     \
	"{\"org.opencontainers.image.ref.name\": \"" name "\"}}"
#define FOR(type, n, os, arch)                                                    \
	"{\"mediaType\": \"" type "\", \"digest\": \"@D" #n "\", \"size\": @S" #n \
	", \"platform\": "                                                        \
	"{\"os\": \"" os "\", \"architecture\": \"" arch "\"}}"
#define INDEX(...)   "{\"manifests\": [" __VA_ARGS__ "]}"
#define IMAGE(layer) "{\"config\": " DESCRIPTOR(CONF_TYPE, 2) ", \"layers\": [" layer "]}"
#define ZEROS	     "0000000000000000000000000000000000000000000000000000000000000000"
#define DOCKER(tags) \
	"[{\"Config\": \"c.json\", \"RepoTags\": [" tags "], \"Layers\": [\"id/layer.tar\"]}]"

static const char conf[] = "{\"rootfs\": {\"diff_ids\": [\"@D4\"]}}";
static const char image[] = IMAGE(DESCRIPTOR(LAYER_TYPE, 4));
static struct ccdm_err err;

/* An archive of these texts: "o" an OCI layout, "d" docker save. The caller closes the image. */
static int made(char letter, const char *a, const char *b, const char *c, const char *d,
		const char *name, struct ccdm_oci **oci)
{
	const char *const text[] = { a, b, c, d };
	struct forge_tar t = { 0 };
	char path[32];
	int fd, r;

	seed_texts("oci", letter, 0xff, a, b, c, d);
	forge_oci(&t, text, letter == 'o');
	fd = forge_file(t.bytes, t.size, path);
	free(t.bytes);
	memset(&err, 0, sizeof(err));
	r = ccdm_oci_open(path, name, "/tmp", oci, &err);
	close(fd);
	return r;
}

/* The image is the one with this configuration and name. */
static void is(char letter, const char *a, const char *b, const char *c, const char *d,
	       const char *name, const char *wanted)
{
	struct ccdm_layers_count count;
	struct ccdm_rootfs *fs;
	struct ccdm_oci *oci;
	size_t size;

	if (made(letter, a, b, c, d, name, &oci))
		fail_msg("%s", err.text);
	assert_non_null(strstr(ccdm_oci_config(oci, &size), "diff_ids"));
	assert_int_equal(size, strlen(ccdm_oci_config(oci, &size)));
	assert_int_equal(ccdm_oci_digest(oci)->size, 32);
	assert_string_equal(ccdm_oci_name(oci), wanted);
	assert_int_equal(ccdm_rootfs_new(&fs, "/tmp", &err), 0);
	assert_int_equal(ccdm_oci_rootfs(oci, fs, NULL, NULL, &count, &err), 0);
	assert_int_equal(fs->entries, 0);
	ccdm_rootfs_free(fs);
	ccdm_oci_close(oci);
}

static void refused(char letter, const char *a, const char *b, const char *c, const char *name,
		    const char *words)
{
	struct ccdm_oci *oci;

	assert_int_equal(made(letter, a, b, c, NULL, name, &oci), -EINVAL);
	assert_null(oci);
	if (!strstr(err.text, words))
		fail_msg("expected '%s', found '%s'", words, err.text);
}

static void layouts(void **state)
{
	(void)state;
	is('o', INDEX(DESCRIPTOR(IMAGE_TYPE, 1)), image, conf, NULL, NULL, "");
	is('o', INDEX(NAMED(IMAGE_TYPE, 1, "app:1")), image, conf, NULL, NULL, "app:1");
	is('o', INDEX(NAMED(IMAGE_TYPE, 1, "app:1")), image, conf, NULL, "app:1", "app:1");
	is('o', INDEX(NAMED(IMAGE_TYPE, 1, "app:latest")), image, conf, NULL, "app", "app:latest");
	/* another image beside it, which is not complete */
	is('o', INDEX(NAMED(IMAGE_TYPE, 1, "app:1") ", " NAMED(IMAGE_TYPE, 3, "other")), image,
	   conf, "{}", "app:1", "app:1");
	/* the same image with two names */
	is('o', INDEX(NAMED(IMAGE_TYPE, 1, "one") ", " NAMED(IMAGE_TYPE, 1, "two")), image, conf,
	   NULL, NULL, "two");
	/* platforms */
	is('o',
	   INDEX(FOR(IMAGE_TYPE, 3, "linux", "arm64") ", " FOR(IMAGE_TYPE, 1, "linux", "amd64")),
	   image, conf, "{}", NULL, "");
	refused('o', INDEX(FOR(IMAGE_TYPE, 1, "linux", "arm64")), image, conf, NULL,
		"there is no image for linux/amd64");
	refused('o',
		INDEX(FOR(IMAGE_TYPE, 1, "linux", "amd64") ", " FOR(IMAGE_TYPE, 2, "linux",
								    "amd64")),
		image, conf, NULL, "several images for linux/amd64");
	refused('o', INDEX(NAMED(IMAGE_TYPE, 1, "one") ", " NAMED(IMAGE_TYPE, 2, "two")), image,
		conf, NULL, "several images for linux/amd64: one, two");
	assert_string_equal(err.hint, "name one with --image");
	refused('o', INDEX(NAMED(IMAGE_TYPE, 1, "one")), image, conf, "two",
		"there is no image 'two' for linux/amd64; it has: one");
	/* an index in index.json */
	is('o', INDEX(NAMED(INDEX_TYPE, 1, "app")), INDEX(DESCRIPTOR(IMAGE_TYPE, 2)),
	   "{\"config\": " DESCRIPTOR(CONF_TYPE, 3) ", \"layers\": [" DESCRIPTOR(LAYER_TYPE,
										 4) "]}",
	   conf, NULL, "app");
}

static void manifests(void **state)
{
	static const char index[] = INDEX(DESCRIPTOR(IMAGE_TYPE, 1));

	(void)state;
	refused('o', "{}", image, conf, NULL, "expected an index with manifests");
	refused('o', "[]", image, conf, NULL, "expected an object");
	refused('o', "{", image, conf, NULL, "index.json: line 1");
	refused('o', "{\"a\": 1, \"a\": 2}", image, conf, NULL, "duplicate object key");
	refused('o', INDEX("{}"), image, conf, NULL, "expected a mediaType");
	refused('o', INDEX(DESCRIPTOR("text/plain", 1)), image, conf, NULL, "found 'text/plain'");
	refused('o', INDEX(DESCRIPTOR(INDEX_TYPE, 1)), image, conf, NULL, "with manifests");
	refused('o', index, "[]", conf, NULL, "expected an object");
	refused('o', index, "{\"mediaType\": \"x\"}", conf, NULL, "expected only a file of");
	refused('o', index, "{\"layers\": [], \"manifests\": []}", conf, NULL,
		"expected only a file of the media type");
	refused('o', index, "{}", conf, NULL, "configuration: expected a mediaType");
	refused('o', index, "{\"config\": " DESCRIPTOR("text/plain", 2) "}", conf, NULL,
		"expected the configuration of a container image");
	refused('o', index, "{\"config\": " DESCRIPTOR(CONF_TYPE, 2) "}", conf, NULL,
		"expected an array of at most 256 layers");
	refused('o', index, IMAGE("1"), conf, NULL, "layer 1: expected a mediaType");
	refused('o', index, IMAGE(DESCRIPTOR("text/plain", 4)), conf, NULL,
		"layer 1: expected the media type of a layer");
	refused('o', index, IMAGE(DESCRIPTOR(LAYER_TYPE "+gzip+encrypted", 4)), conf, NULL,
		"layer 1 is encrypted");
	refused('o', index,
		IMAGE("{\"mediaType\": \"" LAYER_TYPE "\", \"digest\": \"@D4\", \"size\": 5}"),
		conf, NULL, "layer 1: expected 5 bytes, found 1024");
	refused('o', index,
		IMAGE("{\"mediaType\": \"" LAYER_TYPE "\", \"digest\": \"@D3\", \"size\": 5}"),
		conf, NULL, "it is not in the archive");
	refused('o', index, image, "{}", NULL, "expected rootfs.diff_ids for 1 layers, found 0");
	refused('o', index, image, "{\"rootfs\": {\"diff_ids\": [1]}}", NULL, "expected a digest");
	refused('o', index, image, "{", NULL, "configuration: line 1");
	/* files that are not there, or other ones */
	refused('o',
		INDEX("{\"mediaType\": \"" IMAGE_TYPE "\", \"size\": 1, \"digest\": \"sha256:"
		      "0000000000000000000000000000000000000000000000000000000000000000\"}"),
		image, conf, NULL, "it is not in the archive");
	refused('o', INDEX("{\"mediaType\": \"" IMAGE_TYPE "\", \"size\": 1, \"digest\": \"@D1\"}"),
		image, conf, NULL, "expected 1 bytes, found");
	refused('o',
		INDEX("{\"mediaType\": \"" IMAGE_TYPE "\", \"size\": -1, \"digest\": \"@D1\"}"),
		image, conf, NULL, "expected a size");
	refused('o',
		INDEX("{\"mediaType\": \"" IMAGE_TYPE "\", \"size\": 1, \"digest\": \"md5:00\"}"),
		image, conf, NULL, "found 'md5:00'");
}

static void docker(void **state)
{
	(void)state;
	is('d', DOCKER(""), NULL, conf, NULL, NULL, "");
	is('d', DOCKER("\"app:1\""), NULL, conf, NULL, NULL, "app:1");
	is('d', DOCKER("\"other\", \"app:latest\""), NULL, conf, NULL, "app", "app:latest");
	refused('d', DOCKER("\"app:1\", 1"), NULL, conf, "app:2", "there is no image 'app:2'");
	refused('d', "[]", NULL, conf, NULL, "expected one image, found 0");
	refused('d', "{}", NULL, conf, NULL, "expected an array");
	refused('d', "[{}]", NULL, conf, NULL, "expected the name of a Config");
	refused('d', "[{\"Config\": \"none\"}]", NULL, conf, NULL, "it is not in the archive");
	refused('d', "[{\"Config\": \"c.json\"}]", NULL, conf, NULL, "at most 256 layers");
	refused('d', "[{\"Config\": \"c.json\", \"Layers\": [1]}]", NULL, conf, NULL,
		"expected names of layers");
	refused('d', "[{\"Config\": \"c.json\", \"Layers\": [\"../../etc/passwd\"]}]", NULL, conf,
		NULL, "it is not in the archive");
	refused('d', "[{\"Config\": \"id\", \"Layers\": []}]", NULL, conf, NULL,
		"expected a regular file");
	refused('d', DOCKER(""), NULL, "{}", NULL, "expected rootfs.diff_ids for 1 layers");
}

/* Whole archives, as they are. */
static void archives(void **state)
{
	static const char *const other[] = { "", "hello", "\x1f\x8b\x08\0" };
	struct forge_tar t = { 0 };
	struct ccdm_oci *oci;
	char path[32];
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < 3; i++) {
		fd = forge_file(other[i], strlen(other[i]), path);
		assert_int_equal(ccdm_oci_open(path, NULL, "/tmp", &oci, &err), -EINVAL);
		close(fd);
	}
	assert_int_equal(ccdm_oci_open("/does/not/exist", NULL, "/tmp", &oci, &err), -ENOENT);
	assert_int_equal(ccdm_oci_open("/dev/null", NULL, "/tmp", &oci, &err), -EINVAL);
	forge_tar_add(&t, '0', "oci-layout", "{\"imageLayoutVersion\": \"2.0.0\"}");
	forge_tar_add(&t, '5', "blobs", NULL);
	forge_tar_end(&t);
	fd = forge_file(t.bytes, t.size, path);
	assert_int_equal(ccdm_oci_open(path, NULL, "/tmp", &oci, &err), -EINVAL);
	assert_non_null(strstr(err.text, "expected the version 1.0.0, found '2.0.0'"));
	close(fd);
	free(t.bytes);
	memset(&t, 0, sizeof(t));
	forge_tar_add(&t, '0', "oci-layout", "{\"imageLayoutVersion\": \"1.0.0\"}");
	forge_tar_add(&t, '0', "index.json",
		      INDEX("{\"mediaType\": \"" IMAGE_TYPE
			    "\", \"size\": 2, \"digest\": \"sha256:" ZEROS "\"}"));
	forge_tar_add(&t, '0', "blobs/sha256/" ZEROS, "{}");
	forge_tar_end(&t);
	fd = forge_file(t.bytes, t.size, path);
	assert_int_equal(ccdm_oci_open(path, NULL, "/tmp", &oci, &err), -EINVAL);
	assert_non_null(strstr(err.text, "its bytes do not have the digest of its name"));
	close(fd);
	t.bytes[0] = 'a';
	t.bytes[148 + 4] = '5'; /* whatever the sum was */
	seed("oci", t.bytes, t.size);
	free(t.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layouts),
		cmocka_unit_test(manifests),
		cmocka_unit_test(docker),
		cmocka_unit_test(archives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
