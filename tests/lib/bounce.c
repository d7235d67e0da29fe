// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * bounce - a direct read into a buffer whose old content can be recognised
 *
 *	bounce DEVICE BLOCK COUNT SEED
 *
 * Fills COUNT pages with a label derived from SEED, so it occurs nowhere else in memory, and reads
 * into them.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	uint64_t x, *buf;
	size_t count, i, j;
	int fd;

	if (argc != 5)
		return 2;
	count = strtoul(argv[3], NULL, 0);
	fd = open(argv[1], O_RDONLY | O_DIRECT);
	buf = mmap(NULL, count * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fd < 0 || buf == MAP_FAILED) {
		perror("bounce");
		return 2;
	}
	for (i = 0; i < count; i++) {
		x = strtoull(argv[4], NULL, 0);
		for (j = 0; j < 512; j++) {
			x = x * 6364136223846793005ULL + 1442695040888963407ULL;
			buf[i * 512 + j] = x;
		}
	}
	return pread(fd, buf, count * 4096, strtoll(argv[2], NULL, 0) * 4096) ==
			       (ssize_t)(count * 4096)
		       ? 0
		       : 1;
}
