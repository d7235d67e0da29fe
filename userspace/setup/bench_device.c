// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* bench_device.c - see bench_device.h: opens the targets, and lets fio measure them */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>
#include "base/interrupt.h"
#include "base/json.h"
#include "bench_device.h"
#include "disk/module.h"
#include "disk/open.h"
#include "image/program.h"
#include "verb.h"

#define BENCH_NAME "ccdm-benchmark"
#define BENCH_PATH "/dev/mapper/" BENCH_NAME
#define BENCH_KEY  64

/* The first job writes the whole area: LUKS2 with integrity can read only what was written. */
const struct ccdm_bench_job ccdm_bench_jobs[CCDM_BENCH_JOBS] = {
	{ "first write, 1 MiB", "fill", "write", 1 << 20, 8, true },
	{ "read 1 MiB, depth 8", "read-1m", "read", 1 << 20, 8, false },
	{ "write 1 MiB, depth 8", "write-1m", "write", 1 << 20, 8, false },
	{ "random read 4 KiB, depth 1", "randread-4k-1", "randread", 4096, 1, false },
	{ "random read 4 KiB, depth 32", "randread-4k-32", "randread", 4096, 32, false },
	{ "random write 4 KiB, depth 32", "randwrite-4k-32", "randwrite", 4096, 32, false },
};

/* The programs, and a key for those that need one. */
struct bench_tools {
	struct ccdm_program_found fio;
	struct ccdm_program_found cryptsetup;
	int key; /* memory with BENCH_KEY random bytes */
};

