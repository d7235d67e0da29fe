// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * odd - honest programs with unusual I/O, against a block device
 *
 *	odd DEVICE SECONDS [SEED]
 *
 * Threads write, read, map, overwrite buffers during I/O, discard and sync one small region at the
 * same time. Each block names its writer and has a checksum, so a block that is read is either one
 * complete write of a thread, or zeros if a thread discarded it. In addition each writer owns
 * blocks that no other thread touches, and must find there exactly what it wrote last. Prints
 * statistics. On each wrong byte or failed call it prints a line, and exits with 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define BLOCK	4096u
#define REGION	640u /* blocks that all threads share: five leaves */
#define OWN	64u  /* blocks of each writer, behind the region */
#define MAX_RUN 40u
#define WRITERS 4

struct head {
	uint64_t magic;
	uint64_t block;
	uint64_t serial;
	uint64_t sum;
};

static const char *device;
static atomic_bool stop;
static atomic_ulong serial = 1, writes, reads, discards, zeroes, scribbles, maps, syncs, wrong;
static unsigned int seed;

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}

static void fill(void *buf, uint64_t block, uint64_t s)
{
	uint64_t *w = buf, i;
	struct head *h = buf;

	for (i = sizeof(*h) / 8; i < BLOCK / 8; i++)
		w[i] = mix(block << 32 ^ s ^ i << 48);
	h->magic = 0x6363646d2d6f6464ULL;
	h->block = block;
	h->serial = s;
	h->sum = mix(block ^ mix(s));
}

/* Return: 1: one complete write; 0: zeros; -1: neither. */
static int look(const void *buf, uint64_t block)
{
	static const char zero[BLOCK];
	const struct head *h = buf;
	char want[BLOCK];

	if (!memcmp(buf, zero, BLOCK))
		return 0;
	if (h->block != block || h->sum != mix(block ^ mix(h->serial)))
		return -1;
	fill(want, block, h->serial);
	return memcmp(buf, want, BLOCK) ? -1 : 1;
}

static void bad(const char *what, uint64_t block, int error)
{
	atomic_fetch_add(&wrong, 1);
	printf("wrong: %s, block %llu: %s\n", what, (unsigned long long)block,
	       error ? strerror(error) : "content");
	fflush(stdout);
}

static void *pages(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return p;
}

static int direct(void)
{
	int fd = open(device, O_RDWR | O_DIRECT);

	if (fd < 0) {
		perror(device);
		exit(2);
	}
	return fd;
}

static unsigned int rnd(unsigned int *s, unsigned int n)
{
	return rand_r(s) % n;
}

/* Overlapping direct writes in the shared region, and exact content in the writer's own blocks. */
static void *writer(void *arg)
{
	unsigned int me = (uintptr_t)arg, s = seed + me, first, n, i;
	uint64_t last[OWN] = { 0 }, own = REGION + me * OWN, ser;
	char *buf = pages(MAX_RUN * BLOCK);
	int fd = direct();

	while (!stop) {
		n = 1 + rnd(&s, MAX_RUN);
		if (rnd(&s, 2)) {
			first = rnd(&s, REGION - n);
			for (i = 0; i < n; i++)
				fill(buf + i * BLOCK, first + i, atomic_fetch_add(&serial, 1));
			if (pwrite(fd, buf, n * BLOCK, (off_t)first * BLOCK) != n * BLOCK)
				bad("write", first, errno);
			atomic_fetch_add(&writes, 1);
			continue;
		}
		first = rnd(&s, OWN - n);
		for (i = 0; i < n; i++) {
			ser = atomic_fetch_add(&serial, 1);
			last[first + i] = ser;
			fill(buf + i * BLOCK, own + first + i, ser);
		}
		if (pwrite(fd, buf, n * BLOCK, (off_t)(own + first) * BLOCK) != n * BLOCK)
			bad("own write", own + first, errno);
		atomic_fetch_add(&writes, 1);
		if (pread(fd, buf, n * BLOCK, (off_t)(own + first) * BLOCK) != n * BLOCK)
			bad("own read", own + first, errno);
		for (i = 0; i < n; i++)
			if (look(buf + i * BLOCK, own + first + i) != 1 ||
			    ((struct head *)(buf + i * BLOCK))->serial != last[first + i])
				bad("own block", own + first + i, 0);
	}
	close(fd);
	return NULL;
}

static void *reader(void *arg)
{
	unsigned int s = seed + 100 + (uintptr_t)arg, first, n, i;
	char *buf = pages(MAX_RUN * BLOCK);
	int fd = direct();

	while (!stop) {
		n = 1 + rnd(&s, MAX_RUN);
		first = rnd(&s, REGION - n);
		if (pread(fd, buf, n * BLOCK, (off_t)first * BLOCK) != n * BLOCK)
			bad("read", first, errno);
		for (i = 0; i < n; i++)
			if (look(buf + i * BLOCK, first + i) < 0)
				bad("read", first + i, 0);
		atomic_fetch_add(&reads, 1);
	}
	close(fd);
	return NULL;
}

