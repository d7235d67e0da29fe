// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* hashtree.c - see hashtree.h */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "hashtree.h"
#include "program.h"

/* "Root hash:      \t4f2c..." of veritysetup's output */
static int ccdm_hashtree_root(const char *output, char root[65], struct ccdm_err *err)
{
	static const char key[] = "Root hash:";
	const char *p = strstr(output, key);
	uint8_t bytes[32];

	root[0] = '\0';
	if (p) {
		p += strlen(key);
		p += strspn(p, " \t");
		snprintf(root, 65, "%.*s", (int)strcspn(p, " \t\n"), p);
	}
	return ccdm_unhex(root, bytes, sizeof(bytes))
		       ? ccdm_err_set(err, -EIO, "veritysetup printed no root hash of SHA-256")
		       : 0;
}

int ccdm_hashtree_make(const char *data, uint64_t blocks, const char *hash, const uint8_t salt[32],
		       struct ccdm_hashtree *tree, struct ccdm_err *err)
{
	char salted[80], covered[48], offset[48];
	struct ccdm_program_found found;
	char *output;
	int r = ccdm_program_find("veritysetup", &found, err);

	if (r)
		return r;
	memset(tree, 0, sizeof(*tree));
	ccdm_hex(salt, 32, tree->salt);
	snprintf(tree->algorithm, sizeof(tree->algorithm), "sha256");
	tree->data_blocks = blocks;
	tree->hash_start = strcmp(data, hash) ? 0 : blocks;
	tree->data_block_size = CCDM_HASHTREE_BLOCK;
	tree->hash_block_size = CCDM_HASHTREE_BLOCK;
	snprintf(salted, sizeof(salted), "--salt=%s", tree->salt);
	snprintf(covered, sizeof(covered), "--data-blocks=%" PRIu64, blocks);
	snprintf(offset, sizeof(offset), "--hash-offset=%" PRIu64,
		 tree->hash_start * CCDM_HASHTREE_BLOCK);
	const char *const argv[] = { found.path,
				     "format",
				     "--no-superblock",
				     "--hash=sha256",
				     "--format=1",
				     "--data-block-size=4096",
				     "--hash-block-size=4096",
				     salted,
				     covered,
				     offset,
				     data,
				     hash,
				     NULL };

	r = ccdm_program_run(argv, NULL, -1, &output, err);
	if (r)
		return r;
	r = ccdm_hashtree_root(output, tree->roothash, err);
	free(output);
	return r;
}
