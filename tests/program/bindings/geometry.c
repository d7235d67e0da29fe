// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* geometry.c - known answers of ccdm_geometry_fit() for the bindings: "<blocks> <data blocks>" */
#include <stdio.h>
#include "ccdm_format.h"

static void line(__u64 blocks)
{
	printf("%llu %llu\n", (unsigned long long)blocks,
	       (unsigned long long)ccdm_geometry_fit(blocks));
}

int main(void)
{
	struct ccdm_geometry g;
	__u64 x = 1;
	unsigned int i;

	printf("# SPDX-License-Identifier: Apache-2.0\n# Copyright The ccdm authors\n"
	       "# Made by tests/program/bindings/geometry.c: blocks of a device, data blocks that fit\n");
	for (i = 0; i < 140; i++)
		line(i);
	/* around each power of two, and around the sizes at which the tree gets a node or a level */
	for (i = 8; i < 53; i++) {
		line((1ULL << i) - 1);
		line(1ULL << i);
		line((1ULL << i) + 1);
		if (ccdm_geometry_set(&g, (1ULL << i) - 1))
			continue;
		line(g.total - 1);
		line(g.total);
		line(g.total + 1);
		line(g.total + 2);
	}
	line(~0ULL);
	/* anything */
	for (i = 0; i < 200; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		line(x >> (12 + i % 50));
	}
	return 0;
}
