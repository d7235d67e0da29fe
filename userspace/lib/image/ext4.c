// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* ext4.c - see ext4.h */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "ext4.h"
#include "ext4_xattrs.h"
#include "guid.h"
#include "program.h"

#define TRIES 24 /* each is 10 % larger: the last one has ten times the size of the first */

#define FEATURES                                                                                   \
	"none,ext_attr,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file," \
	"dir_nlink,extra_isize,metadata_csum"

/* The host's file would change features. One relation is needed: an empty type is refused. */
static const char ext4_conf[] = "[defaults]\n"
				"\tbase_features = none\n"
				"\tblocksize = 4096\n"
				"\tinode_size = 256\n"
				"\tinode_ratio = 16384\n"
				"\treserved_ratio = 0.0\n"
				"[fs_types]\n"
				"\text4 = {\n"
				"\t\tblocksize = 4096\n"
				"\t}\n";

/*
 * Blocks that should be enough: content, a part of a block that each file leaves empty, a block for
 * some folders, inodes, and what groups of blocks have at their beginning.
 */
static uint64_t ccdm_ext4_blocks(const struct ccdm_ext4 *make)
{
	uint64_t data = make->bytes / CCDM_EXT4_BLOCK + make->entries * 3 / 4;
	uint64_t inodes = (make->entries + 16) / 16 + 1;

	return data + inodes + data / 100 + 128;
}

/* mke2fs found the file system too small for the archive. */
static bool ccdm_ext4_full(const struct ccdm_err *err)
{
	return strstr(err->text, "Could not allocate") || strstr(err->text, "No free space in") ||
	       strstr(err->text, "too small");
}

static int ccdm_ext4_try(const struct ccdm_ext4 *make, const char *path, const char *conf,
			 const char *file, uint64_t blocks, struct ccdm_err *err)
{
	char inodes[32], size[32], label[17], uuid[CCDM_GUID_TEXT], seed[CCDM_GUID_TEXT];
	char extended[128], config[4128], date[48];
	static const char features[] = FEATURES;
	const char *const env[] = { config, date, NULL };
	const char *const argv[] = { path,   "-q",     "-F",	 "-t",	    "ext4", "-T",  "ext4",
				     "-b",   "4096",   "-m",	 "0",	    "-I",   "256", "-N",
				     inodes, "-O",     features, "-U",	    uuid,   "-L",  label,
				     "-E",   extended, "-d",	 make->tar, file,   size,  NULL };

	if (ccdm_guid_text("ext4 UUID", make->sha256, 32, uuid) ||
	    ccdm_guid_text("ext4 hash seed", make->sha256, 32, seed))
		return ccdm_err_set(err, -EIO, "hashing failed");
	snprintf(inodes, sizeof(inodes), "%" PRIu64, make->entries + 16);
	snprintf(size, sizeof(size), "%" PRIu64, blocks);
	snprintf(label, sizeof(label), "%s", make->label);
	snprintf(extended, sizeof(extended),
		 "hash_seed=%s,root_owner=0:0,nodiscard,lazy_itable_init=0", seed);
	snprintf(config, sizeof(config), "MKE2FS_CONFIG=%s", conf);
	snprintf(date, sizeof(date), "SOURCE_DATE_EPOCH=%" PRId64, make->date);
	/* (what another try has written would stay in the file) */
	if (unlink(file) && errno != ENOENT)
		return ccdm_err_set(err, -errno, "%s: %s", file, strerror(errno));
	return ccdm_program_run(argv, env, -1, NULL, err);
}

int ccdm_ext4_make(const struct ccdm_ext4 *make, const char *file, uint64_t *blocks,
		   struct ccdm_err *err)
{
	uint64_t xattrs = make->fs ? ccdm_ext4_xattrs_count(make->fs) : 0;
	struct ccdm_program_found found;
	unsigned int i;
	char *conf;
	int r = ccdm_program_find("mke2fs", &found, err);

	if (r)
		return r;
	if (asprintf(&conf, "%s.conf", file) < 0)
		return ccdm_err_memory(err);
	r = ccdm_file_write(conf, ext4_conf, strlen(ext4_conf), 0600, err);
	*blocks = ccdm_ext4_blocks(make) + xattrs;
	for (i = 0; !r && i < TRIES; i++) {
		r = ccdm_ext4_try(make, found.path, conf, file, *blocks, err);
		if (r != -EIO || !ccdm_ext4_full(err) || i == TRIES - 1)
			break;
		*blocks += *blocks / 10;
		err->text[0] = '\0';
		r = 0;
	}
	unlink(conf);
	free(conf);
	if (!r && xattrs)
		r = ccdm_ext4_xattrs(file, make->fs, make->prefix, make->date, err);
	return r;
}
