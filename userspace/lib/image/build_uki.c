// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* build_uki.c - the UKI of an image: the base's kernel and initrd, and the image's own settings */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "build.h"
#include "cpio.h"
#include "program.h"
#include "uki.h"
#include "uki_make.h"

#define FILE_MAX (512 << 20)

/* The files that a UKI is made of. */
enum { STUB, RELEASE, KERNEL, INITRD, SOURCES };

int ccdm_build_read(const char *file, size_t max, char **bytes, size_t *size, struct ccdm_err *err)
{
	struct stat st;

	if (stat(file, &st))
		return ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	if (st.st_size >= 0 && (size_t)st.st_size < max)
		max = (size_t)st.st_size;
	return ccdm_file_read(file, max, bytes, size, err);
}

static int ccdm_build_load(struct ccdm_build *b, const char *name, const char *file, char **bytes,
			   size_t *size, struct ccdm_err *err)
{
	struct ccdm_digest digest;
	int r = ccdm_build_read(file, FILE_MAX, bytes, size, err);

	if (r)
		return r;
	r = ccdm_digest_of(CCDM_ALG_SHA256, *bytes, *size, NULL, 0, &digest);
	if (r)
		return ccdm_err_set(err, r, "%s: hashing failed", file);
	ccdm_build_input(b, name, &digest);
	return 0;
}

static int ccdm_build_add(struct ccdm_cpio *cpio, const char *path, const char *text, size_t size,
			  struct ccdm_err *err)
{
	const struct ccdm_cpio_entry entry = { .path = path,
					       .mode = text ? S_IFREG | 0644 : S_IFDIR | 0755,
					       .content = text,
					       .size = (uint32_t)size };

	return ccdm_cpio_add(cpio, &entry, err);
}

/* A file of this machine as @path of the initrd. @text: set to its content, which the caller frees */
static int ccdm_build_add_file(struct ccdm_build *b, struct ccdm_cpio *cpio, const char *name,
			       const char *path, const char *file, char **text,
			       struct ccdm_err *err)
{
	struct ccdm_digest digest;
	size_t size;
	int r;

	if (!file)
		return 0;
	r = ccdm_file_read(file, CCDM_BUILD_CA_MAX, text, &size, err);
	if (r)
		return r;
	r = ccdm_build_add(cpio, path + 1, *text, size, err);
	if (!r && ccdm_digest_of(CCDM_ALG_SHA256, *text, size, NULL, 0, &digest))
		r = ccdm_err_set(err, -EIO, "%s: hashing failed", file);
	if (!r)
		ccdm_build_input(b, name, &digest);
	return r;
}

/* The image's own part of the initrd: the settings, and the keys that they name. */
static int ccdm_build_settings(struct ccdm_build *b, uint8_t **bytes, size_t *size,
			       struct ccdm_err *err)
{
	struct ccdm_cpio *cpio = ccdm_cpio_new(b->date);
	int r = cpio ? 0 : ccdm_err_memory(err);
	char *ca = NULL;

	if (!r)
		r = ccdm_build_add(cpio, "etc", NULL, 0, err);
	if (!r)
		r = ccdm_build_add(cpio, "etc/ccdm", NULL, 0, err);
	if (!r)
		r = ccdm_build_add(cpio, &CCDM_CONFIG_FILE[1], b->conf, strlen(b->conf), err);
	if (!r)
		r = ccdm_build_add_file(b, cpio, "ca", CCDM_BUILD_CA, b->ask->ca, &ca, err);
	if (!r && b->signer)
		r = ccdm_build_add(cpio, &CCDM_BUILD_SIGNER[1], b->signer, strlen(b->signer), err);
	if (!r)
		r = ccdm_cpio_end(cpio, bytes, size, err);
	ccdm_cpio_free(cpio);
	free(ca);
	return r;
}

/* @source: content of each file; @settings: the initrd's last part */
static int ccdm_build_assemble(const struct ccdm_build *b, char *const source[SOURCES],
			       const size_t size[SOURCES], const uint8_t *settings,
			       size_t settings_size, uint8_t **uki, size_t *uki_size,
			       struct ccdm_err *err)
{
	static const char zeros[4];
	const struct ccdm_uki_part part[] = {
		{ ".osrel", { { source[RELEASE], size[RELEASE] } }, 1 },
		{ ".cmdline", { { b->cmdline, strlen(b->cmdline) } }, 1 },
		{ ".uname", { { b->uname, strlen(b->uname) } }, 1 },
		{ ".linux", { { source[KERNEL], size[KERNEL] } }, 1 },
		/* (the kernel looks for the next archive at a multiple of 4) */
		{ ".initrd",
		  { { source[INITRD], size[INITRD] },
		    { zeros, -size[INITRD] & 3 },
		    { settings, settings_size } },
		  3 },
	};