static double bench_number(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

/* The first job of fio's JSON. Return: 0, -EINVAL. */
static int bench_read(const char *text, struct ccdm_bench_result *result, struct ccdm_err *err)
{
	json_t *all = json_loads(text, 0, NULL);
	const json_t *job = json_array_get(json_object_get(all, "jobs"), 0), *io, *latency;

	memset(result, 0, sizeof(*result));
	io = json_object_get(job, "read");
	if (!(bench_number(io, "total_ios") > 0))
		io = json_object_get(job, "write");
	latency = json_object_get(io, "clat_ns");
	result->iops = bench_number(io, "iops");
	result->mib_s = bench_number(io, "bw_bytes") / 1048576;
	result->mean_us = bench_number(latency, "mean") / 1000;
	result->p99_us = bench_number(json_object_get(latency, "percentile"), "99.000000") / 1000;
	json_decref(all);
	if (result->iops > 0 && result->mib_s > 0)
		return 0;
	/* coverage: each fio of Debian prints results */
	return ccdm_err_set(err, -EINVAL, "fio: expected results of one job, found none");
}

static int bench_job(const struct ccdm_bench *b, const struct bench_tools *tools, const char *path,
		     const struct ccdm_bench_job *job, struct ccdm_bench_result *result,
		     struct ccdm_err *err)
{
	char filename[600], rw[32], block[32], depth[32], size[48], runtime[48], *out = NULL;
	const char *argv[] = { tools->fio.path,
			       "--name=ccdm",
			       "--output-format=json",
			       "--ioengine=libaio",
			       "--direct=1",
			       "--norandommap",
			       "--randrepeat=0",
			       "--group_reporting",
			       filename,
			       rw,
			       block,
			       depth,
			       size,
			       job->once ? NULL
					 : "--time_based", /* the end of those that write once */
			       runtime,
			       NULL };
	int r;

	snprintf(filename, sizeof(filename), "--filename=%s", path);
	snprintf(rw, sizeof(rw), "--rw=%s", job->rw);
	snprintf(block, sizeof(block), "--bs=%u", job->block);
	snprintf(depth, sizeof(depth), "--iodepth=%u", job->depth);
	snprintf(size, sizeof(size), "--size=%llu", (unsigned long long)b->area);
	snprintf(runtime, sizeof(runtime), "--runtime=%u", b->seconds);
	r = ccdm_program_run(argv, NULL, -1, &out, err);
	if (!r)
		r = bench_read(out, result, err);
	free(out);
	return r;
}

/* ---- targets ------------------------------------------------------------------------------ */

static int bench_cryptsetup(const struct bench_tools *tools, const char *const *words,
			    struct ccdm_err *err)
{
	const char *argv[24] = { tools->cryptsetup.path, "-q" };
	char *out = NULL;
	unsigned int i;
	int r;

	for (i = 0; words[i] && i < ARRAY_SIZE(argv) - 3; i++)
		argv[i + 2] = words[i];
	if (lseek(tools->key, 0, SEEK_SET))
		return ccdm_err_set(err, -EIO, "cannot read the key again");
	r = ccdm_program_run(argv, NULL, tools->key, &out, err);
	free(out);
	return r;
}

static int bench_open_crypt(const struct ccdm_bench *b, const struct bench_tools *tools,
			    struct ccdm_err *err)
{
	const char *words[] = { "open",	      "--type",	    "plain",  "--cipher", "aes-xts-plain64",
				"--key-size", "512",	    "--hash", "plain",	  "--sector-size",
				"4096",	      "--key-file", "-",      b->device,  BENCH_NAME,
				NULL };

	return bench_cryptsetup(tools, words, err);
}

static int bench_open_luks(const struct ccdm_bench *b, const struct bench_tools *tools,
			   struct ccdm_err *err)
{
	/* the key is random, so the key derivation may be fast */
	const char *format[] = { "luksFormat",
				 "--type",
				 "luks2",
				 "--integrity",
				 "hmac-sha256",
				 "--integrity-no-wipe",
				 "--sector-size",
				 "4096",
				 "--pbkdf",
				 "pbkdf2",
				 "--pbkdf-force-iterations",
				 "1000",
				 "--key-file",
				 "-",
				 b->device,
				 NULL };
	const char *open[] = { "open", "--key-file", "-", b->device, BENCH_NAME, NULL };
	int r = bench_cryptsetup(tools, format, err);

	return r ? r : bench_cryptsetup(tools, open, err);
}

static int bench_open_ccdm(const struct ccdm_bench *b, const struct bench_tools *tools,
			   struct ccdm_err *err)
{
	/* a bad disk ends the measurement, but does not stop the machine */
	const struct ccdm_open o = { .device = b->device, .name = BENCH_NAME, .on_tamper = "eio" };
	struct ccdm_open_facts facts;
	int r;

	(void)tools;
	r = ccdm_module_need(err);
	if (!r)
		r = ccdm_open_look(&o, &facts, err);
	return r ? r : ccdm_open_map(&o, &facts, err);
}

static const struct bench_kind {
	const char *name;
	const char *path;  /* NULL: the device itself */
	const char *below; /* mapping between it and the device, or NULL */
	int (*open)(const struct ccdm_bench *b, const struct bench_tools *tools,
		    struct ccdm_err *err);
} bench_kinds[CCDM_BENCH_TARGETS] = {
	{ "raw", NULL, NULL, NULL },
	{ "dm-crypt", BENCH_PATH, NULL, bench_open_crypt },
	{ "luks2-integrity", BENCH_PATH, BENCH_NAME "_dif", bench_open_luks },
	{ "ccdm", BENCH_PATH, NULL, bench_open_ccdm },
};

static int bench_jobs(struct ccdm_bench *b, const struct bench_tools *tools, unsigned int target,
		      struct ccdm_err *err)
{
	const char *path = bench_kinds[target].path ?: b->device;
	unsigned int i;
	int r = 0;

	for (i = 0; !r && i < CCDM_BENCH_JOBS; i++) {
		if (!b->quiet)
			fprintf(stderr, CCDM_PROGRAM ": %s: %s\n", bench_kinds[target].name,
				ccdm_bench_jobs[i].name);
		r = bench_job(b, tools, path, &ccdm_bench_jobs[i], &b->target[target].result[i],
			      err);
	}
	return r;
}

/* Remove what a target has made. Return: the first error, and only it in @err. */
static int bench_close(const struct bench_kind *kind, struct ccdm_err *err)
{
	struct ccdm_err more = { 0 };
	int r = ccdm_dm_remove(BENCH_NAME, false, err), below = 0;

	if (kind->below)
		below = ccdm_dm_remove(kind->below, false, r ? &more : err);
	return r ? r : below;
}

/* Only what concerns this target alone is not an error of the whole. */
static int bench_target(struct ccdm_bench *b, const struct bench_tools *tools, unsigned int target,
			struct ccdm_err *err)
{
	const struct bench_kind *kind = &bench_kinds[target];
	const bool needed = !kind->open || kind->open == bench_open_ccdm;
	struct ccdm_err later = { 0 };
	int r = 0, closed = 0;

	b->target[target].name = kind->name;
	if (kind->open)
		r = kind->open(b, tools, err);
	if (!r) {
		r = bench_jobs(b, tools, target, err);
		if (kind->open)
			closed = bench_close(kind, r ? &later : err);
	} else if (r == -EINTR) {
		/* a cryptsetup that was ended may have made one mapping, both or none */
		(void)!bench_close(kind, &later);
	}
	if (closed && !r)
		return closed;
	if (!r || needed || r == -EINTR)
		return r;
	snprintf(b->target[target].why, sizeof(b->target[target].why), "%s", err->text);
	memset(err, 0, sizeof(*err));
	return 0;
}

static int bench_tools(struct bench_tools *tools, struct ccdm_err *err)
{
	unsigned char key[BENCH_KEY];
	int r = ccdm_program_find("fio", &tools->fio, err);

	if (!r)
		r = ccdm_program_find("cryptsetup", &tools->cryptsetup, err);
	if (r)
		return r;
	tools->key = memfd_create("key", MFD_CLOEXEC);
	if (tools->key < 0 || getrandom(key, sizeof(key), 0) != sizeof(key) ||
	    write(tools->key, key, sizeof(key)) != sizeof(key))
		r = ccdm_err_set(err, -EIO, "cannot make a key: %s", strerror(errno));
	explicit_bzero(key, sizeof(key));
	return r;
}

int ccdm_bench_run(struct ccdm_bench *b, struct ccdm_err *err)
{
	struct bench_tools tools = { .key = -1 };
	unsigned int i;
	int r = ccdm_interrupt_watch();

	if (r)
		return ccdm_err_set(err, r, "cannot watch for signals: %s", strerror(-r));
	r = bench_tools(&tools, err);
	for (i = 0; !r && i < CCDM_BENCH_TARGETS; i++)
		r = bench_target(b, &tools, i, err);
	if (tools.key >= 0)
		close(tools.key);
	return r;
}