/* A buffer that one thread reads into or writes from, while another thread changes it. */
static char *shared_buf;

static void *scribbler(void *arg)
{
	unsigned int s = seed + 200;

	(void)arg;
	while (!stop) {
		memset(shared_buf + rnd(&s, MAX_RUN * BLOCK - 256), (int)s, 256);
		atomic_fetch_add(&scribbles, 1);
	}
	return NULL;
}

static void *scribbled(void *arg)
{
	unsigned int s = seed + 300, n;
	/* written from a changing buffer, so its content is arbitrary: use a place of its own */
	off_t junk = (off_t)(REGION + WRITERS * OWN) * BLOCK;
	int fd = direct();

	(void)arg;
	while (!stop) {
		n = 1 + rnd(&s, MAX_RUN);
		if (pread(fd, shared_buf, n * BLOCK, (off_t)rnd(&s, REGION - n) * BLOCK) !=
		    n * BLOCK)
			bad("scribbled read", 0, errno);
		if (pwrite(fd, shared_buf, n * BLOCK, junk) != n * BLOCK)
			bad("scribbled write", 0, errno);
		if (pread(fd, shared_buf, n * BLOCK, junk) != n * BLOCK)
			bad("read of what was scribbled", 0, errno);
		atomic_fetch_add(&reads, 2);
	}
	close(fd);
	return NULL;
}

static void *discarder(void *arg)
{
	unsigned int s = seed + 400;
	int fd = direct();

	(void)arg;
	while (!stop) {
		unsigned int n = 1 + rnd(&s, 200), first = rnd(&s, REGION - n);
		uint64_t range[2] = { (uint64_t)first * BLOCK, (uint64_t)n * BLOCK };
		bool zero = rnd(&s, 3) == 0;

		if (ioctl(fd, zero ? BLKZEROOUT : BLKDISCARD, range))
			bad(zero ? "zeroout" : "discard", first, errno);
		atomic_fetch_add(zero ? &zeroes : &discards, 1);
		usleep(rnd(&s, 3000));
	}
	close(fd);
	return NULL;
}

/* The same blocks through the page cache: errors are checked, content is not. */
static void *mapper(void *arg)
{
	unsigned int s = seed + 500, i;
	int fd = open(device, O_RDWR);
	char *map = mmap(NULL, (REGION + WRITERS * OWN + 2 * MAX_RUN) * BLOCK,
			 PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	/* own blocks after all others, used through the map and with direct I/O */
	char *own = map + (REGION + WRITERS * OWN + MAX_RUN) * BLOCK;

	(void)arg;
	if (map == MAP_FAILED) {
		bad("mmap", 0, errno);
		return NULL;
	}
	while (!stop) {
		i = rnd(&s, MAX_RUN);
		memset(own + i * BLOCK, (int)s, BLOCK);
		if (rnd(&s, 4) == 0 && msync(own, MAX_RUN * BLOCK, MS_SYNC))
			bad("msync", i, errno);
		if (rnd(&s, 8) == 0)
			posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		atomic_fetch_add(&maps, 1);
		usleep(200);
	}
	munmap(map, (REGION + WRITERS * OWN + 2 * MAX_RUN) * BLOCK);
	close(fd);
	return NULL;
}

static void *syncer(void *arg)
{
	int fd = direct();

	(void)arg;
	while (!stop) {
		if (fsync(fd))
			bad("fsync", 0, errno);
		atomic_fetch_add(&syncs, 1);
		usleep(300);
	}
	close(fd);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t[32];
	unsigned int n = 0;
	uintptr_t i;

	if (argc < 3) {
		fprintf(stderr, "usage: odd DEVICE SECONDS [SEED]\n");
		return 2;
	}
	device = argv[1];
	seed = argc > 3 ? strtoul(argv[3], NULL, 0) : (unsigned int)time(NULL);
	shared_buf = pages(MAX_RUN * BLOCK);
	for (i = 0; i < WRITERS; i++)
		pthread_create(&t[n++], NULL, writer, (void *)i);
	for (i = 0; i < 3; i++)
		pthread_create(&t[n++], NULL, reader, (void *)i);
	pthread_create(&t[n++], NULL, scribbler, NULL);
	pthread_create(&t[n++], NULL, scribbled, NULL);
	pthread_create(&t[n++], NULL, discarder, NULL);
	pthread_create(&t[n++], NULL, mapper, NULL);
	pthread_create(&t[n++], NULL, syncer, NULL);
	sleep(strtoul(argv[2], NULL, 10));
	stop = true;
	for (i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	printf("seed %u: %lu writes, %lu reads, %lu discards, %lu zeroouts, %lu scribbles, %lu maps, %lu syncs, %lu wrong\n",
	       seed, writes, reads, discards, zeroes, scribbles, maps, syncs, wrong);
	return wrong ? 1 : 0;
}