	return ccdm_uki_make(b->stub, (const uint8_t *)source[STUB], size[STUB], part,
			     ARRAY_SIZE(part), uki, uki_size, err);
}

/* Sign the UKI for Secure Boot, in its place. */
static int ccdm_build_sign(struct ccdm_build *b, const char *file, struct ccdm_err *err)
{
	struct ccdm_program_found found;
	char to[PATH_MAX];
	int r = ccdm_program_find("sbsign", &found, err);
	const char *const argv[] = { found.path,
				     "--key",
				     b->ask->secureboot_key,
				     "--cert",
				     b->ask->secureboot_cert,
				     "--output",
				     to,
				     file,
				     NULL };

	if (r)
		return r;
	ccdm_build_path(b, "signed", to);
	r = ccdm_program_run(argv, NULL, -1, NULL, err);
	/* (a key or a certificate that it cannot use) */
	if (r == -EIO)
		return -EINVAL;
	if (!r && rename(to, file))
		r = ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	return r;
}

static int ccdm_build_write(struct ccdm_build *b, const uint8_t *bytes, size_t size,
			    struct ccdm_err *err)
{
	char path[PATH_MAX];
	struct ccdm_pe pe;
	struct stat st;
	int r = ccdm_pe_parse("UKI", bytes, size, &pe, err);

	if (!r)
		r = ccdm_pe_digest(&pe, CCDM_ALG_SHA256, &b->uki_digest);
	if (r)
		return r;
	ccdm_build_made(b, CCDM_BUILD_EFI, path);
	r = ccdm_file_write(path, bytes, size, 0644, err);
	if (!r && b->ask->secureboot_key)
		r = ccdm_build_sign(b, path, err);
	if (!r && stat(path, &st))
		r = ccdm_err_set(err, -errno, "%s: %s", path, strerror(errno));
	if (r)
		return r;
	b->uki_size = (uint64_t)st.st_size;
	b->there[CCDM_BUILD_EFI] = true;
	return 0;
}

static int ccdm_build_sources(struct ccdm_build *b, char *source[SOURCES], size_t size[SOURCES],
			      struct ccdm_err *err)
{
	const struct {
		const char *name, *file;
	} from[SOURCES] = { [STUB] = { "stub", b->stub },
			    [RELEASE] = { "os-release", b->release },
			    [KERNEL] = { "kernel", b->kernel },
			    [INITRD] = { "initrd", b->initrd } };
	int i, r = 0;

	for (i = 0; !r && i < SOURCES; i++)
		r = ccdm_build_load(b, from[i].name, from[i].file, &source[i], &size[i], err);
	return r;
}

int ccdm_build_uki(struct ccdm_build *b, struct ccdm_err *err)
{
	size_t size[SOURCES] = { 0 }, settings_size = 0, uki_size = 0;
	uint8_t *settings = NULL, *uki = NULL;
	char *source[SOURCES] = { 0 };
	int i, r = ccdm_build_step(b, "uki", 0, 3, err);

	if (!r && !b->conf)
		r = ccdm_build_conf(b, err);
	if (!r && !b->initrd[0])
		r = ccdm_build_dracut(b, err);
	else if (!r && b->ask->tree)
		r = ccdm_build_initrd(b, b->initrd, err);
	if (!r)
		r = ccdm_build_step(b, "uki", 1, 3, err);
	if (!r)
		r = ccdm_build_sources(b, source, size, err);
	if (!r)
		r = ccdm_build_settings(b, &settings, &settings_size, err);
	if (!r)
		r = ccdm_build_assemble(b, source, size, settings, settings_size, &uki, &uki_size,
					err);
	for (i = 0; i < SOURCES; i++)
		free(source[i]);
	free(settings);
	if (!r)
		r = ccdm_build_step(b, "uki", 2, 3, err);
	if (!r)
		r = ccdm_build_write(b, uki, uki_size, err);
	free(uki);
	return r ? r : ccdm_build_step(b, "uki", 3, 3, err);
}
