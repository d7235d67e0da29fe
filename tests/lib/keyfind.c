// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * keyfind - keys of AES-256 in an image of a machine's memory
 *
 * A program that uses a key has its key schedule in memory: 60 words, each of which follows from
 * earlier ones. So the schedule is found whatever surrounds it. Prints a line for each key, in hex
 * digits.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static uint8_t sbox[256];

static void make_sbox(void)
{
	uint8_t p = 1, q = 1;

	/* Iterate over the powers of a generator and of its inverse. */
	do {
		p = p ^ (uint8_t)(p << 1) ^ (p & 0x80 ? 0x1b : 0);
		q ^= q << 1;
		q ^= q << 2;
		q ^= q << 4;
		q ^= q & 0x80 ? 0x09 : 0;
		sbox[p] = q ^ (uint8_t)(q << 1 | q >> 7) ^ (uint8_t)(q << 2 | q >> 6) ^
			  (uint8_t)(q << 3 | q >> 5) ^ (uint8_t)(q << 4 | q >> 4) ^ 0x63;
	} while (p != 1);
	sbox[0] = 0x63;
}

/* Does word @i of the schedule at @w follow from the words before it? */
static int follows(const uint8_t *w, unsigned int i)
{
	static const uint8_t rcon[] = { 1, 2, 4, 8, 16, 32, 64 };
	const uint8_t *before = w + 4 * (i - 1), *far = w + 4 * (i - 8), *at = w + 4 * i;
	uint8_t t[4];
	unsigned int k;

	for (k = 0; k < 4; k++) {
		if (i % 8 == 0)
			t[k] = sbox[before[(k + 1) % 4]] ^ (k ? 0 : rcon[i / 8 - 1]);
		else
			t[k] = i % 8 == 4 ? sbox[before[k]] : before[k];
		if (at[k] != (t[k] ^ far[k]))
			return 0;
	}
	return 1;
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	const uint8_t *p;
	struct stat st;
	size_t at;
	unsigned int i;

	if (fd < 0 || fstat(fd, &st)) {
		fprintf(stderr, "usage: keyfind FILE\n");
		return 1;
	}
	p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return 1;
	make_sbox();
	for (at = 0; at + 240 <= (size_t)st.st_size; at += 4) {
		for (i = 8; i < 60 && follows(p + at, i); i++)
			;
		if (i < 60)
			continue;
		for (i = 0; i < 32; i++)
			printf("%02x", p[at + i]);
		putchar('\n');
	}
	return 0;
}
